"""Sends what many calls ask for in the same way as one command: their looks at the queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread.broker.connection.effects import Send

from .line import copy_of

if TYPE_CHECKING:
    from .line import Asked, Line

__all__ = ["Jointly"]

# How many go in one command: Redis does nothing else meanwhile.
_MOST: Final = 100


class Jointly:
    """Commands that wait to be written, and what may still join them; only for one loop.

    Args:
        line: The line for commands.

    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._latest: dict[Any, tuple[Asked, _Joined]] = {}

    async def answer(self, send: Send, until: float) -> Any:
        """Send a command with those that can go with it; return its part of the answer.

        Raises:
            RedisError: As for :meth:`.line.Asked.answer`; each gets its own.

        """
        asked, company = self._join(send)
        place = len(company.sends) - 1
        try:
            return company.parts(await asked.answer(until))[place]
        except RedisError as error:
            own = copy_of(error)
        raise own

    def _join(self, send: Send) -> tuple[Asked, _Joined]:
        latest = self._latest.get(send.company)
        if latest is not None:
            asked, company = latest
            if not asked.is_sent and not asked.future.done() and len(company.sends) < _MOST:
                company.sends.append(send)
                return latest
        company = _Joined(send)
        asked = self._line.ask(company)  # an eager task sends it at once
        asked.is_joint = True
        self._latest[send.company] = asked, company
        return asked, company


class _Joined(Sequence[Any]):
    """The command for all that have joined by the time it is written."""

    def __init__(self, first: Send) -> None:
        self.sends = [first]
        self._parts: list[Any] = []

    def parts(self, answer: Any) -> list[Any]:
        """Return what each gets of the answer."""
        self._parts = self._parts or list(Send.parts_of(answer, self.sends))
        return self._parts

    def __getitem__(self, place: Any) -> Any:
        return Send.joined(self.sends)[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(Send.joined(self.sends))

    def __len__(self) -> int:
        return len(Send.joined(self.sends))
