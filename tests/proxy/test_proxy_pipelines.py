"""Pipelines: calls that are put in at once and waited for together."""

# ruff: noqa: PT012, SIM117 - what is raised at the end of a block belongs to the block

from __future__ import annotations

import contextvars
import os
import pickle
import re
import sys
import threading
from concurrent.futures import as_completed
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import partial

import gspread as plain
import pytest
import redis
from limits import UNLIMITED
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import Collector, core
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import (
    CallTimeoutError,
    JobLostError,
    PipelineError,
    QueueFullError,
    ServerUnavailableError,
)
from queued_gspread.protocol import kinds
from queued_gspread.proxy import call, pending, pipelining
from queued_gspread.proxy.call import http_client_of
from queued_gspread.proxy.pipelining import current
from queued_gspread.server import Server


@pytest.fixture
def later(serving, redis_url, namespace):
    """Return a worksheet whose server is gone by now."""
    with serving():
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, grace=PATIENCE)
        return client.create("Later").sheet1


@pytest.fixture
def raw(redis_url):
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def waiting_in(raw, namespace):
    return int(raw.get(Keys(namespace).depth) or 0)


# Order and results ------------------------------------------------------------------------------


def test_a_loop_in_a_pipeline_leaves_what_a_plain_one_does(ws):
    """Rows, cells and answers are those of the same loop without a pipeline."""
    with gspread.pipeline():
        answers = [ws.append_row([f"row {number}", number]) for number in range(20)]
        cells = [ws.acell(f"B{row}") for row in range(1, 21)]
    assert ws.get_all_values() == [[f"row {number}", str(number)] for number in range(20)]
    assert [cell.value for cell in cells] == [str(number) for number in range(20)]
    assert [answer["updates"]["updatedRange"] for answer in answers] == [
        f"Sheet1!A{row}:B{row}" for row in range(1, 21)
    ]
    assert ws._properties["gridProperties"]["rowCount"] == 1020


def test_calls_are_put_in_before_any_is_made(later, serving, raw, namespace):
    """Calls return while no server runs; once one does, their results come."""
    with ExitStack() as stack, gspread.pipeline():
        answer = later.update_acell("A1", "one")
        cell = later.acell("A1")
        later.add_rows(1)
        assert waiting_in(raw, namespace) == 3
        stack.enter_context(serving())
        assert cell.value == "one"
        assert answer["updatedCells"] == 1


def test_what_is_read_at_its_place_sees_what_was_written_before(ws):
    """A list is waited for, with all that was put in before it."""
    with gspread.pipeline():
        ws.update_acell("A1", "one")
        assert ws.get_all_values() == [["one"]]
        ws.update_acell("A1", "two")
        assert ws.row_values(1) == ["two"]


def test_a_lazy_result_can_be_an_argument(ws, gc):
    """A call with a lazy result among its arguments waits for that."""
    ws.update([["a", "b"]], "A1:B1")
    with gspread.pipeline():
        cell = ws.acell("A1")
        ws.update_acell("A2", "c")
        cell.value = "new"
        again = ws.acell("B1")
        ws.update_cells([cell, again])
        second = ws.spreadsheet.add_worksheet("Second", 10, 10)
        second.update_acell("A1", "there")
        ws.spreadsheet.del_worksheet(second)
    assert ws.get_all_values() == [["new", "b"], ["c", ""]]
    assert len(ws.spreadsheet.worksheets()) == 1


def test_a_new_spreadsheet_is_used_before_it_is_there(gc):
    """An object that comes later is waited for by its first call, and is a real one."""
    with gspread.pipeline():
        book = gc.create("Soon")
        book.sheet1.update_acell("A1", "x")
    assert type(book) is gspread.Spreadsheet
    assert book.sheet1.acell("A1").value == "x"


def test_whether_there_is_one_is_known_at_once(gc, sh):
    """What is asked by trying is waited for, so that the usual way to ask works in a block."""
    with gspread.pipeline():
        with pytest.raises(gspread.WorksheetNotFound):
            sh.worksheet("None of that name")
        with pytest.raises(gspread.SpreadsheetNotFound):
            gc.open("None of that name, either")


@pytest.mark.parametrize(
    "steps",
    [
        lambda ws: (ws.append_row(["a"]), ws.add_rows(5), ws.append_row(["b"]), ws.add_cols(2)),
        lambda ws: (ws.resize(50, 5), ws.append_row(["a"]), ws.resize(50, 5), ws.row_count),
        lambda ws: (ws.insert_row(["a"], 1), ws.delete_rows(1), ws.insert_row(["b"], 1)),
        lambda ws: (ws.update_title("A"), ws.update_acell("A1", "x"), ws.update_title("Sheet1")),
        lambda ws: (ws.update_tab_color("#ff0000"), ws.clear_tab_color(), ws.hide_gridlines()),
        lambda ws: (ws.append_row(["b"]), ws.append_row(["a"]), ws.sort((1, "asc")), ws.freeze(1)),
        lambda ws: (ws.append_rows([["a"]] * 3), ws.range(1, 1, 2, 1), ws.get_all_cells()),
        lambda ws: (ws.spreadsheet.update_title("T"), ws.spreadsheet.title, ws.title),
    ],
)
def test_properties_end_as_without_a_pipeline(gc, steps):
    """Counts, titles and all else that calls change are in the end what a plain loop leaves."""
    left = []
    for block in (nullcontext, gspread.pipeline):
        ws = gc.create("Book").sheet1
        with block():
            steps(ws)
        metadata = ws.spreadsheet.fetch_sheet_metadata()["sheets"][0]["properties"]
        own = {key: value for key, value in ws._properties.items() if key != "sheetId"}
        left.append((own, metadata, ws.get_all_values(), ws.spreadsheet.title))
    assert left[0] == left[1]


def test_local_properties_wait_for_the_calls_that_change_them(later, serving):
    """A count or a title that is read in a block is that after the calls before."""
    with ExitStack() as stack, gspread.pipeline():
        before = later.row_count
        later.append_row(["x"])
        later.append_row(["x"])
        stack.enter_context(serving())
        later.update_title("New")
        assert later.row_count == before + 2
        assert later.title == "New"
        assert "New" in repr(later)
        later.update_tab_color("#ff0000")
        assert later.get_tab_color() == "#FF0000"


def test_nothing_is_left_in_redis(later, serving, raw, namespace):
    """When the block has ended, no key of its calls is left."""
    with serving(), gspread.pipeline():
        for number in range(30):
            later.update_acell("A1", number)
    left = {key.split("}:")[1] for key in raw.keys(f"*{{{namespace}}}*")}
    eventually(lambda: not raw.keys(f"*{{{namespace}}}:*reply*"))
    assert not any("lane" in key or "depth" in key for key in left)


# Failures ---------------------------------------------------------------------------------------


def test_one_failure_is_raised_as_itself_when_the_block_ends(ws):
    """A call that failed, and whose result nobody touched, is raised; those behind it are made."""
    with pytest.raises(plain.exceptions.APIError, match="Unable to parse range"):
        with gspread.pipeline():
            ws.update([["x"]], "nonsense range")
            ws.update_acell("A1", "made")
    assert ws.acell("A1").value == "made"


def test_several_failures_are_raised_together(ws):
    """Each has what was called; the first is the cause."""
    with pytest.raises(PipelineError, match="2 calls of the pipeline failed") as caught:
        with gspread.pipeline():
            ws.update([["x"]], "nonsense range")
            ws.append_row(["made"])
            ws.batch_clear(["more nonsense"])
    error = caught.value
    assert [what for what, _ in error.errors] == ["worksheet.update", "worksheet.batch_clear"]
    assert error.__cause__ is error.errors[0][1]
    assert all(isinstance(failed, plain.exceptions.APIError) for _, failed in error.errors)
    assert ws.get_all_values() == [["made"]]
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), [what for what, _ in again.errors]) == (
        str(error),
        ["worksheet.update", "worksheet.batch_clear"],
    )


def test_a_failure_that_was_touched_is_not_raised_again(ws):
    """A failure comes where its result is touched, and the end of the block does not repeat it."""
    with gspread.pipeline():
        answer = ws.update([["x"]], "nonsense range")
        cell = ws.acell("A1")
        with pytest.raises(plain.exceptions.APIError):
            dict(answer)
        assert cell.value is None


def test_a_call_that_is_refused_at_once_is_raised_at_its_place(ws, monkeypatch):
    """What is known when a call is put in is raised there, and the others go on."""
    monkeypatch.setenv("QUEUED_GSPREAD_MAX_MESSAGE_BYTES", "20000")
    small = (
        gspread.authorize(
            redis_url=ws.client._self_caller.settings.redis_url,
            namespace=ws.client._self_caller.settings.namespace,
        )
        .open_by_key(ws.spreadsheet_id)
        .sheet1
    )
    with gspread.pipeline():
        small.update_acell("A1", "x")
        with pytest.raises(gspread.errors.MessageTooLargeError):
            small.update_acell("A2", "x" * 30_000)
    assert ws.get_all_values() == [["x"]]


def test_an_error_of_the_users_own_wins(ws):
    """What the block raises comes out, and what was put in is made all the same."""
    with pytest.raises(ZeroDivisionError), gspread.pipeline():
        ws.update([["x"]], "nonsense range")
        ws.update_acell("A1", "made")
        raise ZeroDivisionError
    assert ws.acell("A1").value == "made"


def test_ctrl_c_withdraws_what_was_not_started(later, serving, raw, namespace):
    """The error says how many calls were made, withdrawn, and unknown."""
    with pytest.raises(KeyboardInterrupt) as caught, gspread.pipeline():
        with serving():
            assert later.update_acell("A1", "made")["updatedCells"] == 1
        for _ in range(5):
            later.append_row(["never"])
        raise KeyboardInterrupt
    (told,) = getattr(caught.value, "__notes__", caught.value.args)
    assert "1 were made, 5 were withdrawn and will not be made, and 0 may have been made" in told
    assert waiting_in(raw, namespace) == 0
    with serving():
        assert later.get_all_values() == [["made"]]


def test_ctrl_c_tells_of_a_call_that_was_started(serve, gate, redis_url, namespace):
    """A write that is at Google when the block is interrupted is counted as unknown."""
    serve()
    http = gspread.authorize(redis_url=redis_url, namespace=namespace).http_client
    where = {"params": {"valueInputOption": "RAW"}, "body": {"values": [["x"]]}}
    with pytest.raises(KeyboardInterrupt) as caught, gspread.pipeline():
        http.values_append("a", "Sheet1", **where)
        arrival = gate.next()
        http.values_clear("a", "Sheet1!B1")
        raise KeyboardInterrupt
    arrival.answer()
    (told,) = getattr(caught.value, "__notes__", caught.value.args)
    assert "0 were made, 1 were withdrawn and will not be made, and 1 may have been made" in told


def test_a_failure_is_raised_where_its_result_is_touched(ws):
    """Each kind of lazy result raises its call's error, at every touch."""
    with gspread.pipeline():
        answer, cell = ws.update([["x"]], "nonsense range"), ws.acell("ZZZ9999999")
        for touch in (lambda: answer["updatedRange"], lambda: cell.value, lambda: cell.value):
            with pytest.raises(plain.exceptions.APIError):
                touch()


def test_ctrl_c_while_the_end_of_a_block_waits(later, raw, namespace):
    """An interrupt in the wait for all withdraws all."""
    pipeline = gspread.pipeline()

    def interrupted(seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught, pipeline:
        later.append_row(["never"])
        (call,) = pipeline._calls
        call._latch.wait = interrupted
    (told,) = getattr(caught.value, "__notes__", caught.value.args)
    assert "0 were made, 1 were withdrawn" in told
    assert waiting_in(raw, namespace) == 0


def test_an_interrupted_wait_at_its_place_withdraws_that_call(
    later, serving, raw, namespace, monkeypatch
):
    """A list that is no longer waited for is not read, and the others go on."""
    own = pipelining.PendingCall.value

    def interrupted(self):
        if self.what == "worksheet.get_all_values":
            raise KeyboardInterrupt
        return own(self)

    monkeypatch.setattr(pipelining.PendingCall, "value", interrupted)
    with gspread.pipeline():
        later.append_row(["x"])
        with pytest.raises(KeyboardInterrupt) as caught:
            later.get_all_values()
        assert "was not started" in getattr(caught.value, "__notes__", caught.value.args)[0]
        assert waiting_in(raw, namespace) == 1
        with serving():
            later.append_row(["y"])["updates"]


def test_an_interrupt_between_a_call_and_its_wait_withdraws_it(later, raw, namespace, monkeypatch):
    """A call that was put in, and that nobody waits for yet, is withdrawn; the block can end."""

    def interrupted(*_):
        raise KeyboardInterrupt

    with gspread.pipeline():
        with monkeypatch.context() as patch:
            patch.setattr(Collector, "collect", interrupted)
            with pytest.raises(KeyboardInterrupt) as caught:
                later.append_row(["never"])
        assert "was not started" in getattr(caught.value, "__notes__", caught.value.args)[0]
        assert waiting_in(raw, namespace) == 0


# Bounds -----------------------------------------------------------------------------------------


def test_at_most_so_many_calls_are_under_way(ws):
    """With a limit, the next call waits for the oldest."""
    most = 0
    with gspread.pipeline(limit=3) as calls:
        for number in range(30):
            ws.append_row([number])
            most = max(most, len(calls._calls))
    assert most <= 3
    assert ws.get_all_values() == [[str(number)] for number in range(30)]


def test_at_most_so_many_bytes_are_under_way(ws, monkeypatch):
    """Jobs in a pipeline take no more memory than their bound."""
    monkeypatch.setattr(pipelining, "_MOST_BYTES", 50_000)
    most = 0
    with gspread.pipeline() as calls:
        for _ in range(20):
            ws.update_acell("A1", "x" * 20_000)
            most = max(most, calls._bytes)
    assert 20_000 < most <= 50_000
    assert calls._bytes == 0


def test_a_limit_of_nothing_is_refused():
    """At least one call has to be under way."""
    with pytest.raises(ValueError, match="limit=0"):
        gspread.pipeline(limit=0)


def test_a_full_queue_drains_first(later, serving):
    """Where the queue is full of a block's own calls, the next one waits for them."""
    with serving(max_queue=2), gspread.pipeline():
        for number in range(20):
            later.append_row([number])
    with serving():
        assert later.get_all_values() == [[str(number)] for number in range(20)]


def test_a_queue_that_others_fill_is_told(later, serving, raw, namespace):
    """Where none of a block's calls is under way, a full queue is an error at its place."""
    with serving(max_queue=2):
        pass
    raw.set(Keys(namespace).depth, 2)
    with gspread.pipeline(), pytest.raises(QueueFullError):
        later.append_row(["x"])
    raw.delete(Keys(namespace).depth)


# Futures ----------------------------------------------------------------------------------------


def test_a_submitted_call_has_a_future(ws):
    """Whatever it returns, a submitted call is not waited for; its future has the result."""
    with gspread.pipeline() as calls:
        written = calls.submit(ws.update_acell, "A1", "one")
        read = calls.submit(ws.get_all_values)
        cell = calls.submit(ws.acell, label="A1")
        failed = calls.submit(ws.get, "nonsense range")
        assert read.result(PATIENCE) == [["one"]]
        assert type(cell.result(PATIENCE)) is plain.Cell
        assert type(written.result(PATIENCE)) is dict
        assert isinstance(failed.exception(PATIENCE), plain.exceptions.APIError)


def test_futures_that_are_waited_for_in_the_block(ws):
    """``as_completed`` and callbacks need nobody else to wait."""
    seen = []
    with gspread.pipeline() as calls:
        futures = [calls.submit(ws.append_row, [number]) for number in range(10)]
        for future in futures:
            future.add_done_callback(lambda done: seen.append(done.result()["updates"]))
        assert {*as_completed(futures, timeout=PATIENCE)} == {*futures}
    assert len(seen) == 10


def test_a_failed_future_that_nobody_asked_is_raised(ws):
    """A future counts as touched only when somebody has asked it."""
    with pytest.raises(plain.exceptions.APIError), gspread.pipeline() as calls:
        calls.submit(ws.get, "nonsense range")


def test_a_future_that_is_cancelled_is_withdrawn(later, serving):
    """A call that was not started is withdrawn, and its future says so."""
    with gspread.pipeline() as calls:
        later.append_row(["first"])
        future = calls.submit(later.append_row, ["never"])
        assert future.cancel()
        assert future.cancelled()
        assert {*as_completed([future], timeout=PATIENCE)} == {future}
        with serving():
            assert later.get_all_values() == [["first"]]


def test_a_future_that_is_done_cannot_be_cancelled(ws):
    """A call that was made keeps its result."""
    with gspread.pipeline() as calls:
        future = calls.submit(ws.append_row, ["made"])
        future.result(PATIENCE)
        assert not future.cancel()
        assert future.result()["updates"]


def test_what_is_no_queued_method_is_run_at_once(ws):
    """Any other function is called here and now, and its calls are waited for."""
    with gspread.pipeline() as calls:
        future = calls.submit(lambda: ws.append_row(["x"])["updates"]["updatedRows"])
        assert future.done()
        assert future.result() == 1
        assert isinstance(calls.submit(lambda: 1 / 0).exception(), ZeroDivisionError)


# Whose it is ------------------------------------------------------------------------------------


def test_a_callback_that_would_wait_forever(ws):
    """A callback that waits for what comes behind it, or cancels it, hears that it cannot."""
    told = []
    with gspread.pipeline() as calls:
        never = calls.new_call("never put in", [], adds=False)
        lazy, future = calls.lazy(never, dict), pending.CallFuture()
        waits = [lambda: lazy["updates"], future.result, future.exception, future.cancel]
        answered = calls.submit(ws.acell, "A1")
        answered.add_done_callback(lambda done: told.extend([done.result(), *map(_told, waits)]))
    assert type(told[0]) is plain.Cell
    assert [b"PipelineError: a future's callback waits" in text for text in told[1:]] == [True] * 4


def test_a_pipeline_is_its_threads(ws):
    """Calls of other threads are waited for, even in a copy of the context."""
    seen = []

    def call():
        seen.append((current(), type(ws.update_acell("A1", "x"))))

    with gspread.pipeline() as calls:
        for target in (call, lambda: contextvars.copy_context().run(call)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(call,))
        thread.start()
        thread.join()
        assert current() is calls
    assert seen == [(None, dict)] * 3
    assert current() is None


def test_another_thread_may_touch_a_result(ws):
    """A lazy result belongs to whoever has it."""
    with gspread.pipeline():
        cell, seen = ws.acell("A1"), []
        thread = threading.Thread(target=lambda: seen.append(cell.value))
        thread.start()
        thread.join()
    assert seen == [None]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_fork_is_refused(later, raw, namespace):
    """A forked child gets an error for calls and results of its parent's block."""
    reading, writing = os.pipe()
    with pytest.raises(KeyboardInterrupt):
        with gspread.pipeline():
            answer = later.append_row(["x"])
            child = os.fork()
            if child == 0:
                os.write(
                    writing,
                    _told(lambda: later.append_row(["y"])) + _told(lambda: answer["updates"]),
                )
                os._exit(0)
            os.waitpid(child, 0)
            raise KeyboardInterrupt  # so that nothing has to be made
    told = os.read(reading, 10_000).decode()
    assert told.count("PipelineError: this pipeline was begun by process") == 2


def test_a_forked_child_may_begin_its_own(ws):
    """A child that is forked within a block makes calls in a block of its own."""
    reading, writing = os.pipe()
    with gspread.pipeline():
        child = os.fork()
        if child == 0:
            os.write(writing, _told(lambda: os.write(writing, _made_in_own_block(ws))))
            os._exit(0)
        os.waitpid(child, 0)
        ws.append_row(["parent"])
    assert os.read(reading, 10_000) == b"childnothing"
    assert ws.col_values(1) == ["child", "parent"]


def _made_in_own_block(ws):
    with gspread.pipeline():
        ws.append_row(["child"])
        return ws.acell("A1").value.encode()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_that_has_left_the_block_makes_ordinary_calls(ws):
    """Behind the block that its parent began, a child's calls are made and waited for."""
    reading, writing = os.pipe()
    with gspread.pipeline():
        child = os.fork()
        if child != 0:
            os.waitpid(child, 0)
    if child == 0:
        os.write(writing, _told(lambda: ws.update_acell("A1", "child")))
        os._exit(0)
    assert os.read(reading, 10_000) == b"nothing"
    assert ws.acell("A1").value == "child"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_future_of_a_fork_is_refused(later):
    """A forked child that asks a future of its parent's block gets an error, at once."""
    reading, writing = os.pipe()
    with gspread.pipeline(wait=False) as calls:
        future = calls.submit(later.append_row, ["x"])
        child = os.fork()
        if child == 0:
            for ask in (future.result, future.exception, future.cancel):
                os.write(writing, _told(partial(ask, *([PATIENCE] * (ask != future.cancel)))))
            os._exit(0)
        os.waitpid(child, 0)
    told = os.read(reading, 10_000).decode()
    assert told.count("PipelineError: this pipeline was begun by process") == 3, told


@pytest.mark.parametrize("options", [{}, {"wait": False}, {"reorder": True}])
def test_a_future_is_of_the_call_and_not_of_its_first_request(ws, options):
    """A call that cannot travel is made by gspread's code here, and its future has the result."""
    ws.update_acell("A1", "hello")
    with gspread.pipeline(**options) as calls:
        found = calls.submit(ws.find, re.compile("hel+"))
        cleared = calls.submit(ws.batch_clear, (label for label in ["A1"]))
        assert found.result().address == "A1"
        assert cleared.result()["clearedRanges"]
    assert ws.acell("A1").value is None


def test_a_future_of_another_thread_is_its_own(ws, monkeypatch):
    """What another thread submits is made there, and never taken for a call of the block."""
    has_begun, may_go_on = threading.Event(), threading.Event()
    futures = []

    def ask():
        has_begun.set()
        may_go_on.wait(PATIENCE)
        return http_client_of(ws, kinds.WORKSHEET)

    with gspread.pipeline() as calls:
        thread = threading.Thread(target=lambda: futures.append(calls.submit(ws.acell, "A1")))
        with monkeypatch.context() as patched:
            patched.setattr(call, "runs_here", lambda *_: ask() is None)
            thread.start()
            assert has_begun.wait(PATIENCE)
        answer = ws.append_row(["block"])
        assert isinstance(answer, dict)
        may_go_on.set()
        thread.join()
        assert isinstance(futures[0].result(0), plain.Cell)
        assert answer["updates"]["updatedRows"] == 1


def test_a_program_that_ends_itself_in_a_block(ws):
    """``sys.exit`` in a block is the block's own: what was put in is made first."""
    with pytest.raises(SystemExit), gspread.pipeline():
        ws.append_row(["x"])
        sys.exit(1)
    assert ws.col_values(1) == ["x"]


def test_an_inner_block_makes_what_the_outer_one_is_given(ws):
    """A call that is submitted to another block than the inmost is waited for there."""
    with gspread.pipeline() as calls:
        with gspread.pipeline():
            ws.append_row(["before"])
            future = calls.submit(ws.acell, "A1")
            assert type(future.result(0)) is plain.Cell
            assert future.result(0).value == "before"
            assert calls.submit(ws.get, "nonsense range").exception(0)


def test_a_block_that_ends_in_another_context(ws):
    """A generator that is closed elsewhere ends its block, and nothing else is in it."""

    def generate():
        with gspread.pipeline():
            ws.append_row(["x"])
            yield current()

    generator = generate()
    block = contextvars.copy_context().run(next, generator)
    generator.close()
    assert not block.is_open
    assert current() is None
    assert ws.col_values(1) == ["x"]


def _told(do):
    try:
        do()
    except Exception as error:  # noqa: BLE001 - what it is is told
        return f"{type(error).__name__}: {error}\n".encode()
    return b"nothing"


def test_a_pipeline_within_a_pipeline(ws):
    """An inner block ends when its own calls are made, and waits for what the outer one changes."""
    with gspread.pipeline():
        before = ws.row_count
        ws.append_row(["outer"])
        with gspread.pipeline():
            assert ws.row_count == before + 1
            ws.append_row(["inner"])
        assert ws.get_all_values() == [["outer"], ["inner"]]
        assert ws.append_row(["outer again"])["updates"]


def test_a_pipeline_is_used_once(ws):
    """A block that has begun cannot be begun again."""
    pipeline = gspread.pipeline()
    with pipeline:
        pass
    with pytest.raises(RuntimeError, match="used once"):
        pipeline.__enter__()


def test_two_queues_in_one_block(ws, redis_url, namespace, emulator, key_file):
    """Calls of several clients, each with its own queue, go through one pipeline."""
    other = {"redis_url": redis_url, "namespace": f"{namespace}-other"}
    account = {"service_account": key_file, "api_endpoint": emulator.url}
    with Server(**other, **account, **UNLIMITED):
        book = gspread.authorize(**other).create("Other")
        sheet = book.sheet1
        with gspread.pipeline():
            for number in range(5):
                ws.append_row([number])
                sheet.append_row([number])
        assert ws.get_all_values() == sheet.get_all_values() == [[str(n)] for n in range(5)]


# What a waiting caller keeps --------------------------------------------------------------------


def test_a_patched_method_runs_here_and_waits(ws, monkeypatch):
    """Gspread's own code needs each of its answers, so its requests are queued one by one."""

    def append_row(self, values):
        answer = self.client.values_append(
            self.spreadsheet_id, self.title, {"valueInputOption": "RAW"}, {"values": [values]}
        )
        assert type(answer) is dict
        return answer

    monkeypatch.setattr(plain.Worksheet, "append_row", append_row)
    with gspread.pipeline():
        assert type(ws.append_row(["patched"])) is dict
        ws.update_acell("B1", "not")
    assert ws.get_all_values() == [["patched", "not"]]


def test_a_subclass_of_ones_own(ws):
    """A user's own method runs here; what it calls is put into the pipeline."""

    class Own(gspread.Worksheet):
        def append_twice(self, row):
            self.append_row(row)
            return self.append_row(row)

    own = Own(ws.spreadsheet, ws._properties, ws.spreadsheet_id, ws.client)
    with gspread.pipeline():
        answer = own.append_twice(["x"])
    assert answer["updates"]["updatedRange"] == "Sheet1!A2"


def test_warnings_are_raised_at_the_users_line(ws):
    """A warning of a call in a pipeline names the line that made the call."""
    ws.update([["a", "a"]], "A1:B1")
    with pytest.warns(match="") as caught, gspread.pipeline():
        ws.update("A1:B1", [["a", "b"]])
    assert [warning.filename for warning in caught] == [__file__]


def test_a_timeout_is_each_calls_own(later):
    """A call that nobody makes ends with its timeout, in a pipeline too."""
    later.client._self_caller.settings = _with(later, timeout=0.2)
    later.client._self_caller._queue.settings = later.client._self_caller.settings
    with pytest.raises(CallTimeoutError, match="no answer within the timeout"):
        with gspread.pipeline():
            later.append_row(["never"])


def _with(ws, **changes):
    return replace(ws.client._self_caller.settings, **changes)


def test_without_a_server_calls_fail_after_the_grace(later, redis_url, namespace):
    """That no server is alive is noticed for every call, and each is withdrawn."""
    hasty = gspread.authorize(redis_url=redis_url, namespace=namespace, grace=0.2)
    sheet = plain_copy(later, hasty)
    with pytest.raises(PipelineError) as caught, gspread.pipeline():
        sheet.append_row(["never"])
        sheet.append_row(["never"])
    assert [type(error) for _, error in caught.value.errors] == [ServerUnavailableError] * 2
    assert not any(error.may_have_run for _, error in caught.value.errors)


def plain_copy(ws, client):
    return gspread.Worksheet(ws.spreadsheet, ws._properties, ws.spreadsheet_id, client.http_client)


def test_a_lost_job_is_told(later, raw, namespace, monkeypatch):
    """A call that Redis no longer knows is told as lost."""
    monkeypatch.setattr(core, "SLICE", 0.1)
    with pytest.raises(JobLostError), gspread.pipeline():
        later.append_row(["never"])
        raw.delete(*raw.keys(f"*{{{namespace}}}*"))


def test_signed_calls_survive_a_takeover(serving, redis_url, namespace, tmp_path):
    """Jobs that were signed for a server that is gone are renewed for the next one."""
    key = tmp_path / "key"
    key.write_text("k" * 40)
    key.chmod(0o600)
    options = {"redis_url": redis_url, "namespace": namespace, "grace": PATIENCE}
    with serving(signing_key_file=str(key)):
        sheet = gspread.authorize(**options, signing_key_file=str(key)).create("Signed").sheet1
    with gspread.pipeline():
        for number in range(10):
            sheet.append_row([number])
        with serving(signing_key_file=str(key)):
            assert sheet.get_all_values() == [[str(number)] for number in range(10)]
