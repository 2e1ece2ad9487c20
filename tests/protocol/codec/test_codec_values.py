import collections
import enum
import http
import json
import math
import re
import sys
import threading
from datetime import datetime, time, timedelta, timezone
from typing import NamedTuple

import pytest
from codec_samples import MEMBERS, SUBCLASSED, UNTRAVELLED, VALUES, same, unhurried
from hypothesis import given

from queued_gspread.protocol import codec


class Price(float):
    __slots__ = ()


class Colour(str, enum.Enum):
    red = "RED"


class Point(NamedTuple):
    x: int
    y: int


def there_and_back(value):
    return codec.loads(codec.dumps(value))


def refused(value):
    with pytest.raises(codec.Unencodable):
        codec.dumps(value)


@unhurried
@given(VALUES)
def test_every_carried_value_comes_back_with_its_types(value):
    """A value of the carried types, however nested, arrives equal and of the same types."""
    assert same(there_and_back(value), value)


@unhurried
@given(VALUES)
def test_encoding_leaves_the_value_alone(value):
    """Encoding the same value again gives the same bytes, so nothing was changed in it."""
    assert codec.dumps(value) == codec.dumps(value)


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_enum_members_are_identical(member):
    """A member of any enum of gspread.utils arrives as that very member, as a key too."""
    assert there_and_back([member])[0] is member
    assert next(iter(there_and_back({member: 1}))) is member


@pytest.mark.parametrize(
    "value", [1, 1.0, True, -0.0, 2**63, 10**4000, "\ud800", "\ud800\udc00", "\0", "~"]
)
def test_numbers_and_strings_keep_type_and_sign(value):
    """Ints stay ints of any size, floats floats, and surrogates are neither lost nor joined."""
    assert same(there_and_back([value])[0], value)


def test_non_finite_floats_travel_among_plain_ones():
    """NaN and the infinities arrive from the middle of a row of ordinary cells."""
    row = [[1, "a", None], [1.5, math.nan, math.inf, -math.inf], {"k": math.nan}]
    assert same(there_and_back(row), row)
    assert b"NaN" not in codec.dumps(row)


def test_plain_data_is_plain_json():
    """Rows of plain cells are written as json.dumps would, without any wrapping."""
    assert codec.dumps([["a", 1, 1.5, None, True], {"b": []}]) == (
        b'[["a",1,1.5,null,true],{"b":[]}]'
    )


def test_text_outside_ascii_is_not_escaped():
    """Text that is not English costs no more than its UTF-8."""
    assert codec.dumps("Größe") == '"Größe"'.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Price(1.5), 1.5),
        (Price("nan"), math.nan),
        (http.HTTPStatus.OK, 200),
        (Colour.red, "RED"),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.defaultdict(list, {1: 2}), {1: 2}),
        (Point(1, 2), (1, 2)),
    ],
    ids=str,
)
def test_subclasses_travel_as_their_base(value, expected):
    """What json.dumps takes for a plain value arrives as that plain value."""
    assert same(there_and_back([value])[0], expected)


@unhurried
@given(SUBCLASSED)
def test_subclasses_are_what_json_makes_of_them(value):
    """A value of subclasses, whatever these say of it, arrives as json.dumps writes it."""
    arrived = codec.loads(codec.dumps(value, in_job=True), in_job=True)
    assert json.dumps(arrived) == json.dumps(value)


@pytest.mark.parametrize("value", UNTRAVELLED, ids=lambda value: type(value).__name__)
def test_what_json_does_not_take_of_subclasses_is_refused(value):
    """Bytes of another class than bytes, and sets of any, are left to whoever made them."""
    refused([value])


def test_an_ordered_dict_keeps_its_own_order():
    """The order is the OrderedDict's, not that of the dict below it."""
    value = collections.OrderedDict(a=1, b=2)
    value.move_to_end("a")
    assert list(there_and_back(value)) == ["b", "a"]


def test_a_bare_generator_is_not_consumed():
    """A generator is refused, and still has all its items."""
    bare = (n for n in range(3))
    with pytest.raises(codec.Unencodable):
        codec.dumps([bare])
    assert list(bare) == [0, 1, 2]


def test_the_offset_of_a_time_zone_is_kept():
    """An aware datetime arrives with its offset, and UTC arrives as UTC."""
    moment = datetime(2024, 1, 2, 3, 4, 5, 6, timezone.utc)
    assert there_and_back(moment).tzinfo is timezone.utc
    east = time(1, 2, tzinfo=timezone(timedelta(hours=5, minutes=45, seconds=1)))
    tiny = time(1, 2, tzinfo=timezone(timedelta(microseconds=1)))
    assert same(there_and_back([east, tiny]), [east, tiny])


def test_the_second_of_two_equal_times_stays_the_second():
    """The fold of a datetime and a time is kept."""
    assert there_and_back(datetime(2024, 1, 1, fold=1)).fold == 1  # noqa: DTZ001
    assert there_and_back(time(1, fold=1)).fold == 1


@pytest.mark.parametrize(
    "value",
    [
        object(),
        lambda: 0,
        iter([]),
        {}.keys(),
        range(3),
        1j,
        memoryview(b""),
        threading.Lock(),
        int,
        {1},
        frozenset(),
        re.compile("a"),
        {(1,): 2},
        {2**63: 1},
        dict.fromkeys(range(101)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_arbitrary_objects_are_refused(value):
    """What has no meaning elsewhere is a TypeError that names its type."""
    with pytest.raises(TypeError, match=type(value).__name__) as caught:
        codec.dumps(value)
    assert type(caught.value) is codec.Unencodable


def test_the_refusal_names_the_place():
    """The text of Unencodable says where in the value the culprit stands."""
    with pytest.raises(codec.Unencodable, match=r"value\[1\]\['rows'\]\[2\]"):
        codec.dumps([0, {"rows": [1, 2, object()]}])


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"k": v}, lambda v: {1: v}])
def test_nesting_ends_at_the_bound(wrap):
    """Up to the bound everything arrives; one level more is refused, without a crash."""
    value = 1
    for _ in range(codec.MAX_DEPTH):
        value = wrap(value)
    assert same(there_and_back(value), value)
    for extra in (1, 5000):
        for _ in range(extra):
            value = wrap(value)
        refused([value])


def test_circular_structures_are_refused():
    """A list or dict that holds itself is refused."""
    items, mapping = [], {}
    items.append(items)
    mapping["self"] = (mapping,)
    refused(items)
    refused(mapping)


def test_encoding_near_the_end_of_the_stack_is_a_type_error():
    """Where Python's stack ends first, the answer is Unencodable as well."""
    value = []
    for _ in range(codec.MAX_DEPTH - 1):
        value = [value]

    def descend(levels):
        return descend(levels - 1) if levels else codec.dumps(value)

    frames = sys._getframe()
    depth = 0
    while frames is not None:
        frames, depth = frames.f_back, depth + 1
    with pytest.raises(codec.Unencodable):
        descend(sys.getrecursionlimit() - depth - 60)


def test_too_many_digits_are_refused():
    """An int that Python would not print is refused, wherever it stands."""
    refused([1, {"a": 10**5000}])


def test_numpy_like_scalars():
    """A scalar that is no subclass of int, float or str is refused, as by json.dumps."""

    class Int64:
        def __index__(self):
            return 1

    refused([[Int64()]])
