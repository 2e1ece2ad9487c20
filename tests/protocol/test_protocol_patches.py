"""Libraries that patch gspread's classes, or reach through its objects, keep working."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import subprocess
import sys
import warnings
from functools import partial
from unittest import mock

import gspread
import numpy_like
import pytest

import queued_gspread
from queued_gspread.broker import Producer
from queued_gspread.errors import CodecError
from queued_gspread.proxy.remote_warnings import warn_again


@pytest.fixture
def sent(monkeypatch):
    """Collect the names of the calls that are put into the queue."""
    names = []
    call = Producer.call

    def noting(self, job_id, lane, body, *rest):
        job = json.loads(body)
        names.append(f"{job['kind']}.{job['method']}")
        return call(self, job_id, lane, body, *rest)

    monkeypatch.setattr(Producer, "call", noting)
    return names


def test_a_replaced_method_runs_in_the_caller(sh, sent, monkeypatch):
    """A library's method in the place of gspread's runs here, and what it sends is queued."""

    def fetch_sheet_metadata(self, params=None):
        url = f"https://sheets.googleapis.com/v4/spreadsheets/{self.id}"
        return {"patched": True, **self.client.request("get", url, params=params).json()}

    monkeypatch.setattr(gspread.Spreadsheet, "fetch_sheet_metadata", fetch_sheet_metadata)
    assert sh.fetch_sheet_metadata({"fields": "spreadsheetId"}) == {
        "patched": True,
        "spreadsheetId": sh.id,
    }
    assert sent == ["http_client.request"]


def test_a_wrapper_that_copies_gspreads_names_is_known_as_foreign(sh, sent, monkeypatch):
    """A replacement is known by where its code lives, not by its ``__module__``."""
    original = gspread.Spreadsheet.fetch_sheet_metadata

    @functools.wraps(original)
    def wrapper(self, *args, **kwargs):
        return {"wrapped": original(self, *args, **kwargs)["spreadsheetId"]}

    monkeypatch.setattr(gspread.Spreadsheet, "fetch_sheet_metadata", wrapper)
    assert sh.fetch_sheet_metadata() == {"wrapped": sh.id}
    assert sent == ["http_client.fetch_sheet_metadata"]


def test_a_patch_from_before_our_import_is_known(redis_url, namespace, server):
    """A method that was replaced before this package was imported is met, in an opening too."""
    code = f"""
import gspread
def fetch_sheet_metadata(self, params=None):
    print("patched")
    return self.client.fetch_sheet_metadata(self.id, params)
gspread.Spreadsheet.fetch_sheet_metadata = fetch_sheet_metadata
import queued_gspread
client = queued_gspread.authorize(redis_url={redis_url!r}, namespace={namespace!r})
print(client.create("Patched").fetch_sheet_metadata()["properties"]["title"])
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["patched", "patched", "Patched"]


def test_a_method_added_to_gspreads_class_sees_the_queued_object(ws, sent, monkeypatch):
    """A method that a library adds is called with the queued object as its self."""
    monkeypatch.setattr(
        gspread.Worksheet, "shout", lambda self: self.acell("A1").value, raising=False
    )
    assert ws.shout() is None
    assert sent == ["worksheet.acell"]


def test_a_spreadsheet_built_by_a_library_is_queued(gc, sh, sent):
    """Gspread's own Spreadsheet over a client's ``http_client`` sends through the queue."""
    spreadsheet = gspread.Spreadsheet(gc.http_client, {"id": sh.id})
    worksheet = spreadsheet.sheet1
    worksheet.append_row(["x"])
    assert worksheet.get_all_values() == [["x"]]
    assert {name.split(".")[0] for name in sent} == {"http_client"}


def test_our_spreadsheet_can_be_built_too(gc, sh):
    """Our Spreadsheet over a client's ``http_client`` fetches its properties, as gspread does."""
    spreadsheet = queued_gspread.Spreadsheet(gc.http_client, {"id": sh.id})
    assert spreadsheet.title == sh.title
    worksheet = queued_gspread.Worksheet(
        spreadsheet, spreadsheet.sheet1._properties, sh.id, gc.http_client
    )
    assert worksheet.get_all_values() == [[]]


def test_a_request_of_somebodys_own_sees_every_request(gc, sh, sent):
    """Where ``http_client.request`` was replaced, all that is sent passes through it."""
    seen = []
    original = gc.http_client.request

    def request(*args, **kwargs):
        seen.append(args[0])
        return original(*args, **kwargs)

    gc.http_client.request = request
    worksheet = sh.sheet1
    worksheet.append_row(["x"])
    assert isinstance(worksheet, queued_gspread.worksheet.Worksheet)
    assert seen == ["get", "post"]
    assert sent == ["http_client.request"] * 2
    assert worksheet.row_count == 1001


def test_a_subclass_with_its_own_request_sees_every_request(gc, sh, sent, redis_url, namespace):
    """An HTTP client's subclass that overrides ``request`` is asked for everything."""
    seen = []

    class Noting(queued_gspread.HTTPClient):
        def request(self, *args, **kwargs):
            seen.append(args[0])
            return super().request(*args, **kwargs)

    client = queued_gspread.Client(http_client=Noting, redis_url=redis_url, namespace=namespace)
    assert client.open_by_key(sh.id).title == sh.title
    assert seen == ["get"]
    assert sent == ["http_client.request"]


def test_a_client_made_for_the_emulator_is_queued_too(gc, sh, emulator, sent, redis_url, namespace):
    """An HTTP client that names the server's own API endpoint in place of Google's works."""

    class Emulated(queued_gspread.HTTPClient):
        def request(self, method, endpoint, *args, **kwargs):
            path = endpoint.split(".com", 1)[1]
            return super().request(method, emulator.url + path, *args, **kwargs)

    client = queued_gspread.authorize(
        http_client=Emulated, redis_url=redis_url, namespace=namespace
    )
    assert client.open_by_key(sh.id).title == sh.title
    assert sent == ["http_client.request"]


def test_an_overridden_method_is_met_by_gspreads_code(gc, sh, sent):
    """Gspread's methods call what a user's subclass of Worksheet has in their place."""

    class Shouting(queued_gspread.worksheet.Worksheet):
        def get(self, *args, **kwargs):
            return [[cell.upper() for cell in row] for row in super().get(*args, **kwargs)]

    plain = sh.sheet1
    plain.append_row(["quiet"])
    loud = Shouting(sh, plain._properties, sh.id, gc.http_client)
    assert loud.get_all_values() == [["QUIET"]]
    assert plain.get_all_values() == [["quiet"]]
    assert sent[-2:] == ["http_client.values_get", "worksheet.get_all_values"]


def test_a_patch_of_our_classes_is_met_by_gspreads_code(gc, sh, ws, sent, monkeypatch):
    """What a test puts on our classes is met by gspread's other methods, and gone afterwards."""
    with monkeypatch.context() as patch:
        patch.setattr(queued_gspread.Worksheet, "append_rows", lambda *_args, **_more: "patched")
        assert ws.append_row(["x"]) == "patched"
        patch.setattr(queued_gspread.HTTPClient, "request", mock.Mock(side_effect=OSError("cut")))
        for call in (ws.get_all_values, sh.worksheets, gc.openall):
            with pytest.raises(OSError, match="cut"):
                call()
    assert sent == []
    assert ws.get_all_values() == [[]]
    assert sent == ["worksheet.get_all_values"]


def test_a_method_that_a_subclass_gets_later_is_met(gc, sh, ws, sent):
    """A method that is put on a class after its objects were used is met by gspread's code."""

    class Late(queued_gspread.Worksheet):
        pass

    worksheet = Late(sh, ws._properties, sh.id, gc.http_client)
    assert worksheet.get_all_values() == [[]]
    Late.get = lambda *_args, **_more: [["late"]]
    assert worksheet.get_all_values() == [["late"]]
    assert sent == ["worksheet.get_all_values"]


def test_a_double_on_gspreads_class_gets_what_it_gets_there(gc, ws, monkeypatch):
    """A double that is no function gets no self, and one that is a function does."""
    double = mock.Mock(return_value=["double"])
    monkeypatch.setattr(gspread.Worksheet, "row_values", double)
    assert ws.row_values(1, value_render_option="FORMULA") == ["double"]
    double.assert_called_once_with(1, value_render_option="FORMULA")
    with mock.patch.object(gspread.Client, "open", autospec=True) as spec:
        gc.open("A title")
    spec.assert_called_once_with(gc, "A title")


def test_a_regular_expression_runs_in_the_caller(ws, sent):
    """A pattern, which may take for ever, is not run in the server."""
    ws.append_row(["apple"])
    assert ws.find(re.compile("^app")).address == "A1"
    assert sent[-1] == "http_client.values_get"


READ_A_SET = """
import json, sys
import queued_gspread as gspread
ws = gspread.authorize(redis_url=sys.argv[1], namespace=sys.argv[2]).open_by_key(sys.argv[3]).sheet1
labels = {f"A{row}" for row in range(1, 9)}
print(json.dumps([list(labels), dict(zip(labels, ws.batch_get(labels)))]))
"""


def test_a_set_keeps_the_order_that_it_has_in_the_caller(ws, sh, redis_url, namespace):
    """What is read for a set's items comes in the order of that set, in whatever process it is."""
    ws.update([[f"value of A{row}"] for row in range(1, 9)], "A1")
    orders = set()
    for seed in "123":
        process = subprocess.run(
            [sys.executable, "-c", READ_A_SET, redis_url, namespace, sh.id],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
        order, found = json.loads(process.stdout)
        assert found == {label: [[f"value of {label}"]] for label in order}
        orders.add(tuple(order))
    assert len(orders) > 1


def test_a_set_is_not_put_into_a_job(ws, sent):
    """A call with a set among its arguments is made here: its requests have a list of it."""
    assert [found.first() for found in ws.batch_get({"A1"})] == [None]
    assert sent == ["http_client.values_batch_get"]


def test_a_body_that_is_drawn_is_sent_once(gc, sh, emulator):
    """A body that is a generator is sent, once, and its answer returned."""
    url = f"https://sheets.googleapis.com/v4/spreadsheets/{sh.id}:batchUpdate"
    body = b'{"requests": [{"addSheet": {"properties": {"title": "Drawn"}}}]}'
    headers = {"Content-Type": "application/json"}
    answer = gc.http_client.request(
        "post", url, data=(part for part in [body[:9], body[9:]]), headers=headers
    )
    assert answer.json()["replies"][0]["addSheet"]["properties"]["title"] == "Drawn"


def test_a_time_out_that_cannot_travel_is_refused(gc, sh, sent):
    """A time-out that is neither seconds nor a pair of them says so."""
    gc.set_timeout(object())
    with pytest.raises(TypeError, match="a pair of seconds"):
        sh.sheet1.get_all_values()
    assert sent == []


def test_a_helper_on_gspreads_class_does_no_harm():
    """What a library had added to gspread's class before is no call of gspread's, and no patch."""
    code = (
        "import gspread; gspread.Worksheet.helper = staticmethod(len); "
        "gspread.Worksheet.another = lambda self: self.get_all_values(); "
        "import queued_gspread as q; from queued_gspread.protocol.kinds import WORKSHEET; "
        "from queued_gspread.protocol.patches import is_patched; "
        "assert 'helper' not in WORKSHEET.calls; assert not is_patched(WORKSHEET)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_double_from_before_our_import_is_known():
    """What stands on gspread's class when this package is imported is a patch, whatever it is."""
    code = (
        "import gspread; from unittest import mock; gspread.Worksheet.append_rows = mock.Mock(); "
        "import queued_gspread; from queued_gspread.protocol.kinds import HTTP_CLIENT, WORKSHEET; "
        "from queued_gspread.protocol.patches import is_patched; "
        "assert is_patched(WORKSHEET); assert not is_patched(HTTP_CLIENT)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


class NotAllowedError(Exception):
    """Stands for what a test raises where nothing may be sent."""


def refuse(*_args, **_more):
    raise NotAllowedError


PATCHED = [
    (gspread.HTTPClient, "request"),
    (gspread.HTTPClient, "values_append"),
    (gspread.Worksheet, "append_rows"),
    (gspread.Worksheet, "title"),
    (gspread.worksheet, "absolute_range_name"),
    (queued_gspread.HTTPClient, "request"),
    (queued_gspread.HTTPClient, "values_append"),
    (queued_gspread.Worksheet, "append_rows"),
    (queued_gspread.Worksheet, "title"),
    (queued_gspread.worksheet, "absolute_range_name"),
]


@pytest.mark.parametrize("is_used_before", [True, False])
@pytest.mark.parametrize(("place", "name"), PATCHED, ids=[f"{p!r:.30} {n}" for p, n in PATCHED])
def test_a_patch_is_met_in_the_middle_of_a_call(ws, sent, place, name, is_used_before):
    """What stands on a class or module, gspread's or ours, is what every call of gspread's runs."""
    if is_used_before:
        assert ws.get_all_values() == [[]]
    del sent[:]
    double = property(refuse) if name == "title" else refuse
    with mock.patch.object(place, name, double), pytest.raises(NotAllowedError):
        ws.append_row(["x"])
    assert sent == []
    ws.append_row(["y"])
    assert sent == ["worksheet.append_row"]
    assert ws.get_all_values() == [["y"]]


def test_a_wrapper_around_gspreads_request_sees_every_request(gc, sh, ws, sent, monkeypatch):
    """A replacement of gspread's ``request`` may go on to gspread's own, which is queued."""
    seen = []
    original = gspread.HTTPClient.request

    def request(self, *args, **kwargs):
        if isinstance(self, queued_gspread.HTTPClient):  # the server is in this process
            seen.append(args[0])
        return original(self, *args, **kwargs)

    monkeypatch.setattr(gspread.HTTPClient, "request", request)
    ws.append_row(["x"])
    assert gc.open_by_key(sh.id).sheet1.get_all_values() == [["x"]]
    assert seen == ["post", "get", "get", "get"]
    assert sent == ["http_client.request"] * 4
    with pytest.raises(gspread.exceptions.APIError):
        ws.get("no range!")
    with pytest.raises(AttributeError, match="has no session"):
        _ = gc.http_client.session


def test_a_patched_list_of_files_is_met_by_an_opening(gc, sh, sent, monkeypatch):
    """To open a spreadsheet by its title, gspread's code asks what was put on its class."""
    files = [{"id": sh.id, "name": "Anything"}]
    monkeypatch.setattr(gspread.Client, "_list_spreadsheet_files", lambda *_: (files, None))
    del sent[:]
    assert gc.open("Anything").id == sh.id
    assert sent == ["http_client.fetch_sheet_metadata"]


@pytest.mark.parametrize("place", [gspread.Spreadsheet, queued_gspread.Spreadsheet])
def test_a_patch_of_the_class_of_what_is_opened_is_met(gc, sh, sent, place):
    """To open a spreadsheet, gspread's code calls what was put on gspread's class or on ours."""
    told = {"properties": {"title": "Told"}, "sheets": []}
    del sent[:]
    with mock.patch.object(place, "fetch_sheet_metadata", return_value=told):
        opened = gc.open_by_key(sh.id)
        assert (opened.title, opened.id) == ("Told", sh.id)
        with pytest.raises(gspread.WorksheetNotFound):
            opened.worksheet("Sheet1")
    assert sent == []
    assert type(opened) is queued_gspread.Spreadsheet
    assert gc.open_by_key(sh.id).title == sh.title
    assert sent == ["client.open_by_key"]


@pytest.mark.parametrize("place", [gspread.Spreadsheet, queued_gspread.Spreadsheet])
def test_a_patched_constructor_is_met_by_an_opening(gc, sent, place):
    """A spreadsheet is made by the constructor that was put on gspread's class or on ours."""

    def init(self, client, properties):
        self.client, self._properties = client, {**properties, "title": "Made up"}

    with mock.patch.object(place, "__init__", init):
        opened = gc.open_by_key("any key")
    assert (opened.title, type(opened)) == ("Made up", queued_gspread.Spreadsheet)
    assert sent == []


def test_a_patch_of_our_module_is_one_of_gspreads():
    """What is put on a module of ours stands on gspread's too, and what was there is put back."""
    before = gspread.utils.rowcol_to_a1
    with mock.patch.object(queued_gspread.utils, "rowcol_to_a1") as double:
        assert gspread.utils.rowcol_to_a1 is double
    assert gspread.utils.rowcol_to_a1 is queued_gspread.utils.rowcol_to_a1 is before
    with mock.patch.object(queued_gspread.client, "Spreadsheet") as double:
        assert gspread.client.Spreadsheet is double
    assert gspread.client.Spreadsheet is gspread.Spreadsheet
    assert queued_gspread.client.Spreadsheet is queued_gspread.Spreadsheet


@pytest.mark.parametrize("package", [gspread, queued_gspread])
def test_a_patch_of_a_modules_class_is_met(gc, sh, sent, package):
    """What is put in the place of a class that a module has is what gspread's code there makes."""

    class Sheet(queued_gspread.Spreadsheet):
        pass

    del sent[:]
    with mock.patch.object(package.client, "Spreadsheet") as double:
        assert gc.open_by_key("any key") is double.return_value
    with mock.patch.object(package.spreadsheet, "Worksheet") as double:
        assert sh.sheet1 is double.return_value
    assert sent == ["http_client.fetch_sheet_metadata"]
    with mock.patch.object(package.client, "Spreadsheet", Sheet):
        assert type(gc.open_by_key(sh.id)) is Sheet
    assert type(gc.open_by_key(sh.id)) is queued_gspread.Spreadsheet
    assert sent[-1] == "client.open_by_key"


def test_a_property_of_a_subclass_is_met_by_gspreads_code(gc, sh, ws, sent):
    """A user's property in the place of gspread's is read by gspread's methods."""

    class Elsewhere(queued_gspread.Worksheet):
        title = property(lambda _self: "Second")

    sh.add_worksheet("Second", 5, 5).append_row(["there"])
    assert Elsewhere(sh, ws._properties, sh.id, gc.http_client).get_all_values() == [["there"]]


def test_a_method_that_gspreads_code_never_calls_changes_no_other(gc, sh, ws, sent):
    """A user's subclass with methods that only it calls has its calls travel whole."""

    class Own(queued_gspread.Worksheet):
        def get_all_records(self, *args, **kwargs):
            return [dict(found) for found in super().get_all_records(*args, **kwargs)]

    worksheet = Own(sh, ws._properties, sh.id, gc.http_client)
    worksheet.append_row(["a"])
    assert worksheet.get_all_records() == []
    assert sent == ["worksheet.append_row", "worksheet.get_all_records"]


def test_a_patch_of_a_property_that_the_server_answers_is_met(gc, sent, monkeypatch):
    """``Client.expiry``, which the server answers otherwise, can be replaced too."""
    monkeypatch.setattr(gspread.Client, "expiry", property(lambda _self: "never"))
    assert gc.expiry == "never"
    assert sent == []


def test_a_patch_that_was_deleted_is_gone(ws, sent, monkeypatch):
    """A name that is missing on gspread's class is missing for gspread's code here."""
    with monkeypatch.context() as patch:
        patch.delattr(gspread.Worksheet, "get_values")
        with pytest.raises(AttributeError, match="get_values"):
            ws.get_values()
    assert ws.get_values() == [[]]
    assert sent == ["worksheet.get_values"]


def test_where_warnings_are_errors_the_calls_own_error_is_raised(ws):
    """A warning that is raised as an error does not hide what the call raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(gspread.exceptions.APIError):
            ws.update("no range!", [["x"]])


SILENT = gspread.exceptions.APIError.__new__(gspread.exceptions.APIError)  # has no text


@pytest.mark.parametrize("warning", [None, "x", [], ["UserWarning", SILENT], ["UserWarning", []]])
def test_a_malformed_warning_is_a_codec_error(warning):
    """What stands for a warning in a reply, and is none, is refused."""
    with pytest.raises(CodecError, match="a warning"):
        warn_again([warning])


def test_what_json_cannot_say_fails_as_in_gspread(ws, sent):
    """A value that cannot be sent raises in the caller what gspread raises, and is not sent."""
    with pytest.raises(TypeError, match="Object of type Int64 is not JSON serializable"):
        ws.append_row([numpy_like.Int64(3)])
    assert sent == []


def test_values_that_only_gspread_turns_into_json_work(ws, sent):
    """An argument that cannot travel, but that gspread makes JSON of, works in the caller."""
    assert [r.first() for r in ws.batch_get(map(str, ["A1"]))] == [None]
    assert sent == ["http_client.values_batch_get"]


def test_a_generator_is_drawn_where_gspread_draws_it(ws, sent):
    """A generator's items are drawn by gspread's code, once, whatever the other arguments are."""
    drawn = []

    def labels():
        for label in ("A1", "B1"):
            drawn.append(label)
            yield label

    assert len(ws.batch_get(labels())) == 2
    assert len(ws.batch_get(labels(), major_dimension=numpy_like.Text("ROWS"))) == 2
    assert drawn == ["A1", "B1"] * 2
    assert sent == ["http_client.values_batch_get", "http_client.request"]


ROWS = [["a"], ["b"]]
DRAWN = {
    "generator": lambda: (row for row in ROWS),
    "iterator": lambda: iter(ROWS),
    "map": lambda: map(list, ROWS),
    "zip": lambda: zip("ab", strict=True),
    "filter": lambda: filter(None, ROWS),
    "view": {1: ROWS[0], 2: ROWS[1]}.values,
    "file": lambda: io.StringIO("a\nb\n"),
    "in a list": lambda: [(cell for cell in "a"), ["b"]],
    "in a dict": lambda: {"values": (row for row in ROWS)},
}


@pytest.mark.parametrize("make", DRAWN.values(), ids=DRAWN)
def test_what_gspread_does_not_draw_keeps_its_items(ws, make, sent):
    """An argument that gspread fails on without drawing it has all its items after the error."""
    given = make()
    if isinstance(given, dict):
        fails, inner = (
            partial(ws.client.values_append, ws.spreadsheet_id, "A1", {}),
            given["values"],
        )
    else:
        fails, inner = ws.append_rows, given[0] if isinstance(given, list) else given
    with pytest.raises(TypeError, match="JSON serializable"):
        fails(given)
    assert len(list(inner)) == len(list(make()[0] if isinstance(given, list) else ROWS))
    assert sent == []


def test_a_generator_may_call_gspread_or_fail(ws):
    """What a generator does while gspread draws it happens in the caller, in gspread's call."""

    def labels():
        yield ws.acell("A1").address
        raise NotAllowedError

    with pytest.raises(NotAllowedError):
        ws.batch_get(labels())
    assert ws.batch_get(found.address for found in ws.range("A1:B1"))[1].range == "Sheet1!B1"


CSV = "a,b\n1,é\n"
FILES = {
    "text file": lambda path: path.open(encoding="utf-8"),
    "binary file": lambda path: path.open("rb"),
    "text": lambda path: io.StringIO(path.read_text(encoding="utf-8")),
    "bytes": lambda path: io.BytesIO(path.read_bytes()),
    "memory": lambda path: memoryview(path.read_bytes()),
    "parts": lambda path: (part for part in (path.read_bytes()[:5], path.read_bytes()[5:])),
    "lines": lambda path: iter(path.read_text(encoding="utf-8").splitlines(keepends=True)),
}


@pytest.mark.filterwarnings("ignore::requests.exceptions.FileModeWarning")
@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_a_csv_may_be_whatever_requests_sends(gc, sh, tmp_path, make):
    """A file, a buffer or an iterator of parts is sent as requests would send it."""
    path = tmp_path / "some.csv"
    path.write_text(CSV, encoding="utf-8")
    given = make(path)
    with contextlib.closing(given) if hasattr(given, "close") else contextlib.nullcontext():
        gc.import_csv(sh.id, given)
    assert gc.open_by_key(sh.id).sheet1.get_all_values() == [["a", "b"], ["1", "é"]]
