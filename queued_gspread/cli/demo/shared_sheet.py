"""The demo's sheet, read from the emulator itself, so that looking at it is no API request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.request import ProxyHandler, build_opener

if TYPE_CHECKING:
    from pathlib import Path

    from queued_gspread.emulator import Emulator

__all__ = ["SharedSheet"]

TITLE: Final = "demo"
HEADER: Final = ["who", "number", "what"]

_MOST_ROWS: Final = 500  # the emulator shows no more at a time


class SharedSheet:
    """An emulator with one spreadsheet, which the workers find by its title.

    Args:
        emulator: A running emulator that is empty.
        key_file: Where to write the key of its account.
        quota: How many reads and writes it allows in a minute, from now on.

    """

    def __init__(self, emulator: Emulator, key_file: Path, quota: int) -> None:
        from queued_gspread.emulator import Quotas  # noqa: PLC0415 - an extra

        emulator.write_service_account(key_file)
        self.client = emulator.gspread_client()
        book = self.client.open_by_key(emulator.add_spreadsheet(TITLE))
        book.sheet1.update([HEADER], "A1")
        emulator.quotas = Quotas(reads=quota, writes=quota)
        emulator.clear_ledger()
        self.emulator = emulator
        self.key_file = key_file
        self._window = f"{emulator.url}/emulator/files/{book.id}/sheets/0?rows={_MOST_ROWS}"
        self._opener = build_opener(ProxyHandler({}))

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows below the header, as a person sees them."""
        with self._opener.open(self._window) as answer:
            return _rows(json.load(answer)["cells"])[1:]

    def count(self) -> int:
        """Return how many rows there are below the header, read as a client."""
        return len(self.client.open(TITLE).sheet1.col_values(1)) - 1


def _rows(cells: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    rows: dict[int, dict[int, str]] = {}
    for cell in cells:
        rows.setdefault(cell["row"], {})[cell["column"]] = cell["value"]
    return [
        tuple(row.get(column, "") for column in range(max(row) + 1))
        for _, row in sorted(rows.items())
    ]
