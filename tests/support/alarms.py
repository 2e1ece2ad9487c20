"""Signals whose handlers raise in the middle of calls, as users' time-outs and Ctrl-C do."""

from __future__ import annotations

import gc
import signal
import sys

from queued_gspread.errors import CallTimeoutError


class Enough(Exception):  # noqa: N818 - named as users name it
    """A user's own exception."""


class Leave(BaseException):
    """One that `except Exception` does not see, as gevent's Timeout."""


# What handlers raise: the usual ones, one that calls of this package raise, and Ctrl-C.
_KINDS = (
    *(TimeoutError, ConnectionResetError, OSError, Enough, Leave, CallTimeoutError),
    *(KeyboardInterrupt, KeyboardInterrupt),
)


class Alarms:
    """Has some calls of a process's main thread be interrupted, for as long as it is entered.

    Args:
        chance: What decides which, when, and by what.
        share: The share of the calls.
        moments: Seconds from the beginning of a call, from and to.

    Attributes:
        raised: What the handler has raised during the latest call, in order.

    """

    def __init__(self, chance, share, moments):
        self._chance, self._share, self._moments = chance, share, moments
        self.raised = []
        self._ignored = []

    def __enter__(self):
        self._before = signal.signal(signal.SIGALRM, self._handle), sys.unraisablehook
        # What Python lets not out, of a finalizer say; or a socket that was being made, which
        # redis-py leaves to the collector then.
        sys.unraisablehook = lambda found: self._ignored.append(found.exc_value)
        return self

    def __exit__(self, *_):
        self.raised, self._ignored = [], []
        gc.collect()  # now, so that nobody else is told of what is left
        handler, sys.unraisablehook = self._before
        signal.signal(signal.SIGALRM, handler)

    def around(self, make, value):
        """Make a call, or have it interrupted once or twice."""
        self.raised, self._ignored = [], []
        if self._chance.random() >= self._share:
            return make(value)
        moments = self._chance.uniform(*self._moments), self._chance.choice([0.0, 0.0, 0.001])
        try:
            signal.setitimer(signal.ITIMER_REAL, *moments)
            try:
                return make(value)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def is_interrupt(self, error):
        """Tell whether an exception is one that the handler has raised."""
        return any(error is one for one in self.raised)

    @property
    def swallowed(self):
        """The name of what the handler has raised last, unless Python itself has let it go."""
        left = [one for one in self.raised if not any(one is other for other in self._ignored)]
        return type(left[-1]).__name__ if left else ""

    def _handle(self, *_):
        if len(self.raised) > 1:
            signal.setitimer(signal.ITIMER_REAL, 0)
            return
        self.raised.append(self._chance.choice(_KINDS)("out of time"))
        raise self.raised[-1]
