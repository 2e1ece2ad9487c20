"""Reads that may be so old: what a server answers from memory, and after what it asks Google."""

from __future__ import annotations

import io
import itertools
import json
import threading
from dataclasses import replace
from functools import partial

import pytest
import requests
from gspread.exceptions import APIError, SpreadsheetNotFound
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.emulator.faults import Status
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.monitor import look
from queued_gspread.server.log import configure
from queued_gspread.settings import Settings

# Longer than a test takes.
LONG = 600
BATCH = {
    "requests": [{"updateSheetProperties": {"properties": {"title": "New"}, "fields": "title"}}]
}


@pytest.fixture
def old(server, redis_url, namespace):
    """Return a client whose reads may be old."""
    return gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=LONG)


@pytest.fixture
def sheet(old, ws):
    """Return the worksheet as that client has it."""
    ws.update([["a", "b"], ["c", "d"]], "A1:B2")
    return old.open_by_key(ws.spreadsheet_id).sheet1


@pytest.fixture
def reads(emulator):
    """Return a function that tells how many reads came to Google since it was called before."""
    emulator.clear_ledger()

    def count():
        found = [served for served in emulator.ledger if served.quota == "read"]
        emulator.clear_ledger()
        return len(found)

    return count


def asked_again(read, reads):
    """Return whether Google is asked for a read, and what is read."""
    reads()
    result = read()
    return bool(reads()), result


READS = {
    "range": lambda sheet: sheet.get("A1:B2"),
    "ranges": lambda sheet: sheet.batch_get(["A1", "B2"]),
    "values": lambda sheet: sheet.get_all_values(),
    "records": lambda sheet: sheet.get_all_records(),
    "metadata": lambda sheet: sheet.spreadsheet.fetch_sheet_metadata(),
    "worksheets": lambda sheet: [each.title for each in sheet.spreadsheet.worksheets()],
    "notes": lambda sheet: sheet.get_notes(),
    "found": lambda sheet: sheet.find("d").address,
    "filtered": lambda sheet: sheet.client.request(
        "post",
        f"https://sheets.googleapis.com/v4/spreadsheets/{sheet.spreadsheet_id}/values:batchGetByDataFilter",
        json={"dataFilters": [{"a1Range": "A1"}]},
    ).json(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_is_answered_as_google_has_answered_it(read, sheet, ws, reads):
    """The same read gives the same result again without a request, as a fresh one does."""
    first = read(sheet)
    assert asked_again(partial(read, sheet), reads) == (False, first)
    assert asked_again(partial(read, ws), reads) == (True, first)


def test_reads_of_drive_are_always_asked_for(old, sheet, emulator, reads):
    """Opening by title asks Drive each time, and only what follows is answered from memory."""
    old.open("A spreadsheet")
    reads()
    old.open("A spreadsheet")
    assert [served.quota for served in emulator.ledger] == ["drive"]


def copied(gc, ws):
    gc.create("Another").sheet1.copy_to(ws.spreadsheet_id)


def upserted(_, ws):
    gspread.upsert_rows(ws, [{"a": "c", "b": "new"}], key="a")


WRITES = {
    "update": lambda _, ws: ws.update_acell("A1", "new"),
    "append": lambda _, ws: ws.append_row(["new"]),
    "clear": lambda _, ws: ws.batch_clear(["A1"]),
    "batch": lambda _, ws: ws.spreadsheet.batch_update(BATCH),
    "note": lambda _, ws: ws.insert_note("A1", "new"),
    "upsert": upserted,
    "copy to it": copied,
    "import": lambda gc, ws: gc.import_csv(ws.spreadsheet_id, b"new,"),
    "unread": lambda _, ws: ws.client.request(
        "post",
        f"https://sheets.googleapis.com/v4/spreadsheets/{ws.spreadsheet_id}/values/A1:append",
        params={"valueInputOption": "RAW"},
        data=json.dumps({"values": [["new"]]}),
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_after_a_write_google_is_asked(write, gc, ws, sheet, reads):
    """Whoever writes, and from whichever lane: the next read shows what was written."""

    def read():
        book = sheet.spreadsheet
        return book.values_get("A1:Z9"), book.fetch_sheet_metadata({"includeGridData": True})

    before = read()
    assert not asked_again(read, reads)[0]
    write(gc, ws)
    was_asked, after = asked_again(read, reads)
    assert was_asked
    assert after != before
    assert asked_again(read, reads) == (False, after)


def test_what_is_deleted_is_gone(gc, ws, sheet):
    """After a spreadsheet was deleted its answers are not given any more."""
    sheet.get_all_values()
    gc.del_spreadsheet(ws.spreadsheet_id)
    with pytest.raises((APIError, SpreadsheetNotFound)):
        sheet.get_all_values()


def test_a_write_elsewhere_changes_nothing_here(gc, sheet, reads):
    """What is written to another spreadsheet, or makes one, leaves the answers of this one."""
    sheet.get("A1")
    gc.create("Another").sheet1.update_acell("A1", "x")
    assert not asked_again(partial(sheet.get, "A1"), reads)[0]


def test_an_upsert_reads_afresh(ws, sheet, reads):
    """An upsert's own reads go to Google, whatever its client is content with."""
    for value in ("1", "2"):
        reads()
        gspread.upsert_rows(sheet, [{"a": "c", "b": value}], key="a")
        assert reads()
    assert ws.get("B2") == [["2"]]


def test_a_call_of_its_own_age(server, ws, sheet, reads):
    """Of two clients one may have old answers, and the other has fresh ones."""
    sheet.get("A1")
    assert asked_again(partial(ws.get, "A1"), reads)[0]
    assert not asked_again(partial(sheet.get, "A1"), reads)[0]


def test_nobody_is_given_what_was_there_before_a_fresh_read(emulator, ws, sheet):
    """Once anybody has read what somebody else has typed, those with old answers have that too."""
    sheet.get("A1")
    emulator.gspread_client().open_by_key(ws.spreadsheet_id).sheet1.update_acell("A1", "typed")
    assert sheet.get("A1") == [["a"]]
    assert ws.get("A1") == sheet.get("A1") == [["typed"]]


def test_what_was_found_to_be_gone_is_not_given(emulator, ws, sheet):
    """Once anybody's read was refused, as the spreadsheet is gone, so are all others'."""
    sheet.get("A1")
    emulator.gspread_client().del_spreadsheet(ws.spreadsheet_id)
    assert sheet.get("A1") == [["a"]]
    for each, cell in ((ws, "B2"), (sheet, "A1")):
        with pytest.raises(APIError, match="404"):
            each.get(cell)


def test_an_error_is_not_remembered(emulator, sheet):
    """A read that has failed is asked for again."""
    book = sheet.spreadsheet
    with pytest.raises(APIError):
        book.values_get("Later!A1")
    emulator.gspread_client().open_by_key(sheet.spreadsheet_id).add_worksheet("Later", 1, 1)
    assert book.values_get("Later!A1")["range"] == "Later!A1"


@pytest.fixture
def aged(stage, redis_url, namespace):
    """Return what starts a stage; it returns that and a worksheet whose reads may be old."""

    def start(**options):
        scene = stage(**options)
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=LONG)
        scene.door.open()
        scene.book.sheet1.update([["a", "b", "c"]], "A1:C1")
        sheet = client.open_by_key(scene.book.id).sheet1
        sheet.get("A1")
        scene.door.close()
        return scene, sheet

    return start


def test_a_merged_read_is_answered_in_part(aged):
    """Of reads that would share a request, only those that are not remembered are asked for."""
    scene, sheet = aged()
    read = [partial(sheet.get, cell) for cell in ("A1", "B1", "A1", "C1", "B1")]
    assert scene.play(*read) == [[["a"]], [["b"]], [["a"]], [["c"]], [["b"]]]
    (request,) = scene.door.seen
    assert [each.split("!")[1] for each in request.given["params"]["ranges"]] == ["B1", "C1"]
    assert [sheet.get(cell) for cell in ("A1", "B1", "C1")] == [[["a"]], [["b"]], [["c"]]]
    assert len(scene.door.seen) == 1


def test_what_is_remembered_does_not_wait_for_what_is_not(aged):
    """A read that memory answers comes back while another one is out."""
    scene, sheet = aged()
    held = scene.hold()
    fresh, known = scene.put(partial(sheet.get, "B1"), partial(sheet.get, "A1"))
    scene.release(held)
    out = scene.door.next()
    assert known.result(PATIENCE) == [["a"]]
    assert not fresh.done()
    out.answer()
    assert fresh.result(PATIENCE) == [["b"]]


def test_reads_keep_their_places_behind_writes(aged):
    """A read that is remembered when it is put in waits for the write before it, and sees that."""
    scene, sheet = aged()
    held = scene.hold()
    write, read = scene.put(partial(sheet.update_acell, "A1", "new"), partial(sheet.get, "A1"))
    scene.release(held)
    scene.door.next().answer()
    write.result(PATIENCE)
    scene.door.next().answer()
    assert read.result(PATIENCE) == [["new"]]


def test_what_was_in_the_air_beside_a_write_is_not_remembered(aged, emulator, client, background):
    """An answer that is older than a write from another lane is its caller's alone."""
    scene, sheet = aged()
    source = emulator.gspread_client().create("Another")
    scene.door.open()
    copied = client.open_by_key(source.id).sheet1
    scene.door.close()
    read = partial(sheet.spreadsheet.fetch_sheet_metadata, {"fields": "sheets.properties.title"})
    reading = background(read)
    held = scene.door.next()
    copying = background(copied.copy_to, scene.book.id)
    scene.door.next().answer()
    copying.result(PATIENCE)
    before = {"sheets": [{"properties": {"title": "Sheet1"}}]}
    held.answer(before)
    assert reading.result(PATIENCE) == before
    scene.door.open()
    assert len(read()["sheets"]) == 2


def silent(scene, sheet):
    """Have a write end without an answer."""
    (write,) = scene.put(partial(sheet.append_row, ["x"]))
    scene.door.next().fail(requests.exceptions.ReadTimeout("silence"))
    assert isinstance(write.exception(PATIENCE), OutcomeUnknownError)
    scene.door.open()


def test_a_write_without_an_answer_may_still_land(aged):
    """After a write of unknown outcome each read is asked for, as long as it may still land."""
    scene, sheet = aged()
    silent(scene, sheet)
    count = len(scene.door.seen)
    for more in (1, 2, 3):
        sheet.get("A1")
        assert len(scene.door.seen) == count + more


def test_after_the_guards_time_it_has_landed(aged):
    """Once the late-write guard lets the spreadsheet be, its reads are remembered again."""
    scene, sheet = aged(late_write_guard=0.2)
    silent(scene, sheet)
    sheet.get("A1")
    count = len(scene.door.seen)
    assert sheet.get("A1") == [["a"]]
    assert len(scene.door.seen) == count


def test_a_write_that_is_sent_again_is_seen(emulator, ws, sheet, reads):
    """Between the attempts at a write, and after the last one, nothing old is given."""
    sheet.get("A1")
    emulator.faults.add(Status(503, applied=True), method="PUT", count=1)
    ws.update_acell("A1", "new")
    assert asked_again(partial(sheet.get, "A1"), reads) == (True, [["new"]])


class Pollers:
    """Callers that read one cell again and again, for a block."""

    def __init__(self, sheet, number):
        self._sheet, self._ended = sheet, threading.Event()
        self._threads = [threading.Thread(target=self._poll) for _ in range(number)]
        self.answers = itertools.count()

    def _poll(self):
        while not self._ended.is_set():
            self._sheet.get("A1")
            next(self.answers)

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for each in self._threads:
            each.join()


def test_many_readers_and_a_writer(sheet):
    """Under writes by one caller each of its reads has its own write, whoever reads beside it."""
    with Pollers(sheet, 4):
        for value in map(str, range(40)):
            sheet.update_acell("A1", value)
            assert sheet.get("A1") == [[value]]


def test_who_needs_a_request_is_not_overtaken_without_an_end(ws, sheet):
    """However many callers are answered from memory again and again, others have their turns."""
    sheet.get("A1")
    number, reads_made = 16, 10
    with Pollers(sheet, number) as pollers:
        before = next(pollers.answers)
        for _ in range(reads_made):
            ws.get("B1")
        assert next(pollers.answers) - before < 5 * number * reads_made


def test_without_memory_google_is_asked(serving, redis_url, namespace, reads):
    """With ``cache_bytes=0`` every read is a request."""
    with serving(cache_bytes=0):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=LONG)
        sheet = client.create("A spreadsheet").sheet1
        for _ in range(2):
            assert asked_again(partial(sheet.get, "A1"), reads)[0]


def test_a_small_memory_keeps_what_was_used_last(serving, redis_url, namespace, reads):
    """The bound holds: of many answers the oldest go, and a large one is not kept."""
    with serving(cache_bytes=40_000) as server:
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=LONG)
        sheet = client.create("A spreadsheet").sheet1
        sheet.update([["x" * 5000]], "A1")
        for row in range(2, 40):
            sheet.get(f"B{row}")
        assert server._parts.remembering.at_work.bytes <= 40_000
        assert not asked_again(partial(sheet.get, "B39"), reads)[0]
        assert asked_again(partial(sheet.get, "B2"), reads)[0]
        assert [asked_again(partial(sheet.get, "A1"), reads)[0] for _ in range(2)] == [True, True]


@pytest.fixture
def hasty_serving(serving, timing):
    """Return what runs a server that publishes with every beat."""
    return partial(serving, timing=replace(timing, publish=0.01))


def test_what_is_published(hasty_serving, redis_url, namespace):
    """Hits, misses and bytes are there for those who look at the queue."""
    with hasty_serving(cache_bytes=1_000_000):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=LONG)
        sheet = client.create("A spreadsheet").sheet1
        for _ in range(4):
            sheet.get("A1")
        settings = Settings(redis_url=redis_url, namespace=namespace)
        cache = eventually(lambda: (found := look(settings).cache) and found.hits >= 3 and found)
        assert cache.limit == 1_000_000
        assert cache.bytes > 0
        assert cache.misses >= 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_says_what_memory_has_answered(form, ws, sheet, restored_log):
    """A call without a request has 0 of them, and says how many memory has answered."""
    sheet.get("A1")
    stream = io.StringIO()
    configure("info", form, stream)

    def line(sign):
        return eventually(lambda: [each for each in stream.getvalue().splitlines() if sign in each])

    sheet.get("A1")
    if form == "text":
        assert "requests: 0, from memory: 1  ok" in line("from memory")[0]
    else:
        told = json.loads(line("recalled")[0])
        assert (told["requests"], told["sent"], told["recalled"]) == (0, [], 1)
    ws.get("A2")
    (last,) = line("1 read" if form == "text" else '"kind": "read"')[-1:]
    assert "memory" not in last
    assert "recalled" not in last
