"""``queued-gspread demo``: show the failure that this package removes, with nothing to set up.

Eight processes that run an ordinary gspread script (``worker.py``) append to one sheet of an
emulator: first with plain gspread, then with this package, ``queued-gspread-server`` and a real
Redis. Then one process with one loop (``loop.py``) does so in a pipeline. Everything runs on this
machine and is gone at the end.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Final

from queued_gspread._install import how_to_install
from queued_gspread.broker import Producer
from queued_gspread.cli.emulator import load_emulator
from queued_gspread.cli.output import draw, say
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.embedded.binaries import find_binary
from queued_gspread.embedded.state import check_system
from queued_gspread.emulator import redirect
from queued_gspread.errors import ConfigurationError, QueuedGspreadError
from queued_gspread.settings import Settings

from .crew import LOOP, REDIRECTED, Children, Crew, environment, script
from .report import Half, bar, changed_lines, difference, loop_lines, sheets, table
from .shared_sheet import SharedSheet

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from queued_gspread.cli.options import Parser
    from queued_gspread.emulator import Emulator

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "See it work, in some fifteen seconds, with no Google account, no Redis and no configuration: "
    "several processes append to one sheet, first with plain gspread and then with "
    "queued_gspread, and the results are shown side by side; and one process with one loop does "
    "so in a pipeline. Everything runs on this machine and "
    "is gone at the end."
)

WORKERS: Final = 8
ROWS_EACH: Final = 5
LOOP_ROWS: Final = 1_000
QUOTA: Final = 60
# Seconds between an append's search for its place and its write.
APPEND_RACE: Final = 0.2

_PLAIN: Final = "import gspread"
_QUEUED: Final = "import queued_gspread as gspread"
_LOOK: Final = 0.05
_STARTING: Final = 60.0
_WIDTH: Final = 79
_LOG_LINES: Final = 20


class DemoFailedError(QueuedGspreadError):
    """The demo failed; the text says how."""


def add_options(parser: Parser) -> None:
    """Add no options: the demo needs none."""
    parser.example("demo", "a few seconds, with gspread and with this")


def run(_: argparse.Namespace) -> int:
    """Run the demo; return the exit status.

    Raises:
        QueuedGspreadError: Something is not installed, or with this package a row is not in the
            sheet exactly once.

    """
    emulator_class = _load_emulator()
    check_system()
    redis, another = (TemporaryRedis(find_binary()) for _ in range(2))
    _introduce()
    with Children() as children:
        with _google(emulator_class, children) as sheet:
            plain = plain_half(sheet, children)
        with _google(emulator_class, children) as sheet:
            ours = queued_half(sheet, children, redis)
        _compare(plain, ours)
        if not ours.is_exact:
            raise DemoFailedError(
                f"with {ours.name} not every row is there exactly once. The end of the server's "
                f"log:\n{_end_of_log(children)}"
            )
        with _google(emulator_class, children) as sheet:
            pipelined_loop(sheet, children, another)
    _say_what_to_change()
    return 0


def _load_emulator() -> type[Emulator]:
    try:
        return load_emulator()
    except ConfigurationError as error:
        raise ConfigurationError(
            f"the demo needs the emulator and a Redis: {how_to_install('demo')}"
        ) from error


@contextlib.contextmanager
def _google(emulator_class: type[Emulator], children: Children) -> Iterator[SharedSheet]:
    """Run an emulator whose appends race as Google's do, the same for both halves."""
    with emulator_class(append_race=APPEND_RACE, storage=False) as emulator:
        yield SharedSheet(emulator, children.folder / "service_account.json", QUOTA)


def plain_half(sheet: SharedSheet, children: Children) -> Half:
    """Do the work with plain gspread."""
    say("\n1. With plain gspread:\n")
    to_emulator = [children.add(REDIRECTED), redirect.__file__, sheet.emulator.url]
    command = [*to_emulator, *_work(_PLAIN, sheet, children)]
    return _measure("plain gspread", sheet, _crew(children, command, environment()))


def queued_half(sheet: SharedSheet, children: Children, redis: TemporaryRedis) -> Half:
    """Do the work through the queue."""
    say("\n2. With queued_gspread, its server and a Redis; in the script, one line is new:\n")
    for line in changed_lines(script(_PLAIN), script(_QUEUED)):
        say(f"    {line}")
    say("")
    with redis, _server(redis.url, sheet, children) as variables:
        command = _work(_QUEUED, sheet, children)
        return _measure("queued_gspread", sheet, _crew(children, command, variables))


def pipelined_loop(sheet: SharedSheet, children: Children, redis: TemporaryRedis) -> None:
    """Run a loop of one process in a pipeline; show what it took beside what it takes without."""
    say(f"\n3. One process, one loop of {LOOP_ROWS:,} rows, in a pipeline:\n")
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    with redis, _server(redis.url, sheet, children) as variables:
        command = [children.add(LOOP), str(sheet.key_file), str(LOOP_ROWS)]
        with children.start(*command, env=variables, **pipes) as loop:
            seconds, errors = loop.communicate()
    requests = len(sheet.emulator.ledger)
    found = sheet.count()
    if loop.returncode or found != LOOP_ROWS:
        raise DemoFailedError(
            f"the loop has left {found} of {LOOP_ROWS} rows. It said:\n{errors}The end of the "
            f"server's log:\n{_end_of_log(children)}"
        )
    for line in loop_lines(LOOP_ROWS, QUOTA, float(seconds), requests):
        say(f"    {line}")


def _work(imported: str, sheet: SharedSheet, children: Children) -> list[str]:
    """Return the arguments that run the workers' script, without each worker's own."""
    return [children.add(script(imported)), str(sheet.key_file)]


def _crew(children: Children, command: Sequence[str], variables: dict[str, str]) -> Crew:
    return Crew(children, command, WORKERS, ROWS_EACH, variables)


def _measure(name: str, sheet: SharedSheet, crew: Crew) -> Half:
    """Run a crew, show its progress, and return its results."""
    crew.wait_until_ready()
    began = time.monotonic()
    crew.begin()
    try:
        while crew.is_at_work:
            _draw(sheet)
            time.sleep(_LOOK)
        seconds = time.monotonic() - began
    finally:
        _draw(sheet, end="\n")
    emulator = sheet.emulator
    results, requests = crew.results(), len(emulator.ledger)
    return Half(name, results, sheet.rows(), seconds, requests, emulator.refusals)


def _draw(sheet: SharedSheet, end: str = "") -> None:
    """Show how many rows are in the sheet; without a terminal, only at the end."""
    if sys.stdout.isatty() or end:
        start = "\r" if sys.stdout.isatty() else ""
        draw(f"{start}    {bar(len(sheet.rows()), WORKERS * ROWS_EACH)}", end=end)


@contextlib.contextmanager
def _server(redis_url: str, sheet: SharedSheet, children: Children) -> Iterator[dict[str, str]]:
    """Run ``queued-gspread-server``; yield the environment of its clients."""
    variables = environment(REDIS_URL=redis_url)
    options = ["--service-account", str(sheet.key_file), "--api-endpoint", sheet.emulator.url]
    with _log(children).open("w") as output:
        command = ["-m", "queued_gspread", "server", *options]
        server = children.start(*command, env=variables, stderr=output)
    _wait_until_it_works(server, Producer(Settings(redis_url)), children)
    yield variables
    # Not in a finally clause: if the demo is interrupted, the server is killed, not waited for.
    server.terminate()
    server.wait()


def _wait_until_it_works(
    server: subprocess.Popen[str], queue: Producer, children: Children
) -> None:
    deadline = time.monotonic() + _STARTING
    while queue.alive() is None:
        if server.poll() is not None or time.monotonic() > deadline:
            raise DemoFailedError(
                f"the server did not start. The end of its log:\n{_end_of_log(children)}"
            )
        time.sleep(_LOOK)


def _log(children: Children) -> Path:
    return children.folder / "server.log"


def _end_of_log(children: Children) -> str:
    lines = _log(children).read_text(errors="replace").splitlines()
    return "\n".join(lines[-_LOG_LINES:])


def _introduce() -> None:
    _say_wrapped(
        f"The same work twice: {WORKERS} processes append {ROWS_EACH} rows each to one sheet that "
        "is shared with them, all at once. An emulator takes Google's place: it allows "
        f"{QUOTA} reads and {QUOTA} writes a minute, and overlapping appends overwrite each other, "
        "as Google's do."
    )


def _compare(plain: Half, ours: Half) -> None:
    halves = (plain, ours)
    say("\nThe rows in the sheets, one line for each process:\n")
    for line in (*sheets(halves), "", *table(halves)):
        say(f"    {line}".rstrip())
    say("")
    _say_wrapped(difference(plain))
    if ours.is_exact:
        _say_wrapped(f"With {ours.name} all {len(ours.results)} are there, each exactly once.")


def _say_wrapped(text: str) -> None:
    """Print a text in lines that fit a terminal."""
    say(textwrap.fill(text, _WIDTH, replace_whitespace=False))


def _say_what_to_change() -> None:
    say(
        f"""
In your own code:

    1. {how_to_install("embedded")}
    2. queued-gspread-server --service-account service_account.json
       (queued-gspread check says what is missing, if it does not work)
    3. import queued_gspread as gspread, instead of import gspread
    4. with gspread.pipeline(): around a loop of many calls

With ".[embedded,fast]" clients and server read Redis's answers faster.
"""
    )
