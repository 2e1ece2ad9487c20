"""Scripts that Redis refuses in their middle, for want of a right: nothing is left half done.

Each is run without each command that it calls, on keys of all kinds and then of each, and then
again with all rights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import pytest
import redis
from accounts import OPEN

from queued_gspread.broker.connection.failures import is_denied
from queued_gspread.broker.failed_calls import places
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.scripts import SCRIPTS
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.embedded.binaries import version

DECODED = {"decode_responses": True, "encoding_errors": "surrogateescape"}
NOW = 1_000_000_000
EPOCH = "7"
NAMESPACE = "halfway"
KEYS = Keys(NAMESPACE)
LANE = KEYS.lane("lane")
READY = KEYS.ready_under(EPOCH)
COPY = "\0{0}\0{1}\0004\0lane{2}"
FIRST, SECOND = f"{NOW - 2000}-0", f"{NOW - 1000}-0"
# Where the keys of each kind begin; those that all formats share among them.
KINDS = {
    kind: key.removesuffix(":")
    for kind, key in (
        ("clock", KEYS.control("clock")),
        ("lane", KEYS.lane("")),
        ("reply", KEYS.reply("")),
        ("journal", KEYS.journal("")),
        ("slots", KEYS.slots("")),
        ("renewal", KEYS.renewal("")),
        *((kind, getattr(KEYS, kind)) for kind in ("account", "active", "formats", "poisoned")),
        ("ready", KEYS.ready),
        *((kind, getattr(KEYS, kind)) for kind in ("dedup", "server", "progress", "deliveries")),
        *((kind, getattr(KEYS, kind)) for kind in ("depth", "locks", "throttle")),
        *((kind, getattr(KEYS, kind)) for kind in ("failed", "outcomes", "answered", "published")),
        *((kind, getattr(KEYS, kind)) for kind in ("promised", "actions")),
        *((kind, getattr(KEYS, kind)) for kind in ("promises", "keeping")),
    )
}


READ = {
    "string": redis.Redis.get,
    "hash": redis.Redis.hgetall,
    "set": redis.Redis.smembers,
    "list": lambda client, key: client.lrange(key, 0, -1),
    "zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    "stream": redis.Redis.xrange,
}


@dataclass
class Case:
    """One call of a script, and what stands in Redis before it."""

    script: str
    keys: list
    args: list = field(default_factory=list)
    before: list = field(default_factory=list)


SERVER = ["HSET", KEYS.server, "holder", "aaaa", "epoch", EPOCH, "last_beat", NOW, "lease", 5000]
WORKED = [
    "HSET",
    KEYS.server,
    "worked",
    EPOCH,
    "description",
    "a",
    "max_queue",
    0,
    "generation",
    "",
]
ACTIVE = ["SADD", KEYS.active, "lane"]
ONE = [["XADD", LANE, FIRST, "id", "J1", "body", "b1"], ["SET", KEYS.depth, 1], ACTIVE]
TWO = [*ONE, ["XADD", LANE, SECOND, "id", "J2", "body", "b2"], ["SET", KEYS.depth, 2]]
LARGE = [["XADD", LANE, FIRST, "id", "J1", "body", "b" * 1_000_001], TWO[-2]]
KNOWN = [
    ["ZADD", KEYS.dedup, NOW - 60_000, "since:", NOW - 2000, "J1"],
    *(
        ["HSET", key, "J1", value]
        for key, value in ((KEYS.deliveries, "/7/"), (KEYS.progress, "r"))
    ),
]
BEGUN = [*KNOWN, ["RPUSH", KEYS.journal("J1"), "=read"]]
INTENDED = [*KNOWN, ["RPUSH", KEYS.journal("J1"), ">slot 1 what"]]

SLOTS = KEYS.slots("write")
HELD = [["ZADD", SLOTS, "inf", "slot"]]
PAUSED = ["refused:write", NOW - 9, "until:write", NOW - 1]
REFUSED = [["HSET", KEYS.throttle, "streak:write", 1, *PAUSED]]
LOWERED = [
    ["HSET", KEYS.throttle, "limit:write", 1, "shrunk:write", 1, "quiet:write", NOW - 70_000]
]
LONG_LOWERED = [["HSET", KEYS.throttle, "limit:write", 1, "shrunk:write", 1, "quiet:write", 1]]
HEAD = [KEYS.server, LANE, KEYS.active, KEYS.progress, KEYS.deliveries]
ANSWER = [*HEAD, KEYS.depth, KEYS.answered]
VOUCHED = '{"signed": "it", "before": ["", "first"], "floor": "5", "ids": ["J1", "9"]}'
VOUCHED_BEFORE = [
    ["ZADD", KEYS.answered, 4, "old", 8, "J0"],
    ["HSET", KEYS.server, "answered", "first"],
]
ENQUEUE = KEYS.of_enqueue("lane")
WITHDRAW = KEYS.of_withdraw("lane", "J1")
SETTLE = [KEYS.server, KEYS.progress, KEYS.throttle, SLOTS]
START = [
    KEYS.server,
    LANE,
    KEYS.progress,
    KEYS.throttle,
    SLOTS,
    KEYS.deliveries,
    KEYS.journal("J1"),
]
PUBLISHED = [
    [
        *("HSET", KEYS.published, "server:aaaa", f"4 {NOW - 2000} {{}}", "server:old", "4 1 {}"),
        *("total:name", 5, "caller:who", f"{NOW - 9} 1 1 1", "10:7", '{"t": 1}'),
    ]
]
WHAT = ["{}", "[]", "{}", '{"n": 2}', 1, "name", 3, "write", 1, "who", 1, 0, 500]
BEAT = [
    *(KEYS.server, KEYS.ready, KEYS.active, KEYS.deliveries, KEYS.lane("")),
    *(KEYS.account, KEYS.actions),
]


def slots_of(released):
    """Return slots to release, each a name and a limit, as arguments."""
    each = [("write", slot, limit, 60_000, NOW - 5) for slot, limit in released]
    return [len(each), *(arg for one in each for arg in one)]


def answer(*jobs, before, released=(), vouched="", failure="", promise=""):
    """Return an answer to some jobs, which releases slots."""
    jobs = [(*job, failure, promise) for job in jobs]
    keys = [key for job in jobs for key in (KEYS.reply(job[1]), KEYS.journal(job[1]))]
    keys += [*[SLOTS, KEYS.throttle] * len(released), *(places(KEYS) if failure else ())]
    args = [EPOCH, "lane", 300, *slots_of(released), vouched, 1 if failure else 0]
    args += [arg for job in jobs for arg in job]
    return Case("answer", [*ANSWER, *keys], args, [SERVER, *BEGUN, *before])


def enqueue(job_id, *before, first=NOW - 10):
    """Return the enqueue of a job."""
    return Case("enqueue", ENQUEUE, [job_id, "body", "lane", 120_000, first], before)


def withdraw(*before, entry=FIRST):
    """Return the withdrawal of the first job."""
    return Case("withdraw", WITHDRAW, ["J1", entry, "lane", NOW - 3000], [SERVER, *before])


def cancel(*before, failure=""):
    """Return the cancellation of the first job by another than its caller."""
    args = ["J1", FIRST, "lane", "", "gently", "told", 300, failure, 1]
    return Case("withdraw", [*WITHDRAW, KEYS.failed], args, [SERVER, *before])


def release_slot(*before, limit=60, pause="", attempt="slot", job=("J1", "r", "=told")):
    """Return the end of a request."""
    args = [EPOCH, "write", "slot", limit, 60_000, NOW - 5, pause, "0.5", attempt, 300, *job]
    return Case("release_slot", [*SETTLE, KEYS.journal("J1")], args, [SERVER, *TWO, *before])


def acquire(
    *before,
    limit=60,
    interval=0,
    entry=FIRST,
    position=0,
    window=60_000,
    released=(),
    claim="",
    project=(0, ""),
):
    """Return the question whether a request may be sent, which releases slots."""
    job = [entry, "J1", "j", "1", 5000, position, "slot", "what", claim, 1, "=read"]
    args = [EPOCH, "write", "slot", limit, window, interval, "", "write", *project]
    places = [*START, *[SLOTS, KEYS.throttle] * len(released), *[SLOTS] * len(project[1].split())]
    return Case("acquire", places, [*args, *slots_of(released), *job], [SERVER, *before])


def beat(server_id, *before, epoch="", certain="1", token="1", replaces=""):
    """Return a server's beat."""
    args = [server_id, 5000, "about", epoch, 0, "", certain, "holdups", token, "a@b", replaces]
    args += ["quota", "1-1"]
    return Case("beat", BEAT, args, before)


# A lock's job is at the head of the lane, with a call behind it, and perhaps one of the holder's.
LOCK = KEYS.lane("lane!J1")
MARKED = [["HSET", KEYS.progress, "J1", "l"], ["HSET", KEYS.deliveries, "J1", "/7/"]]
OF_HOLDER = [
    ["XADD", LOCK, SECOND, "id", "J3", "body", "b3"],
    ["SADD", KEYS.active, "lane!J1"],
    ["SET", KEYS.depth, 3],
]


def lock(state="held", last=NOW - 10):
    """Return that the first job of the lane has its lock, and what goes along."""
    return [*MARKED, ["HSET", KEYS.locks, "lane", f"J1 {NOW - 99} {last} 5000 {state} who"]]


CLAIM = f"10 100000 {'d' * 32} 0 key"
PROMISE = [KEYS.server, KEYS.promises]


def promise(state, job="J1", size=300, ends=NOW + 9000):
    """Return that a job's call is kept under an idempotency key, and another one, which is over."""
    text = f"{state} {job} {NOW - 99} {size} lane {FIRST}"
    both = ["0 key", text, "0 old", text.replace(state, "answered"), "bytes:", 2 * size]
    kept = ["0 key", f"{'d' * 32} ok it", "0 old", f"{'e' * 32} ok that"]
    over = [*([ends, "0 key"] if ends else []), NOW - 9, "0 old"]
    return [
        ["HSET", KEYS.promises, *both],
        ["HSET", KEYS.promised, *kept],
        ["ZADD", KEYS.keeping, *over],
    ]


def kept(state):
    """Return what is to be kept of a call under that key."""
    return f"{state} 5000 5 0 key {'d' * 32} ok that"


def settle(said, *before):
    """Return that an operator settles the outcome of a call."""
    return Case("settle", [KEYS.promises], ["0 key", "J1", said, 5000], before)


GONE = [SERVER, WORKED, ["HSET", KEYS.server, "last_beat", NOW - 9000], ["RPUSH", READY, "other"]]
MOVED = ["HSET", KEYS.server, "master", "another"]
STANDBY = ["HSET", KEYS.server, "standby", NOW - 9]
OTHERS = ["SET", KEYS.account, "c@d"]
AHEAD = [["ZADD", SLOTS, NOW - 5, "old", NOW + 900_000, "far", "inf", "one"]]
OLD = ["ZADD", KEYS.dedup, NOW - 900_000, "since:", NOW - 800_000, "old"]
ANSWERED = [["ZADD", SLOTS, "inf", "answered"]]
AHEAD_OF_TIME = [
    ["HSET", KEYS.throttle, "paused:write", NOW + 9, "until:write", NOW + 99],
    ["HSET", KEYS.throttle, "limit:write", 1, "shrunk:write", 1, "quiet:write", NOW + 9],
]
LIMITED = ["HSET", KEYS.server, "epoch", EPOCH, "max_queue", 1]
PAUSE = ["write:lane", "who", "why", "what"]
HELD_UP = ["HSET", KEYS.server, "paused", f"\nall:lane {NOW - 9} who why\nread: {NOW} who why"]
DRAINED = ["HSET", KEYS.server, "paused", f"\ndrain: {NOW - 9} who why"]
POISONED = [
    ["XADD", KEYS.poisoned, f"{NOW - 9}-{place}", "id", job_id, "lane", "lane", "body", "b"]
    for place, job_id in enumerate(("J0", "J1", "J2"))
]
CASES = [
    answer((FIRST, "J1", "told"), before=TWO),
    answer((FIRST, "J1", "told"), before=ONE),
    answer((FIRST, "J1", "told"), (SECOND, "J2", "told"), before=TWO),
    answer(("9-9", "J9", "told"), before=[]),
    *(
        answer((FIRST, "J1", "told"), before=[*TWO, *promise("begun")], promise=kept(state))
        for state in ("answered", "unknown", "free")
    ),
    answer((FIRST, "J1", "told"), before=TWO, promise=kept("answered")),
    acquire(*TWO, claim=CLAIM),
    *(
        acquire(*TWO, *promise(state, job), claim=CLAIM)
        for state, job in (("begun", "J1"), ("begun", "J9"), ("answered", "J9"))
    ),
    Case("promise", PROMISE, [EPOCH, "0 key", "J1"], [SERVER, *promise("answered", "J9")]),
    settle(f"{'d' * 32} made so", *promise("unknown", ends=0)),
    settle("", *promise("unknown", ends=0)),
    settle("", *promise("begun"), *TWO),
    answer(
        (FIRST, "J1", "told"),
        before=[*TWO, ["ZADD", KEYS.failed, NOW - 9, "earlier"]],
        failure="0what",
    ),
    answer((FIRST, "J1", "told"), before=TWO, failure="1what"),
    answer((FIRST, "J1", "told"), before=[*TWO, *VOUCHED_BEFORE], vouched=VOUCHED),
    answer(
        (FIRST, "J1", "told"),
        before=[*TWO, ["HSET", KEYS.server, "answered", "another"]],
        vouched=VOUCHED,
    ),
    *(
        ask(*before, released=[("answered", limit)])
        for ask in (
            lambda *before, released: answer(
                (FIRST, "J1", "told"), before=[*TWO, *before], released=released
            ),
            lambda *before, released: acquire(*TWO, *before, released=released),
        )
        for limit in (0, 60)
        for before in (
            ANSWERED,
            [*ANSWERED, *REFUSED, *LOWERED],
            [*ANSWERED, *REFUSED, *LONG_LOWERED],
            [*ANSWERED, *AHEAD_OF_TIME],
        )
    ),
    answer((FIRST, "J1", "told"), before=[*TWO, *ANSWERED], released=[("answered", 60)] * 2),
    acquire(*TWO, *ANSWERED, limit=1, released=[("answered", 1)]),
    enqueue("J9", LIMITED),
    enqueue("J9", LIMITED, OLD),
    enqueue("J9", *TWO, OLD, ["DEL", KEYS.active]),
    enqueue("J9", *TWO, OLD),
    enqueue("09", *TWO, OLD),
    enqueue("J9", *ONE, LIMITED),
    enqueue("J1", *TWO, *KNOWN),
    enqueue("J9", *TWO, OLD, first=1),
    withdraw(*ONE, *KNOWN, ["RPUSH", READY, COPY.format(FIRST, "J1", "b1")]),
    withdraw(*TWO, *BEGUN, ["RPUSH", READY, COPY.format(FIRST, "J1", "b1"), "other"]),
    withdraw(*TWO, *BEGUN, entry=""),
    withdraw(*TWO, ["HSET", KEYS.progress, "J1", "j"]),
    withdraw(*ONE, ["XADD", KEYS.reply("J1"), "1-1", "body", "b"]),
    withdraw(),
    cancel(*ONE, *KNOWN, ["RPUSH", READY, COPY.format(FIRST, "J1", "b1")]),
    cancel(*TWO, *BEGUN, ["ZADD", KEYS.failed, NOW - 9, "earlier"], failure="what"),
    cancel(*TWO, ["HSET", KEYS.progress, "J1", "j"]),
    cancel(*TWO, *lock()),
    cancel(*ONE, ["XADD", KEYS.reply("J1"), "1-1", "body", "b"]),
    cancel(),
    Case("pause", [KEYS.server, KEYS.actions], [*PAUSE, 9], [SERVER]),
    Case("pause", [KEYS.server, KEYS.actions], [*PAUSE, 9], [SERVER, DRAINED]),
    Case("pause", [KEYS.server, KEYS.actions], [*PAUSE, 1], [SERVER, DRAINED]),
    *(
        Case(
            "resume",
            [KEYS.server, KEYS.actions, KEYS.locks],
            [scope, *PAUSE[1:]],
            [SERVER, *TWO, *lock(), *before],
        )
        for scope in ("", "all:lane")
        for before in ([], [HELD_UP])
    ),
    *(
        Case("note_action", [KEYS.server, KEYS.actions], ["who", "what", "why"], [SERVER, *before])
        for before in ([], [["HSET", KEYS.server, "asked", f"\n{NOW - 9} who what\twhy" * 20]])
    ),
    *(
        Case(
            "dismiss",
            [KEYS.server, KEYS.actions, KEYS.poisoned, *places(KEYS)],
            [job_id, *PAUSE[1:], "kept"],
            [SERVER, ["ZADD", KEYS.outcomes, NOW - 9, "kept", NOW, "other"], *POISONED],
        )
        for job_id in ("", "J1")
    ),
    Case("jobs", [LANE, KEYS.progress], ["", 9, 99, ""], [SERVER, *TWO]),
    Case("lapse", [KEYS.server, KEYS.locks], [EPOCH], [SERVER, HELD_UP, *TWO, *lock(last=1)]),
    enqueue("J9", *TWO, OLD, DRAINED),
    acquire(*TWO, HELD_UP),
    acquire(*TWO, HELD_UP, ["ZADD", SLOTS, "inf", "slot"]),
    withdraw(*TWO, *lock(), ["ZADD", KEYS.dedup, NOW - 60_000, "since:"]),
    *(
        Case(
            script,
            [LOCK if key in (LANE, ENQUEUE[0]) else key for key in keys],
            args,
            [SERVER, *TWO, *OF_HOLDER, *KNOWN, *lock(state)],
        )
        for state in ("held", "released", "broken")
        for script, keys, args in (
            (
                "answer",
                [*ANSWER, KEYS.reply("J3"), KEYS.journal("J3")],
                [EPOCH, "lane!J1", 300, 0, "", 0, SECOND, "J3", "told", "", ""],
            ),
            ("withdraw", KEYS.of_withdraw("lane!J1", "J3"), ["J3", SECOND, "lane!J1", NOW - 3000]),
            ("enqueue", KEYS.of_enqueue("lane!J1"), ["J9", "body", "lane!J1", 120_000, NOW - 10]),
            ("unlock", [LOCK], ["released"]),
            ("extend", [LOCK], []),
            ("lapse", [KEYS.server, KEYS.locks], [EPOCH]),
        )
    ),
    *(
        Case(script, keys, args, [SERVER, *jobs, *lock(state, last)])
        for jobs in (ONE, TWO)
        for state, last in (("held", NOW - 10), ("held", NOW - 6000), ("released", NOW + 9000))
        for script, keys, args in (
            ("unlock", [LOCK], ["broken"]),
            ("extend", [LOCK], []),
            ("lapse", [KEYS.server, KEYS.locks], [EPOCH]),
        )
    ),
    Case("lapse", [KEYS.server, KEYS.locks], [EPOCH, "lane", "J1"], [SERVER, *TWO, *MARKED]),
    *(
        Case(
            "grant",
            [KEYS.server, LANE, KEYS.progress, KEYS.deliveries, KEYS.reply("J1"), KEYS.locks],
            [EPOCH, "lane", 300, FIRST, "J1", "told", 5000, "who"],
            [SERVER, *before],
        )
        for before in (
            [],
            TWO,
            [*TWO, *lock()],
            [
                *TWO,
                ["HSET", KEYS.locks, "lane", f"J0 {NOW} {NOW} 5000 held who"],
                ["XADD", KEYS.lane("lane!J0"), FIRST, "id", "J3", "body", "b3"],
            ],
        )
    ),
    beat("aaaa", SERVER, epoch=EPOCH),
    beat("bbbb", SERVER),
    beat("aaaa", SERVER, MOVED, epoch=EPOCH),
    beat("aaaa", SERVER, MOVED, epoch=EPOCH, certain=""),
    beat("bbbb", SERVER, WORKED, MOVED),
    beat("bbbb", MOVED, certain=""),
    beat("bbbb", *TWO, *GONE),
    beat("bbbb", SERVER, ["HSET", KEYS.server, "last_beat", NOW + 900_000]),
    *(
        beat("aaaa", SERVER, *TWO, *promise(state, job, ends=NOW - 9), epoch=EPOCH)
        for state, job in (("answered", "J9"), ("begun", "J1"), ("begun", "J9"))
    ),
    beat("aaaa", SERVER, ["ZADD", KEYS.keeping, 1, "0 gone"], epoch=EPOCH),
    beat("bbbb", SERVER, STANDBY),
    beat("bbbb", SERVER, OTHERS),
    beat("bbbb", SERVER, OTHERS, replaces="c@d"),
    beat("aaaa", SERVER, STANDBY, OTHERS, epoch=EPOCH),
    beat("bbbb", *GONE, STANDBY, token=""),
    beat("bbbb", *GONE, OTHERS),
    release_slot(*INTENDED, *HELD),
    release_slot(*INTENDED, *HELD, job=("J1", "r", "")),
    release_slot(*KNOWN, *HELD, attempt=""),
    release_slot(*INTENDED, *HELD, *REFUSED, *LOWERED),
    release_slot(*INTENDED, *HELD, limit=0),
    *(
        release_slot(*INTENDED, *HELD, *before, limit=limit, pause=7)
        for limit in (0, 4)
        for before in ([], LOWERED, LONG_LOWERED, [*REFUSED, *LOWERED])
    ),
    acquire(*TWO),
    acquire(*TWO, position=2, interval=1000),
    acquire(*TWO, *REFUSED, ["HSET", KEYS.throttle, "trial:write", "x", "tried:write", NOW - 1]),
    acquire(*TWO, *REFUSED, *LOWERED, interval=1000),
    acquire(*TWO, ["HSET", KEYS.throttle, "paused:write", NOW + 9, "until:write", NOW + 99]),
    acquire(*TWO, *LONG_LOWERED, limit=0),
    acquire(*TWO, *AHEAD, limit=1),
    acquire(*TWO, *AHEAD, limit=3),
    acquire(*HELD),
    acquire(*TWO, *AHEAD, limit=3, project=(2, "- -")),
    acquire(*TWO, *AHEAD, limit=3, project=(60, "one")),
    Case("head", HEAD, [EPOCH, "lane"], [SERVER, *TWO]),
    Case("head", HEAD, [EPOCH, "lane"], [SERVER, ACTIVE]),
    Case(
        "peek",
        [KEYS.server, LANE, KEYS.progress, KEYS.deliveries],
        [EPOCH, "0", 9, 99],
        [SERVER, *TWO],
    ),
    Case("deliver_suspect", [KEYS.server, KEYS.deliveries], [EPOCH, "J1"], [SERVER]),
    Case("want", [KEYS.progress, KEYS.renewal("J1")], ["signed", 9], KNOWN),
    Case("confirm_intent", [KEYS.server, KEYS.journal("J1")], [EPOCH], [SERVER, *INTENDED]),
    Case("journal", [KEYS.server, KEYS.journal("J1")], [EPOCH], [SERVER, *BEGUN]),
    Case("release", [KEYS.server], [EPOCH], [SERVER]),
    Case("vouch", [KEYS.server, KEYS.answered], [EPOCH, VOUCHED], [SERVER, *VOUCHED_BEFORE]),
    Case(
        "alive",
        [KEYS.server, KEYS.formats, LANE, KEYS.reply("J9")],
        [9, FIRST, "J9"],
        [SERVER, *ONE],
    ),
    Case(
        "alive",
        [KEYS.server, KEYS.formats, LANE, KEYS.reply("J2")],
        [9, SECOND, "J2", "1"],
        [SERVER, *LARGE],
    ),
    Case(
        "formats",
        [KEYS.server, KEYS.formats, SLOTS],
        [2, 9, EPOCH, 60_000],
        [SERVER, ["ZADD", SLOTS, "inf", "6/1", "inf", "7/1"]],
    ),
    Case(
        "remind",
        [KEYS.server, SLOTS],
        [EPOCH, "old", 900, "other", "inf", "answered", 900],
        [SERVER, ["ZADD", SLOTS, "inf", "answered"]],
    ),
    Case(
        "copy_slots",
        [KEYS.server, SLOTS, KEYS.slots("write", "lender")],
        [EPOCH, 60_000],
        [SERVER, ["ZADD", SLOTS, "inf", "6/1", "inf", "6/2"]],
    ),
    Case(
        "recount",
        [KEYS.server, KEYS.active, KEYS.depth, KEYS.progress, KEYS.lane("")],
        [EPOCH],
        [SERVER, *TWO, ["SET", KEYS.depth, 9]],
    ),
    Case(
        "recount",
        [KEYS.server, KEYS.active, KEYS.depth, KEYS.progress, KEYS.lane("")],
        [EPOCH],
        [SERVER, ["SET", KEYS.depth, 9]],
    ),
    Case(
        "recover",
        [KEYS.server, KEYS.ready, KEYS.active, KEYS.formats, SLOTS],
        [EPOCH, 60_000, 9],
        [SERVER, *TWO, ["ZADD", SLOTS, "inf", "6/1"], ["RPUSH", READY, "other"]],
    ),
    Case(
        "requeue",
        [KEYS.server, KEYS.deliveries],
        [EPOCH],
        [SERVER, ["HSET", KEYS.deliveries, "J1", "/7/", "J2", "/6//7/"]],
    ),
    Case(
        "heads",
        [KEYS.server, KEYS.active, KEYS.progress, KEYS.lane("")],
        [EPOCH, 9, "lane"],
        [SERVER, *TWO, ["HSET", KEYS.progress, "J1", "l"]],
    ),
    *(
        Case(
            "publish",
            [KEYS.server, KEYS.published, KEYS.depth, SLOTS],
            [EPOCH, server, number, *WHAT],
            [SERVER, *TWO, ["ZADD", SLOTS, "inf", "slot"], *PUBLISHED],
        )
        for server in ("aaaa", "bbbb")
        for number in (4, 5, 31)
    ),
    Case(
        "poison",
        [KEYS.server, KEYS.poisoned],
        [EPOCH, "J1", "lane", "b1", 9, 3],
        [SERVER, ["XADD", KEYS.poisoned, "1-1", "id", "J0", "lane", "lane", "body", "b0"]],
    ),
]


def commands_of(script, *, borne=True):
    """Return the commands that a script calls, as it is read; those too whose refusal it bears."""
    pattern = r"(?:redis\.p?call|\btry)" if borne else r"(?:redis\.call|\btry)"
    calls = re.findall(pattern + r"\((.)(\w*)", SCRIPTS[script].text)
    # What `try` runs is named where it is called.
    assert {quote for quote, _ in calls} <= {"'", "."}
    return {command.lower() for quote, command in calls if quote == "'"}


@pytest.fixture
def namespace():
    return NAMESPACE


@pytest.fixture(scope="module")
def own_redis(binary):
    """Return a Redis that only these tests use: each begins with no keys and new rights."""
    with TemporaryRedis(binary, options=OPEN, restricted=False) as server:
        yield server


@dataclass
class Halfway:
    """A Redis in which a user lacks a right."""

    admin: redis.Redis
    user: redis.Redis
    now: str
    binary: str

    def prepare(self, case):
        pipeline = self.admin.pipeline(transaction=False)
        pipeline.flushdb()
        pipeline.set(KEYS.control("clock"), self.now)
        for command in case.before:
            pipeline.execute_command(*command)
        pipeline.execute()

    def lack(self, command, kinds):
        """Take a command from the user, on keys of some kinds."""
        rules = ["reset", "on", "nopass", "+@all", f"-{command}", "~*"]
        others = [f"~{KINDS[each]}" for each in KINDS if each not in kinds]
        if others:
            rules.append(f"(+{command} {' '.join(f'{key} {key}:*' for key in others)})")
        self.admin.execute_command("ACL", "SETUSER", "partial", *rules)

    def run(self, case, client):
        text = SCRIPTS[case.script].text
        return alike(client.eval(text, len(case.keys), *case.keys, *case.args))

    def refusals(self, case):
        """Yield each right whose lack has the script refused, after that refusal."""
        for command in sorted(commands_of(case.script)):
            if self.is_refused(case, command, KINDS):
                yield command, None
                for kind in self.refused(case, command, self.kinds):
                    # Once more: what follows wants to find it just refused.
                    assert self.is_refused(case, command, [kind])
                    yield command, kind

    def refused(self, case, command, kinds):
        """Return those of the kinds without which the script is refused: by halves, as few are."""
        if not kinds or not self.is_refused(case, command, kinds):
            return []
        if len(kinds) == 1:
            return kinds
        half = len(kinds) // 2
        return [
            kind
            for some in (kinds[:half], kinds[half:])
            for kind in self.refused(case, command, some)
        ]

    def is_refused(self, case, command, kinds):
        self.prepare(case)
        self.lack(command, kinds)
        try:
            self.run(case, self.user)
        except redis.ResponseError as error:
            if not is_denied(error):
                raise
            return True
        return False

    def state(self):
        keys = sorted(self.admin.keys("*"))
        with self.admin.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.type(key)
            for key, kind in zip(keys, pipeline.execute(), strict=True):
                READ[kind](pipeline, key)
            return dict(zip(keys, map(alike, pipeline.execute()), strict=True))

    def jobs(self):
        found = self.state()
        waiting = int(self.admin.get(KEYS.depth) or 0)
        return waiting, [found.get(place) for place in (LANE, KEYS.active, READY)]

    @cached_property
    def kinds(self):
        return list(KINDS) if version(self.binary) >= (7, 0) else []


def alike(found):
    """Return the same, without the times of the Redis's own clock that entries have."""
    return re.sub(r"1\d{12}(-\d+|\.0)?", "entry", repr(found))


@pytest.fixture
def halfway(own_redis, redis_of, clock_of, binary):
    admin = redis_of(own_redis)
    clock_of(admin)
    now = admin.get(KEYS.control("clock"))
    admin.execute_command("ACL", "SETUSER", "partial", "on", "nopass")
    url = own_redis.url.replace("redis://", "redis://partial:any@")
    with redis.Redis.from_url(url, protocol=2, **DECODED) as user:
        yield Halfway(admin, user, now, binary)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_that_is_refused_halfway(halfway, script):
    """Refused at any command, on keys of any kind, and run again, it leads to the same as ever."""
    reached = set()
    for case in (case for case in CASES if case.script == script):
        halfway.prepare(case)
        expected = halfway.run(case, halfway.admin), halfway.state()
        for command, kind in halfway.refusals(case):
            reached.add(command)
            assert (halfway.run(case, halfway.admin), halfway.state()) == expected, (command, kind)
    assert reached >= commands_of(script, borne=False)


@pytest.mark.parametrize("script", sorted(SCRIPTS.keys() - {"enqueue"}))
def test_a_script_in_a_full_redis(halfway, script):
    """What works the queue off, or says that a job is wanted, works without memory left."""
    for case in (case for case in CASES if case.script == script):
        halfway.prepare(case)
        expected = halfway.run(case, halfway.admin), halfway.state()
        halfway.prepare(case)
        halfway.admin.config_set("maxmemory", "1")
        found = halfway.run(case, halfway.admin)
        halfway.admin.config_set("maxmemory", "0")
        assert (found, halfway.state()) == expected


def test_a_job_whose_enqueue_is_refused_is_not_there(halfway):
    """Refused at any command, it adds nothing: its caller is told that the call is not made."""
    for case in (case for case in CASES if case.script == "enqueue"):
        for command, kind in halfway.refusals(case):
            after = halfway.jobs()
            halfway.prepare(case)
            assert after == halfway.jobs(), (command, kind)
