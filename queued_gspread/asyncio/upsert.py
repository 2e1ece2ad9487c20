"""Upserts as coroutines; see docs/upserts.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from queued_gspread.protocol.kinds import WORKSHEET
from queued_gspread.proxy.upserting import METHOD, arguments

from .call import make
from .facade import held

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from queued_gspread.proxy.upserted import Upserted

    from .classes import Worksheet

__all__ = ["upsert_rows"]


async def upsert_rows(
    sheet: Worksheet,
    rows: Iterable[Any],
    *,
    key: str | Sequence[str],
    existing: Literal["update", "keep", "fail"] = "update",
    head: int = 1,
    value_input_option: str = "RAW",
) -> Upserted:
    """Change rows by their keys, and append the others; see :func:`queued_gspread.upsert_rows`."""
    own, home = held(sheet)
    args, kwargs = arguments(
        own, rows, key=key, existing=existing, head=head, value_input_option=value_input_option
    )
    if home is None:
        raise TypeError(
            "upsert_rows of queued_gspread.asyncio takes one of its own worksheets, not a blocking "
            "one: open the spreadsheet with its client"
        )
    return cast("Upserted", await make(home, own, WORKSHEET, METHOD, args, kwargs))
