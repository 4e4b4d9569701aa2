"""Why is an app refused, seen from outside: the examination that `grantway doctor` makes of a server, a client and its secret.

`place` asks whether the right thing is there, `client` whether it accepts the client; both write on a `sheet` and send their requests
with a `probe`. The rest decides without I/O.
"""

from collections.abc import Callable
from datetime import datetime

from grantway.cli.examination.client import ClientExamination
from grantway.cli.examination.place import PlaceExamination
from grantway.cli.examination.sheet import PLACEHOLDER_URI, Examined, Question, Sheet

__all__ = ["PLACEHOLDER_URI", "Examined", "Question", "examine"]


def examine(question: Question, clock: Callable[[], datetime], announce: Callable[[str], None]) -> Examined:
    """Examine step by step; every check that does not depend on a failed one is made. `announce` hears of each trial before it is made."""
    sheet = Sheet(question)
    place = PlaceExamination(question, sheet, clock)
    end = place.examine()
    sheet.look_at_credentials()
    if end is not None:
        return sheet.closed(end)
    client = ClientExamination(question, sheet, place, clock, announce)
    return sheet.closed(client.examine())
