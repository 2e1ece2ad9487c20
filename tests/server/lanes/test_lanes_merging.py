"""Calls that pile up in a lane leave together, and nobody can tell."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import partial

import pytest
from gate import google_error, response
from gspread.exceptions import APIError
from merge_fixtures import AppliedError, settled
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer
from queued_gspread.emulator.faults import Status
from queued_gspread.errors import CallTimeoutError, OutcomeUnknownError
from queued_gspread.server.calls.runner import Runner
from queued_gspread.server.sending.counters import Count

BATCH_GET = ("get", "/values:batchGet")
BATCH_UPDATE = ("post", "/values:batchUpdate")
APPEND = ("post", "/values/%27Sheet1%27:append")
METADATA = ("get", "")
QUICK = {"quota_window": 0.3}


def ranges(answer):
    return answer["updates"]["updatedRange"], answer.get("tableRange")


# One of each ------------------------------------------------------------------------------------


def test_reads_of_several_ranges_are_one_request(stage):
    """Each reader gets its own cells, of one request for all."""
    scene = stage()
    scene.book.sheet1.update([["a", "b"], ["c", "d"]])
    reads = [partial(scene.sheet.get, cells) for cells in ("A1", "B1:B2", "C5", "A1")]
    assert scene.play(*reads) == [[["a"]], [["b"], ["d"]], [[]], [["a"]]]
    assert scene.sent == [BATCH_GET]


def test_reads_of_one_thing_are_one_request(stage):
    """What several ask for in the same way is asked for once, and each has a copy of its own."""
    scene = stage()
    found = scene.play(*[scene.sheet.spreadsheet.fetch_sheet_metadata] * 5)
    assert scene.sent == [METADATA]
    assert all(each == found[0] for each in found)
    assert len({id(each) for each in found}) == 5


def test_updates_are_one_request(stage):
    """Writes of cells that are apart are one request, and each is told what it has written."""
    scene = stage()
    writes = [partial(scene.sheet.update_cell, row, 1, row) for row in range(1, 6)]
    answers = scene.play(*writes)
    assert scene.sent == [BATCH_UPDATE]
    assert [answer["updatedRange"] for answer in answers] == [f"Sheet1!A{n}" for n in range(1, 6)]
    assert scene.rows() == [["1"], ["2"], ["3"], ["4"], ["5"]]


def test_appends_are_two_requests(stage):
    """The first one finds out where the table is; the others are one request, in order."""
    scene = stage()
    appends = [partial(scene.sheet.append_row, [name, name]) for name in "abcd"]
    appends.append(partial(scene.sheet.append_rows, [["e", "e"], ["f", "f"]]))
    answers = scene.play(*appends)
    assert scene.sent == [APPEND, APPEND]
    assert scene.rows() == [[name] * 2 for name in "abcdef"]
    assert [ranges(answer) for answer in answers] == [
        ("Sheet1!A1:B1", None),
        ("Sheet1!A2:B2", "Sheet1!A1:B1"),
        ("Sheet1!A3:B3", "Sheet1!A1:B2"),
        ("Sheet1!A4:B4", "Sheet1!A1:B3"),
        ("Sheet1!A5:B6", "Sheet1!A1:B4"),
    ]


def test_the_table_is_known_from_one_pile_to_the_next(stage):
    """Where nothing else was written since, appends are one request from the first on."""
    scene = stage()
    appends = [partial(scene.sheet.append_row, [name]) for name in "abc"]
    scene.play(*appends[:2])
    scene.door.close()
    scene.play(*appends)
    assert scene.sent == [APPEND]
    scene.door.close()
    scene.play(partial(scene.sheet.update_cell, 9, 1, "x"), *appends)
    assert scene.sent[1:] == [APPEND, APPEND]


def test_a_gap_keeps_rows_apart(stage):
    """After a row with a blank in it, each append finds the table anew, as it would alone."""
    scene = stage()
    appends = [partial(scene.sheet.append_row, row) for row in (["x", "", "y"], ["z"], ["w"])]
    answers = scene.play(*appends)
    assert scene.sent == [APPEND] * 3
    assert [ranges(answer)[0] for answer in answers] == ["Sheet1!A1:C1", "Sheet1!C2", "Sheet1!C3"]


def test_clearings_are_one_request(stage):
    """Clearings are one request, overlapping or not."""
    scene = stage()
    scene.book.sheet1.update([["a", "b", "c"]])
    answers = scene.play(*[partial(scene.sheet.batch_clear, [cells]) for cells in ("A1:B1", "B1")])
    assert scene.sent == [("post", "/values:batchClear")]
    assert [answer["clearedRanges"] for answer in answers] == [["Sheet1!A1:B1"], ["Sheet1!B1"]]
    assert scene.rows() == [["", "", "c"]]


def test_changes_of_structure_are_one_request(stage):
    """New sheets of several callers are one request, and each gets the one it has made."""
    scene = stage()
    add = scene.sheet.spreadsheet.add_worksheet
    made = scene.play(*[partial(add, title, 5, 5) for title in ("One", "Two", "Three")])
    assert scene.sent == [("post", ":batchUpdate")]
    assert [sheet.title for sheet in made] == ["One", "Two", "Three"]
    assert [sheet.title for sheet in scene.book.worksheets()][1:] == ["One", "Two", "Three"]


# Order ------------------------------------------------------------------------------------------


def test_a_write_is_a_barrier_to_reads(stage):
    """A read behind a write sees it, and one before it does not."""
    scene = stage()
    read = partial(scene.sheet.acell, "A1")
    write = partial(scene.sheet.update_cell, 1, 1, "new")
    found = scene.play(read, read, write, read, read)
    assert [each.value for each in (*found[:2], *found[3:])] == [None, None, "new", "new"]
    # Identical reads are sent as they are.
    one = ("get", "/values/%27Sheet1%27%21A1")
    assert scene.sent == [one, ("put", "/values/%27Sheet1%27%21A1"), one]


def test_writes_of_one_cell_are_made_in_turn(stage):
    """The write that came last is there in the end, and what is apart from it leaves with one."""
    scene = stage()
    scene.play(*[partial(scene.sheet.update_cell, 1, 1, value) for value in "abc"])
    assert scene.rows() == [["c"]]
    assert len(scene.sent) == 3


def test_nobody_is_looked_at_or_begun_twice(stage, monkeypatch):
    """Calls that may not leave together are begun once each, and one look finds them all."""
    scene, counts = stage(), Counter()

    def count(cls, name):
        own = getattr(cls, name)

        def counted(*args):
            counts[name] += 1
            return own(*args)

        monkeypatch.setattr(cls, name, counted)

    held = scene.hold()
    count(Runner, "begin")
    count(Consumer, "peek")
    found = scene.put(*[partial(scene.sheet.update_cell, 1, 1, value) for value in "abcdef"])
    scene.release(held)
    scene.door.open()
    assert [settled(future)["updatedCells"] for future in found] == [1] * 6
    assert counts == {"begin": 6, "peek": 1}


def test_kinds_of_writes_are_barriers_to_each_other(stage):
    """An append between two updates is made between them."""
    scene = stage()
    scene.play(
        partial(scene.sheet.update_cell, 1, 1, "a"),
        partial(scene.sheet.append_row, ["b"]),
        partial(scene.sheet.update_cell, 2, 1, "c"),
    )
    assert [method for method, _ in scene.sent] == ["put", "post", "put"]
    assert scene.rows() == [["a"], ["c"]]


def test_a_method_of_several_requests_is_a_unit(stage):
    """Nobody's request comes between the two of an insertion."""
    scene = stage()
    update = partial(scene.sheet.update_cell, 1, 2, "u")
    insert = partial(scene.sheet.insert_rows, [["i"], ["j"]])
    scene.play(update, insert, update, partial(scene.sheet.update_cell, 2, 2, "v"))
    assert [method for method, _ in scene.sent] == ["put", "post", "post", "post"]
    assert scene.sent[1] == ("post", ":batchUpdate")
    assert scene.sent[2][1].endswith(":append")
    assert scene.rows() == [["i", "u"], ["j", "v"], ["", "u"]]


def test_reads_of_several_requests_run_beside_others(stage):
    """Calls that only read go on side by side: the first requests of all leave together."""
    scene = stage()
    scene.book.sheet1.update([["a", "b"]])
    combined = partial(scene.sheet.get, "A1:B1", combine_merged_cells=True)
    found = scene.play(combined, partial(scene.sheet.get, "A1"), combined)
    assert found == [[["a", "b"]], [["a"]], [["a", "b"]]]
    assert sorted(scene.sent) == [METADATA, BATCH_GET]


# Who does not go along --------------------------------------------------------------------------


def leave_together(scene):
    """Use the only slot, and have calls come while another one waits for it: all leave as one."""
    first = scene.put(partial(scene.sheet.update_cell, 50, 1, "first"))
    arrival = scene.door.next()
    one = scene.put(partial(scene.sheet.update_cell, 1, 1, 1))
    arrival.answer()
    settled(first[0])
    more = scene.put(*[partial(scene.sheet.update_cell, row, 1, row) for row in range(2, 9)])
    scene.door.open()
    assert all(isinstance(settled(future), dict) for future in one + more)
    assert scene.sent[1:] == [BATCH_UPDATE]


def test_calls_join_a_request_that_waits_for_a_slot(stage):
    """Calls that come while others wait for a slot leave with them."""
    leave_together(stage(writes_per_minute=1, quota_window=1.0))


def test_calls_join_a_request_that_waits_for_others_to_have_their_share(stage, client, emulator):
    """Calls that come while others are held back for fairness, and ask nobody, leave with them."""
    scene = stage(writes_per_minute=1, quota_window=1.0)
    other = emulator.gspread_client().create("Other")
    scene.door.open()
    client.open_by_key(other.id)
    scene.door.close()
    leave_together(scene)


def test_who_gives_up_while_a_merged_request_waits_is_not_in_it(stage, authorize, book):
    """A call whose time is over, or that was withdrawn, stays behind; the others are made."""
    scene = stage(writes_per_minute=1, quota_window=1.0)
    hasty = authorize(timeout=0.2).open_by_key
    scene.door.open()
    sheet = hasty(book.id).sheet1
    scene.door.close()
    first = scene.put(partial(scene.sheet.update_cell, 50, 1, "first"))
    scene.door.next().answer()
    settled(first[0])
    names = [scene.sheet, sheet, scene.sheet]
    calls = scene.put(*[partial(who.update_cell, row, 1, row) for row, who in enumerate(names, 1)])
    assert isinstance(settled(calls[1]), CallTimeoutError)
    scene.door.open()
    assert isinstance(settled(calls[0]), dict)
    assert isinstance(settled(calls[2]), dict)
    assert scene.sent[1:] == [BATCH_UPDATE]
    assert scene.rows()[:3] == [["1"], [""], ["3"]]


def test_who_gives_up_after_a_look_at_him_is_not_made(stage, authorize, book):
    """A call that stands behind, was begun by then and is withdrawn holds up nobody."""
    scene = stage()
    scene.door.open()
    hasty = authorize(timeout=0.5).open_by_key(book.id).sheet1
    scene.door.close()
    held = scene.hold()
    calls = [(scene.sheet, "A1"), (hasty, "A1"), (scene.sheet, "A1"), (scene.sheet, "B1")]
    found = scene.put(*[partial(who.update_acell, cell, n) for n, (who, cell) in enumerate(calls)])
    scene.release(held)
    first = scene.door.next()
    assert isinstance(settled(found.pop(1)), CallTimeoutError)
    first.answer()
    scene.door.open()
    assert [settled(future)["updatedCells"] for future in found] == [1] * 3
    assert scene.rows() == [["2", "3"]]


def test_requests_with_other_timeouts_do_not_leave_together(stage, authorize, book):
    """A client's own HTTP timeout is that of its requests, and of nobody else's."""
    scene = stage()
    patient = authorize()
    scene.door.open()
    sheet = patient.open_by_key(book.id).sheet1
    scene.door.close()
    patient.set_timeout(9)
    reads = [partial(who.get, cells) for who in (scene.sheet, sheet) for cells in ("A1", "A2")]
    scene.play(*reads)
    assert scene.sent == [BATCH_GET, BATCH_GET]
    assert [arrival.timeout for arrival in scene.door.seen] == [None, 9]


# What Google refuses ----------------------------------------------------------------------------


def bad_among(count, good, bad):
    """Return so many calls of which one is bad."""
    return [bad if number == count // 3 else partial(good, number) for number in range(count)]


def check_bad_one(found, bad, count):
    errors = [place for place, each in enumerate(found) if isinstance(each, Exception)]
    assert errors == [count // 3]
    error = found[count // 3]
    assert type(error) is APIError
    with pytest.raises(APIError) as alone:
        bad()
    assert error.error == alone.value.error


def test_the_pieces_of_a_refused_request_wait_for_no_slot_of_its_own(stage):
    """Where the quota is one request a window, a bad read among others harms itself alone."""
    scene = stage(reads_per_minute=1, quota_window=0.2)
    read = lambda number: scene.sheet.get(f"A{number + 1}")  # noqa: E731
    bad = partial(scene.sheet.get, "nonsense")
    found = scene.play(*bad_among(10, read, bad))
    check_bad_one(found, bad, 10)


def test_one_bad_read_among_a_hundred(stage, tell):
    """Who asks for a range that is none is told so as if alone; the others have their answers."""
    scene = stage()
    read = lambda number: scene.sheet.get(f"A{number + 1}")  # noqa: E731
    bad = partial(scene.sheet.get, "nonsense")
    found = scene.play(*bad_among(100, read, bad))
    tell(f"one bad read of 100: {len(scene.sent)} requests")
    # 100 ranges have no room in one URL.
    assert len(scene.sent) <= 8
    check_bad_one(found, bad, 100)


def test_one_bad_write_among_a_hundred(stage, tell):
    """A write beyond the grid fails alone, by the number that the error names it with."""
    scene = stage()
    write = lambda number: scene.sheet.update_cell(number + 1, 1, number)  # noqa: E731
    bad = partial(scene.sheet.update_cell, 5000, 1, "x")
    found = scene.play(*bad_among(100, write, bad))
    tell(f"one bad write of 100: {len(scene.sent)} requests")
    assert len(scene.sent) == 4
    check_bad_one(found, bad, 100)
    assert len(scene.rows()) == 100


def test_one_bad_change_of_structure_among_many(stage, tell):
    """Of new sheets, one whose title is taken fails alone; the others are made, in order."""
    scene = stage()
    add = scene.sheet.spreadsheet.add_worksheet
    bad = partial(add, "Sheet1", 5, 5)
    found = scene.play(*bad_among(30, lambda number: add(f"S{number}", 5, 5), bad))
    tell(f"one bad change of structure of 30: {len(scene.sent)} requests")
    assert len(scene.sent) == 4
    check_bad_one(found, bad, 30)
    titles = [sheet.title for sheet in scene.book.worksheets()]
    assert titles[1:] == [f"S{number}" for number in range(30) if number != 10]


def test_a_refusal_that_names_nobody_is_halved(stage, tell):
    """Where the error names none, halves are sent until it is found: few requests for many."""
    scene = stage()
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.update_cell, n + 1, 1, f"v{n}") for n in range(64)])
    scene.release(held)
    sent = 0
    while not all(call.done() for call in calls):
        try:
            arrival = scene.door.next()
        except Exception:  # noqa: BLE001 - nothing more came
            break
        sent += 1
        if "v21'" in repr(arrival.given).replace('"', "'"):
            arrival.fail(google_error(400))
        else:
            arrival.answer()
        eventually(lambda: not scene.door.is_idle or all(call.done() for call in calls))
    found = [settled(call) for call in calls]
    assert [n for n, each in enumerate(found) if isinstance(each, Exception)] == [21]
    tell(f"one bad write of 64 that nothing names: {sent} requests")
    assert sent == 1 + 2 * int(math.log2(64))


OF_ALL = {403: "The caller does not have permission", 404: "Requested entity was not found."}


def refusal_of_all(status):
    """Return Google's error for a spreadsheet as a whole."""
    error = {"code": status, "message": OF_ALL[status], "status": "X"}
    return APIError(response({"error": error}, status))


@pytest.mark.parametrize("status", OF_ALL)
def test_what_is_said_of_the_spreadsheet_is_believed_after_some_have_asked_alone(stage, status):
    """A refusal of the spreadsheet as a whole is everybody's, once a few were refused alike."""
    scene = stage()
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.get, f"A{number}") for number in range(1, 9)])
    scene.release(held)
    for _ in range(5):
        scene.door.next().fail(refusal_of_all(status))
    for call in calls:
        raised = call.exception(PATIENCE)
        assert raised is not None
        assert OF_ALL[status] in f"{raised} {raised.__cause__}"
    alone = [("get", f"/values/%27Sheet1%27%21A{number}") for number in range(1, 5)]
    assert scene.sent == [BATCH_GET, *alone]


@pytest.mark.parametrize("status", OF_ALL)
@pytest.mark.parametrize("place", [0, 3, 6])
def test_what_is_said_of_the_spreadsheet_for_one_call_is_that_calls(stage, emulator, status, place):
    """A refusal in such words that one call alone meets, for a protected range, say, is its own."""
    scene = stage()
    fault = Status(status, message=OF_ALL[status])
    rule = emulator.faults.add(fault, match=lambda request: "protected" in str(request.json))
    values = ["protected" if number == place else "v" for number in range(7)]
    writes = [partial(scene.sheet.update_cell, 1, n + 1, value) for n, value in enumerate(values)]
    found = scene.play(*writes)
    emulator.faults.remove(rule)
    assert [n for n, each in enumerate(found) if isinstance(each, Exception)] == [place]
    assert OF_ALL[status] in str(found[place])
    assert scene.rows()[0].count("v") == 6


def test_what_cannot_be_sent_is_its_callers_alone(stage):
    """A value that JSON has no word for fails for whoever wrote it, and for nobody else."""
    scene = stage()
    writes = [partial(scene.sheet.update_cell, row, 1, row) for row in (1, 2, 3, 4)]
    bad = partial(scene.sheet.update, [[math.nan]], "A5", value_input_option="USER_ENTERED")
    found = scene.play(*writes[:2], bad, *writes[2:])
    assert [isinstance(each, dict) for each in found] == [True, True, False, True, True]
    assert "JSON" in type(found[2]).__name__


def test_a_range_that_cannot_be_sent_is_its_callers_alone(stage):
    """A range that no URL can hold fails for whoever asks for it, and for nobody else."""
    scene = stage()
    read = partial(scene.sheet.get, "A1")
    bad = partial(scene.sheet.spreadsheet.values_batch_get, ["\ud800"])
    found = scene.play(read, read, bad, read)
    assert [found[0], found[1], found[3]] == [[[]]] * 3
    assert isinstance(found[2], Exception)


# What nobody knows ------------------------------------------------------------------------------

UNKNOWN = {"503": lambda: google_error(503), "reset": lambda: ConnectionResetError(104, "reset")}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("is_applied", [True, False])
def test_an_append_of_many_without_an_answer(stage, name, is_applied):
    """Everybody is told that nobody knows, each of its own call; nothing is retried."""
    scene = stage(**QUICK)
    scene.play(partial(scene.sheet.append_row, ["first"]))
    scene.door.close()
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.append_row, [value]) for value in "abc"])
    scene.release(held)
    error = UNKNOWN[name]()
    scene.door.next().fail(AppliedError(error) if is_applied else error)
    told = [settled(call) for call in calls]
    assert [type(each) for each in told] == [OutcomeUnknownError] * 3
    assert {each.call for each in told} == {"worksheet.append_row on 'Book' / 'Sheet1'"}
    assert all("look for the rows" in each.how_to_check for each in told)
    assert scene.sent == [APPEND]
    expected = ["first", *("abc" if is_applied else "")]
    assert [row[0] for row in scene.rows()] == expected


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("is_applied", [True, False])
def test_updates_of_many_without_an_answer(stage, name, is_applied):
    """What is idempotent is retried, as one request, and all have their answers."""
    scene = stage(**QUICK)
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.update_cell, row, 1, row) for row in (1, 2, 3)])
    scene.release(held)
    error = UNKNOWN[name]()
    scene.door.next().fail(AppliedError(error) if is_applied else error)
    scene.door.next().answer()
    assert [settled(call)["updatedRange"] for call in calls] == [f"Sheet1!A{n}" for n in (1, 2, 3)]
    assert scene.sent == [BATCH_UPDATE] * 2


def test_a_quota_refusal_of_many(stage):
    """What Google has refused for the quota is retried as one request, appends too."""
    scene = stage(**QUICK)
    scene.play(partial(scene.sheet.append_row, ["first"]))
    scene.door.close()
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.append_row, [value]) for value in "abc"])
    scene.release(held)
    scene.door.next().fail(google_error(429))
    scene.door.next().answer()
    assert [ranges(settled(call))[0] for call in calls] == [f"Sheet1!A{n}" for n in (2, 3, 4)]
    assert scene.sent == [APPEND] * 2


def test_an_answer_that_cannot_be_split(stage):
    """What is idempotent is then sent piece by piece; of what is not, nobody knows."""
    scene = stage(**QUICK)
    held = scene.hold()
    reads = scene.put(*[partial(scene.sheet.get, cell) for cell in ("A1", "A2")])
    scene.release(held)
    scene.door.next().answer({"something": "else"})
    scene.door.open()
    assert [settled(read) for read in reads] == [[[]], [[]]]
    assert len(scene.sent) == 3


def test_an_answer_to_appends_that_cannot_be_split(stage):
    """Of appends nobody knows then, and none of them is retried."""
    scene = stage(**QUICK)
    scene.play(partial(scene.sheet.append_row, ["first"]))
    scene.door.close()
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.append_row, [value]) for value in "ab"])
    scene.release(held)
    scene.door.next().answer({"something": "else"})
    assert [type(settled(call)) for call in calls] == [OutcomeUnknownError] * 2
    assert scene.sent == [APPEND]


# Options ----------------------------------------------------------------------------------------


def test_calls_that_wait_for_the_quota_unmerged(stage):
    """With no_merge nobody joins a request that has waited for its turn, either."""
    scene = stage(no_merge=True, reads_per_minute=2, quota_window=0.3)
    scene.play(*[partial(scene.sheet.get, f"A{n}") for n in range(1, 6)])
    assert [method for method, _ in scene.sent] == ["get"] * 5
    assert not [end for _, end in scene.sent if "batchGet" in end]


def test_without_merging_every_call_has_requests_of_its_own(stage):
    """With no_merge nothing leaves together, in the same order."""
    scene = stage(no_merge=True)
    found = scene.play(*[partial(scene.sheet.append_row, [value]) for value in "abc"])
    assert scene.sent == [APPEND] * 3
    assert [ranges(each)[0] for each in found] == ["Sheet1!A1", "Sheet1!A2", "Sheet1!A3"]
    assert scene.rows() == [["a"], ["b"], ["c"]]


def test_the_server_counts(stage, caplog):
    """The server knows how many requests it sent for how many calls, and logs it at its end."""
    scene = stage()
    before = scene.server.counters.snapshot()
    caplog.set_level("INFO", "queued_gspread.server")
    scene.play(*[partial(scene.sheet.update_cell, row, 1, row) for row in range(1, 6)])
    counted = scene.server.counters.snapshot()
    assert counted["values.update"] == Count(5, 1)
    assert counted["values.update"].calls_per_request == 5.0
    assert "values.update" not in before
    scene.server.stop()
    assert "values.update 5/1 (5.0)" in caplog.text


def test_the_log_tells_every_call(stage, caplog):
    """A line for each call, with how many calls its request was shared by."""
    scene = stage()
    caplog.set_level("INFO", "queued_gspread.server")
    scene.play(*[partial(scene.sheet.update_cell, row, 1, row) for row in range(1, 4)])
    line = re.compile(r"worksheet\.update_cell .* requests: 1 write of 3 calls  ok\n")
    # They follow the answers.
    eventually(lambda: len(line.findall(caplog.text)) == 3)
