"""A request to the emulated API and its answer, as the methods see them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from queued_gspread.emulator.wire.payload import parsed_payload
from queued_gspread.google_api.methods import kind_of

from .method_override import seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.emulator.wire.errors import ApiError

    from .values import Place

Json = dict[str, Any]
# A slash that Google overlooks: `/v4/spreadsheets/ID/`, `/v4/spreadsheets/ID/:batchUpdate`.
_SLASH = re.compile("(/v4/spreadsheets(?:/[^/:]+(?:/values)?)?|/drive/v[23]/.+)/(?=:|$)")


@dataclass(frozen=True)
class Answer:
    """A response: its status, its body and the body's type."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """Return the answer with other headers."""
        return replace(self, headers=headers)


@dataclass
class Request:
    """A request as the methods see it; parts are the named groups of the path's pattern.

    `place` is where an append goes if that was found before the append itself. `email` is whose
    token it has, '' for an API key, and `has_storage` whether that account may own files.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes
    parts: dict[str, str] = field(default_factory=dict)
    place: Place | None = None
    email: str = ""
    has_storage: bool = True

    def __post_init__(self) -> None:
        """Split the target; the path stays percent-encoded until it is routed."""
        split = urlsplit(self.target)
        slashed = _SLASH.match(split.path)
        self.raw_path = slashed[1] + split.path[slashed.end() :] if slashed else split.path
        self.method, query, self.content = seen(self.method, self.headers, self.content)
        self.pairs = parse_qsl(split.query, keep_blank_values=True) + query
        self.query = dict(self.pairs)

    @property
    def path(self) -> str:
        """The path without percent-encoding."""
        return unquote(self.raw_path)

    @property
    def on_sheets(self) -> bool:
        """Whether it is for the Sheets API, not for the Drive API."""
        return self.raw_path.startswith("/v4/")

    @property
    def quota(self) -> str:
        """What it counts as: `read`, `write` or `drive`."""
        return kind_of(self.method, self.raw_path)

    @property
    def token(self) -> str:
        """Its access token; empty if it has none."""
        return self.headers.get("Authorization", "").partition(" ")[2].strip()

    @property
    def ranges(self) -> list[str]:
        """All `ranges` of the query, in order."""
        return [value for name, value in self.pairs if name == "ranges"]

    @property
    def json(self) -> Json:
        """The body; an empty object if there is none."""
        return parsed_payload(self.content)


def refusal(error: ApiError, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error as an answer."""
    answered = as_json(error.body, error.status)
    return replace(answered, headers=headers) if headers else answered


def as_json(body: Any, status: int = HTTPStatus.OK) -> Answer:
    """Return an answer whose body is JSON."""
    # An error quotes the request, lone surrogates included.
    return Answer(int(status), json.dumps(body, ensure_ascii=False).encode(errors="replace"))
