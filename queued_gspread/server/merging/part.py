"""One request as a part of a merged one, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from queued_gspread.google_api.methods import MergeKind
from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import is_read, wire_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.server.policy.request import Request

    from .ranges import Extent

__all__ = [
    "READS",
    "Json",
    "MergeKind",
    "Mergeable",
    "batch_path",
    "is_plain",
    "name_of",
    "params_of",
    "reads_params",
    "same_on_the_wire",
    "split_by_part",
    "values_path",
]

Json = dict[str, Any]


READS: Final = (MergeKind.GET, MergeKind.IDENTICAL)
"""The kinds of which identical requests are sent once."""


class Form(Enum):
    """Whether a request is for one range or for several."""

    ONE = auto()
    SEVERAL = auto()


@dataclass(frozen=True, eq=False)
class Mergeable:
    """A request that may be merged with others.

    Attributes:
        kind: Which others it may be merged with.
        request: The request itself.
        base: Scheme, host and path of its spreadsheet.
        options: Options that must be equal in all parts, by name.
        items: What it adds to the merged request: ranges, data or requests, in order.
        cells: How many cells it writes or reads, as far as that is known.
        extents: The cells that it writes.
        form: How its answer looks.
        range: The range of an append.

    """

    kind: MergeKind
    request: Request
    base: str
    options: tuple[tuple[str, Any], ...] = ()
    items: tuple[Any, ...] = ()
    cells: int = 0
    extents: tuple[Extent, ...] = ()
    form: Form = Form.SEVERAL
    range: str = ""

    @cached_property
    def is_idempotent(self) -> bool:
        """Whether it may be retried if it is unknown whether it was applied."""
        return is_idempotent(self.request)

    @cached_property
    def merge_key(self) -> tuple[Any, ...]:
        """What must be equal in all parts of one request."""
        return self.kind, self.base, self.options, self.range, self.is_idempotent


def split_by_part(parts: Sequence[Mergeable], results: Any) -> list[list[Any]] | None:
    """Split a list of one result for each item by part; return None if it is not such a list."""
    if not isinstance(results, list) or len(results) != sum(len(part.items) for part in parts):
        return None
    rest = iter(results)
    return [list(islice(rest, len(part.items))) for part in parts]


def is_plain(request: Request) -> bool:
    """Return whether a request can be sent, and is in the form in which it is sent.

    A request that cannot be sent must fail in its own call alone, such as one with NaN or half of a
    surrogate pair. Values that are sent as their text, such as bytes and dates, are not plain.
    """
    return wire_form(request) is not None


def same_on_the_wire(one: Request, other: Request) -> bool:
    """Return whether two requests are certainly the same bytes; Python says that 1 == True."""
    if one.endpoint != other.endpoint:
        return False
    form = wire_form(one)
    return form is not None and form == wire_form(other)


# Google's defaults for options that are not sent.
_DEFAULTS: Final = {
    "majorDimension": "ROWS",
    "valueRenderOption": "FORMATTED_VALUE",
    "dateTimeRenderOption": "SERIAL_NUMBER",
    "insertDataOption": "OVERWRITE",
    "includeValuesInResponse": "false",
    "responseValueRenderOption": "FORMATTED_VALUE",
    "responseDateTimeRenderOption": "SERIAL_NUMBER",
}
_SPREADSHEET: Final = r"/v4/spreadsheets/[^/:]+"


def name_of(request: Request) -> str:
    """Return the name under which a request is counted, whether or not it can be merged."""
    if request.called is not None and request.called.merge is not None:
        return request.called.merge.value
    return "other reads" if is_read(request) else "other writes"


def values_path(request: Request, verb: str = "") -> tuple[str, str] | None:
    """Return base and range of ``…/values/RANGE:verb``; None if it is another path."""
    parts = _split(request, rf"({_SPREADSHEET})/values/([^/:]+){verb}")
    return None if parts is None else (parts[0], unquote(parts[1]))


def batch_path(request: Request, rest: str) -> str | None:
    """Return the base of a path that ends with ``rest``; None if it is another path."""
    parts = _split(request, rf"({_SPREADSHEET}){rest}")
    return None if parts is None else parts[0]


def _split(request: Request, pattern: str) -> list[str] | None:
    """Return base and groups of a path that matches; None also if the URL is unusual."""
    try:
        parts = urlsplit(request.endpoint)
    except (ValueError, AttributeError, TypeError):
        return None
    match = re.fullmatch(pattern, str(parts.path))
    if match is None or parts.query or parts.fragment:
        return None
    base, *rest = match.groups()
    return [f"{parts.scheme}://{parts.netloc}{base}", *rest]


def params_of(request: Request) -> Json | None:
    """Return the parameters that are sent, by name; None if they are not a mapping."""
    params = {} if request.params is None else request.params
    if not isinstance(params, Mapping):
        return None
    return {str(name): value for name, value in params.items() if value is not None}


def reads_params(query: Json, known: Mapping[str, tuple[str, ...]]) -> Json | None:
    """Return the options that are not defaults; None if one is unknown or has an unknown value."""
    options = {name: _plain(value) for name, value in query.items()}
    if not all(name in known and value in known[name] for name, value in options.items()):
        return None
    return {name: value for name, value in options.items() if value != _DEFAULTS.get(name)}


def _plain(value: Any) -> Any:
    # gspread's options are enums that are also strings.
    if isinstance(value, str):
        return str.__str__(value)
    return str(value).lower() if isinstance(value, bool) else value
