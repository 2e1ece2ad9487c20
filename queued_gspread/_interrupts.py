"""Exceptions that break in from outside: a signal handler raises them wherever the thread is.

A handler may raise anything, including what this package or redis-py handle themselves: the usual
time-out by SIGALRM raises a ``TimeoutError``, which looks like the network's. So code that catches
an error which could be a handler's catches it by :func:`own`, and :func:`unconverted` restores the
original where other code has converted it.

A handler is recognised by its frame: Python passes it the frame that it interrupted, which no other
function gets from its caller. A list of modules that may raise would fail with every library that
wraps a socket or redis-py.
"""

from __future__ import annotations

import inspect
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType, TracebackType

__all__ = [
    "chain",
    "handled",
    "has_broken_in",
    "intruder",
    "own",
    "raise_unchanged",
    "unconverted",
]

E = TypeVar("E", bound=BaseException)


def handled() -> BaseException | None:
    """Return the exception being handled: the context of any that is raised now."""
    return sys.exc_info()[1]


def own(*kinds: type[E]) -> tuple[type[E], ...]:
    """Return what an ``except`` should catch: these kinds, unless a signal handler raised it."""
    error = handled()
    return () if error is not None and has_broken_in(error) else kinds


def has_broken_in(error: BaseException) -> bool:
    """Return whether a signal handler raised this exception."""
    handlers = list(_codes_of_handlers())
    interrupted: list[FrameType] = []
    context = error.__context__
    # redis-py gives an exception that it makes of one of hiredis's the latter's traceback.
    foreign = None if context is None else context.__traceback__
    step = error.__traceback__
    while step is not None and step is not foreign:
        frame = step.tb_frame
        if frame.f_code in handlers or _is_passed_one_of(interrupted, frame):
            return True
        interrupted.append(frame)
        step = step.tb_next
    return False


def _is_passed_one_of(interrupted: list[FrameType], frame: FrameType) -> bool:
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + 1]  # and perhaps *args
    variables = frame.f_locals
    values = list(map(variables.get, names))
    if type(variables) is dict and code.co_flags & inspect.CO_OPTIMIZED:
        # Before Python 3.13 the frame keeps this copy, and with it the exception whose traceback
        # has the frame: a cycle that would hold connections.
        variables.clear()
    for value in values:
        arguments = value if type(value) is tuple else (value,)
        if any(argument is other for argument in arguments for other in interrupted):
            return True
    return False


def _codes_of_handlers() -> Iterator[CodeType]:
    # A handler may have deleted its arguments. signal.valid_signals() would be slow.
    for number in range(1, signal.NSIG):
        handler: Any = signal.getsignal(number)
        while isinstance(handler, partial):
            handler = handler.func
        for called in (handler, type(handler).__call__):
            code = getattr(getattr(called, "__func__", called), "__code__", None)
            if code is not None:
                yield code


def chain(error: BaseException, outer: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and the contexts behind it, up to what was being handled before.

    Args:
        error: The exception.
        outer: What was being handled before the block began.

    """
    link: BaseException | None = error
    while link is not None and link is not outer:
        yield link
        link = link.__context__


def raise_unchanged(error: BaseException) -> NoReturn:
    """Raise an exception again, and keep its context."""
    context = error.__context__
    try:
        raise error
    finally:
        error.__context__ = context
        del error, context  # the frame is part of the exception now


class unconverted:  # noqa: N801 - a context manager, as those of contextlib are named
    """Re-raises what breaks into a block unchanged, even if the block converted it.

    Args:
        notify: Called with what broke in.

    """

    def __init__(self, notify: Callable[[BaseException], None] | None = None) -> None:
        self._notify = notify
        self._outer: BaseException | None = None

    def __enter__(self) -> None:
        self._outer = handled()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        outer, self._outer = self._outer, None
        original = None if error is None else intruder(error, outer)
        try:
            if original is not None and self._notify is not None:
                self._notify(original)
            if original is not None and original is not error:
                raise_unchanged(original)
        finally:
            del error, original, outer, traceback


def intruder(error: BaseException, outer: BaseException | None) -> BaseException | None:
    """Return what broke in, even if code has converted it since; None if nothing did.

    Args:
        error: The exception.
        outer: What was being handled before the block began.

    """
    for link in chain(error, outer):
        if has_broken_in(link) or not isinstance(link, Exception):
            return link
    return None
