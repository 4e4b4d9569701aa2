"""`grantway config`: every setting, its value, and where that came from."""

import os

from grantway.cli.console import DataOption, JsonOption, print_json
from grantway.config_sources import load


def show(data: DataOption = None, json: JsonOption = False) -> None:
    """Show every setting, its value and where it came from. Secrets are masked."""
    config, origins = load(os.environ, data=data)
    rows = []
    for origin in origins:
        value = getattr(config, origin.name)
        text = ("on" if value else "off") if isinstance(value, bool) else str(value)
        shown = "********" if origin.is_secret and text else text
        rows.append({"name": origin.name, "value": shown, "from": origin.came_from, "variable": origin.variable, "help": origin.help})
    if json:
        print_json(rows)
        return
    widest = max(len(row["variable"]) for row in rows)
    for row in rows:
        print(f"{row['variable']:{widest}}  {row['value'] or '(empty)'}  [{row['from']}]\n{'':{widest}}    {row['help']}")
