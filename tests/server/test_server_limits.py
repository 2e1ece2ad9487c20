"""How many calls may wait, and how large they and their results may be."""

from __future__ import annotations

import pytest
from calls import message, read, send, write
from waiting import PATIENCE, eventually

from queued_gspread.broker import Producer
from queued_gspread.errors import ConfigurationError, MessageTooLargeError, QueueFullError
from queued_gspread.protocol.messages import Job, Reply, new_id
from queued_gspread.server.calls.outcome import ended
from queued_gspread.server.tally import Tally
from queued_gspread.settings import Settings

MIB = 1024**2


def test_a_full_queue_refuses_at_once(serve, client, gate, background, raw, keys, namespace):
    """One call too many is refused, is not made, and says what to do; then there is room again."""
    serve(max_queue=3)
    calls = [background(write, client, f"lane{n % 2}") for n in range(3)]
    eventually(lambda: raw.get(keys.depth) == "3")
    with pytest.raises(
        QueueFullError, match=rf"3 calls wait in namespace '{namespace}'.*max-queue"
    ):
        write(client, "another")
    gate.open()
    assert [call.result(PATIENCE) for call in calls] == [{}] * 3
    assert read(client, "another") == {}
    assert not raw.exists(keys.depth)
    assert len(gate.seen) == 4


def test_a_full_queue_without_a_server_says_so(
    serve, redis_url, namespace, background, raw, keys, gate
):
    """Where the queue is full since no server is alive, the error says that as well."""
    serve(max_queue=1).stop()
    patient, impatient = (Producer(Settings(redis_url, namespace, grace=n)) for n in (60.0, 0.1))
    waiting = background(patient.call, new_id(), "lane", message())
    eventually(lambda: raw.get(keys.depth) == "1")
    with pytest.raises(QueueFullError, match="No server is alive there"):
        impatient.call(new_id(), "lane", message())
    gate.open()
    serve()
    assert waiting.result(PATIENCE)


def test_any_number_may_wait_where_there_is_no_limit(serve, client, gate, background, raw, keys):
    """With a limit of 0 no call is refused."""
    serve(max_queue=0)
    calls = [background(read, client) for _ in range(8)]
    eventually(lambda: raw.get(keys.depth) == "8")
    gate.open()
    assert [call.result(PATIENCE) for call in calls] == [{}] * 8


def test_a_job_that_is_too_large_is_not_sent(redis_url, namespace, raw, keys, monkeypatch):
    """A job above the limit is refused before anything is sent; size, limit and remedy are told."""
    monkeypatch.setenv("QUEUED_GSPREAD_MAX_MESSAGE_BYTES", str(2 * MIB))
    callers = Producer(Settings.resolve(redis_url=redis_url, namespace=namespace))
    with pytest.raises(MessageTooLargeError, match=r"3\.0 MiB.*2\.0 MiB.*not sent.*Split"):
        callers.call(new_id(), "lane", b"x" * 3 * MIB)
    assert not raw.keys(keys.lane("") + "*")


def test_a_job_that_is_too_large_for_the_server_is_not_made(serve, callers, gate):
    """A server with a smaller limit than its clients' refuses the call, and says which limit."""
    serve(max_message_bytes=1000)
    reply = send(callers, message(kwargs={"params": "x" * 1000}))
    with pytest.raises(MessageTooLargeError, match=r"1000 bytes.*--max-message-bytes.*not made"):
        raise reply.error
    assert gate.is_idle


def test_a_reply_that_is_too_large_becomes_an_error(serve, client, gate, background):
    """A call whose result is above the limit says that it was made, and the next is answered."""
    serve(max_message_bytes=4000)
    call = background(read, client)
    gate.next().answer({"values": "x" * 5000})
    with pytest.raises(MessageTooLargeError, match=r"call was made, but its result of \d+ bytes"):
        call.result(PATIENCE)
    gate.open()
    assert read(client) == {}


def test_an_error_that_is_too_large_becomes_another(serve, client, gate, background):
    """A call that fails with more text than the limit fails with an error that names the first."""
    serve(max_message_bytes=4000)
    call = background(read, client)
    gate.next().fail(ValueError("x" * 5000))
    with pytest.raises(MessageTooLargeError, match=r"ended with ValueError"):
        call.result(PATIENCE)


def test_what_changed_arrives_though_the_result_does_not():
    """The changes of a sheet's properties come with the error for a result that is too large."""
    changes = [["add", ["gridProperties", "rowCount"], 1]]
    job = Job("worksheet", "append_row")
    outcome = ended(Reply("x" * 5000, changes=changes), job, Tally(), 4000)
    reply = Reply.decode(outcome.reply, None)
    assert isinstance(reply.error, MessageTooLargeError)
    assert reply.changes == changes


@pytest.mark.parametrize("value", ["0", "-1", "many", str(512 * MIB), ""])
def test_a_limit_that_redis_could_not_hold_is_refused(value):
    """A size that Redis cannot hold, or that is none, is named with its option."""
    with pytest.raises(ConfigurationError, match=r"max_message_bytes=.*535822336"):
        Settings.resolve(max_message_bytes=value)


def test_a_recovery_counts_anew(serve, client, gate, background, raw, keys):
    """A count that somebody has spoilt by hand is right again when a server takes over."""
    first = serve(max_queue=3)
    call = background(read, client)
    gate.next()
    raw.set(keys.depth, 17)
    with pytest.raises(QueueFullError):
        read(client, "another")
    stopping = background(first.stop)
    gate.open()
    stopping.result(PATIENCE)
    serve(max_queue=3)
    eventually(lambda: not raw.exists(keys.depth))
    assert call.result(PATIENCE) == {}
    assert read(client, "another") == {}
