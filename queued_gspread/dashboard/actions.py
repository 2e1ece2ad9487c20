"""What is done to a queue from the page: as the commands do it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from queued_gspread import acting
from queued_gspread.broker import EVERYTHING, READS, WRITES
from queued_gspread.broker.operators import Operator, who_asks
from queued_gspread.broker.pauses import LONGEST_WHY, one_line
from queued_gspread.web.fields import Field, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from queued_gspread.settings import Settings

__all__ = ["ACTIONS", "COMMON", "Action", "operator_of"]

_MOST_JOBS: Final = 1000
_LANE: Final = re.compile(r"[\w~-]{0,200}", re.ASCII)
_JOB: Final = re.compile(r"[\x21-\x7e]{1,200}")
_PLACE: Final = re.compile(r"\d{1,15}-\d{1,20}", re.ASCII)
_SORTS: Final = ("unknown", "failed", "poisoned")


def _matching(pattern: re.Pattern[str], takes: str) -> Kind:
    return Kind(
        takes,
        lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None,
        "text",
    )


def _choice(*words: str) -> Kind:
    return Kind(" or ".join(words), lambda value: value in words, "choice", words)


def _are_jobs(value: Any) -> bool:
    is_list = isinstance(value, list) and 0 < len(value) <= _MOST_JOBS
    return is_list and all(isinstance(one, str) and _JOB.fullmatch(one) for one in value)


_TEXT: Final = Kind(
    f"a text of at most {LONGEST_WHY} characters",
    lambda value: isinstance(value, str) and len(value) <= LONGEST_WHY,
    "text",
)
COMMON: Final = {
    "reason": Field("why, for callers and the log", _TEXT),
    "by": Field("who asks, as they say", _TEXT),
}
_WHERE: Final = {
    "lane": Field("the only spreadsheet that it is about", _matching(_LANE, "a spreadsheet's lane"))
}
_WHAT: Final = {"what": Field("what is paused", _choice(EVERYTHING, READS, WRITES))}


@dataclass(frozen=True)
class Action:
    """Something that can be done.

    Attributes:
        run: Does it; returns what the page is told.
        fields: What it takes, beyond :data:`COMMON`.
        required: Those that must be there.

    """

    run: Callable[[Operator, Mapping[str, Any]], dict[str, Any]]
    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()


def _pause(queue: Operator, given: Mapping[str, Any]) -> dict[str, Any]:
    told = acting.pause(queue, given.get("what", EVERYTHING), _lane(given), _why(given))
    return {"told": told}


def _resume(queue: Operator, given: Mapping[str, Any]) -> dict[str, Any]:
    told = acting.resume(queue, given.get("what", EVERYTHING), _lane(given), _why(given))
    return {"told": "; ".join(told)}


def _drain(queue: Operator, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"told": acting.drain(queue, _why(given))}


def _cancel(queue: Operator, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"told": acting.cancel(queue, given["job"], _lane(given), _why(given))}


def _question(queue: Operator, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to ask before a purge, and up to which call it would go."""
    waiting = acting.Waiting(queue, _lane(given))
    moment, number = waiting.last
    shown = {"calls": waiting.count, "question": waiting.question}
    return {**shown, "last": f"{moment}-{number}"}


def _purge(queue: Operator, given: Mapping[str, Any]) -> dict[str, Any]:
    moment, _, number = given["last"].partition("-")
    waiting = acting.Waiting(queue, _lane(given), (int(moment), int(number)))
    return {"told": waiting.cancel(_why(given))}


def _dismiss(queue: Operator, given: Mapping[str, Any]) -> dict[str, Any]:
    jobs, sort = set(given["jobs"]), given.get("sort")
    gone = acting.dismiss(
        queue, lambda each: each.job_id in jobs and sort in (None, each.sort), _why(given)
    )
    return {"told": f"dismissed {len(gone):,} of {len(jobs):,}", "dismissed": len(gone)}


ACTIONS: Final[Mapping[str, Action]] = {
    "pause": Action(_pause, {**_WHAT, **_WHERE}),
    "resume": Action(
        _resume,
        {"what": Field("what goes on", _choice(EVERYTHING, READS, WRITES, "drain")), **_WHERE},
    ),
    "drain": Action(_drain, {}),
    "cancel": Action(
        _cancel, {"job": Field("the job's id", _matching(_JOB, "a job's id")), **_WHERE}, ("job",)
    ),
    "purge-question": Action(_question, _WHERE),
    "purge": Action(
        _purge,
        {"last": Field("the last call", _matching(_PLACE, "what was answered before")), **_WHERE},
        ("last",),
    ),
    "dismiss": Action(
        _dismiss,
        {
            "jobs": Field("ids of jobs", Kind(f"1 to {_MOST_JOBS} ids of jobs", _are_jobs, "text")),
            "sort": Field("only those of this sort", _choice(*_SORTS)),
        },
        ("jobs",),
    ),
}
"""Everything that can be done, by the name in its path."""


def operator_of(settings: Settings, by: str, remote: str) -> Operator:
    """Return what acts on a queue in the name of who asks.

    As with the commands, who asks is what they say of themselves: it proves nothing.

    Args:
        settings: Where the queue is.
        by: Who asks, as they say; '' if they do not.
        remote: From which address.

    """
    name = "_".join(one_line(by, 40).split()) or "somebody"
    return Operator(settings, one_line(f"{name}@{remote},dashboard:{who_asks()}", 100))


def _lane(given: Mapping[str, Any]) -> str:
    return str(given.get("lane", ""))


def _why(given: Mapping[str, Any]) -> str:
    return str(given.get("reason", ""))
