"""A program for asyncio; a comment marks each slip."""

from __future__ import annotations

import asyncio

from typing_extensions import reveal_type

import queued_gspread.asyncio as gspread


async def total(title: str) -> float:
    client = gspread.authorize(redis_url="redis://here", timeout=2, max_age=2.5)
    reveal_type(client)
    book = await client.open(title)
    reveal_type(book)
    sheet = await book.get_sheet1()
    reveal_type(sheet)
    reveal_type(await sheet.acell("A1"))
    reveal_type(await sheet.range("A1:B2"))
    reveal_type(sheet.title)
    reveal_type(sheet.row_count)
    done = await gspread.upsert_rows(sheet, [{"id": "a", "total": 1}], key="id")
    reveal_type(done)
    reveal_type(done.updated)
    found: gspread.Cell | None = await sheet.find("x")
    first: gspread.Worksheet = await book.sheet1
    async for each in book:
        await each.append_row([1, "a"], table_range="A1")
    await asyncio.gather(*(first.append_row([number]) for number in range(10)))
    with gspread.max_age(5):
        await sheet.acell("A1")
    async with gspread.max_age(5):
        await sheet.acell("A1")
    await sheet.update_title(5)  # slip
    await sheet.no_such()  # slip
    sheet.acell("A1").value  # slip
    gspread.upsert_rows(sheet, [], key="id")  # slip
    await gspread.upsert_rows(sheet, [], key="id", existing="replace")  # slip
    gspread.authorize(grace="soon")  # slip
    for each in book:  # slip
        pass
    return float(found.value or 0) if found else 0.0
