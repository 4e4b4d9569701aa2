"""What every command does with a refusal: one line on standard error, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

from grantway.cli.console import fail
from grantway.config import SettingError
from grantway.folder_lock import FolderBusyError
from grantway.oauth_error import RefusedError, UnavailableError
from grantway.sealing import MasterKeyError
from grantway.storage.migrate import NewerDatabaseError


@contextmanager
def refusals_told() -> Iterator[None]:
    """End with 1 for what was refused or not found, 2 for wrong usage, 3 for the server's own trouble."""
    try:
        yield
    except RefusedError as refused:
        fail(refused.error.description, 1)
    except SettingError as error:
        fail(str(error), 2)
    except (FolderBusyError, MasterKeyError, NewerDatabaseError, UnavailableError) as error:
        fail(str(error), 3)
    # before OSError, which it is, too: "File exists" would not say what is wrong
    except FileExistsError as error:
        fail(f"{error.filename or 'the data folder'} is no folder", 3)
    except OSError as error:
        fail(f"{error.strerror or type(error).__name__}{f': {error.filename}' if error.filename else ''}", 3)
