"""The lease by which one server works at a time: kept by beats, lost by their absence."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import StaleEpochError
from queued_gspread.clock import now
from queued_gspread.errors import BrokerUnavailableError

from .calllog import LOGGER
from .failure import logged
from .program import stop_after_main

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Servers

    from .failure import Watch

__all__ = ["Lease"]


_LONGEST_PAUSE: Final = 1.0
# Where the master may change, so that little is taken to one that is not any more.
_LONGEST_GUIDED_PAUSE: Final = 0.5
# So soon after the other server has ended in good order, one that stands by works.
_STANDING_BY: Final = 0.1


class Lease:
    """Beats in a thread of its own; tells when this server's epoch begins and when it ends.

    Args:
        queue: The servers' side of the queue.
        seconds: How long the lease holds without a beat.
        clock: A monotonic clock, in seconds, that goes on while this process is paused, and while
            its machine is.
        watched: Watches its thread.

    Attributes:
        decided: Set once it is known whether this server works or stands by, or that it cannot,
            and at the end.
        error: Why it cannot, as long as it cannot.

    """

    def __init__(
        self,
        queue: Servers,
        seconds: float,
        clock: Callable[[], float] = now,
        watched: Watch = logged,
    ) -> None:
        self._queue = queue
        self._seconds = seconds
        self._clock = clock
        # Until then no other server takes over, whatever happens to this process.
        self._certain_until = -math.inf
        self._next_beat = self._pause
        self.decided = threading.Event()
        self.error: Exception | None = None
        # When the latest beat began, and the first one to which Redis did not answer.
        self._began = -math.inf
        self._away_since: float | None = None
        self._ended = threading.Event()
        self._changed = threading.Condition()
        self._epoch = ""
        self._on_end: Callable[[], None] | None = None
        work = watched(self._beat_on)
        self._thread = threading.Thread(target=work, name="lease", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End the beats, and the lease with them, so that another server takes over at once."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self.decided.set()
        try:
            self._queue.release()
        except Exception as error:  # noqa: BLE001 - it ends all the same
            LOGGER.warning("could not give up the lease, so it will run out: %s", error)
        self._queue.master.let_go()

    def wait_for_epoch(self, stopping: threading.Event, after: str) -> str:
        """Return the epoch under which this server works next; '' if it is to stop first."""
        with self._changed:
            while self._epoch in ("", after) and not stopping.is_set() and not self._ended.is_set():
                self._changed.wait(self._pause)
                stop_after_main(stopping.set)
            return "" if stopping.is_set() else self._epoch

    def call_at_end_of(self, epoch: str, on_end: Callable[[], None]) -> None:
        """Have a function called once that epoch has ended."""
        with self._changed:
            self._on_end = on_end
            if self._epoch != epoch:
                on_end()

    def confirm(self, epoch: str) -> None:
        """Make sure that an epoch lasts; wait for a beat where this process may have lost it.

        Raises:
            StaleEpochError: It has ended.

        """
        if self._epoch == epoch and self._clock() < self._certain_until:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._epoch != epoch or self._is_decided)
            if self._epoch != epoch or self._ended.is_set():
                raise StaleEpochError

    @property
    def _is_decided(self) -> bool:
        return self._clock() < self._certain_until or self._ended.is_set()

    @property
    def _pause(self) -> float:
        # Callers count the seconds without a beat, however long the lease is.
        is_guided = self._queue.master.is_guided
        return min(self._seconds / 3, _LONGEST_GUIDED_PAUSE if is_guided else _LONGEST_PAUSE)

    def _beat_on(self) -> None:
        told = ""
        while not self._ended.is_set():
            self._next_beat = self._pause
            try:
                told = self._beat(told)
            except BrokerUnavailableError as error:
                if self._away_since is None:
                    self._away_since = self._began
                told = self._tell_once(told, f"waiting for Redis: {error}", event="redis_away")
                self._note(error)
            except Exception as error:  # noqa: BLE001 - the next beat may do
                text = f"could not renew the lease: {type(error).__name__}: {error}"
                told = self._tell_once(told, text, error)
                self._note(error)
            self._ended.wait(self._next_beat)

    def _note(self, error: Exception) -> None:
        self.error = error
        self.decided.set()

    def _beat(self, told: str) -> str:
        began = self._began = self._clock()
        is_certain = self._is_at_master()
        beat = self._queue.beat(self._seconds, is_certain=is_certain)
        self.error = None
        self._tell_of_return()
        if beat.epoch != self._epoch:
            self._move_to(beat.epoch)
        # What a majority said before the lease was taken may be said of an old master, whose
        # server has gone on to the new one.
        must_ask_again = beat.state == "taken" and self._queue.master.is_guided
        is_held = bool(beat.epoch) and not must_ask_again
        with self._changed:
            self._certain_until = began + self._seconds if is_held else -math.inf
            self._changed.notify_all()
        if must_ask_again:
            self._next_beat = 0.0
        if beat.state == "held":
            self._next_beat = min(self._pause, _STANDING_BY, beat.left)
            who = f"{beat.other} works in this namespace, or has just ended"
            if not beat.other:
                who = "this server's own lease is of Redis as it was before, and has to run out"
            told = self._tell_once(told, f"standing by: {who}", event="standing_by")
        else:
            told = ""
        self.decided.set()
        return told

    def _is_at_master(self) -> bool:
        """Have a majority name the master, and go there; return whether the lease is certain.

        Raises:
            BrokerUnavailableError: No majority names one: the lease is not renewed.

        """
        master = self._queue.master
        if not master.is_guided:
            return True
        named = self._queue.ask_for_master(self._pause)
        with self._changed:
            is_certain = self._clock() < self._certain_until
            if named.address != master.confirmed:
                # Nothing more is sent before the new one has seen a beat.
                self._certain_until = -math.inf
        if master.confirmed not in (None, named.address):
            LOGGER.warning("Redis at %s:%d is the master now", *named.address)
        master.keep_to(named.address)
        return is_certain

    def _move_to(self, epoch: str) -> None:
        with self._changed:
            ended, self._epoch = self._epoch, epoch
            if ended and self._on_end is not None:
                self._on_end()
            self._changed.notify_all()

    def _tell_of_return(self) -> None:
        since, self._away_since = self._away_since, None
        if since is not None:
            seconds = round(self._clock() - since, 1)
            fields = {"event": "redis_back", "seconds": seconds}
            LOGGER.info("Redis is back after %.1f s", seconds, extra={"fields": fields})

    @staticmethod
    def _tell_once(told: str, text: str, error: Exception | None = None, event: str = "") -> str:
        if told != text:
            level = logging.INFO if event == "standing_by" else logging.WARNING
            fields = {"event": event} if event else {}
            LOGGER.log(level, "%s", text, exc_info=error, extra={"fields": fields})
        return text
