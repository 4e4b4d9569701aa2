"""What the deployment's files and the documents name and the program has not yet. Remove what has arrived; when empty, this file."""

ARRIVING_SETTINGS = frozenset({"cache", "workers"})
ARRIVING_SECRETS = frozenset({"cache"})
ARRIVING_COMMANDS = frozenset({"db upgrade", "db status", "db check"})
