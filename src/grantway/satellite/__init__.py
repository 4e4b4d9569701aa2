"""What answers for API keys: the embedded satellite, which keeps each project's root key and the revoked tails itself."""
