"""Which variables the program reads, and how much memory it takes."""

from dataclasses import fields

from grantway.config import FILE_SUFFIX, PREFIX, Config

SETTINGS = {one.name for one in fields(Config)}
SECRETS = {one.name for one in fields(Config) if one.metadata["secret"]}
FILES = {f"{PREFIX}{name.upper()}{FILE_SUFFIX}": f"{PREFIX}{name.upper()}" for name in SECRETS}
"""From the variable that names a secret's file to the variable of the secret itself."""
VARIABLES = {f"{PREFIX}{name.upper()}" for name in SETTINGS} | set(FILES)

OF_A_PROCESS = 96
"""MiB that one process takes at most beside Argon2; test_container.py looks."""
EACH = 64
"""MiB of one derivation."""
