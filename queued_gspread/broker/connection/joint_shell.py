"""Does the effects of many cores at a time: their commands in one write, their waits as one read.

One thread drives it, in rounds; not the main one, where signal handlers run. A round first sends
what any core wants sent, then blocks until a reply has come or a core has something else to do.
"""

from __future__ import annotations

import time
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from redis.exceptions import RedisError, ResponseError

from queued_gspread._clock import now

from .deadline import until
from .effects import AwaitReply, Extend, LookAtMaster, Send, Sleep, Tell
from .shell import bodies_of, tell_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .effects import Core, Effect
    from .master import Master
    from .wire import Wire

__all__ = ["JointShell", "Run"]

T = TypeVar("T")

# Waits that end within so many seconds of each other end together.
_TOGETHER: Final = 0.2
# How many commands go out in one write.
_MOST_COMMANDS: Final = 100
# How many streams are read as long as replies come there: the oldest, as lanes are in order.
_FEW: Final = 50


class Run(Generic[T]):
    """A core that runs.

    Args:
        core: The core.
        limit: The moment until which Redis may be waited for.
        ended: Called once with its result, or with its error.

    """

    def __init__(
        self, core: Core[T], limit: float, ended: Callable[[T | None, Exception | None], None]
    ) -> None:
        self.core = core
        self.limit = limit
        self.ended = ended
        self.effect: Effect | None = None
        # When its wait is over, if the effect is one.
        self.due = 0.0


class JointShell:
    """Runs many cores at one Redis.

    Args:
        wire: The connections.
        master: Where they have to lead.

    """

    def __init__(self, wire: Wire, master: Master) -> None:
        self._wire = wire
        self._master = master
        self._runs: dict[Run[Any], None] = {}
        self._sending: list[Run[Any]] = []
        self._tells: list[Tell] = []
        # When the first wait is over, or earlier.
        self._due = inf
        self._looks_at_all = True

    def __len__(self) -> int:
        return len(self._runs)

    def start(self, run: Run[Any]) -> None:
        """Run a core until it wants something sent or waits."""
        self._runs[run] = None
        self._go_on(run, lambda: next(run.core))

    def stop(self, run: Run[Any]) -> None:
        """Leave a core where it is."""
        self._runs.pop(run, None)

    def round(self, longest: float) -> None:
        """Do what the cores want done; block at most so many seconds for it."""
        self.tell_all()
        if self._sending:
            self._send_all()
            return  # what they want next may be more to send
        seconds = max(0.0, min(longest, self._due - now()))
        looks = list(islice(self._awaiting(), None if self._looks_at_all else _FEW))
        if looks:
            self._look(looks, seconds)
        elif self._runs and seconds > 0:
            time.sleep(seconds)
        self._end_waits()

    def _awaiting(self) -> Iterator[Run[Any]]:
        return (run for run in self._runs if isinstance(run.effect, AwaitReply))

    def tell_all(self) -> None:
        """Send what needs no answer."""
        tells, self._tells = self._tells, []
        if tells:
            seconds = min(tell.seconds for tell in tells)
            tell_all(self._wire, [tell.command for tell in tells], seconds)

    def stop_all(self) -> list[Run[Any]]:
        """Leave all cores where they are; return them."""
        runs, self._runs = list(self._runs), {}
        return runs

    def _end_waits(self) -> None:
        moment = now()
        if self._due > moment:
            return
        waiting = [run for run in self._runs if _is_wait(run.effect)]
        over = [run for run in waiting if run.due <= moment + _TOGETHER]
        self._due = min((run.due for run in waiting if run.due > moment + _TOGETHER), default=inf)
        for run in over:
            self._answer(run, None)

    def _send_all(self) -> None:
        sending, self._sending = self._sending, []
        for start in range(0, len(sending), _MOST_COMMANDS):
            runs = [run for run in sending[start : start + _MOST_COMMANDS] if run in self._runs]
            if runs:
                self._send(runs)

    def _send(self, runs: list[Run[Any]]) -> None:
        companies = _companies(runs)
        commands = [Send.joined([send for _, send in company]) for company in companies]
        try:
            with until(_limit(runs)):
                answers = self._wire.ask_all(commands)
        except RedisError as error:
            self._fail(runs, error)
            return
        for company, answer in zip(companies, answers, strict=True):
            if isinstance(answer, ResponseError):
                self._fail([run for run, _ in company], answer)
                continue
            parts = list(Send.parts_of(answer, [send for _, send in company]))
            for (run, _), part in zip(company, parts, strict=True):
                self._answer(run, part)

    def _look(self, runs: list[Run[Any]], seconds: float) -> None:
        """Read the streams of replies: of all, or of the oldest as long as they come there."""
        by_key = {run.effect.key: run for run in runs if isinstance(run.effect, AwaitReply)}
        command = AwaitReply.command_of(by_key, seconds)
        try:
            with until(_limit(runs)):
                streams = self._wire.ask(command)
        except RedisError as error:
            self._fail(runs, error)
            return
        answered = [(by_key[key], body) for key, body in bodies_of(streams)]
        oldest = set(runs[:_FEW])
        self._looks_at_all = not answered or any(run not in oldest for run, _ in answered)
        for run, body in answered:
            self._answer(run, body)

    def _fail(self, runs: list[Run[Any]], error: RedisError) -> None:
        traceback = error.__traceback__
        for run in runs:
            self._throw(run, error.with_traceback(traceback))

    def _answer(self, run: Run[Any], answer: Any) -> None:
        self._go_on(run, lambda: run.core.send(answer))

    def _throw(self, run: Run[Any], error: RedisError) -> None:
        self._go_on(run, lambda: run.core.throw(error))

    def _go_on(self, run: Run[Any], step: Callable[[], Effect]) -> None:
        """Take a core's next step, and those that need no round."""
        try:
            effect = step()
            while self._is_done_at_once(run, effect):
                effect = run.core.send(None)
        except StopIteration as end:
            self._end(run, end.value, None)
        except Exception as error:  # noqa: BLE001 - it is the call's, whose caller gets it
            self._end(run, None, error)
        else:
            run.effect = effect

    def _is_done_at_once(self, run: Run[Any], effect: Effect) -> bool:
        if isinstance(effect, (AwaitReply, Sleep)):
            run.due = now() + effect.seconds
            self._due = min(self._due, run.due)
            return False
        if isinstance(effect, Send):
            self._sending.append(run)
            return False
        if isinstance(effect, Tell):
            self._tells.append(effect)
        elif isinstance(effect, Extend):
            run.limit = effect.end
        elif isinstance(effect, LookAtMaster):
            self._master.look()
        return True

    def _end(self, run: Run[Any], result: Any, error: Exception | None) -> None:
        self._runs.pop(run, None)
        run.effect = None
        run.ended(result, error)


def _companies(runs: Sequence[Run[Any]]) -> list[list[tuple[Run[Any], Send]]]:
    """Return what runs want sent: together what may go as one command."""
    companies: dict[Any, list[tuple[Run[Any], Send]]] = {}
    for run in runs:
        if isinstance(run.effect, Send):
            company = run.effect.company
            companies.setdefault(run if company is None else company, []).append((run, run.effect))
    return list(companies.values())


def _is_wait(effect: Effect | None) -> bool:
    return isinstance(effect, (AwaitReply, Sleep))


def _limit(runs: Sequence[Run[Any]]) -> float:
    """Return the first limit that lies ahead: what is late already must not fail all others."""
    moment = now()
    return min((run.limit for run in runs if run.limit > moment), default=moment + _TOGETHER)
