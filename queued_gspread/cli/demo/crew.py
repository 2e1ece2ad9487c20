"""The demo's processes: the workers, all at once, and what each of their appends was told."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._variables import ENV_PREFIX
from queued_gspread.embedded.lifeline import Lifeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

__all__ = ["REDIRECTED", "Children", "Crew", "environment", "script"]

_HERE: Final = Path(__file__).parent
_WORKER: Final = (_HERE / "worker.py").read_text(encoding="utf-8")
REDIRECTED: Final = (_HERE / "redirected.py").read_text(encoding="utf-8")


def script(imported: str) -> str:
    """Return the workers' script with another line in the place of ``import gspread``."""
    return re.sub("^import gspread$", imported, _WORKER, count=1, flags=re.MULTILINE)


def environment(**variables: str) -> dict[str, str]:
    """Return an environment with these variables of this package, and none that the user has set.

    Everything is on this machine, so no proxy is asked either.
    """
    own = {name: text for name, text in os.environ.items() if not name.startswith(ENV_PREFIX)}
    given = {f"{ENV_PREFIX}{name}": text for name, text in variables.items()}
    return {**own, "NO_PROXY": "*", "no_proxy": "*", **given}


class Children:
    """Processes in a folder of their own, none of which outlives this one, however it ends."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="queued-gspread-demo-"))
        self._lifeline = Lifeline(self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._started:
            with child:
                child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lifeline.cut()

    def add(self, source: str) -> str:
        """Put a script into the folder; return its path.

        To run it where it is installed would let its neighbours take the place of packages.
        """
        path = self.folder / f"script_{next(self._numbers)}.py"
        path.write_text(source, encoding="utf-8")
        return str(path)

    def start(self, *arguments: str, **how: Any) -> subprocess.Popen[str]:
        """Start a Python process; ^C at the terminal is for the demo, which then ends it."""
        command = [sys.executable, *arguments]
        child: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - our own
            command, start_new_session=True, text=True, encoding="utf-8", errors="replace", **how
        )
        self._started.append(child)
        self._lifeline.add(child.pid)
        return child


class Crew:
    """The workers: started, told to begin once all are ready, and asked what they were told.

    Args:
        children: Starts them.
        command: What runs the script of one; its number and its number of rows are added.
        workers: How many there are.
        rows_each: How many rows each of them appends.
        variables: Their environment.

    """

    def __init__(
        self,
        children: Children,
        command: Sequence[str],
        workers: int,
        rows_each: int,
        variables: Mapping[str, str],
    ) -> None:
        self._rows_each = rows_each
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._workers = [
            children.start(*command, str(number), str(rows_each), env=variables, **pipes)
            for number in range(1, workers + 1)
        ]

    def wait_until_ready(self) -> None:
        """Wait until each has opened the sheet, or has ended since it could not."""
        for worker in self._workers:
            assert worker.stdout is not None
            worker.stdout.readline()

    def begin(self) -> None:
        """Let all of them begin to append."""
        for worker in self._workers:
            assert worker.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.write("\n")
                worker.stdin.flush()

    @property
    def is_at_work(self) -> bool:
        """Whether any of them runs."""
        return any(worker.poll() is None for worker in self._workers)

    def told(self) -> dict[str, str]:
        """Return what the append of each row was told: ``ok``, or a kind of error."""
        return {
            f"{number}-{row}": told
            for number, worker in enumerate(self._workers, start=1)
            for row, told in enumerate(self._told(worker), start=1)
        }

    def _told(self, worker: subprocess.Popen[str]) -> list[str]:
        shown, errors = worker.communicate()
        told = [line.strip() for line in shown.splitlines()]
        return told + [_end(worker.returncode, errors)] * (self._rows_each - len(told))


def _end(status: int, errors: str) -> str:
    """Return why a worker ended before its last append, in a few words."""
    if status < 0:
        return f"ended by signal {-status}"
    last = errors.strip().rpartition("\n")[2]
    return "ended by " + (last.partition(":")[0].rpartition(".")[2] or f"status {status}")
