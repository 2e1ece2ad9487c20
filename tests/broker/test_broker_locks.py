"""Locks as they stand in Redis."""

from __future__ import annotations

import pytest

from queued_gspread.broker import LockHolder, holder_lane, is_lock, lock_number, spreadsheet_lane
from queued_gspread.broker.locks import holder_of, holders_of
from queued_gspread.broker.waiting.reason import Sight, reason
from queued_gspread.protocol.messages import new_id

TEXT = "L1 1700000000000 1700000001500 30000 held web1, process 4711"
HOLDER = LockHolder("a", "L1", "web1, process 4711", 1.7e9, 1.7e9 + 1.5, 30.0, "held")


def test_a_holder_is_read_as_it_was_written():
    """What the scripts write is read with times in seconds."""
    assert holder_of("a", TEXT.encode()) == HOLDER
    assert holders_of({b"a": TEXT.encode(), b"b": b"something else"}) == [HOLDER]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "L1",
        TEXT.replace("held", "mine"),
        TEXT.replace("1700000000000", "9" * 30),
        TEXT.replace("1700000001500", "-1"),
        TEXT.replace("30000", "nan"),
    ],
)
def test_what_a_stranger_has_written_is_no_holder(text):
    """A value of another form counts as none."""
    assert holder_of("a", text) is None


def test_a_name_of_a_stranger_is_not_shown():
    """A holder's name that would break a line of the log is not shown, and a long one is cut."""
    assert holder_of("a", TEXT + "\x1b[31m").who == "?"
    assert len(holder_of("a", TEXT + "x" * 999).who) == 100


def test_a_lock_is_known_by_its_job():
    """Only the jobs that ask for locks have ids of theirs, and a lane shows whose it is."""
    number = lock_number()
    assert is_lock(number)
    assert not is_lock(new_id())
    assert spreadsheet_lane(holder_lane("a", number)) == spreadsheet_lane("a") == "a"


def test_who_waits_reads_who_holds_the_lock():
    """The reason names the holder, for how long and since when, and the calls that wait before."""
    sight = Sight(lock=HOLDER, moment=1.7e9 + 6, ahead=3)
    assert reason(sight) == (
        "the spreadsheet is locked by web1, process 4711 for 6 s, "
        "since 2023-11-14 22:13:20+00:00: 2 calls ahead"
    )
