"""What servers have counted, as the parts of a snapshot. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import KINDS

from .snapshot import CallCounts, Caller, Histogram, RequestCounts, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from queued_gspread.broker import Published

    Steps = Mapping[int, Sequence[Mapping[str, float]]]

__all__ = ["callers_of", "calls_of", "histograms_of", "last_hour", "requests_of", "steps_of"]

_OF_CALLS: Final = (*KINDS, "none")
_FAILURES: Final = ("failed", "unknown", "poisoned", "late")
_FINE: Final = 10


def calls_of(totals: Mapping[str, int]) -> tuple[CallCounts, ...]:
    """Return the calls that have ended, by kind."""
    return tuple(_calls(kind, totals) for kind in _OF_CALLS)


def _calls(kind: str, totals: Mapping[str, int]) -> CallCounts:
    def of(*outcomes: str) -> int:
        return sum(totals.get(f"calls {kind} {outcome}", 0) for outcome in outcomes)

    return CallCounts(
        kind=kind,
        ok=of("ok"),
        failed=of("failed"),
        unknown=of("unknown"),
        poisoned=of("poisoned"),
        late=of("late"),
        withdrawn=of("withdrawn"),
        other=of("again", "replayed"),
    )


def requests_of(totals: Mapping[str, int]) -> tuple[RequestCounts, ...]:
    """Return the requests that were sent, by kind."""
    return tuple(_requests(kind, totals) for kind in KINDS)


def _requests(kind: str, totals: Mapping[str, int]) -> RequestCounts:
    def of(*ends: str) -> int:
        return sum(totals.get(f"requests {kind} {end}", 0) for end in ends)

    ends = (
        of("ok"),
        of("failed"),
        of("refused", "refused.user", "refused.project"),
        of("unknown"),
        of("unauthenticated"),
    )
    carried, merged, resent = (
        totals.get(f"{what} {kind}", 0) for what in ("carried", "merged", "resent")
    )
    average = carried / sum(ends) if sum(ends) else 0.0
    return RequestCounts(kind, *ends, carried, merged, resent, average)


def histograms_of(totals: Mapping[str, int], bounds: Sequence[float]) -> tuple[Histogram, ...]:
    """Return how long calls waited and took, and requests; those of which there are any."""
    found = []
    for what, kinds in (("waited", _OF_CALLS), ("took", _OF_CALLS), ("answered", KINDS)):
        for kind in kinds:
            places = range(len(bounds) + 1)
            each = tuple(totals.get(f"{what} {kind} {place}", 0) for place in places)
            if any(each):
                seconds = totals.get(f"{what} {kind} ms", 0) / 1000
                found.append(Histogram(what, kind, tuple(bounds), each, seconds))
    return tuple(found)


def callers_of(published: Published, now: float) -> tuple[Caller, ...]:
    """Return the latest callers, those with running calls first."""
    running, ended = published.work.callers, published.callers
    callers = [
        Caller(
            name,
            running.get(name, 0),
            ended[name].calls if name in ended else 0,
            ended[name].failed if name in ended else 0,
            ended[name].requests if name in ended else 0.0,
            max(0.0, now - ended[name].last) if name in ended else None,
        )
        for name in {**running, **ended}
    ]
    return tuple(sorted(callers, key=lambda each: (-each.running, -each.calls, each.caller)))


def last_hour(history: Steps) -> Counter[str]:
    """Return what was counted in the last hour."""
    found: Counter[str] = Counter()
    for step in history.get(_FINE, ()):
        for name, number in step.items():
            found[name] += number  # type: ignore[assignment]  # a sum of seconds is no whole number
    return found


def steps_of(history: Steps) -> tuple[Step, ...]:
    """Return the steps of the histories, the fine ones first."""
    return tuple(
        _step(seconds, step) for seconds, steps in sorted(history.items()) for step in steps
    )


def _step(seconds: int, step: Mapping[str, float]) -> Step:
    def of(*names: str) -> int:
        return int(sum(step.get(name, 0) for name in names))

    refused = (name for name in step if name.startswith("refused"))
    return Step(
        at=step["t"],
        seconds=seconds,
        calls=of("calls"),
        failed=of(*_FAILURES),
        unknown=of("unknown"),
        waiting=of("waiting"),
        reads=of("requests.read"),
        writes=of("requests.write"),
        drive=of("requests.drive"),
        carried=of(*(f"carried.{kind}" for kind in KINDS)),
        resent=of("resent"),
        refused=of(*refused),
        hits=of("hits"),
    )
