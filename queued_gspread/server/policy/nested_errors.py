"""The errors nested in an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["nested_errors"]


def nested_errors(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all errors nested in it, in the ways of requests and urllib3."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        part = waiting.pop(0)
        if not isinstance(part, BaseException) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        links = (getattr(part, "reason", None), getattr(part, "original_error", None))
        waiting += [*part.args, *links, part.__cause__]
