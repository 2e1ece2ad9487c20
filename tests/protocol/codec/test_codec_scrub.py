"""What exceptions may tell of passwords in URLs, and of a proxy's above all."""

from __future__ import annotations

import traceback

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queued_gspread.protocol import codec
from queued_gspread.protocol.codec.scrub import clean

SECRET = "hunter2"
# Marks that a password may hold without being escaped.
MARKS = st.lists(st.sampled_from([*"/?#@:&=%;[] '\"", "%40", "://"]), max_size=4).map("".join)
PASSWORDS = st.builds("{}{}{}".format, MARKS, st.just(SECRET), MARKS)
PROXIES = st.builds(
    "{}{}{}@{}".format,
    st.sampled_from(["http://", "https://", "socks5://", "htp://", "://", ""]),
    st.sampled_from(["user:", ":"]),
    PASSWORDS,
    st.sampled_from(["proxy:99999", "[bad", "", "a..b:3128", "127.0.0.1:1", "p:port", "é", "x y"]),
)


def all_that_arrives(error):
    """Return everything that a caller can see of an exception that a server has met."""
    data = codec.encode_exception(error)
    seen = [data.decode(errors="replace")]
    arrived = codec.loads(data)
    while arrived is not None:
        seen += [str(arrived), repr(arrived), repr(arrived.args), repr(vars(arrived))]
        seen += traceback.format_exception(arrived)
        arrived = arrived.__cause__
    return "\n".join(seen)


@given(proxy=PROXIES)
@settings(max_examples=200, deadline=None, suppress_health_check=[*HealthCheck])
def test_no_password_of_a_proxy_arrives(proxy, monkeypatch):
    """Whatever is wrong with a proxy's URL, no error that requests makes of it has its password."""
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(Exception) as caught:
        requests.get("http://127.0.0.1:1/", timeout=1)
    assert SECRET not in all_that_arrives(caught.value)


@pytest.mark.parametrize("name", ["Http_Proxy", "HTTP_proxy"])
def test_a_proxy_that_is_named_in_another_case(name, monkeypatch):
    """The variable counts in whatever case its name is: Python takes it, too."""
    monkeypatch.setenv(name, f"http://me:99999/{SECRET}@proxy")
    with pytest.raises(Exception) as caught:
        requests.get("http://127.0.0.1:1/", timeout=1)
    assert "99999" not in all_that_arrives(caught.value)
    assert clean(f"at {SECRET}") == "at ***"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at http://me:a@b@proxy:1, then", "at http://***@proxy:1, then"),
        ("at http://me:a/b@proxy:1", "at http://***@proxy:1"),
        ("at http://token@proxy", "at http://***@proxy"),
        ("'redis://:a?b@one' 'x@y'", "'redis://***@one' 'x@y'"),
        (
            "see https://medium.com/@me and ask me@x.org",
            "see https://medium.com/@me and ask me@x.org",
        ),
        ("https://docs.google.com/x: shared with me@x.org", None),
    ],
)
def test_what_stands_before_the_host_is_hidden(text, told):
    """A URL's user and password are hidden up to the last @ of it; other text stays as it is."""
    assert clean(text) == (told or text)


def test_keys_and_long_texts_are_cleaned():
    """A password is hidden in a dict's key, and where what describes a value is cut off."""

    class Odd:
        def __repr__(self):
            return f"{'x' * 1990}http://me:{SECRET}@proxy"

    seen = all_that_arrives(ValueError({f"http://me:{SECRET}@proxy": 1}, Odd()))
    assert SECRET not in seen


@pytest.mark.parametrize("text", ["://" * 1_000_000, "://" + "a:" * 1_000_000, "@" * 3_000_000])
def test_no_text_keeps_the_search_busy(text):
    """The search for passwords comes to an end whatever the text, however long it is."""
    assert clean(text) == text
