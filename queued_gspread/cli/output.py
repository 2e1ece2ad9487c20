"""Print to any kind of terminal, or to none."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
from typing import Final

from queued_gspread.errors import QueuedGspreadError

__all__ = [
    "READER_GONE",
    "OutputError",
    "ReaderGoneError",
    "columns",
    "draw",
    "prepare",
    "say",
    "warn",
]

READER_GONE: Final = 141
"""The exit status that a shell reports for a program that SIGPIPE has ended."""

_LAST = 2  # the descriptor of standard error
_RAISING = {"strict", "surrogateescape"}
# What a terminal obeys instead of showing it. Who may put in calls chooses names that are printed.
_OBEYED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class OutputError(QueuedGspreadError):
    """Standard output cannot be written to; the text says why."""


class ReaderGoneError(OutputError):
    """The reader of standard output has closed it, as ``head`` does: not worth a message."""


def prepare() -> None:
    """Let any text be printed: characters that the terminal cannot show become question marks.

    Closed standard streams are opened. Otherwise the next file or socket would take their place and
    get the output.
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


def columns() -> int | None:
    """Return the width of the terminal that standard output is; None if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say(text: str, end: str = "\n") -> None:
    """Print a text at once; what a terminal would obey becomes question marks.

    Raises:
        ReaderGoneError: The reader has closed standard output.
        OutputError: The text cannot be written for another reason, such as a full disk.

    """
    draw(_OBEYED.sub("?", text), end)


def draw(text: str, end: str = "") -> None:
    """Print what a terminal is to obey; raises as :func:`say` does."""
    try:
        print(text, end=end, flush=True)
    except OSError as error:
        _discard_output()
        kind = ReaderGoneError if isinstance(error, BrokenPipeError) else OutputError
        raise kind(f"the output cannot be written ({error.strerror})") from error


def warn(text: str) -> None:
    """Print a line on standard error; if that fails, there is nowhere left to report it."""
    with contextlib.suppress(OSError):
        print(_OBEYED.sub("?", text), file=sys.stderr, flush=True)


def _discard_output() -> None:
    """Discard what could not be written; otherwise Python would try again when it exits."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
