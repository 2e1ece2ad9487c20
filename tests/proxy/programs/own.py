"""A program that uses what gspread's functions have not; a comment marks each slip."""

from __future__ import annotations

from pathlib import Path

import queued_gspread as gspread
from queued_gspread.auth import Client

OPTIONS = Path("signing.key")


def clients() -> list[Client]:
    return [
        gspread.authorize(redis_url="redis://here", namespace="a", timeout=2, grace=1.5),
        gspread.service_account("key.json", grace=1, signing_key_file=OPTIONS),
        gspread.service_account_from_dict({}, grace=1.0),
        gspread.oauth(grace=None),
        gspread.oauth_from_dict({}, grace=2)[0],
        gspread.api_key("key", grace=2),
        gspread.authorize(max_age=5),
    ]


def total(sheet: gspread.Worksheet) -> float:
    with gspread.pipeline(limit=10) as calls:
        sheet.append_row(["a", 1])
        cells = [sheet.acell(f"A{row}") for row in range(1, 10)]
        table = calls.submit(sheet.row_values, 1)
        calls.submit(sheet.acell, "A1", no_such=1)  # slip
        calls.submit(sheet.acell, 5)  # slip
    number: float = calls.submit(sheet.acell, "A1").result()  # slip
    return sum(float(cell.value or 0) for cell in cells) + len(table.result()[0]) + number


def numbers(sheet: gspread.Worksheet) -> list[int]:
    done: gspread.Upserted = gspread.upsert_rows(sheet, [{"id": "a", "total": 1}], key="id")
    more = gspread.upsert_rows(sheet, [["a", 1]], key=["id", "day"], existing="keep", head=2)
    gspread.upsert_rows(sheet, [], key="id", existing="replace")  # slip
    gspread.upsert_rows(sheet, [], key=5)  # slip
    gspread.upsert_rows(sheet, [])  # slip
    gspread.upsert_rows("Orders", [], key="id")  # slip
    text: str = done.updated  # slip
    return [*done.updated, *more.kept, len(text)]


def first(sheet: gspread.Worksheet) -> str | None:
    begun: gspread.MaxAge
    with gspread.max_age(5) as begun, gspread.max_age(0):
        gspread.max_age("soon")  # slip
        gspread.max_age()  # slip
    return sheet.acell("A1").value if begun.seconds else None


gspread.authorize(grace="soon")  # slip
gspread.authorize(max_age=[5])  # slip
gspread.service_account(grase=1)  # slip
gspread.api_key("key", grace=[1])  # slip
gspread.oauth(namespace=5)  # slip
