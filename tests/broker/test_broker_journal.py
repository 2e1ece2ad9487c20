"""The journal in Redis, the epochs that have had a job, and the jobs that are set aside."""

from __future__ import annotations

import math

import pytest
from broker_helpers import contents, enqueue, withdraw
from one_job import acquire, answer, release_slot

from queued_gspread.broker import Consumer, JournalUpdate, Slot, StaleEpochError

SLOT = Slot("write", "1/1", 60)


@pytest.fixture
def head(settings, server):
    """Return the first job of a lane whose name the server has taken."""
    enqueue(settings)
    server.next_ready()
    return server.head("lane")


def entries(raw, keys, head):
    return raw.lrange(keys.journal(head.job_id), 0, -1)


def note(position, *prefix, attempt=""):
    return JournalUpdate(position, prefix, attempt, b"told" if attempt else b"")


def takes_over(settings, server):
    """Return a server that works after another has ended without a word."""
    server.release()
    following = Consumer(settings, "bbbb", "server b")
    assert following.beat(60).state == "taken"
    return following


def test_prefix_and_intent_are_written_with_the_permit(server, head, raw, keys):
    """A permit and its intent are one: entries in order, then the intent with Redis's time."""
    permit = acquire(server, head, "j", None, SLOT, note(0, b"=a", b"=b", attempt="1/1"))
    assert permit.word == "go"
    assert entries(raw, keys, head) == ["=a", "=b", f">1/1 {permit.sent} told"]
    assert server.journal(head) == [b"=a", b"=b", f">1/1 {permit.sent} told".encode()]


def test_a_request_that_waits_has_no_intent(settings, server, head, raw, keys):
    """A request that is told to wait leaves the journal as it was."""
    slot = Slot("write", "1/0", 1)
    assert acquire(server, head, "w", None, slot).word == "go"
    waiting = Slot("write", "1/1", 1)
    assert acquire(server, head, "j", None, waiting, note(0, b"=a", attempt="1/1")).word == "wait"
    assert entries(raw, keys, head) == []
    assert server.head("lane").mark == "w"


def test_a_retried_acquire_is_journalled_once(server, head, raw, keys):
    """An acquire that is retried writes its intent once."""
    for _ in "12":
        acquire(server, head, "j", None, SLOT, note(0, b"=a", attempt="1/1"))
    assert [entry[:4] for entry in entries(raw, keys, head)] == ["=a", ">1/1"]


def test_an_answer_stands_in_the_intents_place(server, head, raw, keys):
    """What came of a request replaces its intent, written once or twice."""
    permit = acquire(server, head, "j", None, SLOT, note(0, b"=a", attempt="1/1"))
    for _ in "12":
        release_slot(server, head, SLOT, permit.sent, attempt="1/1", answered=b"=b")
    assert entries(raw, keys, head) == ["=a", "=b"]


def test_what_was_not_applied_is_taken_back(server, head, raw, keys):
    """The intent of a request that was certainly not applied goes; its prefix stays."""
    permit = acquire(server, head, "j", None, SLOT, note(0, b"=a", attempt="1/1"))
    release_slot(server, head, SLOT, permit.sent, back_to="r", attempt="1/1")
    assert entries(raw, keys, head) == ["=a"]
    assert server.head("lane").mark == "r"


def test_a_late_copy_speaks_for_no_other_attempt(server, head, raw, keys):
    """A release that Redis executes late leaves the intent of the next attempt."""
    unlimited = Slot("drive", "1/1", 0)
    permit = acquire(server, head, "j", None, unlimited, note(0, attempt="1/1"))
    release_slot(server, head, unlimited, permit.sent, attempt="1/1")
    acquire(server, head, "j", None, Slot("drive", "1/2", 0), note(0, attempt="1/2"))
    release_slot(server, head, unlimited, permit.sent, back_to="r", attempt="1/1")
    release_slot(server, head, unlimited, permit.sent, attempt="1/1", answered=b"=late")
    assert [entry[:5] for entry in entries(raw, keys, head)] == [">1/2 "]
    assert server.head("lane").mark == "j"


def test_a_late_copy_of_an_acquire_writes_no_intent_again(server, head, raw, keys):
    """An acquire that Redis executes late does not cover what came of its request."""
    asked = (head, "j", None, SLOT, note(0, attempt="1/1"))
    permit = acquire(server, *asked)
    release_slot(server, head, SLOT, permit.sent, attempt="1/1", answered=b"=a")
    acquire(server, *asked)
    assert entries(raw, keys, head) == ["=a"]


def test_what_redis_has_lost_of_a_journal_is_told_as_unknown(server, head, raw, keys):
    """What comes after a loss stands in its own place; nobody takes what is left for the whole."""
    permit = acquire(server, head, "j", None, SLOT, note(0, b"=a", attempt="1/1"))
    release_slot(server, head, SLOT, permit.sent, attempt="1/1", answered=b"=b")
    raw.ltrim(keys.journal(head.job_id), 0, 0)
    for _ in "12":
        acquire(server, head, "j", None, Slot("write", "1/2", 60), note(3, attempt="1/2"))
    assert [entry[:5] for entry in entries(raw, keys, head)] == ["=a", "?", "?", ">1/2 "]


@pytest.mark.parametrize(("first", "second", "mark"), ["rww", "rjj", "wjj", "jrj", "jwj", "wrw"])
def test_a_mark_never_goes_back_by_itself(first, second, mark, server, head):
    """A call that may have written stays so, and one with a journal keeps it."""
    acquire(server, head, first, None)
    acquire(server, head, second, None)
    assert server.head("lane").mark == mark


@pytest.mark.parametrize("end", ["answered", "withdrawn"])
def test_a_journal_ends_with_its_call(end, settings, server, head, raw, keys):
    """Once a call is over, nothing of its journal and of who had it is left."""
    acquire(server, head, "r", None, SLOT, note(0, b"=a"))
    if end == "answered":
        answer(server, head, b"reply")
    else:
        assert withdraw(settings, head.job_id, head.stream_id) == "ended"
    assert not raw.exists(keys.journal(head.job_id), keys.deliveries, keys.progress)


def test_a_call_with_a_journal_cannot_be_withdrawn(settings, server, head, raw, keys):
    """A withdrawal leaves the journal of a call that may have written, and tells so."""
    acquire(server, head, "j", None, SLOT, note(0, attempt="1/1"))
    assert withdraw(settings, head.job_id, head.stream_id) == "started"
    assert len(entries(raw, keys, head)) == 1
    assert answer(server, head, b"reply") is None
    assert not raw.exists(keys.journal(head.job_id), keys.reply(head.job_id))


# Deaths -----------------------------------------------------------------------------------------


def test_a_job_tells_how_many_servers_it_has_outlived(settings, server, head):
    """Each epoch that had a job and ended without a word counts once, however often it looked."""
    assert [server.head("lane").deaths for _ in "12"] == [0, 0]
    second = takes_over(settings, server)
    assert [second.head("lane").deaths for _ in "12"] == [1, 1]
    assert takes_over(settings, second).head("lane").deaths == 2


def test_a_server_that_leaves_a_job_has_not_died_of_it(settings, server, head):
    """A job that was left counts nothing, also where it is left late or twice."""
    server.requeue()
    second = takes_over(settings, server)
    assert second.head("lane").deaths == 0
    late = second.under(second.epoch)
    third = takes_over(settings, second)
    for _ in "12":
        late.requeue()
    assert third.head("lane").deaths == 0


def test_a_server_that_has_left_has_died_of_nothing_it_is_told_of_later(settings, server, head):
    """What it still looks at or starts, since it was asked for before, counts nothing either."""
    enqueue(settings, body=b"second")
    enqueue(settings, lane="came with its name")
    first = server.next_ready().first
    server.requeue()
    assert acquire(server, first, "r").word == "go"
    assert server.peek("lane", head.stream_id, 1, 100)
    server.deliver_suspect(head)
    second = answer(server, head, b"reply")
    assert second.body == b"second"
    third = takes_over(settings, server)
    assert [third.head(lane).deaths for lane in ("lane", first.lane)] == [0, 0]


def test_however_many_jobs_a_server_leaves(settings, server, raw, keys):
    """All of them are left at once, and those that others have died with keep that."""
    raw.hset(keys.deliveries, mapping={f"id{n}": f"/7//{server.epoch}//8/" for n in range(1_000)})
    raw.hset(keys.deliveries, mapping={f"only{n}": f"/{server.epoch}/" for n in range(1_000)})
    assert server.requeue()
    assert raw.hlen(keys.deliveries) == 1_000
    assert set(raw.hvals(keys.deliveries)) == {"/7//8/"}


def test_the_next_job_is_handed_out_too(settings, server, head):
    """The job that an answer hands out counts as its server's from then on."""
    enqueue(settings, body=b"second")
    assert answer(server, head, b"reply").body == b"second"
    assert takes_over(settings, server).head("lane").deaths == 1


def test_a_job_is_set_aside_once(server, head, raw, keys):
    """A job that is kept for inspection is there once, with its id and its lane."""
    for _ in "12":
        server.poison(head)
    ((_, kept),) = raw.xrange(keys.poisoned)
    assert kept == {"id": head.job_id, "lane": "lane", "body": "body"}


@pytest.mark.parametrize(
    "write",
    [
        lambda old, head: acquire(old, head, "j", None, SLOT, note(0, b"=a", attempt="1/1")),
        lambda old, head: old.journal(head),
        lambda old, head: old.poison(head),
        lambda old, head: old.is_replicated([head]),
    ],
    ids=["acquire", "journal", "poison", "confirm_intent"],
)
def test_an_old_epoch_neither_reads_nor_writes_journals(
    write, settings, server, head, raw, namespace
):
    """Every script about journals answers 'stale' under an old epoch, and changes nothing."""
    old = server.under(server.epoch)
    takes_over(settings, server)
    before = contents(raw, namespace)
    with pytest.raises(StaleEpochError):
        write(old, head)
    assert contents(raw, namespace) == before


def test_a_recovery_leaves_what_is_in_the_air(server, head, raw, keys):
    """A server that reads the queue again holds the slots of its own requests as before."""
    own, other = (Slot("write", f"{epoch}/1", 60) for epoch in (server.epoch, "1"))
    for slot in (own, other):
        assert acquire(server, head, "w", None, slot).word == "go"
    server.recover(60.0)
    held = [raw.zscore(keys.slots("write"), slot.name) for slot in (own, other)]
    assert held[0] == math.inf
    assert held[1] < math.inf


def test_an_answer_under_an_old_epoch_is_not_noted(settings, server, head, raw, keys):
    """A server whose lease has lapsed gives its slot back, and leaves the journal to the next."""
    old = server.under(server.epoch)
    permit = acquire(old, head, "j", None, SLOT, note(0, attempt="1/1"))
    takes_over(settings, server)
    release_slot(old, head, SLOT, permit.sent, attempt="1/1", answered=b"=a")
    assert [entry[0] for entry in entries(raw, keys, head)] == [">"]


@pytest.mark.parametrize("slot", [SLOT, Slot("drive", "1/1", 0)], ids=["limited", "unlimited"])
def test_an_intent_that_was_not_carried_out_is_taken_back_late(
    slot, settings, server, head, raw, keys
):
    """A server whose lease has lapsed takes back what it did not send; the next one goes on."""
    old = server.under(server.epoch)
    permit = acquire(old, head, "j", None, slot, note(0, b"=a", attempt="1/1"))
    following = takes_over(settings, server)
    following.recover()
    for _ in "12":
        release_slot(old, head, slot, permit.sent, back_to="r", attempt="1/1")
    assert entries(raw, keys, head) == ["=a"]
    assert following.head("lane").mark == "r"


def test_an_intent_of_another_epoch_is_not_taken_back(settings, server, head, raw, keys):
    """Where the next server has an intent of the request itself, an old epoch changes nothing."""
    unlimited = Slot("drive", "1/1", 0)
    old = server.under(server.epoch)
    permit = acquire(old, head, "j", None, unlimited, note(0, attempt="1/1"))
    release_slot(old, head, unlimited, permit.sent, back_to="r", attempt="1/1")
    following = takes_over(settings, server)
    acquire(following, head, "j", None, Slot("drive", "2/1", 0), note(0, attempt="2/1"))
    release_slot(old, head, unlimited, permit.sent, back_to="r", attempt="1/1")
    assert [entry[:5] for entry in entries(raw, keys, head)] == [">2/1 "]
    assert following.head("lane").mark == "j"


def test_a_refusal_under_an_old_epoch_takes_no_mark_back(settings, server, head):
    """What a server whose lease has lapsed hears says nothing of what the next one has sent."""
    old, unlimited = server.under(server.epoch), Slot("drive", "1/1", 0)
    permit = acquire(old, head, "w", None, unlimited)
    following = takes_over(settings, server)
    release_slot(old, head, unlimited, permit.sent, back_to="r")
    assert following.head("lane").mark == "w"
