"""What a signature is good for, and which signed jobs are let in: without a running server."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import get_args

import pytest
from fake_queue import FakeQueue
from signing_fixtures import KEY, OTHER, entry_of, job

from queued_gspread.broker import Permit, StaleEpochError
from queued_gspread.broker.envelope import Envelope, bound_job
from queued_gspread.broker.jobs import entry_of as found_entry
from queued_gspread.errors import ConfigurationError, SignatureError
from queued_gspread.protocol.messages import Job, new_id
from queued_gspread.protocol.signing import Keyring, Purpose, SignedMessage, load_keys, sign, verify
from queued_gspread.server.calls.admission import Admission
from queued_gspread.server.calls.anti_replay import AntiReplay
from queued_gspread.server.calls.call import Call
from queued_gspread.server.calls.history import History
from queued_gspread.server.calls.outcome import Outcome
from queued_gspread.settings import Settings

# On Redis's clock.
NOW = 1_767_355_200_000


def admitted(admission, queue, entry):
    """Return what is let in of a job that need not wait, or how it ended."""
    try:
        next(admission.admit(queue, entry))
    except StopIteration as end:
        return end.value


def signed_reply(admission, entry, reply):
    """Return a reply as the server stores it."""
    queue = FakeQueue()
    admission.answer(queue, [(entry, reply)])
    return queue.answered[0]


@pytest.fixture
def generations(clock):
    return AntiReplay(clock)


@pytest.fixture
def admission(signed, generations):
    return Admission(signed, generations)


@pytest.mark.parametrize(
    "alter",
    [
        lambda message: message[:-1],
        lambda message: message.replace(b"null", b"true"),
        lambda message: message.rpartition(b":{")[2].join([b"{", b""]),
        lambda message: b"",
        lambda message: b"HS256:::",
        lambda message: b"HS256:\xff:\xff:\xff",
    ],
    ids=["cut", "altered", "bare", "empty", "no signature", "odd bytes"],
)
def test_a_reply_that_the_server_did_not_sign_is_refused(alter, signed, signing_key):
    """A client with a key takes no other reply, and says that nobody knows about the call."""
    envelope, job_id = Envelope(signed), new_id()
    message, _ = envelope.job(job_id, "lane", job())
    reply = signed_reply(Admission(signed), entry_of(message, job_id), b'{"result":null}')
    assert envelope.reply(job_id, "lane", message, reply) == b'{"result":null}'
    with pytest.raises(SignatureError, match="it is not known whether the call was made"):
        envelope.reply(job_id, "lane", message, alter(reply))


def test_a_reply_fits_one_job_alone(signed):
    """A reply is refused for another id or lane, and for another job under the same id."""
    envelope, job_id = Envelope(signed), new_id()
    message, _ = envelope.job(job_id, "lane", job())
    reply = signed_reply(Admission(signed), entry_of(message, job_id), b"{}")
    wrong = [(new_id(), "lane", message), (job_id, "other", message), (job_id, "lane", b"{}")]
    for one in wrong:
        with pytest.raises(SignatureError, match="does not fit"):
            envelope.reply(*one, reply)


def test_a_job_put_off_is_not_taken_for_answered(signed, admission, generations):
    """A job whose call was broken off may come again, though something else was answered since."""
    bound = bound_job(signed.namespace, "lane", "a" * 32)
    generation = generations.current
    job_entry = entry_of(sign(admission.keyring, "job", bound, job(), generation=generation))
    queue = FakeQueue()
    assert admitted(admission, queue, job_entry).body == job()
    stranger = entry_of(b"a stranger's", place="2-0")
    assert admitted(admission, queue, stranger).word == "SignatureError"
    admission.answer(queue, [(stranger, b"reply")])
    assert not generations.was_answered("a" * 32)


def test_a_reply_that_redis_did_not_take_is_given_again(signed, admission, generations):
    """A job that comes again because its reply was not taken is answered, and not made, again."""
    queue = FakeQueue()
    generation = generations.current
    bound = bound_job(signed.namespace, "lane", "a" * 32)
    entry = entry_of(sign(admission.keyring, "job", bound, job(), generation=generation))
    assert admitted(admission, queue, entry).body == job()
    queue.error = ConnectionError()
    with pytest.raises(ConnectionError):
        admission.answer(queue, [(entry, b"reply")])
    queue.error = None
    again = admitted(admission, queue, entry)
    assert (again.word, again.reply) == ("again", b"reply")
    admission.answer(queue, [(entry, b"reply")])
    replayed = admitted(admission, queue, entry)
    assert (replayed.word, replayed.reply) == ("replayed", b"")
    assert admission.try_admit(entry) is None


def test_a_copy_of_a_job_whose_reply_is_forgotten_is_not_let_in(signed, admission, generations):
    """That nobody has the reply to a signed job any more does not have it made again."""
    admission.history = History(most_bytes=0)
    generation = generations.current
    bound = bound_job(signed.namespace, "lane", "a" * 32)
    entry = entry_of(sign(admission.keyring, "job", bound, job(), generation=generation))
    let_in = admitted(admission, None, entry)
    admission.history.begin(Call(let_in, Job("http_client", "request"), mark="w"))
    admission.ended(let_in, Outcome("ok", b"reply"))
    assert admitted(admission, None, entry).word == "OutcomeUnknownError"


def test_a_copy_of_what_a_caller_has_said_before_counts_for_nothing(signed, admission, generations):
    """That a job is wanted is believed under the server's own generation, for that very job."""
    job_id = "a" * 32
    current = generations.current

    def says(generation, named=job_id, namespace=signed.namespace):
        message = sign(admission.keyring, "wanted", (namespace, named), generation=generation)
        return FakeQueue(renewal=message)

    bound = bound_job(signed.namespace, "lane", job_id)
    entry = entry_of(sign(admission.keyring, "job", bound, job(), generation="earlier"), job_id)
    assert admitted(admission, says(current), entry).body == job()
    others = [("earlier",), ("",), (current, "b" * 32), (current, job_id, "other")]
    assert [other for other in others if admitted(admission, says(*other), entry)] == []


def test_a_late_reply_of_an_earlier_epoch_is_no_reply_to_another_job(
    signed, admission, generations
):
    """A job whose lane an earlier epoch still answers is neither answered nor given its reply."""
    queue = FakeQueue()
    queue.error = StaleEpochError()

    def begun(job_id, place="1-0"):
        generation = generations.current
        bound = bound_job(signed.namespace, "lane", job_id)
        message = sign(admission.keyring, "job", bound, job(), generation=generation)
        entry = entry_of(message, job_id, place=place)
        assert admitted(admission, queue, entry).body == job()
        return entry

    admission.begin()
    early = begun("a" * 32)
    admission.begin()
    begun("b" * 32, "2-0")
    with pytest.raises(StaleEpochError):
        admission.answer(queue, [(early, b"reply")])
    assert not generations.was_answered("b" * 32)
    assert admission._unconfirmed == {}


def test_generations_remember_what_may_be_fresh(clock):
    """An answered job is known for as long as its generation counts, by time and by number."""
    generations = AntiReplay(clock, life=3600.0, most=2)
    generations.begin()
    first = generations.current
    generations.note_answered("one")
    clock.now = 3600.0
    second = generations.current
    assert first != second
    assert generations.is_fresh(first)
    assert generations.was_answered("one")
    for name in ("two", "three"):
        generations.note_answered(name)
    assert generations.current not in (first, second)
    assert not generations.is_fresh(first)
    assert generations.is_fresh(second)
    assert [generations.was_answered(name) for name in ("one", "two")] == [False, True]


def test_a_new_epoch_trusts_no_generation_before_it():
    """What was fresh in an earlier epoch is not, and what was answered then need not be known."""
    generations = AntiReplay()
    named = generations.current
    generations.begin()
    assert generations.is_fresh(named)
    generations.note_answered("one")
    generations.begin()
    assert not generations.is_fresh(named)
    assert not generations.was_answered("one")


def test_callers_have_time_after_a_takeover(clock):
    """The time in which callers say that they wait begins with the epoch, not with the process."""
    generations = AntiReplay(clock)
    clock.now = 9000.0
    generations.begin()
    assert generations.age == 0.0
    clock.now = 9001.0
    generations.begin()
    assert generations.age == 0.0


@pytest.mark.parametrize("purpose", get_args(Purpose))
def test_a_signature_is_good_for_one_thing(signing_key, purpose):
    """A message is refused for another purpose, another place, another key, or cut elsewhere."""
    keys, bound = load_keys(signing_key, copied=False), ("space", "id")
    message = sign(keys, purpose, bound, b"body", generation="g")
    assert verify(keys, purpose, bound, message) == SignedMessage("g", b"body")
    others = [other for other in get_args(Purpose) if other != purpose]
    wrong = [
        *((keys, other, bound, message) for other in others),
        *((keys, purpose, other, message) for other in (("spac", "eid"), ("space",), ("id",) * 2)),
        (Keyring((OTHER.encode(),)), purpose, bound, message),
        (keys, purpose, bound, message.replace(b":g:", b"::")),
        (keys, purpose, bound, message.replace(b"HS256:g", b"HS256:")),
        (keys, purpose, bound, b"body"),
    ]
    for given in wrong:
        with pytest.raises(SignatureError):
            verify(*given)


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (None, 0, "cannot be read"),
        ("", 0o600, "is empty"),
        ("\n \n", 0o600, "is empty"),
        (f"{KEY}\nshort-secret", 0o600, "line 2 has 12 bytes"),
        (KEY, 0o604, "everyone"),
        (KEY, 0o602, "everyone"),
    ],
)
def test_a_key_file_that_cannot_be_used(tmp_path, content, mode, told):
    """A key file that is missing, empty, too short or open to all is refused; no key shows."""
    path = tmp_path / "signing.key"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(ConfigurationError, match=told) as raised:
        Settings.resolve() and load_keys(path, copied=False)
    assert str(path) in str(raised.value)
    assert KEY not in str(raised.value)
    assert "short-secret" not in str(raised.value)


@pytest.fixture
def look(admission, generations, signed, clock, monkeypatch):
    """Return what has the server look at an old job with a time ahead of Redis's clock."""
    monkeypatch.setattr(time, "monotonic", clock)
    bound = bound_job(signed.namespace, "lane", "a" * 32)
    message = sign(admission.keyring, "job", bound, job(), generation="of a server before")
    # The server has worked for a while.
    clock.now += 60.0

    def begin(milliseconds, said):
        place = f"{NOW + milliseconds}-0".encode()
        found = found_entry("lane", [place, b"a" * 32, message, b"", 1, NOW, 0])
        entry = replace(found, seen=clock.now)
        current = generations.current
        wanted = sign(admission.keyring, "wanted", (signed.namespace, "a" * 32), generation=current)
        admitting = admission.admit(
            SimpleNamespace(renewal=lambda _: wanted if said else None), entry
        )
        next(admitting)
        return admitting

    return begin


def ended(admitting):
    """Go on with a look; return how it ended."""
    with pytest.raises(StopIteration) as end:
        admitting.send(Permit("go"))
    return end.value.value


@pytest.mark.parametrize("ahead", [3, 3_600_000])
def test_an_entry_from_the_future_is_waited_for_as_a_new_one(look, clock, ahead):
    """A job whose time is ahead of the clock has as long to be wanted as any other."""
    said = []
    admitting = look(ahead, said)
    clock.now += 9.0
    admitting.send(Permit("go"))
    said.append("that it is wanted")
    assert ended(admitting).body == job()
    admitting = look(ahead, [])
    clock.now += 11.0
    assert ended(admitting).word == "SignatureError"


@pytest.fixture
def pass_time(admission, clock):
    """Return what lets seconds pass in which the server beats at the Redis that is there now."""

    def beat(seconds, since_move):
        for second in range(seconds):
            clock.now += 1.0
            admission.note_published(admission.generation(), since_move + second)

    return beat


def move(admission, clock):
    """Let another Redis be the master, within a moment."""
    admission.note_published(admission.generation(), 0.0)


def come_back(admission, clock):
    """Let Redis be there again after a while."""
    clock.now += 30.0
    admission.note_published(admission.generation(), 9000.0)


def be_away(admission, clock):
    """Let Redis be there again, but no beat yet."""
    clock.now += 30.0


@pytest.mark.parametrize("happens", [move, come_back, be_away])
def test_a_callers_time_begins_when_it_can_reach_redis(look, admission, clock, pass_time, happens):
    """A caller has its whole time after a failover or an outage, though its job is old."""
    pass_time(60, 9000.0)
    happens(admission, clock)
    since_move = 9000.0 if happens is not move else 0.0
    said = []
    admitting = look(-90_000, said)
    pass_time(9, since_move)
    admitting.send(Permit("go"))
    said.append("that it is wanted")
    assert ended(admitting).body == job()


@pytest.mark.parametrize("happens", [move, come_back, be_away])
def test_a_caller_that_is_gone_is_not_waited_for_after_its_time(
    look, admission, clock, pass_time, happens
):
    """A job that nobody wants is refused ten seconds after a failover or an outage."""
    pass_time(60, 9000.0)
    happens(admission, clock)
    admitting = look(-90_000, [])
    pass_time(12, 9000.0 if happens is not move else 0.0)
    assert ended(admitting).word == "SignatureError"


def test_a_beat_from_before_an_epoch_shows_callers_nothing_of_it(admission, generations, clock):
    """The time of callers begins with the first beat that had the epoch's own generation."""
    admission.begin()
    earlier = admission.generation()
    admission.begin()
    clock.now += 0.5
    admission.note_published(earlier, 9000.0)
    clock.now += 0.5
    admission.note_published(admission.generation(), 9000.0)
    assert generations.age == 0.0
