"""What one call meets that left with others is that call's: each piece has its own end."""

from __future__ import annotations

import json
from functools import partial
from urllib.parse import unquote

import parts
import pytest
import requests
from gate import google_error, response
from gspread.exceptions import APIError
from hand_clock import HandClock
from merge_fixtures import settled
from waiting import eventually

from queued_gspread.emulator.faults import Reset, Status
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.server.sending.suspects import Suspects

HASTY = {"quota_window": 0.3, "retry_for": 0.5}
BAD = 4
CALLS = {
    "update": lambda sheet, n, text: sheet.update_cell(n + 1, 1, text),
    "clear": lambda sheet, n, text: sheet.batch_clear([f"{'Z' if text == 'bad' else 'C'}{n + 1}"]),
    "read": lambda sheet, n, text: sheet.get(f"{'Z' if text == 'bad' else 'C'}{n + 1}"),
    "note": lambda sheet, n, text: sheet.insert_note(f"D{n + 1}", text),
}
FAULTS = {"500": Status(500), "503 after": Status(503, applied=True), "reset": Reset()}


def content(request):
    """Return what a request has in it, but for the id of its spreadsheet, which is random."""
    return json.dumps([request.path.split("/", 4)[4:], request.ranges, request.json])


def is_bad(request):
    return "bad" in content(request) or f"Z{BAD + 1}" in content(request)


@pytest.fixture
def faults(emulator):
    """Return the emulator's faults; none is left behind."""
    yield emulator.faults
    emulator.faults.clear()


def errors(found):
    return [place for place, each in enumerate(found) if isinstance(each, Exception)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", CALLS)
def test_what_google_never_takes_fails_for_its_caller_alone(kind, fault, stage, faults):
    """Those whose requests left with one that always fails, and is idempotent, are answered."""
    scene = stage(**HASTY)
    faults.add(FAULTS[fault], match=is_bad)
    calls = [partial(CALLS[kind], scene.sheet, n, "bad" if n == BAD else f"v{n}") for n in range(9)]
    assert errors(scene.play(*calls)) == [BAD]


def test_silence_is_its_callers_alone(stage):
    """A range that is never read in time ends the call of who asks for it, and no other one."""
    scene = stage(**HASTY)
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.get, f"C{n + 1}") for n in range(6)])
    scene.release(held)
    while not all(call.done() for call in calls):
        arrival = scene.door.next()
        if f"C{BAD + 1}" in unquote(str(arrival)):
            arrival.fail(requests.exceptions.ReadTimeout("silence"))
        else:
            arrival.answer()
        eventually(lambda: not scene.door.is_idle or all(call.done() for call in calls))
    assert errors([settled(call) for call in calls]) == [BAD]


def test_two_failures_that_pass_cost_two_requests_more(stage, faults):
    """After a second failure in a row halves are sent, and no smaller pieces once they succeed."""
    scene = stage(quota_window=0.3)
    faults.add(Status(503), method="GET", path=":batchGet", count=2)
    found = scene.play(*[partial(scene.sheet.get, f"A{n}") for n in range(1, 9)])
    assert errors(found) == []
    assert len(scene.sent) == 4


def test_equal_reads_that_fail_are_not_divided(stage, faults):
    """What everybody asks for is one request, however often it fails."""
    scene = stage(**HASTY)
    faults.add(Status(503), path="/values/")
    found = scene.play(*[partial(scene.sheet.get, "A1")] * 5)
    assert errors(found) == [*range(5)]
    assert {path for _, path in scene.sent} == {"/values/%27Sheet1%27%21A1"}


def test_an_answer_goes_out_when_its_piece_is_done(stage):
    """A call that was made is answered while another one of the same refused request waits."""
    scene = stage(quota_window=0.3)
    held = scene.hold()
    cells = ["C1", "C2", "ZZZ1", "C4"]
    calls = scene.put(*[partial(scene.sheet.update, [["v"]], cell) for cell in cells])
    scene.release(held)
    for _ in range(3):
        scene.door.next().answer()  # all, which is refused; those before the bad one; that one
    last = scene.door.next()
    assert [settled(call)["updatedRange"] for call in calls[:2]] == ["Sheet1!C1", "Sheet1!C2"]
    assert type(settled(calls[2])) is APIError
    later = scene.put(partial(scene.sheet.get, "C1:C4"))
    last.fail(google_error(503))
    assert not calls[3].done()
    scene.door.next().answer()
    assert settled(calls[3])["updatedRange"] == "Sheet1!C4"
    scene.door.next().answer()
    assert settled(later[0]) == [["v"], ["v"], [], ["v"]]


def test_who_came_before_a_piece_is_not_behind_it(stage):
    """Reads of another kind have their turn between pieces, in the order of arrival of all."""
    scene = stage(quota_window=0.3)
    held = scene.hold()
    reads = [partial(scene.sheet.get, f"A{n}") for n in range(1, 5)]
    calls = scene.put(reads[0], scene.sheet.spreadsheet.fetch_sheet_metadata, *reads[1:])
    scene.release(held)
    for _ in range(2):
        scene.door.next().fail(google_error(503))
    scene.door.next().answer()  # half of the ranges, the first of all among them
    other = scene.door.next()
    assert other.endpoint.endswith(scene.book.id)
    other.answer()
    assert settled(calls[1])["spreadsheetId"] == scene.book.id
    scene.door.open()
    assert errors([settled(call) for call in calls]) == []


@pytest.mark.parametrize("text", ["Invalid data[{}]: data[0]", "data[{}]"])
def test_a_message_that_nobody_can_read_raises_nothing(text, stage):
    """Whatever the text of a refusal has in it, each call has its own end."""
    scene = stage()
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.update_cell, n, 1, n) for n in (1, 2, 3)])
    scene.release(held)
    error = {"code": 400, "message": text.format("9" * 5000), "status": "INVALID_ARGUMENT"}
    for _ in range(2):  # all, and the first alone
        scene.door.next().fail(APIError(response({"error": error}, 400)))
    scene.door.open()
    assert [type(settled(call)) for call in calls] == [APIError, dict, dict]


# What is not idempotent --------------------------------------------------------------------------


def test_an_append_that_has_failed_takes_none_down_with_it_again(stage, faults):
    """Of appends that failed together nobody knows; one that comes again is sent alone."""
    scene = stage(**HASTY)
    append = scene.sheet.append_row
    scene.play(partial(append, ["first"]))
    faults.add(Status(500), match=is_bad)
    scene.door.close()
    found = scene.play(*[partial(append, [value]) for value in ["a", "bad", "b"]])
    assert [type(each) for each in found] == [OutcomeUnknownError] * 3
    scene.door.close()
    scene.play(partial(append, ["second"]))
    scene.door.close()
    found = scene.play(*[partial(append, [value]) for value in ["c", "bad", "d", "e"]])
    assert errors(found) == [1]
    assert [row[0] for row in scene.rows()] == ["first", "second", "c", "d", "e"]


def test_what_has_gone_through_alone_may_leave_with_others_again(stage, faults):
    """Rows that failed in a trouble that has passed are appended together, once one was alone."""
    scene = stage(**HASTY)
    append = partial(scene.sheet.append_row, ["alive"])
    append_other = partial(scene.sheet.append_row, ["first"])
    scene.play(append_other)
    faults.add(Status(500), method="POST", path=":append", count=1)
    scene.door.close()
    assert len(errors(scene.play(append, append))) == 2
    scene.door.close()
    scene.play(append_other, append, append_other)
    scene.door.close()
    before = len(scene.rows())
    assert errors(scene.play(*[append] * 4)) == []
    assert len(scene.rows()) == before + 4
    assert len(scene.sent) == 1


def test_suspects_are_forgotten():
    """What has failed is remembered for some minutes, if it is not idempotent."""
    clock = HandClock()
    suspects = Suspects(clock)
    once, twice = parts.append(["x"]), parts.update("S!A1")
    suspects.note([once, twice])
    assert suspects.has(once)
    assert not suspects.has(twice)
    assert not suspects.has(parts.append(["y"]))
    clock.now = 601.0
    assert not suspects.has(once)
