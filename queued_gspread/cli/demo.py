"""``queued-gspread demo``: the main job in one command, with nothing to set up.

A real Redis, the emulator, ``queued-gspread-server`` and eight processes that run an ordinary
gspread script (``demo_worker.py``), all on this machine and all gone at the end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import queued_gspread
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.embedded.lifeline import Lifeline
from queued_gspread.errors import ConfigurationError, QueuedGspreadError

from .emulator import load_emulator
from .output import OutputError, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Self

    from queued_gspread.emulator import Emulator

    from .options import Parser

__all__ = ["add_options", "run"]

WORKERS: Final = 8
ROWS_EACH: Final = 5
TITLE: Final = "demo"
QUOTA: Final = 60
HEADER: Final = ["who", "number", "what"]

_LOOK: Final = 0.05
_BAR: Final = 40


class DemoFailedError(QueuedGspreadError):
    """The demo did not come out as it should; the text says how."""


def add_options(parser: Parser) -> None:
    """Add no options: the demo needs none."""
    _ = parser


def run(_: argparse.Namespace) -> int:
    """Run the demo; return the exit status.

    Raises:
        QueuedGspreadError: Something is missing, or the sheet is not as it should be.

    """
    emulator_class = _load_emulator()
    say("Starting a Redis, an emulator of Google Sheets and queued-gspread-server …")
    with (
        TemporaryRedis() as redis,
        _Children() as children,
        emulator_class() as emulator,
        _server(redis.url, emulator, children) as environment,
    ):
        _enforce_quota(emulator)
        client = queued_gspread.authorize(redis_url=redis.url)
        sheet = client.create(TITLE).sheet1
        sheet.append_row(HEADER)
        seconds = _work(emulator, children, environment)
        values = sheet.get_all_values()
        refused = emulator.refusals
    _show(values)
    _check(values, seconds, refused)
    _tell_what_to_change()
    return 0


def _load_emulator() -> type[Emulator]:
    try:
        return load_emulator()
    except ConfigurationError as error:
        raise ConfigurationError(
            'the demo needs its extra: pip install "queued-gspread[demo]", '
            'or in a clone pip install ".[demo]"'
        ) from error


def _enforce_quota(emulator: Emulator) -> None:
    from queued_gspread.emulator import Quotas  # noqa: PLC0415 - an extra

    emulator.quotas = Quotas(reads=QUOTA, writes=QUOTA)


class _Children:
    """Processes in a folder of their own, none of which outlives this one, however it ends."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="queued-gspread-demo-"))
        self._lifeline = Lifeline(self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._started:
            child.kill()
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lifeline.cut()

    def start(self, *arguments: str, **how: Any) -> subprocess.Popen[bytes]:
        """Start a Python process; ^C at the terminal is for the demo, which then ends it."""
        command = [sys.executable, *arguments]
        child = subprocess.Popen(command, start_new_session=True, **how)  # noqa: S603 - our own
        self._started.append(child)
        self._lifeline.add(child.pid)
        return child


@contextlib.contextmanager
def _server(redis_url: str, emulator: Emulator, children: _Children) -> Iterator[dict[str, str]]:
    """Run ``queued-gspread-server``; yield the environment of its clients."""
    folder = children.folder
    key_file = folder / "service_account.json"
    emulator.write_service_account(key_file)
    environment = {**os.environ, "QUEUED_GSPREAD_REDIS_URL": redis_url}
    environment.pop("QUEUED_GSPREAD_NAMESPACE", None)
    options = ["--service-account", str(key_file), "--api-endpoint", emulator.url]
    log = folder / "server.log"
    with log.open("w") as output:
        command = ["-m", "queued_gspread", "server", *options]
        server = children.start(*command, env=environment, stderr=output)
        try:
            yield environment
        except OutputError:
            raise
        except queued_gspread.GSpreadException as error:
            raise DemoFailedError(f"{error}. The server's log:\n{log.read_text()}") from error
        finally:
            server.terminate()
            server.wait()


def _work(emulator: Emulator, children: _Children, environment: Mapping[str, str]) -> float:
    """Run the workers, all at once; return how long they took, in seconds."""
    say(f"{WORKERS} processes append {ROWS_EACH} rows each to one sheet:")
    began = time.monotonic()
    script = str(Path(__file__).with_name("demo_worker.py"))
    workers = [
        children.start(script, f"{number}", f"{ROWS_EACH}", env=environment)
        for number in range(1, WORKERS + 1)
    ]
    while any(worker.poll() is None for worker in workers):
        _draw(_appended(emulator))
        time.sleep(_LOOK)
    _draw(_appended(emulator), end="\n")
    failed = [worker.args for worker in workers if worker.returncode]
    if failed:
        raise DemoFailedError(f"{len(failed)} of {WORKERS} worker processes failed, see above")
    return time.monotonic() - began


def _appended(emulator: Emulator) -> int:
    """Return how many of the workers' rows the emulator has seen; one row is the header."""
    return sum(served.path.endswith(":append") for served in emulator.ledger) - 1


def _draw(rows: int, end: str = "") -> None:
    if not sys.stdout.isatty() and not end:
        return
    full = _BAR * rows // (WORKERS * ROWS_EACH)
    bar = "#" * full + "." * (_BAR - full)
    say(f"\r[{bar}] {rows}/{WORKERS * ROWS_EACH} rows", end=end)


def _show(values: Sequence[Sequence[Any]]) -> None:
    widths = [max(len(str(row[column])) for row in values) for column in range(len(HEADER))]
    line = "+".join("-" * (width + 2) for width in (3, *widths))
    say(f"\nThe sheet:\n\n+{line}+")
    for number, row in enumerate(values, start=1):
        cells = (f" {cell!s:<{width}} " for cell, width in zip(row, widths, strict=True))
        say(f"| {number:>3} |{'|'.join(cells)}|")
        if number == 1:
            say(f"+{line}+")
    say(f"+{line}+\n")


def _check(values: Sequence[Sequence[Any]], seconds: float, refused: int) -> None:
    expected = {
        (f"worker {worker}", str(number), f"{worker}-{number}")
        for worker in range(1, WORKERS + 1)
        for number in range(1, ROWS_EACH + 1)
    }
    found = Counter(tuple(row) for row in values[1:])
    lost = len(expected - found.keys())
    doubled = sum(count - 1 for count in found.values())
    strange = len(found.keys() - expected)
    if lost or doubled or strange or refused or list(values[0]) != HEADER:
        raise DemoFailedError(
            f"rows lost: {lost}, doubled: {doubled}, unexpected: {strange}, refused: {refused}"
        )
    say(
        f"Checked: {len(expected)} rows appended by {WORKERS} processes in {seconds:.1f} s, "
        "every row there exactly once: lost 0, doubled 0.\n"
        f"The emulator held them to Google's {QUOTA} reads and {QUOTA} writes a minute: refused 0."
    )


def _tell_what_to_change() -> None:
    say(
        """
In your own code, three lines:

    pip install "queued-gspread[embedded]"       # once
    queued-gspread-server                        # one process, with your service account
    import queued_gspread as gspread             # instead of: import gspread
"""
    )
