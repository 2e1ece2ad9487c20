"""One call made both ways, and what is not the same."""

from __future__ import annotations

import enum
import re
import warnings
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from .by_design import SUBCLASSES, as_base_classes, by_design
from .two_ways import plain

if TYPE_CHECKING:
    from .drawn import Drawn
    from .sides import Side

__all__ = ["Difference", "compare"]

# Methods of HTTP that change nothing of what is stored.
_READS = {"GET", "HEAD", "OPTIONS"}
# Addresses of objects and of the emulator, and the boundary between the parts of a body.
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}|127\.0\.0\.1:\d+|(?<=port=)\d+|\b[0-9a-f]{18,32}\b")
# The order of objects in a set is that of their addresses.
_SET = re.compile(r"(?<=\{)<Worksheet [^{}]*(?=\})")


@dataclass(frozen=True)
class Seen:
    """What can be seen of one call, as plain data."""

    result: Any
    raised: Any
    warned: Any
    equal: Any
    left: Any
    properties: Any
    requests: Any
    # What was raised, for those who ask about its class.
    error: Exception | None = field(default=None, compare=False)
    given: list[Any] = field(default_factory=list, compare=False, repr=False)


ASPECTS = ("raised", "result", "warned", "equal", "left", "properties", "requests", "state")


@dataclass(frozen=True)
class Difference:
    """A call that is not the same both ways."""

    call: Drawn
    aspect: str
    plain: Any
    queued: Any

    @property
    def cause(self) -> str:
        """What differences of one kind have in common."""
        return f"{self.aspect}: {_kind(self.plain)} / {_kind(self.queued)}"

    def __str__(self) -> str:
        first, second = _narrowed(self.plain, self.queued)
        return f"{self.call}\n      plain  {first!r:.400}\n      queued {second!r:.400}"


def compare(call: Drawn, sides: tuple[Side, Side]) -> tuple[list[Difference], str | None]:
    """Make a call both ways; return what differs, or the sentence that names the difference."""
    found, named = _compared(call, sides, reduced=False)
    if found and call.has_subclasses(sides[0]):
        # What JSON makes of the arguments is what plain gspread has to be given for the same.
        for side in sides:
            side.begin()
        again, named = _compared(call, sides, reduced=True)
        if not again:
            return [], named or SUBCLASSES
    return found, named


def _compared(call: Drawn, sides: tuple[Side, Side], *, reduced: bool) -> Any:
    first, second = see(call, sides[0], reduced=reduced), see(call, sides[1])
    named = None if first == second else by_design(call, first, second)
    if named:
        return [], named
    found = [
        Difference(call, aspect, getattr(first, aspect), getattr(second, aspect))
        for aspect in ASPECTS[:-1]
        if getattr(first, aspect) != getattr(second, aspect)
    ]
    if any(request[0] not in _READS for seen in (first, second) for request in seen.requests):
        before, after = (side.state for side in sides)
        if before != after:
            found.append(Difference(call, "state", before, after))
    return found, None


def see(call: Drawn, side: Side, *, reduced: bool = False) -> Seen:
    """Make a call one way and note what it comes to."""
    args, kwargs = call.arguments(side)
    if reduced:
        args, kwargs = as_base_classes(args), as_base_classes(kwargs)
    side.emulator.clear_ledger()
    error = result = None
    shown = equal = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)  # raised whenever something is collected
        try:
            result = call.call(side, args, kwargs)
        except Exception as raised:  # noqa: BLE001 - whatever gspread raises, both have to
            error = raised
    if error is None:
        equal = [result == other for other in (side.sh, side.ws, side.tail, side.other)]
        shown = type(result.__class__) if call.method == "Client.expiry" else _shown(result)
    return Seen(
        result=shown,
        raised=None if error is None else neutral(plain(error)),
        warned=[(w.category, neutral(str(w.message)), w.filename, w.lineno) for w in caught],
        equal=equal,
        left=[_rest(value) for value in (*args, *kwargs.values())],
        properties=[plain(o._properties) for o in (side.sh, side.ws, side.tail, side.other)],
        requests=[
            neutral((s.method, s.path, s.query, s.body, s.status)) for s in side.emulator.ledger
        ],
        error=error,
        given=[*args, *kwargs.values()],
    )


def _shown(result: Any) -> Any:
    return neutral((plain(result), repr(result)))


def _rest(value: Any) -> Any:
    """Return what is left of an argument that can be used up."""
    if hasattr(value, "read"):
        return value.read()
    if hasattr(value, "__next__"):
        try:
            return [plain(item) if not hasattr(item, "client") else repr(item) for item in value]
        except ZeroDivisionError:
            return "ZeroDivisionError"
    return None


def neutral(value: Any) -> Any:
    """Return data without what differs from one object to the next: addresses and ports."""
    if isinstance(value, str):
        return _SET.sub(_in_order, _ADDRESS.sub("#", value))
    if isinstance(value, bytes):
        return neutral(value.decode("latin-1")).encode("latin-1")
    if isinstance(value, (list, tuple)):
        return type(value)(map(neutral, value)) if type(value) in (list, tuple) else repr(value)
    if isinstance(value, float):
        return repr(value)  # nan is not equal to itself
    if isinstance(value, dict):
        return {neutral(name): neutral(part) for name, part in value.items()}
    return value if _is_data(value) else _ADDRESS.sub("#", repr(value))


def _in_order(shown: re.Match[str]) -> str:
    return ", ".join(sorted(shown[0].split(", ")))


def _is_data(value: Any) -> bool:
    return value is None or isinstance(value, (int, type, date, enum.Enum))


def _narrowed(first: Any, second: Any) -> tuple[Any, Any]:
    """Return the smallest part of two values that holds all that differs."""
    while type(first) is type(second) in (list, tuple) and len(first) == len(second):
        parts = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
        if len(parts) != 1:
            return tuple(first for first, _ in parts), tuple(second for _, second in parts)
        first, second = parts[0]
    return first, second


def _kind(value: Any) -> str:
    """Return the name of a class that stands at the head of what :func:`plain` returns."""
    while isinstance(value, (tuple, list)) and value:
        value = value[0]
    return getattr(value, "__name__", type(value).__name__)
