"""Jobs in the queue: put in, taken in order, withdrawn, answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from broker_helpers import contents, enqueue, milliseconds_of, names, withdraw
from one_job import acquire, answer
from redis.crc import key_slot
from waiting import PATIENCE, eventually, waiting_callers

from queued_gspread.broker import (
    Backlog,
    Consumer,
    Entry,
    Predecessor,
    Producer,
    StaleEpochError,
    Stop,
)
from queued_gspread.broker import consumer as servers
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import CallTimeoutError, JobLostError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings


def test_a_retried_enqueue_is_one_job(settings, keys, raw, server):
    """An enqueue that is retried adds one job and names its lane as ready once."""
    job_id, entry = enqueue(settings)
    again = enqueue(settings, job_id=job_id)
    assert entry
    assert again == (job_id, entry)
    assert raw.xlen(keys.lane("lane")) == 1
    assert raw.llen(keys.ready_under(server.epoch)) == 1


def test_a_retried_enqueue_after_the_answer_is_no_new_job(settings, keys, raw, server):
    """An enqueue that is retried after the job was answered adds nothing."""
    job_id, _ = enqueue(settings)
    answer(server, server.head("lane"), b"reply")
    assert enqueue(settings, job_id=job_id) == (job_id, "0-1")
    assert not raw.exists(keys.lane("lane"))


def test_ids_are_forgotten_after_two_minutes(settings, keys, raw):
    """What is remembered of jobs that were put in long ago goes with one of the next."""
    seconds, microseconds = raw.time()
    now = seconds * 1000 + microseconds / 1000
    raw.zadd(keys.dedup, {"since:": 0, "old": now - 120_001, "young": now - 60_000})
    ids = [f"{first}{new_id()[1:]}" for first in "20"]
    for job_id in ids:
        enqueue(settings, job_id=job_id)
    assert set(raw.zrange(keys.dedup, 0, -1)) == {"since:", "young", *ids}
    assert now - 120_000 <= raw.zscore(keys.dedup, "since:") < now - 60_000


def test_an_enqueue_after_its_withdrawal_adds_nothing(settings, keys, raw):
    """A job that was withdrawn before its enqueue arrived is not put into the queue."""
    job_id = new_id()
    assert withdraw(settings, job_id, "") == "withdrawn"
    assert enqueue(settings, job_id=job_id) == (job_id, "0-1")
    assert not raw.exists(keys.lane("lane"))


@pytest.mark.parametrize("knows_entry", [True, False])
def test_withdraw_before_the_start(settings, keys, raw, server, knows_entry):
    """A job withdrawn before its start is gone from its lane, whether or not its entry is known."""
    _, _ = enqueue(settings, body=b"before")
    job_id, entry = enqueue(settings, body=b"mine")
    _, _ = enqueue(settings, body=b"after")
    assert withdraw(settings, job_id, entry if knows_entry else "") == "withdrawn"
    first = server.head("lane")
    second = answer(server, first, b"")
    assert (first.body, second.body) == (b"before", b"after")
    assert answer(server, second, b"") is None


def test_a_retried_withdrawal_says_the_same(settings, keys):
    """A withdrawal that is retried says 'withdrawn' twice."""
    job_id, entry = enqueue(settings)
    assert [withdraw(settings, job_id, entry) for _ in "12"] == ["withdrawn"] * 2


def test_withdraw_of_a_call_that_has_only_read(settings, keys, raw, server):
    """A call that has only read when it is withdrawn goes no further, and gets no reply."""
    job_id, entry = enqueue(settings)
    head = server.head("lane")
    assert acquire(server, head, "r", None).word == "go"
    assert withdraw(settings, job_id, entry) == "ended"
    assert [acquire(server, head, mark, None).word for mark in "rw"] == ["withdrawn"] * 2
    assert answer(server, head, b"reply") is None
    assert not raw.exists(keys.reply(job_id), keys.progress, keys.lane("lane"), keys.active)


def test_withdraw_of_a_call_that_may_have_written(settings, keys, raw, server):
    """A withdrawal after the first write reports it; the call ends, and gets no reply."""
    job_id, entry = enqueue(settings)
    head = server.head("lane")
    assert acquire(server, head, "w", None).word == "go"
    assert withdraw(settings, job_id, entry) == "started"
    assert acquire(server, head, "w", None).word == "go"
    assert answer(server, head, b"reply") is None
    eventually(lambda: not raw.exists(keys.reply(job_id)), "it is gone")
    assert not raw.exists(keys.progress)


def test_withdraw_after_the_answer(settings, keys, server):
    """A withdrawal after the answer says that there is one."""
    job_id, entry = enqueue(settings)
    answer(server, server.head("lane"), b"reply")
    assert withdraw(settings, job_id, entry) == "answered"


def test_start_after_the_withdrawal(settings, keys, raw, server):
    """An acquire after the withdrawal is told 'withdrawn' and leaves no mark."""
    job_id, entry = enqueue(settings)
    head = server.head("lane")
    withdraw(settings, job_id, entry)
    assert acquire(server, head, "r", None).word == "withdrawn"
    assert not raw.exists(keys.progress)


def test_a_retried_acquire_is_one(settings, keys, server):
    """An acquire that is retried says 'go' twice, and its mark is that of the last."""
    enqueue(settings)
    head = server.head("lane")
    assert [acquire(server, head, mark, None).word for mark in "rrww"] == ["go"] * 4
    assert server.head("lane").mark == "w"


def test_a_deadline_is_judged_by_the_clock_of_redis(keys, raw, server):
    """A job is late by the time of its entry, which Redis wrote; its server has to answer it."""
    seconds, _ = raw.time()
    lane = keys.lane("lane")
    old = raw.xadd(lane, {"id": "a" * 32, "body": "old"}, id=f"{(seconds - 3600) * 1000}-1")
    entry = Entry("lane", old, "a" * 32, b"old", "", 1)
    assert acquire(server, entry, "r", 7200).word == "go"
    assert acquire(server, entry, "r", None).word == "go"
    assert acquire(server, entry, "r", 60).word == "late"
    assert raw.xlen(lane) == 1
    assert answer(server, entry, b"too late") is None
    assert not raw.exists(keys.progress)


def test_a_call_that_has_written_is_never_late(keys, raw, server):
    """After its first write a call goes on, however late it is."""
    seconds, _ = raw.time()
    old = raw.xadd(keys.lane("lane"), {"id": "a", "body": ""}, id=f"{(seconds - 3600) * 1000}-1")
    entry = Entry("lane", old, "a", b"", "", 1)
    assert acquire(server, entry, "w", None).word == "go"
    assert acquire(server, entry, "w", 60).word == "go"


def test_a_lane_is_first_in_first_out(settings, keys, server):
    """The jobs of a lane come in the order in which they were put in."""
    bodies = [f"{number}".encode() for number in range(20)]
    for body in bodies:
        enqueue(settings, body=body)
    taken = []
    entry = server.head("lane")
    while entry is not None:
        assert entry.waiting == len(bodies) - len(taken)
        taken.append(entry.body)
        entry = answer(server, entry, b"reply")
    assert taken == bodies


def test_lanes_are_independent(settings, keys, server):
    """A lane whose first job was started and never ends does not hold up another."""
    for lane in ("one", "two"):
        enqueue(settings, lane=lane, body=lane.encode())
    assert [server.next_ready().lane for _ in "12"] == ["one", "two"]
    assert acquire(server, server.head("one"), "w", None).word == "go"
    two = server.head("two")
    assert two.body == b"two"
    assert acquire(server, two, "w", None).word == "go"
    assert answer(server, two, b"reply") is None
    assert server.head("one").mark == "w"


def test_a_lane_is_ready_again_after_it_was_empty(settings, keys, server):
    """A job put into a lane that was emptied makes it ready once more."""
    for _ in "12":
        enqueue(settings)
        assert server.next_ready().lane == "lane"
        assert answer(server, server.head("lane"), b"reply") is None


def test_a_call_gets_its_reply(callers, server, background, raw, keys):
    """A caller's job is seen by the server as it was sent, and its reply by the caller."""
    job_id = new_id()
    reply = background(callers.call, job_id, "lane", b"a \x00 job")
    assert server.next_ready().lane == "lane"
    head = server.head("lane")
    assert (head.job_id, head.body, head.mark, head.waiting) == (job_id, b"a \x00 job", "", 1)
    answer(server, head, b"a \x00 reply")
    assert reply.result(PATIENCE) == b"a \x00 reply"


def test_reading_a_reply_leaves_it_where_it_is(callers, server, background, raw, keys):
    """A reply that was read stays until it is forgotten, and would expire by itself."""
    job_id = new_id()
    reply = background(callers.call, job_id, "lane", b"job")
    assert server.next_ready().lane == "lane"
    answer(server, server.head("lane"), b"reply")
    reply.result(PATIENCE)
    assert raw.xlen(keys.reply(job_id)) == 1
    assert raw.ttl(keys.reply(job_id)) > 0
    callers.forget(job_id)
    eventually(lambda: not raw.exists(keys.reply(job_id)), "it is gone")


def test_a_retried_answer_is_one_reply(settings, keys, raw, server):
    """An answer that is retried leaves one reply."""
    job_id, _ = enqueue(settings)
    head = server.head("lane")
    answer(server, head, b"reply")
    answer(server, head, b"reply")
    assert raw.xlen(keys.reply(job_id)) == 1


def test_a_connection_broken_during_the_wait_loses_nothing(
    own_redis, keys, namespace, background, redis_of
):
    """A caller whose connection is killed again and again while it waits gets its reply."""
    settings = Settings(redis_url=own_redis.url, namespace=namespace, grace=60.0)
    raw = redis_of(own_redis)
    server = Consumer(settings, "aaaa", "server a")
    server.beat(60)

    reply = background(Producer(settings).call, new_id(), "lane", b"job")
    killed = set()
    for _ in range(3):
        number = eventually(lambda: waiting_callers(raw) - killed, "the caller waits").pop()
        raw.client_kill_filter(_id=number)
        killed.add(number)
    answer(server, server.head("lane"), b"reply")
    assert reply.result(PATIENCE) == b"reply"


def test_a_server_survives_a_broken_connection(own_redis, namespace, background, redis_of):
    """A server's scripts are loaded again where the connection had died since their last use."""
    settings = Settings(redis_url=own_redis.url, namespace=namespace)
    raw = redis_of(own_redis)
    server = Consumer(settings, "aaaa", "server a")
    server.beat(60)
    raw.client_kill_filter(_type="normal", skipme=True)
    assert server.beat(60).state == "kept"
    raw.client_kill_filter(_type="normal", skipme=True)
    assert server.head("lane") is None


def test_scripts_that_redis_forgot_are_loaded_again(settings, keys, raw, server):
    """After SCRIPT FLUSH everything goes on."""
    raw.script_flush()
    enqueue(settings)
    raw.script_flush()
    assert server.head("lane").body == b"body"


def test_no_key_is_left_after_a_run(callers, server, background, raw, namespace):
    """After all calls were answered, only the queue's own keys are there."""
    ids = [new_id() for _ in range(6)]
    replies = [
        background(callers.call, job_id, f"lane{number % 2}", b"job")
        for number, job_id in enumerate(ids)
    ]
    answered = 0
    while answered < len(ids):
        entry = server.head(server.next_ready().lane)
        while entry is not None:
            assert acquire(server, entry, "w", 60).word == "go"
            entry = answer(server, entry, b"reply")
            answered += 1
    for job_id, reply in zip(ids, replies, strict=True):
        reply.result(PATIENCE)
        callers.forget(job_id)
    assert names(raw, namespace) == {"dedup", "server"}


def test_a_timeout_withdraws_a_job_that_was_not_started(redis_url, namespace, keys, raw, server):
    """A caller whose timeout passes takes its job out of the queue and says so."""
    settings = Settings(redis_url=redis_url, namespace=namespace, timeout=0.05, grace=60.0)
    with pytest.raises(CallTimeoutError, match=r"not started and will not be made"):
        Producer(settings).call(new_id(), "lane", b"job")
    assert not raw.exists(keys.lane("lane"))
    assert server.head("lane") is None


@pytest.mark.usefixtures("short_slices")
def test_a_server_of_an_earlier_epoch_takes_no_lane(settings, server):
    """A read that an ended epoch's server still has open takes no lane from the one that works."""
    old = server.under(server.epoch)
    server.release()
    new = Consumer(settings, "bbbb", "server b")
    new.beat(60)
    enqueue(settings)
    assert old.next_ready() is None
    assert new.next_ready().lane == "lane"


def test_who_takes_over_knows_from_whom(settings, keys, raw, server):
    """A dead server's name and silence are found with the lease, one that stops is remembered."""
    second, third = Consumer(settings, "bbbb", "server b"), Consumer(settings, "cccc", "server c")
    assert second.beat(60).other == "server a"
    assert third.beat(60).state == "held"
    raw.hset(keys.server, "last_beat", 0)
    assert second.beat(60).state == "taken"
    assert second.under(second.epoch).predecessor.about == "server a"
    assert second.predecessor.silent > 1
    assert third.beat(60).other == "server b"
    second.release()
    assert third.beat(60).state == "taken"
    assert third.predecessor == Predecessor("server b")


def test_a_server_is_not_its_own_predecessor(settings, keys, raw, server):
    """One that has to wait for its own lease, of Redis as it was, names nobody, then or later."""
    server.beat(60)
    raw.hset(keys.server, "master", "another")
    found = server.beat(60, is_certain=False)
    assert (found.state, found.other) == ("held", "")
    raw.hset(keys.server, "last_beat", 0)
    assert server.beat(60, is_certain=False).state == "taken"
    assert server.predecessor == Predecessor()


def test_a_beat_says_since_when_its_redis_is_the_master(settings, keys, raw, server):
    """Whoever has the lease learns how long ago this Redis started or became a master."""
    raw.hset(keys.server, "master", "another")
    assert server.beat(60).since_move == 0
    raw.hincrby(keys.server, "moved", -60_000)
    assert 60 <= server.beat(60).since_move < 60 + PATIENCE
    raw.hset(keys.server, "last_beat", 0)
    taken = Consumer(settings, "bbbb", "server b").beat(60)
    assert taken.state == "taken"
    assert 60 <= taken.since_move < 60 + PATIENCE


@pytest.mark.parametrize("moment", ["x", "nan", "-inf", "9e99"])
def test_a_beat_believes_no_odd_moment(keys, raw, server, moment):
    """A Redis counts as the master for long if a stranger, or another clock, has set since when."""
    raw.hset(keys.server, "moved", moment)
    assert server.beat(60).since_move > 10**6


def test_a_takeover_counts_what_waits(settings, server):
    """Lanes, jobs, and those of them that were begun are counted when a server takes over."""
    for lane in ("one", "two", "one"):
        enqueue(settings, lane)
    acquire(server, server.head("one"), "r")
    assert server.recover() == Backlog(2, 3, 1)
    assert server.count_waiting() == 3


def test_lanes_that_wait_for_an_earlier_epoch_are_found(settings, keys, raw, server):
    """Jobs that came before a server's epoch are found by its recovery; no old list stays."""
    enqueue(settings, "one")
    server.release()
    enqueue(settings, "two")
    new = Consumer(settings, "bbbb", "server b")
    new.beat(60)
    assert new.recover().lanes == 2
    assert {new.next_ready().lane for _ in "12"} == {"one", "two"}
    assert not raw.keys(keys.ready + "*")


@pytest.mark.usefixtures("short_slices")
def test_recover_restores_lanes_whose_names_were_popped(settings, keys, server):
    """Lanes whose names were taken and lost are ready again after a recovery, each once."""
    for lane in ("one", "two", "one"):
        enqueue(settings, lane=lane)
    popped = {server.next_ready().lane for _ in "12"}
    enqueue(settings, lane="three")
    assert server.recover().lanes == 3
    assert {server.next_ready().lane for _ in "123"} == popped | {"three"}
    assert server.next_ready() is None


def test_all_keys_of_a_namespace_are_in_one_slot(namespace, raw, settings, callers, background):
    """Every key of a namespace hashes to the same slot of a Cluster, those in use included."""
    names = ("active", "ready", "dedup", "progress", "depth", "server")
    for space in (namespace, "a.b-c_D", "other"):
        keys = Keys(space)
        every = [getattr(keys, name) for name in names]
        every += [keys.lane("a{b}c"), keys.lane("-"), keys.reply("0" * 32), keys.renewal("0" * 32)]
        every += [keys.control("0" * 16), keys.ready_under("1"), keys.ready_under("")]
        assert {key_slot(key.encode()) for key in every} == {key_slot(space.encode())}


@pytest.fixture
def fenced(settings, keys, server):
    """Return a server whose epoch is over, and the first job of the lane."""
    enqueue(settings)
    old = server.under(server.epoch)
    head = old.head("lane")
    server.release()
    assert Consumer(settings, "bbbb", "server b").beat(60).state == "taken"
    return old, head


@pytest.mark.parametrize(
    "write",
    [
        lambda old, head: old.head("lane"),
        lambda old, head: old.head("an empty lane"),
        lambda old, head: acquire(old, head, "r", None),
        lambda old, head: acquire(old, head, "w", 0),
        lambda old, head: answer(old, head, b"reply"),
        lambda old, head: old.recover(),
    ],
    ids=["head", "head-empty", "acquire", "acquire-late", "answer", "recover"],
)
def test_an_old_epoch_is_told_that_it_is_stale(write, fenced, raw, namespace):
    """Every fenced script answers 'stale' under an old epoch, and changes nothing."""
    before = contents(raw, namespace)
    with pytest.raises(StaleEpochError):
        write(*fenced)
    assert contents(raw, namespace) == before


def test_an_old_epoch_cannot_release_the_lease(fenced, raw, namespace):
    """A release under an old epoch leaves the lease with the one that has it."""
    before = contents(raw, namespace)
    fenced[0].release()
    assert contents(raw, namespace) == before


def test_beat(settings, keys, raw):
    """A lease is taken, kept by its holder, held against others, and lost by silence."""
    one = Consumer(settings, "aaaa", "server a")
    two = Consumer(settings, "bbbb", "server b")
    first = one.beat(60)
    assert first.state == "taken"
    assert one.beat(60).state == "kept"
    held = two.beat(60)
    assert (held.state, held.epoch, held.other) == ("held", "", "server a")
    assert 0 < held.left <= 60
    raw.hset(keys.server, "last_beat", 0)
    second = two.beat(60)
    assert second.state == "taken"
    assert int(second.epoch) > int(first.epoch)
    assert one.beat(60).state == "held"


def test_a_lease_that_another_had_is_begun_anew(settings, keys, raw):
    """A server that was held off works under no epoch of before, though a new master has that."""
    one, two = (Consumer(settings, name, name) for name in ("aaaa", "bbbb"))
    epoch = one.beat(60).epoch
    before = raw.hgetall(keys.server)
    raw.hset(keys.server, "last_beat", 0)
    assert two.beat(60).state == "taken"
    assert one.beat(60).state == "held"
    raw.delete(keys.server)
    raw.hset(keys.server, mapping=before)
    again = one.beat(60)
    assert again.state == "taken"
    assert int(again.epoch) > int(epoch)


def test_a_clock_that_was_set_back_keeps_a_lease_no_longer(settings, keys, raw):
    """A server that is gone holds its lease once more at the longest, whatever the clock says."""
    one, two = (Consumer(settings, name, name) for name in ("aaaa", "bbbb"))
    assert one.beat(0.3).state == "taken"
    raw.hincrby(keys.server, "last_beat", 3_600_000)
    held = two.beat(60)
    assert (held.state, 0 < held.left <= 0.3) == ("held", True)
    # One that is not gone says so.
    assert one.beat(0.3).state == "kept"
    assert two.beat(60).state == "held"
    raw.hincrby(keys.server, "last_beat", 3_600_000)
    eventually(lambda: two.beat(60).state == "taken")


def test_a_late_beat_keeps_the_lease_where_nobody_worked_in_between(settings, keys, raw, server):
    """A server that was silent for longer than its lease keeps its epoch if nobody took over."""
    raw.hset(keys.server, "last_beat", 0)
    assert server.beat(60).state == "kept"


def test_a_released_lease_is_taken_at_once(settings, server):
    """After a release another server takes over without waiting, under a newer epoch."""
    before = server.epoch
    server.release()
    beat = Consumer(settings, "bbbb", "server b").beat(60)
    assert beat.state == "taken"
    assert int(beat.epoch) > int(before)


def test_an_epoch_never_comes_back(own_redis, namespace, redis_of):
    """Even a Redis that has forgotten everything gives out a newer epoch."""
    settings = Settings(redis_url=own_redis.url, namespace=namespace)
    raw = redis_of(own_redis)
    server = Consumer(settings, "aaaa", "server a")
    epochs = []
    for _ in range(3):
        beat = server.beat(60)
        assert beat.state == "taken"
        epochs.append(int(beat.epoch))
        old = server.under(beat.epoch)
        raw.flushall()
        # Nobody takes a lease twice in one millisecond, a test aside.
        eventually(lambda: milliseconds_of(raw) > epochs[-1])
        with pytest.raises(StaleEpochError):
            old.head("lane")
    assert epochs == sorted(set(epochs))


def test_an_epoch_rises_though_the_clock_of_redis_went_back(settings, keys, raw, server):
    """A new epoch is above the old one even where that was ahead of the clock."""
    ahead = int(server.epoch) + 10**9
    raw.hset(keys.server, mapping={"epoch": ahead, "last_beat": 0})
    assert int(Consumer(settings, "bbbb", "server b").beat(60).epoch) == ahead + 1


def test_alive_says_since_when(callers, server, keys, raw):
    """Callers see when the server last gave a sign of life, and no server after its release."""
    alive = callers.alive()
    assert alive.age >= 0
    assert (alive.about, alive.server_id) == ("server a", server.server_id)
    raw.hincrby(keys.server, "last_beat", -5000)
    assert callers.alive().age >= 5
    server.release()
    assert callers.alive() is None


@pytest.mark.usefixtures("short_slices")
def test_a_stop_reaches_the_server_that_it_is_meant_for(settings, server):
    """A request to stop is seen by the server that it names, and by no other."""
    server.request_stop("bbbb")
    assert server.next_ready() is None
    server.request_stop("aaaa")
    assert server.next_ready() == Stop()


def test_a_request_to_stop_expires(settings, server, keys, raw):
    """A request to stop that nobody took does not stay."""
    server.request_stop("bbbb")
    assert raw.ttl(keys.control("bbbb")) > 0


def test_an_entry_with_odd_fields_is_no_job(keys, raw, server):
    """What a stranger wrote into a lane is seen as an entry without an id, and can be removed."""
    lane = keys.lane("lane")
    raw.xadd(lane, {"foo": "bar"})
    raw.xadd(lane, {"id": "a:b", "body": "x"})
    raw.xadd(lane, {"id": "a" * 65, "body": "x"})
    raw.xadd(lane, {"id": b"\xff", "body": "x"})
    raw.xadd(lane, {"body": "x", "id": "good", "more": "y"})
    entry, seen = server.head("lane"), []
    while entry is not None:
        seen.append((entry.job_id, entry.body))
        entry = answer(server, entry, b"")
    assert seen == [("", b""), ("", b"x"), ("", b"x"), ("", b"x"), ("good", b"x")]
    assert not raw.exists(lane, keys.deliveries)


@pytest.fixture
def poisoned(server, raw, keys, monkeypatch):
    """Return what keeps jobs of which servers have died, by their bodies, and tells which are."""
    monkeypatch.setattr(servers, "_MOST_POISONED", 4)
    monkeypatch.setattr(servers, "_MOST_POISONED_BYTES", 100)

    def keep(*bodies):
        for body in bodies:
            server.poison(Entry("lane", "1-1", new_id(), body, "", 1))
        return [fields["body"].encode() for _, fields in raw.xrange(keys.poisoned)]

    return keep


def test_poisoned_jobs_are_bounded_by_number_and_by_bytes(poisoned):
    """Of the jobs that servers died of, the latest are kept, and the last whatever its size."""
    few = [b"%d" % number for number in range(6)]
    assert poisoned(*few) == few[-4:]
    half = [bytes([letter]) * 50 for letter in b"abc"]
    assert poisoned(half[0]) == [*few[-3:], half[0]]
    assert poisoned(half[1]) == half[:2]
    assert poisoned(half[2]) == half[1:]
    assert poisoned(b"x" * 101) == [b"x" * 101]
    assert poisoned(b"y") == [b"y"]


def test_a_poisoned_job_that_is_kept_twice_is_there_once(server, raw, keys):
    """A job that is set aside again, since the connection broke, is kept once."""
    for _ in "12":
        server.poison(Entry("lane", "1-1", "a" * 32, b"body", "", 1))
    assert raw.xlen(keys.poisoned) == 1


def test_an_unconfirmed_job_is_found_however_many_follow(settings, keys, raw):
    """A job whose enqueue was not confirmed is taken back, with a thousand jobs behind it."""
    job_id, _ = enqueue(settings)
    for _ in range(1001):
        raw.xadd(keys.lane("lane"), {"id": "b" * 32, "body": "b"})
    assert withdraw(settings, job_id, "") == "withdrawn"
    assert raw.xlen(keys.lane("lane")) == 1001


def test_a_job_that_redis_lost_is_not_called_withdrawn(settings, keys, raw):
    """Taking back a job that Redis no longer knows says that it is lost."""
    job_id, entry = enqueue(settings)
    raw.delete(keys.lane("lane"), keys.dedup)
    assert withdraw(settings, job_id, entry) == "lost"


@pytest.mark.usefixtures("short_slices")
def test_a_caller_is_told_that_its_job_is_lost(settings, keys, raw, server, background):
    """A caller whose job Redis no longer knows is told so, though a server is alive."""
    job_id = new_id()
    waiting = background(Producer(settings).call, job_id, "lane", b"body")
    eventually(lambda: raw.xlen(keys.lane("lane")) == 1)
    raw.delete(keys.lane("lane"))
    with pytest.raises(JobLostError, match="may have been made"):
        waiting.result(PATIENCE)


def test_as_many_threads_as_you_like_may_wait(settings, keys, raw, server):
    """More threads than redis-py has connections by default wait side by side."""
    with ThreadPoolExecutor(130) as pool:
        calls = [pool.submit(Producer(settings).call, new_id(), "lane", b"b") for _ in range(130)]
        eventually(lambda: raw.xlen(keys.lane("lane")) == 130)
        head = server.head("lane")
        while head is not None:
            head = answer(server, head, b"reply")
        assert [call.result(PATIENCE) for call in calls] == [b"reply"] * 130
