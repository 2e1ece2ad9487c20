"""Does the effects of a core by awaiting them, within a deadline."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread.broker.connection import client
from queued_gspread.broker.connection.effects import (
    AwaitReply,
    Extend,
    LookAtMaster,
    Send,
    Sleep,
    Tell,
)

if TYPE_CHECKING:
    from queued_gspread.broker.connection.effects import Core, Effect

    from .bus import Bus

__all__ = ["Shell"]

T = TypeVar("T")

# Waits of calls begin at any moment, and end at one of so many in a slice.
_ENDS: Final = 4


class Shell:
    """Runs the cores of one call, one after the other.

    Args:
        bus: The connections of the loop.
        until: The moment until which Redis may be waited for.

    """

    def __init__(self, bus: Bus, until: float = math.inf) -> None:
        self._bus = bus
        self._until = until

    async def drive(self, core: Core[T]) -> T:
        """Run a core to its end; return its result, or raise its error.

        Only errors of Redis are thrown into it: a cancellation comes out here, and ends the core
        where it is.
        """
        try:
            effect = next(core)
            while True:
                try:
                    answer = await self._do(effect)
                except RedisError as error:
                    effect = core.throw(error)
                else:
                    effect = core.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _do(self, effect: Effect) -> Any:
        if isinstance(effect, Send):
            return await self._send(effect)
        if isinstance(effect, AwaitReply):
            return await self._await_reply(effect)
        if isinstance(effect, Tell):
            self._bus.commands.tell(effect.command)
        elif isinstance(effect, Sleep):
            await asyncio.sleep(effect.seconds)
        elif isinstance(effect, Extend):
            self._until = effect.end
        elif isinstance(effect, LookAtMaster):
            await self._bus.look()
        return None

    async def _send(self, send: Send) -> Any:
        if send.joint is not None:
            return await self._bus.jointly.answer(send, self._until)
        asked = self._bus.commands.ask(send.command)
        if isinstance(send.ahead, AwaitReply):
            self._bus.replies.expect(send.ahead.key)
        return await asked.answer(self._until)

    async def _await_reply(self, effect: AwaitReply) -> bytes | None:
        reply = self._bus.replies.expect(effect.key)
        await asyncio.wait({reply}, timeout=_in_step(effect.seconds, now()))
        return reply.result() if reply.done() else None


def _in_step(seconds: float, moment: float) -> float:
    """Return how long a wait lasts: long ones end together, as what comes next goes together."""
    if seconds < client.SLICE:
        return seconds
    step = client.SLICE / _ENDS
    return (moment + seconds) // step * step - moment
