"""The lanes: each runs its calls in order; all of them run concurrently.

One thread, the dispatcher, waits for the names of lanes that hold jobs. Each becomes a task, a
generator that runs its jobs until none is left (:mod:`.lane`). So a lane has at most one request in
the air, and however many jobs it has, it holds up no other. A worker of a pool drives a task until
it yields a ticket and must wait; when the wait is over, the task is submitted to the pool again.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import Ready, StaleEpochError, Stop, spreadsheet_lane
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server.failure import logged
from queued_gspread.server.log import LOGGER
from queued_gspread.server.main_thread import stop_after_main
from queued_gspread.server.pulse import Loops
from queued_gspread.server.timing import Timing

from .locks import end_lapsed
from .other_formats import OtherFormats
from .takeover import log_takeover

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Consumer, Permit
    from queued_gspread.broker.connection.majority import Host
    from queued_gspread.server.failure import Watch
    from queued_gspread.server.pacing.valve import Valve

    from .lane import Task

__all__ = ["Scheduler"]

# The most requests in the air at once; a lane that waits for a slot needs no worker.
_MOST_WORKERS: Final = 512


class Scheduler:
    """Runs the calls of a namespace for as long as this server's epoch lasts.

    Args:
        queue: The servers' side of the queue.
        work: Returns the task of a lane that is ready, as :func:`.lane.work_on` does. Its
            second argument returns whether no further call may begin.
        valve: Where requests wait.
        stopping: Set when no further call may begin.
        on_stop: Called when a request to stop comes through the queue.
        window: Seconds for which the slots of a server that is gone stay held.
        watched: Watches the dispatcher and the workers.
        timing: How long to pause.
        on_recovered: Called whenever the queue was taken over, before any lane is.
        loops: Is told of each turn of the dispatcher.

    """

    def __init__(
        self,
        queue: Consumer,
        work: Callable[[Ready, Callable[[], bool]], Task],
        valve: Valve,
        stopping: threading.Event,
        on_stop: Callable[[], None],
        window: float = 0.0,
        watched: Watch = logged,
        timing: Timing | None = None,
        on_recovered: Callable[[Consumer], None] = lambda _: None,
        loops: Loops | None = None,
    ) -> None:
        self._queue = queue
        self._on_recovered = on_recovered
        self._loops = loops or Loops()
        self._pause = (timing or Timing()).scheduler_pause
        self._other_formats = OtherFormats(queue, window)
        self._work = work
        self._valve = valve
        self._stopping = stopping
        self._on_stop = on_stop
        self._window = window
        # Lanes that have a task, and whether they have become ready again since it began.
        self._busy: dict[str, bool] = {}
        self._changed = threading.Condition()
        # How many tasks wait for a worker.
        self._backlog = 0
        # Set once the dispatcher has ended.
        self._ended = threading.Event()
        self._lapsed = threading.Event()
        self._retired = threading.Event()
        # Set at the start, and whenever the name of a lane that holds jobs may be lost.
        self._must_recover = threading.Event()
        self._must_recover.set()
        self._recovered_at: Host | None = None
        self._has_begun = False
        self._workers = ThreadPoolExecutor(_MOST_WORKERS, thread_name_prefix="lane")
        self._begin = watched(self._begin_drive)
        self._dispatch_watched = watched(self._dispatch)
        self._dispatcher = threading.Thread(target=self._dispatch_to_the_end, name="dispatcher")

    def serve(self) -> None:
        """Run lanes until the server stops or its epoch ends.

        Raises:
            RuntimeError: No further thread can be started.

        """
        try:
            self._valve.start()
            self._start_threads()
            self._other_formats.look()
            # When all is over, the dispatcher may still be in a blocking read: do not wait for it.
            while not (self._ended.wait(self._pause) or self._is_over()):
                stop_after_main(self._on_stop)
                self._other_formats.look()
                end_lapsed(self._queue)
        except BaseException as error:
            self.lapse()
            if not (isinstance(error, RuntimeError) and stop_after_main(self._on_stop)):
                raise

    def _start_threads(self) -> None:
        # If no more threads can be started, tasks wait for a worker: there must be at least one.
        self._workers.submit(lambda: None)
        self._dispatcher.start()

    def lapse(self) -> None:
        """Begin no further call, and send nothing more: this server's epoch has ended."""
        self._lapsed.set()
        self._valve.close(StaleEpochError())

    def retire(self) -> None:
        """Begin no further call, as at a stop: another server goes on."""
        self._retired.set()

    @property
    def has_retired(self) -> bool:
        """Whether another server goes on."""
        return self._retired.is_set()

    def _dispatch_to_the_end(self) -> None:
        self._dispatch_watched()
        self._loops.end(self)
        self._ended.set()

    def _dispatch(self) -> None:
        """Submit the task of every lane that is ready to the pool, until all is over."""
        while not self._is_over():
            self._loops.turn(self)
            claimed = self._next_claimed()
            if claimed is not None:
                self._submit(*claimed)

    def _next_claimed(self) -> tuple[str, Task] | None:
        """Wait for a lane and claim it; return it with its task, if there is one to begin."""
        try:
            # A new master's queue may hold lanes that were done on the old one.
            place = self._queue.place
            if self._must_recover.is_set() or place != self._recovered_at:
                self._must_recover.clear()
                backlog = self._queue.recover(self._window)
                self._on_recovered(self._queue)
                self._recovered_at = place
                if not self._has_begun:
                    self._has_begun = True
                    log_takeover(self._queue.predecessor, backlog)
            return self._claimed(self._queue.next_ready())
        except StaleEpochError:
            self.lapse()
        except BrokerUnavailableError:
            # The lease's thread logs it.
            self._must_recover.set()
            self._stopping.wait(self._pause)
        return None

    def finish(self, seconds: float) -> bool:
        """Wait for the requests in the air; return whether all of them were answered.

        Calls that need another one are left: their journal lets the next server go on.
        """
        self._valve.close()
        self._valve.join()
        self._leave_all()
        # Tasks that waited must have time to end, even if requests in the air get none.
        is_idle = self._wait_until_idle(max(seconds, self._pause))
        self._end_threads(wait=is_idle)
        return is_idle

    def join(self, seconds: float | None = None) -> None:
        """Wait until all requests in the air are answered, or the seconds have passed."""
        self._end_threads(wait=self._wait_until_idle(seconds))

    def _leave_all(self) -> None:
        """Hand jobs to the next server, so that it does not count this server as one that died."""
        if not self._queue.requeue():
            LOGGER.warning("Redis is away: calls under way may count this server as one that died")

    def _end_threads(self, *, wait: bool) -> None:
        self._workers.shutdown(wait=wait)
        if wait and self._dispatcher.is_alive():
            self._dispatcher.join()

    def _wait_until_idle(self, seconds: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, seconds)

    def _is_over(self) -> bool:
        return self._stopping.is_set() or self._lapsed.is_set() or self._retired.is_set()

    def _claimed(self, ready: Ready | Stop | None) -> tuple[str, Task] | None:
        if ready is None:
            return None
        if isinstance(ready, Stop):
            if ready.by:
                fields = {"event": "action", "by": ready.by, "action": "stop", "why": ""}
                LOGGER.info("%s asks: stop this server", ready.by, extra={"fields": fields})
            self._on_stop()
            return None
        is_free = not self._is_over() and self._claim(ready.lane)
        return (ready.lane, self._task(ready)) if is_free else None

    def _task(self, ready: Ready) -> Task:
        if self._must_recover.is_set():
            # The lane's last task may have failed after it began this very job: look again.
            ready = Ready(ready.lane)
        return self._work(ready, self._is_over)

    def _claim(self, lane: str) -> bool:
        """Take a lane for a new task, or have its current task look at it again."""
        with self._changed:
            is_busy = lane in self._busy
            self._busy[lane] = is_busy
            return not is_busy

    def _release(self, lane: str) -> Task | None:
        """Give a lane back; or return its next task, if it has become ready again."""
        with self._changed:
            if self._busy.pop(lane) and not self._is_over():
                self._busy[lane] = False
                # The job that made it ready may have run by now: ask the queue for the head.
                return self._work(Ready(lane), self._is_over)
            self._changed.notify_all()
            return None

    def _submit(self, lane: str, task: Task, given: Permit | Exception | None = None) -> None:
        """Let a worker continue a task."""
        with self._changed:
            self._backlog += 1
        try:
            self._workers.submit(self._begin, lane, task, given)
        except RuntimeError as error:
            if "new thread" in str(error):
                # No more threads can be started now; the task waits for another worker.
                LOGGER.warning("a task of the server comes later: %s", error)
            else:
                self._leave(lane, task)

    def _leave(self, lane: str, task: Task) -> None:
        """Leave a lane to the next server: the pool is closed."""
        with self._changed:
            self._backlog -= 1
        self._on_stop()
        task.close()
        self._release(lane)

    def _begin_drive(self, lane: str, task: Task, given: Permit | Exception | None) -> None:
        with self._changed:
            self._backlog -= 1
        self._drive(lane, task, given)

    def _drive(self, lane: str, task: Task, given: Permit | Exception | None = None) -> None:
        """Continue a task, then the ones that follow on its lane, until one waits."""
        following = self._run_task(lane, task, given)
        while following is not None:
            if self._backlog:
                self._submit(lane, following)
                return
            following = self._run_task(lane, following, None)

    def _run_task(self, lane: str, task: Task, given: Permit | Exception | None) -> Task | None:
        """Continue a task until it waits or ends; if it ends, return its lane's next task."""
        try:
            self._continue(lane, task, given)
        except StopIteration:
            return self._release(lane)
        except StaleEpochError:
            self.lapse()
            return self._release(lane)
        except BrokerUnavailableError as error:
            LOGGER.warning("lane %r: comes later: %s", lane, error)
            return self._come_back_to(lane)
        except BaseException:  # noqa: BLE001 - the lane must go on, whatever has failed
            LOGGER.exception("lane %r: an error of this program, please report it", lane)
            self._stopping.wait(self._pause)
            return self._come_back_to(lane)
        return None

    def _continue(self, lane: str, task: Task, given: Permit | Exception | None) -> None:
        resume = partial(self._submit, lane, task)
        while True:
            ticket = task.throw(given) if isinstance(given, Exception) else task.send(given)
            if ticket is not None:
                ticket.lane = spreadsheet_lane(lane)
                given = self._valve.enter(ticket, resume)
                if given is None:
                    return
            elif self._backlog and not self._is_over():
                self._submit(lane, task)
                return
            else:
                given = None

    def _come_back_to(self, lane: str) -> Task | None:
        self._must_recover.set()
        return self._release(lane)
