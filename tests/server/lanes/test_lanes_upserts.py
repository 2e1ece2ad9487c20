"""Upserts that wait behind each other share their requests, and nobody can tell."""

from __future__ import annotations

from functools import partial

import pytest
from gate import google_error
from merge_fixtures import AppliedError, settled

from queued_gspread import Upserted, idempotency_key, upsert_rows
from queued_gspread.emulator.faults import Status
from queued_gspread.errors import CallTimeoutError, KeyExistsError, OutcomeUnknownError

READ = ("get", "/values:batchGet")
UPDATE = ("post", "/values:batchUpdate")
APPEND = ("post", "/values/%27Sheet1%27%21A1:append")
QUICK = {"quota_window": 0.3}


@pytest.fixture
def scene(stage):
    """Return a stage whose sheet has a header and one row."""
    return prepared(stage)


def prepared(stage, **options):
    made = stage(**options)
    made.book.sheet1.update([["id", "x", "y"], ["a", "1", "1"]])
    return made


def upsert(scene, key, x="2", **options):
    """Return a call that upserts one row."""
    row = {"id": key} if x is None else {"id": key, "x": x}
    return partial(upsert_rows, options.pop("sheet", scene.sheet), [row], key="id", **options)


def pile_up(scene, *calls):
    """Have calls pile up, and return their futures; their first request is next at the door."""
    held = scene.hold()
    made = scene.put(*calls)
    scene.release(held)
    return made


def numbers(outcome):
    return outcome.updated, outcome.appended, outcome.kept


# Shared requests --------------------------------------------------------------------------------


def test_waiting_upserts_are_three_requests(scene):
    """One reads, one updates and one appends, for twenty callers as for one."""
    found = scene.play(*[upsert(scene, key) for key in ["a", *range(19)]])
    assert scene.sent == [READ, UPDATE, APPEND]
    assert [numbers(one) for one in found] == [
        ([2], [], []),
        *(([], [row], []) for row in range(3, 22)),
    ]
    assert scene.rows()[1:] == [["a", "2", "1"], *([str(key), "2", ""] for key in range(19))]


def test_of_upserts_with_one_key_the_first_appends_and_the_others_change_it(scene):
    """It is one row, and each is told what it would have been told alone."""
    calls = [
        upsert(scene, "k", "1"),
        partial(upsert_rows, scene.sheet, [{"id": "k", "y": "7"}, {"id": "l"}], key="id"),
        upsert(scene, "k", "9", existing="keep"),
        upsert(scene, "k", "8", existing="fail"),
        upsert(scene, "k", "3"),
        upsert(scene, "m", existing="fail"),
    ]
    found = scene.play(*calls)
    assert scene.sent == [READ, APPEND]
    refused = found.pop(3)
    assert type(refused) is KeyExistsError
    assert "'k' in row 3" in str(refused)
    assert [numbers(one) for one in found] == [
        ([], [3], []),
        ([3], [4], []),
        ([], [], [3]),
        ([3], [], []),
        ([], [5], []),
    ]
    assert scene.rows()[2:] == [["k", "3", "7"], ["l", "", ""], ["m", "2", ""]]


def test_of_upserts_of_one_cell_the_last_one_wins(scene):
    """As if they had been made one after the other, but by one request."""
    found = scene.play(*[upsert(scene, "a", value) for value in ("3", "4", None, "5")])
    assert scene.sent == [READ, UPDATE]
    assert {numbers(one)[0][0] for one in found} == {2}
    assert scene.rows()[1] == ["a", "5", "1"]


def test_nothing_comes_between_the_reads_and_the_writes(scene):
    """Other calls are made before all of an upsert or after it, and other tables' upserts too."""
    other = partial(upsert_rows, scene.sheet, [{"x": "1", "y": "3"}], key="x")
    read = partial(scene.sheet.get, "A3:B3")
    found = scene.play(upsert(scene, "b"), upsert(scene, "c"), read, upsert(scene, "d"), other)
    assert scene.sent[:3] == [READ, APPEND, ("get", "/values/%27Sheet1%27%21A3%3AB3")]
    assert scene.sent[3:] == [READ, APPEND, READ, READ, UPDATE]
    assert found[2] == [["b", "2"]]
    assert scene.rows()[1] == ["a", "1", "3"]


def test_an_upsert_joins_others_that_wait_for_a_slot(stage):
    """The read of all is the read that has waited."""
    scene = prepared(stage, reads_per_minute=2, quota_window=1.0)
    held = scene.hold()
    first = scene.put(partial(scene.sheet.get, "A1"), upsert(scene, "b"))
    scene.release(held)
    scene.door.next().answer()
    settled(first[0])
    more = scene.put(upsert(scene, "c"), upsert(scene, "d"))
    scene.door.open()
    assert [settled(future).appended for future in [first[1], *more]] == [[3], [4], [5]]
    assert scene.sent[1:] == [READ, APPEND]


def test_upserts_that_come_while_the_read_is_out_go_by_it(scene):
    """They are in the same round, so callers that block do not fall into groups that take turns."""
    [first] = pile_up(scene, upsert(scene, "b"))
    read = scene.door.next()
    more = scene.put(upsert(scene, "b", "3"), upsert(scene, "a", "4"), upsert(scene, "c"))
    read.answer()
    scene.door.open()
    found = [numbers(settled(one)) for one in (first, *more)]
    assert found == [([], [3], []), ([3], [], []), ([2], [], []), ([], [4], [])]
    assert scene.sent == [READ, UPDATE, APPEND]


def test_an_upsert_that_ends_with_the_read_of_others_changes_nothing(scene):
    """Its row is there, and it is answered with no request of its own."""
    [first] = pile_up(scene, upsert(scene, "b"))
    read = scene.door.next()
    more = scene.put(upsert(scene, "a", existing="keep"), upsert(scene, "a", existing="fail"))
    read.answer()
    scene.door.open()
    assert (settled(first).appended, settled(more[0]).kept) == ([3], [2])
    assert isinstance(settled(more[1]), KeyExistsError)
    assert scene.sent == [READ, APPEND]


def test_an_upsert_under_an_idempotency_key_makes_its_own_read(scene):
    """Its key is claimed with a request, so a call that ends with a read is kept as well."""

    def keep():
        with idempotency_key("k"):
            return upsert(scene, "a", existing="keep")()

    [first] = pile_up(scene, upsert(scene, "b"))
    read = scene.door.next()
    [late] = scene.put(keep)
    read.answer()
    scene.door.open()
    assert (settled(first).appended, settled(late).kept) == ([3], [2])
    assert scene.sent == [READ, APPEND, READ]
    scene.book.sheet1.delete_rows(2)
    assert keep().kept == [2]


@pytest.mark.parametrize("out", [1, 2])
def test_an_upsert_that_comes_while_a_write_is_out_reads_anew(scene, out):
    """What others have read does not do for it: somebody may have changed the sheet since."""
    calls = pile_up(scene, upsert(scene, "a"), upsert(scene, "b"))
    for _ in range(out):
        scene.door.next().answer()
    write = scene.door.next()
    [late] = scene.put(upsert(scene, "b", "3"))
    write.answer()
    scene.door.open()
    found = [numbers(settled(one)) for one in (*calls, late)]
    assert found == [([2], [], []), ([], [3], []), ([3], [], [])]
    assert scene.sent == [READ, UPDATE, APPEND, READ, UPDATE]


def test_a_call_whose_keys_were_elsewhere_goes_by_the_same_read(scene, authorize):
    """If others have read the right columns with it, it need not do so itself."""
    scene.door.open()
    scene.book.sheet1.update([["x", "id", "y"]])
    upsert_rows(scene.sheet, [{"id": "q"}], key="id")
    sheet = authorize().open_by_key(scene.book.id).sheet1
    scene.door.close()
    found = scene.play(upsert(scene, "b"), upsert(scene, "c", sheet=sheet))
    assert [one.appended for one in found] == [[4], [5]]
    assert scene.sent == [READ, APPEND]


def test_an_upsert_that_gives_up_before_the_append_is_not_in_it(stage, authorize, book):
    """What it was to write is not written, and whoever had counted on its row appends it."""
    scene = prepared(stage, writes_per_minute=1, quota_window=1.0)
    scene.door.open()
    hasty = authorize(timeout=0.5).open_by_key(book.id).sheet1
    scene.door.close()
    held = scene.hold()
    [write] = scene.put(partial(scene.sheet.update_cell, 9, 9, "x"))
    scene.release(held)
    scene.door.next().answer()
    settled(write)
    calls = pile_up(scene, upsert(scene, "k", "1", sheet=hasty), upsert(scene, "k", "2"))
    scene.door.next().answer()
    assert isinstance(settled(calls[0]), CallTimeoutError)
    scene.door.open()
    assert settled(calls[1]).appended == [3]
    assert scene.sent[1:] == [READ, APPEND]
    assert scene.rows()[2][:2] == ["k", "2"]


def test_without_merging_every_upsert_has_requests_of_its_own(stage):
    """With no_merge nothing is shared, in the same order."""
    scene = prepared(stage, no_merge=True)
    found = scene.play(upsert(scene, "k"), upsert(scene, "k", "3"))
    assert scene.sent == [READ, APPEND, READ, UPDATE]
    assert [numbers(one) for one in found] == [([], [3], []), ([3], [], [])]


def test_upserts_whose_keys_were_elsewhere_share_reads_too(scene, authorize):
    """The clients remember different columns, or none: reads are for all of them."""
    scene.door.open()
    scene.book.sheet1.update([["x", "id", "y"]])
    upsert_rows(scene.sheet, [{"id": "q"}], key="id")
    sheet = authorize().open_by_key(scene.book.id).sheet1
    scene.door.close()
    calls = [upsert(scene, "b"), upsert(scene, "b", sheet=sheet), upsert(scene, "c", sheet=sheet)]
    found = scene.play(*calls)
    assert sorted(number for one in found for number in one.appended) == [4, 5]
    assert [row[1] for row in scene.rows()[2:]] == ["q", "b", "c"]


def test_an_upsert_behind_one_that_must_read_again_keeps_its_place(scene, authorize):
    """The later of two that bring one key wins, though it had read what it needs before."""
    scene.door.open()
    scene.book.sheet1.update([["x", "id", "y"]])
    upsert_rows(scene.sheet, [{"id": "q"}], key="id")
    sheet = authorize().open_by_key(scene.book.id).sheet1
    scene.door.close()
    calls = [upsert(scene, "b"), upsert(scene, "k", "3", sheet=sheet), upsert(scene, "k", "4")]
    found = scene.play(*calls)
    assert [numbers(one) for one in found] == [([], [4], []), ([], [5], []), ([5], [], [])]
    assert scene.rows()[4][:2] == ["4", "k"]


# What Google refuses ----------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("step", ["update", "append"])
def test_one_bad_upsert_is_its_callers_alone(scene, emulator, place, step):
    """Whatever is refused, the others are made, and no key is there twice."""
    keys = "aaaaa" if step == "update" else "kkkll"
    rows = [{"id": key, "x": f"v{number}"} for number, key in enumerate(keys)]
    rows[place]["y"] = "bad"
    rule = emulator.faults.add(Status(400), match=lambda request: "bad" in str(request.json))
    found = scene.play(*[partial(upsert_rows, scene.sheet, [row], key="id") for row in rows])
    emulator.faults.remove(rule)
    assert [n for n, one in enumerate(found) if isinstance(one, Exception)] == [place]
    assert all(isinstance(one, Upserted) for n, one in enumerate(found) if n != place)
    good = {row["id"]: row["x"] for n, row in enumerate(rows) if n != place}
    assert {row[0]: row[1] for row in scene.rows()[1:]} == {"a": "1", **good}
    assert len({row[0] for row in scene.rows()}) == len(scene.rows())


def test_upserts_keep_their_order_when_their_update_is_refused(scene, emulator):
    """A key that the refused one was to append as well is not appended before by a later call."""
    rule = emulator.faults.add(Status(400), match=lambda request: "bad" in str(request.json))
    calls = [
        [{"id": "b"}],
        [{"id": "a", "x": "2"}, {"id": "k", "x": "3"}],
        [{"id": "a", "y": "bad"}],
        [{"id": "k", "x": "4"}],
    ]
    found = scene.play(*[partial(upsert_rows, scene.sheet, rows, key="id") for rows in calls])
    emulator.faults.remove(rule)
    assert isinstance(found.pop(2), Exception)
    assert [numbers(one) for one in found] == [([], [3], []), ([2], [4], []), ([4], [], [])]
    assert [row[:2] for row in scene.rows()[1:]] == [["a", "2"], ["b", ""], ["k", "4"]]


def test_however_many_are_bad_the_others_are_made(scene, emulator):
    """Each bad one has its own error, each other one its own result."""
    rule = emulator.faults.add(Status(400), match=lambda request: "bad" in str(request.json))
    columns = ["y" if number % 3 == 0 else "x" for number in range(12)]
    rows = [
        {"id": f"k{n % 6}", name: "bad" if name == "y" else n} for n, name in enumerate(columns)
    ]
    found = scene.play(*[partial(upsert_rows, scene.sheet, [row], key="id") for row in rows])
    emulator.faults.remove(rule)
    bad = [n for n, one in enumerate(found) if isinstance(one, Exception)]
    assert bad == [0, 3, 6, 9]
    assert sorted(row[0] for row in scene.rows()[2:]) == ["k1", "k2", "k4", "k5"]


def test_a_quota_refusal_of_an_append_is_waited_for(stage):
    """It goes once more as one request, since nothing of it was applied."""
    scene = prepared(stage, **QUICK)
    calls = pile_up(scene, upsert(scene, "b"), upsert(scene, "b", "3"), upsert(scene, "c"))
    scene.door.next().answer()
    scene.door.next().fail(google_error(429))
    scene.door.open()
    assert [numbers(settled(one)) for one in calls] == [([], [3], []), ([3], [], []), ([], [4], [])]
    assert scene.sent == [READ, APPEND, APPEND]


# What nobody knows ------------------------------------------------------------------------------

UNKNOWN = {"503": lambda: google_error(503), "reset": lambda: ConnectionResetError(104, "reset")}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("is_applied", [True, False])
def test_an_append_of_upserts_without_an_answer(stage, name, is_applied):
    """All that were in it are told so, and nothing is sent again; the same call then settles it."""
    scene = prepared(stage, **QUICK)
    calls = [upsert(scene, "b"), upsert(scene, "b", "3"), upsert(scene, "a")]
    made = pile_up(scene, *calls)
    scene.door.next().answer()
    scene.door.next().answer()
    error = UNKNOWN[name]()
    scene.door.next().fail(AppliedError(error) if is_applied else error)
    told = [settled(one) for one in made]
    assert [type(one) for one in told] == [OutcomeUnknownError, OutcomeUnknownError, Upserted]
    assert told[0].call == "worksheet.upsert_rows on 'Book' / 'Sheet1'"
    assert "look whether its keys are in the sheet" in told[0].how_to_check
    assert scene.sent == [READ, UPDATE, APPEND]
    assert len(scene.rows()) == 2 + is_applied
    scene.door.open()
    settled_by = calls[0]()
    assert numbers(settled_by) == (([3], [], []) if is_applied else ([], [3], []))


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("is_applied", [True, False])
def test_an_update_of_upserts_without_an_answer(stage, name, is_applied):
    """It is idempotent, so it is sent again, and nobody notices."""
    scene = prepared(stage, **QUICK)
    made = pile_up(scene, upsert(scene, "a"), upsert(scene, "a", "3"), upsert(scene, "b"))
    scene.door.next().answer()
    error = UNKNOWN[name]()
    scene.door.next().fail(AppliedError(error) if is_applied else error)
    scene.door.open()
    assert [numbers(settled(one)) for one in made] == [([2], [], []), ([2], [], []), ([], [3], [])]
    assert scene.sent == [READ, UPDATE, UPDATE, APPEND]


def test_an_update_that_always_fails_for_one_upsert_is_its_callers_alone(stage, emulator):
    """The others are made, with requests of their own."""
    scene = prepared(stage, quota_window=0.3, retry_for=1.0)
    rule = emulator.faults.add(Status(500), match=lambda request: "bad" in str(request.json))
    bad = partial(upsert_rows, scene.sheet, [{"id": "a", "y": "bad"}], key="id")
    found = scene.play(upsert(scene, "a"), bad, upsert(scene, "a"), upsert(scene, "a", "3"))
    emulator.faults.remove(rule)
    assert [isinstance(one, Exception) for one in found] == [False, True, False, False]
    assert scene.rows()[1][1] == "3"


def test_an_answer_to_an_append_that_says_no_rows_is_unknown(scene):
    """Which rows it has written is not known, so nor is what it has done."""
    made = pile_up(scene, upsert(scene, "b"))
    scene.door.next().answer()
    scene.door.next().answer({"something": "else"})
    assert type(settled(made[0])) is OutcomeUnknownError
    assert scene.sent == [READ, APPEND]


def test_a_read_that_cannot_be_split_is_made_by_each(scene, authorize):
    """An answer that is not for all ranges is asked for again."""
    scene.book.sheet1.update([["x", "id", "y"]])
    scene.door.open()
    upsert_rows(scene.sheet, [{"id": "1"}], key="id")
    sheet = authorize().open_by_key(scene.book.id).sheet1
    scene.door.close()
    made = pile_up(scene, upsert(scene, "b"), upsert(scene, "c", sheet=sheet))
    scene.door.next().answer({"something": "else"})
    scene.door.open()
    assert sorted(number for one in made for number in settled(one).appended) == [3, 4]
