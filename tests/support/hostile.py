"""Exceptions that no honest server sends, and all the ways to look at the decoded ones."""

from __future__ import annotations

import builtins
import copy
import faulthandler
import json
import os
import pickle
import signal
import sys
import traceback
from contextlib import suppress
from itertools import product
from types import GetSetDescriptorType, MemberDescriptorType

from queued_gspread.errors import CodecError
from queued_gspread.protocol import codec
from queued_gspread.protocol.codec.exception_classes import CLASSES

FAR = 10**12
BYTES = {"~": ["bytes", "YWJj"]}
NESTED = {"~": ["exception", "builtins.UnicodeDecodeError", [], {"object": 1.5}, {}, None, None]}
VALUES = [1.5, 10**18, -1, -(10**18), 10**400, "x", BYTES, [1], {"a": 1}, None, True, NESTED]
PAIRS = [(-FAR, 1 - FAR), (-1, 0), (0, FAR), (FAR, FAR + 1), (2, 1), (0, 4), (1.5, 2), (True, True)]
PAIRS.append((1, 2**27))
_LONGEST_TEXT = 1_000_000


def names_in_c(cls):
    """Return the names that a class's builtin bases keep in their C structures."""
    return sorted(
        {
            name
            for base in cls.__mro__
            if base.__module__ == builtins.__name__ and base is not object
            for name, found in vars(base).items()
            if isinstance(found, (MemberDescriptorType, GetSetDescriptorType))
            and not name.startswith("__")
        }
    )


# Classes whose C code trusts their instances' content.
_TRUSTING = sorted(name for name, cls in CLASSES.items() if "start" in names_in_c(cls))


def exception(name, args=(), fields=None, attributes=None):
    """Return the tree of an exception."""
    return {"~": ["exception", name, list(args), fields or {}, attributes or {}, None, None]}


def trees(name):
    """Return exceptions of a class: incomplete, with wrong types, with offsets out of range."""
    known = names_in_c(CLASSES[name])
    for field, value in product(known, VALUES):
        yield exception(name, fields={field: value})
        yield exception(name, ["a"], {"object": 1.5, "start": FAR, "end": FAR + 1, field: value})
        yield exception(name, ["a"], {**_full("abc", 0, 1), field: value})
        yield exception(name, ["a"], {**_full(BYTES, 0, 1), field: value}, {field: value})
    for text, (start, end) in product((BYTES, "abc", 1.5), PAIRS):
        fields = _full(text, start, end)
        unicode = ["utf-8", text, start, end, "r"]
        place = {"~": ["tuple", ["f", 1, start, "text", 1, end]]}
        syntax = {"lineno": 1, "offset": start, "text": "text", "end_offset": end}
        yield exception(name, [], fields)
        yield exception(name, unicode, fields)
        yield exception(name, unicode[1:], fields, fields)
        yield exception(name, unicode, _full(BYTES, 0, 1), fields)
        yield exception(name, unicode[1:], _full("abc", 0, 1), fields)
        yield exception(name, ["m", place], {**fields, **syntax, "msg": "m"}, syntax)
    for value in VALUES:
        yield exception(name, [value], {}, dict.fromkeys(("response", "error", "code"), value))
        yield exception(name, ["m", [value]])
        yield exception(name, attributes=dict.fromkeys(vars(BaseException), value))


def _full(text, start, end):
    return {"encoding": "utf-8", "object": text, "start": start, "end": end, "reason": "r"}


def any_exception(random):
    """Return an exception of some class, with any value for any field."""
    name = random.choice(random.choice([sorted(CLASSES), _TRUSTING]))
    known = names_in_c(CLASSES[name])
    fields, attributes = (
        {field: random.choice(VALUES) for field in known if random.random() < share}
        for share in (0.7, 0.3)
    )
    if "object" in known:
        pair = random.choice(random.choice([PAIRS, PAIRS[:1], [(FAR, FAR + 1)]]))
        whole = _full(random.choice([BYTES, "abc", 1.5]), *pair)
        fields = {field: value for field, value in whole.items() if random.random() < 0.9}
    args = random.choices([*VALUES, "m", FAR], k=random.randrange(7))
    return exception(name, args, fields, attributes)


def look_at(exc):
    """Look at an exception in every way that programs do; raise AssertionError for a flood."""
    for one in (exc, *_copies(exc)):
        for ask in (str, repr, lambda exc: exc.__reduce__(), lambda exc: exc.__reduce_ex__(4)):
            with suppress(Exception):
                ask(one)
        for name in names_in_c(type(one)):
            with suppress(Exception):
                getattr(one, name)
        text = ""
        with suppress(Exception):
            text = "".join(traceback.format_exception(type(one), one, one.__traceback__))
        assert len(text) < _LONGEST_TEXT


def _copies(exc):
    for make in (copy.copy, lambda exc: pickle.loads(pickle.dumps(exc))):
        with suppress(Exception):
            yield make(exc)


def death_of(look, things):
    """Return the first thing that crashes the process looking at it, and the status; else None.

    The process is a forked child, in which Python also prints the exception as an uncaught one.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _look_alone(look, things, writing)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        seen = len(pipe.read())
    return None if status == 0 else (things[seen - 1], status)


def _look_alone(look, things, writing):
    status = 1
    try:
        faulthandler.disable()  # it would write into the tests' output
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        signal.alarm(60)
        for thing in things:
            os.write(writing, b".")
            look(thing)
        status = 0
    finally:
        os._exit(status)


def look_at_document(tree):
    """Decode an exception, and look at it like programs and Python itself."""
    try:
        found = codec.loads(json.dumps(tree).encode())
    except CodecError:
        return
    look_at(found)
    print_as_uncaught(found)


def print_as_uncaught(exc):
    """Have Python print an exception as an uncaught one: in C, to stderr."""
    sys.__excepthook__(type(exc), exc, exc.__traceback__)
