"""What users of gspread_asyncio have, with one import changed."""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
import re

import gspread
import pytest

import queued_gspread.asyncio.compat as gspread_asyncio
from queued_gspread.protocol.kinds import SPREADSHEET, WORKSHEET


@pytest.fixture
def manager(server, redis_url, namespace):
    """Return a function that makes a manager; the account is nobody's in particular."""

    def make(cls=gspread_asyncio.AsyncioGspreadClientManager, **options):
        return cls(lambda: None, redis_url=redis_url, namespace=namespace, **options)

    return make


def readme_example():
    """Return the example of gspread_asyncio's README, as its wheel has it."""
    try:
        readme = importlib.metadata.metadata("gspread_asyncio").get_payload()
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("gspread_asyncio is not here: pip install --no-deps gspread_asyncio")
    return re.search(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)[1]


def test_its_readmes_example_runs_with_one_import_changed(
    server, emulator, key_file, redis_url, namespace, tmp_path, monkeypatch, capsys
):
    """The example of gspread_asyncio's README makes its spreadsheet, sheets and cells."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPACE", namespace)
    (tmp_path / "serviceacct_spreadsheet.json").write_bytes(key_file.read_bytes())
    ours = "import queued_gspread.asyncio.compat as gspread_asyncio\n"
    changed = readme_example().replace("import gspread_asyncio\n", ours)
    assert ours in changed
    exec(compile(changed, "example", "exec"), {"__name__": "__main__"})
    said = capsys.readouterr().out
    key = re.search(r"spreadsheets/d/(\S+)", said)[1]
    assert said.endswith("All done!\n")

    async def look():
        made = gspread_asyncio.ClientManager(lambda: None)
        book = await (await made.authorize()).open_by_key(key)
        return [await sheet.get_all_values() async for sheet in book]

    first, second = asyncio.run(look())
    for name, values in ("zero ws", first), ("ws", second):
        assert values == [[f"{row}/{col} {name}" for col in range(1, 6)] for row in range(1, 11)]


def test_the_old_names_are_the_new_ones(manager):
    """The classes have their names of before version 3 too, and objects are of them."""

    async def main():
        client = await manager().authorize()
        book = await client.create("Book")
        sheet = await book.add_worksheet("Second", 2, 2)
        assert isinstance(client, gspread_asyncio.AsyncioGspreadClient)
        assert isinstance(book, gspread_asyncio.AsyncioGspreadSpreadsheet)
        assert isinstance(sheet, gspread_asyncio.AsyncioGspreadWorksheet)
        assert (book.cm, sheet.cm) == (client.cm,) * 2
        for row in (1, 2):
            await sheet.update_cell(row, 1, f"{row}")
            assert (await sheet.cell(row, 1)).value == f"{row}"
        return client.gc, book.ss, sheet.ws

    client, book, sheet = asyncio.run(main())
    assert isinstance(client, gspread.Client)
    assert sheet.acell("A2").value == "2"
    client.del_spreadsheet(book.id)


@pytest.mark.parametrize("name", sorted(SPREADSHEET.calls | WORKSHEET.calls), ids=lambda name: name)
def test_every_call_takes_nowait(name):
    """Each call of a spreadsheet or a worksheet is a coroutine function."""
    for cls, kind in (
        (gspread_asyncio.Spreadsheet, SPREADSHEET),
        (gspread_asyncio.Worksheet, WORKSHEET),
    ):
        if name in kind.calls:
            assert inspect.iscoroutinefunction(getattr(cls, name))


THEIRS = ["ClientManager", "Client", "Spreadsheet", "Worksheet"]
"""The classes of gspread_asyncio's that users have objects of."""


@pytest.mark.parametrize("name", THEIRS)
def test_every_public_name_is_used_in_the_same_way(name):
    """What its classes have is here: awaited or not as there, with its parameters in its order."""
    theirs = pytest.importorskip("gspread_asyncio")
    cls, ours = getattr(theirs, f"AsyncioGspread{name}"), getattr(gspread_asyncio, name)
    for each in (each for each in dir(cls) if not each.startswith("_")):
        method, own = getattr(cls, each), getattr(ours, each)
        is_awaited = inspect.iscoroutinefunction
        assert is_awaited(own) == is_awaited(method), each
        if callable(method):
            parameters = parameters_of(method)
            assert parameters_of(own)[: len(parameters)] == parameters, each


def parameters_of(method):
    named = inspect.signature(method).parameters.values()
    kinds = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    return [
        each.name
        for each in named
        if each.name not in ("self", "nowait") and each.kind not in kinds
    ]


def test_nowait_returns_a_task(manager):
    """A call with ``nowait=True`` is put in, and awaited later or never."""

    async def main():
        sheet = await (await (await manager().authorize()).create("Book")).get_sheet1()
        tasks = [await sheet.append_row([number], nowait=True) for number in range(5)]
        assert all(isinstance(task, asyncio.Task) for task in tasks)
        assert await sheet.col_values(1) == ["0", "1", "2", "3", "4"]
        assert [await task for task in tasks][4]["updates"]["updatedRange"] == "Sheet1!A5"

    asyncio.run(main())


def test_objects_are_kept(manager, emulator):
    """Opening again what was opened sends nothing, until it is deleted."""

    async def main():
        managed = manager()
        client = await managed.authorize()
        assert await managed.authorize() is client
        book = await client.create("Kept")
        sheet = await book.get_worksheet(0)
        requests = len(emulator.ledger)
        assert await client.open("Kept") is await client.open_by_key(book.id) is book
        assert await client.open_by_url(book.url) is book
        assert await book.worksheet("Sheet1") is await book.get_sheet1() is sheet
        assert len(emulator.ledger) == requests
        other = await book.add_worksheet("Other", 1, 1)
        await book.del_worksheet(other)
        with pytest.raises(gspread.WorksheetNotFound):
            await book.worksheet("Other")
        await client.del_spreadsheet(book.id)
        with pytest.raises(gspread.SpreadsheetNotFound):
            await client.open("Kept")

    asyncio.run(main())


def test_a_manager_has_a_client_for_each_loop(manager):
    """A manager outlives a loop: authorize() returns a client of the one that runs."""
    managed = manager()

    async def main():
        client = await managed.authorize()
        await client.login()
        return (await client.create("Book")).title

    assert [asyncio.run(main()) for _ in "ab"] == ["Book", "Book"]


def test_a_managers_hook_is_called(manager):
    """A subclass of the manager sees each call before it is made, as with gspread_asyncio."""
    seen = []

    class Manager(gspread_asyncio.ClientManager):
        async def before_gspread_call(self, method, args, kwargs):
            seen.append((method.__name__, args, kwargs))

    async def main():
        sheet = await (await (await manager(Manager).authorize()).create("Book")).get_sheet1()
        await sheet.update_cell(1, 2, "x")

    asyncio.run(main())
    assert seen[-1] == ("update_cell", (1, 2, "x"), {})


def test_its_own_parameters_are_taken(manager):
    """Parameters that gspread_asyncio names or orders in its own way mean what they mean there."""

    async def main():
        managed = manager(gspread_delay=3.1, gspread_timeout=5)
        client = await managed.authorize()
        assert client.http_client.timeout == 5
        book, other = await client.create("Book"), await client.create("Other")
        sheet = await book.get_sheet1()
        await sheet.append_rows([["a", "b"], [1, ""], [2, ""]])
        assert await sheet.get_all_records(True, 1, "x") == [{"a": 1, "b": 0}, {"a": 2, "b": 0}]
        await sheet.update_tab_color("#ff0000")
        assert await sheet.get_tab_color() == "#FF0000"
        await sheet.sort([(1, "des")], "A2:B3")
        assert await sheet.col_values(1) == ["a", "2", "1"]
        await sheet.delete_rows(index=3)
        assert await sheet.col_values(1) == ["a", "2"]
        await sheet.copy_to(spreadsheet_id=other.id)
        assert len(await other.worksheets()) == 2

    asyncio.run(main())
