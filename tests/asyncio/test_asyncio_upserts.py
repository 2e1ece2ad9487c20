"""Upserts in a loop."""

from __future__ import annotations

import asyncio
import inspect

import pytest

import queued_gspread as blocking
import queued_gspread.asyncio as gspread
from queued_gspread.errors import KeyExistsError, UpsertError


async def new_sheet(connect):
    sheet = await (await connect().create("Book")).get_sheet1()
    await sheet.update([["id", "x"], ["a", 1]])
    return sheet


def test_upserts_of_a_loop_end_as_one_after_the_other(server, connect, emulator):
    """Many can be under way, they share requests, and none doubles a key."""

    async def main():
        sheet = await new_sheet(connect)
        before = len(emulator.ledger)
        upserts = (
            gspread.upsert_rows(sheet, [{"id": f"k{n % 10}", "x": n}], key="id") for n in range(50)
        )
        done = await asyncio.gather(*upserts)
        return sheet, done, len(emulator.ledger) - before, await sheet.col_values(1)

    sheet, done, requests, column = asyncio.run(main())
    assert all(type(one) is blocking.Upserted for one in done)
    assert sum(len(one.appended) for one in done) == 10
    assert len(column) == len(set(column)) == 12
    assert requests < 50
    assert sheet.row_count == 1010


def test_errors_are_those_of_the_blocking_client(server, connect):
    """What cannot be used is refused, and what is there may be an error."""

    async def main():
        sheet = await new_sheet(connect)
        with pytest.raises(UpsertError, match="names 'nome'"):
            await gspread.upsert_rows(sheet, [{"nome": 1}], key="id")
        with pytest.raises(KeyExistsError, match="'a' in row 2"):
            await gspread.upsert_rows(sheet, [{"id": "a"}], key="id", existing="fail")
        return await gspread.upsert_rows(sheet, [{"id": "a"}], key="id", existing="keep")

    assert asyncio.run(main()).kept == [2]


def test_a_blocking_worksheet_is_refused(server, ws):
    """Its client belongs to no loop; the error says what to do."""
    with pytest.raises(TypeError, match="open the spreadsheet with its client"):
        asyncio.run(gspread.upsert_rows(ws, [], key="id"))


def test_the_coroutine_has_the_parameters_of_the_function():
    """Only the worksheet is another one."""
    mine, other = (inspect.signature(each.upsert_rows).parameters for each in (gspread, blocking))
    assert [(one.name, one.kind, one.default) for one in mine.values()] == [
        (one.name, one.kind, one.default) for one in other.values()
    ]
