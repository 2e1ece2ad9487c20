"""What a caller who has waited is told: pure, by tables, and by an account of slots."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queued_gspread.broker.locks import LockHolder
from queued_gspread.broker.pauses import Pause, pause_of, pauses_of
from queued_gspread.broker.permits import PAUSE
from queued_gspread.broker.waiting.holdups import (
    AGAIN,
    INTERVAL,
    MEMORY,
    QUOTA,
    SENT,
    SHARED,
    Holdup,
    Holdups,
)
from queued_gspread.broker.waiting.reason import Sight, bound, brief, reason

HERE = {
    "where": "namespace 'books' at redis://there",
    "start": "start one with `start`",
    "grace": 60.0,
}
WRITES = Holdup(QUOTA, 54.2, 1, 60, 60.0)
NO_SERVER = (
    "no server has been alive for 11 s in namespace 'books' at redis://there. Calls fail after "
    "60 s of that; start one with `start`"
)


def held(kind="write", holdup=WRITES, lanes=None, **sight):
    """Return what the caller of a lane sees where one kind of request waits."""
    named = {"book": (kind, 0.0)} if lanes is None else lanes
    return Sight(**HERE, lane="book", holdups=Holdups({kind: holdup}, named), **sight)


def lane(word, seconds, **sight):
    return Sight(**HERE, lane="book", holdups=Holdups({}, {"book": (word, seconds)}), **sight)


TOLD = [
    (held(), "waiting for the write quota: no call ahead, at most 55 s"),
    (held(age=1.0), "waiting for the write quota: no call ahead, at most 54 s"),
    (held(age=99.0), "waiting for the write quota: no call ahead, at most 1 s"),
    (
        held(ahead=1),
        "waiting for the write quota: 1 call ahead, at most 60 s if each takes one write",
    ),
    (
        held(ahead=140),
        "waiting for the write quota: 140 calls ahead, at most 180 s if each takes one write",
    ),
    (
        held("read", Holdup(QUOTA, 3.0, 5, 60, 60.0)),
        "waiting for the read quota: no call ahead, 4 other spreadsheets in line, at most 120 s",
    ),
    (
        held(ahead=4_999, is_exact=False, holdup=Holdup(QUOTA, math.inf, 1, 60)),
        "waiting for the write quota: up to 4,999 calls ahead",
    ),
    (
        held("drive", Holdup(PAUSE, 11.5, 1, 10)),
        "Google has refused a request for Drive's quota, which pauses for 12 s more",
    ),
    (
        held(holdup=Holdup(PAUSE), ahead=2),
        (
            "Google has refused a request for the write quota, and one trial request is out: "
            "2 calls ahead"
        ),
    ),
    (
        held(holdup=Holdup(INTERVAL, 1.0), ahead=2),
        "waiting for the interval between requests (--interval): 2 calls ahead",
    ),
    # Others have their share first, whatever Redis would say.
    (
        held(holdup=Holdup(SHARED, math.inf, 1, 60)),
        "waiting for the write quota: no call ahead, at most 60 s",
    ),
    (held("large", Holdup(MEMORY)), "waiting for the server's memory"),
    (lane(SENT, 12.0, age=1.0), "no answer from Google for 13 s"),
    (lane(SENT, 12.0, ahead=3), "no answer from Google for 12 s: 3 calls ahead"),
    (lane(AGAIN, 12.0, age=1.0), "a request has failed and will be retried in 11 s"),
    (Sight(**HERE, lane="book"), "waiting for the server's answer"),
    (Sight(**HERE, lane="book", ahead=2), "waiting for 2 calls ahead"),
    # Long lines are not named whole.
    (
        held(holdup=Holdup(QUOTA, 5.0, 200, 60), lanes={"other": ("write", 0.0)}),
        "waiting for the write quota: no call ahead, 199 other spreadsheets in line, at most 360 s",
    ),
    # One that is named whole has not this lane.
    (held(lanes={"other": ("write", 0.0)}), "waiting for the server's answer"),
    (
        Sight(**HERE, holdups=Holdups({}, {}, 14.0), age=1.0),
        "the server has had no access token for 15 s; its log says why",
    ),
    (
        Sight(**HERE, silence=11.0, holdups=Holdups({"write": WRITES})),
        NO_SERVER,
    ),
    (
        Sight(**HERE, away=10.4, silence=11.0),
        "Redis has been out of reach for 10 s (namespace 'books' at redis://there)",
    ),
]


@pytest.mark.parametrize(("sight", "text"), TOLD, ids=[text[:40] for _, text in TOLD])
def test_what_a_caller_is_told(sight, text):
    """The nearest cause is told, with a bound where there is one, and nothing of the call."""
    assert reason(sight) == text


def test_where_nobody_knows_what_a_lane_waits_for_no_quota_is_named():
    """A lane that two long lines may have is told of what stands before it alone."""
    kinds = {kind: Holdup(QUOTA, 5.0, 200, 60) for kind in ("read", "write")}
    sight = Sight(**HERE, lane="book", ahead=2, holdups=Holdups(kinds))
    assert reason(sight) == "waiting for 2 calls ahead"


def last_moment(taken, limit, window, lanes, ahead):
    """Return when the last request of one lane goes that has so many ahead, lanes taking turns.

    Args:
        taken: When the slots that are held are free.
        limit: How many slots there are.
        window: Its seconds.
        lanes: How many lanes there are; that one is the last of each round.
        ahead: How many requests go first in it.

    """
    free, moment = sorted(taken), 0.0
    for _ in range((ahead + 1) * lanes):
        moment = max(moment, free.pop(0)) if len(free) == limit else moment
        free = sorted([*free, moment + window])
    return moment


@given(
    st.integers(1, 12).flatmap(
        lambda limit: st.tuples(
            st.just(limit), st.lists(st.floats(0.001, 60.0), min_size=limit, max_size=limit)
        )
    ),
    st.integers(1, 6),
    st.integers(0, 40),
)
def test_no_call_waits_longer_than_its_bound(slots, lanes, ahead):
    """Whatever slots are held, a call's request goes within the time that its caller is told."""
    limit, taken = slots
    told = bound(Holdup(QUOTA, min(taken), lanes, limit, 60.0), ahead)
    assert last_moment(taken, limit, 60.0, lanes, ahead) <= told


def test_a_bound_is_not_for_what_an_answer_has_to_say():
    """There is no bound where it is not known when a slot comes back, or how many there are."""
    assert math.isinf(bound(Holdup(QUOTA, math.inf, 1, 60), 0))
    assert math.isinf(bound(Holdup(QUOTA, 1.0, 2, 0), 0))


def test_holdups_come_back_as_they_were():
    """What a server says of what holds requests up is read as it was said."""
    said = Holdups({"write": WRITES, "read": Holdup(PAUSE)}, {"book": (SENT, 4.25)}, 3.0)
    assert Holdups.decode(said.encode().encode()) == said
    assert Holdups().encode() == ""


SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.floats(), st.integers(), st.just(10**400)),
    st.sampled_from(["", "write", "read", QUOTA, PAUSE, SENT, AGAIN, "\n"]),
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
NAMES = st.sampled_from(["write", "read", "large", "book", "\n"])
FORGED = st.tuples(
    st.dictionaries(NAMES, st.lists(SCALARS, min_size=5, max_size=5)),
    st.dictionaries(NAMES, st.tuples(SCALARS, SCALARS)),
    SCALARS,
)


@given(FORGED | JSON, st.integers(0, 3))
def test_what_a_stranger_has_put_there_ends_no_call(value, ahead):
    """Whatever stands in the place of what a server says, its caller is told one line of ours."""
    for text in (json.dumps(value).encode(), b"\xff", b"[" * 100_000, b"[{},{},1e999]"):
        holdups = Holdups.decode(text)
        for name in [*holdups.lanes, "book"]:
            told = reason(Sight(**HERE, lane=name, ahead=ahead, holdups=holdups))
            assert re.fullmatch(r"[ -~]+", told)


BACK = Pause("all", "", 1_000_000_000.0, "ann@web1", "a move")
TOLD_BRIEFLY = [
    (held(ahead=12), "behind 12 calls, at most 60 s; quota: writes 60 of 60"),
    (held("read"), "next in line, at most 55 s; quota: reads 60 of 60"),
    (held(ahead=1, holdup=Holdup(QUOTA)), "behind 1 call; quota: writes used up"),
    (held(holdup=Holdup(SHARED, 5.0, 2, 60, 60.0)), None),
    (lane(SENT, 4.0), None),
    (held(pause=BACK), None),
]


@pytest.mark.parametrize(("sight", "told"), TOLD_BRIEFLY)
def test_who_logs_at_info_is_told_of_the_quota_briefly(sight, told):
    """Place, bound and quota in one line; anything else as in the warning."""
    assert brief(sight) == (told or reason(sight))


def test_a_pause_is_told_with_who_and_why():
    """A pause of everything comes before all that a server says; others only without a lock."""
    since = "since 2001-09-09 01:46:40 UTC: a move"
    assert reason(held(pause=BACK, ahead=2)) == (
        f"all calls are paused by ann@web1 {since}: 2 calls ahead"
    )
    writes = Pause("write", "book", 1_000_000_000.0, "ann@web1", "a move")
    assert reason(held(pause=writes)) == (
        f"writes of the spreadsheet book are paused by ann@web1 {since}"
    )
    locked = LockHolder("book", "L1", "web2, process 1", 10.0, 10.0, 30.0, "held")
    assert "is locked by web2" in reason(held(pause=writes, lock=locked))


def test_a_pause_is_read_as_it_was_written():
    """What Redis has is read back whole; lines that no operator has written count as nothing."""
    text = "\nall: 1000000000000 ann@web1 a move\nwrite:a-b_~9 5 x@y \ndrain: 6 x@y z\nread:! 1 a b"
    first, *others = pauses_of(text)
    assert first == BACK
    assert [(one.what, one.lane, one.why) for one in others] == [
        ("write", "a-b_~9", ""),
        ("drain", "", "z"),
    ]
    assert f"\n{first.key} ann@web1 a move" in text
    assert pause_of(others, "book", is_held_up=True) is None
    assert pause_of(others, "a-b_~9", is_held_up=True) == others[0]
    assert pause_of(others, "a-b_~9", is_held_up=False) is None
