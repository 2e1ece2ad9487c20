"""Pipelines that read and write single cells in an order of their own."""

# ruff: noqa: PT012, SIM117 - what is raised at the end of a block belongs to the block

from __future__ import annotations

import random
import threading
from types import SimpleNamespace

import pytest
import redis
from limits import UNLIMITED
from waiting import PATIENCE

import queued_gspread as gspread
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import BrokerUnavailableError, PipelineError
from queued_gspread.protocol.messages import Job
from queued_gspread.proxy import reordering
from queued_gspread.proxy.reordering import arranged, used_cell
from queued_gspread.server import Server


def on_cells(*uses):
    """Return calls that read (r) or write (w) cells: ``"rA"`` reads the cell A."""
    return [SimpleNamespace(cell=((use[1:],), use[0] == "w"), use=use) for use in uses]


def uses_of(held):
    return " ".join(each.use for each in held)


@pytest.mark.parametrize(
    ("made", "put_in"),
    {
        "rA wB rC wD": "rA rC wB wD",
        "wA rA wA rA": "wA rA wA rA",
        "wA rB wC rA": "rB wA wC rA",
        "wA wA wB": "wA wB wA",
        "rA wA rA rB": "rA rB wA rA",
        "wA rA wB rB wA rC": "rC wA wB rA rB wA",
    }.items(),
)
def test_reads_come_together_and_writes_come_together(made, put_in):
    """Calls on other cells are passed; those on a call's own cell keep their order."""
    assert uses_of(arranged(on_cells(*made.split()))) == put_in


@pytest.mark.parametrize("seed", range(50))
def test_each_read_sees_what_it_saw_in_order(seed):
    """Whatever is read and written, each read finds the latest write before it."""
    chance = random.Random(seed)
    held = on_cells(*(chance.choice("rw") + chance.choice("ABCDEF") for _ in range(200)))

    def seen(calls):
        cells, found = {}, {}
        for each in calls:
            place, writes = each.cell
            if writes:
                cells[place] = each
            else:
                found[id(each)] = cells.get(place)
        return found, cells

    assert seen(arranged(held)) == seen(held)


@pytest.mark.parametrize(
    ("method", "args", "kwargs", "cell"),
    [
        ("acell", ("B3",), {}, (3, 2, False)),
        ("acell", (), {"label": "b3"}, (3, 2, False)),
        ("cell", (3, 2), {"value_render_option": "FORMULA"}, (3, 2, False)),
        ("cell", (3,), {"col": 2}, (3, 2, False)),
        ("update_acell", ("B3", "text"), {}, (3, 2, True)),
        ("update_cell", (3, 2, 5), {}, (3, 2, True)),
        ("update_acell", ("B3", "=A1"), {}, None),
        ("update_acell", (), {"label": "B3", "value": "+A1"}, None),
        ("acell", ("6A",), {}, None),
        ("cell", (3,), {}, None),
        ("get", ("B3",), {}, None),
        ("update", ([["x"]], "B3"), {}, None),
    ],
)
def test_a_call_on_a_single_cell_is_known_by_its_arguments(method, args, kwargs, cell):
    """Only calls that read or write one cell may be passed, and none that writes a formula."""
    found = used_cell(Job("worksheet", method, args=args, kwargs=kwargs), ("book", 0))
    assert found == (cell and (("book", 0, *cell[:2]), cell[2]))


def test_a_mix_shares_requests(redis_url, namespace, emulator, key_file):
    """Reads and writes that alternate are three requests, and reads find what they would have."""
    account = {"service_account": key_file, "api_endpoint": emulator.url}
    server = {"redis_url": redis_url, "namespace": namespace, **account, **UNLIMITED}
    with Server(**server):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, grace=PATIENCE)
        ws = client.create("Mixed").sheet1
    before, cells = len(emulator.ledger), []
    with gspread.pipeline(reorder=True) as calls:
        for number in range(20):
            ws.update_acell(f"A{number + 1}", f"cell {number}")
            cells += [ws.acell(f"A{number + 1}"), ws.acell(f"B{number + 1}")]
        calls.flush()  # all of them wait, however slow this machine is
        with Server(**server):
            assert cells[-1].value is None
            assert cells[-2].value == "cell 19"
    assert len(emulator.ledger) - before == 3
    assert [cell.value for cell in cells[::2]] == [f"cell {number}" for number in range(20)]
    assert {cell.value for cell in cells[1::2]} == {None}


def test_a_cell_is_one_whichever_object_names_it(ws):
    """Google knows a worksheet by its title, so an object of an earlier one writes to the same."""
    book = ws.spreadsheet
    old = book.add_worksheet("Log", 5, 5)
    book.del_worksheet(old)
    new = book.add_worksheet("log", 5, 5)
    assert new.id != old.id
    with gspread.pipeline(reorder=True):
        old.update_acell("A1", "x")
        cell = new.acell("A1")
    assert cell.value == "x"


def test_any_other_call_comes_behind_what_is_held(ws):
    """What is read at its place, appended or formatted finds the cells that were written before."""
    with gspread.pipeline(reorder=True) as calls:
        ws.update_acell("A1", "first")
        assert ws.get_all_values() == [["first"]]
        ws.update_acell("A2", "second")
        ws.append_row(["third"])
        ws.update_acell("A4", "fourth")
        later = calls.submit(ws.get_all_values)
        ws.update_acell("A1", "changed")
    assert later.result() == [["first"], ["second"], ["third"], ["fourth"]]
    assert ws.acell("A1").value == "changed"


def test_what_is_touched_is_put_in(ws):
    """A result can be used in the block, by its own thread and by another one."""
    with gspread.pipeline(reorder=True):
        ws.update_acell("A1", "x")
        cell = ws.acell("A1")
        assert cell.value == "x"
        ws.update_acell("A1", "y")
        other, found = ws.acell("A1"), []
        thread = threading.Thread(target=lambda: found.append(other.value))
        thread.start()
        thread.join(PATIENCE)
        assert found == ["y"]


def test_a_block_in_a_block_comes_behind_what_is_held(ws):
    """Calls of an inner pipeline see what the outer one wrote before."""
    with gspread.pipeline(reorder=True):
        ws.update_acell("A1", "outer")
        with gspread.pipeline():
            inner = ws.acell("A1")
    assert inner.value == "outer"


def test_limits_hold_for_what_is_held(ws):
    """With room for few calls, what is held is put in, and all are made."""
    with gspread.pipeline(limit=3, reorder=True):
        for number in range(10):
            ws.update_acell(f"A{number + 1}", number)
    assert ws.col_values(1) == [str(number) for number in range(10)]


def test_an_error_is_its_calls_own(ws):
    """A call that fails is told at the end, and the others are made."""
    with pytest.raises(gspread.exceptions.APIError), gspread.pipeline(reorder=True):
        ws.update_acell("A1", "x")
        ws.acell("ZZZ9999999")
        ws.update_acell("A2", "y")
    assert ws.col_values(1) == ["x", "y"]


def test_ctrl_c_withdraws_what_is_held(ws):
    """Nothing that was held is made, and the note counts it as withdrawn."""
    with pytest.raises(KeyboardInterrupt) as caught, gspread.pipeline(reorder=True):
        ws.append_row(["made"])["updates"]
        ws.update_acell("A2", "x")
        cell = ws.acell("A2")
        raise KeyboardInterrupt
    (told,) = [*getattr(caught.value, "__notes__", ()), *caught.value.args][-1:]
    assert "1 were made, 2 were withdrawn" in told
    with pytest.raises(PipelineError, match="given up"):
        _ = cell.value
    assert ws.col_values(1) == ["made"]


def test_what_cannot_be_put_in_fails_with_all_behind_it(
    redis_url, namespace, emulator, key_file, monkeypatch
):
    """If Redis goes away, the calls that were held have its error, at once and each."""
    account = {"service_account": key_file, "api_endpoint": emulator.url}
    with Server(redis_url=redis_url, namespace=namespace, **account, **UNLIMITED):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, grace=PATIENCE)
        ws = client.create("Gone").sheet1
        tried = []

        def put_in(_, job):
            tried.append(job)
            raise BrokerUnavailableError("Redis is gone")

        monkeypatch.setattr("queued_gspread.broker.producer.Producer.put_in", put_in)
        with pytest.raises(PipelineError, match="2 calls") as caught:
            with gspread.pipeline(reorder=True):
                ws.update_acell("A1", "x")
                ws.update_acell("A2", "y")
    assert [type(error) for _, error in caught.value.errors] == [BrokerUnavailableError] * 2
    assert len(tried) == 1
    with redis.Redis.from_url(redis_url) as raw:
        assert not int(raw.get(Keys(namespace).depth) or 0)


@pytest.mark.parametrize("step", ["_let_go", "_send"])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_an_interrupt_at_any_step_leaves_no_call_without_an_end(ws, monkeypatch, step, at):
    """Wherever an interrupt comes, each call has ended when the block has, made or given up."""
    real, seen = getattr(reordering.ReorderingPipeline, step), []

    def interrupted(self, *args):
        seen.append(args)
        if len(seen) == at + 1:
            raise KeyboardInterrupt
        return real(self, *args)

    with pytest.raises(KeyboardInterrupt), gspread.pipeline(reorder=True) as calls:
        for number in range(5):
            ws.update_acell(f"A{number + 1}", number)
        pending = [*calls._calls]
        with monkeypatch.context() as patch:
            patch.setattr(reordering.ReorderingPipeline, step, interrupted)
            calls.flush()
    assert [call.is_done for call in pending] == [True] * 5
    assert not calls._calls


def test_an_interrupt_while_calls_are_put_in_withdraws_the_rest(ws, monkeypatch):
    """What had not been put in by then is not made, and is counted."""
    put_in = []
    real = reordering.ReorderingPipeline._send

    def interrupted(self, *args):
        put_in.append(args)
        if len(put_in) > 2:
            raise KeyboardInterrupt
        real(self, *args)

    monkeypatch.setattr(reordering.ReorderingPipeline, "_send", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught, gspread.pipeline(reorder=True):
        for number in range(5):
            ws.update_acell(f"A{number + 1}", number)
    notes = " ".join([*getattr(caught.value, "__notes__", ()), *map(str, caught.value.args)])
    assert "withdrawn and will not be made" in notes
    assert len(ws.col_values(1)) <= 2
