"""The JSON bodies of requests, and Google's errors for invalid JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from .errors import invalid, too_deep

if TYPE_CHECKING:
    from collections.abc import Callable

_AROUND = 20
_TEXT_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity|\d{1000,})', re.DOTALL)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_ROOT = 'Invalid JSON payload received. Unknown name "": Root element must be a message.'


def parsed_payload(content: bytes) -> dict[str, Any]:
    """Return a body as an object, an empty one for no body; raise Google's 400 otherwise.

    Unlike Python, JSON has no NaN and no Infinity.
    """
    if not content:
        return {}
    shown = content.decode("utf-8", "replace")
    try:
        parsed = parsed_json(content)
    except json.JSONDecodeError as problem:
        raise _unexpected(shown, problem.pos) from None
    except UnicodeDecodeError as problem:
        raise _unexpected(shown, problem.start) from None
    except RecursionError:
        raise too_deep() from None
    except ValueError:
        raise _unexpected(shown, _refused(shown)) from None
    if not isinstance(parsed, dict):
        raise invalid(_ROOT)
    return parsed


def parsed_json(content: bytes, parse_float: Callable[[str], float] | None = None) -> Any:
    """Return a JSON value, with U+FFFD for halves of characters: no answer could hold them."""
    parsed = json.loads(content, parse_constant=_refuse, parse_float=parse_float)
    if not _HALF.search(content):
        return parsed
    halves = json.dumps(parsed, ensure_ascii=False).encode("utf-16", "surrogatepass")
    return json.loads(halves.decode("utf-16", "replace"))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _refused(text: str) -> int:
    """Return the place of a constant that JSON lacks, or of a number that Python does not read."""
    found = (match for match in _TEXT_OR_CONSTANT.finditer(text) if match[1])
    return next(found).start()


def _unexpected(text: str, place: int) -> Exception:
    """Return the 400 that shows what is around a place, and points at it."""
    start = max(place - _AROUND, 0)
    excerpt = text[start : place + _AROUND]
    pointer = " " * (place - start) + "^"
    return invalid(f"Invalid JSON payload received. Unexpected token.\n{excerpt}\n{pointer}")
