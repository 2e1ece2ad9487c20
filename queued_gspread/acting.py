"""What an operator does to a queue, and what is said of it: for the commands and the dashboard."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import EVERYTHING, UNDONE, Entry
from queued_gspread.broker.pauses import scope_of
from queued_gspread.errors import ConfigurationError, QueuedGspreadError
from queued_gspread.monitor.outcomes import outcome_of
from queued_gspread.server.calls.error_fields import kept_of
from queued_gspread.server.replay.advance import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from queued_gspread.broker.failed_calls import FailedCall
    from queued_gspread.broker.listed_jobs import ListedJob
    from queued_gspread.broker.operators import Operator
    from queued_gspread.errors import CallCancelledError
    from queued_gspread.monitor.outcomes import Outcome

__all__ = [
    "ADVICE",
    "NotDoneError",
    "Waiting",
    "calls_of",
    "cancel",
    "cancel_one",
    "dismiss",
    "drain",
    "jobs_in",
    "kept_outcomes",
    "line_of",
    "pause",
    "resume",
]

ADVICE: Final = {
    "unknown": "It was made once or not at all, and nobody repeats it: look whether it is there, "
    "make it again if it is not, and dismiss it.",
    "poisoned": "Servers died of it, and it may have been made: look whether it is there, find out "
    "what is special about it, and dismiss it. That also removes the job.",
}
"""What to do about an outcome of a sort."""

_FATES: Final = {
    "started": "is being made and may have written, so it was not cancelled",
    "answered": "was answered before",
    "locked": "holds the lock of its spreadsheet: `queued-gspread locks --break` ends that",
    "lost": "is not in the queue any more",
}
_KEPT: Final = {"started": "may have written and go on", "locked": "hold a lock"}


class NotDoneError(QueuedGspreadError):
    """What was asked for was not done; the text says why."""


def calls_of(count: int) -> str:
    """Return a number of calls in words."""
    return "1 call" if count == 1 else f"{count:,} calls"


# Pauses ------------------------------------------------------------------------------------------


def pause(queue: Operator, what: str, lane: str, why: str) -> str:
    """Pause; return what is paused.

    Raises:
        ConfigurationError: There are too many pauses.
        BrokerUnavailableError: Redis cannot be reached.

    """
    queue.pause(what, lane, why)
    found = (each for each in queue.pauses() if (each.what, each.lane) == (what, lane))
    shown = next((each.shown for each in found), "it has been resumed meanwhile")
    return f"{shown}; {calls_of(queue.waiting())} in {queue.settings.place}"


def resume(queue: Operator, what: str, lane: str, why: str) -> list[str]:
    """End one pause, or all of them and a drain; return what has ended.

    Raises:
        ConfigurationError: Nothing such is paused.
        BrokerUnavailableError: Redis cannot be reached.

    """
    scope = "" if (what, lane) == (EVERYTHING, "") else scope_of(what, lane)
    ended = [f"ended: {each.shown}" for each in queue.resume(scope, why)]
    if not ended:
        there = "; ".join(each.shown for each in queue.pauses())
        raise ConfigurationError(
            f"nothing such is paused in {queue.settings.place}"
            + (f", but: {there}" if there else "")
        )
    return ended


def drain(queue: Operator, why: str) -> str:
    """Have the queue take no new calls; return what is left.

    Raises:
        ConfigurationError: There are too many pauses.
        BrokerUnavailableError: Redis cannot be reached.

    """
    queue.drain(why)
    return f"drained {queue.settings.place}, by {queue.by}: {calls_of(queue.waiting())} left"


# Jobs --------------------------------------------------------------------------------------------


def jobs_in(queue: Operator, spreadsheet: str) -> Iterator[ListedJob]:
    """Yield all jobs, lane by lane."""
    for lane in queue.lanes(spreadsheet):
        yield from queue.jobs(lane)


def line_of(job: ListedJob) -> str:
    """Return a job on one line."""
    shown = job.shown()
    return (
        f"{job.job_id}  {job.state:8}  {job.age:7.1f} s  {job.spreadsheet}  {shown['method']}  "
        f"{shown['caller']}"
    )


def cancel(queue: Operator, job_id: str, lane: str, why: str) -> str:
    """Cancel a call, in one lane if it is given; return what was cancelled.

    Raises:
        NotDoneError: It is not there, or may have written.
        ConfigurationError: Its job is signed, and there is no key.
        BrokerUnavailableError: Redis cannot be reached.

    """
    job = queue.find(job_id, lane)
    if job is None:
        raise NotDoneError(f"{job_id} is not in the queue of {queue.settings.place}")
    queue.note(f"cancel the job {job_id}", why)
    fate = cancel_one(queue, job, why)
    if fate not in UNDONE:
        raise NotDoneError(f"{job_id} {_FATES.get(fate, fate)}")
    whose = "nobody waited for it" if job.shown()["unattended"] else "its caller is told"
    return f"cancelled {line_of(job)}: {whose}"


def cancel_one(queue: Operator, job: ListedJob, why: str) -> str:
    """Cancel a job; return its fate."""
    job = queue.whole(job)
    return queue.cancel(job, why, _kept(job, queue.error(job, why)))


def _kept(job: ListedJob, error: CallCancelledError) -> bytes:
    """Return what is kept of the failure of a call that nobody waits for; b'' for another one."""
    if not job.shown()["unattended"]:
        return b""
    body = job.body.split(b":", 3)[-1] if job.shown()["signed"] else job.body
    entry = Entry(job.lane, job.stream_id, job.job_id, body, job.mark, 1)
    try:
        return kept_of(error, entry, decode(body).job)
    except QueuedGspreadError:
        return b""


class Waiting:
    """The calls that wait at one time: their number and callers, and how far each lane goes.

    Not the calls themselves, which may be more than there is memory for.

    Args:
        queue: Where they wait.
        lane: The only lane to look at; '' for all of them.
        last: The last place up to which calls are meant, as :attr:`last` has it; None for all.

    """

    def __init__(
        self, queue: Operator, lane: str = "", last: tuple[int, int] | None = None
    ) -> None:
        self._queue, self._lane = queue, lane
        self.count = self._alone = 0
        self._callers: set[str] = set()
        self._last: dict[str, tuple[int, int]] = {}
        for job in jobs_in(queue, lane):
            if last is None or job.place <= last:
                self._add(job)

    def _add(self, job: ListedJob) -> None:
        shown = job.shown()
        self.count += 1
        self._alone += shown["unattended"]
        if not shown["unattended"]:
            self._callers.add(shown["caller"])
        self._last[job.lane] = job.place

    @property
    def where(self) -> str:
        """Where they wait, in words."""
        place = self._queue.settings.place
        return f"the spreadsheet {self._lane} in {place}" if self._lane else place

    @property
    def question(self) -> str:
        """What to ask before they are cancelled."""
        return f"Cancel {calls_of(self.count)} in {self.where}? {self.told}."

    @property
    def last(self) -> tuple[int, int]:
        """The place of the one that was put in last."""
        return max(self._last.values(), default=(0, 0))

    @property
    def told(self) -> str:
        """Who is told, in words."""
        many = len(self._callers)
        told = "1 caller is told" if many == 1 else f"{many:,} callers are told"
        return told + (f"; for {calls_of(self._alone)} nobody waits" if self._alone else "")

    def cancel(self, why: str) -> str:
        """Cancel those that are still there; return what has become of them.

        Raises:
            ConfigurationError: A job is signed, and there is no key.
            BrokerUnavailableError: Redis cannot be reached.

        """
        of = f" of {self._lane}" if self._lane else ""
        self._queue.note(f"purge {calls_of(self.count)}{of}", why)
        fates = Counter(cancel_one(self._queue, job, why) for job in self._jobs())
        cancelled = sum(fates[fate] for fate in UNDONE)
        kept = [f"{calls_of(fates[fate])} {why}" for fate, why in _KEPT.items() if fates[fate]]
        over = sum(fates.values()) - cancelled - sum(fates[fate] for fate in _KEPT)
        kept += [f"{calls_of(over)} had ended before"] if over else []
        return "; ".join([f"cancelled {calls_of(cancelled)} ({self.told})", *kept])

    def _jobs(self) -> Iterator[ListedJob]:
        for lane, last in self._last.items():
            for job in self._queue.jobs(lane):
                if job.place > last:
                    break
                yield job


# Outcomes ----------------------------------------------------------------------------------------


def kept_outcomes(queue: Operator) -> list[tuple[Outcome, FailedCall, bytes]]:
    """Return what is kept of calls that failed, the latest first, each with its form in Redis.

    Raises:
        BrokerUnavailableError: Redis cannot be reached.

    """
    return [(outcome_of(call), call, form) for call, form in queue.failures()]


def dismiss(queue: Operator, is_meant: Callable[[Outcome], bool], why: str) -> list[Outcome]:
    """Forget calls that failed; return those that were found.

    Raises:
        BrokerUnavailableError: Redis cannot be reached.

    """
    found = [each for each in kept_outcomes(queue) if is_meant(each[0])]
    for _, call, form in found:
        queue.dismiss(call, form, why)
    return [outcome for outcome, _, _ in found]
