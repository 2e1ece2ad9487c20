"""What somebody who can write to Redis puts into the place of an exception."""

from __future__ import annotations

import json
import os
import pickle
import sys

import pytest
from hostile import BYTES, FAR, death_of, exception, look_at, look_at_document, trees

from queued_gspread.errors import RemoteError
from queued_gspread.protocol import codec
from queued_gspread.protocol.codec.exception_classes import CLASSES

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

WHOLE = {"encoding": "utf-8", "object": BYTES, "start": 1, "end": 2, "reason": "r"}
SYNTAX = {"msg": "m", "filename": "f", "lineno": 1, "offset": 2, "text": "abc", "end_offset": 3}


def decoded(tree):
    return codec.loads(json.dumps(tree).encode())


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_no_exception_of_any_class_ends_its_reader(name):
    """Whatever a reply has for an exception, Python can show it, copy it and pickle it."""
    assert death_of(look_at_document, list(trees(name))) is None


def half_filled():
    exc = UnicodeDecodeError.__new__(UnicodeDecodeError)
    for name, value in {"object": 1.5, "start": FAR, "end": FAR + 1}.items():
        vars(UnicodeDecodeError)[name].__set__(exc, value)
    return exc


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python looks at the offsets by then")
def test_a_look_finds_an_exception_that_was_filled_past_its_constructor():
    """An exception that lacks what its class trusts ends the process that looks at it."""
    found, status = death_of(lambda make: look_at(make()), [ValueError, half_filled])
    assert found is half_filled
    assert os.WIFSIGNALED(status)


@pytest.mark.parametrize("look", [lambda _: os.abort(), lambda _: look_at(ValueError("x" * 2**21))])
def test_a_look_tells_at_which_thing_a_process_ended(look):
    """The thing at which a process ends, or would print without an end, is named."""
    found, status = death_of(lambda thing: thing == 2 and look(thing), [1, 2, 3])
    assert found == 2
    assert status != 0


@pytest.mark.parametrize(
    "changes",
    [
        *({"start": value} for value in (-1, 4, 3, 10**18, 1.5, True, None)),
        *({"end": value} for value in (-1, 0, 4, 10**18, 2.5, None)),
        *({"object": value} for value in (1.5, "abc", None, [1])),
        *({"encoding": 5}, {"reason": None}),
    ],
    ids=str,
)
def test_an_exception_that_does_not_fit_is_a_remote_error(changes):
    """Offsets outside of the text, and parts of other types, make a RemoteError with the text."""
    found = decoded(exception("builtins.UnicodeDecodeError", ["cut off"], {**WHOLE, **changes}))
    assert type(found) is RemoteError
    assert str(found).startswith("builtins.UnicodeDecodeError: cut off (")


def test_offsets_at_the_ends_of_the_text_fit():
    """The whole text, and its very end, are where an error of Unicode may be."""
    for start, end in ((0, 3), (0, 0), (3, 3)):
        fields = {**WHOLE, "start": start, "end": end}
        found = decoded(exception("builtins.UnicodeDecodeError", [], fields))
        assert (type(found), found.start, found.end) == (UnicodeDecodeError, start, end)


@pytest.mark.parametrize("name", ["UnicodeDecodeError", "UnicodeEncodeError"])
def test_a_copy_is_made_of_what_was_checked(name):
    """The args of an error of Unicode are its fields, so that a copy of it is no other one."""
    text = WHOLE["object"] if name == "UnicodeDecodeError" else "abc"
    args = ["utf-8", text, -FAR, 1 - FAR, "r"]
    found = decoded(exception(f"builtins.{name}", args, {**WHOLE, "object": text}, {"start": -FAR}))
    copied = pickle.loads(pickle.dumps(found))
    assert (found.start, copied.start, copied.args) == (1, 1, found.args)


@pytest.mark.parametrize("name", ["offset", "end_offset", "lineno"])
@pytest.mark.parametrize("value", [10**9, -2, 1.5, "1", True])
def test_a_syntax_error_has_no_endless_line(name, value):
    """A place that is no place, and would be printed as a line of a billion blanks, is refused."""
    tree = exception("builtins.SyntaxError", ["m", []], {**SYNTAX, name: value})
    assert type(decoded(tree)) is RemoteError


def test_a_syntax_error_keeps_its_place():
    """A syntax error arrives with its place, also where it has no end."""
    for place in (("f", 1, 2, "abc"), ("f", 1, 2, "abc", 1, 3), (None, None, 2, None)):
        sent = SyntaxError("m", place)
        arrived = codec.loads(codec.encode_exception(sent))
        assert (repr(arrived), arrived.offset) == (repr(sent), 2)


def test_what_is_kept_in_c_is_not_taken_for_an_attribute():
    """What a builtin class keeps itself, or has as a method, is not set beside it."""
    hidden = {"errno": [1], "args": 5, "with_traceback": 1, "__class__": 2, "spam": 3}
    found = decoded(
        exception("builtins.OSError", [2, "no"], {"errno": 2, "strerror": "no"}, hidden)
    )
    assert vars(found) == {"spam": 3}
    assert (found.errno, found.args) == (2, (2, "no"))


def test_no_module_is_imported_for_a_hint():
    """An ImportError has no name_from, for which Python, as it prints one, imports the module."""
    fields = {"msg": "m", "name": "antigravity", "name_from": "fly"}
    found = decoded(exception("builtins.ImportError", ["m"], fields))
    assert getattr(found, "name_from", None) is None
    assert (found.name, found.msg) == ("antigravity", "m")


def test_what_a_constructor_can_give_is_kept():
    """Fields that were set afterwards arrive as well."""
    blocked, stopped, moved = BlockingIOError(11, "later", 5), StopIteration(), KeyError("x")
    stopped.args, moved.args = (7, 8), ("y", "z")
    decoding = UnicodeDecodeError("utf-8", b"abc", 0, 1, "first")
    decoding.start, decoding.end, decoding.reason = 1, 3, "later"
    for sent in (blocked, stopped, moved, decoding):
        arrived = codec.loads(codec.encode_exception(sent))
        assert (type(arrived), str(arrived)) == (type(sent), str(sent))
    assert codec.loads(codec.encode_exception(blocked)).characters_written == 5
    assert codec.loads(codec.encode_exception(stopped)).args == (7, 8)


def test_a_set_in_an_exception_arrives_as_its_repr():
    """A set, which cannot travel, is told in words."""
    sent = ValueError({1}, [frozenset({"a"})])
    assert codec.loads(codec.encode_exception(sent)).args == ("{1}", ["frozenset({'a'})"])
