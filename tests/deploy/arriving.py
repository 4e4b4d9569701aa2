"""What the deployment's files and the documents name and the program has not yet. Remove what has arrived; when empty, this file."""

ARRIVING_SETTINGS = frozenset({"database", "cache", "workers"})
ARRIVING_SECRETS = frozenset({"database", "cache"})
ARRIVING_COMMANDS = frozenset({"db upgrade", "db status", "db check"})
