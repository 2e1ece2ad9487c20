"""What a call may put on the wire: one request, to the place that it names, and nothing else."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import gspread
import pytest
import requests
from gate import SHEETS, cell_of
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_http import RawServer
from requests.utils import requote_uri

from queued_gspread.errors import CallRefusedError
from queued_gspread.google_api.paths import path_of
from queued_gspread.protocol.messages import Job
from queued_gspread.server.google.endpoint import redirected
from queued_gspread.server.google.fence import put_up
from queued_gspread.server.google.token_state import NoTokens
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.pacing.quota import kind_of
from queued_gspread.server.policy.inspection import HEADERS, METHODS, inspect
from queued_gspread.server.policy.request import CREDENTIALS, Request, Response
from queued_gspread.server.replay.advance import Done, Needs, advance

CELL = cell_of("lane")
HOST = "https://sheets.googleapis.com"
SMUGGLED = "0\r\n\r\nGET /v4/spreadsheets/OTHER HTTP/1.1\r\nHost: x\r\n\r\n"

BAD_HEADERS = [
    *("Host", "Transfer-Encoding", "Content-Length", "Connection", "Keep-Alive", "TE", "Trailer"),
    *("Expect", "Upgrade", "Proxy-Connection", "Proxy-Authorization", "Authorization", "Cookie"),
    *("Content-Encoding", "X-Goog-Api-Key", "X-Goog-AuthUser", "X-Forwarded-Host", "If-Match"),
    *("", " Accept", "Accept ", "Accept:", "Accept\r\nHost", "x-goog-fieldmas\N{KELVIN SIGN}"),
    *(b"Accept", 7, None),
]
BAD_VALUES = ["a\r\nHost: x", "a\nb", "a\rb", "a\0b", "é", b"text/csv", 5, None]
BAD_METHODS = ["OPTIONS", "CONNECT", "TRACE", "GET ", "GET\r\n", "GET / HTTP/1.1", "", CREDENTIALS]
BAD_URLS = [
    f"{HOST}/drive/../v4/spreadsheets/lane",
    f"{HOST}/drive/%2e%2e/v4/spreadsheets/lane",
    f"{HOST}/drive/.%2E/v4/spreadsheets/lane",
    f"{HOST}/drive/%2E./v4/spreadsheets/lane",
    f"{HOST}/v4/./spreadsheets/lane",
    f"{HOST}/v4/spreadsheets/lane/..",
    f"{HOST}/v4/spreadsheets/lane/values/%2e",
    f"{HOST}/drive/..%2fv4/spreadsheets/lane",
    f"{HOST}/drive%2F..%2Fv4/spreadsheets/lane",
    f"{HOST}/drive/..%5cv4/spreadsheets/lane",
    f"{HOST}/drive/..\\v4/spreadsheets/lane",
    f"{HOST}/drive/values/..%2F..%2Fv4/spreadsheets/lane",
    f"{HOST}/v4/spreadsheets/a%2Fb/values/A1",
    f"{HOST}//v4/spreadsheets/lane",
    f"{HOST}/drive//v4/spreadsheets/lane",
    f"{HOST}/drive/.\t./v4/spreadsheets/lane",
    f"{HOST}/v4/spreadsheets/lane\r\nHost: x",
    f"{HOST}/v4/spreadsheets/lane?a=b\nc",
    f"{HOST}/v4/spreadsheets/\0",
    f"{HOST}/batch",
    "https://www.googleapis.com/batch/drive/v3",
    f"{HOST}/%62atch",
]
GOOD_URLS = [
    CELL,
    f"{SHEETS}/lane:batchUpdate",
    f"{SHEETS}/lane/values/%27a%2Fb%5Cc%27%21A1:append?x=..",
    f"{SHEETS}/lane/values/..A1?x=/../y#/../z",
    f"{SHEETS}/lane/values/'Sheet 1'!A1",
    f"{SHEETS}/lane/values/100%",
    f"{SHEETS}/l%61ne/values/A1",
    "https://www.googleapis.com/upload/drive/v2/files/lane?uploadType=media",
    HOST,
]


def refusal(*args, **kwargs):
    with pytest.raises(CallRefusedError) as caught:
        inspect(Request(*args, **kwargs))
    return str(caught.value)


@pytest.mark.parametrize("name", BAD_HEADERS, ids=repr)
def test_headers_that_a_call_may_not_set(name):
    """A header that frames a request or says where it goes is refused, and named."""
    assert f"the header {name!r} is refused" in refusal("put", CELL, headers={name: "x"})


@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
def test_a_headers_value_is_one_line_of_text(value):
    """What could end a header's line, or is no text, is refused."""
    assert "value of the header 'Accept'" in refusal("put", CELL, headers={"Accept": value})


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_headers_that_a_call_may_set(name):
    """What gspread and Google's own clients send passes, however it is spelled."""
    inspect(Request("post", CELL, headers={name.title(): "GET"}))


@pytest.mark.parametrize(("method", "value"), [("post", "PUT"), ("get", "GET"), ("put", "POST")])
def test_a_method_in_disguise(method, value):
    """A request whose method is another one for Google than for the quota is refused."""
    told = refusal(method, CELL, headers={"X-HTTP-Method-Override": value})
    assert "x-http-method-override" in told


def test_headers_that_are_no_dict():
    """Headers of another form, of which nobody knows what becomes of them, are refused."""
    assert "headers of type list" in refusal("put", CELL, headers=[("Host", "x")])


@pytest.mark.parametrize("method", BAD_METHODS, ids=repr)
def test_methods_that_google_does_not_have(method):
    """Only a method of Google's APIs is sent, in whatever case it is written."""
    assert "HTTP method" in refusal(method, CELL)
    for known in METHODS:
        inspect(Request(known.lower(), CELL))


@pytest.mark.parametrize(
    "given", [{"data": b"x"}, {"json": {}}, {"json": []}, {"files": {"a": "b"}}]
)
@pytest.mark.parametrize("method", ["get", "HEAD", "delete"])
def test_a_request_that_has_no_body(method, given):
    """A body where there is none to read is refused."""
    assert f"a {method.upper()} with a body" in refusal(method, CELL, **given)


@pytest.mark.parametrize("data", [{b"x" * 99}, frozenset(), iter([b"x"]), range(3), 5, False])
def test_data_whose_length_nobody_knows(data):
    """A body that requests would measure wrongly, or send in chunks, is refused."""
    assert f"data of type {type(data).__name__}" in refusal("post", CELL, data=data)


@pytest.mark.parametrize("url", BAD_URLS)
def test_urls_that_have_two_readings(url):
    """A path that means another one once it is tidied up is refused, and the URL named."""
    assert f"the URL {url.partition('?')[0]!r} is refused" in refusal("get", url)


STEERING = ["$httpMethod", "$httpHeaders", "$HTTPMETHOD", "access_token", "$access_token"]


@pytest.mark.parametrize("name", [*STEERING, "oauth_token", "bearer_token"])
def test_parameters_that_make_another_request(name):
    """What has Google take a request for another one, or for another account's, is refused."""
    texts = [f"a=b&{name}=PUT", f"{quote(name)}=PUT", f"a&{name}"]
    forms = [{name: "PUT"}, [("a", "b"), (name, "PUT")], ([name.encode(), "PUT"],), *texts]
    for params in (*forms, *(text.encode() for text in texts)):
        assert f"the parameter {name!r}" in refusal("get", CELL, params=params)
    for text in texts:
        assert f"the parameter {name!r}" in refusal("get", f"{CELL}?{text}#x")


@pytest.mark.parametrize(
    "params",
    [
        {"fields": "access_token", "$fields": "x", "alt": None, 5: 5},
        [("key", "x")],
        "alt=json&$.xgafv=2",
        b"\xff",
        (),
    ],
)
def test_parameters_that_a_call_may_set(params):
    """Google's other parameters pass, in every form that requests takes."""
    inspect(Request("get", CELL, params=params))


def test_parameters_that_can_be_read_once():
    """Parameters that nobody can look at without using them up are refused."""
    assert "params of type generator" in refusal("get", CELL, params=(pair for pair in ()))
    assert "no pairs" in refusal("get", CELL, params=[{"$httpMethod": 1, "PUT": 2}])


@pytest.mark.parametrize("url", GOOD_URLS)
def test_urls_that_have_one_reading(url):
    """What merely looks like it, in a sheet's name or behind the path, is sent."""
    inspect(Request("get", url))


def test_a_long_url_is_cut_in_the_error():
    """An error names the beginning of what it refuses."""
    assert len(refusal("get", f"{HOST}//{'x' * 5000}")) < 300


PIECES = ["/", ".", "%2e", "%2E", "a", "%61", "%", "%zz", "%2F", "%25", "%27", " ", "é", ";", ":"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_the_path_that_is_inspected_is_the_one_that_is_sent(text):
    """Whatever passes, requests sends the path that kind and lane go by."""
    url = f"{SHEETS}/{text}"
    try:
        inspect(Request("get", url))
    except CallRefusedError:
        return
    sent_path = urlsplit(requests.Request("GET", url).prepare().url).path
    # Escapes are the same in either case, and a broken one has all others sent as they stand.
    expected = {requote_uri(path_of(url)).lower(), quote(path_of(url), safe="/:;").lower()}
    assert sent_path.lower() in expected


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (Request("get", f"{HOST}/%64rive/v3/files"), "drive"),
        (Request("get", f"{HOST}/v4/spreadsheets/x?/drive/"), "read"),
        (Request("get", "https://docs.google.com/spreadsheets/d/x/export"), "drive"),
        (Request("post", f"{SHEETS}/lane:getBy%44ataFilter"), "read"),
        (Request("post", CELL, headers={"X-HTTP-Method-Override": "GET"}), "read"),
        (Request("post", CELL), "write"),
        (Request("head", CELL), "read"),
    ],
)
def test_the_quota_goes_by_what_is_sent(request_, kind):
    """A request counts as what Google sees of it, needless escapes undone."""
    assert kind_of(request_) == kind


def test_a_refused_request_takes_no_slot():
    """A call that asks for one ends before anything is waited for, or sent."""
    asked = ("get", CELL, None, None, None, None)
    step = advance(Job("http_client", "request", args=(*asked, {"Host": "x"})).encode(), ())
    assert isinstance(step, Done)
    assert type(step.reply.error) is CallRefusedError
    fine = Job(
        "http_client", "request", args=("get", CELL, None, None, None, None, {"Accept": "x"})
    )
    assert isinstance(advance(fine.encode(), ()), Needs)


# On the wire -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wire():
    """Return a server that reads what is sent as RFC 9112 says, and a transport to it."""
    with RawServer() as server, requests.Session() as session:
        session.mount("http://", put_up(session.get_adapter("http://")))
        http = redirected(gspread.HTTPClient, server.url)(None, session)
        yield server, Transport(http, NoTokens(http), clock=lambda: 0.0)


def sent(transport, request):
    """Send what passes; return the number that its answer has, None where it was not sent."""
    try:
        inspect(request)
    except CallRefusedError:
        return None
    outcome = transport.send(request, None).outcome
    if not isinstance(outcome, Response):
        return None  # what requests itself cannot send
    return outcome.value.json()["number"] if request.method.upper() != "HEAD" else -1


TEXTS = st.sampled_from(["", "x", SMUGGLED, "é\N{SNOWMAN}" * 9, "a=b&c=d"])
BODIES = st.one_of(
    *(TEXTS, TEXTS.map(str.encode), st.none(), st.dictionaries(TEXTS, TEXTS), st.sets(TEXTS)),
    *(st.lists(st.tuples(TEXTS, TEXTS)), st.integers(), st.lists(TEXTS).map(iter)),
)
NAMES = st.sampled_from([*map(str, BAD_HEADERS), *HEADERS])
VALUES = st.sampled_from(
    ["chunked", "GET", "0", "5", "text/csv", "100-continue", "close", "a\r\nb"]
)


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from([*METHODS, *BAD_METHODS]),
    url=st.sampled_from([*BAD_URLS, *GOOD_URLS]),
    data=BODIES,
    body=st.one_of(st.none(), st.just({}), TEXTS, st.lists(TEXTS)),
    files=st.one_of(st.none(), st.dictionaries(TEXTS, TEXTS, max_size=2)),
    headers=st.one_of(st.none(), st.dictionaries(NAMES, VALUES, max_size=2)),
    params=st.one_of(st.none(), TEXTS, st.dictionaries(TEXTS, TEXTS)),
)
def test_whatever_a_call_asks_for_is_one_request(
    wire, method, url, data, body, files, headers, params
):
    """What is sent is one request to whoever reads it, and the next answer is the next caller's."""
    server, transport = wire
    before = len(server.received)
    own = sent(transport, Request(method, url, params, data, body, files, headers))
    assert sent(transport, Request("get", cell_of("next"))) == len(server.received)
    new = server.received[before:]
    assert [one.line.split(" ")[0] for one in new] == ([method.upper()] if own else []) + ["GET"]
    assert new[-1].line == "GET /v4/spreadsheets/next/values/A1 HTTP/1.1"
    for one in new:
        assert one.named("host") == [server.url.removeprefix("http://")]
        assert one.named("transfer-encoding") == []
        assert len(one.named("content-length")) <= 1
    if own and own > 0:
        assert own == before + 1


@pytest.mark.parametrize(
    "given",
    [
        {"headers": {"Transfer-Encoding": "chunked"}, "data": SMUGGLED},
        {"data": {SMUGGLED}},
    ],
)
def test_requests_alone_would_send_two(wire, given):
    """Each of these is two requests, or an open one, where nobody looks at it."""
    server, transport = wire
    with pytest.raises(CallRefusedError):
        inspect(Request("put", CELL, **given))
    before = len(server.received)
    transport.send(Request("put", CELL, **given), (1.0, 1.0))
    transport.send(Request("get", cell_of("next")), (1.0, 1.0))
    lines = [one.line for one in server.received[before:]]
    transport._http.session.close()
    assert lines != [
        "PUT /v4/spreadsheets/lane/values/A1 HTTP/1.1",
        "GET /v4/spreadsheets/next/values/A1 HTTP/1.1",
    ]
