"""How much memory calls may take at a time: what would take more waits, and not for ever."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest
from calls import WORKSHEET, read, send, write
from flood import memory_of
from gate import SHEETS, response
from gspread import Cell
from waiting import PATIENCE, eventually

from queued_gspread import Worksheet
from queued_gspread.broker import Entry
from queued_gspread.errors import CallTimeoutError
from queued_gspread.protocol.messages import Job
from queued_gspread.server.calls.call import Call
from queued_gspread.server.calls.memory import Memory, Portion, estimate, estimate_answers
from queued_gspread.server.lanes import lane as lane_module
from queued_gspread.server.pacing.ticket_queue import ANSWERS, FREE, LARGE, SMALL
from queued_gspread.server.policy.rectangles import MOST_OBJECTS
from queued_gspread.server.policy.request import Exchange, Request, Response
from queued_gspread.server.sending.releases import Releases

BUDGET = 64_000_000
TEXT = "x" * 1_000_000
READ = Job("http_client", "values_get", args=("lane", "A1"))


def entry(place, body):
    return Entry("lane", place, f"id of {place}", body, "", 1)


def of_size(place, size):
    """Return a job whose call is estimated to take twelve times so many bytes."""
    return entry(place, b"x" * size)


@pytest.fixture
def memory():
    """Return 2,400 bytes for calls of 150 at the most, 4,800 for others, 2,400 for answers."""
    return Memory(9_600)


def test_a_large_call_waits_for_large_ones_alone(memory):
    """What one kind has taken keeps no other one waiting."""
    assert (memory.kind(150), memory.kind(151)) == (SMALL, LARGE)
    assert memory.take(LARGE, 4_800)
    assert not memory.take(LARGE, 151)
    assert memory.take(ANSWERS, 2_400)
    assert not memory.take(ANSWERS, 1)
    assert all(memory.take(SMALL, 150) for _ in range(16))
    assert not memory.take(SMALL, 150)
    memory.give_back(LARGE, 4_800)
    assert memory.take(LARGE, 151)
    assert not memory.take(SMALL, 1)


def test_what_is_larger_than_the_budget_has_it_alone(memory):
    """A call above the budget is not refused: it is made when no other large one is."""
    assert memory.take(LARGE, 151)
    assert not memory.take(LARGE, 1_000_000)
    memory.give_back(LARGE, 151)
    assert memory.take(LARGE, 1_000_000)
    assert not memory.take(LARGE, 151)


def test_nobody_passes_by_the_line(memory):
    """While the first in line is too large for what is left, nobody else takes that."""
    freed = []
    memory.on_free(freed.append)
    assert memory.take(LARGE, 3_000)
    assert not memory.take(LARGE, 2_000, in_line=True)
    assert not memory.take(LARGE, 200)
    memory.give_back(LARGE, 3_000)
    assert freed == [LARGE]
    assert memory.take(LARGE, 2_000, in_line=True)
    assert memory.take(LARGE, 200)
    memory.give_back(LARGE, 200)
    assert freed == [LARGE]


def test_the_smallest_calls_wait_for_nothing():
    """Calls of the usual size, such as reads, are made however much memory others have."""
    memory = Memory(65_536 * 1_000)
    assert memory.take(SMALL, 65_536 * 250)
    assert not memory.take(memory.kind(1_001), 1_001)
    assert memory.take(memory.kind(1_000), 1_000)
    memory.give_back(memory.kind(1_000), 1_000)
    assert memory.taken[SMALL] == 65_536 * 250
    body = Job("worksheet", "append_row", WORKSHEET, (["a text", 1, 2.5, True] * 2,)).encode()
    assert Memory().kind(estimate(body)) == FREE


def test_no_bound_is_no_bound():
    """With 0, any number of calls may take any amount."""
    memory = Memory(0)
    assert all(memory.take(LARGE, 2**50) for _ in range(1_000))


@pytest.mark.parametrize("is_closed", [False, True])
def test_what_a_lane_has_taken_is_given_back(memory, is_closed):
    """However a lane ends, nothing of its calls counts any more, what it waited for included."""
    portion = Portion(memory)
    first, second = of_size("1-0", 300), of_size("2-0", 10)
    assert portion.take(first)
    assert portion.take(second)
    assert portion.take_answers(240) is None
    assert memory.taken == {LARGE: 3_600, SMALL: 120, ANSWERS: 240}
    waiting = portion.ticket(of_size("3-0", 100))
    assert (waiting.kind, portion.ask(waiting).word) == (LARGE, "go")
    assert portion.ticket(of_size("3-0", 1)).kind == SMALL
    if not is_closed:
        for each in (first, first, second):
            portion.give_back(each)
        portion.give_answers_back()
    portion.close()
    portion.close()
    assert set(memory.taken.values()) == {0}


def test_a_job_that_takes_again_has_what_it_needs_once(memory):
    """Where letting a job join others has failed half-way, its turn counts, and not the attempt."""
    portion = Portion(memory)
    assert portion.take(of_size("1-0", 300))
    assert portion.take(of_size("1-0", 300))
    assert memory.taken[LARGE] == 3_600
    portion.close()
    assert memory.taken[LARGE] == 0


def test_answers_are_waited_for_if_they_are_large(memory):
    """A small answer is read at once, a large one when there is memory for it."""
    one, other = Portion(memory), Portion(memory)
    assert one.take_answers(2_280) is None
    assert other.take_answers(120) is None
    waiting = other.take_answers(360)
    assert (waiting.kind, other.ask(waiting).word) == (ANSWERS, "wait")
    one.give_answers_back()
    assert other.ask(waiting).word == "go"
    other.give_answers_back()
    assert set(memory.taken.values()) == {0}


def answered(method, label, told):
    """Return what is estimated of an answer that has no values, to a read of a range."""
    job = Job("worksheet", method, WORKSHEET)
    answer = Response(response({"range": told, "majorDimension": "ROWS"}))
    exchange = Exchange(Request("get", f"{SHEETS}/lane/values/{label}"), answer)
    return estimate_answers([(Call(entry("1-0", b""), job), exchange)])


@pytest.mark.parametrize(
    ("method", "label", "told", "cells"),
    [
        ("range", "%27Sheet%27%21A1%3AB3", "Sheet!A1:B3", 6),
        ("range", "%27Sheet%27%21A1%3AALL2500", "Sheet!A1:B3", 2_500_000),
        ("range", "A1:ALL2500", "Sheet!A1:B3", 2_500_000),
        ("range", "Sheet!A:B", "Sheet!A1:B3", MOST_OBJECTS),
        ("range", "named", "'a \"!:b'!A1:Z1000", 26_000),
        ("get_all_cells", "Sheet", "Sheet!A1:Z1000", 26_000),
        ("find", "Sheet", "Sheet!A1:Z1000", 26_000),
        ("range", "Sheet!A1", "Sheet!A1", 0),
    ],
)
def test_what_is_made_of_an_empty_range_counts(method, label, told, cells):
    """An answer counts with the cells that gspread makes of it, whichever side names more."""
    assert 0 < answered(method, label, told) - 550 * cells < 2_000


def test_values_that_are_filled_up_count_less():
    """Where gspread fills a range with blanks, each of them counts as one, and not as a Cell."""
    found = answered("get", "Sheet!A1:Z1000", "Sheet!A1:B2")
    assert 24 * 26_000 < found < 30 * 26_000
    assert answered("get_all_values", "Sheet", "Sheet!A1:Z1000") == pytest.approx(found, abs=100)


def test_what_was_waited_for_is_there_for_the_job_that_is_then_the_first(memory):
    """After a wait the first job of a lane has the memory, also if it is another, smaller one."""
    portion = Portion(memory)
    assert memory.take(LARGE, 1_200)
    ticket = portion.ticket(of_size("1-0", 350))
    waiting = portion.ask(ticket)
    assert (waiting.word, waiting.wait) == ("wait", math.inf)
    memory.give_back(LARGE, 1_200)
    assert portion.ask(ticket).word == "go"
    assert portion.take(of_size("2-0", 100))
    assert memory.taken[LARGE] == 4_200
    portion.close()
    assert memory.taken[LARGE] == 0


def test_a_first_job_that_is_larger_than_what_was_waited_for_waits_again(memory):
    """What was waited for is given back where the first job of the lane is a larger one by then."""
    portion = Portion(memory)
    assert memory.take(LARGE, 1_200)
    assert portion.ask(portion.ticket(of_size("1-0", 100))).word == "go"
    assert not portion.take(of_size("2-0", 350))
    assert memory.taken[LARGE] == 1_200


def test_the_rectangle_around_cells_counts():
    """What is sent for a few cells that are far apart is estimated as well."""
    near, far = (
        Job("worksheet", "update_cells", WORKSHEET, ([Cell(1, 1, "a"), Cell(n, n, "b")],)).encode()
        for n in (2, 1_000)
    )
    assert estimate(far) - estimate(near) > 20_000_000
    many = [Cell(1, 1, "a")] * 10_000
    large = Job("worksheet", "update_cells", WORKSHEET, (many,)).encode()
    assert estimate(large) > 60_000_000


@pytest.mark.parametrize(
    ("written", "other"),
    [
        (b'"update_cells"', rb'"update_cell\u0073"'),
        (b'["cell",', rb'["c\u0065ll",'),
        (b'["cell",', b'["cell", '),
        (b'["cell",', b'[ "cell" ,'),
        (b"1000,1000", b"1000.0,1000"),
        (b"1000,1000", b"1e3,1000"),
    ],
)
def test_no_way_to_write_a_job_hides_a_rectangle(written, other):
    """A job that none of our clients writes so counts as the largest rectangle that is made."""
    cells = [Cell(1, 1, "a"), Cell(1_000, 1_000, "b")]
    body = Job("worksheet", "update_cells", WORKSHEET, (cells,)).encode()
    assert written in body
    assert estimate(body.replace(written, other)) > 60_000_000 > estimate(body)
    with_signs = Job("worksheet", "append_row", WORKSHEET, (["\1\n\t\v\x7f", '"cell"'],)).encode()
    assert estimate(with_signs) < 20_000


# Of a server ---------------------------------------------------------------------------------


@pytest.fixture
def tight(serve):
    """Return a server with memory for one call with a megabyte at a time, and that memory."""
    server = serve(max_memory_bytes=BUDGET // 4)
    yield server, server._parts.memory
    eventually(lambda: set(server._parts.memory.taken.values()) == {0}, "everything is given back")


def is_waited_for(memory, kind=LARGE):
    return lambda: memory.is_short[kind]


def test_large_calls_take_turns_and_small_ones_pass(tight, client, gate, background):
    """A large call is begun when the one before it is answered; others are made meanwhile."""
    _, memory = tight
    calls = [background(write, client, f"lane{number}", TEXT) for number in range(3)]
    for answered in range(3):
        large = gate.next()
        eventually(lambda: memory.is_short[LARGE] == (answered < 2))  # noqa: B023 - called here
        reading = background(read, client, "small")
        small = gate.next()
        assert small.lane == "small"
        small.answer({"small": True})
        assert reading.result(PATIENCE) == {"small": True}
        assert gate.is_idle
        large.answer({"large": True})
    assert [call.result(PATIENCE) for call in calls] == [{"large": True}] * 3


def test_a_job_that_waits_for_memory_is_not_in_it(tight, client, gate, background, monkeypatch):
    """A large job is read again when its turn has come: until then it is in Redis alone."""
    server, memory = tight
    heads = []
    head = type(server._queue).head
    monkeypatch.setattr(
        type(server._queue),
        "head",
        lambda queue, lane: heads.append(lane) or head(queue, lane),
    )
    first = background(write, client, "one", TEXT)
    arrival = gate.next()
    second = background(write, client, "two", TEXT)
    eventually(is_waited_for(memory))
    before = heads.count("two")
    arrival.answer({})
    gate.next().answer({})
    assert (first.result(PATIENCE), second.result(PATIENCE)) == ({}, {})
    assert heads.count("two") == before + 1


def range_of(client, lane):
    """Make a Cell of each place of a range; return how many they are."""
    sheet = Worksheet(None, WORKSHEET["properties"], lane, client.http_client)
    return len(sheet.range("A1:Z400"))


LARGE_ANSWERS = {
    "many bytes": (read, {"values": TEXT}, {"values": TEXT}),
    "many empty places": (range_of, {"range": "Sheet!A1:Z400"}, 26 * 400),
}


@pytest.mark.parametrize(("ask", "answer", "result"), LARGE_ANSWERS.values(), ids=LARGE_ANSWERS)
def test_large_answers_are_read_in_turn(
    tight, client, gate, background, monkeypatch, ask, answer, result
):
    """While a large answer is read, the next one waits as it came, and small ones are read."""
    _, memory = tight
    reading, go_on, real = threading.Event(), threading.Event(), lane_module.Lane._advance

    def take(lane, results):
        if memory.taken[ANSWERS] and not reading.is_set():
            reading.set()
            assert go_on.wait(PATIENCE)
        real(lane, results)

    monkeypatch.setattr(lane_module.Lane, "_advance", take)
    calls = [background(ask, client, lane) for lane in ("one", "two")]
    for arrival in (gate.next(), gate.next()):
        arrival.answer(answer)
    assert reading.wait(PATIENCE)
    eventually(is_waited_for(memory, ANSWERS))
    small = background(read, client, "small")
    gate.next().answer({})
    assert small.result(PATIENCE) == {}
    assert not any(call.done() for call in calls)
    go_on.set()
    assert [call.result(PATIENCE) for call in calls] == [result] * 2


def test_an_answer_that_waits_to_be_read_holds_no_slot(serve, client, gate, background, raw, keys):
    """The slot of a request that was answered is given back before there is memory to read it."""
    server = serve(max_memory_bytes=BUDGET // 4, reads_per_minute=5, quota_window=600)
    memory = server._parts.memory
    assert memory.take(ANSWERS, BUDGET)
    call = background(read, client)
    arrival = gate.next()
    assert raw.zcount(keys.slots("read"), "inf", "inf") == 1
    arrival.answer({"values": TEXT})
    eventually(is_waited_for(memory, ANSWERS))
    eventually(lambda: raw.zcount(keys.slots("read"), "inf", "inf") == 0)
    memory.give_back(ANSWERS, BUDGET)
    assert call.result(PATIENCE) == {"values": TEXT}


def test_a_large_answer_is_told_although_the_server_stops(tight, client, gate, background):
    """At the end large answers are read without waiting: no call is made again for want of it."""
    server, memory = tight
    memory.take(ANSWERS, BUDGET)
    call = background(read, client)
    gate.next().answer({"values": TEXT})
    eventually(is_waited_for(memory, ANSWERS))
    stop = background(server.stop)
    assert call.result(PATIENCE) == {"values": TEXT}
    stop.result(PATIENCE)
    memory.give_back(ANSWERS, BUDGET)
    assert len(gate.seen) == 1


def test_a_stop_while_a_call_waits_for_memory(tight, serve, client, gate, background, raw, keys):
    """A server stops although a call waits for memory; the next one makes it, without a death."""
    server, memory = tight
    calls = [background(write, client, lane, TEXT) for lane in ("one", "two")]
    arrival = gate.next()
    eventually(is_waited_for(memory))
    stop = background(server.stop)
    eventually(lambda: server.was_told_to_stop)
    arrival.answer({})
    stop.result(PATIENCE)
    assert not raw.exists(keys.deliveries)
    gate.open()
    serve()
    assert [call.result(PATIENCE) for call in calls] == [{}, {}]


def test_a_lapse_while_a_call_waits_for_memory(tight, usurp, client, gate, background):
    """A server that loses its lease while a call waits for memory forgets it, and comes back."""
    _, memory = tight
    calls = [background(write, client, lane, TEXT) for lane in ("one", "two")]
    gate.next()
    eventually(is_waited_for(memory))
    usurper = usurp()
    gate.open()
    eventually(lambda: set(memory.taken.values()) == {0})
    usurper.release()
    assert [call.result(PATIENCE) for call in calls] == [{}, {}]


def test_a_call_that_was_withdrawn_while_it_waited(
    tight, authorize, client, gate, background, keys, raw
):
    """When its turn comes, a call whose caller has given up is not made, but the one behind it."""
    _, memory = tight
    first = background(write, client, "one", TEXT)
    arrival = gate.next()
    with pytest.raises(CallTimeoutError):
        write(authorize(timeout=0.5), "two", TEXT)
    behind = background(read, client, "two")
    eventually(lambda: raw.xlen(keys.lane("two")) == 1)
    eventually(is_waited_for(memory))
    arrival.answer({})
    reading = gate.next()
    assert (reading.lane, reading.method) == ("two", "get")
    reading.answer({})
    assert (first.result(PATIENCE), behind.result(PATIENCE)) == ({}, {})


def failing_at_first(function):
    """Return a function that raises a MemoryError instead of what it does, once."""
    failures = [MemoryError()]

    def fails(*args):
        if failures:
            raise failures.pop()
        return function(*args)

    return fails


@pytest.mark.usefixtures("tight")
def test_a_lane_that_fails_keeps_nothing_from_others(client, gate, background, monkeypatch):
    """What a lane has taken is given back, also where something fails again as it ends."""
    call = background(write, client, "one", TEXT)
    arrival = gate.next()
    for owner, name in ((lane_module.Lane, "_advance"), (Releases, "now")):
        monkeypatch.setattr(owner, name, failing_at_first(getattr(owner, name)))
    arrival.answer({})
    gate.next().answer({})
    assert call.result(PATIENCE) == {}


def test_calls_that_run_together_take_memory_each(serve, client, gate, background, raw, keys):
    """Those behind the first of a lane join it as long as there is memory, and follow it then."""
    server = serve(max_memory_bytes=4 * 20_000)
    memory = server._parts.memory
    held = background(read, client)
    arrival = gate.next()
    size = 3_000
    ranges = [f"Rows!A{number}" for number in range(1, 9)]
    calls = [
        background(client.http_client.values_get, "lane", name, {"x": "y" * (size // 12)})
        for name in ranges
    ]
    eventually(lambda: raw.xlen(keys.lane("lane")) == 9)
    arrival.answer({})
    taken = set()
    answered = 0
    while answered < len(calls):
        arrival = gate.next()
        taken.add(sum(memory.taken.values()))
        count = len(arrival.given["params"].get("ranges", ["one"]))
        answered += count
        found = [{"values": [["x"]]}] * count
        arrival.answer(found[0] if count == 1 else {"valueRanges": found})
    assert held.result(PATIENCE) == {}
    assert all(call.result(PATIENCE)["values"] == [["x"]] for call in calls)
    assert max(taken) <= 4 * 20_000
    eventually(lambda: set(memory.taken.values()) == {0})


def test_a_large_call_that_is_refused_gives_its_memory_back(tight, callers, gate):
    """Whatever a call ends with, the next one has its memory."""
    for body in (b"[" * 1_000_000, Job("worksheet", "no_method", WORKSHEET, (TEXT,)).encode()):
        assert send(callers, body).error is not None
    assert gate.is_idle


# Measured ------------------------------------------------------------------------------------

# Made when they are wanted: millions of objects, which every garbage collection would walk.
ROWS = {
    "short": lambda: [["ab"] * 26 for _ in range(12_000)],
    "a column": lambda: [["ab"] for _ in range(300_000)],
    "empty": lambda: [[] for _ in range(500_000)],
    "floats": lambda: [[1.5] * 26 for _ in range(12_000)],
    "dicts": lambda: [{str(number): 1} for number in range(100_000)],
    "text": lambda: [["x" * 5_000_000]],
    "other text": lambda: [["x" * 2_000_000 + "\U0001f600"]],
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_a_call_takes_no_more_than_is_estimated(rows, start_process, callers, google):
    """What a server takes for a large call is, with a little to spare, what it reckons with."""
    google.gate.open()
    server = start_process()
    send(callers, Job("worksheet", "update", WORKSHEET, ([["a"]],)).encode())
    body = Job("worksheet", "update", WORKSHEET, (rows(),)).encode()
    before = memory_of(server.process.pid, "VmHWM")
    send(callers, body)
    taken = (memory_of(server.process.pid, "VmHWM") - before) * 1024**2
    print(f"a job of {len(body):,} bytes takes {taken:,.0f}, {taken / len(body):.1f} times as many")
    assert taken < 1.2 * estimate(body)
    assert estimate(body) < 100 * len(body)


UPSERTS = {
    "one key a row": lambda: [[number] for number in range(40_000)],
    "dicts": lambda: [{"id": f"k{number}", "x": "ab"} for number in range(25_000)],
    "wide": lambda: [[f"k{number}", *["ab"] * 25] for number in range(6_000)],
}
HEADS = [["id"], ["x"], *([f"c{number}"] for number in range(24))]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("rows", UPSERTS.values(), ids=UPSERTS)
def test_an_upsert_takes_no_more_than_is_estimated(
    rows, start_process, callers, google, background
):
    """Its rows are looked up by their keys, which takes more than to write them."""
    server = start_process()
    options = {"key": ["id"], "existing": "update", "head": 1, "value_input_option": "RAW"}

    def upsert(given):
        job = Job(
            "worksheet", "upsert_rows", WORKSHEET, (given,), {**options, "columns": [0]}
        ).encode()
        call = background(send, callers, job)
        google.gate.next().answer({"valueRanges": [{"values": HEADS}, {"values": [["id"]]}]})
        written = {"updatedRange": f"Sheet!A2:B{len(given) + 1}"}
        google.gate.next().answer({"updates": written})
        assert len(call.result(PATIENCE).result["appended"]) == len(given)
        return job

    upsert(rows()[:2])
    before = memory_of(server.process.pid, "VmHWM")
    body = upsert(rows())
    taken = (memory_of(server.process.pid, "VmHWM") - before) * 1024**2
    print(f"a job of {len(body):,} bytes takes {taken:,.0f}, {taken / len(body):.1f} times as many")
    assert taken < 1.2 * estimate(body)
    assert estimate(body) < 300 * len(body)
