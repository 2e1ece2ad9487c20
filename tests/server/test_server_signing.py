"""Signed jobs and replies: what is refused, by whom, and what is told of it."""

from __future__ import annotations

import json
import logging
import pickle
from concurrent.futures import ThreadPoolExecutor

import gspread
import pytest
import redis
from accounts import OPEN
from calls import append, read, write
from signing_fixtures import KEY, OTHER, job
from waiting import PATIENCE, eventually, waiting_callers

from queued_gspread.broker import Producer, core
from queued_gspread.broker.core import CallCore
from queued_gspread.broker.envelope import Envelope, bound_job
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.errors import ConfigurationError, SignatureError
from queued_gspread.protocol.messages import Reply, new_id
from queued_gspread.protocol.signing import load_keys, sign
from queued_gspread.server import Server
from queued_gspread.server.timing import Timing


def put(raw, keys, job_id, message, lane="lane"):
    """Put an entry into a lane as somebody does who can write to Redis."""
    raw.xadd(keys.lane(lane), {"id": job_id, "body": message})
    raw.sadd(keys.active, lane)
    raw.rpush(keys.ready_under(raw.hget(keys.server, "epoch")), lane)


def test_signed_calls_are_made_and_leave_nothing(serve, authorize, signing_key, gate, raw, keys):
    """With one key on both sides calls are made as before, and no key is left over in Redis."""
    serve(signing_key_file=signing_key)
    gate.open()
    client = authorize(signing_key_file=signing_key)
    assert [read(client, lane) for lane in "aba"] == [{}] * 3
    write(client)
    left = {name for name in raw.keys(keys.lane("")[:-5] + "*") if "dedup" not in name}
    assert left - {keys.published} == {keys.server}
    assert KEY not in json.dumps(raw.hgetall(keys.server))


def test_the_keys_of_one_file_are_changed_without_a_break(serve, authorize, key_of, gate):
    """A server with the new key first and a client with the old one first understand each other."""
    serve(signing_key_file=key_of(OTHER, KEY, name="new"))
    gate.open()
    assert read(authorize(signing_key_file=key_of(KEY, OTHER, name="old"))) == {}


def test_a_client_without_a_key_is_told_to_get_one(serve, client, signing_key, gate):
    """A client without a key, at a server with one, is told to set it; no request is sent."""
    serve(signing_key_file=signing_key)
    with pytest.raises(SignatureError, match="QUEUED_GSPREAD_SIGNING_KEY_FILE"):
        read(client)
    assert gate.is_idle


def test_a_server_without_a_key_makes_no_signed_call(serve, authorize, signing_key, gate):
    """A client with a key does not trust a server without one, which makes no signed call."""
    serve()
    told = r"not signed\. The server has no signing key \(start it with --signing-key-file.*, or, "
    with pytest.raises(SignatureError, match=told) as caught:
        read(authorize(signing_key_file=signing_key))
    assert "it is not known whether the call was made" in str(caught.value)
    assert gate.is_idle


def test_a_client_with_another_key_gets_no_call_made(serve, authorize, signing_key, key_of, gate):
    """A client with another key than the server's is told so; no request is sent."""
    serve(signing_key_file=signing_key)
    told = r"signature does not fit.*The server has another key than this client \(give both"
    with pytest.raises(SignatureError, match=told) as caught:
        read(authorize(signing_key_file=key_of(OTHER, name="other")))
    assert "The server has no" not in str(caught.value)
    assert gate.is_idle


@pytest.mark.parametrize(
    ("at_server", "at_client", "why"),
    [
        (None, KEY, "the call is signed, and the server has no key to verify it with"),
        (KEY, None, "refuses this one: it is not signed"),
        (KEY, OTHER, "refuses this one: its signature does not fit"),
    ],
)
def test_the_log_says_why_a_job_is_refused(
    at_server, at_client, why, serve, authorize, key_of, caplog
):
    """The line of a job that is refused for its signature says which side has which key."""
    caplog.set_level(logging.INFO, "queued_gspread.server")
    keys = {"server": at_server, "client": at_client}
    files = {side: key and key_of(key, name=side) for side, key in keys.items()}
    serve(signing_key_file=files["server"])
    with pytest.raises(SignatureError):
        read(authorize(signing_key_file=files["client"]))
    about = eventually(lambda: next((r.call for r in caplog.records if hasattr(r, "call")), None))
    assert about["outcome"] == "SignatureError"
    assert why in about["error_message"]
    assert KEY not in about["error_message"]


@pytest.mark.parametrize(
    "how",
    ["unsigned", "altered", "other namespace", "other lane", "other id", "other purpose"],
)
def test_a_job_that_nobody_signed_is_refused(
    how, serve, signed, signing_key, raw, keys, gate, namespace
):
    """A job that was altered, moved, or not signed as a job is refused, and not made."""
    server = serve(signing_key_file=signing_key)
    job_id = new_id()
    message, _ = Envelope(signed).job(job_id, "lane", job())
    if how == "unsigned":
        message = job()
    if how == "altered":
        message = message.replace(b"A1", b"A2")
    if how == "other lane":
        message, _ = Envelope(signed).job(job_id, "elsewhere", job())
    if how == "other id":
        message, _ = Envelope(signed).job(new_id(), "lane", job())
    if how in ("other purpose", "other namespace"):
        purpose, space = ("reply", namespace) if how == "other purpose" else ("job", "other")
        generation = server._parts.admission._generations.current
        bound = bound_job(space, "lane", job_id)
        message = sign(
            load_keys(signing_key, copied=False), purpose, bound, job(), generation=generation
        )
    put(raw, keys, job_id, message)
    eventually(lambda: raw.exists(keys.reply(job_id)))
    ((_, fields),) = raw.xrange(keys.reply(job_id))
    reply = Envelope(signed).reply(job_id, "lane", message, fields["body"].encode())
    with pytest.raises(SignatureError, match="was not made"):
        raise Reply.decode(reply, None).error
    assert gate.is_idle


def test_a_copy_of_an_answered_job_is_dropped(serve, signed, signing_key, raw, keys, gate):
    """A job that was answered is not made again, wherever it is put; no answer passes for its."""
    serve(signing_key_file=signing_key)
    gate.open()
    callers, job_id = Producer(signed), new_id()
    message = Envelope(signed).job  # what the caller sends is caught on its way
    sent = []
    callers._envelope.job = lambda *given: sent.append(message(*given)) or sent[0]
    callers.call(job_id, "lane", job())
    callers.forget(job_id)
    assert len(gate.seen) == 1
    put(raw, keys, job_id, sent[0][0])
    eventually(lambda: not raw.exists(keys.lane("lane")))
    assert not raw.xrange(keys.reply(job_id))
    put(raw, keys, job_id, sent[0][0], lane="other")
    eventually(lambda: raw.exists(keys.reply(job_id)))
    ((_, fields),) = raw.xrange(keys.reply(job_id))
    with pytest.raises(SignatureError, match="it is not known"):
        callers._envelope.reply(job_id, "lane", sent[0][0], fields["body"].encode())
    assert len(gate.seen) == 1


def test_signed_calls_leave_together_and_a_copy_of_one_does_not(
    serve, authorize, signing_key, raw, keys, gate, background
):
    """Signed calls that wait share a request; a copy that stands among them is dropped."""
    serve(signing_key_file=signing_key)
    client = authorize(signing_key_file=signing_key)
    background(read, client)
    held = gate.next()
    get = client.http_client.values_get
    calls = [background(get, "lane", "Rows!A1")]
    eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
    _, (_, waiting) = raw.xrange(keys.lane("lane"))
    put(raw, keys, waiting["id"], waiting["body"])
    calls.append(background(get, "lane", "Rows!A2"))
    eventually(lambda: raw.xlen(keys.lane("lane")) == 4)
    held.answer({})
    gate.next().answer({"range": "Rows!A1"})
    gate.next().answer({"range": "Rows!A2"})
    assert [call.result(PATIENCE)["range"] for call in calls] == ["Rows!A1", "Rows!A2"]
    background(read, client)
    held = gate.next()
    more = []
    for cell in ("A3", "A4"):
        more.append(background(get, "lane", f"Rows!{cell}"))
        eventually(lambda: raw.xlen(keys.lane("lane")) == len(more) + 1)
    held.answer({})
    together = gate.next()
    assert together.endpoint.endswith("/values:batchGet")
    together.answer({"valueRanges": [{"range": "Rows!A3"}, {"range": "Rows!A4"}]})
    assert [call.result(PATIENCE)["range"] for call in more] == ["Rows!A3", "Rows!A4"]
    assert gate.is_idle


def test_a_server_that_takes_over_makes_no_call_that_is_over(
    serve, signed, signing_key, raw, keys, gate
):
    """A copy of an answered job is refused by the next server too, which knows nothing of it."""
    first = serve(signing_key_file=signing_key)
    gate.open()
    callers, job_id, sent = Producer(signed), new_id(), []
    sign_job = callers._envelope.job
    read_once = new_id()
    callers.call(read_once, "lane", job())  # so that it knows the generation
    callers._envelope.job = lambda *given: sent.append(sign_job(*given)) or sent[0]
    callers.call(job_id, "lane", job())
    first.stop()
    raw.delete(keys.reply(job_id))
    made = len(gate.seen)
    serve(signing_key_file=signing_key, timing=Timing(renewal=0.2))
    put(raw, keys, job_id, sent[0][0])
    eventually(lambda: raw.exists(keys.reply(job_id)))
    ((_, fields),) = raw.xrange(keys.reply(job_id))
    reply = callers._envelope.reply(job_id, "lane", sent[0][0], fields["body"].encode())
    assert isinstance(Reply.decode(reply, None).error, SignatureError)
    assert len(gate.seen) == made


def test_a_call_that_waits_survives_the_change_of_servers(
    serve, authorize, signing_key, gate, raw, keys, background
):
    """A call that waited while one server followed another is made, in its turn."""
    first = serve(signing_key_file=signing_key)
    client = authorize(signing_key_file=signing_key)
    one = background(read, client)
    gate.next()
    two = background(write, client)
    eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
    stopping = background(first.stop)
    eventually(lambda: first.was_told_to_stop)
    gate.seen[0].answer({"n": 1})
    stopping.result(PATIENCE)
    serve(signing_key_file=signing_key)
    gate.open()
    assert one.result(PATIENCE) in ({"n": 1}, {})
    assert two.result(PATIENCE) == {}
    eventually(lambda: not raw.keys(keys.renewal("*")))


def test_a_renewal_that_redis_has_lost_is_given_again(
    serve, authorize, signing_key, gate, raw, keys, background, short_slices
):
    """A call is made though the Redis that is the master now lacks its caller's renewal."""
    first = serve(signing_key_file=signing_key)
    client = authorize(signing_key_file=signing_key)
    calls = [background(read, client)]
    held = gate.next()
    for count, call in enumerate([write, append], 2):
        calls.append(background(call, client))
        eventually(lambda count=count: raw.xlen(keys.lane("lane")) == count)
    stopping = background(first.stop)
    eventually(lambda: first.was_told_to_stop)
    held.answer({})
    stopping.result(PATIENCE)
    serve(signing_key_file=signing_key)
    held = gate.next()
    _, (_, waiting) = raw.xrange(keys.lane("lane"))
    renewal = keys.renewal(waiting["id"])
    eventually(lambda: raw.exists(renewal))
    raw.delete(renewal)
    eventually(lambda: raw.exists(renewal))
    held.answer({})
    gate.open()
    assert [call.result(PATIENCE) for call in calls] == [{}] * 3


def test_a_caller_looks_at_the_server_once_redis_is_back(
    serve, signed, signing_key, gate, raw, keys, background, monkeypatch
):
    """A caller that had lost Redis renews its job before it settles down to wait again."""
    monkeypatch.setattr(core, "SLICE", 1000.0)
    serve(signing_key_file=signing_key)
    callers, job_id = Producer(signed), new_id()
    callers._envelope._generation = "of an earlier server"
    waiting = background(callers.call, job_id, "lane", job())
    held = gate.next()
    eventually(lambda: waiting_callers(raw))
    raw.delete(keys.renewal(job_id))
    for caller in waiting_callers(raw):
        raw.client_kill_filter(_id=caller)
    eventually(lambda: raw.exists(keys.renewal(job_id)))
    held.answer({})
    assert waiting.result(PATIENCE)


@pytest.fixture
def own_redis():
    with TemporaryRedis(options=OPEN, restricted=False) as server:
        yield server


def test_a_signed_call_that_waits_in_a_full_redis(
    own_redis, serve, authorize, signing_key, gate, keys, background, short_slices
):
    """A caller may say that its call is still wanted in a Redis that has no memory left."""
    own = {"redis_url": own_redis.url, "signing_key_file": signing_key}
    first, client = serve(**own), authorize(**own)
    background(read, client)
    held = gate.next()
    waiting = background(append, client)
    with redis.Redis.from_url(own_redis.url) as raw:
        eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
        raw.config_set("maxmemory", "1")
    stopping = background(first.stop)
    eventually(lambda: first.was_told_to_stop)
    held.answer({})
    stopping.result(PATIENCE)
    serve(**own)
    gate.open()
    assert waiting.result(PATIENCE) == {}


def test_a_standby_goes_on_with_signed_calls_after_a_kill(
    start_process, authorize, signing_key, google, background
):
    """When a server that signs is killed, the next one makes the calls that wait, and no other."""
    first = start_process("--signing-key-file", signing_key)
    second = start_process("--signing-key-file", signing_key, wait="standing by")
    client = authorize(signing_key_file=signing_key)
    calls = [background(read, client) for _ in range(3)]
    google.gate.next()
    first.kill()
    second.until_log("working as")
    for _ in calls:
        google.gate.next().answer({"n": 1})
    assert [call.result(PATIENCE) for call in calls] == [{"n": 1}] * 3
    assert google.gate.is_idle


def test_a_key_shows_nowhere(serve, authorize, signing_key, key_of, gate, caplog):
    """The key is in no repr, no log and no error."""
    caplog.set_level(logging.DEBUG)
    serve(signing_key_file=signing_key)
    with pytest.raises(SignatureError) as raised:
        read(authorize(signing_key_file=key_of(OTHER, name="other")))
    seen = f"{raised.value!r} {load_keys(signing_key, copied=False)!r} {caplog.text}"
    assert KEY not in seen
    assert OTHER not in seen


def test_a_pickled_client_has_no_key_in_it(serve, authorize, signing_key, gate):
    """A pickled client holds the name of the key file, and reads it where it is loaded."""
    serve(signing_key_file=signing_key)
    gate.open()
    pickled = pickle.dumps(authorize(signing_key_file=signing_key))
    assert KEY.encode() not in pickled
    assert read(pickle.loads(pickled)) == {}


def test_a_client_without_its_key_file_is_told_at_once(authorize, tmp_path):
    """A client whose key file is missing is told to copy the server's before anything is sent."""
    with pytest.raises(ConfigurationError, match=r"'.*nowhere.key' cannot be read.*copy the serv"):
        authorize(signing_key_file=tmp_path / "nowhere.key")


def test_a_server_without_its_key_file_is_told_to_make_one(tmp_path):
    """A server whose key file is missing is told to make one, which clients have as well."""
    with pytest.raises(ConfigurationError, match=r"nowhere.key' cannot be read.*make one.*openssl"):
        Server(gspread.Client(None, session=object()), signing_key_file=tmp_path / "nowhere.key")


@pytest.mark.parametrize("key", ["a1" * 32, "Zm9v" * 11 + "Zg==", "_-" * 20])
def test_a_key_in_the_place_of_its_file_is_not_shown(key, authorize):
    """Who gives a key where its file's name has to be is told so, and the key stays unseen."""
    with pytest.raises(ConfigurationError, match="its name looks like a key") as told:
        authorize(signing_key_file=key)
    assert key not in str(told.value)


def test_many_threads_of_one_client_sign(serve, authorize, signing_key, gate):
    """Calls of many threads of one client are all made, whatever generation they begin with."""
    serve(signing_key_file=signing_key)
    gate.open()
    client = authorize(signing_key_file=signing_key)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda n: read(client, f"lane{n % 5}"), range(100))) == [{}] * 100


def test_an_idle_caller_does_not_wait_for_its_next_look(
    serve, signed, signing_key, gate, monkeypatch
):
    """A caller that knows an old generation is told of the new one with its enqueue."""
    server = serve(signing_key_file=signing_key)
    gate.open()
    callers = Producer(signed)
    callers.call(new_id(), "lane", job())
    assert callers._envelope._generation == server._parts.admission._generations.current
    callers._envelope._generation = "of long ago"
    job_id = new_id()
    looks = []
    monkeypatch.setattr(CallCore, "_check_for_life", looks.append)
    callers.call(job_id, "lane", job())
    assert not looks


def test_a_signed_call_goes_on_at_the_next_server(
    signing_key, start_process, authorize, google, background, raw, keys
):
    """A signed call goes on where its server died, by a journal that is signed as well."""
    server = start_process("--signing-key-file", signing_key)
    client = authorize(signing_key_file=str(signing_key))
    copying = background(client.copy, "original", "Copy", copy_comments=False)
    answer = {"id": "new", "properties": {"title": "Copy"}}
    google.gate.next().answer(answer)
    google.gate.next()
    (journal,) = raw.keys(keys.journal("*"))
    assert raw.lindex(journal, 0).startswith("=HS256:")
    server.kill()
    start_process("--signing-key-file", signing_key, wait="working as")
    while not copying.done():
        google.gate.next().answer(answer)
        eventually(lambda: copying.done() or not google.gate.is_idle)
    assert copying.result(PATIENCE).id == "new"
    assert [seen.method for seen in google.gate.seen].count("post") == 1
