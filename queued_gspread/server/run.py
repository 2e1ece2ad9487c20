"""One run of a server: its lease, and the lanes of each epoch in which it works."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.server.google.credentials import warn_of_retries
from queued_gspread.server.google.token_state import stop_all

from .card import card_of
from .lease import Lease
from .log import LOGGER, warning_after

if TYPE_CHECKING:
    import threading

    from queued_gspread.broker import Beat, Consumer
    from queued_gspread.server.lanes.scheduler import Scheduler

    from .assembly import Parts
    from .failure import Failure

__all__ = ["Run", "Terms", "warn_of_redis"]

_SILENT: Final = (
    "no answer from Redis at %s for %g s: this server starts once it answers, or gives up"
)


@dataclass(frozen=True)
class Terms:
    """What holds for each run of a server.

    Attributes:
        lease: Seconds after which it counts as gone if it is silent.
        max_queue: How many calls may wait.
        shutdown_timeout: Seconds that requests in the air are given when it stops.

    """

    lease: float
    max_queue: int
    shutdown_timeout: float


class Run:
    """One run of a server.

    Args:
        parts: The server's parts.
        queue: The queue, under the id of this run.
        failure: Watches its threads.
        stopping: Set when the server stops.
        terms: What holds for each run.
        left: The lanes that have not ended; this run adds its own.

    Attributes:
        lease: Its lease, whose thread beats while it works.

    """

    def __init__(
        self,
        parts: Parts,
        queue: Consumer,
        failure: Failure,
        stopping: threading.Event,
        terms: Terms,
        left: list[Scheduler],
    ) -> None:
        self._parts, self._queue, self._failure = parts, queue, failure
        self._stopping, self._terms, self._left = stopping, terms, left
        card = partial(card_of, parts, terms.lease, terms.max_queue, now())
        self._publisher = parts.publisher(queue, card)
        self.lease = Lease(
            queue,
            terms.lease,
            watch=failure,
            account=parts.account,
            timing=parts.timing,
            on_beat=self._after_beat,
        )

    def work(self) -> None:
        """Work, or stand by, until the server stops."""
        try:
            for tokens in self._parts.all_tokens:
                tokens.start(self._failure.watched)
            self.lease.start()
            epoch = ""
            while epoch := self.lease.wait_for_epoch(self._stopping, after=epoch):
                self._work_under(epoch)
        finally:
            self.lease.stop()
            self._publisher.end()
            stop_all(self._parts.all_tokens)
            self._parts.rest()

    def _after_beat(self, beat: Beat) -> None:
        self._parts.pauses.saw(beat)
        if beat.state == "taken" and not beat.is_first:
            self._parts.figures.note_takeover()
        self._publisher.after_beat(beat.epoch)

    def _work_under(self, epoch: str) -> None:
        """Run the lanes until the server stops or the epoch ends."""
        parts = self._parts
        warn_of_retries(parts.client)
        queue, watched = self._queue.under(epoch), self._failure.watched
        lanes = parts.lanes(queue, self.lease, self._stopping, watched)
        self._left.append(lanes)
        LOGGER.info("working as %s in %s", parts.account.shown, parts.settings.place)
        lanes.serve()
        self._finish(lanes)
        if lanes.has_retired:
            LOGGER.warning(
                "another server has an access token, and this one can get none: it stands by"
            )
            self.lease.give_up()

    def _finish(self, lanes: Scheduler) -> None:
        """Let calls under way end: within the shutdown timeout, or at once if the epoch lapsed."""
        timeout = self._terms.shutdown_timeout
        if self._stopping.is_set():
            told = str(self._parts.counters) or "none"
            LOGGER.info("requests sent, as calls/requests (calls a request): %s", told)
            LOGGER.info("stopping: requests in the air are given %g s", timeout)
        is_in_order = self._stopping.is_set() or lanes.has_retired
        if lanes.finish(timeout if is_in_order else 0):
            self._left.remove(lanes)
        else:
            LOGGER.warning("some calls did not end in time and are left to the next server")


def warn_of_redis(parts: Parts, queue: Consumer) -> None:
    """Check the Redis; log it if that takes long, since the answer may never come."""
    seconds = parts.timing.silent_redis
    with warning_after(seconds, _SILENT, parts.settings.shown_url, seconds):
        warning = queue.check_redis()
    if warning:
        LOGGER.warning(warning)
