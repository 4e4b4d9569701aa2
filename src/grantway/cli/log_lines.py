"""What the server writes to its log: one line an event, for people or as JSON. Fields are chosen where they are logged: no secret."""

import logging
from datetime import UTC, datetime

import msgspec


class LogLines(logging.Formatter):
    """One line for each record: time in UTC, level, where from, what, then the record's `fields`."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line, or a few for a record that has some in its message."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields: dict[str, object] = getattr(record, "fields", {})
        if self._as_json:
            line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(), **fields}
            return msgspec.json.encode(line).decode()
        told = "".join(f" {name}={value}" for name, value in fields.items() if value not in {None, ""})
        return f"{at} {record.levelname} {record.name}: {record.getMessage()}{told}"


def set_up(level: str, log_format: str) -> None:
    """Send everything from that level on to standard error, in that format (`text` or `json`)."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogLines(as_json=log_format == "json"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
