"""The lanes: each runs its calls one at a time, in order; all of them run side by side.

A thread takes the names of lanes that hold jobs from the queue. Every such lane gets a worker
thread, which runs its jobs until none is left. So a lane has one call under way at the most,
and however long a lane is, it holds up none of the others.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import STOP, StaleEpochError
from queued_gspread.errors import BrokerUnavailableError

from .calllog import LOGGER, logged

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Entry, Servers

    from .run import Outcome

__all__ = ["Lanes"]

# Far more lanes than Google's quota has requests; a worker that waits costs little.
_MOST_WORKERS: Final = 512
_PAUSE: Final = 0.5


class Lanes:
    """Runs the calls of a namespace for as long as this server's epoch lasts.

    Args:
        queue: The servers' side of the queue.
        run: Runs one job's call.
        stopping: Set when no further call is to be begun.
        on_stop: Called when somebody asks this server to stop, through the queue.

    """

    def __init__(
        self,
        queue: Servers,
        run: Callable[[Entry], Outcome],
        stopping: threading.Event,
        on_stop: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._run = run
        self._stopping = stopping
        self._on_stop = on_stop
        # Lanes that a worker runs, and whether they have become ready again since.
        self._busy: dict[str, bool] = {}
        self._lock = threading.Lock()
        self._lapsed = threading.Event()
        # Set at the start, and whenever the name of a lane that holds jobs may have been lost.
        self._must_recover = threading.Event()
        self._must_recover.set()
        self._workers = ThreadPoolExecutor(_MOST_WORKERS, thread_name_prefix="lane")

    def serve(self) -> None:
        """Hand lanes to workers until the server stops or its epoch ends."""
        while not self._over:
            try:
                if self._must_recover.is_set():
                    self._must_recover.clear()
                    self._queue.recover()
                self._dispatch(self._queue.next_ready())
            except StaleEpochError:
                self.lapse()
            except BrokerUnavailableError:
                # The lease's thread tells of it.
                self._must_recover.set()
                self._stopping.wait(_PAUSE)

    def lapse(self) -> None:
        """Begin no further call: this server's epoch has ended."""
        self._lapsed.set()

    def finish(self, seconds: float) -> bool:
        """Wait for the calls under way; return whether all of them ended."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            is_idle = not self._busy
        if is_idle:
            self.join()
            return True
        ended = threading.Thread(target=self.join, daemon=True)
        ended.start()
        ended.join(seconds)
        return not ended.is_alive()

    def join(self) -> None:
        """Wait until all workers have ended."""
        self._workers.shutdown(wait=True)

    @property
    def _over(self) -> bool:
        return self._stopping.is_set() or self._lapsed.is_set()

    def _dispatch(self, name: str | None) -> None:
        if name == STOP:
            self._on_stop()
        elif name is not None and self._claim(name):
            self._begin(name)

    def _begin(self, lane: str) -> None:
        try:
            self._workers.submit(self._work, lane)
        except RuntimeError as error:
            # There can be no further thread now, or the workers are being ended.
            LOGGER.warning("lane %s: comes later: %s", lane, error)
            self._busy.pop(lane, None)
            self._must_recover.set()

    def _claim(self, lane: str) -> bool:
        """Take a lane for a new worker, or tell the one that has it to come back to it."""
        with self._lock:
            is_busy = lane in self._busy
            self._busy[lane] = is_busy
            return not is_busy

    def _release(self, lane: str) -> None:
        with self._lock:
            if self._busy.pop(lane) and not self._over:
                self._busy[lane] = False
                self._begin(lane)

    def _work(self, lane: str) -> None:
        try:
            self._run_lane(lane)
        except StaleEpochError:
            self.lapse()
        except BrokerUnavailableError as error:
            LOGGER.warning("lane %s: comes later: %s", lane, error)
            self._must_recover.set()
        except BaseException:  # noqa: BLE001 - the lane has to go on, whatever it is
            LOGGER.exception("lane %s: an error of this program, please report it", lane)
            self._must_recover.set()
        finally:
            self._release(lane)

    def _run_lane(self, lane: str) -> None:
        entry = self._queue.head(lane)
        while entry is not None and not self._over:
            with logged(entry) as note:
                outcome = note.outcome = self._run(entry)
            if outcome.is_left:
                return
            entry = self._queue.answer(entry, outcome.reply if entry.job_id else b"")
