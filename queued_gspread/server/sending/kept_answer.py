"""A successful answer of Google's as it is remembered: bytes, from which each call gets its own.

What a call gets is new each time, since gspread and this package change answers in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests

from queued_gspread.server.policy.request import bytes_of

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["KeptAnswer"]

# What the objects take that an answer and a header are kept in, about as much as measured.
_ANSWER, _HEADER = 1_500, 150
# They are no part of what a caller gets, and would be kept in memory for nothing.
_NOT_KEPT: Final = frozenset({"set-cookie", "set-cookie2", "authorization"})


@dataclass(frozen=True)
class KeptAnswer:
    """An answer.

    Attributes:
        status: Its HTTP status.
        reason: The words for that.
        url: Where it came from.
        encoding: That of its text.
        elapsed: How long Google took for it.
        headers: Its headers.
        content: Its body.
        size: The bytes of memory that it takes.

    """

    status: int
    reason: str
    url: str
    encoding: str | None
    elapsed: timedelta
    headers: tuple[tuple[str, str], ...]
    content: bytes
    size: int

    @classmethod
    def of(cls, value: Any) -> KeptAnswer | None:
        """Return an answer to keep; None for an error, or what is no answer with a body."""
        content = bytes_of(value)
        if not (content and value.ok and not value.is_redirect):
            return None
        headers = tuple(pair for pair in value.headers.items() if pair[0].lower() not in _NOT_KEPT)
        size = _ANSWER + len(content) + len(value.url or "")
        size += sum(_HEADER + len(name) + len(text) for name, text in headers)
        about = value.status_code, value.reason, value.url, value.encoding, value.elapsed
        return cls(*about, headers, content, size)

    def response(self) -> requests.Response:
        """Return it as an answer that may be changed."""
        response = requests.Response()
        response.status_code, response.reason = self.status, self.reason
        response.url, response.encoding = self.url, self.encoding
        response.elapsed = self.elapsed
        response.headers.update(self.headers)
        response._content = self.content  # noqa: SLF001 - requests has no constructor
        return response
