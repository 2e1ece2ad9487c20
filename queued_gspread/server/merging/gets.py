"""Reads of ranges: several ``values.get`` become one ``values:batchGet``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from queued_gspread.server.policy.request import Request

from .part import Form, Json, Mergeable, MergeKind, batch_path, params_of, reads_params, values_path
from .ranges import extent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MOST_URL", "Capacity", "part", "request", "split"]

MOST_URL: Final = 2_000
"""Most characters of a URL; google-api-python-client sends no GET with a URL over 2,048."""

_OPTIONS: Final = {
    "majorDimension": ("ROWS", "COLUMNS"),
    "valueRenderOption": ("FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"),
    "dateTimeRenderOption": ("SERIAL_NUMBER", "FORMATTED_STRING"),
}
# An open range may be the whole of a large sheet; a new sheet has 26,000 cells.
_OPEN: Final = 26_000


def part(asked: Request) -> Mergeable | None:
    """Return a read of ranges as a part; None if it is something else."""
    if str(asked.method).upper() != "GET" or asked.json:
        return None
    query = params_of(asked)
    path = values_path(asked)
    if query is None:
        return None
    if path is not None:
        return _part(asked, path[0], [path[1]], query, Form.ONE)
    base = batch_path(asked, "/values:batchGet")
    ranges = query.pop("ranges", None)
    ranges = [ranges] if isinstance(ranges, str) else ranges
    if base is None or not _is_text(ranges):
        return None
    return _part(asked, base, ranges, query, Form.SEVERAL)


def _is_text(ranges: Any) -> bool:
    is_list = isinstance(ranges, list | tuple) and bool(ranges)
    return is_list and all(isinstance(text, str) for text in ranges)


def _part(
    asked: Request, base: str, ranges: Sequence[str], query: Json, form: Form
) -> Mergeable | None:
    options = reads_params(query, _OPTIONS)
    if options is None:
        return None
    cells = sum(map(_cells, ranges))
    return Mergeable(
        MergeKind.GET, asked, base, tuple(sorted(options.items())), tuple(ranges), cells, form=form
    )


def _cells(text: str) -> int:
    extent = extent_of(text)
    return _OPEN if extent is None else extent.height * extent.width


def request(parts: Sequence[Mergeable]) -> Request:
    """Return the one request for all of them, with each range once."""
    params = {**dict(parts[0].options), "ranges": _ranges(parts)}
    return Request("get", f"{parts[0].base}/values:batchGet", params)


def _ranges(parts: Sequence[Mergeable]) -> list[str]:
    return list(dict.fromkeys(text for part in parts for text in part.items))


class Capacity:
    """Lets reads join while the merged URL stays short enough.

    Args:
        first: The first of them.

    """

    def __init__(self, first: Mergeable) -> None:
        options = sum(len(f"&{name}={value}") for name, value in first.options)
        self._ranges = set(first.items)
        length = len(f"{first.base}/values:batchGet") + options + _length(self._ranges)
        self._left = MOST_URL - length

    def add(self, part: Mergeable) -> bool:
        """Add one more if the URL has room for its ranges."""
        new = set(part.items) - self._ranges
        length = _length(new)
        if length > self._left:
            return False
        self._left -= length
        self._ranges |= new
        return True


def _length(ranges: Iterable[str]) -> int:
    return sum(len("&ranges=") + len(quote_plus(text)) for text in ranges)


def split(parts: Sequence[Mergeable], body: Json) -> list[Json] | None:
    """Return each part's answer: by position, since Google rewrites ranges in its own form."""
    answered, ranges = body.get("valueRanges"), _ranges(parts)
    if not isinstance(answered, list) or len(answered) != len(ranges):
        return None
    by_range = dict(zip(ranges, answered, strict=True))
    return [_answer(part, by_range, body) for part in parts]


def _answer(part: Mergeable, by_range: dict[str, Any], body: Json) -> Json:
    own = [by_range[text] for text in part.items]
    if part.form is Form.ONE:
        answer: Json = own[0]
        return answer
    return {**body, "valueRanges": own}
