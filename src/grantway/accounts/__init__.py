"""People: users who own projects, developers who own apps; their passwords and sessions."""
