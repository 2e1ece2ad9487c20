"""Whether a call was made, according to its result or error."""

from __future__ import annotations

MADE = "made"
NOT_MADE = "not made"
MAYBE = "maybe"
UNSTATED = "unstated"
"""An error that nobody is told to expect."""

# The promises in the error texts.
PROMISES = (
    "was not started and will not be made",
    "had only read, and goes no further",
    "passed before the call wrote anything",
)
_NO_END = ""
# In the queue, and not kept there as failed.
_LEFT = "left"
# Not JobLostError: the Redis of these runs forgets nothing.
_UNKNOWN = ("OutcomeUnknownError", "PoisonedJobError")
_BY_AN_OPERATOR = ("QueueDrainedError", "CallCancelledError")
_GIVEN_UP = ("CallTimeoutError", "ServerUnavailableError")
# The error responses that the emulator is set to give.
_INJECTED = (401, 403, 408, 429, 500, 502, 503)
_NOT_APPLIED = (401, 403, 429)
# How a call may end at its timeout, if the connection was reset or silent.
_RESET = ("ConnectionError", "ChunkedEncodingError", "ReadTimeout")
# One non-idempotent request: not retried unless it was certainly not applied.
_SINGLE = ("append", "add_sheet")
# What is made under a lock: a call that comes too late for it is not sent.
_UNDER_LOCKS = ("increment",)


def told(error):
    """Return an exception as data; see :class:`tests.programs.chaos.history.Call`."""
    code = getattr(error, "code", None)
    try:
        text, name = str(error), type(error).__name__
    except Exception as failed:  # noqa: BLE001 - an error that cannot be shown is one of ours
        text, name = repr(failed), f"{type(error).__name__}, which cannot be shown"
    return {
        "outcome": name,
        "told": "\n".join([text, *getattr(error, "__notes__", ())]),
        "status": code if isinstance(code, int) and code > 0 else _status_of(error),
        "may_have_run": getattr(error, "may_have_run", False),
    }


def _status_of(error):
    """Return the status of an exception's response."""
    return getattr(getattr(error, "response", None), "status_code", None)


def fate_of(call):
    """Return whether a call was made (made, not made, maybe), or that its error is not ours."""
    if call.outcome in ("ok", _LEFT):
        return MADE
    if call.outcome in _GIVEN_UP or getattr(call, "is_interrupted", False):
        return NOT_MADE if any(promise in call.told for promise in PROMISES) else MAYBE
    is_late = call.outcome == "LockLostError" and call.what in _UNDER_LOCKS
    if call.outcome in _BY_AN_OPERATOR or is_late:
        return NOT_MADE
    if call.outcome == "BrokerUnavailableError":
        return MAYBE if call.may_have_run else NOT_MADE
    if call.outcome == "APIError" and call.status in _INJECTED:
        return NOT_MADE if call.what in _SINGLE and call.status in _NOT_APPLIED else MAYBE
    return MAYBE if call.outcome in (*_UNKNOWN, *_RESET, _NO_END) else UNSTATED
