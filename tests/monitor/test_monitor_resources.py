"""The snapshot of what a server has to make calls with: its memory of answers, and its accounts."""

from __future__ import annotations

import itertools
import json
import random
import time
from dataclasses import replace

import fastjsonschema
import pytest
from places import TOP

from queued_gspread.broker import (
    AccountAtWork,
    CacheAtWork,
    Consumer,
    Observed,
    Publication,
    ServerHash,
    Work,
)
from queued_gspread.broker.published import Card, LaneAtWork, Published, published_of
from queued_gspread.broker.resources import Resources, resources_in
from queued_gspread.cli import screen
from queued_gspread.cli.health import troubles
from queued_gspread.monitor import look, snapshot_of
from queued_gspread.monitor.resources import AccountQuota, Cache
from queued_gspread.settings import Settings

NOW = 1_000_000.0
CARD = Card("web1", 4711, has_token=True, limits={"read": 60, "write": 60, "drive": 0})
LIMITS = {"read": 60, "write": 60}
FIRST = AccountAtWork("bot@a.com", "a", True, "ok", {"read": 45}, LIMITS | {"drive": 0})
OUT = AccountAtWork("b@a.com", "a", token="its key is refused: invalid_grant", limits=LIMITS)
LENDER = AccountAtWork("c@c.com", "c", False, "ok", {"write": 7}, LIMITS, {"write": 20.0})
CACHE = CacheAtWork(3_000_000, 64 << 20, 120)
WORK = Work((LaneAtWork("one", "Book"),), cache=CACHE, accounts=(OUT, LENDER, FIRST))
TOTALS = {
    "recalled read": 9,
    "missed read": 3,
    "account c@c.com write": 30,
    "account c@c.com read": 5,
    "account gone@c.com read": 99,
}
OBSERVED = Observed(
    "default",
    NOW,
    ServerHash("aaaa", "7", NOW - 0.5, 5.0, "web1:4711 (as bot)"),
    Published({"aaaa": (NOW - 1, CARD)}, WORK, NOW - 1.0, "7", TOTALS),
    lanes={"one": 1},
    lanes_in_all=1,
)
VALID = fastjsonschema.compile(json.loads((TOP / "docs" / "snapshot.schema.json").read_text()))
MADE = Resources(CACHE, (FIRST, OUT, LENDER)).encode()


def test_accounts_are_shown_with_their_quotas():
    """The first account comes first; each has its slots, its pause as it is now, its requests."""
    first, out, lender = snapshot_of(OBSERVED).accounts
    assert [each.account for each in (first, out, lender)] == ["bot@a.com", "b@a.com", "c@c.com"]
    assert [each.kind for each in first.quota] == ["read", "write", "drive"]
    assert (first.is_first, first.is_out, first.why, first.problem) == (True, False, "", "")
    assert lender.quota == (
        AccountQuota("read", 60, 0, 0.0, 5),
        AccountQuota("write", 60, 7, 19.0, 30),
    )
    assert (out.is_first, out.is_out, out.why) == (False, True, "its key is refused: invalid_grant")


def test_a_lender_that_is_out_is_a_problem_and_no_illness():
    """It is said what is wrong with it; a queue that works without it is healthy."""
    found = snapshot_of(OBSERVED)
    told = "account b@a.com lends nothing: its key is refused: invalid_grant"
    assert told in found.problems
    assert f"! {told}" in screen.status(found, "here")
    assert troubles(found, 0.0) == []


def test_the_quota_is_that_of_the_first_account():
    """What lenders have is in their own quotas, and what a call waits does not count on them."""
    alone = replace(OBSERVED.published, work=Work(WORK.lanes))
    assert snapshot_of(OBSERVED).quota == snapshot_of(replace(OBSERVED, published=alone)).quota


@pytest.mark.parametrize(
    ("limit", "held", "why"),
    [
        (100, 39, ""),
        (100, 40, "the accounts of project a use up its quota together"),
        (0, 60, ""),
        (120, 60, ""),
    ],
    ids=["room for one more", "no room", "no limit", "as much as all may hold"],
)
def test_a_project_that_is_used_up_makes_the_wait_unknown(limit, held, why):
    """Where the project's quota is in the way, the first account's slots do not say how long."""
    lender = replace(OUT, token="ok", held={"write": held})
    first = replace(FIRST, held={"write": 60})
    card = replace(CARD, options={"project_writes_per_minute": limit, "quota_window": 60.0})
    work = replace(WORK, lanes=(), accounts=(first, lender, LENDER))
    published = replace(OBSERVED.published, cards={"aaaa": (NOW - 1, card)}, work=work)
    found = snapshot_of(replace(OBSERVED, published=published, lanes={}))
    expected = {each.kind: each.expected for each in found.quota}
    assert expected["write"].why == why
    assert expected["read"].why == ""


def test_what_memory_holds_and_answers_is_shown():
    """Hits and misses are those since the beginning, the rest is that of the server that works."""
    assert snapshot_of(OBSERVED).cache == Cache(9, 3, 3_000_000, 64 << 20, 120)
    steps = {10: [{"t": NOW - 20, "hits": 4}], 300: []}
    history = replace(OBSERVED, published=replace(OBSERVED.published, history=steps))
    assert [step.hits for step in snapshot_of(history).history] == [4]


@pytest.mark.parametrize(
    "changed",
    [
        {"published": replace(OBSERVED.published, work=Work(WORK.lanes))},
        {"published": replace(OBSERVED.published, epoch="6")},
        {"published": replace(OBSERVED.published, worked_at=NOW - 60)},
        {"server": ServerHash()},
    ],
    ids=["nothing is said", "another server said it", "long ago", "no server works"],
)
def test_what_no_server_says_is_not_there(changed):
    """Of a server that says nothing there are no accounts, and no size of what it remembers."""
    found = snapshot_of(replace(OBSERVED, **changed))
    assert (found.accounts, found.cache) == ((), Cache(9, 3, None, None, None))
    assert not any("lends" in problem for problem in found.problems)
    VALID(json.loads(found.to_json()))


@pytest.fixture
def queue(redis_url, namespace):
    """Return the queue of a server that works."""
    queue = Consumer(Settings(redis_url, namespace), "aaaa")
    queue.beat(60)
    return queue


def test_what_is_published_is_read(queue, raw, keys, redis_url, namespace):
    """What a server publishes of both comes out of Redis as it went in, to whoever looks."""
    queue.publish("aaaa", Publication(1, Card(), WORK, totals=TOTALS, step={"hits": 4}), 5.0)
    found = look(Settings(redis_url, namespace))
    assert [each.account for each in found.accounts] == ["bot@a.com", "b@a.com", "c@c.com"]
    assert found.cache == Cache(9, 3, 3_000_000, 64 << 20, 120)
    assert {step.hits for step in found.history} == {4}
    VALID(json.loads(found.to_json()))


def test_earlier_versions_find_nothing_new_in_what_they_read(queue, raw, keys):
    """What earlier versions read has the form that they know: they take it for all or nothing."""
    queue.publish("aaaa", Publication(1, Card(), WORK), 5.0)
    said = raw.hget(keys.published, "work").split(" ", 2)[2]
    assert len(json.loads(said)) == 5
    (found,) = json.loads(said)[0]
    assert found[:2] == ["one", "Book"]


def test_a_server_without_both_writes_what_it_wrote(queue, raw, keys):
    """Where nothing is remembered and there is one account, no field more is in Redis."""
    queue.publish("aaaa", Publication(1, Card(), Work(WORK.lanes)), 5.0)
    assert "resources" not in raw.hkeys(keys.published)


def test_what_another_server_has_left_there_is_not_read(queue, raw, keys):
    """After a takeover by a server that says nothing, what its predecessor said is of nobody."""
    queue.publish("aaaa", Publication(1, Card(), WORK), 5.0)
    queue.publish("aaaa", Publication(2, Card(), Work(WORK.lanes)), 5.0)
    assert "resources" in raw.hkeys(keys.published)
    moment, epoch, said = raw.hget(keys.published, "resources").split(" ", 2)
    work = raw.hget(keys.published, "work").split(" ", 2)
    for forged in (f"{int(moment) - 5} {epoch} {said}", f"{work[0]} 9 {said}"):
        raw.hset(keys.published, "resources", forged)
        found = {name.encode(): text.encode() for name, text in raw.hgetall(keys.published).items()}
        work_found = published_of(found, time.time()).work
        assert (work_found.cache, work_found.accounts) == (None, ())
        assert [lane.lane for lane in work_found.lanes] == ["one"]


# What anybody may have written --------------------------------------------------------------------

ODD = (
    *(None, True, -1, 0.5, 1e300, 10**400, float("nan"), "", "x", "\x1b[2J\n", "e" * 999, "\ud800"),
    *([], [[]], {}, {"read": "x"}, {"read": -1, "odd": 5}, {"\n": 1}, [{}], "ok"),
)


def places_in(found, path=()):
    """Yield the path to everything in some JSON."""
    yield path
    pairs = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in pairs if isinstance(found, (dict, list)) else ():
        if isinstance(value, (dict, list)):
            yield from places_in(value, (*path, key))
        else:
            yield (*path, key)


def with_odd(found, path, odd):
    """Return some JSON with something else in a place of it."""
    if not path:
        return odd
    key, *rest = path
    changed = dict(found) if isinstance(found, dict) else [*found]
    changed[key] = with_odd(changed[key], rest, odd)
    return changed


def shown_of(text):
    """Return the snapshot where this is said, as it is shown everywhere."""
    said = f"{int(NOW * 1000) - 1000} 7 {text}".encode("utf-8", "replace")
    work = f"{int(NOW * 1000) - 1000} 7 {Work(WORK.lanes).encode()}".encode()
    totals = {f"total:{name}".encode(): str(n).encode() for name, n in TOTALS.items()}
    card = {b"server:aaaa": f"1 {int(NOW * 1000) - 1000} {CARD.encode()}".encode()}
    found = published_of({b"work": work, b"resources": said} | totals | card, NOW)
    snapshot = snapshot_of(replace(OBSERVED, published=found))
    VALID(json.loads(snapshot.to_json()))
    assert [lane.title for lane in snapshot.lanes] == ["Book"]
    lines = screen.status(snapshot, "here", (), 80)
    assert all(line.isprintable() and len(line) <= 80 for line in lines)
    assert len({each.account for each in snapshot.accounts}) == len(snapshot.accounts) <= 50
    return snapshot


def test_what_others_have_put_there_counts_as_not_there():
    """With anything in any place of it, the rest is read, and it is shown on single lines."""
    made = json.loads(MADE)
    untouched = shown_of(MADE)
    cases = list(itertools.product(places_in(made), ODD))
    assert len(cases) > 500
    for path, odd in cases:
        found = shown_of(json.dumps(with_odd(made, path, odd)))
        if path and path[0] == "cache":
            assert found.accounts == untouched.accounts
        if path and path[0] == "accounts":
            assert found.cache == untouched.cache
        if len(path) > 1 and path[0] == "accounts":
            others = {each["name"] for n, each in enumerate(made["accounts"]) if n != path[1]}
            assert {each.account for each in found.accounts} >= others


def test_any_text_may_stand_there():
    """Whatever it is, if only half of what was written, it ends nothing."""
    dice = random.Random(20)
    for text in ("", "[", "{}", "[]", "null", "9" * 99, "[" * 100_000, "\udcff"):
        assert shown_of(text).accounts == ()
    for _ in range(300):
        place = dice.randrange(len(MADE))
        noise = "".join(dice.choice('{}[]",:0e\\\n\x00é') for _ in range(dice.randrange(4)))
        shown_of(MADE[:place] + noise + MADE[place + dice.randrange(9) :])
    assert resources_in(MADE).encode() == MADE


def test_accounts_beyond_any_number_are_not_shown():
    """Who writes a thousand accounts fills no screen, and one of a name is shown once."""
    many = [{"name": f"a{n}@x", "token": "ok"} for n in range(1000)]
    assert len(shown_of(json.dumps({"accounts": many})).accounts) == 50
    same = [{"name": "e" * 200 + str(n), "token": "ok"} for n in range(9)]
    assert len(shown_of(json.dumps({"accounts": same})).accounts) == 1
