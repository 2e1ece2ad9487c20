"""Values that travel, and a comparison that does not take 1 for 1.0 or True."""

import datetime as dt
from itertools import starmap

import gspread
from gspread.worksheet import ValueRange
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from subclasses import Bag, Marked, Numbered, Pair, Raw, Real, Row, Table, Text, Whole

from queued_gspread.protocol.codec.python_values import ENUMS

# A busy machine is no reason to fail.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

MEMBERS = [member for found in ENUMS.values() for member in found]


def same(left, right):
    if type(left) is not type(right):
        return False
    compare = next((found for base, found in COMPARE.items() if isinstance(left, base)), None)
    return compare(left, right) if compare else left == right


def same_items(left, right):
    return len(left) == len(right) and all(starmap(same, zip(left, right, strict=True)))


def same_pairs(left, right):
    return same_items([*left, *left.values()], [*right, *right.values()])


def same_moment(left, right):
    return left == right and (left.utcoffset(), left.fold) == (right.utcoffset(), right.fold)


COMPARE = {
    float: lambda left, right: repr(left) == repr(right),
    gspread.Cell: lambda left, right: same_pairs(vars(left), vars(right)),
    ValueRange: lambda left, right: same_items(left, right) and same_pairs(left._json, right._json),
    dict: same_pairs,
    (list, tuple): same_items,
    (dt.datetime, dt.time): same_moment,
}


def value_range(rows, about):
    values = ValueRange(rows)
    values._json = about
    return values


OFFSETS = st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)).map(dt.timezone)
TEXTS = st.text(st.characters())  # lone surrogates too
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.integers().map(lambda n: n**9)
)
ATOMS = st.one_of(
    SCALARS,
    st.binary(),
    st.datetimes(timezones=st.one_of(st.none(), OFFSETS)),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.sampled_from(MEMBERS),
)
OTHER_KEYS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    TEXTS,
    st.sampled_from(MEMBERS),
)
KEYS = st.one_of(st.just("~"), TEXTS)


def containers(inner):
    return st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(KEYS, inner, max_size=5),
        st.dictionaries(OTHER_KEYS, inner, max_size=5),
        st.builds(gspread.Cell, st.integers(), st.integers(), inner),
        st.builds(
            value_range, st.lists(inner, max_size=4), st.dictionaries(KEYS, TEXTS, max_size=3)
        ),
    )


def of_subclasses(inner):
    return st.one_of(
        st.lists(inner, max_size=4).map(Row),
        st.lists(inner, max_size=4).map(Pair),
        st.dictionaries(TEXTS, inner, max_size=4).map(Table),
    )


SUBCLASSED = st.recursive(
    st.one_of(
        TEXTS.map(Text),
        st.integers().map(Whole),
        st.floats(allow_nan=False, allow_infinity=False).map(Real),
        st.sampled_from([*Marked, *Numbered]),
        SCALARS,
    ),
    of_subclasses,
    max_leaves=12,
)
UNTRAVELLED = [Raw(b"x"), bytearray(b"x"), Bag([1]), frozenset([1])]

VALUES = st.recursive(st.one_of(ATOMS, st.lists(SCALARS)), containers, max_leaves=20)
