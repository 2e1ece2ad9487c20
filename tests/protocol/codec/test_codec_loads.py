import contextlib
import itertools
import json
import sys

import pytest
from codec_samples import VALUES, unhurried
from hypothesis import given
from hypothesis import strategies as st

from queued_gspread.errors import CodecError
from queued_gspread.protocol import codec
from queued_gspread.protocol.codec.registry import JOB, REPLY

TAGS = sorted(JOB.tags | REPLY.tags)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.text(), st.just("~")), inner, max_size=4),
        st.builds(
            lambda tag, fields: {"~": [tag, *fields]},
            st.sampled_from(TAGS),
            st.lists(inner, max_size=7),
        ),
        st.builds(
            lambda name, rest: {"~": ["exception", name, *rest]},
            st.sampled_from(["builtins.OSError", "builtins.SyntaxError", "gspread.exceptions.X"]),
            st.tuples(
                st.lists(inner, max_size=3),
                st.dictionaries(st.text(), inner, max_size=3),
                st.dictionaries(st.text(), inner, max_size=3),
                st.none(),
                st.none(),
            ),
        ),
    ),
    max_leaves=15,
)


class Rebuilt:
    def spreadsheet(self, properties):
        return properties["id"]

    def worksheet(self, spreadsheet, properties):
        return (spreadsheet["id"], properties["sheetId"])


def try_loads(data):
    for objects, in_job in itertools.product((None, Rebuilt()), (False, True)):
        with contextlib.suppress(CodecError):
            codec.loads(data, objects, in_job=in_job)


@unhurried
@given(st.binary())
def test_random_bytes(data):
    """Random bytes are a value or a CodecError."""
    try_loads(data)


@unhurried
@given(JSON)
def test_random_documents(document):
    """Random JSON, with tags in all the wrong places, is a value or a CodecError."""
    try_loads(json.dumps(document).encode())


@unhurried
@given(VALUES, st.data())
def test_mutated_messages(value, data):
    """A valid message with some bytes replaced, removed or doubled is one or the other."""
    message = bytearray(codec.dumps(value))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(message)))
        stop = data.draw(st.integers(start, min(len(message), start + 3)))
        message[start:stop] = data.draw(st.one_of(st.binary(max_size=4), st.just(message[:9])))
    try_loads(bytes(message))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"\xef\xbb\xbf1", "not JSON"),
        (b"1 2", "not JSON"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b'{"a":1', "not JSON"),
        (b"9" * 5000, "digits"),
        (b"[" * 200_000, "nested"),
        (b'{"~":' * 200_000, "nested"),
        (b'{"~":["tuple",' * 200_000, "nested"),
        (b'{"~":1}', "begins with its tag"),
        (b'{"~":[]}', "begins with its tag"),
        (b'{"~":[["tuple"]]}', "begins with its tag"),
        (b'{"~":["nonsense",1]}', "unknown tag"),
        (b'{"~":["tuple",[]],"b":1}', "other keys"),
        (b'{"~":["tuple",[]],"~":["tuple",[]]}', "other keys"),
        (b'{"~":["tuple"]}', "0 fields, not 1"),
        (b'{"~":["tuple",[],[]]}', "2 fields, not 1"),
        (b'{"~":["tuple","ab"]}', "str not allowed"),
        (b'{"~":["set",[1]]}', "unknown tag 'set' in a reply"),
        (b'{"~":["frozenset",[1]]}', "unknown tag 'frozenset' in a reply"),
        (b'{"~":["pattern","a",0]}', "unknown tag 'pattern' in a reply"),
        (b'{"~":["generator",[1]]}', "unknown tag 'generator' in a reply"),
        (b'{"~":["dict",[1]]}', "ValueError"),
        (b'{"~":["dict",[1,2,1,3]]}', "twice"),
        (b'{"~":["dict",[[],3]]}', "a key of type list"),
        (b'{"~":["dict",[{"~":["tuple",[1]]},3]]}', "a key of type tuple"),
        (b'{"~":["dict",[9223372036854775808,3]]}', "int, of more than 64 bits"),
        (b'{"~":["float","1e5"]}', "KeyError"),
        (b'{"~":["bytes","a"]}', "bytes"),
        (b'{"~":["bytes","&&&&"]}', "bytes"),
        (b'{"~":["bytes","\\u00e9"]}', "bytes"),
        (b'{"~":["enum","Dimension","no"]}', "KeyError"),
        (b'{"~":["enum","StrEnum","mro"]}', "KeyError"),
        (b'{"~":["datetime","yesterday",0,null]}', "ValueError"),
        (b'{"~":["time","01:02",7,null]}', "ValueError"),
        (b'{"~":["timedelta",999999999999,0,0]}', "OverflowError"),
        (b'{"~":["values",[],[]]}', "list not allowed"),
        (b'{"~":["response",1]}', "1 fields, not 8"),
        (b'{"~":["exception","builtins.OSError",[],{},{},5,null]}', "cause"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_malformed_messages(data, text):
    """Each way to break the format is a CodecError whose text says which it was."""
    with pytest.raises(CodecError, match=text):
        codec.loads(data)


def test_an_escaped_reserved_key_is_the_reserved_key():
    """Writing the reserved key as an escape does not slip past the decoder."""
    assert codec.loads(rb'{"\u007e":["tuple",[1]]}') == (1,)
    with pytest.raises(CodecError):
        codec.loads(rb'[{"\u007E":["nonsense"]}]')


def test_the_error_says_where():
    """The text leads to the faulty object, by positions alone."""
    data = b'[1,{"Salary":2,"Name":[{"~":["tuple",[0,{"~":["float","secret"]}]]}]}]'
    with pytest.raises(CodecError) as caught:
        codec.loads(data)
    assert str(caught.value).endswith("(at $[1]{1}[0]~[1][1])")


@pytest.mark.parametrize(
    "data",
    [
        b'["secret", secret]',
        b'{"~":["datetime","secret",0,null]}',
        b'{"~":["tuple","secret"]}',
        b'{"secret":{"~":["dict",[["secret"],1]]}}',
        b'"secret',
    ],
)
def test_the_error_quotes_no_values(data):
    """Neither the text of a CodecError nor what it was raised from shows a cell."""
    with pytest.raises(CodecError) as caught:
        codec.loads(data)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_decoding_near_the_end_of_the_stack_is_a_codec_error():
    """Wherever Python's stack ends on the way, the answer is the value or a CodecError."""
    value = [[((({1: 1},),),)]]
    data = codec.dumps(value)

    def descend(levels):
        return descend(levels - 1) if levels else codec.loads(data)

    frames, depth = sys._getframe(), 0
    while frames is not None:
        frames, depth = frames.f_back, depth + 1
    for margin in range(15, 80):
        with contextlib.suppress(CodecError):
            assert descend(sys.getrecursionlimit() - depth - margin) == value


def test_a_document_may_be_decoded_again_and_again():
    """Two decodings of one document share nothing."""
    data = codec.dumps([[1], ({"a": []},)])
    first = codec.loads(data)
    first[0].append(2)
    first[1][0]["a"].append(2)
    assert codec.loads(data) == [[1], ({"a": []},)]
