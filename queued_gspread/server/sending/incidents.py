"""Log lines for when Google refuses requests or cannot be reached: the cause, once."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server.calls.titles import title_of
from queued_gspread.server.log import LOGGER
from queued_gspread.server.policy.verdict import Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import QuotaState, Slot
    from queued_gspread.protocol.messages import Job
    from queued_gspread.server.policy.retry import RetryPolicy

__all__ = ["UNREPLICATED", "WHAT", "IncidentLog", "log_repeat", "unreplicated"]

UNREPLICATED: Final = Verdict(
    VerdictKind.NOT_SENT, why="the replicas of Redis do not all have the journal"
)
"""What it means that a journal is not stored durably enough."""

# An episode is over after so many windows without an incident.
_QUIET_WINDOWS: Final = 10
WHAT: Final = {"read": "reads", "write": "writes", "drive": "requests to Drive"}
"""The kinds of request, in words."""
_LATE: Final = ("no answer in time", "no connection in time")
_OPTION: Final = {"read": "--reads-per-minute", "write": "--writes-per-minute"}


class IncidentLog:
    """Logs an episode when it begins, and not each incident in it.

    Args:
        clock: A monotonic clock, in seconds.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._latest: dict[str, float] = {}
        self._lock = threading.Lock()

    def note_refusal(self, slot: Slot, verdict: Verdict, quota_state: QuotaState) -> None:
        """Log a refusal for the quota, if it begins an episode; otherwise at debug level."""
        what = WHAT[slot.kind] + (f" as {slot.account}" if slot.account else "")
        if not self._begins_episode(what, slot.window):
            LOGGER.debug("%s refused: %s; %s", what, verdict.why, quota_state)
            return
        LOGGER.warning(
            "Google refuses %s for the quota (%s), although this server keeps to it: %s. They "
            "pause now and are retried; the limit goes down%s and recovers step by step. %s",
            what,
            verdict.why,
            _cause(verdict.of),
            f" to {quota_state.limit}" if quota_state.limit else "",
            _remedy(slot.kind, verdict.of),
        )

    def note_outage(self, verdict: Verdict, place: str, retry_policy: RetryPolicy) -> None:
        """Log that a request could not be sent, if it begins an episode.

        Args:
            verdict: Why it could not be sent.
            place: Where it was to go.
            retry_policy: For how long it is retried.

        """
        if self._begins_episode("outage", retry_policy.window):
            LOGGER.warning(
                "Google cannot be reached at %s (%s): requests are retried, each for %g s. Look "
                "at this machine's network and proxy, and at --api-endpoint if you have set it",
                *(place, verdict.why, retry_policy.retry_for),
            )

    def note_unreplicated(self, retry_policy: RetryPolicy) -> None:
        """Log that a request waits for replicas of Redis, if it begins an episode."""
        if self._begins_episode("replica", retry_policy.window):
            LOGGER.warning(
                "the replicas of Redis do not all have what is written within a second: "
                "non-idempotent requests wait, each for %g s. Look at them (redis-cli info "
                "replication), or start the server with --durability local",
                retry_policy.retry_for,
            )

    def _begins_episode(self, what: str, window: float) -> bool:
        now = self._clock()
        with self._lock:
            latest = self._latest.get(what)
            self._latest[what] = now
        return latest is None or now - latest > _QUIET_WINDOWS * window


def log_repeat(job: Job, verdict: Verdict, pause: float, time_out: Callable[[Any], str]) -> None:
    """Log that a request is retried: for which call, why, and after how many seconds.

    Args:
        job: The call's job.
        verdict: Why it is retried.
        pause: The seconds until then.
        time_out: Returns in words how long a request with a client's time-out may take; '' if that
            is not known.

    """
    # Refusals for the quota come in numbers, and are logged once as an episode.
    level = logging.DEBUG if verdict.kind is VerdictKind.REFUSED_QUOTA else logging.INFO
    given = time_out(job.http_timeout) if verdict.why in _LATE else ""
    why = f"{verdict.why} ({given})" if given else verdict.why
    about = (title_of(job), job.kind, job.method, why, pause)
    LOGGER.log(level, "%s  %s.%s: %s; retried in %.1f s", *about)


def unreplicated() -> BrokerUnavailableError:
    """Return the error of a request that waited for replicas in vain."""
    return BrokerUnavailableError(
        "the replicas of Redis did not all have the journal, so nothing was sent: a non-idempotent "
        "request needs it there. Look at the replicas, or start the server with --durability local"
    )


def _cause(of: str) -> str:
    if of == "project":
        return "other accounts of the same Google Cloud project use up the project's quota"
    return "something else uses the same account, or its quota is lower than this server's limit"


def _remedy(kind: str, of: str) -> str:
    option = _OPTION.get(kind)
    if option is None:
        return "Make fewer calls that share, list, copy or create files"
    if of == "project":
        option = option.replace("--", "--project-")
    return f"Send all requests of that account through this server, or lower {option}"
