"""A call's way from a coroutine into the queue, and its reply's way back.

What goes into the queue and what a reply means is the blocking client's code. Where gspread's own
method has to run here (:mod:`queued_gspread.proxy.call` says when), it is blocking code: it runs in
a thread, and each of its requests is a job of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._clock import now
from queued_gspread._tracing import UNTRACED
from queued_gspread.broker.producer import AFTER_WITHDRAWAL
from queued_gspread.protocol import codec
from queued_gspread.proxy import locking
from queued_gspread.proxy.call import answered, make_call, outgoing, runs_here
from queued_gspread.proxy.result_kinds import ADDS, changes_properties, lazy_class

from .leaving import withdraw
from .pipelining import current
from .shell import Shell

if TYPE_CHECKING:
    from queued_gspread.broker import QueuedJob
    from queued_gspread.protocol.kinds import ObjectKind
    from queued_gspread.proxy.locking import Held

    from .bus import Bus, Home

__all__ = ["make", "reply_to"]

# The classes of results that nobody misses where they are not waited for.
_FORGETTABLE: Final = (dict, type(None))


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
    pipeline = current() if _is_forgettable(kind, method) else None
    try:
        body = None if call is None else call.encoded(is_left=pipeline is not None)
    except codec.Unencodable:
        body = None
    if call is None or body is None:
        return await asyncio.to_thread(
            _call_here, locking.current(), proxy, kind, method, args, kwargs
        )
    began, queue = now(), call.caller.queue_now()
    bus, notice = home.bus(queue.settings), queue.notice()
    is_left = pipeline is not None
    job = queue.prepared(call.job_id, call.lane, body, notice, is_unattended=is_left)
    with call.span or UNTRACED:
        if pipeline is not None:
            await pipeline.put_in(bus, job)
            return None
        reply = await reply_to(bus, job)
        return answered(proxy, kind, call, reply, notice, now() - began)


def _is_forgettable(kind: ObjectKind, method: str) -> bool:
    """Return whether nobody misses a call's result, nor what it changes of its object."""
    is_known_at_once = changes_properties(kind, method) and method not in ADDS
    return lazy_class(kind, method) in _FORGETTABLE and not is_known_at_once


def _call_here(held: Held | None, *call: Any) -> Any:
    """Make a call in a thread, under the locks of the task that waits for it."""
    with locking.lent(held):
        return make_call(*call)


async def reply_to(bus: Bus, job: QueuedJob) -> bytes:
    """Put a job in and return its reply; withdraw it if its task is cancelled."""
    shell = Shell(bus, job.wait.limit)
    try:
        await shell.drive(job.enqueue())
        return await shell.drive(job.reply())
    except AFTER_WITHDRAWAL:
        raise
    except BaseException as error:
        await withdraw(bus, job, error)
        raise
    finally:
        bus.replies.forget(job.reply_key)
