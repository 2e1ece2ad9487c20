"""What the commands print, on terminals of any kind and on none."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Final

from queued_gspread.errors import QueuedGspreadError

__all__ = ["READER_GONE", "OutputError", "ReaderGoneError", "prepare", "say", "warn"]

READER_GONE: Final = 141
"""What a shell shows of a program that SIGPIPE has ended, as it does most."""

_LAST = 2  # the descriptor of standard error
_RAISING = {"strict", "surrogateescape"}


class OutputError(QueuedGspreadError):
    """Standard output cannot be written to; the text says why."""


class ReaderGoneError(OutputError):
    """Whoever read standard output has seen enough, as ``head`` has: no matter for a message."""


def prepare() -> None:
    """Let any text be printed: what the terminal cannot show is replaced by question marks.

    Standard streams that are closed are opened, or the next file or socket would take their place
    and be written to.
    """
    spare = os.open(os.devnull, os.O_RDWR)
    while spare <= _LAST:
        os.set_inheritable(spare, True)
        spare = os.open(os.devnull, os.O_RDWR)
    os.close(spare)
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in _RAISING:
        sys.stdout.reconfigure(errors="replace")


def say(text: str, end: str = "\n") -> None:
    """Print a text at once.

    Raises:
        ReaderGoneError: Its reader has gone.
        OutputError: It cannot be written for another reason, such as a full disk.

    """
    try:
        print(text, end=end, flush=True)
    except OSError as error:
        _discard_output()
        kind = ReaderGoneError if isinstance(error, BrokenPipeError) else OutputError
        raise kind(f"the output cannot be written ({error.strerror})") from error


def warn(text: str) -> None:
    """Print a line on standard error; nobody can be told where that cannot be written to."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _discard_output() -> None:
    """Let what could not be written go nowhere, or Python would try again when it exits."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
