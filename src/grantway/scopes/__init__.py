"""The language an app asks in: its grammar, what it means in permissions, and the words a person reads."""
