"""What is printed of runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from masters import BLOWS

from .checker import DOUBLED, LAPSED, LEFTOVER, LENT, LOST, OLD, STALE
from .history import LEFT
from .plan import ACTS, HOW, LOSSES

_UNANSWERED = f"{DOUBLED} and not answered"
_COUNTED = {
    LOST: "lost",
    DOUBLED: "doubled",
    _UNANSWERED: _UNANSWERED,
    STALE: "stale reads",
    OLD: OLD,
    LAPSED: LAPSED,
    LEFTOVER: "leftover keys",
    LENT: LENT,
}
_FATES = {
    "OutcomeUnknownError": "outcome unknown",
    "CallTimeoutError": "timed out",
    "BrokerUnavailableError": "no Redis",
    "ServerUnavailableError": "no server",
    "PoisonedJobError": "poisoned",
    "APIError": "Google's errors",
    "JobLostError": "jobs lost",
    "QueueDrainedError": "kept out",
    "CallCancelledError": "cancelled",
    "LockLostError": "locks lost",
}
_INTERRUPTED, _OTHERS = "interrupted", "other errors"
COUNTED, RECALLED, BORROWED = "counted", "recalled", "requests of lenders"
_SHOWN = 400
_SIGNALS = ("SIGKILL", "SIGSTOP", "SIGTERM")
_NAMES = {
    "server": "server",
    "standby": "standby",
    "client": "clients",
    "holder": "holders",
    "redis": "Redis",
    "queue": "queue",
    "lender": "lenders",
}


def tally(run, broken):
    """Return what is counted of a run."""
    calls = run.evidence.calls
    counts = Counter({"calls": len(calls), "answered": sum(call.is_ok for call in calls)})
    counts[LEFT] = sum(call.outcome == LEFT for call in calls)
    counts[RECALLED] = run.recalled
    counts[COUNTED] = sum(call.is_ok and call.what == "increment" for call in calls)
    counts[BORROWED] = run.evidence.lent
    counts.update(_fate(call) for call in calls if _failed(call))
    counts.update(_COUNTED.get(_kind(violation), "other violations") for violation in broken)
    counts.update({f"{victim} {signal}": number for (victim, signal), number in run.blows.items()})
    return counts


def named(plan):
    """Return what a run is called."""
    signed, classes = ", signed" * plan.is_signed, ", ".join(sorted(plan.classes))
    poison = f" ({plan.poison.what} {plan.poison.how})" if plan.poison else ""
    if plan.topology != "alone":
        return f"seed {plan.seed}{signed}; {_about(plan)}"
    return f"seed {plan.seed}{signed}; {classes or 'no classes'}{poison}"


def _about(plan):
    """Return what a run with several Redis servers is."""
    standby, merges = ", a standby" * plan.has_standby, ", merged" * plan.merges
    latency = "-".join(f"{seconds:g}" for seconds in plan.latency)
    return f"{plan.topology}, {plan.durability}{standby}{merges}, latency {latency}"


def causes_of(run, found):
    """Count the blows that fell on masters, and what was broken, by the blow next to it.

    A call that was made twice may have ended before the blow that has it made again.
    """
    causes = Counter((how, "") for _, how in run.struck)
    causes.update((_cause(run.struck, each), _kind(each)) for each in found if run.struck)
    return causes


def by_blow(causes):
    """Return lines that tell of such counts."""
    for how in sorted({how for how, kind in causes if not kind}):
        kinds = sorted(kind for cause, kind in causes if cause == how and kind)
        told = ", ".join(f"{kind} {causes[how, kind]}" for kind in kinds)
        yield f"  {causes[how, '']} {how}: {told or 'nothing'}"


def _kind(violation):
    """Return the name of what was broken, with whether callers know of what is there twice."""
    is_known = all(call.is_ok for call in violation.calls)
    return _UNANSWERED if violation.rule == DOUBLED and not is_known else violation.rule


def _cause(struck, violation):
    """Return the blow that is nearest to the calls that tell of a violation."""
    spans = [(call.began, call.end) for call in violation.calls] or [(0.0, float("inf"))]

    def distance(at):
        return min(max(began - at, at - end, 0.0) for began, end in spans)

    return min(struck, key=lambda blow: distance(blow[0]))[1]


def shown(counts):
    """Return the line that tells what was counted."""
    is_alone = not any(counts[f"master {kind}"] for kind in BLOWS)
    names = _NAMES if is_alone else {"master": "masters"}
    blows = "; ".join(_blows(counts, victim, name) for victim, name in names.items())
    errors = (*_FATES.values(), _INTERRUPTED, _OTHERS)
    fates = ", ".join(f"{counts[name]} {name}" for name in errors if counts[name])
    rules = ", ".join(f"{name} {counts[name]}" for name in (*_COUNTED.values(), "other violations"))
    return (
        f"{counts['calls']} calls, {counts['answered']} answered, {counts[LEFT]} made that nobody "
        f"waited for, {counts[COUNTED]} increments under locks, {counts[RECALLED]} reads from "
        f"memory, {counts[BORROWED]} {BORROWED}, {fates or 'no errors'}; "
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
    return call.outcome not in ("", "ok", LEFT)


def _blows(counts, victim, name):
    found = [
        f"{counts[f'{victim} {signal}']} {signal}"
        for signal in (*_SIGNALS, *HOW, *BLOWS, *ACTS, *LOSSES)
        if counts[f"{victim} {signal}"]
    ]
    return f"{name} {' '.join(found) or 'spared'}"
