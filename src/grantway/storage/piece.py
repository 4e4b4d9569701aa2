"""A piece of work that somebody waits for, on its way through an engine."""

import asyncio
from dataclasses import dataclass
from typing import Generic, TypeVar

from grantway.storage.statements import MakeWork

T = TypeVar("T")


@dataclass(slots=True)
class Piece(Generic[T]):
    """After its turn it has either a result or an error. Results go back by piece, never matched by content."""

    make: MakeWork[T]
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Tell whoever waits."""
        if self.future.done():  # whoever asked has gone
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # with no error there is a result
