"""The core of a caller's call, without Redis: effects come out, and answers go in as plain data."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ReadOnlyError, ResponseError

from queued_gspread.broker import core as core_module
from queued_gspread.broker.connection.attempts import Attempts
from queued_gspread.broker.connection.effects import (
    AwaitReply,
    Extend,
    LookAtMaster,
    Send,
    Sleep,
)
from queued_gspread.broker.connection.redis_clock import RedisClock
from queued_gspread.broker.core import CallCore
from queued_gspread.broker.envelope import Envelope
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.producer import Producer
from queued_gspread.broker.scripts import SCRIPTS
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    JobLostError,
    LockLostError,
    QueueFullError,
    ServerUnavailableError,
)
from queued_gspread.settings import Settings

URL, KEYS, NOW = "redis://host", Keys("ns"), 1_000_000
REPLY = KEYS.reply("id")
SCRIPT_OF = {script.sha: name for name, script in SCRIPTS.items()}
LOST = RedisConnectionError("Connection closed by server.")


def drive(core, *answers):
    """Give a core its answers, errors thrown; return its effects, and its result or error."""
    effects, left = [], list(answers)
    try:
        effect = next(core)
        while True:
            effects.append(effect)
            if isinstance(effect, (Send, AwaitReply)):
                answer = left.pop(0)
                is_error = isinstance(answer, Exception)
                effect = core.throw(answer) if is_error else core.send(answer)
            else:
                effect = core.send(None)
    except StopIteration as end:
        result = end.value
    except Exception as error:  # noqa: BLE001 - it is what the caller gets
        result = error
    assert left == []
    return effects, result


def told(effects):
    """Return what is sent and awaited, by names."""
    return [
        SCRIPT_OF.get(effect.command[1], effect.command[0])
        if isinstance(effect, Send)
        else type(effect).__name__
        for effect in effects
    ]


def seen(age=0, known=1, others=()):
    """Return what ``alive.lua`` does."""
    return [[[known]], age, b"a server", b"aaaa", b"", list(others), b"", NOW]


@pytest.fixture
def clock():
    clock = RedisClock()
    clock.saw(NOW)
    return clock


@pytest.fixture
def core_of(clock):
    def make(**options):
        settings = Settings(URL, "ns", **{"grace": 60.0, **options})
        attempts = Attempts(URL, can_fail_over=False)
        return CallCore(settings, KEYS, Envelope(settings), attempts, clock)

    return make


@pytest.fixture
def core(core_of):
    return core_of()


def waiting(timeout=None, **fields):
    return Wait("id", "lane", timeout, "1-1", first=NOW, **fields)


# To enqueue -------------------------------------------------------------------------------------


def test_a_job_is_sent_with_the_first_look_for_its_reply(core):
    """An enqueue is one command, and the look that follows may go along with it."""
    wait = Wait("id", "lane", None)
    effects, _ = drive(core.enqueue(wait, b"job"), [b"1-1", b"", NOW])
    assert effects[0] == LookAtMaster()
    assert told(effects) == ["LookAtMaster", "enqueue"]
    assert effects[1].command[2:] == [
        6, *KEYS.of_enqueue("lane"), "id", b"job", "lane", 120_000, wait.first,
    ]  # fmt: skip
    assert wait.stream_id == "1-1"
    effects, reply = drive(core.reply(wait), b"reply")
    assert (told(effects), reply) == (["AwaitReply"], b"reply")
    assert effects[0].key == REPLY


def test_the_first_wait_is_what_was_sent_ahead(core):
    """The very object that a shell has sent along is what comes next, so that it knows it."""
    wait = Wait("id", "lane", None)
    (_, enqueue), _ = drive(core.enqueue(wait, b"job"), [b"1-1", b"", NOW])
    (first,), _ = drive(core.reply(wait), b"reply")
    assert first is enqueue.ahead


def test_a_first_job_asks_for_the_time_before(core, clock):
    """Where Redis's clock is not known, the queue is looked at first; its time goes along."""
    clock.forget()
    wait = Wait("id", "lane", None)
    effects, _ = drive(core.enqueue(wait, b"job"), seen(), [b"1-1", b"", NOW])
    assert told(effects) == ["LookAtMaster", "alive", "enqueue"]
    assert effects[-1].command[-1] == NOW


def test_a_script_that_redis_does_not_have_is_sent_as_text(core):
    """A refusal of the hash is answered with the text, with the same keys and arguments."""
    wait = Wait("id", "lane", None)
    answers = (NoScriptError("NOSCRIPT"), [b"1-1", b"", NOW])
    (_, first, second), _ = drive(core.enqueue(wait, b"job"), *answers)
    assert second.command[:2] == ["EVAL", SCRIPTS["enqueue"].text]
    assert second.command[2:] == first.command[2:]


def test_an_enqueue_whose_connection_is_lost_is_sent_again(core):
    """The same job with the same time is sent once more, at once."""
    wait = Wait("id", "lane", None)
    (_, first, second), _ = drive(core.enqueue(wait, b"job"), LOST, [b"1-1", b"", NOW])
    assert second.command == first.command


def test_an_enqueue_that_may_have_run_is_taken_back(core):
    """After a second loss the job is withdrawn, and the error says that it will not be made."""
    wait = Wait("id", "lane", None)
    effects, error = drive(core.enqueue(wait, b"job"), LOST, LOST, b"withdrawn")
    assert told(effects) == ["LookAtMaster", "enqueue", "enqueue", "Extend", "withdraw"]
    assert isinstance(error, BrokerUnavailableError)
    assert not error.may_have_run


def test_an_enqueue_that_was_answered_meanwhile_is_not_given_up(core):
    """Where the withdrawal finds the answer, the call goes on to it."""
    wait = Wait("id", "lane", None)
    _, result = drive(core.enqueue(wait, b"job"), LOST, LOST, b"answered")
    assert result is None
    assert drive(core.reply(wait), b"reply")[1] == b"reply"


def test_a_refusal_is_no_loss(core):
    """Where Redis says no, nothing is sent again and nothing is withdrawn."""
    effects, error = drive(core.enqueue(Wait("id", "lane", None), b"job"), ReadOnlyError("no"))
    assert told(effects) == ["LookAtMaster", "enqueue"]
    assert not error.may_have_run


def test_a_late_try_without_a_loss_begins_anew(core, clock):
    """Where no try got through before, a job that comes too late is sent with the time of now."""
    wait = Wait("id", "lane", None)
    answers = ([b"late", NOW + 500_000], [b"1-1", b"", NOW + 500_000])
    (_, first, second), _ = drive(core.enqueue(wait, b"job"), *answers)
    assert first.command[-1] < NOW + 500_000 <= second.command[-1]


def test_a_late_try_after_a_loss_is_in_doubt(core):
    """Where an earlier try may have got through, nobody knows: the caller is told so."""
    wait = Wait("id", "lane", None)
    answers = (LOST, [b"late", NOW], b"lost")
    _, error = drive(core.enqueue(wait, b"job"), *answers)
    assert isinstance(error, BrokerUnavailableError)
    assert error.may_have_run
    assert "no longer knows whether it had taken it" in str(error)


def test_a_full_queue_is_told_with_its_numbers(core):
    """A job that was not taken in is told so, and whether anybody drains the queue."""
    answers = ([b"full", 7, 5, NOW], seen(age=-1))
    effects, error = drive(core.enqueue(Wait("id", "lane", None), b"job"), *answers)
    assert told(effects) == ["LookAtMaster", "enqueue", "alive"]
    assert isinstance(error, QueueFullError)
    assert str(error).startswith("7 calls wait in namespace 'ns'")
    assert "No server is alive there" in str(error)


def test_a_call_under_a_lock_that_has_ended_is_refused(core):
    """A job that its lock's lane does not take in is told so, and is in no lane."""
    effects, error = drive(core.enqueue(Wait("id", "lane!L1", None), b"job"), [b"lost", NOW])
    assert told(effects) == ["LookAtMaster", "enqueue"]
    assert isinstance(error, LockLostError)


# To wait ----------------------------------------------------------------------------------------


def test_a_look_without_a_reply_asks_for_signs_of_life(core):
    """Between two looks it is checked that a server is alive and that the job is known."""
    effects, reply = drive(core.reply(waiting()), None, seen(), None, seen(), b"reply")
    look = ["AwaitReply", "LookAtMaster", "alive"]
    assert (told(effects), reply) == ([*look, *look, "AwaitReply"], b"reply")


def test_a_job_that_redis_does_not_know_is_lost(core):
    """A job of which Redis knows neither entry nor reply is told at once."""
    _, error = drive(core.reply(waiting()), None, seen(known=0))
    assert isinstance(error, JobLostError)


def test_locks_are_kept_while_another_is_waited_for(core):
    """Each look extends the locks of the same block; one that has ended ends the wait."""
    wait = waiting()
    wait.extends, wait.extend_every = ("a!L1", "b!L2"), 0.5
    effects, error = drive(core.reply(wait), None, seen(), 1, 1, None, seen(), 0, b"withdrawn")
    look = ["AwaitReply", "LookAtMaster", "alive", "extend"]
    assert told(effects) == [*look, "extend", *look, "Extend", "withdraw"]
    assert [each.seconds <= 0.5 for each in effects if isinstance(each, AwaitReply)] == [True] * 2
    assert isinstance(error, LockLostError)


def test_a_look_blocks_until_something_is_due(core_of):
    """No look lasts longer than a slice, the timeout, or the grace period."""
    longest = core_module.SLICE
    for timeout, grace, least, most in [
        (None, 60.0, longest, longest),
        (1.0, 60.0, 0.9, 1.0),
        (None, 0.5, 0.4, 0.5),
        (-1.0, 60.0, 0.001, 0.001),
    ]:
        look = next(core_of(grace=grace).reply(waiting(timeout)))
        assert least <= look.seconds <= most


def test_a_timeout_takes_the_job_back(core):
    """At its timeout a call is withdrawn, and its error says what may have become of it."""
    for fate, is_undone in ((b"withdrawn", True), (b"started", False)):
        wait = waiting(0.0)
        effects, error = drive(core.reply(wait), None, fate, seen())
        assert told(effects) == ["AwaitReply", "Extend", "withdraw", "alive"]
        assert effects[1] == Extend(wait.leaves_by)
        assert isinstance(error, CallTimeoutError)
        assert error.may_have_run is not is_undone


def test_an_answer_at_the_last_moment_counts(core):
    """Where the withdrawal finds the answer, it is read and returned."""
    effects, reply = drive(core.reply(waiting(0.0)), None, b"answered", b"reply")
    assert (told(effects)[-1], reply) == ("AwaitReply", b"reply")


def test_without_a_server_a_call_gives_up_after_the_grace(core_of):
    """A call that no server has answered for the grace period is withdrawn and told."""
    wait = waiting()
    wait.alive_at -= 2.0
    _, error = drive(core_of(grace=1.0).reply(wait), None, seen(age=9000), b"withdrawn")
    assert isinstance(error, ServerUnavailableError)
    assert not error.may_have_run


def test_a_lost_connection_is_borne_with(core):
    """While Redis is away a waiting call looks again after a pause, and asks for nothing else."""
    effects, reply = drive(core.reply(waiting()), LOST, LOST, b"reply")
    pauses = ["AwaitReply", "Sleep"] * 2
    assert (told(effects), reply) == ([*pauses, "AwaitReply"], b"reply")
    assert effects[1] == Sleep(core_module._PAUSE)


def test_a_refused_look_ends_the_call(core):
    """Where Redis refuses for good, the job is withdrawn as far as that is possible."""
    refusal = ResponseError("NOPERM this user has no permissions")
    effects, error = drive(core.reply(waiting()), refusal, refusal)
    assert told(effects) == ["AwaitReply", "Extend", "withdraw"]
    assert error.may_have_run


def test_a_withdrawal_is_retried_until_its_moment(core):
    """While Redis is away it is tried again and again, and in the end the fate is unknown."""
    moment = core_module.now() + 3600
    effects, fate = drive(core.take_back(waiting(), moment), LOST, LOST, b"withdrawn")
    assert (told(effects), fate) == (["withdraw", "withdraw", "Sleep", "withdraw"], "withdrawn")
    assert drive(core.take_back(waiting(), 0.0), LOST)[1] == "unknown"


@pytest.mark.parametrize("gently", [False, True])
def test_a_reply_that_nobody_wants_is_deleted(gently):
    """Who gives up a call that has its reply deletes that, unless the call is to go on."""
    job = Producer(Settings(URL, "ns")).prepared("id", "lane", b"body")
    effects, fate = drive(job.withdraw(gently=gently), b"answered")
    assert fate == "answered"
    assert [each.command for each in effects[1:]] == ([] if gently else [["UNLINK", REPLY]])
