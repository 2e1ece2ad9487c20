"""A block whose writes are put into the queue and left there: ``pipeline(wait=False)``.

As in a blocking pipeline (:mod:`queued_gspread.proxy.unwaited`), the enqueue is the promise, and
replies are looked for as long as the block lasts, so that no more calls are under way than may be.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from queued_gspread.broker.producer import AFTER_WITHDRAWAL
from queued_gspread.errors import (
    BrokerUnavailableError,
    QueueFullError,
    ServerUnavailableError,
)

from .leaving import withdraw
from .shell import Shell

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from typing_extensions import Self

    from queued_gspread.broker import QueuedJob

    from .bus import Bus

__all__ = ["UnwaitedCalls", "current", "pipeline"]

_MOST_BYTES: Final = 64 * 1024**2

_current: ContextVar[UnwaitedCalls | None] = ContextVar(
    "queued_gspread.asyncio.pipeline", default=None
)


def pipeline(*, wait: bool = True, limit: int = 1000) -> UnwaitedCalls:
    """Return a block whose writes are put into the queue and not waited for.

    In the block, ``await`` of a write returns None once the call is in the queue, where nothing
    that happens to this process ends it. All other calls are awaited as ever.

    Args:
        wait: Must be False: to await calls together is what ``asyncio.gather()`` is for.
        limit: How many calls may be under way; the next one waits for an earlier one.

    """
    if wait:
        raise ValueError(
            "there is no pipeline that waits in asyncio: await calls together by asyncio.gather(); "
            "pipeline(wait=False) is for calls that nobody waits for"
        )
    if limit < 1:
        raise ValueError(f"pipeline(limit={limit!r}): at least one call must be under way")
    return UnwaitedCalls(limit)


def current() -> UnwaitedCalls | None:
    """Return the block that a call made here and now belongs to."""
    block = _current.get()
    return block if block is not None and block.is_here() else None


class UnwaitedCalls:
    """The calls of one block; also of the tasks that are started in it.

    Args:
        limit: How many calls may be under way.

    """

    def __init__(self, limit: int) -> None:
        self.is_open = False
        self._limit = limit
        self._loop: asyncio.AbstractEventLoop | None = None
        self._token: Token[UnwaitedCalls | None] | None = None
        self._count = self._bytes = 0
        # Calls that are about to be put in, and those of them that wait for room.
        self._coming: set[asyncio.Future[None]] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._watches: set[asyncio.Task[None]] = set()

    def is_here(self) -> bool:
        """Whether it is open, and the running loop's: a context may be copied to another one."""
        try:
            return self.is_open and self._loop is asyncio.get_running_loop()
        except RuntimeError:
            return False  # no loop: the client's own error says so

    async def __aenter__(self) -> Self:
        if self._token is not None:
            raise RuntimeError("a pipeline can be used once: begin another one by pipeline()")
        self.is_open = True
        self._loop = asyncio.get_running_loop()
        self._token = _current.set(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the block once all that its tasks have begun to put in is in the queue."""
        try:
            await asyncio.sleep(0)  # tasks that were just started begin
            while self._coming:
                await asyncio.wait(self._coming)
        finally:
            self.is_open = False
            if self._token is not None:
                with suppress(ValueError):  # a generator that is ended in another context
                    _current.reset(self._token)
            for watch in self._watches:
                watch.cancel()

    async def put_in(self, bus: Bus, job: QueuedJob) -> None:
        """Put a job in, once there is room for it; return when it is in the queue."""
        coming: asyncio.Future[None] = bus.loop.create_future()
        self._coming.add(coming)
        try:
            size = len(job.body)
            while self._count and (self._count >= self._limit or self._bytes + size > _MOST_BYTES):
                await self._wait_for_room(bus)
            await self._enqueue(bus, job)
        finally:
            self._coming.discard(coming)
            coming.set_result(None)

    async def _enqueue(self, bus: Bus, job: QueuedJob) -> None:
        self._take(len(job.body))
        try:
            while True:
                try:
                    await _put_in(bus, job)
                    break
                except QueueFullError:
                    if not self._watches:
                        raise
                    await self._wait_for_room(bus)
        except BaseException:
            self._give_back(len(job.body))
            raise
        watch = bus.loop.create_task(self._watch(bus, job))
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)
        self._wake()  # there may be room for a smaller one

    async def _watch(self, bus: Bus, job: QueuedJob) -> None:
        """Look for a job's reply, so as to know when there is room for another one."""
        gone: Exception | None = None
        try:
            await Shell(bus).drive(job.reply())
        except (BrokerUnavailableError, ServerUnavailableError) as error:
            gone = error
        except Exception:  # noqa: BLE001 - nobody waits for it; the server keeps what failed
            gone = None
        finally:
            bus.replies.forget(job.reply_key)
            self._give_back(len(job.body), gone)

    def _take(self, size: int) -> None:
        self._count += 1
        self._bytes += size

    def _give_back(self, size: int, gone: Exception | None = None) -> None:
        self._count -= 1
        self._bytes -= size
        self._wake(gone)

    async def _wait_for_room(self, bus: Bus) -> None:
        """Wait until a call has ended; raise the error if no server is there to make it."""
        room: asyncio.Future[None] = bus.loop.create_future()
        self._waiting.append(room)
        try:
            await room
        except asyncio.CancelledError:
            self._wake()  # for the next one
            raise

    def _wake(self, gone: Exception | None = None) -> None:
        """Let the next call look whether there is room for it; or fail all, as none will come."""
        while self._waiting:
            room = self._waiting.popleft()
            if room.done():
                continue
            if gone is None:
                room.set_result(None)
                return
            room.set_exception(gone)


async def _put_in(bus: Bus, job: QueuedJob) -> None:
    try:
        await Shell(bus, job.wait.limit).drive(job.enqueue())
    except AFTER_WITHDRAWAL:
        raise
    except BaseException as error:
        await withdraw(bus, job, error)
        raise
