"""One call at a time in each spreadsheet's lane, all lanes side by side."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from calls import insert_rows, message, read, send, write
from gate import Gate, GatedHTTPClient, client_over, response
from waiting import PATIENCE, eventually

from queued_gspread.broker import Backlog, Consumer, Entry, Predecessor, Ready
from queued_gspread.errors import BrokerUnavailableError, QueuedGspreadError, RemoteError
from queued_gspread.protocol.messages import new_id
from queued_gspread.server import Server
from queued_gspread.server.failure import Failure
from queued_gspread.server.lanes import scheduler as lanes_module
from queued_gspread.server.lanes.scheduler import Scheduler
from queued_gspread.server.lease import Lease
from queued_gspread.server.timing import Timing
from queued_gspread.settings import Settings


def test_a_lane_has_one_call_under_way(serve, client, gate, background, raw, keys):
    """However many calls wait for a spreadsheet, the next is sent when the last was answered."""
    serve()
    results = [background(read, client)]
    first = gate.next()
    results += [background(read, client) for _ in range(3)]
    eventually(lambda: raw.xlen(keys.lane("lane")) == 4)
    arrival = first
    for number in range(4):
        assert gate.is_idle
        assert len(gate.seen) == number + 1
        arrival.answer({"number": number})
        arrival = gate.next() if number < 3 else None
    assert sorted(result.result(PATIENCE)["number"] for result in results) == [0, 1, 2, 3]


def test_lanes_run_side_by_side(serve, client, gate, background, raw, keys):
    """Calls for two spreadsheets are under way at once, and never two for one."""
    serve()
    results = {
        lane: [background(write, client, lane), background(write, client, lane)]
        for lane in ("one", "two")
    }
    eventually(lambda: raw.xlen(keys.lane("one")) + raw.xlen(keys.lane("two")) == 4)
    flying = {arrival.lane: arrival for arrival in (gate.next(), gate.next())}
    assert set(flying) == {"one", "two"}
    flying["two"].answer({"turn": 1})
    second = gate.next()
    assert second.lane == "two"
    second.answer({"turn": 2})
    turns = sorted(result.result(PATIENCE)["turn"] for result in results["two"])
    assert turns == [1, 2]
    assert gate.is_idle
    flying["one"].answer({})
    gate.next().answer({})
    assert [result.result(PATIENCE) for result in results["one"]] == [{}, {}]


def test_many_lanes_are_never_mixed_up(serve, client, gate, background):
    """With many callers and lanes, no lane has two calls under way, and every call is answered."""
    serve()
    lanes = [f"lane{number}" for number in range(4)]
    results = [background(write, client, lanes[number % 4]) for number in range(16)]
    flying = set()
    waiting = []
    for _ in range(16):
        while len(waiting) < 1 or not gate.is_idle:
            arrival = gate.next()
            assert arrival.lane not in flying
            flying.add(arrival.lane)
            waiting.append(arrival)
        done = waiting.pop()
        flying.discard(done.lane)
        done.answer({})
    assert [result.result(PATIENCE) for result in results] == [{}] * 16


def test_a_lane_is_first_come_first_served(serve, client, gate, background, raw, keys):
    """Calls for one spreadsheet are made in the order in which they arrived."""
    results = []
    for number in range(6):
        results.append(background(write, client, "lane", number))
        eventually(lambda number=number: raw.xlen(keys.lane("lane")) == number + 1)
    serve()
    for number in range(6):
        arrival = gate.next()
        assert arrival.given["json"] == {"values": [[number]]}
        arrival.answer({"number": number})
    assert [result.result(PATIENCE)["number"] for result in results] == list(range(6))


def test_calls_without_a_spreadsheet_hold_up_no_spreadsheet(serve, client, gate, background):
    """A call that belongs to no spreadsheet has a lane of its own."""
    serve()
    listing = background(client.list_spreadsheet_files)
    files = gate.next()
    assert "/drive/v3/files" in files.endpoint
    reading = background(read, client)
    gate.next().answer({"read": True})
    assert reading.result(PATIENCE) == {"read": True}
    files.answer({"files": []})
    assert listing.result(PATIENCE) == []


def test_an_exception_of_the_client_reaches_the_caller_and_the_lane_goes_on(
    serve, client, gate, background
):
    """What the server's HTTP client raises is raised at the caller; the next call is made."""
    serve()
    failing = background(read, client)
    gate.next().fail(ValueError("no"))
    error = failing.exception(PATIENCE)
    assert type(error) is ValueError
    assert error.args == ("no",)
    reading = background(read, client)
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}


def test_two_servers_on_two_databases_in_one_process(
    serve, authorize, redis_url, gate, background, namespace, auth
):
    """Servers of one process on two databases keep apart, though the namespace is the same."""
    other_url = redis_url.removesuffix("/0") + "/1"
    other_gate = Gate()
    serve()
    serve(GatedHTTPClient(other_gate, auth), redis_url=other_url)
    here = background(read, authorize())
    there = background(read, authorize(redis_url=other_url))
    gate.next().answer({"at": "here"})
    other_gate.next().answer({"at": "there"})
    assert here.result(PATIENCE) == {"at": "here"}
    assert there.result(PATIENCE) == {"at": "there"}
    assert gate.is_idle
    assert other_gate.is_idle


def test_a_stopped_server_has_no_threads_left(serve, client, gate):
    """All threads of a server have ended when stop returns, and it can be started again."""
    before = set(threading.enumerate())
    gate.open()
    server = serve()
    for _ in range(2):
        for lane in ("one", "two", "three"):
            assert read(client, lane) == {}
        server.stop()
        assert set(threading.enumerate()) <= before
        assert not server.is_running
        server.start()
        assert server.is_running
    server.stop()
    server.stop()
    assert set(threading.enumerate()) <= before


def test_a_server_is_a_context_manager(serve, client, gate):
    """Entering starts a server and leaving it stops it."""
    before = set(threading.enumerate())
    gate.open()
    server = serve()
    server.stop()
    with server:
        assert read(client) == {}
    assert set(threading.enumerate()) <= before


def test_a_request_to_stop_is_heard_however_many_requests_are_in_the_air(
    serve, client, gate, background, redis_url, namespace, raw, keys, monkeypatch
):
    """Where every worker waits for Google and tasks wait for one, the dispatcher still listens."""
    monkeypatch.setattr(lanes_module, "_MOST_WORKERS", 1)
    server = serve()
    reading = [background(read, client, f"lane{number}") for number in range(5)]
    waiting = keys.ready_under(raw.hget(keys.server, "epoch"))
    eventually(lambda: raw.scard(keys.active) == 5 and not raw.exists(waiting))
    queue = Consumer(Settings(redis_url=redis_url, namespace=namespace))
    queue.request_stop(server.server_id)
    eventually(lambda: server.was_told_to_stop)
    gate.open()
    server.wait()
    serve()
    assert [call.result(PATIENCE) for call in reading] == [{}] * 5


def test_a_server_that_can_have_no_threads_ends(lanes, monkeypatch):
    """Without a thread to dispatch lanes, or one to drive them, no server pretends to work."""
    monkeypatch.setattr(lanes._dispatcher, "start", no_thread)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        lanes.serve()
    assert lanes._is_over()


def test_a_task_that_no_worker_takes_is_left(lanes, begun):
    """Where the pool is closed, as when a program ends, a lane is given back and all is over."""
    lanes._workers.shutdown()
    lanes._submit(*lanes._claimed(Ready("lane")))
    assert (lanes._is_over(), lanes._busy, lanes._backlog) == (True, {}, 0)


def no_thread():
    raise RuntimeError("can't start new thread")


def test_a_request_to_stop_an_earlier_run_is_void(serve, client, gate, redis_url, namespace):
    """A server that is started again is not stopped by what was meant for the run before."""
    gate.open()
    server = serve()
    earlier = server.server_id
    server.stop()
    Consumer(Settings(redis_url=redis_url, namespace=namespace)).request_stop(earlier)
    with server:
        assert read(client) == {}
        assert read(client) == {}
        assert server.is_running


def test_a_lane_outlives_whatever_its_client_raises(serve, client, auth):
    """A request that raises what is no Exception is answered, and the lane goes on."""

    class Exploding(GatedHTTPClient):
        def request(self, *args, **given):
            if not self.gate.seen:
                self.gate.seen.append(self)
                raise SystemExit("whatever")
            return response({"fine": True})

    serve(Exploding(Gate(), auth))
    with pytest.raises(RemoteError, match="SystemExit"):
        read(client)
    assert read(client) == {"fine": True}


def test_a_server_that_may_not_work_says_so_at_its_start(redis_url, namespace, raw, auth, gate):
    """A server whose Redis user may not run scripts fails to start, and leaves no thread."""
    before = set(threading.enumerate())
    raw.acl_setuser("nobody", enabled=True, nopass=True, keys=["*"], commands=["+@read", "+config"])
    url = redis_url.replace("://", "://nobody:x@")
    client = client_over(GatedHTTPClient(gate, auth))
    with pytest.raises(BrokerUnavailableError, match=r"nobody|permission"):
        Server(client, redis_url=url, namespace=namespace).start()
    assert set(threading.enumerate()) <= before


def test_beats_are_a_second_apart_at_the_most():
    """However long its lease is, a server beats often enough for callers to see it alive."""
    assert Lease(Consumer(Settings()), 600.0).next_beat == 1.0
    assert Lease(Consumer(Settings()), 0.3).next_beat == pytest.approx(0.1)


def test_a_standby_looks_often_for_its_turn(redis_url, namespace):
    """A server that stands by beats soon again, at the latest when the other's lease runs out."""
    settings = Settings(redis_url=redis_url, namespace=namespace)
    holder, standby = (Consumer(settings, name, name) for name in ("aaaa", "bbbb"))
    works, stands_by = Lease(holder, 600.0), Lease(standby, 600.0)
    works.beat()
    stands_by.beat()
    assert works.next_beat == 1.0
    assert stands_by.next_beat == 0.1
    holder.beat(0.9)
    patient = Lease(standby, 600.0, timing=Timing(standby_beat=1.0))
    patient.beat()
    assert patient.next_beat <= 0.9


FIRST = Entry("lane", "1-1", "id", b"", "", 1)


@pytest.fixture
def begun():
    return []


@pytest.fixture
def stopping():
    return threading.Event()


@pytest.fixture
def failure(stopping):
    return Failure(stopping.set)


@pytest.fixture
def lanes(begun, stopping, failure):
    """Return lanes whose work is to note that it was begun; to ask for more fails."""
    work = lambda ready, _: begun.append(ready) or (each for each in ())  # noqa: E731
    queue = SimpleNamespace(next_ready=lambda: 1 / 0, others=lambda _: [], place=None)
    lanes = Scheduler(queue, work, Ended(), stopping, stopping.set, watched=failure.watched)
    lanes._must_recover.clear()
    yield lanes
    lanes.join()


def drive(lanes, ready):
    """Drive a lane whose name has come, as a worker does."""
    claimed = lanes._claimed(ready)
    if claimed is not None:
        lanes._drive(*claimed)


@pytest.mark.parametrize("may_be_lost", [False, True])
def test_a_job_that_came_with_its_lane_is_fresh_unless_a_task_has_failed(lanes, begun, may_be_lost):
    """Once the work of a lane has failed, its head is asked for: it may have been begun."""
    if may_be_lost:
        lanes._claim("lane")
        lanes._come_back_to("lane")
    drive(lanes, Ready("lane", FIRST))
    assert begun == [Ready("lane", None if may_be_lost else FIRST)]


def test_a_job_that_came_while_its_lane_was_run_is_not_taken_for_fresh(lanes, begun):
    """What ran the lane may have run the job as well: the lane is asked for its head."""
    lanes._claim("lane")
    drive(lanes, Ready("lane", FIRST))
    assert begun == []
    lanes._release("lane")
    assert begun == [Ready("lane")]
    lanes._release("lane")


def test_a_new_master_is_asked_for_all_its_lanes(stopping):
    """A dispatcher whose connections were moved while it waited takes the queue over too."""
    recovered, places = [], ["old", "old", "new", "new"]
    queue = SimpleNamespace(
        place=places[0],
        predecessor=Predecessor(),
        recover=lambda _: recovered.append(queue.place) or Backlog(0, 0, 0),
        next_ready=lambda: setattr(queue, "place", places.pop(0)),
    )
    lanes = Scheduler(queue, None, None, stopping, None)
    while places:
        lanes._next_claimed()
    assert recovered == ["old", "new"]


@pytest.mark.parametrize("first", [None, FIRST])
def test_nothing_is_begun_once_all_is_over(lanes, begun, stopping, first):
    """A lane whose name comes after the end is left as it is."""
    stopping.set()
    drive(lanes, Ready("lane", first))
    assert (begun, lanes._busy) == ([], {})


def test_an_error_of_the_dispatcher_ends_the_server(lanes, failure):
    """What the dispatcher cannot go on after is raised where the server is waited for."""
    lanes.serve()
    assert lanes._is_over()
    with pytest.raises(QueuedGspreadError, match=r"dispatcher.*ZeroDivisionError") as caught:
        failure.check()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


class Ended:
    """A valve that lets nothing through."""

    def start(self):
        pass

    def close(self, error):
        pass


def test_a_copy_has_the_turn_of_its_source_alone(serve, client, callers, gate, background):
    """A sheet that is copied into another spreadsheet may come amid a call of several requests."""
    serve()
    inserting = background(send, callers, insert_rows(), "destination")
    first = gate.next()
    http = client.http_client
    copying = background(http.spreadsheets_sheets_copy_to, "source", 0, "destination")
    copy = gate.next()
    assert copy.endpoint.endswith("/source/sheets/0:copyTo")
    copy.answer({"title": "Copy"})
    assert copying.result(PATIENCE) == {"title": "Copy"}
    first.answer({})
    gate.next().answer({})
    assert inserting.result(PATIENCE).error is None


def test_a_withdrawn_call_is_not_made_though_its_place_has_come_again(serve, gate, raw, keys):
    """What a server got with the name of its lane is made as that very job, or not at all."""
    serve()
    epoch = eventually(lambda: raw.hget(keys.server, "worked"))
    withdrawn, other, place = new_id(), new_id(), "1-1"
    told = "\0".join(["", place, withdrawn, "4", "lane" + insert_rows().decode()])
    with raw.pipeline() as pipeline:
        pipeline.xadd(keys.lane("lane"), {"id": other, "body": message()}, id=place)
        pipeline.incr(keys.depth)
        pipeline.sadd(keys.active, "lane")
        pipeline.rpush(keys.ready_under(epoch), told)
        pipeline.execute()
    made = gate.next()
    assert made.method == "get"
    made.answer({})
    eventually(lambda: raw.exists(keys.reply(other)))
    assert len(gate.seen) == 1
    assert not raw.exists(keys.reply(withdrawn), keys.lane("lane"), keys.depth)
