"""What became of a job that its caller has given up, and how the caller is told."""

from __future__ import annotations

import sys
from typing import Final, TypeVar

from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    ServerUnavailableError,
)

__all__ = [
    "UNDONE",
    "expired",
    "flagged",
    "may_be_made",
    "meaning",
    "note",
    "tell_answered",
    "told_by_redis",
]

_Flagged = TypeVar("_Flagged", CallTimeoutError, ServerUnavailableError)

UNDONE: Final = ("withdrawn", "ended")
"""What ``withdraw.lua`` says of a job whose call has written nothing, and never will."""

_MEANINGS: Final = {
    "withdrawn": "the call was not started and will not be made",
    "ended": "the call had only read, and goes no further",
    "unsigned": "Redis says that the call was not made and will not be; but nobody has signed "
    "that: whoever may write to this Redis can have it say so, and the call may have been made",
    "started": "the call had already started and may have been made: look before you call again",
    "lost": "Redis no longer knows it (emptied, or restarted without its data?), and it may "
    "have been made",
    "unknown": "Redis cannot be reached, so the call may still be made",
    "answered": "the call was made, and its answer is not waited for",
    "going on": "the call is being withdrawn, which may fail, so it may still be made",
}


def told_by_redis(fate: str, *, signs: bool) -> str:
    """Return a fate as one may believe it: who signs trusts no key that somebody else may write."""
    return "unsigned" if signs and fate in UNDONE else fate


def meaning(fate: str) -> str:
    """Return what a fate means to the caller."""
    return _MEANINGS[fate]


def expired(gap: float) -> str:
    """Return the same for a reply that is gone since its caller slept."""
    return (
        f"its answer has expired, since this process did not run for {gap:.0f} s (was it stopped, "
        "or the machine asleep?), and it may have been made"
    )


def flagged(error: _Flagged, fate: str) -> _Flagged:
    """Return an error that says whether the call may have been made."""
    error.may_have_run = fate not in UNDONE
    return error


def may_be_made(error: BrokerUnavailableError, fate: str = "") -> BrokerUnavailableError:
    """Return the error that says so of a call that Redis may hold, or may have held."""
    of_it = "is in the queue, and may still be made"
    if fate in ("lost", "unsigned"):
        of_it = "may have been made: look before you call again"
    told = BrokerUnavailableError(f"{error}. The call {of_it}")
    told.may_have_run = True
    return told


def note(error: BaseException, fate: str) -> None:
    """Add what a fate means to an error: as a note, or an argument before Python 3.11."""
    told = f"queued_gspread: {_MEANINGS[fate]}"
    if sys.version_info >= (3, 11):
        error.add_note(told)
    else:
        error.args = (*error.args, told)


def tell_answered(error: BaseException) -> None:
    """Say on an error that came after the reply that the call was made."""
    note(error, "answered")
