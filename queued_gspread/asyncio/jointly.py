"""Sends what many calls ask for in the same way as one command: their looks at the queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread.broker.connection.effects import joined, part_of

from .line import copy_of

if TYPE_CHECKING:
    from queued_gspread.broker.connection.effects import Joint, Send

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
        self._latest: dict[Any, tuple[Asked, list[Joint]]] = {}

    async def answer(self, send: Send, until: float) -> Any:
        """Send a command with those that can go with it; return its part of the answer.

        Raises:
            RedisError: As for :meth:`.line.Asked.answer`; each gets its own.

        """
        asked, joints = self._join(send)
        place = len(joints) - 1
        try:
            return part_of(await asked.answer(until), joints, place)
        except RedisError as error:
            own = copy_of(error)
        raise own

    def _join(self, send: Send) -> tuple[Asked, list[Joint]]:
        joint = send.joint
        assert joint is not None, "only what may go with others"
        start = send.command[:2]
        common = (*start, joint.keys, joint.args)
        asked, joints = self._latest.get(common, (None, []))
        if asked is None or asked.is_sent or asked.future.done() or len(joints) == _MOST:
            joints = [joint]
            asked = self._line.ask(_Joined(start, joints))
            asked.is_joint = True
            self._latest[common] = asked, joints
        else:
            joints.append(joint)
        return asked, joints


class _Joined(Sequence[Any]):
    """The command for all that have joined by the time it is written."""

    def __init__(self, start: Sequence[Any], joints: list[Joint]) -> None:
        self._start = start
        self._joints = joints

    def __getitem__(self, place: Any) -> Any:
        return joined(self._start, self._joints)[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(joined(self._start, self._joints))

    def __len__(self) -> int:
        return len(joined(self._start, self._joints))
