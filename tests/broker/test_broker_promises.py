"""What is kept under idempotency keys, as operators read it."""

from __future__ import annotations

import pytest

from queued_gspread.broker import KeptCall, Promises
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import Settings

STATE = "unknown J1 1700000001500 300 book 1-1"


@pytest.fixture
def queue(redis_url, namespace):
    return Promises(Settings(redis_url=redis_url, namespace=namespace))


def test_what_is_kept_is_read_as_it_was_written(queue, raw, namespace):
    """A key may have any text; the lane of a lock's holder is its spreadsheet's."""
    states = {"0 a 1\nb": STATE, "12 é": STATE.replace("book", "book!L9"), "bytes:": "600"}
    raw.hset(Keys(namespace).promises, mapping=states)
    one = KeptCall("a 1\nb", 0, "unknown", 1.7e9 + 1.5, "book", "J1")
    other = KeptCall("é", 12, "unknown", 1.7e9 + 1.5, "book", "J1")
    assert sorted(queue.all(), key=lambda call: call.number) == [one, other]
    assert (one.field, other.field) == ("0 a 1\nb", "12 é")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("a", STATE),
        ("-1 a", STATE),
        ("9999999999 a", STATE),
        ("0 a", ""),
        ("0 a", STATE.replace("unknown", "mine")),
        ("0 a", STATE.replace("1700000001500", "nan")),
        ("0 a", STATE.replace("1700000001500", "9" * 14)),
        ("0 a", STATE.replace(" 1-1", "")),
    ],
)
def test_what_a_stranger_has_written_is_passed_over(queue, raw, namespace, field, text):
    """What has another form is no call."""
    raw.hset(Keys(namespace).promises, field, text)
    assert list(queue.all()) == []


def test_a_redis_that_has_something_else_there(queue, raw, namespace):
    """A key of another type is an error of Redis, which is told as any."""
    raw.set(Keys(namespace).promises, "something")
    with pytest.raises(BrokerUnavailableError, match="WRONGTYPE"):
        list(queue.all())
