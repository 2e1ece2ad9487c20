"""The call that gspread runs in this thread: its job, and the warnings that it has raised.

Some of gspread's functions are wrapped for the server (:mod:`.rectangles`,
``server.replay.captured_warnings``). In threads that run no server's call the wrappers do nothing.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.protocol.messages import Job

__all__ = ["RunningCall", "running", "running_call"]

_local = threading.local()


class RunningCall(NamedTuple):
    """A call that gspread runs.

    Attributes:
        job: Its job.
        warnings: The warnings that it has raised, as ``[category, text]``.

    """

    job: Job
    warnings: list[list[str]]


@contextmanager
def running(job: Job) -> Iterator[RunningCall]:
    """Make a job's call the one that this thread runs."""
    outer = running_call()
    _local.call = call = RunningCall(job, [])
    try:
        yield call
    finally:
        _local.call = outer


def running_call() -> RunningCall | None:
    """Return the call that this thread runs; None if it runs none."""
    return getattr(_local, "call", None)
