"""Which variables the program reads."""

from dataclasses import fields

from tests.deploy.arriving import ARRIVING_SECRETS, ARRIVING_SETTINGS

from grantway.config import FILE_SUFFIX, PREFIX, Config

SETTINGS = {one.name for one in fields(Config)} | ARRIVING_SETTINGS
SECRETS = {one.name for one in fields(Config) if one.metadata["secret"]} | ARRIVING_SECRETS
FILES = {f"{PREFIX}{name.upper()}{FILE_SUFFIX}": f"{PREFIX}{name.upper()}" for name in SECRETS}
"""From the variable that names a secret's file to the variable of the secret itself."""
VARIABLES = {f"{PREFIX}{name.upper()}" for name in SETTINGS} | set(FILES)
