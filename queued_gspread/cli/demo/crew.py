"""The demo's processes: run the workers, all at once, and collect the result of each append."""

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

__all__ = ["LOOP", "REDIRECTED", "Children", "Crew", "environment", "script"]

_HERE: Final = Path(__file__).parent
_WORKER: Final = (_HERE / "worker.py").read_text(encoding="utf-8")
LOOP: Final = (_HERE / "loop.py").read_text(encoding="utf-8")
REDIRECTED: Final = (_HERE / "redirected.py").read_text(encoding="utf-8")


def script(imported: str) -> str:
    """Return the workers' script with another line in place of ``import gspread``."""
    return re.sub("^import gspread$", imported, _WORKER, count=1, flags=re.MULTILINE)


def environment(**variables: str) -> dict[str, str]:
    """Return an environment with these variables of this package instead of the user's.

    Everything runs on this machine, so no proxy is used either.
    """
    others = {name: text for name, text in os.environ.items() if not name.startswith(ENV_PREFIX)}
    ours = {f"{ENV_PREFIX}{name}": text for name, text in variables.items()}
    return {**others, "NO_PROXY": "*", "no_proxy": "*", **ours}


class Children:
    """Processes in a folder of their own. None outlives this process, however that ends."""

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

        A script that ran from its installed folder could import its neighbours instead of packages.
        """
        path = self.folder / f"script_{next(self._numbers)}.py"
        path.write_text(source, encoding="utf-8")
        return str(path)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start a Python process. ^C at the terminal reaches only the demo, which then ends it."""
        command = [sys.executable, *arguments]
        child: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - our own
            command,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            **options,
        )
        self._started.append(child)
        self._lifeline.add(child.pid)
        return child


class Crew:
    """The workers: starts them, lets them begin once all are ready, and collects their results.

    Args:
        children: Starts the processes.
        command: Runs a worker's script; its number and its number of rows are added.
        workers: How many workers there are.
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
        """Wait until each has opened the sheet, or has ended because it could not."""
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
        """Whether any of them still runs."""
        return any(worker.poll() is None for worker in self._workers)

    def results(self) -> dict[str, str]:
        """Return the result of each row's append: ``ok``, or a kind of error."""
        return {
            f"{number}-{row}": result
            for number, worker in enumerate(self._workers, start=1)
            for row, result in enumerate(self._results_of(worker), start=1)
        }

    def _results_of(self, worker: subprocess.Popen[str]) -> list[str]:
        output, errors = worker.communicate()
        results = [line.strip() for line in output.splitlines()]
        return results + [_end(worker.returncode, errors)] * (self._rows_each - len(results))


def _end(status: int, errors: str) -> str:
    """Return why a worker ended before its last append, in a few words."""
    if status < 0:
        return f"ended by signal {-status}"
    last = errors.strip().rpartition("\n")[2]
    return "ended by " + (last.partition(":")[0].rpartition(".")[2] or f"status {status}")
