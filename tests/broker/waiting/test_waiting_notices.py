"""That a call waits is said once of a call, and once a minute by a process."""

from __future__ import annotations

import logging
import os
import signal
import threading

import pytest
from hand_clock import HandClock
from waiting import PATIENCE

from queued_gspread.broker.waiting import notices
from queued_gspread.broker.waiting.notices import Notice

WHY = "waiting for 2 calls ahead"


@pytest.fixture
def clock(monkeypatch):
    """Return the clock of the notices, in a process that has said nothing yet."""
    clock = HandClock()
    monkeypatch.setattr(notices, "now", clock)
    monkeypatch.setattr(notices._Latest, "process", 0)
    monkeypatch.setattr(notices._Latest, "moment", 0.0)
    monkeypatch.setattr(notices._Latest, "turn", (0, 0.0))
    monkeypatch.setattr(notices._Latest, "told", (0, 0.0))
    return clock


@pytest.fixture
def said(caplog):
    """Return what returns the lines so far, each with its level and its logger."""
    return lambda: [(one.name, one.levelname, one.getMessage()) for one in caplog.records]


def tell(notice):
    """Have a call say why it waits, if it is time to; return whether it was."""
    is_its_turn = notice.takes_turn()
    if is_its_turn:
        notice.say(WHY)
    return is_its_turn


def test_a_call_says_once_that_it_waits_and_once_that_it_goes_on(clock, said):
    """Nothing is said before ten seconds, then one warning, and one when the call goes on."""
    notice = Notice(clock())
    assert notice.left == 10.0
    clock.now = 9.99
    assert not tell(notice)
    clock.now = 10.0
    assert tell(notice)
    clock.now = 100.0
    assert not tell(notice)
    notice.end()
    notice.end()
    assert said() == [
        ("queued_gspread", "WARNING", f"queued_gspread: {WHY}"),
        ("queued_gspread", "WARNING", "queued_gspread: goes on after 100 s"),
    ]


def test_who_logs_at_info_is_told_earlier_and_every_minute(clock, said, restored_log):
    """After five seconds there is a record at INFO, the warning as ever, and one a minute later."""
    logging.getLogger("queued_gspread").setLevel(logging.INFO)
    notice = Notice(clock())
    assert notice.left == 5.0
    for moment in (4.9, 5.0, 9.9, 10.0, 69.9, 70.0, 129.9, 130.0):
        clock.now = moment
        if notice.takes_turn():
            notice.say(WHY, "behind 2 calls")
    notice.end()
    brief, why = "queued_gspread: behind 2 calls", f"queued_gspread: {WHY}"
    over = "queued_gspread: goes on after 130 s"
    assert [(level, text) for _, level, text in said()] == [
        *(("INFO", brief), ("WARNING", why), ("INFO", brief), ("INFO", brief)),
        ("WARNING", over),
    ]


def test_a_process_tells_once_a_minute_at_info(clock, said, restored_log):
    """Of many calls one is told of at INFO, which goes on at INFO if there was no warning."""
    logging.getLogger("queued_gspread").setLevel(logging.INFO)
    clock.now = 5.0
    waiting = [Notice(0.0) for _ in range(5)]
    assert [tell(notice) for notice in waiting] == [True, *[False] * 4]
    clock.now = 7.0
    for notice in waiting:
        notice.end()
    assert [(level, text) for _, level, text in said()] == [
        ("INFO", f"queued_gspread: {WHY}"),
        ("INFO", "queued_gspread: goes on after 7 s"),
    ]


def test_a_call_that_said_why_it_waits_has_that_as_its_last_words(clock):
    """A call that said why it waits has that for its error, with the time; another has nothing."""
    notice = Notice(clock())
    assert notice.last_words() == ""
    clock.now = 12.0
    assert tell(notice)
    clock.now = 30.0
    assert notice.last_words() == f". Why it waited, as said after 12 s: {WHY}"


def test_a_call_that_said_nothing_goes_on_without_a_word(clock, said):
    """A call that was answered before ten seconds were over says nothing at all."""
    notice = Notice(clock())
    clock.now = 9.0
    assert not tell(notice)
    notice.end()
    assert said() == []


def test_a_process_says_it_once_a_minute(clock, said):
    """Of many calls one says that it waits; another one does a minute later, if it still waits."""
    waiting = [Notice(clock()) for _ in range(5)]
    clock.now = 10.0
    assert [tell(notice) for notice in waiting] == [True, *[False] * 4]
    clock.now = 69.9
    assert not any(map(tell, waiting))
    clock.now = 70.0
    assert [tell(notice) for notice in waiting] == [False, True, *[False] * 3]
    for notice in waiting:
        notice.end()
    assert len(said()) == 4


def test_many_threads_say_it_once(clock, said):
    """However many threads find at one moment that it is time, one of them asks and says it."""
    clock.now = 10.0
    together, turns = threading.Barrier(16), []

    def wait():
        notice = Notice(0.0)
        together.wait(PATIENCE)
        turns.append(notice.takes_turn())
        together.wait(PATIENCE)
        notice.say(WHY)
        notice.end()

    threads = [threading.Thread(target=wait) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert turns.count(True) == 1
    assert len(said()) == 2


def test_the_next_call_asks_if_the_one_whose_turn_it_was_says_nothing(clock):
    """A call that has asked and was then answered, or failed, does not silence all others."""
    clock.now = 10.0
    assert Notice(0.0).takes_turn()
    assert not Notice(0.0).takes_turn()
    clock.now = 15.0
    assert Notice(0.0).takes_turn()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_says_it_for_itself(clock, said):
    """A child has a minute of its own, and a lock that its parent's threads do not hold."""
    clock.now = 10.0
    assert tell(Notice(0.0))
    with notices._lock.own:
        child = os.fork()
        if not child:
            signal.alarm(int(PATIENCE))
            done = threading.Thread(target=lambda: os._exit(7 if tell(Notice(0.0)) else 8))
            done.start()
            done.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_who_is_quiet_says_nothing(clock, said):
    """A quiet client says nothing, however long its calls wait, and asks nothing for that."""
    notice = Notice(clock(), is_quiet=True)
    clock.now = 1000.0
    assert not tell(notice)
    notice.end()
    assert said() == []


def test_a_logger_that_takes_no_warnings_is_not_spoken_to(clock, said, restored_log):
    """Where the logger's level keeps warnings out, nothing is asked, and no minute is used up."""
    logging.getLogger("queued_gspread").setLevel(logging.ERROR)
    clock.now = 10.0
    assert not tell(Notice(0.0))
    logging.getLogger("queued_gspread").setLevel(logging.WARNING)
    assert tell(Notice(0.0))
    assert len(said()) == 1


class Raising(logging.Filter):
    """Fails at every record."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def filter(self, _):
        raise self.error


@pytest.fixture
def raising():
    """Return what has the logger's filter raise something, until the test is over."""
    logger, added = logging.getLogger("queued_gspread"), []

    def add(error):
        added.append(Raising(error))
        logger.addFilter(added[-1])

    yield add
    for one in added:
        logger.removeFilter(one)


def test_a_log_that_fails_ends_no_call(clock, raising):
    """What a user's filter or handler raises stays there, and the call goes on waiting."""
    raising(ValueError("a filter's"))
    clock.now = 10.0
    notice = Notice(0.0)
    assert tell(notice)
    notice.end()


def test_what_breaks_into_the_log_comes_out(clock, raising):
    """What is no error of the log's, such as Ctrl-C, is not kept from the caller."""
    raising(KeyboardInterrupt())
    clock.now = 10.0
    with pytest.raises(KeyboardInterrupt):
        tell(Notice(0.0))
