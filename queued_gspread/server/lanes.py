"""The lanes: each runs its calls in order; all of them run side by side.

One worker thread, the leader, waits for the names of lanes that hold jobs. Each of them becomes a
task, a generator that runs its jobs until none is left (:mod:`.lane`). So a lane has one request
under way at the most, and however long a lane is, it holds up none of the others. A worker drives
a task until it yields a ticket and has to wait; the valve then has a worker go on with it.

To hand a lane to another thread takes longer than to begin a small job. So the leader drives the
lane of one itself, and has another worker lead before the request is sent, which may take long.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

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


@dataclass
class _Lead:
    """Whether a thread leads."""

    is_held: bool = True


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
        # Tasks that wait for a worker, and workers that have one.
        self._backlog = 0
        self._driven = 0
        # Set once nobody leads any more.
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._lapsed = threading.Event()
        # Set at the start, and whenever the name of a lane that holds jobs may have been lost.
        self._must_recover = threading.Event()
        self._must_recover.set()
        # One more, for the leader.
        self._workers = ThreadPoolExecutor(_MOST_WORKERS + 1, thread_name_prefix="lane")

    def serve(self) -> None:
        """Run lanes until the server stops or its epoch ends."""
        self._valve.start()
        if not self._have_worker(self._lead):
            self._lead()
        # Where all workers wait for Google, nobody may lead.
        while not (self._ended.wait(_PAUSE) or self._over):
            pass
        if self._failure is not None:
            raise self._failure

    def lapse(self) -> None:
        """Begin no further call, and send nothing more: this server's epoch has ended."""
        self._lapsed.set()
        self._valve.close(StaleEpochError())

    def _lead(self) -> None:
        """Begin the lanes that become ready, until another thread leads or all is over."""
        lead = _Lead()
        try:
            while lead.is_held and not self._over:
                self._begin_next(lead)
        except BaseException as error:  # noqa: BLE001 - it is raised where the server runs
            self._failure = error
            self.lapse()
        if lead.is_held or self._failure is not None:
            self._ended.set()

    def _begin_next(self, lead: _Lead) -> None:
        """Wait for a lane and begin it; the thread may not lead any more then."""
        try:
            if self._must_recover.is_set():
                self._must_recover.clear()
                self._queue.recover(self._window)
            self._dispatch(self._queue.next_ready(), lead)
        except StaleEpochError:
            self.lapse()
        except BrokerUnavailableError:
            # The lease's thread tells of it.
            self._must_recover.set()
            self._stopping.wait(_PAUSE)

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

    def _dispatch(self, ready: Ready | None, lead: _Lead) -> None:
        if ready is None:
            return
        if ready.lane == STOP:
            self._on_stop()
        elif not self._over and self._claim(ready.lane):
            task = self._task(ready)
            if ready.first is None or self._driven >= _MOST_WORKERS:
                self._submit(ready.lane, task)
            else:
                self._drive(ready.lane, task, None, lead)

    def _task(self, ready: Ready) -> Task:
        if self._must_recover.is_set():
            # The task that had the lane may have begun this very job, and failed.
            ready = Ready(ready.lane)
        return self._work(ready, lambda: self._over)

    def _claim(self, lane: str) -> bool:
        """Take a lane for a new task, or tell the one that has it to come back to it."""
        with self._changed:
            is_busy = lane in self._busy
            self._busy[lane] = is_busy
            return not is_busy

    def _release(self, lane: str) -> Task | None:
        """Give a lane back; or return its next task, where it has become ready again."""
        with self._changed:
            if self._busy.pop(lane) and not self._over:
                self._busy[lane] = False
                # The job that came may have been run meanwhile: the lane is asked for its head.
                return self._work(Ready(lane), lambda: self._over)
            self._changed.notify_all()
            return None

    def _submit(self, lane: str, task: Task, given: Permit | Exception | None = None) -> None:
        """Have a worker go on with a task."""
        with self._changed:
            self._backlog += 1
        self._have_worker(self._begin_drive, lane, task, given)

    def _have_worker(self, work: Callable[..., None], *args: Any) -> bool:
        try:
            self._workers.submit(work, *args)
        except RuntimeError as error:
            # There can be no further thread now; it waits for one of those that are.
            LOGGER.warning("a task of the server comes later: %s", error)
            return False
        return True

    def _begin_drive(self, lane: str, task: Task, given: Permit | Exception | None) -> None:
        with self._changed:
            self._backlog -= 1
        self._drive(lane, task, given, _Lead(is_held=False))

    def _drive(self, lane: str, task: Task, given: Permit | Exception | None, lead: _Lead) -> None:
        """Go on with a task, and with those of its lane that follow, until one waits."""
        with self._changed:
            self._driven += 1
        try:
            following = self._followed(lane, task, given, lead)
            while following is not None:
                if self._backlog or lead.is_held:
                    self._submit(lane, following)
                    return
                following = self._followed(lane, following, None, lead)
        finally:
            with self._changed:
                self._driven -= 1

    def _followed(
        self, lane: str, task: Task, given: Permit | Exception | None, lead: _Lead
    ) -> Task | None:
        """Go on with a task until it waits or ends; return what its lane has next, if it ended."""
        try:
            self._go_on(lane, task, given, lead)
        except StopIteration:
            return self._release(lane)
        except StaleEpochError:
            self.lapse()
            return self._release(lane)
        except BrokerUnavailableError as error:
            LOGGER.warning("lane %r: comes later: %s", lane, error)
            return self._come_back_to(lane)
        except BaseException:  # noqa: BLE001 - the lane has to go on, whatever it is
            LOGGER.exception("lane %r: an error of this program, please report it", lane)
            return self._come_back_to(lane)
        return None

    def _go_on(self, lane: str, task: Task, given: Permit | Exception | None, lead: _Lead) -> None:
        resume = partial(self._submit, lane, task)
        while True:
            if given is not None and lead.is_held:
                lead.is_held = False
                self._have_worker(self._lead)
            ticket = task.throw(given) if isinstance(given, Exception) else task.send(given)
            if ticket is not None:
                given = self._valve.enter(ticket, resume)
                if given is None:
                    return
            elif (self._backlog or lead.is_held) and not self._over:
                self._submit(lane, task)
                return
            else:
                given = None

    def _come_back_to(self, lane: str) -> Task | None:
        self._must_recover.set()
        return self._release(lane)
