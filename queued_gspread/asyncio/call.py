"""A call's way from a coroutine into the queue, and its reply's way back.

What goes into the queue and what a reply means is the blocking client's code. Where gspread's own
method has to run here (:mod:`queued_gspread.proxy.call` says when), it is blocking code: it runs in
a thread, and each of its requests is a job of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._clock import now
from queued_gspread.broker import note
from queued_gspread.broker.producer import AFTER_WITHDRAWAL
from queued_gspread.protocol import codec
from queued_gspread.protocol.messages import new_id
from queued_gspread.proxy.call import answered, make_call, outgoing, runs_here
from queued_gspread.proxy.locking import current, lent

from .shell import Shell

if TYPE_CHECKING:
    from queued_gspread.broker import QueuedJob
    from queued_gspread.protocol.kinds import ObjectKind
    from queued_gspread.proxy.locking import Held

    from .bus import Bus, Home

__all__ = ["make", "reply_to"]

# Seconds for the withdrawal of a call whose task is cancelled.
_LEAVING: Final = 5.0


async def make(
    home: Home,
    proxy: Any,
    kind: ObjectKind,
    method: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Make a call on a blocking object: through the queue if it can travel, else in a thread."""
    call = None if runs_here(proxy, kind, method) else outgoing(proxy, kind, method, args, kwargs)
    try:
        body = None if call is None else call.job.encode()
    except codec.Unencodable:
        body = None
    if call is None or body is None:
        return await asyncio.to_thread(_call_here, current(), proxy, kind, method, args, kwargs)
    began, queue = now(), call.caller.queue_now()
    bus, notice = home.bus(queue.settings), queue.notice()
    reply = await reply_to(bus, queue.prepared(new_id(), call.lane, body, notice))
    return answered(proxy, kind, call, reply, notice, now() - began)


def _call_here(held: Held | None, *call: Any) -> Any:
    """Make a call in a thread, under the locks of the task that waits for it."""
    with lent(held):
        return make_call(*call)


async def reply_to(bus: Bus, job: QueuedJob) -> bytes:
    """Put a job in and return its reply; withdraw it if its task is cancelled."""
    shell = Shell(bus, job.wait.limit)
    try:
        await shell.drive(job.core.enqueue(job.wait, job.message))
        return await shell.drive(job.reply())
    except AFTER_WITHDRAWAL:
        raise
    except BaseException as error:
        await _withdraw(bus, job, error)
        raise
    finally:
        bus.replies.forget(job.reply_key)


async def _withdraw(bus: Bus, job: QueuedJob, error: BaseException) -> None:
    """Withdraw a job out of reach of another cancellation; note the call's fate on the error."""
    if bus.loop.is_closed():
        return
    work = bus.loop.create_task(_fate(bus, job))
    _withdrawals.add(work)
    work.add_done_callback(_withdrawals.discard)
    if isinstance(error, GeneratorExit):
        return  # a coroutine that is closed can wait for nothing
    try:
        fate = await asyncio.shield(work)
    except BaseException as other:
        note(other, "going on")
        raise
    note(error, fate)


# A loop holds its tasks weakly.
_withdrawals: set[asyncio.Task[str]] = set()


async def _fate(bus: Bus, job: QueuedJob) -> str:
    shell = Shell(bus, min(now() + _LEAVING, job.wait.last_moment))
    try:
        return await shell.drive(job.withdraw())
    finally:
        await shell.drive(job.core.end(job.wait))
