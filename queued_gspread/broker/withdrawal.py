"""The fate of a job that its caller gave up, and the errors that report it."""

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
    "going on": "the call is being withdrawn, which may fail, so it may still be made",
}


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


def may_be_made(error: BrokerUnavailableError, fate: str = "") -> BrokerUnavailableError:
    """Return the error for a call that Redis may hold, or may have held."""
    state = "is in the queue, and may still be made"
    if fate in ("lost", "unsigned"):
        state = "may have been made: look before you call again"
    new = BrokerUnavailableError(f"{error}. The call {state}")
    new.may_have_run = True
    return new


def note(error: BaseException, fate: str) -> None:
    """Add a fate's meaning to an error: as a note, or as an argument before Python 3.11."""
    text = f"queued_gspread: {_MEANINGS[fate]}"
    if sys.version_info >= (3, 11):
        error.add_note(text)
    else:
        error.args = (*error.args, text)


def tell_answered(error: BaseException) -> None:
    """Note on an error after the reply that the call was made."""
    note(error, "answered")
