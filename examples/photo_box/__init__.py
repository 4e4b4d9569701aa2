"""Photo Box: a small app of somebody else's, which asks for access to a person's storage and shows what it was given."""
