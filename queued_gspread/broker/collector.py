"""Waits for the replies of many calls at a time, in a thread of its own.

The thread also does what a caller that waits would: it looks whether a server is alive and the jobs
are known, renews signed jobs, and gives up at a call's timeout. So nothing of that depends on what
the callers' own thread is busy with, and no signal handler runs in the middle of it.
"""

from __future__ import annotations

import _thread
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from queued_gspread.broker.connection.joint_shell import JointShell, Run

from .withdrawal import UNDONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker.connection.client import Connection

    from .producer import QueuedJob
    from .waiting.reason import Sight

__all__ = ["Collector", "Latch"]

# The longest read, in seconds. A job that is put in meanwhile is looked at after it.
_SLICE: Final = 0.05
_IDLE: Final = 0.2


_collecting = threading.local()


class Latch:
    """What a thread waits for until another one opens it, once or again and again.

    It consists of the interpreter's own lock, as an interrupt might leave one of Python code locked
    (:mod:`.connection.detached`).
    """

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def open(self) -> None:
        """Let one waiting thread go on, or the next one that comes."""
        try:
            self._lock.release()
        except RuntimeError:
            return  # it is open

    def wait(self, seconds: float) -> bool:
        """Wait until it is open, and close it; return False after so many seconds."""
        return self._lock.acquire(timeout=seconds)


class Collector:
    """Collects the replies of jobs at one Redis; any thread may give it more.

    Its thread ends once it is closed and has nothing left.

    Args:
        connection: The connection to that Redis.
        each_round: Called in its thread again and again.

    """

    def __init__(
        self, connection: Connection, each_round: Callable[[Collector], None] | None = None
    ) -> None:
        self.connection = connection
        self._each_round = each_round
        self._shell = JointShell(connection.wire, connection.master)
        self._orders: deque[Callable[[], None]] = deque()
        self._wake = Latch()
        self._runs: dict[QueuedJob, Run[bytes]] = {}
        self._is_closed = False
        _thread.start_new_thread(self._work, ())

    def collect(
        self, job: QueuedJob, ended: Callable[[bytes | None, Exception | None], None]
    ) -> None:
        """Wait for a job's reply; then call a function with it, or with an error."""

        def end(reply: bytes | None, error: Exception | None) -> None:
            self._runs.pop(job, None)
            job.is_over = True
            ended(reply, error)

        run = Run(job.reply(), job.wait.limit, end)
        self._runs[job] = run
        self._order(lambda: self._shell.start(run))

    def withdraw(
        self, job: QueuedJob, told: Callable[[str], None], *, gently: bool = False
    ) -> None:
        """Withdraw a job; then call a function with its fate, ``answered`` if it had its reply.

        Unless *gently*, or if it was withdrawn, its reply is not waited for any more.
        """
        self._order(lambda: self._withdraw(job, told, gently=gently))

    def leave(self, error: Callable[[], Exception]) -> None:
        """Wait for no reply any more, and end the thread; the jobs stay in the queue.

        Args:
            error: Returns the error that each of them ends with here.

        """

        def stop() -> None:
            self._shell.stop_all()
            for run in list(self._runs.values()):
                run.ended(None, error())

        self._order(stop)
        self.close()

    def look(self, job: QueuedJob, told: Callable[[Sight], None]) -> None:
        """Look why a job waits; if that is known, call a function with what its caller sees."""

        def end(sight: Sight | None, _: Exception | None) -> None:
            if sight is not None:
                told(sight)

        run = Run(job.core.sight(job.wait), job.wait.limit, end)
        self._order(lambda: self._shell.start(run))

    def close(self) -> None:
        """End the thread once nothing is left to wait for."""
        self._is_closed = True
        self._wake.open()

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._wake.open()

    def _withdraw(self, job: QueuedJob, told: Callable[[str], None], *, gently: bool) -> None:
        if job.is_over:
            told("answered")
            return
        if not gently:
            self._stop(job)

        def end(fate: str | None, _: Exception | None) -> None:
            if fate in UNDONE:
                self._stop(job)
            told(fate or "unknown")

        self._shell.start(Run(job.withdraw(gently=gently), job.wait.last_moment, end))

    def _stop(self, job: QueuedJob) -> None:
        run = self._runs.pop(job, None)
        job.is_over = True
        if run is not None:
            self._shell.stop(run)

    def _work(self) -> None:
        _collecting.is_here = True
        try:
            while self._orders or len(self._shell) or not self._is_closed:
                self._do_orders()
                if self._each_round is not None:
                    self._each_round(self)
                if len(self._shell):
                    self._shell.round(_SLICE)
                else:
                    self._wake.wait(_IDLE)
            self._shell.tell_all()
        except BaseException as error:
            self._fail(error)
            raise

    def _do_orders(self) -> None:
        while self._orders:
            self._orders.popleft()()

    def _fail(self, error: BaseException) -> None:
        """End all that is waited for with an error of this program's own."""
        self._shell.stop_all()
        for run in list(self._runs.values()):
            run.ended(None, RuntimeError(f"the thread that waits for replies has ended: {error!r}"))

    @staticmethod
    def is_here() -> bool:
        """Return whether a collector's thread runs this: there, no reply may be waited for."""
        return getattr(_collecting, "is_here", False)
