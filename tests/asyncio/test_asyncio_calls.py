"""Calls in a loop: what they return, raise and leave, and what they cost in connections."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import re
import sys
import threading
import warnings

import gspread
import pytest
from async_waiting import be_answered_before, next_of, until
from gate import cell_of
from gspread.exceptions import APIError, WorksheetNotFound
from waiting import PATIENCE

import queued_gspread.asyncio as queued
from queued_gspread.asyncio.line import Line
from queued_gspread.broker import core
from queued_gspread.broker.connection import client as connection
from queued_gspread.broker.scripts import SCRIPTS
from queued_gspread.protocol.kinds import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET, Group

KINDS = {
    CLIENT: queued.Client,
    SPREADSHEET: queued.Spreadsheet,
    WORKSHEET: queued.Worksheet,
    HTTP_CLIENT: queued.HTTPClient,
}
AWAITED = {"sheet1", "creationTime", "lastUpdateTime", "expiry"}
"""What gspread has as properties that send requests."""


async def new_sheet(connect):
    return await (await connect().create("Book")).get_sheet1()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_call_is_a_coroutine_with_gspreads_signature(kind):
    """Each method of gspread's classes that sends something is a coroutine function here."""
    for name in kind.calls:
        method = getattr(KINDS[kind], name)
        assert inspect.iscoroutinefunction(method), name
        assert inspect.signature(method) == inspect.signature(getattr(kind.cls, name)), name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_only_four_properties_send_requests(kind):
    """Every other property, and every local method, answers without any client to send with."""
    properties = {"id": "x", "sheetId": 0, "title": "T", "index": 0, "timeZone": "Z"}
    properties |= {"locale": "L", "gridProperties": {"rowCount": 1, "columnCount": 1}}
    own = object.__new__(kind.cls)
    vars(own).update(_properties=properties, spreadsheet_id="x", _spreadsheet=own)
    own.client = own.http_client = None
    for name, group in kind.groups.items():
        if group is Group.PROPERTY and name not in AWAITED:
            getattr(own, name)
        elif group is Group.LOCAL and name != "set_timeout":
            getattr(own, name)()


def test_results_are_objects_whose_calls_are_coroutines_too(server, connect):
    """Spreadsheets and worksheets, alone and in lists, are those of asyncio, with a parent."""

    async def main():
        client = connect()
        book = await client.create("Book")
        sheet = await book.get_sheet1()
        others = [await book.sheet1, *await book.worksheets(), *[each async for each in book]]
        assert [(type(each), each.id) for each in others] == [(queued.Worksheet, sheet.id)] * 3
        assert sheet.spreadsheet == book
        assert [type(each) for each in (client, book, sheet, sheet.client)] == list(KINDS.values())
        assert await book.creationTime == await book.get_creationTime()
        with pytest.warns(DeprecationWarning, match="get_lastUpdateTime"):
            assert await book.lastUpdateTime
        assert (sheet.title, sheet.row_count, book.title) == ("Sheet1", 1000, "Book")
        assert book.url == f"https://docs.google.com/spreadsheets/d/{book.id}"
        assert await client.expiry == await client.get_expiry()

    asyncio.run(main())


def test_objects_are_arguments_of_calls(server, connect):
    """A worksheet of asyncio can be given to a call, alone and in a list."""

    async def main():
        book = await connect().create("Book")
        first, second = await book.get_sheet1(), await book.add_worksheet("Second", 1, 1)
        await book.reorder_worksheets([second, first])
        assert [sheet.title async for sheet in book] == ["Second", "Sheet1"]
        await book.del_worksheet(second)
        assert [sheet.title async for sheet in book] == ["Sheet1"]

    asyncio.run(main())


def test_what_a_call_changes_is_on_its_object(server, connect):
    """Counts and titles are as gspread leaves them, once the call has been awaited."""

    async def main():
        sheet = await new_sheet(connect)
        before = sheet.row_count
        await asyncio.gather(*(sheet.insert_row([1]) for _ in range(3)), sheet.update_title("New"))
        assert (sheet.row_count, sheet.title) == (before + 3, "New")

    asyncio.run(main())


def test_many_calls_need_few_connections_and_no_thread(server, connect, redis_url, raw, emulator):
    """A thousand calls at a time need two connections, and a few requests for all."""

    async def main():
        sheet = await new_sheet(lambda: connect(redis_url=f"{redis_url}?client_name=asyncio"))
        threads, requests = threading.active_count(), len(emulator.ledger)
        rows = asyncio.gather(*(sheet.append_row([i]) for i in range(1000)))
        await asyncio.sleep(0)
        most = 0
        while not rows.done():
            most = max(most, sum(each["name"] == "asyncio" for each in raw.client_list()))
            await asyncio.sleep(0.01)
        await rows
        assert most == 2
        assert threading.active_count() <= threads + 1  # a server's own, at the most
        assert len(emulator.ledger) - requests < 100
        assert await sheet.col_values(1) == [str(i) for i in range(1000)]

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_calls_of_eager_tasks(server, connect):
    """In a loop whose tasks begin at once, calls are made as in any other."""

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        sheet = await new_sheet(connect)
        await asyncio.gather(*(sheet.append_row([number]) for number in range(100)))
        assert await sheet.col_values(1) == [str(number) for number in range(100)]

    asyncio.run(main())


def test_a_new_call_is_noticed_while_another_waits(serve, gate, connect, monkeypatch):
    """The one read of all replies is woken for a call that comes later, however long it waits."""
    monkeypatch.setattr(connection, "SLICE", 10 * PATIENCE)
    monkeypatch.setitem(connection.OPTIONS, "socket_timeout", 20 * PATIENCE)
    serve()

    asyncio.run(be_answered_before(connect().http_client, gate, 20))


def test_nothing_is_left_in_redis(server, connect, raw, keys):
    """Replies are deleted, and so is what has woken the read."""

    async def main():
        sheet = await new_sheet(connect)
        await asyncio.gather(*(sheet.acell("A1") for _ in range(50)))

    asyncio.run(main())
    asyncio.run(connect().create("The last call of a loop"))
    for part in ("reply", "wake", "renewal", "lane"):
        assert raw.keys(f"*{{{keys.namespace}}}*:{part}:*") == []


def test_objects_are_copied_and_pickled(server, connect):
    """A copy of a worksheet makes its calls in another loop than the first one."""
    sheet = asyncio.run(new_sheet(connect))

    async def main(own):
        await own.append_row(["x"])
        return await own.col_values(1)

    for own in (copy.copy(sheet), pickle.loads(pickle.dumps(sheet))):
        assert asyncio.run(main(own))[-1] == "x"
        assert (own.title, own.spreadsheet.title) == ("Sheet1", "Book")


def test_errors_are_the_blocking_clients(serve, gate, server, connect):
    """Google's errors and gspread's own are raised where the call is awaited."""

    async def main():
        book = await connect().create("Book")
        with pytest.raises(WorksheetNotFound):
            await book.worksheet("No such")
        sheet = await book.get_sheet1()
        with pytest.raises(APIError) as raised:
            await sheet.update_acell("ZZZ99999999", 1)
        assert raised.value.response.status_code == 400
        with pytest.raises(TypeError, match="acell"):
            await sheet.acell()

    asyncio.run(main())


def test_warnings_are_raised_at_the_awaiting_line(server, connect):
    """A warning of gspread's names the line of the user's that awaits the call."""

    async def main():
        sheet = await new_sheet(connect)
        await sheet.update_tab_color("#ff0000")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            line = inspect.currentframe().f_lineno + 1
            await sheet.update([[1]], "A1", raw=True, value_input_option="RAW")
            await sheet.update("A1", [[2]])
        return line, caught

    line, caught = asyncio.run(main())
    assert [(each.filename, each.lineno) for each in caught] == [(__file__, line + 1)]


@pytest.mark.parametrize("argument", [re.compile("^b"), re.compile(b"b")], ids=["text", "bytes"])
def test_an_argument_that_cannot_travel_is_used_in_a_thread(server, connect, argument):
    """Gspread's own method gets it, with the queue below it, and raises what it raises."""

    async def main():
        sheet = await new_sheet(connect)
        await sheet.append_row(["abc", "bcd"])
        if isinstance(argument.pattern, bytes):
            with pytest.raises(TypeError):
                await sheet.find(argument)
        else:
            assert (await sheet.find(argument)).value == "bcd"

    asyncio.run(main())


def test_a_patched_method_runs_in_a_thread(server, connect, monkeypatch):
    """What a test or a library has put into gspread's class is what a call runs."""
    monkeypatch.setattr(gspread.Worksheet, "acell", lambda self, label: (type(self), label))

    async def main():
        sheet = await new_sheet(connect)
        own, label = await sheet.acell("B2")
        assert issubclass(own, gspread.Worksheet)
        assert label == "B2"

    asyncio.run(main())


def test_a_lost_connection_loses_no_call(serve, gate, connect, redis_url, raw):
    """Calls whose connections Redis cuts have their answers all the same, each made once."""
    serve()

    async def main():
        http = connect(redis_url=f"{redis_url}?client_name=cut").http_client
        calls = [asyncio.ensure_future(http.request("get", cell_of(f"l{i}"))) for i in range(20)]
        first = await next_of(gate)
        for each in raw.client_list():
            if each["name"] == "cut":
                raw.client_kill_filter(_id=each["id"])
        first.answer()
        for _ in calls[1:]:
            (await next_of(gate)).answer()
        await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)
        assert gate.is_idle

    asyncio.run(main())


def test_signed_calls_travel_as_the_blocking_clients(serve, gate, connect, tmp_path):
    """With a signing key, jobs are signed and replies verified."""
    key = tmp_path / "signing.key"
    key.write_text("k" * 40)
    key.chmod(0o600)
    serve(signing_key_file=key)
    gate.open()

    async def main():
        signed = connect(signing_key_file=key).http_client
        await asyncio.gather(*(signed.request("get", cell_of("a")) for _ in range(3)))
        with pytest.raises(queued.errors.SignatureError):
            await connect().http_client.request("get", cell_of("a"))

    asyncio.run(main())


def test_signed_calls_outlast_their_server(serve, gate, connect, tmp_path, patient_callers):
    """Calls that were signed for a server that is gone are renewed for the next one."""
    key = tmp_path / "signing.key"
    key.write_text("k" * 40)
    key.chmod(0o600)
    server = serve(signing_key_file=key)
    gate.open()

    async def main():
        http = connect(signing_key_file=key).http_client
        await http.request("get", cell_of("a"))
        await asyncio.to_thread(server.stop)
        calls = asyncio.gather(*(http.request("get", cell_of(f"l{i}")) for i in range(10)))
        await asyncio.sleep(0)
        await asyncio.to_thread(serve, signing_key_file=key)
        assert len(await asyncio.wait_for(calls, PATIENCE)) == 10

    asyncio.run(main())


def test_without_a_redis_the_error_is_the_blocking_clients(connect):
    """A Redis that is not there is told as such, and that the call was not made."""

    async def main():
        client = connect(redis_url="redis://127.0.0.1:1/0")
        with pytest.raises(queued.errors.BrokerUnavailableError, match="redis-server") as raised:
            await client.open("Book")
        assert not raised.value.may_have_run

    asyncio.run(main())


def test_a_timeout_is_the_blocking_clients(connect, raw, keys):
    """The client's own timeout ends a call, which is withdrawn, and the error says so."""

    async def main():
        with pytest.raises(queued.errors.CallTimeoutError, match="not started") as raised:
            await connect(timeout=0.2).http_client.request("get", cell_of("a"))
        assert not raised.value.may_have_run

    asyncio.run(main())
    assert raw.exists(keys.lane("a")) == 0


def test_the_looks_of_all_calls_go_together(connect, raw, keys, monkeypatch):
    """Calls that wait ask in a few scripts for all whether a server is alive."""
    for module in (connection, core):
        monkeypatch.setattr(module, "SLICE", 0.2)
    asked, ask = [], Line.ask

    def noted(line, command):
        asked.append(ask(line, command))
        return asked[-1]

    monkeypatch.setattr(Line, "ask", noted)

    def looks():
        sent = [each.command for each in asked if each.is_sent]
        names = SCRIPTS["alive"].sha, SCRIPTS["alive"].text
        return [(command[2] - 2) // 2 for command in sent if command[1] in names]

    async def main():
        http = connect().http_client
        calls = [asyncio.ensure_future(http.request("get", cell_of("a"))) for _ in range(200)]
        await until(lambda: raw.xlen(keys.lane("a")) == 200)
        assert len(looks()) < 20  # of Redis's time, before the first job
        asked.clear()
        await until(lambda: sum(looks()) >= 2000)
        assert len(looks()) < 400
        for call in calls:
            call.cancel()

    asyncio.run(main())


def test_each_look_has_its_own_answer(connect, raw, keys, short_slices):
    """Of calls that look together, only the one whose job Redis has lost is told so."""

    async def main():
        http = connect().http_client
        calls = [asyncio.ensure_future(http.request("get", cell_of(f"l{i}"))) for i in range(20)]
        await until(lambda: len(raw.keys(keys.lane("l*"))) == 20)
        raw.delete(keys.lane("l7"))
        with pytest.raises(queued.errors.JobLostError):
            await asyncio.wait_for(calls[7], PATIENCE)
        assert not any(call.done() for call in (*calls[:7], *calls[8:]))
        for call in calls:
            call.cancel()

    asyncio.run(main())
