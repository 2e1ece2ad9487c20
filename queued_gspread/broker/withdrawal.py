"""The fate of a job that its caller gave up, and the errors that report it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeVar

from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    LockLostError,
    QueueDrainedError,
    QueueFullError,
    ServerUnavailableError,
)
from queued_gspread.settings import DEFAULT_LEASE, DEFAULT_REDIS_URL, HIDDEN, hide_password

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

__all__ = [
    "UNDONE",
    "add_note",
    "drained",
    "expired",
    "flagged",
    "full",
    "in_doubt",
    "lock_lost",
    "may_be_made",
    "meaning",
    "note",
    "started_by",
    "tell_answered",
    "timed_out",
    "told_by_redis",
    "without_server",
]

_Flagged = TypeVar("_Flagged", CallTimeoutError, ServerUnavailableError)

UNDONE: Final = ("withdrawn", "ended")
"""The fates in ``withdraw.lua`` of a call that has written nothing and never will."""

_MEANINGS: Final = {
    "withdrawn": "the call was not started and will not be made",
    "ended": "the call had only read, and goes no further",
    "unsigned": "Redis says that the call was not made and will not be; but that is not signed: "
    "anyone who can write to this Redis can make it say so, and the call may have been made",
    "started": "the call had already started and may have been made: look before you call again",
    "lost": "Redis no longer knows it (emptied, or restarted without its data?), and it may "
    "have been made",
    "unknown": "Redis cannot be reached, so the call may still be made",
    "answered": "the call was made, and its answer is not waited for",
    "left": "the call stays in the queue, and a server that comes within a day makes it",
    "going on": "the call is being withdrawn, which may fail, so it may still be made",
}

# A command with the client's user and a masked password would not start a server.
_START_THERE: Final = (
    "start queued-gspread-server on that Redis (with the server's user), or look at the log of the "
    "one that should run"
)
_SHORT: Final = (
    ". This client's grace of {:g} s (grace=, QUEUED_GSPREAD_GRACE) is shorter than a server's "
    "lease ({:g} s by default): a standby server takes over only once that is out"
)


def started_by(settings: Settings) -> str:
    """Return how to start a server there, in words."""
    url = settings.shown_url
    if "@" in url or HIDDEN in url:
        return _START_THERE
    place = "" if url == DEFAULT_REDIS_URL else f" --redis-url {url}"
    return f"start one with `queued-gspread-server{place} --namespace {settings.namespace}`"


def told_by_redis(fate: str, *, signs: bool) -> str:
    """Return a fate as far as a caller can trust it: one that signs must not trust Redis's word."""
    return "unsigned" if signs and fate in UNDONE else fate


def meaning(fate: str) -> str:
    """Return what a fate means to the caller."""
    return _MEANINGS[fate]


def expired(gap: float) -> str:
    """Return the meaning of a reply that expired while its caller slept."""
    return (
        f"its answer has expired, since this process did not run for {gap:.0f} s (was it stopped, "
        "or the machine asleep?), and it may have been made"
    )


def flagged(error: _Flagged, fate: str) -> _Flagged:
    """Set on an error whether the call may have been made, and return it."""
    error.may_have_run = fate not in UNDONE
    return error


def full(settings: Settings, waiting: int, limit: int, *, has_server: bool) -> QueueFullError:
    """Return the error for a call that found the queue full."""
    return QueueFullError(
        f"{waiting} calls wait in {settings.callers_place}, and its server lets {limit} wait: this "
        "one was not put in and will not be made. Call again later, or give the server a larger "
        f"--max-queue{_unless(settings, has_server=has_server)}"
    )


def drained(settings: Settings, told: str) -> QueueDrainedError:
    """Return the error for a call that came while the queue takes no new ones."""
    return QueueDrainedError(
        f"{settings.callers_place} takes no new calls, as it was {told}. This one was not put in "
        "and will not be made. Call again once `queued-gspread resume` has been run there"
    )


def lock_lost() -> LockLostError:
    """Return the error for a call under a lock that has ended."""
    return LockLostError(
        "the lock of this spreadsheet has ended: its holder had no call there for `hold` seconds, "
        "or somebody broke it, or Redis has lost it. This call was not made and will not be; "
        "others may have changed the spreadsheet since. Take the lock again, and read again"
    )


def timed_out(
    settings: Settings, timeout: float | None, meaning: str, *, has_server: bool
) -> CallTimeoutError:
    """Return the error for a call whose timeout has passed."""
    return CallTimeoutError(
        f"no answer within the timeout of {timeout:g} s in {settings.callers_place}: "
        f"{meaning}{_unless(settings, has_server=has_server)}"
    )


def without_server(settings: Settings, meaning: str) -> ServerUnavailableError:
    """Return the error for a call that no server has made for the grace period."""
    start = started_by(settings)
    message = (
        f"no server has been alive for {settings.grace:g} s in {settings.callers_place}: "
        f"{meaning}. {start[0].upper()}{start[1:]}"
    )
    if settings.grace < DEFAULT_LEASE:
        message += _SHORT.format(settings.grace, DEFAULT_LEASE)
    return ServerUnavailableError(message)


def _unless(settings: Settings, *, has_server: bool) -> str:
    return "" if has_server else f". No server is alive there: {started_by(settings)}"


def in_doubt(url: str, seconds: float) -> BrokerUnavailableError:
    """Return the error for a call of which it is not known whether Redis has taken it."""
    error = BrokerUnavailableError(
        f"Redis at {hide_password(url)} was lost while a call was put in. {seconds:.0f} s later it "
        "no longer knows whether it had taken it (was this process stopped, the machine asleep, or "
        "Redis's clock set?)"
    )
    error.may_have_run = True
    return error


def may_be_made(error: BrokerUnavailableError, fate: str = "") -> BrokerUnavailableError:
    """Return the error for a call that Redis may hold, or may have held."""
    state = "is in the queue, and may still be made"
    if fate in ("lost", "unsigned"):
        state = "may have been made: look before you call again"
    new = BrokerUnavailableError(f"{error}. The call {state}")
    new.may_have_run = True
    return new


def note(error: BaseException, fate: str) -> None:
    """Add a fate's meaning to an error."""
    add_note(error, _MEANINGS[fate])


def add_note(error: BaseException, text: str) -> None:
    """Add a text to an error: as a note, or as an argument before Python 3.11."""
    text = f"queued_gspread: {text}"
    if sys.version_info >= (3, 11):
        error.add_note(text)
    else:
        error.args = (*error.args, text)


def tell_answered(error: BaseException) -> None:
    """Note on an error after the reply that the call was made."""
    note(error, "answered")
