"""Work in a thread of its own, whoever waits for it, and however that wait ends."""

from __future__ import annotations

import _thread
import itertools
import os
import sys
import threading

import pytest
from processes import start_python
from waiting import PATIENCE, eventually

from queued_gspread.broker.connection.detached import aside

# Ends while work goes on that it started; the work ends a little later, and says so.
ENDS = """
import os, sys, time
from queued_gspread.broker.connection.detached import aside
from queued_gspread._clock import now

def work():
    sys.stdin.readline()
    print("done", flush=True)

aside(work, awaited_until=now() + {seconds})
if {forks} and os.fork():
    os.wait()
print("ends", flush=True)
"""


class InterruptedHereError(Exception):
    """What breaks in."""


def interrupted(do, number):
    """Do something until its function in C of that number returns; tell whether it came so far."""
    numbers = itertools.count()

    def watch(frame, event, arg):
        del frame, arg
        if event == "c_return" and next(numbers) == number:
            sys.setprofile(None)
            raise InterruptedHereError

    sys.setprofile(watch)
    try:
        do()
    except InterruptedHereError:
        return True
    finally:
        sys.setprofile(None)
    return False


def test_work_ends_whenever_who_waits_is_interrupted():
    """Work comes to its end, wherever whoever started it or waits for it is interrupted."""
    for number in itertools.count():
        before, is_free = _thread._count(), threading.Event()
        came_so_far = interrupted(lambda free=is_free: aside(free.wait).wait(0.05), number)
        is_free.set()
        eventually(lambda before=before: _thread._count() <= before, "the thread has ended")
        if not came_so_far:
            break
    assert number > 5


def test_what_is_wanted_no_more_is_closed():
    """A result that is given up is closed once, before it is there or after."""
    is_free, closed = threading.Event(), []
    early, late = aside(lambda: is_free.wait(PATIENCE) and "early"), aside(lambda: "late")
    early.give_up(closed.append)
    assert late.wait(PATIENCE)
    assert closed == []
    late.give_up(closed.append)
    is_free.set()
    eventually(lambda: closed == ["late", "early"], "both are closed")


def test_what_work_raises():
    """What work raises is raised for whoever asks for its result, and closes nothing."""
    closed, done = [], aside(lambda: 1 / 0)
    assert done.wait(PATIENCE)
    done.give_up(closed.append)
    with pytest.raises(ZeroDivisionError):
        done.result()
    assert closed == []


def test_a_process_waits_for_what_is_to_be_done():
    """A process that ends waits for work that has to be done, for as long as was said."""
    process = start_python(ENDS.format(seconds=PATIENCE, forks=False))
    assert process.stdout.readline() == "ends\n"
    told, _ = process.communicate("go on\n", timeout=PATIENCE)
    assert (told, process.returncode) == ("done\n", 0)


def test_a_process_waits_no_longer_than_was_said():
    """Work that does not end in time does not keep the process."""
    process = start_python(ENDS.format(seconds=0.1, forks=False))
    assert process.wait(PATIENCE) == 0
    assert process.communicate()[0] == "ends\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_waits_for_nothing_of_its_parents():
    """A child that was forked meanwhile has not that thread, and ends at once."""
    process = start_python(ENDS.format(seconds=PATIENCE, forks=True))
    assert process.stdout.readline() == "ends\n"
    assert process.stdout.readline() == "ends\n"
    process.communicate("go on\n", timeout=PATIENCE)
