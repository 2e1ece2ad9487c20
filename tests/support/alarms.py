"""Signals whose handlers raise in the middle of calls, like users' time-outs and Ctrl-C."""

from __future__ import annotations

import gc
import signal
import sys

from queued_gspread.errors import CallTimeoutError


class Enough(Exception):  # noqa: N818 - named as users name it
    """A user's own exception."""


class Leave(BaseException):
    """One that `except Exception` does not catch, like gevent's Timeout."""


# What handlers raise: the usual exceptions, one that this package's calls raise, and Ctrl-C.
_KINDS = (
    *(TimeoutError, ConnectionResetError, OSError, Enough, Leave, CallTimeoutError),
    *(KeyboardInterrupt, KeyboardInterrupt),
)


class Alarms:
    """Interrupts some calls of a process's main thread while it is entered.

    Args:
        chance: The random generator that decides which calls, when, and by what.
        share: The share of the calls.
        moments: The earliest and the latest interrupt, in seconds from the start of a call.

    Attributes:
        raised: The exceptions that the handler raised during the latest call, in order.

    """

    def __init__(self, chance, share, moments):
        self._chance, self._share, self._moments = chance, share, moments
        self.raised = []
        self._ignored = []

    def __enter__(self):
        self._before = signal.signal(signal.SIGALRM, self._handle), sys.unraisablehook
        # What Python lets not out, of a finalizer say; or a socket that was being made, which
        # redis-py leaves to the collector then. No function of Python: a handler raises in those.
        sys.unraisablehook = self._ignored.append
        return self

    def __exit__(self, *_):
        self._forget()
        gc.collect()  # now, so that no other test sees the leftovers
        handler, sys.unraisablehook = self._before
        signal.signal(signal.SIGALRM, handler)

    def around(self, make, value):
        """Make a call; it may be interrupted once or twice."""
        self._forget()
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
        """Return whether the handler raised an exception."""
        return any(error is one for one in self.raised)

    @property
    def swallowed(self):
        """The name of what the handler raised last, unless Python itself dropped it."""
        ignored = [found.exc_value for found in self._ignored]
        left = [one for one in self.raised if not any(one is other for other in ignored)]
        return type(left[-1]).__name__ if left else ""

    def _forget(self):
        self.raised = []
        self._ignored.clear()

    def _handle(self, *_):
        if len(self.raised) > 1:
            signal.setitimer(signal.ITIMER_REAL, 0)
            return
        self.raised.append(self._chance.choice(_KINDS)("out of time"))
        raise self.raised[-1]
