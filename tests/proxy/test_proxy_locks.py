"""Locks: a spreadsheet for one caller alone."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress

import pytest
import redis
from lock_fixtures import *  # noqa: F403 - pytest finds fixtures by the names that are here
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import producer
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.operators import Operator
from queued_gspread.broker.waiting import notices
from queued_gspread.errors import (
    CallTimeoutError,
    LockError,
    LockLostError,
    QueueDrainedError,
    QueueFullError,
)
from queued_gspread.proxy import locking
from queued_gspread.server import Server
from queued_gspread.settings import Settings

LOCK_MODULE = sys.modules["queued_gspread.lock"]


@pytest.fixture
def raw(redis_url):
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def lapse(queue):
    """Wait until no lock is held any more."""
    eventually(lambda: not queue.holders())


# What a block keeps out -------------------------------------------------------------------------


def test_the_holder_works_and_the_others_wait(ws, other, background, waiting):
    """In the block the holder's calls are made; others' wait, reads too, and go on after it."""
    with gspread.lock(ws):
        ws.update_acell("A1", "mine")
        theirs = background(other.acell, "A1")
        eventually(lambda: waiting(ws) == 2)
        assert ws.acell("A1").value == "mine"
        ws.update_acell("A1", "still mine")
        assert not theirs.done()
    assert theirs.result(PATIENCE).value == "still mine"


def test_others_keep_their_order(ws, other, background, waiting):
    """What waits behind a lock is made in the order in which it came."""
    with gspread.lock(ws):
        theirs = []
        for number in range(5):
            theirs.append(background(other.append_row, [f"row {number}"]))
            eventually(lambda count=number + 2: waiting(ws) == count)
        ws.append_row(["mine"])
    for each in theirs:
        each.result(PATIENCE)
    rows = [row[0] for row in ws.get_all_values()]
    assert rows == ["mine", *(f"row {number}" for number in range(5))]


def test_another_spreadsheet_notices_nothing(ws, gc):
    """The holder's and others' calls to other spreadsheets are made meanwhile."""
    free = gc.create("Free").sheet1
    with gspread.lock(ws):
        free.update_acell("A1", "made")
        assert free.acell("A1").value == "made"


def test_an_append_after_a_block_finds_what_the_block_wrote(ws):
    """Rows appended before, in and after a block stand below each other."""
    with gspread.pipeline():
        for number in range(3):
            ws.append_row([f"before {number}"])
    with gspread.lock(ws):
        ws.update([["written"]], "A4")
    with gspread.pipeline():
        for number in range(3):
            ws.append_row([f"after {number}"])
    assert [row[0] for row in ws.get_all_values()] == [
        *(f"before {number}" for number in range(3)),
        "written",
        *(f"after {number}" for number in range(3)),
    ]


def test_nothing_is_left_of_a_lock(ws, raw, namespace):
    """After a block neither the lock nor its lanes are in Redis."""
    with gspread.lock(ws):
        ws.update_acell("A1", "mine")
    ws.acell("A1")
    keys = Keys(namespace)
    assert raw.keys(keys.lane("*")) == []
    assert not raw.exists(keys.locks, keys.active, keys.progress, keys.deliveries, keys.depth)


def test_increments_under_a_lock_are_all_there(ws):
    """Threads that read, add one and write under one lock object leave the sum."""
    ws.update_acell("A1", 0)
    lock = gspread.lock(ws)

    def work():
        for _ in range(5):
            with lock:
                ws.update_acell("A1", int(ws.acell("A1").value) + 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ws.acell("A1").value == "20"


# Who holds it -----------------------------------------------------------------------------------


def test_another_thread_is_not_the_holder(ws, background, waiting):
    """A call of a thread that was started in the block waits for its end."""
    with gspread.lock(ws):
        theirs = background(ws.update_acell, "A1", "theirs")
        eventually(lambda: waiting(ws) == 2)
        assert ws.acell("A1").value is None
    theirs.result(PATIENCE)
    assert ws.acell("A1").value == "theirs"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_is_not_the_holder(ws, open_again):
    """A child's calls wait for the end of its parent's block, and its own end does not end that."""
    hasty = open_again(ws, timeout=0.2)
    with gspread.lock(ws):
        child = os.fork()
        if not child:
            status = 1
            with suppress(CallTimeoutError):
                hasty.update_acell("A1", "the child's")
                status = 2
            os._exit(0 if status == 1 else status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        ws.update_acell("A1", "the parent's")
    assert ws.acell("A1").value == "the parent's"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_that_leaves_the_block_releases_nothing(ws, queue):
    """Where a child goes through the end of its parent's block, the parent still has the lock."""
    lock = gspread.lock(ws)
    with lock:
        (holder,) = queue.holders()
        child = os.fork()
        if not child:
            lock.__exit__(None, None, None)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        ws.acell("A1")
        assert [each.number for each in queue.holders()] == [holder.number]


def test_threads_that_share_a_lock_object_end_their_own_blocks(ws, background):
    """Each thread finds its block, whatever the others begin and end at that moment."""
    lock, before = gspread.lock(ws), sys.getswitchinterval()

    def work():
        for _ in range(500):
            block = lock._new_block()
            lock._begin(block)
            assert lock._innermost() is block
            lock._end(block)

    sys.setswitchinterval(1e-6)
    try:
        for each in [background(work) for _ in range(4)]:
            each.result(PATIENCE)
    finally:
        sys.setswitchinterval(before)
    assert not lock._blocks


def test_the_same_lock_again_is_the_same(ws, sh, queue):
    """A lock of what is locked here already changes nothing, and its end neither."""
    with gspread.lock(ws):
        (holder,) = queue.holders()
        with gspread.lock(sh), gspread.lock(ws):
            ws.update_acell("A1", "inside")
        assert [each.number for each in queue.holders()] == [holder.number]
        ws.update_acell("A2", "still inside")
    assert queue.holders() == []


def test_a_second_lock_inside_a_block_is_refused(ws, gc):
    """It could wait for somebody who waits for the first one; the error says how to take both."""
    second = gc.create("Second")
    with gspread.lock(ws):
        with pytest.raises(LockError, match=r"lock\(a, b\)"), gspread.lock(second):
            pass
        ws.acell("A1")


@pytest.mark.parametrize(
    ("sheets", "options", "error"),
    [((), {}, TypeError), (("A1",), {}, TypeError), ((object(),), {"hold": 1}, TypeError)],
)
def test_what_cannot_be_locked(sheets, options, error):
    """Only spreadsheets and worksheets of this package can be locked."""
    with pytest.raises(error):
        gspread.lock(*sheets, **options)


@pytest.mark.parametrize("hold", [0, -1, 1e6, float("nan"), True, None, "30", 10**400])
def test_a_hold_that_makes_no_sense(ws, hold):
    """The time after which a lock lapses is a number of seconds, positive and at most a day."""
    with pytest.raises(ValueError, match="hold"):
        gspread.lock(ws, hold=hold)


def generated(ws):
    """Hold a lock for as long as a generator is not at its end."""
    with gspread.lock(ws, hold=600):
        yield


def test_blocks_of_generators_end_in_any_order(ws, other, queue):
    """The lock ends with the last of them, and the thread holds nothing then."""
    first, second = generated(ws), generated(ws)
    next(first)
    next(second)
    first.close()
    ws.update_acell("A1", "still locked")
    assert len(queue.holders()) == 1
    second.close()
    assert queue.holders() == []
    other.update_acell("A1", "theirs")
    assert ws.acell("A1").value == "theirs"


def test_a_generator_that_another_thread_closes(ws, other, queue, background):
    """A block that another thread ends is over, for the thread too that has begun it."""
    block = generated(ws)
    next(block)
    background(block.close).result(PATIENCE)
    assert queue.holders() == []
    other.update_acell("A1", "theirs")
    assert ws.acell("A1").value == "theirs"


# Several ----------------------------------------------------------------------------------------


def test_a_spreadsheet_twice_by_two_urls(ws, redis_url, namespace):
    """A lock that would wait for itself is refused, with both URLs."""
    again = redis_url.replace("127.0.0.1", "localhost")
    assert again != redis_url
    client = gspread.authorize(redis_url=again, namespace=namespace)
    with pytest.raises(LockError, match=r"127\.0\.0\.1.*localhost"):
        gspread.lock(ws, client.open_by_key(ws.spreadsheet_id))


def test_two_locks_in_any_order_never_wait_for_each_other(ws, gc):
    """Callers that name the same spreadsheets in different orders all come through."""
    second = gc.create("Second").sheet1
    ws.update_acell("A1", 0)
    second.update_acell("A1", 0)

    def work(*sheets):
        for _ in range(5):
            with gspread.lock(*sheets):
                for sheet in (ws, second):
                    sheet.update_acell("A1", int(sheet.acell("A1").value) + 1)

    threads = [
        threading.Thread(target=work, args=sheets)
        for sheets in ((ws, second), (second, ws), (ws, second, ws))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ws.acell("A1").value, second.acell("A1").value) == ("15", "15")


def test_a_lock_is_kept_while_its_caller_waits_for_the_next(gc, open_again, background, queue):
    """Of two, the first does not lapse while the second is held by somebody else."""
    books = sorted((gc.create("One"), gc.create("Two")), key=lambda book: book.id)
    first, second = (book.sheet1 for book in books)
    with gspread.lock(open_again(second)):

        def both():
            with gspread.lock(second, first, hold=1.0):
                first.update_acell("A1", "both")

        waiting = background(both)
        held = []

        def was_extended():
            held.extend(each for each in queue.holders() if each.lane == books[0].id)
            return held and held[-1].last - held[-1].since > 2 * held[-1].hold

        eventually(was_extended)
    waiting.result(PATIENCE)
    assert len({each.number for each in held}) == 1
    assert first.acell("A1").value == "both"


# Its end ----------------------------------------------------------------------------------------


def test_a_lock_lapses_without_calls(ws, other, background, queue):
    """After `hold` seconds without a call others go on, and a call of the holder is not sent."""
    with gspread.lock(ws, hold=0.2):
        ws.update_acell("A1", "mine")
        lapse(queue)
        background(other.update_acell, "A1", "theirs").result(PATIENCE)
        with pytest.raises(LockLostError, match="was not made"):
            ws.update_acell("A1", "too late")
        with pytest.raises(LockLostError):
            ws.acell("A1")
    assert ws.acell("A1").value == "theirs"


def test_a_block_whose_calls_are_answered_ends_without_an_error(ws, queue):
    """A lock that lapsed after the last call of a block is no error."""
    with gspread.lock(ws, hold=0.2):
        ws.update_acell("A1", "mine")
        lapse(queue)
    assert ws.acell("A1").value == "mine"


def test_a_lapsed_lock_is_no_longer_used_even_if_nobody_waits(ws, queue, raw, namespace):
    """Redis's clock alone says when a lock has lapsed, before any server has seen that."""
    with gspread.lock(ws, hold=60):
        ws.update_acell("A1", "mine")
        text = raw.hget(Keys(namespace).locks, ws.spreadsheet_id).split(" ", 4)
        text[2] = str(int(text[2]) - 60_000)
        raw.hset(Keys(namespace).locks, ws.spreadsheet_id, " ".join(text))
        with pytest.raises(LockLostError):
            ws.acell("A1")


def test_a_broken_lock(ws, other, background, queue, waiting):
    """An operator ends a lock: the others go on, and the holder's next call is not sent."""
    with gspread.lock(ws):
        theirs = background(other.acell, "A1")
        eventually(lambda: waiting(ws) == 2)
        (holder,) = queue.holders()
        assert str(os.getpid()) in holder.who
        assert queue.break_lock(holder)
        assert theirs.result(PATIENCE).value is None
        with pytest.raises(LockLostError):
            ws.update_acell("A1", "too late")
    assert not queue.break_lock(holder)
    assert ws.acell("A1").value is None


def test_a_lane_that_was_deleted_while_nobody_waits(ws, open_again, raw, namespace):
    """Once the lock has ended, the lane is as good as new."""
    other = open_again(ws, timeout=PATIENCE)
    with gspread.lock(ws):
        raw.delete(Keys(namespace).lane(ws.spreadsheet_id))
    other.update_acell("A1", "theirs")
    assert ws.acell("A1").value == "theirs"


def test_an_error_in_a_block_ends_the_lock(ws, other):
    """What is raised in a block comes out, and others go on."""
    with pytest.raises(ZeroDivisionError), gspread.lock(ws):
        raise ZeroDivisionError
    assert other.acell("A1").value is None


# Waiting for it ---------------------------------------------------------------------------------


def test_waiting_for_a_lock_ends_with_the_timeout(ws, open_again, background, waiting):
    """Who waits for a lock for longer than the client's timeout is told, and has left the line."""
    hasty = open_again(ws, timeout=0.2)
    with gspread.lock(ws):
        waited = background(gspread.lock(hasty).__enter__)
        with pytest.raises(CallTimeoutError, match="not started"):
            waited.result(PATIENCE)
        assert waiting(ws) == 1
    assert ws.acell("A1").value is None


@pytest.fixture
def interrupt():
    """Return what interrupts the main thread; a process of pytest-xdist ignores SIGINT."""
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_waiting_for_a_lock_is_interrupted(ws, other, waiting, interrupt):
    """Ctrl-C leaves the line, whoever holds the lock."""
    told = threading.Event()

    def hold():
        with gspread.lock(other, hold=2 * PATIENCE):
            told.wait(PATIENCE)

    def interrupt_later():
        eventually(lambda: waiting(ws) == 2)
        interrupt()

    holding = threading.Thread(target=hold)
    interrupting = threading.Thread(target=interrupt_later)
    holding.start()
    eventually(lambda: waiting(ws) == 1)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt), gspread.lock(ws):
        pass
    interrupting.join()
    assert waiting(ws) == 1
    told.set()
    holding.join()
    assert ws.acell("A1").value is None


def test_who_waits_is_told_who_holds_the_lock(ws, other, background, caplog, monkeypatch):
    """The line of the log has the holder's host and process, and since when."""
    monkeypatch.setattr(producer, "LOCK_PATIENCE", 0.1)
    monkeypatch.setattr(notices._Latest, "process", 0)
    monkeypatch.setattr(notices._Latest, "turn", (0, 0.0))

    def both():
        with gspread.lock(other):
            return other.acell("A1").value

    with gspread.lock(ws):
        theirs = background(both)
        eventually(lambda: caplog.messages and "locked by" in caplog.messages[-1])
    assert theirs.result(PATIENCE) is None
    line = next(line for line in caplog.messages if "locked by" in line)
    assert f"process {os.getpid()} for" in line
    assert "since 20" in line


def test_a_full_queue_does_not_keep_a_lock(
    redis_url, namespace, emulator, key_file, background, raw
):
    """Where as many calls wait as may, the holder is told so, and its block still ends."""
    account = {"service_account": key_file, "api_endpoint": emulator.url}
    with Server(redis_url=redis_url, namespace=namespace, max_queue=2, **account):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace)
        ws = client.create("Full").sheet1
        with gspread.lock(ws):
            theirs = background(ws.update_acell, "A1", "theirs")
            eventually(lambda: raw.get(Keys(namespace).depth) == "2")
            with pytest.raises(QueueFullError):
                ws.acell("A1")
        theirs.result(PATIENCE)


def interrupting(number, hit):
    """Return a trace that raises KeyboardInterrupt at a line of the block's own code."""

    def at_line(frame, event, _):
        if event == "line" and (code := frame.f_code).co_name != "__exit__":
            hit.append(f"{code.co_name}:{frame.f_lineno}")
            if len(hit) == number:
                raise KeyboardInterrupt
        return at_line

    ours = (LOCK_MODULE.__file__, locking.__file__)
    return lambda frame, _, __: at_line if frame.f_code.co_filename in ours else None


def test_an_interrupt_at_any_line_leaves_nothing_locked(ws, gc, queue):
    """Ctrl-C while a block begins or ends: the lock is free, and the thread is no holder."""
    lock = gspread.lock(ws, gc.create("Second"), hold=600)
    number, hit = 0, []
    while len(hit) == number:
        number, hit = number + 1, []
        before = sys.gettrace()
        sys.settrace(interrupting(number, hit))
        try:
            with suppress(KeyboardInterrupt), lock:
                pass
        finally:
            sys.settrace(before)
        assert locking.current() is None, hit[-1]
        assert queue.holders() == [], hit[-1]
    assert number > 30


# Pipelines --------------------------------------------------------------------------------------


def test_a_pipeline_inside_a_block(ws, other, background, waiting):
    """The calls of a pipeline in a block are the holder's."""
    with gspread.lock(ws):
        theirs = background(other.get_all_values)
        eventually(lambda: waiting(ws) == 2)
        with gspread.pipeline():
            for number in range(10):
                ws.append_row([number])
    assert len(theirs.result(PATIENCE)) == 10


def test_a_block_inside_a_pipeline(ws, other, background, waiting):
    """A lock that is left with calls on their way ends after these."""
    with gspread.pipeline():
        ws.append_row(["before"])
        with gspread.lock(ws):
            theirs = background(other.get_all_values)
            eventually(lambda: waiting(ws) == 2)
            for number in range(10):
                ws.append_row([number])
    assert len(theirs.result(PATIENCE)) == 11


# Past the queue ---------------------------------------------------------------------------------


def test_what_goes_past_the_queue_is_not_kept_out(ws, emulator):
    """A program that sends to Google itself writes into a spreadsheet that is locked."""
    past = emulator.gspread_client().open_by_key(ws.spreadsheet_id).sheet1
    with gspread.lock(ws):
        past.update_acell("A1", "past")
        assert ws.acell("A1").value == "past"


def age(raw, namespace, ws):
    """Let the holder of a lock have had its latest call an hour ago."""
    locks = Keys(namespace).locks
    number, since, last, *rest = raw.hget(locks, ws.spreadsheet_id).split(" ")
    last = str(int(last) - 3_600_000)
    raw.hset(locks, ws.spreadsheet_id, " ".join([number, since, last, *rest]))


def test_a_lock_does_not_lapse_under_a_pause(ws, raw, redis_url, namespace):
    """While all is paused the time of a lock stands still; after it the holder has all of it."""
    operator = Operator(Settings(redis_url=redis_url, namespace=namespace), "ann@web1")
    with gspread.lock(ws):
        operator.pause("all", ws.spreadsheet_id)
        age(raw, namespace, ws)
        assert operator.resume() != ()
        assert ws.acell("A1").value is None


def test_a_lock_that_nobody_uses_lapses_after_a_pause(
    ws, other, raw, background, redis_url, namespace
):
    """Who holds a lock and is gone loses it once its time is over after the pause."""
    operator = Operator(Settings(redis_url=redis_url, namespace=namespace), "ann@web1")
    with gspread.lock(ws):
        operator.pause("all")
        theirs = background(other.update_acell, "A1", "theirs")
        operator.resume()
        age(raw, namespace, ws)
        theirs.result(PATIENCE)
        with pytest.raises(LockLostError):
            ws.acell("A1")


def test_who_holds_a_lock_may_go_on_in_a_queue_that_is_drained(ws, redis_url, namespace):
    """The calls of its block are part of what there is; a new lock is not."""
    operator = Operator(Settings(redis_url=redis_url, namespace=namespace), "ann@web1")
    with gspread.lock(ws):
        operator.drain()
        assert ws.acell("A1").value is None
    with pytest.raises(QueueDrainedError), gspread.lock(ws):
        pass
    operator.resume()
