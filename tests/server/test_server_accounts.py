"""Several accounts: under which one requests go out, and what becomes of them there."""

from __future__ import annotations

from collections import Counter

import pytest
from gspread.exceptions import APIError
from limits import UNLIMITED
from processes import ServerProcess
from waiting import PATIENCE, eventually

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import ExpiredToken, Latency, Reset, Status
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.server import Server

WINDOW = 2.0


@pytest.fixture
def emulator():
    """Return an emulator of this test's own: one account, and two of another project."""
    with Emulator(seed=1) as emulator:
        emulator.add_account(project=2)
        emulator.add_account(project=2)
        yield emulator


@pytest.fixture
def names(emulator):
    return [account.email for account in emulator.accounts]


@pytest.fixture
def key_files(emulator, tmp_path):
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for account, path in zip(emulator.accounts, paths, strict=True):
        account.write_service_account(path)
    return paths


@pytest.fixture
def lent(redis_url, namespace, emulator, key_files):
    """Return what starts a server with some of the accounts."""
    servers = []

    def start(accounts=2, **options):
        where = {"redis_url": redis_url, "namespace": namespace, "api_endpoint": emulator.url}
        chosen = {"no_merge": True, **UNLIMITED, **options}
        servers.append(Server(service_account=key_files[:accounts], **where, **chosen))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def book(emulator):
    """Return the id of a spreadsheet that is shared with all accounts."""
    return emulator.add_spreadsheet("Book")


@pytest.fixture
def cells(client, book):
    """Return a worksheet, without asking for it."""
    return Cells(client, book)


class Cells:
    """A spreadsheet's cells, by requests for them alone."""

    def __init__(self, client, book):
        self.http, self.book = client.http_client, book

    def append(self, *row):
        body = {"values": [list(row)]}
        return self.http.values_append(self.book, "A1", {"valueInputOption": "RAW"}, body)

    def rows(self):
        return self.http.values_get(self.book, "A1:Z").get("values", [])

    def ask(self, *requests):
        return self.http.batch_update(self.book, {"requests": list(requests)})


def senders(emulator, path=""):
    """Return under which accounts requests to the API were sent, in order."""
    return [served.account for served in emulator.ledger if path in served.path]


JSON = {"Content-Type": "application/json"}
LIMITED = {"writes_per_minute": 4, "reads_per_minute": 4, "quota_window": 30.0}


def test_what_is_known_to_be_allowed_is_lent(lent, emulator, names, cells):
    """Once the first account has succeeded, requests of that kind there go out under others."""
    lent(**LIMITED)
    for number in range(3):
        cells.append(number)
    assert senders(emulator) == [names[0], names[1], names[1]]
    assert cells.rows() == [["0"], ["1"], ["2"]]
    assert senders(emulator)[-1] == names[0]
    cells.rows()
    assert senders(emulator)[-1] == names[1]


def test_all_slots_are_used(lent, emulator, names, cells):
    """As many requests go out at once as all accounts have slots for."""
    lent(3, **LIMITED)
    for number in range(12):
        cells.append(number)
    assert Counter(senders(emulator)) == dict.fromkeys(names, 4)


def test_a_third_is_kept_for_what_only_the_first_may_send(lent, emulator, names, cells):
    """While a lender has room, the first account keeps a third of its slots; then it gives all."""
    lent(writes_per_minute=6, quota_window=30.0)
    for number in range(10):
        cells.append(number)
    assert Counter(senders(emulator)) == {names[0]: 4, names[1]: 6}
    cells.ask({"addProtectedRange": {"protectedRange": {"range": {"sheetId": 0}}}})
    cells.append(10)
    assert senders(emulator)[-2:] == [names[0]] * 2


def test_a_sheet_that_a_lender_may_not_use(lent, emulator, names, book, cells):
    """A 403 of a lender is nobody's answer: the request goes out again, and that lender no more."""
    emulator.unshare(book, emulator.accounts[1])
    lent(**LIMITED)
    for number in range(3):
        cells.append(number)
    assert senders(emulator) == [names[0], names[1], names[0], names[0]]
    assert cells.rows() == [["0"], ["1"], ["2"]]


def test_a_lender_that_may_only_read(lent, emulator, names, book, cells):
    """Who may not write a spreadsheet is still asked for reads."""
    emulator.share(book, emulator.accounts[1], "reader")
    lent(**LIMITED)
    cells.append(0)
    cells.append(1)
    assert [cells.rows() for _ in range(2)] == [[["0"], ["1"]]] * 2
    assert senders(emulator) == [names[0], names[1], names[0], names[0], names[1]]


def test_a_sheet_that_only_a_lender_may_use(lent, emulator, names, book, cells):
    """Who is refused as the first account is refused: nothing goes out under a lender."""
    emulator.add_private_file(book, emulator.accounts[1])
    lent(**LIMITED)
    for ask in (cells.rows, lambda: cells.append(0)) * 2:
        with pytest.raises(APIError, match="403"):
            ask()
    assert senders(emulator) == [names[0]] * 4


def test_what_the_first_account_may_no_longer_use(lent, emulator, names, book, cells):
    """Where the first account is refused, that kind of request is lent no more."""
    lent(**LIMITED)
    cells.rows()
    emulator.add_private_file(book, emulator.accounts[1])
    with pytest.raises(APIError, match="403"):
        cells.http.fetch_sheet_metadata(book)
    with pytest.raises(APIError, match="403"):
        cells.rows()
    assert senders(emulator) == [names[0]] * 3


def test_a_first_account_that_may_only_read(lent, emulator, names, book, cells):
    """Writes are refused as to the first account, whatever a lender may do; reads are lent."""
    emulator.share(book, emulator.accounts[0], "reader")
    lent(**LIMITED)
    for _ in range(2):
        cells.rows()
        with pytest.raises(APIError, match="403"):
            cells.append(0)
    assert senders(emulator, ":append") == [names[0]] * 2
    assert senders(emulator) == [names[0], names[0], names[1], names[0]]


def test_a_copy_shows_no_right_to_write(lent, emulator, names, book, cells):
    """A sheet is copied from what the first account may only read: writes there are not lent."""
    emulator.share(book, emulator.accounts[0], "reader")
    # The emulator wants the right to write there; of Google that is not documented.
    emulator.faults.add(Status(200, body={"sheetId": 1}, headers=JSON), path=":copyTo")
    lent(**LIMITED)
    cells.http.spreadsheets_sheets_copy_to(book, 0, "other")
    with pytest.raises(APIError, match="403"):
        cells.append(0)
    assert senders(emulator) == [names[0]] * 2


def test_what_is_the_first_account_s_alone(lent, emulator, names, book, cells, client):
    """What depends on whose account it is goes out under the first, whatever is lent."""
    lent(writes_per_minute=20, quota_window=30.0)
    for number in range(2):
        cells.append(number)
    cells.http.fetch_sheet_metadata(book)
    protected = {"range": {"sheetId": 0}, "editors": {"users": [names[0]]}}
    cells.ask({"addProtectedRange": {"protectedRange": protected}})
    cells.ask(
        {"updateSheetProperties": {"properties": {"sheetId": 0, "title": "T"}, "fields": "title"}}
    )
    client.create("Another")
    assert senders(emulator, book) == [names[0], names[1], names[0], names[0], names[1]]
    assert set(senders(emulator, "/drive/")) == {names[0]}


class OfAccount:
    """A fault for the requests of one account alone."""

    def __init__(self, emulator, number):
        self.email, self.emulator = emulator.accounts[number].email, emulator

    def add(self, fault, **where):
        self.emulator.faults.add(fault, match=self.is_sender, to="api", **where)

    def is_sender(self, request):
        grant = self.emulator._project.holder(request.token)
        return grant is not None and grant.email == self.email


def test_a_429_of_one_account(lent, emulator, names, cells):
    """Google's refusal pauses the account that it is about, and the call goes out under another."""
    lent(**LIMITED)
    cells.append(0)
    refusal = Status(429, "Quota exceeded for limit 'WriteRequestsPerMinutePerUser'")
    OfAccount(emulator, 1).add(refusal, path=":append", count=1)
    for number in range(1, 4):
        cells.append(number)
    assert senders(emulator) == [names[0], names[1], *[names[0]] * 3]
    assert cells.rows() == [[str(number)] for number in range(4)]


def test_a_429_of_a_project(lent, emulator, names, cells, raw, keys):
    """A refusal for the project pauses each account of it, and none of another project."""
    lent(3, **LIMITED)
    cells.append(0)
    error = {"code": 429, "message": "Quota exceeded for limit 'Write requests per minute' of it"}
    refusal = Status(429, body={"error": {**error, "status": "RESOURCE_EXHAUSTED"}})
    OfAccount(emulator, 1).add(refusal, path=":append", count=1)
    for number in range(1, 4):
        cells.append(number)
    assert senders(emulator) == [names[0], names[1], *[names[0]] * 3]
    paused = [raw.hget(keys.throttle_of(name), "streak:write") for name in ("", *names[1:])]
    assert paused == [None, "1", "1"]


def test_a_401_of_one_account(lent, emulator, names, cells):
    """A token that Google refuses is that account's affair: its request goes out as the first."""
    lent(**LIMITED)
    cells.append(0)
    OfAccount(emulator, 1).add(ExpiredToken(for_good=True), count=1)
    cells.append(1)
    assert senders(emulator) == [names[0], names[1], names[0]]
    eventually(lambda: (cells.append(2), senders(emulator)[-1] == names[1])[1])
    assert all(row in cells.rows() for row in (["0"], ["1"]))


def test_an_unknown_outcome_under_a_lender(lent, emulator, names, cells):
    """What may have been applied is repeated under no account, and the error names the account."""
    lent(**LIMITED)
    cells.append(0)
    OfAccount(emulator, 1).add(Reset(applied=True), path=":append", count=1)
    with pytest.raises(OutcomeUnknownError, match=f"was sent as {names[1]} at ") as caught:
        cells.append(1)
    assert caught.value.sent_as == names[1]
    assert senders(emulator) == names[:2]
    assert cells.rows() == [["0"], ["1"]]


def test_a_protected_range_of_a_lender(lent, emulator, names, cells):
    """Where a lender may not edit a protected range, the first account has the last word."""
    lent(**LIMITED)
    cells.append(0)
    message = "You are trying to edit a protected cell or object."
    OfAccount(emulator, 1).add(Status(400, message), path=":append", count=1)
    cells.append(1)
    assert senders(emulator) == [names[0], names[1], names[0]]
    assert cells.rows() == [["0"], ["1"]]


def test_other_errors_of_a_lender_are_answers(lent, emulator, names, cells):
    """What is wrong with a request is wrong under any account."""
    lent(**LIMITED)
    assert cells.rows() == []
    with pytest.raises(APIError, match="Unable to parse range"):
        cells.http.values_get(cells.book, "nowhere!A1")
    assert senders(emulator) == names[:2]


def test_merged_requests_are_lent(
    lent, emulator, names, book, client, background, operator, raw, keys
):
    """A lender's 403 for a merged request is no answer to any of its calls."""
    lent(no_merge=False, writes_per_minute=20, quota_window=30.0)
    sheet = client.open_by_key(book).sheet1
    sheet.append_row(["0"])
    emulator.unshare(book, emulator.accounts[1])
    operator.pause("write")
    calls = [background(sheet.append_row, [str(number)]) for number in range(1, 9)]
    eventually(lambda: operator.waiting() == len(calls))
    eventually(lambda: '"paused"' in (raw.hget(keys.server, "holdups") or ""))
    operator.resume()
    for call in calls:
        call.result(PATIENCE)
    assert sorted(row for (row,) in sheet.get()) == [str(number) for number in range(9)]
    appends = [served for served in emulator.ledger if served.path.endswith(":append")]
    assert [served.account for served in appends][:3] == [names[0], names[1], names[0]]
    assert [len(served.body["values"]) for served in appends][:3] == [1, 8, 8]


@pytest.fixture
def process(redis_url, namespace, emulator, key_files, tmp_path):
    """Return what starts a server with two accounts as a process."""
    started = []

    def start():
        where = ["--redis-url", redis_url, "--namespace", namespace, "--lease", "1"]
        files = [part for path in key_files[:2] for part in ("--service-account", path)]
        limits = ["--writes-per-minute", "4", "--quota-window", "30"]
        log = tmp_path / f"server-{len(started)}.log"
        place = ["--api-endpoint", emulator.url]
        started.append(ServerProcess(log, *where, *files, *place, *limits, "--no-merge"))
        return started[-1].until_log("working as")

    yield start
    for each in started:
        each.end()


def test_a_server_is_killed_with_a_lender_s_request_in_the_air(
    process, emulator, names, cells, background, patient_callers
):
    """The successor repeats it under no account, and says under which one it was sent."""
    first = process()
    cells.append(0)
    OfAccount(emulator, 1).add(Latency(PATIENCE), path=":append", count=1)
    call = background(cells.append, 1)
    emulator.wait_until_under_way(1)
    first.kill()
    process()
    error = call.exception(PATIENCE)
    assert isinstance(error, OutcomeUnknownError)
    assert error.sent_as == names[1]
    assert f"was sent as {names[1]} at " in str(error)
    cells.append(2)
    assert cells.rows() == [["0"], ["2"]]
