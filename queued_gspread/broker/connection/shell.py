"""Does the effects of a core by blocking this thread, within its deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread._interrupts import own

from .deadline import extend, until
from .effects import AwaitReply, Extend, Send, Sleep, Tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .effects import Command, Core, Effect
    from .master import Master
    from .wire import Pending, Wire

__all__ = ["Shell", "bodies_of", "tell_all"]

T = TypeVar("T")


class Shell:
    """Runs cores one after the other, blocking; what one has sent ahead is dropped at the end.

    Args:
        wire: The connections.
        master: Where they have to lead.
        sends_ahead: Whether it sends what comes next along with a command.

    """

    def __init__(self, wire: Wire, master: Master, *, sends_ahead: bool = True) -> None:
        self._wire = wire
        self._master = master
        self._sends_ahead = sends_ahead
        # What was sent ahead, and its answer.
        self._ahead: Send | AwaitReply | None = None
        self._pending: Pending | None = None

    def drop(self) -> None:
        """Give up the answer to what was sent ahead, if there is one."""
        pending, self._ahead, self._pending = self._pending, None, None
        if pending is not None:
            pending.drop()

    def drive(self, core: Core[T]) -> T:
        """Run a core to its end; return its result, or raise its error.

        Only errors of Redis are thrown into it: what a signal handler raises comes out here, and
        ends the core where it is.
        """
        try:
            effect = next(core)
            while True:
                try:
                    answer = self._do(effect)
                except own(RedisError) as error:
                    effect = core.throw(error)
                else:
                    effect = core.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    def _do(self, effect: Effect) -> Any:
        if isinstance(effect, Send):
            return self._send(effect)
        if isinstance(effect, AwaitReply):
            return body_of(self._answer(effect))
        if isinstance(effect, Tell):
            tell_all(self._wire, [effect.command], effect.seconds)
        elif isinstance(effect, Sleep):
            time.sleep(effect.seconds)
        elif isinstance(effect, Extend):
            extend(effect.end)
        else:
            self._master.look()
        return None

    def _send(self, send: Send) -> Any:
        if send.ahead is None or not self._sends_ahead:
            return self._answer(send)
        self.drop()
        answer, self._pending = self._wire.ask_and_go_on(send.command, send.ahead.command)
        self._ahead = send.ahead
        return answer

    def _answer(self, effect: Send | AwaitReply) -> Any:
        ahead, pending = self._ahead, self._pending
        if effect is not ahead or pending is None:
            return self._wire.ask(effect.command)
        self._ahead = self._pending = None
        return pending.read()


def tell_all(wire: Wire, commands: Sequence[Command], seconds: float) -> None:
    """Send commands whose answers do not matter."""
    try:
        with until(now() + seconds):
            wire.tell(*commands)
    except own(RedisError):
        pass


def body_of(streams: Any) -> bytes | None:
    """Return the body of the one reply in the result of XREAD."""
    for _, body in bodies_of(streams):
        return body
    return None


def bodies_of(streams: Any) -> Iterator[tuple[str, bytes]]:
    """Yield the key and the body of each reply in the result of XREAD."""
    for key, ((_, fields),) in streams or ():
        values = dict(zip(fields[::2], fields[1::2], strict=True))
        yield key.decode(errors="surrogateescape"), values.get(b"body", b"")
