"""A server works at the master that a majority names, and at no other for longer than a lease."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from redis.exceptions import RedisError
from topologies import HOST, SERVICE, Cluster, Daemon, Sentinels, newest_redis
from waiting import eventually

from queued_gspread.broker import Consumer, Producer
from queued_gspread.broker.connection import master
from queued_gspread.broker.connection.client import connect
from queued_gspread.broker.connection.majority import Named
from queued_gspread.broker.connection.master import NoMajorityError
from queued_gspread.broker.keys import Keys
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

CALLS_EACH = 25
BEFORE, AFTER = 20, 10
LOCAL, REPLICATED = "local", "replicated"
USER = "app"


def exchange(group):
    """Have the Sentinels make a replica the master; the old one goes on as a master for seconds."""
    group.hand_over()
    eventually(lambda: group.has_failed_over, "a replica is the master")


def pause(group):
    """Have the master say nothing until another one is there; then it goes on as a master."""
    group.master.pause()
    eventually(lambda: group.has_failed_over, "a replica is the master")
    group.master.resume()


def demote(group):
    """Have the old master follow the new one, as Sentinels do after ten seconds."""
    new = next(replica for replica in group.replicas if replica.ask("ROLE")[0] == "master")
    group.master.ask("REPLICAOF", HOST, new.port)


def appended(emulator):
    return sum(served.path.endswith(":append") for served in emulator.ledger)


@pytest.mark.parametrize(
    ("kind", "durability", "change"),
    [
        (Sentinels, LOCAL, exchange),
        (Sentinels, LOCAL, pause),
        (Sentinels, REPLICATED, exchange),
        (Sentinels, REPLICATED, pause),
        (Cluster, LOCAL, pause),
    ],
    ids=["exchanged", "paused", "exchanged replicated", "paused replicated", "paused in a Cluster"],
)
def test_one_server_makes_nothing_twice(
    kind, durability, change, namespace, emulator, start_server, client_of, workers
):
    """Whatever waits while another Redis becomes the master is made once, or its caller is told."""
    own = (namespace,) if kind is Cluster else ()
    several = {"replicas": 2} if durability == REPLICATED else {}
    with kind(newest_redis(), *own, **several) as group:
        start_server(group.url, DURABILITY=durability, NO_MERGE="1")
        sheet = client_of(group.url).create("Book").sheet1
        workers.prepare(group.url, namespace, [sheet.spreadsheet_id], calls=CALLS_EACH, threads=4)
        before = appended(emulator)
        emulator.latency = 0.05
        try:
            workers.begin()
            eventually(lambda: appended(emulator) - before >= BEFORE, "some rows are appended")
            change(group)
            passed = appended(emulator)
            eventually(lambda: appended(emulator) - passed >= AFTER, "some more are appended")
            if kind is Sentinels:
                demote(group)
            results, _ = workers.results()
        finally:
            emulator.latency = 0
        assert group.has_failed_over
    google = emulator.gspread_client()
    rows = Counter(google.open_by_key(sheet.spreadsheet_id).sheet1.col_values(1))
    assert {row for row, outcome, _ in results if outcome == "ok"} <= set(rows)
    assert [row for row, count in rows.items() if count > 1] == []


@pytest.fixture
def group():
    with Sentinels(newest_redis()) as group:
        yield group


def test_nothing_is_sent_while_no_majority_answers(
    group, start_server, client_of, emulator, background
):
    """A server that reaches one Sentinel of three sends nothing more, and goes on with the next."""
    server = start_server(group.url)
    sheet = client_of(group.url).create("Book").sheet1
    for sentinel in group.sentinels[1:]:
        sentinel.pause()
    server.until_log("no majority of the Sentinels, or of the Cluster's masters, names a master")
    eventually(lambda: _age(group) > 1000, "its lease has run out")
    before = len(emulator.ledger)
    appending = background(sheet.append_row, ["a"])
    eventually(lambda: group.master.ask("HLEN", _keys(group).progress) or _waits(group))
    assert len(emulator.ledger) == before
    for sentinel in group.sentinels[1:]:
        sentinel.resume()
    appending.result()
    assert sheet.col_values(1) == ["a"]


def _keys(group):
    (key,) = group.master.ask("KEYS", "queued-gspread:*:server")
    return Keys(key.split("{")[1].split("}")[0])


def _waits(group):
    return group.master.ask("GET", _keys(group).depth)


def _age(group):
    seconds, microseconds = group.master.ask("TIME")
    moment = int(seconds) * 1000 + int(microseconds) // 1000
    return moment - int(group.master.ask("HGET", _keys(group).server, "last_beat"))


def cut_off(group):
    """Part the master from its replica and from the Sentinels; its users go on with it."""
    group.master.ask("ACL SETUSER", "default", "off")
    with group.master.client(username=USER, password=USER) as client:
        client.execute_command("CLIENT", "KILL", "USER", "default")


def test_a_master_that_is_cut_off_keeps_no_server(
    group, start_server, client_of, emulator, background
):
    """Server and callers of a master that is cut off go to the next; what waits is made once."""
    for daemon in (group.master, *group.replicas):
        daemon.ask("ACL SETUSER", USER, "on", f">{USER}", "~*", "&*", "+@all")
    url = group.url.replace("://", f"://{USER}:{USER}@")
    first = start_server(url, NO_MERGE="1")
    sheet = client_of(url, timeout=60).create("Book").sheet1
    emulator.latency = 0.3
    try:
        appending = [background(sheet.append_row, [f"row {number}"]) for number in range(8)]
        eventually(lambda: appended(emulator), "the first of them is sent")
        cut_off(group)
        eventually(lambda: group.has_failed_over, "the replica is the master")
        first.until_log(f"{HOST}:{group.replicas[0].port} is the master now")
        second = start_server(url, wait="standing by", NO_MERGE="1")
        for each in appending:
            each.exception()
    finally:
        emulator.latency = 0
    assert "working as" not in second.log
    # Past the queue: this process may still be on the old master, which would lose the call.
    rows = Counter(emulator.gspread_client().open("Book").sheet1.col_values(1))
    told = {f"row {n}" for n, each in enumerate(appending) if each.exception() is None}
    assert told <= set(rows)
    assert set(rows.values()) == {1}


@pytest.fixture
def pair():
    """Return a master and its replica, which knows what the master knows."""
    redis = newest_redis()
    with (
        Daemon(redis) as first,
        Daemon(redis, [f"replicaof {HOST} {first.port}"]) as second,
    ):
        yield first, second


def queue_at(daemon, namespace, server_id, epoch=""):
    settings = Settings(f"redis://{daemon.host}", namespace)
    return Consumer(settings, server_id, server_id, epoch=epoch)


@pytest.fixture
def promoted(pair, namespace):
    """Return the queue of a server, at its master, whose replica has become one since."""
    first, second = pair
    works = queue_at(first, namespace, "aaaa")
    works.beat(60)
    key = Keys(namespace).server
    eventually(lambda: second.ask("HGET", key, "epoch") == works.epoch)
    second.ask("REPLICAOF", "NO", "ONE")
    # Its lease has run out, as far as the new master knows.
    second.ask("HSET", key, "last_beat", 1)
    return works


def test_a_lease_that_came_by_replication_counts_anew(pair, promoted, namespace):
    """What a new master knows of a lease is old: its holder may be certain of a later one."""
    other = queue_at(pair[1], namespace, "bbbb")
    beat = other.beat(60)
    assert beat.state == "held"
    assert beat.left > 59
    assert other.beat(60).state == "held"
    pair[1].ask("HSET", Keys(namespace).server, "last_beat", 1)
    assert other.beat(60).state == "taken"


def test_a_server_takes_its_own_lease_to_the_next_master(pair, promoted, namespace):
    """A server that is certain of its lease goes on under its epoch, though another has asked."""
    there = queue_at(pair[1], namespace, "aaaa", promoted.epoch)
    assert queue_at(pair[1], namespace, "bbbb").beat(60).state == "held"
    assert there.beat(60).epoch == promoted.epoch
    assert queue_at(pair[1], namespace, "bbbb").beat(60).state == "held"


def test_a_server_that_is_not_certain_waits_for_its_own_lease(pair, promoted, namespace):
    """Somebody may have taken over at the old master, of which the new one knows nothing."""
    there = queue_at(pair[1], namespace, "aaaa", promoted.epoch)
    assert there.beat(60, is_certain=False).state == "held"
    pair[1].ask("HSET", Keys(namespace).server, "last_beat", 1)
    beat = there.beat(60, is_certain=False)
    assert beat.state == "taken"
    assert beat.epoch != promoted.epoch


def test_a_lease_that_was_given_up_at_the_old_master_counts_too(pair, namespace):
    """Where nobody has the lease at a new master, somebody may have taken it at the old one."""
    first, second = pair
    works = queue_at(first, namespace, "aaaa")
    works.beat(60)
    works.release()
    key = Keys(namespace).server
    eventually(
        lambda: second.ask("HEXISTS", key, "epoch") and not second.ask("HGET", key, "last_beat")
    )
    second.ask("REPLICAOF", "NO", "ONE")
    other = queue_at(second, namespace, "bbbb")
    assert other.beat(60, is_certain=False).state == "held"
    # Where there are no Sentinels, nobody waits.
    assert queue_at(second, namespace, "cccc").beat(60).state == "held"


def test_a_caller_leaves_an_old_master(group, namespace, background, short_slices, monkeypatch):
    """A caller that waits goes to the new master while the old one still takes writes."""
    monkeypatch.setattr(master, "_BETWEEN", 0.1)
    callers = Producer(Settings(group.url, namespace, grace=60.0))
    job_id, lane = new_id(), Keys(namespace).lane("lane")
    waiting = background(callers.call, job_id, "lane", b"job")
    replica = group.replicas[0]
    eventually(lambda: replica.ask("XLEN", lane), "the replica has the job")
    group.hand_over()
    eventually(lambda: group.has_failed_over)
    replica.ask("XADD", Keys(namespace).reply(job_id), "*", "body", "reply")
    assert waiting.result() == b"reply"
    assert group.master.ask("ROLE")[0] == "master"


def test_a_caller_is_not_kept_by_a_sentinel_that_is_cut_off(
    group, namespace, background, short_slices, monkeypatch
):
    """A caller leaves an old master though the first Sentinel of its URL knows of no other."""
    monkeypatch.setattr(master, "_BETWEEN", 0.1)
    link = connect(group.url, namespace)
    assert link.wire.ask(["PING"]) == b"PONG"
    discovery, cut_off = link.master._discovery, (HOST, group.sentinels[0].port)
    old = discovery.opinion(cut_off, SERVICE)
    ask, opinion = discovery._ask, discovery.opinion

    def asked(host, name):
        return old.address if host == cut_off else ask(host, name)

    monkeypatch.setattr(discovery, "_ask", asked)
    monkeypatch.setattr(discovery, "opinion", lambda *a: old if a[0] == cut_off else opinion(*a))
    group.hand_over()
    eventually(lambda: group.has_failed_over)
    new = (HOST, group.replicas[0].port)

    def leads_to_new():
        link.master.look()
        with suppress(RedisError):  # those that lead elsewhere are lost
            link.wire.ask(["PING"])
            return link.wire.idle[-1].leads_to(new)
        return False

    eventually(leads_to_new)


def test_a_single_sentinel_takes_no_caller_away(group, namespace, monkeypatch):
    """One Sentinel that names another Redis does not have callers leave the master."""
    monkeypatch.setattr(master, "_BETWEEN", -1.0)
    link = connect(group.url, namespace)
    link.redis.ping()
    assert link.wire.ask(["PING"]) == b"PONG"
    strange = group.sentinels[0]
    strange.ask("SENTINEL", "REMOVE", SERVICE)
    strange.ask("SENTINEL", "MONITOR", SERVICE, HOST, group.replicas[0].port, 2)
    link.master.look()
    assert link.wire.idle[0].leads_to((HOST, group.master.port))
    assert link.wire.ask(["PING"]) == b"PONG"


def test_a_majority_of_sentinels(group, namespace):
    """Sentinels that the URL does not name are asked, and count; silent ones are named."""
    one = f"redis+sentinel://{group.sentinels[0].host}/{SERVICE}"
    link = connect(one, namespace)
    place = (HOST, group.master.port)
    assert link.master.named(5.0) == Named(place, 1)
    group.sentinels[1].pause()
    group.sentinels[2].pause()
    silent = "".join(f"(?=.*{sentinel.host} says)" for sentinel in group.sentinels[1:])
    with pytest.raises(NoMajorityError, match=silent):
        link.master.named(0.2)
    group.sentinels[1].resume()
    group.sentinels[2].resume()


def test_a_majority_of_a_clusters_masters(namespace):
    """The masters of a Cluster have a vote, and its replicas and what was cut off have none."""
    with Cluster(newest_redis(), namespace) as cluster:
        # Also where the URL names more nodes than have a vote.
        nodes = (*cluster.nodes, cluster.replica)
        link = connect(f"redis+cluster://{','.join(node.host for node in nodes)}", namespace)
        assert link.master.named(5.0).address == (HOST, cluster.master.port)
        eventually(lambda: link.master.named(5.0).replicas == 1)
        for node in (cluster.nodes[0], cluster.nodes[2]):
            node.pause()
        with pytest.raises(NoMajorityError):
            link.master.named(0.5)
        for node in (cluster.nodes[0], cluster.nodes[2]):
            node.resume()


def test_a_replica_that_is_up_must_have_the_intent(namespace, emulator):
    """With two replicas that are up, that one of them has an intent is not enough."""
    with Sentinels(newest_redis(), replicas=2) as group:
        queue = Consumer(Settings(group.url, namespace), "aaaa", "aaaa")
        named = queue.ask_for_master(5.0)
        queue.master.keep_to(named.address)
        assert named.replicas == 2
        assert queue.beat(60).state == "taken"
        assert queue.is_replicated([])
        group.replicas[0].pause()
        assert not queue.is_replicated([])
        # Once the Sentinels see that it is down, it does not count.
        eventually(lambda: queue.is_replicated([]))
        group.replicas[0].resume()


def test_a_server_says_what_its_settings_leave_open(group, namespace):
    """A server warns of a master that takes writes without its replicas, and names the cure."""
    queue = Consumer(Settings(group.url, namespace), "aaaa", "aaaa")
    assert "min-replicas-to-write 1" in queue.check_redis()
    group.master.ask("CONFIG", "SET", "min-replicas-to-write", 1)
    assert queue.check_redis() is None


def test_a_user_who_may_ask_sentinels_for_too_little_is_told(group, namespace):
    """A server says which commands its Sentinels' user lacks, and works with the URL's hosts."""
    for sentinel in group.sentinels:
        allowed = "+sentinel|get-master-addr-by-name"
        sentinel.ask("ACL SETUSER", "small", "on", ">pw", allowed)
    url = f"{group.url}?sentinel_username=small&sentinel_password=pw"
    queue = Consumer(Settings(url, namespace), "aaaa", "aaaa")
    assert "+sentinel|sentinels +sentinel|replicas" in queue.check_redis()
    assert queue.ask_for_master(5.0).address == (HOST, group.master.port)
