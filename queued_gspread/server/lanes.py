"""The lanes: each runs its calls in order; all of them run side by side.

A thread takes the names of lanes that hold jobs from the queue. Every such lane becomes a task,
a generator that runs its jobs until none is left (:mod:`.lane`). So a lane has one request under
way at the most, and however long a lane is, it holds up none of the others. A worker thread drives
a task until it yields a ticket and has to wait; the valve then has a worker go on with it.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import STOP, Ready, StaleEpochError
from queued_gspread.errors import BrokerUnavailableError

from .calllog import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Permit, Servers

    from .lane import Task
    from .valve import Valve

__all__ = ["Lanes"]

# As many requests are in the air at the most; lanes that wait for a slot need no worker.
_MOST_WORKERS: Final = 512
_PAUSE: Final = 0.5


class Lanes:
    """Runs the calls of a namespace for as long as this server's epoch lasts.

    Args:
        queue: The servers' side of the queue.
        work: Returns the work of a lane that is ready, which asks what it is given whether no
            further call is to be begun.
        valve: Where requests wait.
        stopping: Set when no further call is to be begun.
        on_stop: Called when somebody asks this server to stop, through the queue.
        window: Seconds for which the slots of a server that is gone are held.

    """

    def __init__(
        self,
        queue: Servers,
        work: Callable[[Ready, Callable[[], bool]], Task],
        valve: Valve,
        stopping: threading.Event,
        on_stop: Callable[[], None],
        window: float = 0.0,
    ) -> None:
        self._queue = queue
        self._work = work
        self._valve = valve
        self._stopping = stopping
        self._on_stop = on_stop
        self._window = window
        # Lanes that a worker runs, and whether they have become ready again since.
        self._busy: dict[str, bool] = {}
        self._changed = threading.Condition()
        # Tasks that wait for a worker.
        self._backlog = 0
        self._lapsed = threading.Event()
        # Set at the start, and whenever the name of a lane that holds jobs may have been lost.
        self._must_recover = threading.Event()
        self._must_recover.set()
        self._workers = ThreadPoolExecutor(_MOST_WORKERS, thread_name_prefix="lane")

    def serve(self) -> None:
        """Hand lanes to workers until the server stops or its epoch ends."""
        self._valve.start()
        while not self._over:
            try:
                if self._must_recover.is_set():
                    self._must_recover.clear()
                    self._queue.recover(self._window)
                self._dispatch(self._queue.next_ready())
            except StaleEpochError:
                self.lapse()
            except BrokerUnavailableError:
                # The lease's thread tells of it.
                self._must_recover.set()
                self._stopping.wait(_PAUSE)

    def lapse(self) -> None:
        """Begin no further call, and send nothing more: this server's epoch has ended."""
        self._lapsed.set()
        self._valve.close(StaleEpochError())

    def finish(self, seconds: float) -> bool:
        """Wait for the requests in the air; return whether all of them were answered.

        Calls that need another one are left: their journal lets the next server go on.
        """
        self._valve.close()
        self._valve.join()
        # Those that are left have no more to do than to say so.
        is_idle = self._wait_until_idle(max(seconds, _PAUSE))
        self._workers.shutdown(wait=is_idle)
        return is_idle

    def join(self) -> None:
        """Wait until all requests in the air are answered."""
        self._wait_until_idle(None)
        self._workers.shutdown(wait=True)

    def _wait_until_idle(self, seconds: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, seconds)

    @property
    def _over(self) -> bool:
        return self._stopping.is_set() or self._lapsed.is_set()

    def _dispatch(self, ready: Ready | None) -> None:
        if ready is None:
            return
        if ready.lane == STOP:
            self._on_stop()
        elif self._claim(ready.lane):
            self._begin(ready)

    def _begin(self, ready: Ready) -> None:
        if self._must_recover.is_set():
            # The task that had the lane may have begun this very job, and failed.
            ready = Ready(ready.lane)
        self._submit(ready.lane, self._work(ready, lambda: self._over))

    def _claim(self, lane: str) -> bool:
        """Take a lane for a new task, or tell the one that has it to come back to it."""
        with self._changed:
            is_busy = lane in self._busy
            self._busy[lane] = is_busy
            return not is_busy

    def _release(self, lane: str) -> None:
        with self._changed:
            has_more = self._busy.pop(lane) and not self._over
            if has_more:
                self._busy[lane] = False
            self._changed.notify_all()
        if has_more:
            self._begin(Ready(lane))

    def _submit(self, lane: str, task: Task, given: Permit | Exception | None = None) -> None:
        """Have a worker go on with a task."""
        with self._changed:
            self._backlog += 1
        try:
            self._workers.submit(self._drive, lane, task, given)
        except RuntimeError as error:
            # There can be no further thread now; the task waits for one of those that are.
            LOGGER.warning("lane %r: comes later: %s", lane, error)

    def _drive(self, lane: str, task: Task, given: Permit | Exception | None) -> None:
        """Go on with a task until it waits or ends."""
        with self._changed:
            self._backlog -= 1
        try:
            self._go_on(lane, task, given)
        except StopIteration:
            self._release(lane)
        except StaleEpochError:
            self.lapse()
            self._release(lane)
        except BrokerUnavailableError as error:
            LOGGER.warning("lane %r: comes later: %s", lane, error)
            self._come_back_to(lane)
        except BaseException:  # noqa: BLE001 - the lane has to go on, whatever it is
            LOGGER.exception("lane %r: an error of this program, please report it", lane)
            self._come_back_to(lane)

    def _go_on(self, lane: str, task: Task, given: Permit | Exception | None) -> None:
        resume = partial(self._submit, lane, task)
        while True:
            ticket = task.throw(given) if isinstance(given, Exception) else task.send(given)
            if ticket is not None:
                given = self._valve.enter(ticket, resume)
                if given is None:
                    return
            elif self._backlog and not self._over:
                self._submit(lane, task)
                return
            else:
                given = None

    def _come_back_to(self, lane: str) -> None:
        self._must_recover.set()
        self._release(lane)
