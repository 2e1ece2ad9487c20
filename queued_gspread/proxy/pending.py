"""A call under way in a pipeline, and its future."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from queued_gspread._clock import now
from queued_gspread._interrupts import own
from queued_gspread.broker import UNDONE, Collector, Latch, add_note
from queued_gspread.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread._tracing import Span
    from queued_gspread.broker import QueuedJob

__all__ = [
    "CallFuture",
    "Changing",
    "PendingCall",
    "UsedCell",
    "fates_of",
    "is_queued_method",
    "mark_queued",
    "outcome_of",
    "places_of",
    "raise_failures",
    "tell_fates",
]

UsedCell = tuple[tuple[Any, ...], bool]
"""A single cell that a call reads, or writes: its place, and which of the two."""

_SLICE: Final = 0.2
# Seconds for which an interrupt waits until the calls are withdrawn.
_INTERRUPTED: Final = 5.5


class Owner(Protocol):
    """The pipeline of a call."""

    def check_process(self) -> None:
        """Raise an error in a forked child."""

    def flush(self) -> None:
        """Put in what is held back."""

    def withdraw_one(self, call: PendingCall) -> bool:
        """Withdraw a call that was not started; return whether it was withdrawn."""


class PendingCall:
    """A call under way.

    Args:
        what: What was called, for errors.
        pipeline: The pipeline that it belongs to.
        changes: The ``_properties`` that it may change: their ids, and whether it only adds.

    Attributes:
        error: Why it failed, once that is known; None if it has not.
        is_seen: Whether its failure was raised where its result is used.
        span: Its span, which ends with it; None if there is none.

    """

    def __init__(self, what: str, pipeline: Owner, changes: Sequence[tuple[int, bool]]) -> None:
        self.what = what
        self.changes = changes
        self.error: BaseException | None = None
        self.is_seen = False
        self.span: Span | None = None
        self.job: QueuedJob | None = None
        self.future: CallFuture | None = None
        self.is_done = False
        self.pipeline = pipeline
        self._value: Any = None
        self._latch = Latch()

    def wait(self) -> None:
        """Wait until the call is answered or has failed."""
        _check_thread(is_done=self.is_done)
        if not self.is_done:
            self.pipeline.check_process()
            self.pipeline.flush()
        while not self.is_done:
            # In slices: Python would handle a signal that comes just before a wait only after it.
            if self._latch.wait(_SLICE):
                self._latch.open()  # for other threads

    def value(self) -> Any:
        """Wait for the result and return it, or raise the call's error."""
        self.wait()
        if self.error is not None:
            self.is_seen = True
            raise self.error
        return self._value

    def end(self, value: Any, error: BaseException | None = None) -> None:
        """Note how the call ended; the first end counts."""
        if self.is_done:
            return
        # With its traceback, an error would keep what is in the frames of that.
        self._value, self.error = value, None if error is None else error.with_traceback(None)
        self.is_done = True
        if self.span is not None:
            self.span.ended_with(error)
        self._latch.open()
        if self.future is not None:
            self.future.end(value, error)


class Changing:
    """The calls that may change a dict of properties, by its id and whether they only add."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, bool], dict[PendingCall, None]] = {}

    def add(self, call: PendingCall) -> None:
        """Add a call that is under way."""
        for place in call.changes:
            self._calls.setdefault(place, {})[call] = None

    def drop(self, call: PendingCall) -> None:
        """Drop a call that has ended."""
        for place in call.changes:
            self._calls[place].pop(call, None)

    def calls(self, properties: Sequence[Any], *, but_adds: bool) -> list[PendingCall]:
        """Return those that may change any of these; optionally not those that only add."""
        places = places_of(properties, but_adds=but_adds)
        return [call for place in places for call in list(self._calls.get(place, ()))]


def places_of(properties: Sequence[Any], *, but_adds: bool) -> list[tuple[int, bool]]:
    """Return by what the changes of these are known; optionally not those that only add."""
    kinds = (False,) if but_adds else (False, True)
    return [(id(each), adds) for each in properties for adds in kinds]


class CallFuture(Future[Any]):
    """The future of one call of a pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.call: PendingCall | None = None

    def result(self, timeout: float | None = None) -> Any:
        """Return the call's result, or raise its error."""
        self._check()
        try:
            return super().result(timeout)
        finally:
            self._see()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return the call's error, if it failed."""
        self._check()
        try:
            return super().exception(timeout)
        finally:
            self._see()

    def cancel(self) -> bool:
        """Withdraw the call; return whether it was withdrawn, and so will not be made."""
        self._check()
        call = self.call
        if call is None or not call.pipeline.withdraw_one(call) or not super().cancel():
            return False
        self.set_running_or_notify_cancel()  # for those that wait for several futures
        return True

    def end(self, value: Any, error: BaseException | None) -> None:
        """Resolve it, unless it was cancelled."""
        if not self.cancelled():
            if error is None:
                self.set_result(value)
            else:
                self.set_exception(error)

    def _check(self) -> None:
        _check_thread(is_done=self.done())
        if self.call is not None and not self.done():
            self.call.pipeline.check_process()

    def _see(self) -> None:
        if self.call is not None and self.done():
            self.call.is_seen = True


def _check_thread(*, is_done: bool) -> None:
    if not is_done and Collector.is_here():
        raise PipelineError(
            "a future's callback waits for another call of the pipeline, whose answer cannot come "
            "before the callback has returned: use only results that are there, or wait or cancel "
            "outside"
        )


def outcome_of(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Exception | None]:
    """Call a function; return its result, and the error that it raised in the place of one."""
    try:
        return fn(*args, **kwargs), None
    except own(Exception) as error:
        return None, error


def raise_failures(calls: list[PendingCall]) -> None:
    """Raise what was not raised yet: the error of one call, or those of several together."""
    untold = [call for call in calls if not call.is_seen]
    errors = [(call.what, call.error) for call in untold if call.error is not None]
    calls.clear()
    if not errors:
        return
    what, first = errors[0]
    if len(errors) == 1:
        raise first
    raise PipelineError(
        f"{len(errors)} calls of the pipeline failed (errors has each); the first, {what}: {first}",
        errors,
    ) from first


def tell_fates(error: BaseException, made: int, fates: Sequence[str]) -> None:
    """Note on an error how many calls were made, of some that were withdrawn and those before."""
    made += fates.count("answered")
    withdrawn = sum(fate in UNDONE for fate in fates)
    unknown = len(fates) - fates.count("answered") - withdrawn
    add_note(
        error,
        f"of the pipeline's calls, {made} were made, {withdrawn} were withdrawn and will not "
        f"be made, and {unknown} may have been made: look before you make those again",
    )


_queued_codes: set[Any] = set()


def mark_queued(method: Any) -> None:
    """Note that a function is a method of a queued class."""
    _queued_codes.add(method.__code__)


def is_queued_method(fn: Any) -> bool:
    """Return whether it is a queued class's own method, bound to an object."""
    function = getattr(fn, "__func__", None)
    return getattr(function, "__code__", None) in _queued_codes


def fates_of(
    calls: Sequence[PendingCall], withdraw: Callable[[PendingCall, Callable[[str], None]], None]
) -> dict[PendingCall, str]:
    """Return what became of calls that are withdrawn; ``unknown`` if nobody says so in time.

    Args:
        calls: The calls.
        withdraw: Begins to withdraw one, and tells its fate.

    """
    fates: dict[PendingCall, str] = dict.fromkeys(calls, "unknown")
    unknown, told = set(calls), Latch()

    def tell(call: PendingCall, fate: str) -> None:
        fates[call] = fate
        unknown.discard(call)
        told.open()

    for call in calls:
        withdraw(call, partial(tell, call))
    end = now() + _INTERRUPTED
    while unknown and now() < end:
        told.wait(_SLICE)
    return fates
