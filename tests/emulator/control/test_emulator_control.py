"""What is seen and set of a running emulator over HTTP."""

import json
import socket

import pytest
import requests
from emulator_traffic import KEY, bearer
from gspread.exceptions import APIError
from waiting import PATIENCE

from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.emulator.faults import Html, Latency, OAuthRefusal, Reset, Status

JSON = {"Content-Type": "application/json"}


def ask(emulator, method, path, body=None, **headers):
    """Send a request to a route below /emulator/; return the status and the JSON."""
    content = None if body is None else json.dumps(body)
    answer = requests.request(
        method,
        f"{emulator.url}/emulator/{path}",
        data=content,
        headers={**JSON, **headers},
        timeout=PATIENCE,
    )
    return answer.status_code, answer.json()


def get(emulator, path):
    status, found = ask(emulator, "GET", path)
    assert status == 200, found
    return found


@pytest.fixture
def shelf(own):
    """Return a spreadsheet of two sheets, one of them hidden, with all that a window shows."""
    book = own.gspread_client().create("Shelf")
    sheet = book.sheet1
    sheet.update([["Title", "Price"], ["<b>Ulysses</b>", 9.5], ["sum", "=SUM(B2:B2)"]], raw=False)
    sheet.format("A1:B1", {"textFormat": {"bold": True}, "horizontalAlignment": "RIGHT"})
    sheet.format("B2", {"backgroundColor": {"red": 1}, "numberFormat": {"type": "CURRENCY"}})
    sheet.update_note("A2", "a note")
    sheet.merge_cells("D1:E2")
    sheet.freeze(rows=1, cols=1)
    sheet.hide_rows(4, 6)
    book.add_worksheet("Drafts", 5, 3).hide()
    return book


# Spreadsheets -----------------------------------------------------------------------------------


def test_files_are_listed(own, shelf):
    """Each file is listed with its sheets, the newest first."""
    own.gspread_client().create("Newer")
    listed = get(own, "files")
    assert listed["total"] == 2
    newer, file = listed["files"]
    assert (newer["name"], file["name"], file["id"]) == ("Newer", "Shelf", shelf.id)
    assert [(s["title"], s["rows"], s["columns"], s["hidden"]) for s in file["sheets"]] == [
        ("Sheet1", 1000, 26, False),
        ("Drafts", 5, 3, True),
    ]
    assert [file["name"] for file in get(own, "files?limit=1")["files"]] == ["Newer"]


def test_a_window_shows_what_a_person_sees(own, shelf):
    """Values are as shown, with formulas, notes, merges, formats, frozen and hidden rows."""
    found = get(own, f"files/{shelf.id}/sheets/0?rows=10&columns=6")
    cells = {(cell.pop("row"), cell.pop("column")): cell for cell in found["cells"]}
    head = {"bold": True, "align": "right"}
    assert cells[0, 0] == {"value": "Title", "type": "text", "format": head}
    assert cells[1, 0] == {"value": "<b>Ulysses</b>", "type": "text", "note": "a note"}
    assert cells[1, 1]["value"] == "$9.50"
    assert cells[1, 1]["format"] == {"background": "#ff0000"}
    assert cells[2, 1] == {"value": "$9.50", "type": "number", "formula": "=SUM(B2:B2)"}
    assert found["merges"] == [{"row": 0, "column": 3, "height": 2, "width": 2}]
    assert (found["frozen_rows"], found["frozen_columns"]) == (1, 1)
    assert found["hidden_rows"] == [4, 5]


def test_a_window_is_cut_off_at_the_edge(own, shelf):
    """What lies beyond a sheet is not shown, and a window beyond it is empty."""
    drafts = get(own, "files")["files"][0]["sheets"][1]["id"]
    edge = get(own, f"files/{shelf.id}/sheets/{drafts}?row=3&column=2")
    assert (edge["row"], edge["height"], edge["column"], edge["width"]) == (3, 2, 2, 1)
    beyond = get(own, f"files/{shelf.id}/sheets/{drafts}?row=900")
    assert (beyond["height"], beyond["cells"]) == (0, [])


def test_a_merge_that_reaches_into_a_window_brings_its_first_cell(own, shelf):
    """The content of a merge is there, wherever in it the window begins."""
    shelf.sheet1.update_acell("D1", "merged")
    found = get(own, f"files/{shelf.id}/sheets/0?row=1&column=4&rows=1&columns=1")
    assert [(c["row"], c["column"], c["value"]) for c in found["cells"]] == [(0, 3, "merged")]


# Quotas and settings ----------------------------------------------------------------------------

ALL_QUOTAS = {
    "reads": 1,
    "writes": 2,
    "project_reads": 3,
    "project_writes": 4,
    "drive": 5,
    "window": 6.5,
    "movement": "sliding",
    "offset": 7.0,
    "counted": "answer",
    "count_refused": True,
    "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT",
}


def test_quotas_are_shown_and_set(own):
    """All fields are set and shown as they are; a part of them leaves the others."""
    assert get(own, "quotas") == {**vars(Quotas())}
    assert ask(own, "PUT", "quotas", ALL_QUOTAS) == (200, ALL_QUOTAS)
    assert own.quotas == Quotas(**ALL_QUOTAS)
    assert ask(own, "PUT", "quotas", {"reads": 0})[1] == {**ALL_QUOTAS, "reads": 0}


def test_a_quota_holds_for_the_next_request(own, traffic):
    """What is set over HTTP is what requests meet."""
    ask(own, "PUT", "quotas", {"writes": 1})
    assert [traffic.write().status_code for _ in "12"] == [200, 429]


def test_settings_are_shown_and_set(own):
    """Latency, its share, the race of appends, tokens and gaps are set one by one."""
    wanted = {"latency": [0.1, 0.2], "apply_share": "random", "append_race": 0.3}
    wanted |= {"token_lifetime": 5.0, "storage": False, "clock_ahead": -60.0}
    wanted |= {"not_computed": "error"}
    assert ask(own, "PUT", "settings", wanted) == (200, wanted)
    assert (own.latency, own.apply_share) == ((0.1, 0.2), "random")
    assert (own.append_race, own.token_lifetime, own.not_computed) == (0.3, 5.0, "error")
    assert (own.storage, own.clock_ahead) == (False, -60.0)
    assert ask(own, "PUT", "settings", {"latency": 0})[1] == {**wanted, "latency": 0}


def test_tokens_are_revoked(own):
    """After it, a token that was granted is refused."""
    token = bearer(own)
    assert ask(own, "POST", "tokens/revoke", {}) == (200, {})
    listed = requests.get(f"{own.url}/drive/v3/files", headers=token, timeout=PATIENCE)
    assert listed.status_code == 401


# Faults -----------------------------------------------------------------------------------------

FAULTS = [
    ({"kind": "status", "status": 503, "applied": True}, Status(503, applied=True)),
    (
        {
            "kind": "status",
            "status": 403,
            "message": "m",
            "reason": "r",
            "body": {"a": 1},
            "headers": {"X-A": "b"},
        },
        Status(403, "m", "r", {"a": 1}, {"X-A": "b"}),
    ),
    ({"kind": "html", "status": 504}, Html(504)),
    ({"kind": "reset"}, Reset()),
    ({"kind": "reset", "late": 1.5}, Reset(late=1.5)),
    ({"kind": "oauth_refusal", "to": "token", "error": "e"}, OAuthRefusal("e")),
    ({"kind": "latency", "seconds": [0.1, 0.2]}, Latency((0.1, 0.2))),
]


@pytest.mark.parametrize(("body", "fault"), FAULTS, ids=lambda part: str(part)[:40])
def test_faults_are_added_listed_and_removed(own, body, fault):
    """A fault of every kind is added as it is told, listed as it was told, and removed."""
    status, rule = ask(own, "POST", "faults", body)
    assert status == 200
    assert [found.fault for found in own.faults.rules] == [fault]
    assert body.items() <= rule.items()
    assert get(own, "faults") == {"rules": [rule]}
    assert ask(own, "DELETE", f"faults/{rule['number']}") == (200, {"removed": 1})
    assert own.faults.rules == []


def test_a_rule_has_all_that_json_can_carry(own, traffic):
    """Rate, count, skip, method and path of a rule hold, and its hits are counted."""
    rule = {"kind": "status", "status": 500, "method": "POST", "path": ":append$"}
    rule |= {"rate": 1, "count": 1, "skip": 1}
    ask(own, "POST", "faults", rule)
    assert traffic.read().status_code == 200
    assert [traffic.write().status_code for _ in "123"] == [200, 500, 200]
    (found,) = get(own, "faults")["rules"]
    assert (found["seen"], found["hits"], found["match"]) == (3, 1, False)


def test_an_expired_token_is_a_fault_too(own):
    """A fault of that kind refuses one request, with its token."""
    ask(own, "POST", "faults", {"kind": "expired_token", "count": 1})
    token = bearer(own)
    statuses = [
        requests.get(f"{own.url}/drive/v3/files", headers=token, timeout=PATIENCE).status_code
        for _ in "12"
    ]
    assert statuses == [401, 200]


def test_all_faults_are_removed(own):
    """DELETE without a number removes every rule."""
    for _ in "12":
        own.faults.add(Status(500))
    assert ask(own, "DELETE", "faults") == (200, {"removed": 2})
    assert own.faults.rules == []


def test_what_can_be_set_is_described(own):
    """Every setting, quota and fault says what it takes."""
    fields = get(own, "fields")
    assert fields["quotas"].keys() == vars(Quotas()).keys()
    assert fields["settings"].keys() == get(own, "settings").keys()
    assert set(fields["faults"]) == {
        *("status", "html", "reset", "expired_token", "oauth_refusal", "latency")
    }
    tables = [fields[name] for name in ("quotas", "settings", "rule", "private")]
    described = [field for table in tables for field in table.values()]
    assert all(field["about"] and field["takes"] for field in described)


@pytest.mark.parametrize("kind", ["status", "html", "oauth_refusal"])
def test_defaults_are_described_as_they_are(own, kind):
    """What `fields` tells as the default of a status is what a fault without one has."""
    told = get(own, "fields")["faults"][kind]["status"]["default"]
    to = "token" if kind == "oauth_refusal" else "api"
    _, rule = ask(own, "POST", "faults", {"kind": kind, "to": to})
    assert str(rule["status"]) == told


# Files that are not shared -----------------------------------------------------------------------


def test_a_spreadsheet_is_unshared_and_shared_again(own):
    """What is private is 403 for Sheets and 404 for Drive, whether it exists or not."""
    client = own.gspread_client()
    made = client.create("Orders")
    for file_id in ("none", made.id):
        ask(own, "POST", "private", {"id": file_id})
        with pytest.raises(PermissionError):
            client.open_by_key(file_id)
        with pytest.raises(APIError, match="404"):
            client.del_spreadsheet(file_id)
    assert ask(own, "GET", "private") == (200, {"files": sorted(["none", made.id])})
    assert client.list_spreadsheet_files() == []
    assert [file["private"] for file in get(own, "files")["files"]] == [True]
    assert ask(own, "DELETE", f"private/{made.id}") == (200, {"files": ["none"]})
    assert client.open("Orders").id == made.id
    assert [file["private"] for file in get(own, "files")["files"]] == [False]


def test_a_spreadsheet_is_shared_again_from_python(own):
    """A private file can be removed from the private ones, and only such a file."""
    made = own.gspread_client().create("Orders")
    own.add_private_file(made.id)
    assert own.private_files == [made.id]
    own.remove_private_file(made.id)
    assert own.gspread_client().open("Orders").id == made.id
    with pytest.raises(KeyError):
        own.remove_private_file(made.id)


# The ledger -------------------------------------------------------------------------------------


def test_the_ledger_is_read_from_a_number_on(own, traffic):
    """Entries come in order, from any number on, with their counts; clearing keeps numbers."""
    for _ in "123":
        traffic.read()
    whole = get(own, "ledger")
    assert [entry["method"] for entry in whole["entries"]] == ["GET"] * 3
    numbers = [entry["number"] for entry in whole["entries"]]
    assert whole["summary"]["requests"] == 3
    later = get(own, f"ledger?after={numbers[0]}&limit=1")
    assert [entry["number"] for entry in later["entries"]] == [numbers[1]]
    assert ask(own, "DELETE", "ledger") == (200, {"removed": 3})
    assert own.ledger == []
    traffic.read()
    (entry,) = get(own, "ledger")["entries"]
    assert entry["number"] == numbers[-1] + 1


def test_the_summary_counts(own, traffic):
    """Refusals, faults and requests under way are counted."""
    own.quotas = Quotas(writes=1)
    own.faults.add(Status(500), method="GET")
    for call in (traffic.write, traffic.write, traffic.read):
        call()
    own.latency = 10.0
    waiting = traffic.start(traffic.list_files)
    summary = get(own, "summary")
    counted = {name: summary[name] for name in ("requests", "refused", "faults", "under_way")}
    assert counted == {"requests": 3, "refused": 1, "faults": 1, "under_way": 1}
    own.stop()
    with pytest.raises(requests.RequestException):
        waiting.result()


def test_an_entry_has_its_body(own, traffic):
    """A single entry has the body of its request as well."""
    traffic.write(value="v")
    (entry,) = get(own, "ledger")["entries"]
    assert "body" not in entry
    assert get(own, f"ledger/{entry['number']}")["body"] == {"values": [["v"]]}


def test_secrets_are_not_shown(own):
    """Neither an API key, an access token nor a signed assertion comes out of the ledger."""
    token = bearer(own)["Authorization"].split()[1]
    for path in ("/drive/v3/files?key=secret-key", f"/drive/v3/files?key=k&access_token={token}"):
        requests.get(own.url + path, timeout=PATIENCE)
    shown = get(own, "ledger")
    told = json.dumps([shown, *(get(own, f"ledger/{e['number']}") for e in shown["entries"])])
    assert len(shown["entries"]) == 3
    assert "(hidden)" in told
    assert "secret-key" not in told
    assert token not in told
    assert "assertion" not in told


def test_control_leaves_no_trace(own):
    """What is asked here is not in the ledger, meets no quota, fault or latency, needs no token."""
    own.quotas = Quotas(reads=1, drive=1)
    own.faults.add(Status(500))
    own.latency = 100.0
    assert [ask(own, "GET", "files")[0] for _ in "123"] == [200] * 3
    assert own.ledger == []


# What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "quotas", {"reads": -1}, "reads"),
        ("PUT", "quotas", {"reads": True}, "reads"),
        ("PUT", "quotas", {"writes": 1, "window": 0}, "window"),
        ("PUT", "quotas", {"writes": 1, "unknown": 2}, "unknown"),
        ("PUT", "quotas", {"movement": "still"}, "movement"),
        ("PUT", "quotas", {"retry_after": "a\nb"}, "retry_after"),
        ("PUT", "quotas", {"retry_after": "soon"}, "retry_after"),
        ("PUT", "quotas", {"retry_after": -1}, "retry_after"),
        ("PUT", "quotas", [], "body"),
        ("PUT", "settings", {"append_race": 1, "latency": -1}, "latency"),
        ("PUT", "settings", {"latency": [2, 1]}, "latency"),
        ("PUT", "settings", {"apply_share": 2}, "apply_share"),
        ("PUT", "settings", {"append_race": "1"}, "append_race"),
        ("PUT", "settings", {"token_lifetime": None}, "token_lifetime"),
        ("PUT", "settings", {"not_computed": "ignore"}, "not_computed"),
        ("POST", "faults", {}, "kind"),
        ("POST", "faults", {"kind": "earthquake"}, "kind"),
        ("POST", "faults", {"kind": "latency"}, "seconds"),
        ("POST", "faults", {"kind": "status", "status": 99}, "status"),
        ("POST", "faults", {"kind": "status", "status": 500, "rate": 2}, "rate"),
        ("POST", "faults", {"kind": "status", "status": 500, "path": "("}, "path"),
        ("POST", "faults", {"kind": "status", "status": 500, "seconds": 1}, "seconds"),
        (
            "POST",
            "faults",
            {"kind": "status", "status": 500, "headers": {"a": "b\r\nc"}},
            "headers",
        ),
        ("POST", "faults", {"kind": "latency", "seconds": -1}, "seconds"),
        ("POST", "faults", {"kind": "oauth_refusal"}, "to"),
        ("POST", "faults", {"kind": "expired_token", "to": "token"}, "to"),
        ("POST", "private", {}, "id"),
        ("POST", "private", {"id": ""}, "id"),
        ("POST", "private", {"id": 5}, "id"),
        ("POST", "private", {"id": "x", "file": "x"}, "file"),
        ("POST", "tokens/revoke", {"all": True}, "all"),
        ("GET", "ledger?after=x", None, "after"),
        ("GET", "ledger?limit=0", None, "limit"),
        ("GET", "files?limit=100000", None, "limit"),
        ("GET", "files?page=1", None, "page"),
    ],
)
def test_a_wrong_field_changes_nothing(own, method, path, body, field):
    """400 names the field, its value and what to take; nothing of the request is applied."""
    token, before = bearer(own), (get(own, "quotas"), get(own, "settings"), get(own, "faults"))
    status, told = ask(own, method, path, body)
    assert (status, told["error"]["field"]) == (400, field)
    assert f"{field}=" in told["error"]["message"]
    assert "take " in told["error"]["message"]
    assert (get(own, "quotas"), get(own, "settings"), get(own, "faults")) == before
    listed = requests.get(f"{own.url}/drive/v3/files", headers=token, timeout=PATIENCE)
    assert listed.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *(
            "nothing",
            "files/none/sheets/0",
            "faults/7",
            "private/x",
            "ledger/7",
            "ledger/x",
            "page/none.js",
        ),
        *("page/..%2Froutes.py", "page/%2e%2e", "files//sheets/0", "ledger/" + "9" * 5000),
    ],
)
def test_what_is_not_there_is_404(own, path):
    """A path that leads nowhere is answered with a JSON error, and shows no other file."""
    method = "DELETE" if path.startswith(("faults/", "private/")) else "GET"
    status, told = ask(own, method, path)
    assert status == 404
    assert told["error"]["message"].startswith("There is no ")


def test_a_wrong_method_is_405(own):
    """A method that a path does not have is told with those that it has."""
    status, told = ask(own, "POST", "quotas", {})
    assert status == 405
    assert "GET" in told["error"]["message"]
    assert "PUT" in told["error"]["message"]


@pytest.mark.parametrize("content", ["{", "", "[1", '{"reads": NaN}', "[" * 100_000])
def test_a_body_that_is_no_json(own, content):
    """What is no JSON, or no JSON that can be written again, is refused or is no change."""
    before = get(own, "quotas")
    answer = requests.put(
        f"{own.url}/emulator/quotas", data=content, headers=JSON, timeout=PATIENCE
    )
    assert answer.status_code == (400 if content else 200)
    assert get(own, "quotas") == before


# Foreign pages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/emulator/files", "/emulator/page/page.js", "/favicon.ico"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_host_that_is_not_the_emulators_own_is_refused(own, path, host):
    """A name that was rebound to this machine gets nothing to see."""
    answer = raw_request(own, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert " 403 " in answer.splitlines()[0]
    assert "is not this emulator" in answer


@pytest.mark.parametrize("path", ["/", "/emulator/files", "/v4/spreadsheets/x"])
def test_what_another_site_has_sent_is_refused(own, path):
    """Where the browser says that a page of another site is behind a request, it gets nothing."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    answer = raw_request(own, f"{head}Sec-Fetch-Site: cross-site\r\n\r\n")
    assert " 403 " in answer.splitlines()[0]
    assert "is another site's page" in answer
    answer = raw_request(own, f"{head}Sec-Fetch-Site: same-origin\r\n\r\n")
    assert " 403 " not in answer.splitlines()[0]


def raw_request(emulator, text):
    """Send a request as it is, and return the whole answer."""
    address = emulator.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((address[0], int(address[1])), PATIENCE) as connection:
        connection.sendall(text.encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_the_machines_own_names_are_taken(own, name):
    """The emulator may be named in every way that means this machine."""
    port = own.url.rpartition(":")[2]
    status, _ = ask(own, "GET", "files", Host=f"{name}:{port}")
    assert status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize(("method", "path"), [("PUT", "quotas"), ("DELETE", "faults")])
def test_a_foreign_origin_is_refused(own, origin, method, path):
    """A request that another page has the browser send changes nothing."""
    own.faults.add(Status(500))
    status, told = ask(own, method, path, {"reads": 1} if method == "PUT" else None, Origin=origin)
    assert status == 403
    assert origin in told["error"]["message"]
    assert (own.quotas.reads, len(own.faults.rules)) == (0, 1)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_taken(own, kind):
    """A form of another page, which needs no leave to be sent, changes nothing."""
    status, _ = ask(own, "PUT", "quotas", {"reads": 1}, **{"Content-Type": kind})
    assert status == 415
    assert own.quotas.reads == 0


def test_answers_keep_the_browser_strict(own):
    """Every answer forbids what a page could be made to do."""
    for path in ("/", "/emulator/files", "/emulator/nothing"):
        headers = requests.get(own.url + path, timeout=PATIENCE).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ["/emulator/files", "/drive/v3/files?key=k", "/v4/spreadsheets/x"])
@pytest.mark.parametrize(
    ("allowed", "name", "taken"),
    [
        ((), "emulator.test", False),
        ((), "10.1.2.3", True),
        ((), "[fe80::1]", True),
        ((), "localhost", True),
        (("emulator", "Emulator.Test"), "emulator.test", True),
        (("emulator",), "emulator:8099", True),
        (("emulator",), "evil.example", False),
        (("emulator",), "emulator.evil.example", False),
        (("*",), "evil.example", True),
    ],
)
def test_an_emulator_for_others_takes_the_names_that_it_is_told(path, allowed, name, taken):
    """Bound to more than this machine it takes every address, and of names those that it knows."""
    with Emulator("0.0.0.0", allowed_hosts=allowed) as emulator:
        headers = {**KEY, "Host": name}
        answer = requests.get(emulator.url + path, headers=headers, timeout=PATIENCE)
        assert (answer.status_code != 403) is taken


def test_the_names_are_a_list():
    """A single name in the place of the list is an error that says so."""
    with pytest.raises(TypeError, match="allowed_hosts='emulator' cannot be used"):
        Emulator(allowed_hosts="emulator")


FOREIGN = [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]


@pytest.mark.parametrize("headers", FOREIGN)
def test_googles_paths_are_not_for_foreign_pages(own, headers):
    """What another page has the browser send reads, writes, deletes and authenticates nothing."""
    book = own.gspread_client().create("Salaries")
    book.sheet1.append_row(["Ann", 90_000])
    own.clear_ledger()
    before = len(own.token_requests)
    plain = {**headers, "Content-Type": "text/plain"}
    append = f"v4/spreadsheets/{book.id}/values/A1:append?key=k&valueInputOption=RAW"
    for method, path in (
        ("GET", "drive/v3/files?key=k"),
        ("GET", f"v4/spreadsheets/{book.id}/values/A1:B9?key=k"),
        ("OPTIONS", append),
        ("POST", append),
        ("DELETE", f"drive/v3/files/{book.id}?key=k"),
        ("POST", "token"),
    ):
        body = '{"values": [["planted"]]}' if method == "POST" else None
        url = f"{own.url}/{path}"
        answer = requests.request(method, url, data=body, headers=plain, timeout=PATIENCE)
        told = answer.json()["error"]
        assert (answer.status_code, told["code"]) == (403, 403)
        assert told["message"].endswith(("that name.", "no Origin."))
    assert (own.ledger, len(own.token_requests)) == ([], before)
    assert book.sheet1.get_all_values() == [["Ann", "90000"]]


def test_a_refusal_reaches_who_uses_gspread(own):
    """A client that names the emulator by a name that it does not know is told what to do."""
    client = own.gspread_client()
    client.http_client.session.headers["Host"] = "emulator"
    with pytest.raises(APIError, match="--allow-host"):
        client.create("x")


def test_other_clients_are_no_foreign_pages(own):
    """Programs send no origin: what Node's fetch adds to its requests is taken."""
    headers = {**KEY, "Sec-Fetch-Mode": "cors", "Accept-Language": "*", "User-Agent": "node"}
    answer = requests.get(f"{own.url}/drive/v3/files", headers=headers, timeout=PATIENCE)
    assert answer.status_code == 200


def test_google_answers_its_own_paths_still(own):
    """What is below no route of the emulator's own is Google's, with Google's errors."""
    answer = requests.get(f"{own.url}/v4/spreadsheets/none", headers=KEY, timeout=PATIENCE)
    assert answer.json()["error"]["status"] == "NOT_FOUND"
