"""Tables and lines of ``status``, ``lanes``, ``jobs`` and the like in terminals of any width."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from queued_gspread.broker import FailedCall, Observed
from queued_gspread.cli import screen, watching
from queued_gspread.cli.tables import cut, fold, table
from queued_gspread.monitor import snapshot_of
from queued_gspread.monitor.outcomes import outcome_of
from queued_gspread.monitor.resources import Account, AccountQuota, Cache
from queued_gspread.monitor.snapshot import Caller, Expectation, Lane, Server

EMPTY = snapshot_of(Observed("default", 1_000_000.0))
ID = "1lYdCutpdSVns1WJbE-is6RHZT39r1lMG6rVHrIhtBkY"
WAITS = (Expectation("read", 75.0, ""), Expectation("write", None, "a request is on its way"))


def lane(name, title):
    """Return a lane that waits for a slot."""
    where = (name, title, 1234, 1, 12.0, "worksheet.append_row", "worker-17:471100", 2.0)
    return Lane(*where, "quota", "write", 0.0, "", "", WAITS)


SERVER = Server(
    *("a", "works", "worker-17", 471100, "", "0.2.0", "6.2", "3.13", "bot", "7", 9.0, 1.0, 5.0),
    has_token=True,
    token_expires=60.0,
    options=(),
)
FAILED = outcome_of(
    FailedCall(
        *("J1", "worksheet.append_row", ID, "h:1", "OutcomeUnknownError"),
        sort="unknown",
        title="A title " * 9,
        sheet="Sheet1",
        at=datetime.fromtimestamp(999_940, timezone.utc),
    )
)
LOWERED = replace(EMPTY.quota[0], limit=60, effective=45, held=45, in_the_air=12, pause=12.0)
WHY = "Google refuses the key of b-service-account@b-project.iam.gserviceaccount.com: invalid_grant"


def account(name, held, why="", *, is_first=False, pause=0.0):
    """Return an account with a quota of 60 reads and writes each."""
    quota = (
        AccountQuota("read", 60, held, 0.0, 1000),
        AccountQuota("write", 60, 2, pause, 234),
        AccountQuota("drive", 0, 1, 0.0, 5),
    )
    address = f"{name}-service-account@{name}-project.iam.gserviceaccount.com"
    return Account(address, f"{name}-project", is_first, why != "", why, quota)


ACCOUNTS = (account("a", 45, is_first=True), account("b", 0, WHY), account("c", 7, pause=11.5))
FULL = replace(
    EMPTY,
    accounts=ACCOUNTS,
    cache=Cache(1204, 301, 3_300_000, 64 << 20, 120),
    account="a-service-account@a-project.iam.gserviceaccount.com",
    problems=("writes are paused by ann@web1 since 2026-11-30 16:42:25 UTC: moving the ledger",),
    servers=(SERVER,),
    quota=(LOWERED, *EMPTY.quota[1:]),
    lanes=(lane(ID, ""), lane("2", "価格表 2026"), lane("3", "A title " * 9)),
    lanes_in_all=3,
    outcomes=(FAILED,),
    outcomes_in_doubt=1,
    callers=(Caller("worker-17:471100", 1, 2, 3, 4.5, 6.0),),
)


def widths_of(lines):
    """Return how many columns of a terminal lines take, where only some signs are wide."""
    return [len(line) + sum(sign in "価格表" for sign in line) for line in lines]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize(
    "show",
    [
        lambda width: screen.status(FULL, "namespace 'default' at " + "x" * 40, (), width),
        lambda width: screen.lanes(FULL, (), width),
        lambda width: screen.callers(FULL, (), width),
    ],
    ids=["status", "lanes", "callers"],
)
def test_a_screen_is_no_wider_than_the_terminal(show, width):
    """No line is wider than the terminal, and what a lane waits for is there in all."""
    lines = show(width)
    assert max(widths_of(lines)) <= width
    text = "\n".join(lines)
    assert "1234" not in text or text.count("waits for a slot: writes") == 3


@pytest.mark.parametrize("width", [80, 100, 120, None])
def test_accounts_are_shown_with_what_each_may_send(width):
    """Of several accounts each has a line: its slots, and whether it is out; the quota's is one."""
    lines = screen.status(FULL, "here", (), width)
    place = next(n for n, line in enumerate(lines) if line.startswith("account "))
    shown = [" ".join(line.split()) for line in lines[place : place + 5]]
    assert shown[0].endswith("reads writes requests state")
    assert ("project" in shown[0]) is (width is None or width >= 120)
    for line, told in zip(
        shown[1:4],
        (
            "45 of 60 2 of 60 1,239 first",
            "0 of 60 2 of 60 1,239 out",
            "7 of 60 2 of 60 1,239 lends, writes pause 12 s",
        ),
        strict=True,
    ):
        assert line.endswith(told)
        name = "abc"[shown.index(line) - 1]
        assert line.startswith(f"{name}-service-account@{name}"[: (width or 120) // 4])
    assert shown[4].startswith("the quota above")
    assert [each for each in lines if each.startswith("account ")] == [lines[place]]
    one = screen.status(replace(FULL, accounts=FULL.accounts[:1]), "here", (), width)
    assert not any(line.startswith("account ") for line in one)


def test_what_memory_answers_is_shown_once_it_is_asked():
    """One line says what memory has answered and holds, if a read was made that may be old."""
    reads = "1,204 of 1,505 reads that may be some seconds old (80%)"
    told = f"memory answered {reads}, 0 in the last hour"
    (line,) = (each for each in screen.status(FULL, "here") if "memory" in each)
    assert line == f"{told}; it holds 120 answers in 3.1 MiB of 64.0 MiB"
    away = replace(FULL, cache=Cache(1204, 301, None, None, None))
    (line,) = (each for each in screen.status(away, "here") if "memory" in each)
    assert line == f"{told}; no server remembers any now"
    small = replace(FULL, cache=Cache(0, 1, 0, 2048, 0))
    (line,) = (each for each in screen.status(small, "here") if "memory" in each)
    assert line.endswith("(0%), 0 in the last hour; it holds 0 answers in 0.0 KiB of 2.0 KiB")
    for unasked in (Cache(0, 0, 0, 64 << 20, 0), EMPTY.cache):
        lines = screen.status(replace(FULL, cache=unasked), "here")
        assert not any("memory" in each for each in lines)


def test_what_a_narrow_terminal_leaves_out():
    """At 80 columns a row keeps title or id, calls, state and waits; a pipe gets all."""
    narrow, wide = screen.lanes(FULL, (), 80), screen.lanes(FULL)
    assert narrow[0].split() == [
        *("spreadsheet", "calls", "state", "a", "read", "now", "a", "write", "now")
    ]
    assert "1lYdCut" in narrow[1]
    assert "価格表 2026" in narrow[2]
    assert ID in wide[1]
    assert "worksheet.append_row of worker-17:471100" in wide[1]


def test_columns_are_aligned_whatever_the_signs():
    """Signs that take two columns of a terminal, or none, are counted so."""
    _, *rows = table(["title", "n"], [["価格表", "1"], ["plain", "22"], ["e\u0301a", "3"]])
    assert rows == ["価格表   1", "plain   22", "e\u0301a       3"]
    assert cut("価格表格表", 7) == "価格表…"


def test_numbers_and_whole_columns_are_cut_last():
    """Text is cut and columns are left out before a number or an id is."""
    head, row = ["job", "method", "caller", "age"], ["a" * 32, "m" * 30, "c" * 30, "13.3 s"]
    (_, shown) = table(head, [row], 60, whole=("job",), spare=("caller",))
    assert shown == f"{'a' * 32}  {'m' * 17}…  13.3 s"
    assert all(len(line) <= 40 for line in table(head, [row], 40, whole=("job",)))


def test_a_line_is_folded():
    """A line that is too wide goes on below, further to the right."""
    assert fold("one two three", None) == ["one two three"]
    assert fold("  one two three", 10) == ["  one two", "    three"]


def test_at_most_is_never_rounded_down():
    """A wait of at most 75 seconds is not called one of at most a minute."""
    shown = [screen.seconds(each, at_most=True) for each in (0.2, 75.0, 7201.0, 200_000.0)]
    assert shown == ["1 s", "2 min", "3 h", "3 d"]


def test_a_number_that_is_not_known_stays_in_its_column():
    """A question mark among numbers is aligned as they are."""
    assert table(["oldest"], [["12 s"], ["?"]])[1:] == ["  12 s", "     ?"]


def test_what_failed_is_said_whatever_the_title():
    """A long title leaves room for the error, in each terminal."""
    for width in (80, 100, 120):
        (line,) = (each for each in screen.status(FULL, "", (), width) if " ago" in each)
        assert ": OutcomeUnk" in line


def test_why_a_wait_is_not_known_stands_below_the_table():
    """The reason is said whole, once for all kinds that it holds for."""
    lines = screen.status(EMPTY, "here")
    assert "? reads, writes, Drive: no server works" in lines
    assert "? a request is on its way" in screen.lanes(FULL)


def test_of_a_server_that_is_gone_no_token_is_shown():
    """What a server had when it was last heard of says nothing about now."""
    gone = replace(FULL, servers=(replace(SERVER, role="gone"), SERVER))
    lines = screen.status(gone, "here")
    (shown,) = (line for line in lines if " gone " in line)
    assert shown.endswith("1 s")
    assert any(line.endswith("1 min") for line in lines)


def test_a_limit_that_nobody_has_published_is_not_known():
    """Before a server was there it is not said that there is no limit."""
    shown = [line.split()[:2] for line in screen.status(EMPTY, "here")]
    assert ["reads", "?"] in shown
    assert ["writes", "none"] in [line.split()[:2] for line in screen.status(FULL, "here")]


def test_a_screen_that_is_too_low_says_so():
    """What is below the end of a terminal is counted in its last line."""
    assert watching.on_screen(["1", "2", "3"], 80, 4) == ["1", "2", "3"]
    shown = watching.on_screen([str(number) for number in range(9)], 80, 5)
    assert shown == ["0", "1", "2", "… 6 more lines: make the window higher"]
