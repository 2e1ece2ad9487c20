"""Bodies of requests that cannot travel as they are: read them, as requests would to send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["whole"]

_BLOCK: Final = 65_536


def whole(body: Any) -> str | bytes | None:
    """Return a body as requests would send it: text of a stream is UTF-8."""
    if isinstance(body, str):
        return str.__str__(body)
    if body is None or type(body) is bytes:
        return body
    return b"".join(map(_chunk, _parts(body)))


def _chunk(part: Any) -> bytes:
    chunk = part.encode() if isinstance(part, str) else part
    # Fails as http.client does for anything that is not bytes.
    return b"%b" % (chunk,) if len(chunk) else b""


def _parts(body: Any) -> Iterable[Any]:
    if hasattr(body, "read"):
        return iter(lambda: body.read(_BLOCK) or None, None)
    try:
        return [memoryview(body)]
    except TypeError:
        pass
    if not hasattr(body, "__iter__"):  # urllib3's wording
        raise TypeError(
            "'body' must be a bytes-like object, file-like object, or iterable. "
            f"Instead was {body!r}"
        )
    return cast("Iterable[Any]", body)
