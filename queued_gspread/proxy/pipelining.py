"""A block whose calls are put into the queue one after the other, and waited for together.

Calls are enqueued in the order of the code, and the queue keeps it within a spreadsheet. So nothing
else is needed for the same results as without a pipeline, as long as whatever needs an earlier
call's result waits for it: by touching it, or by ``_properties`` (:mod:`.result_kinds`).
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from queued_gspread._interrupts import has_broken_in
from queued_gspread.broker import UNDONE, Collector, meaning, note
from queued_gspread.errors import PipelineError, QueueFullError

from .lazy import LazyAnswer, lazy_object, resolved
from .pending import (
    CallFuture,
    Changing,
    PendingCall,
    fates_of,
    is_queued_method,
    outcome_of,
    raise_failures,
    tell_fates,
)
from .progress import NoProgress, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from typing_extensions import Self

    from queued_gspread.broker import QueuedJob

    PutIn = Callable[[QueuedJob], None]
    Settle = Callable[[bytes], Any]

__all__ = ["Pipeline", "current", "flush"]

P = ParamSpec("P")
T = TypeVar("T")

_MOST_BYTES: Final = 64 * 1024**2
_OWN: Final = (Exception, GeneratorExit, SystemExit)

_current: ContextVar[Pipeline | None] = ContextVar("queued_gspread.pipeline", default=None)


def current() -> Pipeline | None:
    """Return the pipeline that a call made here and now belongs to.

    Raises:
        PipelineError: It was begun by another process.

    """
    pipeline = _current.get()
    if pipeline is None or not pipeline.is_open:
        return None
    pipeline.check_process()
    return pipeline if pipeline.is_mine else None


def flush() -> None:
    """Have the pipeline of this place, if there is one, put in what it holds back.

    Where a lock begins and ends, a call must be in the queue on its own side of that.
    """
    pipeline = current()
    if pipeline is not None:
        pipeline.flush()


class Pipeline:
    """A block of calls that are waited for together.

    Args:
        limit: How many calls may be under way; the next one waits for the oldest.
        progress: Whether to show a bar.

    """

    reorders = False
    """Whether calls on single cells may be made in another order."""

    def __init__(self, limit: int = 1000, *, progress: bool = False) -> None:
        if limit < 1:
            raise ValueError(f"pipeline(limit={limit!r}): at least one call must be under way")
        self.is_open = False
        self.thread = 0
        self._has_lazy = False
        self._limit = limit
        self._process = 0
        self._token: Any = None
        self._outer: Pipeline | None = None
        self._calls: dict[PendingCall, None] = {}
        self._bytes = 0
        self._changing = Changing()
        self._made = 0
        self._failed: list[PendingCall] = []
        self._collectors: dict[Any, Collector] = {}
        self._at_place = 0
        self.progress = Progress() if progress else NoProgress()
        self._future: CallFuture | None = None

    def __enter__(self) -> Self:
        if self.thread:
            raise RuntimeError("a pipeline can be used once: begin another one by pipeline()")
        self._process, self.thread = os.getpid(), threading.get_ident()
        outer = _current.get()  # in a forked child, its parent's
        self._outer = outer if outer is not None and outer.is_mine else None
        if self._outer is not None:
            self._outer.flush()
        self.is_open = True
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process != os.getpid():
            self._leave()
            return
        try:
            if error is None or (isinstance(error, _OWN) and not has_broken_in(error)):
                self._wait_for_all()
            else:
                self._withdraw_all(error)
        finally:
            self._close()
        if error is None:
            raise_failures(self._failed)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Make one call; return its future.

        A method of a queued object is not waited for, whatever it returns. Anything else is run
        here and now, and its calls are waited for.
        """
        future, block = CallFuture(), current()
        if block is not self or not is_queued_method(fn):
            # Another thread's, say: it must not get in between this one and its next call.
            with nullcontext() if block is None else block.at_place():
                future.end(*outcome_of(fn, args, kwargs))
            return future
        before, self._future = self._future, future
        try:
            value, error = outcome_of(fn, args, kwargs)
        finally:
            self._future = before
        if value is not future:
            future.end(value, error)
        return future

    @contextmanager
    def at_place(self) -> Iterator[None]:
        """Let calls wait for their results: gspread's code runs here, and needs them."""
        self._at_place += 1
        # It is of the call whose code this is, not of that code's first request.
        future, self._future = self._future, None
        try:
            yield
        finally:
            self._at_place -= 1
            self._future = future

    @property
    def waits(self) -> bool:
        """Whether calls have to wait for their results."""
        return self._at_place > 0

    @property
    def is_mine(self) -> bool:
        """Whether it is open, and this thread's: a context may be copied to another one."""
        return self.is_open and (self._process, self.thread) == (os.getpid(), threading.get_ident())

    def leaves(self, cls: type[Any] | None) -> bool:
        """Return whether the next call goes on when the block ends, whoever waits for it.

        Args:
            cls: The class of its result if that may come later, else None.

        """
        del cls
        return False

    def check_process(self) -> None:
        """Raise :class:`PipelineError` in a forked child."""
        if self._process != os.getpid():
            raise PipelineError(
                f"this pipeline was begun by process {self._process}, and this is a fork of it: "
                "its calls are answered there alone. Begin a pipeline of this process"
            )

    def new_call(self, what: str, properties: Sequence[Any], *, adds: bool) -> PendingCall:
        """Return a call that is about to be put in.

        Args:
            what: What is called, for errors.
            properties: The ``_properties`` that it may change.
            adds: Whether it does that by differences alone.

        """
        call = PendingCall(what, self, [(id(each), adds) for each in properties])
        call.future, self._future = self._future, None
        if call.future is not None:
            call.future.call = call
        return call

    def put_in(
        self,
        call: PendingCall,
        job: QueuedJob,
        put_in: PutIn,
        settle: Settle,
        _cell: Any = None,
    ) -> None:
        """Put a call's job in, once there is room for it.

        Args:
            call: The call.
            job: Its job.
            put_in: Puts it into the queue.
            settle: Returns the result that a reply has, or raises its error.

        """
        self._make_room(len(job.body))
        call.job = job
        self._send(call, job, put_in, settle)

    def flush(self) -> None:
        """Put in what is held back: nothing."""

    def _send(self, call: PendingCall, job: QueuedJob, put_in: PutIn, settle: Settle) -> None:
        try:
            self._enqueue(call, job, put_in)
            self.progress.put_in(job)
            self._collector_of(job).collect(
                job, lambda reply, error: self._end(call, settle, reply, error)
            )
        except BaseException as error:
            if call in self._calls:  # interrupted before anybody waits for its reply
                self._withdraw(call, error)
            if call.span is not None:
                call.span.ended_with(error)
            raise

    def wait_at_place(self, call: PendingCall) -> Any:
        """Return a call's result; an interrupt withdraws it, as it does any call."""
        try:
            return call.value()
        except BaseException as error:
            if not call.is_done:
                self._withdraw(call, error)
            raise

    def resolved(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments with lazy results as they are; wait for those that are not there yet."""
        if not self._has_lazy:
            return args, kwargs
        try:
            return resolved(args), resolved(kwargs)
        except RecursionError:
            return args, kwargs  # a list in itself: the codec refuses it

    def lazy(self, call: PendingCall, cls: type[Any]) -> Any:
        """Return what stands for a call's result until that is there."""
        if cls is type(None):
            return None
        self._has_lazy = True
        return LazyAnswer(call) if cls is dict else lazy_object(cls, call)

    def settle(self, properties: Sequence[Any], *, but_adds: bool = False) -> None:
        """Wait for the calls that may change any of these ``_properties``."""
        for call in self._changing.calls(properties, but_adds=but_adds):
            call.wait()
        if self._outer is not None:
            self._outer.settle(properties, but_adds=but_adds)

    def withdraw_one(self, call: PendingCall) -> bool:
        """Withdraw a call that was not started; return whether it was withdrawn."""
        if call.is_done or call.job is None:
            return False
        fate = self._fates([call], gently=True)[call]
        if fate not in UNDONE:
            return False
        call.future = None  # it is cancelled, and not resolved
        call.is_seen = True
        self._end_withdrawn(call, fate)
        return True

    def _collector_of(self, job: QueuedJob) -> Collector:
        collector = self._collectors.get(job.connection)
        if collector is None:
            collector = Collector(job.connection, self.progress.round)
            self._collectors[job.connection] = collector
        return collector

    def _make_room(self, size: int) -> None:
        while self._calls and (len(self._calls) >= self._limit or self._bytes + size > _MOST_BYTES):
            self._wait_for_oldest()

    def _enqueue(self, call: PendingCall, job: QueuedJob, put_in: PutIn) -> None:
        while True:
            # It counts as under way before it is, so that an interrupt loses none.
            self._take_in(call, job)
            try:
                put_in(job)
            except BaseException as error:
                self._let_go(call)
                is_full = isinstance(error, QueueFullError) and not has_broken_in(error)
                if not (is_full and self._calls):
                    raise
            else:
                return
            self._wait_for_oldest()

    def _wait_for_oldest(self) -> None:
        oldest = next(iter(list(self._calls)), None)
        if oldest is not None:
            oldest.wait()

    def _wait_for_all(self) -> None:
        try:
            while self._calls:
                self._wait_for_oldest()
        except BaseException as error:
            self._withdraw_all(error)
            raise

    def _end(
        self,
        call: PendingCall,
        settle: Settle,
        reply: bytes | None,
        error: BaseException | None,
    ) -> None:
        """Take in how a call ended; this runs in the collector's thread."""
        value = None
        if reply is not None:
            self._made += 1
            try:
                value = settle(reply)
            except Exception as failure:  # noqa: BLE001 - it is the call's
                error = failure
        self._let_go(call)
        if error is not None:
            self._failed.append(call)
        self.progress.ended()
        call.end(value, error)

    def _take_in(self, call: PendingCall, job: QueuedJob) -> None:
        self._calls[call] = None
        self._bytes += len(job.body)
        self._changing.add(call)

    def _let_go(self, call: PendingCall) -> None:
        if call in self._calls:
            del self._calls[call]
            self._bytes -= len(call.job.body) if call.job is not None else 0
            self._changing.drop(call)

    def _withdraw(self, call: PendingCall, error: BaseException) -> None:
        fate = self._fates([call])[call]
        self._end_withdrawn(call, fate)
        call.is_seen = True
        note(error, fate)

    def _withdraw_all(self, error: BaseException) -> None:
        """Withdraw what is under way; note on an error how many calls were made."""
        try:
            fates = self._fates(list(self._calls))
        except BaseException as other:
            note(other, "going on")
            raise
        for call, fate in fates.items():
            self._end_withdrawn(call, fate)
        tell_fates(error, self._made, list(fates.values()))

    def _end_withdrawn(self, call: PendingCall, fate: str) -> None:
        self._let_go(call)
        call.end(None, PipelineError(f"{call.what} was given up: {meaning(fate)}"))

    def _fates(self, calls: list[PendingCall], *, gently: bool = False) -> dict[PendingCall, str]:
        """Withdraw calls; return what became of each."""

        def withdraw(call: PendingCall, told: Callable[[str], None]) -> None:
            assert call.job is not None, "a call without a job is not under way"
            self._collector_of(call.job).withdraw(call.job, told, gently=gently)

        return fates_of(calls, withdraw)

    def _close(self) -> None:
        self._leave()
        for collector in self._collectors.values():
            collector.close()
        self.progress.close()

    def _leave(self) -> None:
        self.is_open = False
        with suppress(ValueError):  # a generator that is ended in another context
            _current.reset(self._token)
