"""What is printed of runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from .checker import DOUBLED, LEFTOVER, LOST, STALE
from .plan import HOW

_COUNTED = {LOST: "lost", DOUBLED: "doubled", STALE: "stale reads", LEFTOVER: "leftover keys"}
_FATES = {
    "OutcomeUnknownError": "outcome unknown",
    "CallTimeoutError": "timed out",
    "BrokerUnavailableError": "no Redis",
    "ServerUnavailableError": "no server",
    "PoisonedJobError": "poisoned",
    "APIError": "Google's errors",
}
_INTERRUPTED, _OTHERS = "interrupted", "other errors"
_SHOWN = 400
_NAMES = {"server": "server", "standby": "standby", "client": "clients", "redis": "Redis"}


def tally(run, broken):
    """Return what is counted of a run."""
    calls = run.evidence.calls
    counts = Counter({"calls": len(calls), "answered": sum(call.is_ok for call in calls)})
    counts.update(_fate(call) for call in calls if _failed(call))
    counts.update(_COUNTED.get(violation.rule, "other violations") for violation in broken)
    counts.update({f"{victim} {signal}": number for (victim, signal), number in run.blows.items()})
    return counts


def named(plan):
    """Return what a run is called."""
    signed, classes = ", signed" * plan.is_signed, ", ".join(sorted(plan.classes))
    poison = f" ({plan.poison.what} {plan.poison.how})" if plan.poison else ""
    return f"seed {plan.seed}{signed}; {classes or 'no classes'}{poison}"


def shown(counts):
    """Return the line that tells what was counted."""
    blows = "; ".join(_blows(counts, victim) for victim in _NAMES)
    errors = (*_FATES.values(), _INTERRUPTED, _OTHERS)
    fates = ", ".join(f"{counts[name]} {name}" for name in errors if counts[name])
    rules = ", ".join(f"{name} {counts[name]}" for name in (*_COUNTED.values(), "other violations"))
    return (
        f"{counts['calls']} calls, {counts['answered']} answered, {fates or 'no errors'}; "
        f"{blows}; {rules}"
    )


def explained(violation):
    """Return the lines that tell of a violation, with the calls that belong to it."""
    calls = [replace(call, told=_short(call.told)) for call in violation.calls]
    lines = [f"  {violation.rule}: {_short(violation.what)}"]
    return "\n".join([*lines, *(f"    {call}" for call in calls)])


def _short(text):
    """Return a text without the traceback of a server's that may follow."""
    return text.partition("\nOn the server:")[0][:_SHOWN]


def _fate(call):
    return _INTERRUPTED if call.is_interrupted else _FATES.get(call.outcome, _OTHERS)


def _failed(call):
    return call.outcome not in ("", "ok")


def _blows(counts, victim):
    found = [
        f"{counts[f'{victim} {signal}']} {signal}"
        for signal in ("SIGKILL", "SIGSTOP", "SIGTERM", *HOW)
        if counts[f"{victim} {signal}"]
    ]
    return f"{_NAMES[victim]} {' '.join(found) or 'spared'}"
