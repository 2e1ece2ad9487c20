import io
import pickle
from datetime import timedelta

import pytest
import requests
from requests.structures import CaseInsensitiveDict

from queued_gspread import codec

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
    data = codec.dumps(make_response())
    assert b"uthorization" not in data
    assert b"ya29" not in data
    assert codec.loads(data).request is None


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
