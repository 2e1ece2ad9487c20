import io
import pickle
from datetime import timedelta

import pytest
import requests
from requests.structures import CaseInsensitiveDict

from queued_gspread.google_api.responses import OwnRequest
from queued_gspread.protocol import codec

SECRET = "Bearer ya29.a-very-secret-token"


def make_response(body=b'{"a": 1}', status=200, reason="OK"):
    response = requests.Response()
    response.status_code = status
    response.reason = reason
    response.url = "https://sheets.googleapis.com/v4/x"
    response.encoding = "utf-8"
    response.elapsed = timedelta(seconds=1.5)
    response.headers = CaseInsensitiveDict({"Content-Type": "application/json"})
    response._content = body
    response.request = requests.Request(
        "GET", response.url, headers={"Authorization": SECRET}
    ).prepare()
    return response


def there_and_back(value):
    return codec.loads(codec.dumps(value))


def test_a_response_answers_as_before():
    """Status, reason, headers, body, URL, elapsed and encoding all arrive."""
    sent = make_response()
    arrived = there_and_back(sent)
    for name in ("status_code", "reason", "url", "encoding", "elapsed", "content", "text", "ok"):
        assert getattr(arrived, name) == getattr(sent, name)
    assert arrived.json() == {"a": 1}
    assert arrived.headers["content-TYPE"] == "application/json"


def test_no_request_travels():
    """The request, with the Authorization header in it, stays where it was sent."""
    sent = make_response()
    data = codec.dumps(sent)
    assert b"uthorization" not in data
    assert b"ya29" not in data
    assert codec.loads(data).request is None
    with pytest.raises(codec.Unencodable):
        codec.dumps(sent.request)


def test_the_callers_own_request_is_told():
    """Of a caller's own request method and URL arrive, in one that can be shown and pickled."""
    sent = make_response()
    sent.request = OwnRequest(
        "get", "https://sheets.googleapis.com/v4/x y", {"ranges": ["A1", "é"]}
    )
    for arrived in (there_and_back(sent), pickle.loads(pickle.dumps(there_and_back(sent)))):
        assert type(arrived.request) is requests.PreparedRequest
        assert arrived.request.method == "GET"
        url = "https://sheets.googleapis.com/v4/x%20y?ranges=A1&ranges=%C3%A9"
        assert arrived.request.url == url
        assert arrived.request.path_url == url.removeprefix("https://sheets.googleapis.com")
        assert (arrived.request.headers, arrived.request.body) == ({}, None)
        assert repr(arrived.request.copy()) == "<PreparedRequest [GET]>"


@pytest.mark.parametrize("url", ["", "no URL", "https://", "https://[", "https://*.x"])
def test_a_request_that_cannot_be_sent_is_not_told(url):
    """A URL that requests does not take leaves a response, or an error, without its request."""
    sent = make_response()
    sent.request = OwnRequest("get", url)
    assert there_and_back(sent).request is None
    assert there_and_back(requests.ConnectionError("x", request=sent.request)).request is None


def test_cookies_stay_behind():
    """Neither the cookie jar nor the headers that fill it travel."""
    response = make_response()
    response.headers["Set-Cookie"] = "sid=secret"
    response.cookies.set("sid", "secret")
    data = codec.dumps(response)
    assert b"secret" not in data
    assert not codec.loads(data).cookies


def test_any_bytes_are_a_body():
    """A body that is no text arrives byte by byte."""
    body = bytes(range(256))
    assert there_and_back(make_response(body)).content == body


def test_a_decoded_response_can_be_pickled():
    """A decoded response survives pickle, as those of requests do."""
    again = pickle.loads(pickle.dumps(there_and_back(make_response())))
    assert again.json() == {"a": 1}


def test_an_unread_body_is_read():
    """A streamed response is read when it is encoded."""
    response = make_response()
    response._content, response.raw = False, io.BytesIO(b"late")
    assert there_and_back(response).content == b"late"


def test_a_used_up_stream_has_no_body():
    """A stream that somebody has already drained is encoded without its body."""
    response = make_response()
    response._content, response._content_consumed = False, True
    assert there_and_back(response).content is None


def test_a_synthetic_response_travels():
    """A response that nobody received, with status 0, travels too."""
    response = requests.Response()
    response.status_code = 0
    response.reason = "OUTCOME_UNKNOWN"
    response._content = b""
    arrived = there_and_back(response)
    assert (arrived.status_code, arrived.reason, arrived.text) == (0, "OUTCOME_UNKNOWN", "")


@pytest.mark.parametrize("status", [404, 500])
def test_raise_for_status_still_works(status):
    """raise_for_status() of a decoded response raises what it would have raised."""
    with pytest.raises(requests.HTTPError, match=str(status)):
        there_and_back(make_response(status=status)).raise_for_status()
