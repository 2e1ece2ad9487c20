"""Publish what only this server knows, for those who look at the queue: after beats, now and then.

It runs in the lease's thread and never raises: whatever is wrong with it, the server works on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.broker import Publication
from queued_gspread.errors import QueuedGspreadError
from queued_gspread.server.calls.titles import quoted

from .figures import step_of
from .log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Card, Consumer, Work
    from queued_gspread.server.figures import Figures

__all__ = ["Publisher"]

# A beat must not wait for long.
_LONGEST: Final = 1.0
# Lanes that are drawn each time, and those that are looked at again, as their calls are the oldest.
_DRAWN: Final = 100
_OLDEST: Final = 10
_FAILED: Final = "what this server does cannot be published for status and the like: %s"
_DIFFERS: Final = (
    "this server stands by with other options than the one that works, and takes them at a "
    "takeover: %s. Start both with the same"
)


class Publisher:
    """Publishes for one run of a server.

    Args:
        queue: The servers' side of the queue.
        card: Returns what the server says of itself.
        work: Returns what its lanes do.
        figures: What it has counted.
        every: Seconds between two publications.
        clock: A monotonic clock, in seconds.

    """

    def __init__(
        self,
        queue: Consumer,
        card: Callable[[], Card],
        work: Callable[[], Work],
        figures: Figures,
        every: float,
        clock: Callable[[], float] = now,
    ) -> None:
        self._queue = queue
        self._card, self._work = card, work
        self._figures = figures
        self._every = every
        self._clock = clock
        self._due = clock()
        self._number = 0
        self._works = False
        # The lanes whose first calls were the oldest.
        self._oldest: list[str] = []
        # What Redis may not have yet: sent again, under its number, it counts nothing twice.
        self._unconfirmed: Publication | None = None
        # What was logged last, so that it is logged once.
        self._failure = self._differs = ""

    def after_beat(self, epoch: str) -> None:
        """Publish, if it is time to; '' is the epoch of a server that stands by.

        At once, if it has begun to work or ended that: others would take it for gone.
        """
        has_changed, self._works = bool(epoch) != self._works, bool(epoch)
        if self._clock() < self._due and not has_changed:
            return
        self._due = self._clock() + self._every
        try:
            card = replace(self._card(), works=self._works)
            others = self._publish(card, self._work_with_heads() if epoch else None)
            self._failure = ""
        except QueuedGspreadError as error:
            self._log_failure(str(error))
        except Exception as error:  # noqa: BLE001 - it must not end the lease's thread
            self._log_failure(f"{type(error).__name__}: {error}")
        else:
            self._compare(card, others)

    def _work_with_heads(self) -> Work:
        """Return what the lanes do, and how old the first calls are of those not taken up yet."""
        ages = self._queue.heads(self._oldest, _DRAWN, min(_LONGEST, self._every))
        self._oldest = sorted(ages, key=ages.__getitem__, reverse=True)[:_OLDEST]
        return self._work().with_heads({lane: ages[lane] for lane in self._oldest})

    def end(self) -> None:
        """Publish what is left, and that this server has ended in good order."""
        try:
            self._publish(None, None)
        except Exception as error:  # noqa: BLE001 - the server ends anyway
            LOGGER.debug("the end of this server is not published: %s", error)

    def _publish(self, card: Card | None, work: Work | None) -> Card | None:
        publication = self._unconfirmed or self._next()
        self._unconfirmed = publication
        seconds = min(_LONGEST, self._every)
        publication = replace(publication, card=card, work=work)
        others = self._queue.publish(self._queue.server_id, publication, seconds)
        self._unconfirmed = None
        return others

    def _next(self) -> Publication:
        self._number += 1
        counted = self._figures.take()
        callers = {
            quoted("{}:{}".format(*caller))[1:-1]: (calls, failed, round(requests * 1000))
            for caller, (calls, failed, requests) in counted.top_callers
        }
        return Publication(
            self._number,
            totals=counted.totals,
            step=step_of(counted),
            callers=callers,
        )

    def _log_failure(self, text: str) -> None:
        if text != self._failure:
            LOGGER.warning(_FAILED, text)
        self._failure = text

    def _compare(self, card: Card, others: Card | None) -> None:
        """Log the options that the server that works has set otherwise, once."""
        names = [] if others is None else card.differences(others)
        told = ", ".join(
            f"{name} {card.options[name]} here, {others.options[name]} there"
            for name in names
            if others is not None
        )
        if told and told != self._differs:
            LOGGER.warning(_DIFFERS, told, extra={"fields": {"event": "other_options"}})
        self._differs = told
