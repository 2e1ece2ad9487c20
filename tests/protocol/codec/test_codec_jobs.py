"""What a job may hold: nothing that no argument needs, and nothing that takes long to read."""

from __future__ import annotations

import json

import pytest
from hostile import exception

from queued_gspread.errors import CodecError
from queued_gspread.protocol import codec
from queued_gspread.protocol.codec.dict_keys import MOST_NUMBERS
from queued_gspread.protocol.codec.exception_classes import CLASSES
from queued_gspread.protocol.codec.registry import JOB, REPLY

HASH_OF_ALL = 2**61 - 1


def decoded(tree, *, in_job=True):
    return codec.loads(json.dumps(tree).encode(), in_job=in_job)


NOT_IN_JOBS = {
    **{tag: [tag, [1]] for tag in ("set", "frozenset", "nonsense")},
    "pattern": ["pattern", "a", 0],
    "date": ["date", "2026-01-02"],
    "time": ["time", "01:02", 0, None],
    "datetime": ["datetime", "2026-01-02T03:04:05", 0, None],
    "timedelta": ["timedelta", 1, 2, 3],
    "request": ["request", "GET", "x"],
    "response": ["response", 200, "OK", "x", None, 1.5, [], None, None],
    "spreadsheet": ["spreadsheet", {"id": "x"}],
    "exception": exception("builtins.ValueError", ["x"])["~"],
}


@pytest.mark.parametrize("tag", sorted(NOT_IN_JOBS))
@pytest.mark.parametrize(
    "wrap", [lambda v: v, lambda v: [1, {"a": v}], lambda v: {"~": ["tuple", [v]]}]
)
def test_a_job_holds_what_an_argument_needs_and_nothing_else(tag, wrap):
    """What no argument is, such as a set, a response or a time, is refused wherever it stands."""
    with pytest.raises(CodecError, match=f"unknown tag '{tag}' in a job"):
        decoded(wrap({"~": NOT_IN_JOBS[tag]}))


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_job_holds_no_exception(name):
    """An exception of any class is refused in a job, and is not written into one."""
    with pytest.raises(CodecError, match="unknown tag 'exception' in a job"):
        decoded([exception(name, ["x"])])
    exc = CLASSES[name].__new__(CLASSES[name], *(["m", [OSError()]] if "Group" in name else []))
    with pytest.raises(codec.Unencodable, match="cannot travel"):
        codec.dumps([exc], in_job=True)


def test_every_tag_is_known_to_be_for_jobs_or_not():
    """The tags that a job may hold are those that the other tests do not find refused."""
    assert not JOB.tags & NOT_IN_JOBS.keys()
    assert REPLY.tags - JOB.tags == NOT_IN_JOBS.keys() & REPLY.tags


def flat(keys):
    return {"~": ["dict", [item for key in keys for item in (key, 0)]]}


@pytest.mark.parametrize("in_job", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: n,
        lambda n: n * 2**40,
        float,
        lambda n: n if n % 2 else n + 0.5,
    ],
    ids=["ints", "ints with equal ends", "floats", "both"],
)
def test_the_keys_that_may_collide_are_few(make, in_job):
    """A dict has a hundred keys that are not text, of whatever kind; one more is refused."""
    found = decoded(flat(map(make, range(MOST_NUMBERS))), in_job=in_job)
    assert len(found) == MOST_NUMBERS
    with pytest.raises(CodecError, match=f"{MOST_NUMBERS + 1} keys that are not text"):
        decoded(flat(map(make, range(MOST_NUMBERS + 1))), in_job=in_job)


@pytest.mark.parametrize("key", [HASH_OF_ALL * 8, 2**63, -(2**63) - 1, 10**4000])
def test_a_key_is_a_number_of_usual_size(key):
    """Ints beyond 64 bits, which may have the hash of any other, are no keys."""
    for tree in (flat([1, key]), flat(["text", key])):
        with pytest.raises(CodecError, match="a key of type int, of more than 64 bits"):
            decoded(tree)
    with pytest.raises(codec.Unencodable, match="more than 64 bits"):
        codec.dumps({key: 1}, in_job=True)


def test_keys_of_text_may_be_many():
    """A dict with the reserved key, or with some numbers, may have any number of names."""
    value = {**dict.fromkeys(map(str, range(5000)), 1), "~": 2, 5: 3, None: 4, 1.5: 5, True: 6}
    assert codec.loads(codec.dumps(value, in_job=True), in_job=True) == value


def test_a_large_document_is_not_looked_through_for_the_fault():
    """What is refused is read once, if it is large: the text says what is wrong, and not where."""
    faulty = {"~": ["nonsense"]}
    with pytest.raises(CodecError, match=r"at \$\[9\]"):
        decoded([0] * 9 + [faulty])
    with pytest.raises(CodecError, match=r"unknown tag 'nonsense' in a job$"):
        decoded([0] * 100_000 + [faulty])
