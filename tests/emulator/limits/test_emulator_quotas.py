"""Quotas over HTTP: who is refused, with what, and what is left undone."""

import json

import pytest
from emulator_state import new_store
from emulator_traffic import KEY, Traffic, bearer
from gspread.exceptions import APIError
from waiting import PATIENCE

from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.emulator.api.request import Request
from queued_gspread.emulator.api.router import answer
from queued_gspread.emulator.book.store import SPREADSHEET_TYPE
from queued_gspread.google_api.methods import METHODS, find, kind_of

BODY = {
    "error": {
        "code": 429,
        "message": "Quota exceeded for quota metric 'Write requests' and limit "
        "'Write requests per minute per user' of service 'sheets.googleapis.com' for consumer "
        "'project_number:1'.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": {
                    "quota_location": "global",
                    "quota_metric": "sheets.googleapis.com/write_requests",
                    "quota_limit_value": "1",
                    "consumer": "projects/1",
                    "service": "sheets.googleapis.com",
                    "quota_limit": "WriteRequestsPerMinutePerUser",
                },
            },
            {
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [
                    {
                        "description": "Request a higher quota limit.",
                        "url": "https://cloud.google.com/docs/quota#requesting_higher_quota",
                    }
                ],
            },
        ],
    }
}


def test_one_write_too_many_gets_googles_body(own, traffic):
    """A write over the quota is answered with Google's 429, and writes nothing."""
    own.quotas = Quotas(writes=1)
    assert traffic.write(value="kept").status_code == 200
    refused = traffic.write(value="refused")
    assert (refused.status_code, refused.json()) == (429, BODY)
    assert "Retry-After" not in refused.headers
    assert traffic.rows() == ["kept"]
    assert own.refusals == 1


@pytest.mark.parametrize(
    ("limit", "metric", "title", "name"),
    [
        ("reads", "read", "Read requests per minute per user", "ReadRequestsPerMinutePerUser"),
        ("writes", "write", "Write requests per minute per user", "WriteRequestsPerMinutePerUser"),
        ("project_reads", "read", "Read requests per minute", "ReadRequestsPerMinutePerProject"),
        (
            "project_writes",
            "write",
            "Write requests per minute",
            "WriteRequestsPerMinutePerProject",
        ),
    ],
)
def test_each_quota_says_which_it_is(own, traffic, limit, metric, title, name):
    """The body names the metric and the limit that refused, and so does the ledger."""
    own.quotas = Quotas(**{limit: 1})
    send = traffic.read if metric == "read" else traffic.write
    send()
    error = send().json()["error"]
    assert f"limit '{title}' of" in error["message"]
    metadata = error["details"][0]["metadata"]
    assert metadata["quota_metric"] == f"sheets.googleapis.com/{metric}_requests"
    assert metadata["quota_limit"] == own.ledger[-1].refused_by == name


def test_the_next_window_has_room(own, traffic, clock):
    """When the window is over, requests are let through again."""
    own.quotas = Quotas(reads=1, window=10.0)
    assert [traffic.read().status_code for _ in range(2)] == [200, 429]
    clock.now = 10.0
    assert [traffic.read().status_code for _ in range(2)] == [200, 429]


def test_a_fixed_window_can_be_moved(own, traffic, clock):
    """With an offset a fixed window ends that much later."""
    own.quotas = Quotas(reads=1, window=10.0, offset=4.0)
    answers = []
    for clock.now in (3.0, 4.0, 10.0, 13.9, 14.0):
        answers.append(traffic.read().status_code)
    assert answers == [200, 200, 429, 429, 200]


def test_a_sliding_window(own, traffic, clock):
    """A sliding window lets through what the last seconds leave."""
    own.quotas = Quotas(reads=1, window=10.0, movement="sliding")
    answers = []
    for clock.now in (5.0, 10.0, 14.9, 15.0):
        answers.append(traffic.read().status_code)
    assert answers == [200, 429, 429, 200]


def test_new_quotas_start_afresh(own, traffic):
    """To set the quotas, even to the same ones, forgets what was counted."""
    own.quotas = Quotas(reads=1)
    assert [traffic.read().status_code for _ in range(2)] == [200, 429]
    own.quotas = Quotas(reads=1)
    assert traffic.read().status_code == 200
    own.quotas = Quotas()
    assert [traffic.read().status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("retry_after", [30, "Wed, 01 Jan 2025 00:00:00 GMT"])
def test_retry_after(own, traffic, retry_after):
    """A 429 says when to come again if it is told to."""
    own.quotas = Quotas(reads=1, retry_after=retry_after)
    assert "Retry-After" not in traffic.read().headers
    assert traffic.read().headers["Retry-After"] == str(retry_after)


def test_drive_has_its_own(own, traffic):
    """Drive's quota is apart from that of Sheets, and refuses with Drive's 403."""
    own.quotas = Quotas(reads=1, drive=1, retry_after=1)
    assert [traffic.read().status_code, traffic.list_files().status_code] == [200, 200]
    refused = traffic.list_files()
    message = "User Rate Limit Exceeded"
    reason = {"domain": "usageLimits", "reason": "userRateLimitExceeded", "message": message}
    assert refused.status_code == 403
    assert refused.json() == {"error": {"errors": [reason], "code": 403, "message": message}}
    assert "Retry-After" not in refused.headers
    assert own.ledger[-1].quota == "drive"


POST_READS = {
    ":getByDataFilter": {},
    "/values:batchGetByDataFilter": {"dataFilters": [{"a1Range": "A1"}]},
    "/developerMetadata:search": {"dataFilters": [{"a1Range": "A1"}]},
}


@pytest.mark.parametrize("method", POST_READS)
def test_a_post_that_reads_is_a_read(own, traffic, method):
    """What retrieves data is counted as a read, whatever its HTTP method."""
    own.quotas = Quotas(reads=1, writes=1)
    read = [traffic.send("POST", traffic.path + method, json=POST_READS[method]) for _ in range(2)]
    assert [each.status_code for each in read] == [200, 429]
    assert [served.quota for served in own.ledger] == ["read", "read"]
    assert traffic.write().status_code == 200


FILTERS = {"dataFilters": [{"a1Range": "A1"}]}
RAW = {"valueInputOption": "RAW"}
ANSWERED = {
    ":batchUpdate": {"requests": [{"addSheet": {}}]},
    ":getByDataFilter": FILTERS,
    "/developerMetadata:search": {"dataFilters": [{"developerMetadataLookup": {}}]},
    "/sheets/0:copyTo": {},
    "/values/A1:append?valueInputOption=RAW": {"values": [[1]]},
    "/values/A1:clear": {},
    "/values:batchClear": {"ranges": ["A1"]},
    "/values:batchClearByDataFilter": FILTERS,
    "/values:batchGetByDataFilter": FILTERS,
    "/values:batchUpdate": {**RAW, "data": [{"range": "A1", "values": [[1]]}]},
    "/values:batchUpdateByDataFilter": {
        **RAW,
        "data": [{"dataFilter": {"a1Range": "A1"}, "values": [[1]]}],
    },
}


def test_the_methods_that_change_nothing_are_reads():
    """What is asked by POST counts as a read exactly where it leaves the file as it is."""
    rows = {find("POST", f"/v4/spreadsheets/x{path.partition('?')[0]}") for path in ANSWERED}
    posts = {row for row in METHODS if row.verb == "POST" and row.path.startswith("/v4/")}
    assert {row.path for row in posts - rows} == {"/v4/spreadsheets"}
    for path, body in ANSWERED.items():
        store = new_store()
        file = store.create("Book", SPREADSHEET_TYPE)
        target = f"/v4/spreadsheets/{file.file_id}{path}"
        own = {"destinationSpreadsheetId": file.file_id} if "copyTo" in path else {}
        before = file.version
        given = answer(store, Request("POST", target, {}, json.dumps(body | own).encode()))
        assert given.status == 200, path
        kind = "read" if file.version == before else "write"
        assert kind_of("POST", target.partition("?")[0]) == kind


def test_a_post_that_stands_for_a_get(own, traffic):
    """A POST with an override is what it stands for, its query in the body where there is one."""
    traffic.write(value="kept")
    own.quotas = Quotas(reads=2, writes=1)
    headers = {**KEY, "X-HTTP-Method-Override": "GET"}
    values = f"{traffic.path}/values"
    ranges = traffic.send("POST", f"{values}:batchGet", headers, data={"ranges": ["A1", "A2"]})
    assert [found["range"] for found in ranges.json()["valueRanges"]] == ["Sheet1!A1", "Sheet1!A2"]
    assert traffic.send("POST", f"{values}/A1?majorDimension=ROWS", headers).json()["values"]
    assert traffic.send("POST", f"{values}/A1", headers).status_code == 429
    assert [(served.method, served.quota) for served in own.ledger[-3:]] == [("GET", "read")] * 3
    assert traffic.write().status_code == 200


def test_only_a_post_stands_for_another_method(own, traffic):
    """An override of any other method is not looked at."""
    headers = {**KEY, "X-HTTP-Method-Override": "DELETE"}
    assert traffic.read(headers).status_code == 200
    assert own.ledger[-1].method == "GET"


def test_drive_is_free_by_default(own, traffic):
    """Quotas of Sheets leave Drive alone."""
    own.quotas = Quotas(reads=1, writes=1, project_reads=1, project_writes=1)
    assert [traffic.list_files().status_code for _ in range(3)] == [200] * 3


def test_accounts_share_the_project_alone(own, traffic):
    """Every account has a user's quota of its own, and all share the project's."""
    own.quotas = Quotas(reads=2, project_reads=3)
    one, two = bearer(own), bearer(own.add_account())
    assert [traffic.read(one).status_code for _ in range(3)] == [200, 200, 429]
    assert own.ledger[-1].refused_by == "ReadRequestsPerMinutePerUser"
    assert [traffic.read(two).status_code for _ in range(2)] == [200, 429]
    assert own.ledger[-1].refused_by == "ReadRequestsPerMinutePerProject"


def test_who_is_not_known_is_not_counted(own, traffic):
    """A request without a valid token uses up nothing."""
    own.quotas = Quotas(reads=1, project_reads=1)
    assert traffic.read({"Authorization": "Bearer nobody"}).status_code == 401
    assert traffic.read().status_code == 200
    assert own.ledger[0].counted is None


def test_what_fails_is_counted(own, traffic):
    """A request that the API answers with an error has used up its share."""
    own.quotas = Quotas(reads=1)
    assert traffic.send("GET", "/v4/spreadsheets/none").status_code == 404
    assert traffic.read().status_code == 429


def test_gspread_sees_the_quota():
    """A real gspread client gets an APIError with the 429 once its quota is used up."""
    with Emulator(quotas=Quotas(writes=3)) as emulator:
        client = emulator.gspread_client()
        sheet = client.create("Orders").sheet1
        for number in range(3):
            sheet.append_row([number])
        with pytest.raises(APIError) as caught:
            sheet.append_row(["refused"])
        assert caught.value.code == 429
        assert sheet.get_all_values() == [["0"], ["1"], ["2"]]


@pytest.mark.parametrize(
    ("counted", "moment", "after"), [("arrival", 9.0, 200), ("answer", 11.0, 429)]
)
def test_the_moment_of_counting(own, traffic, clock, counted, moment, after):
    """A slow request uses up the window of its arrival or that of its answer, as set."""
    own.quotas = Quotas(reads=1, window=10.0, counted=counted)
    own.latency = 2.0
    clock.now = 9.0
    reading = traffic.start(traffic.read)
    clock.now = 11.0
    assert reading.result(PATIENCE).status_code == 200
    assert own.ledger[-1].counted == moment
    own.latency = 0.0
    assert traffic.read().status_code == after


def test_a_random_moment_of_counting():
    """A random moment of counting lies between arrival and answer, and before the application."""
    quotas = Quotas(reads=2, counted="random")
    with Emulator(seed=5, latency=0.02, quotas=quotas) as emulator:
        traffic = Traffic(emulator)
        answers = [traffic.read().status_code for _ in range(3)]
        traffic.close()
    assert answers == [200, 200, 429]
    for served in emulator.ledger[:2]:
        assert served.arrived < served.counted <= served.applied_at <= served.answered
