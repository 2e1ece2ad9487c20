"""One request on its way to Google, and the calls that it is for."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from . import merge
from .repeat import may_repeat
from .request import Exchange, Failure, Request, Response, answer_of
from .verdict import Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.broker import Due

    from .underway import Call

__all__ = ["Flight", "Landing", "Pieces"]

_UNREADABLE: Final = Judgement(Verdict.UNKNOWN, why="answer not readable")
# What Google says of a spreadsheet as a whole, whatever is asked of it.
_OF_ALL: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_SAYS_SO: Final = re.compile(
    r"The caller does not have permission|Requested entity was not found\.?"
    r"|Request had insufficient authentication scopes\.?"
)


# One request more for so many calls is what refusals may cost them, and two for the fewest: one bad
# call among them is then found without sending each of the others alone.
_BEARABLE: Final = 10
_LEAST_SPARE: Final = 2


def _nobody(_: Flight) -> list[Call]:
    """Return that nobody joins."""
    return []


@dataclass(eq=False)
class Flight:
    """Calls whose next requests leave as one.

    Attributes:
        calls: One or more, in the order of their arrival.
        grow: Returns calls that join the flight before it leaves, and are among the others from
            then on.
        number: Its place in line, where it has one already.
        debts: Where its slot is noted, to be given back with the calls' answers, or when the next
            one is asked for; None where it is given back at once.

    """

    calls: list[Call]
    grow: Callable[[Flight], Sequence[Call]] = field(default=_nobody, repr=False)
    number: int = 0
    debts: list[Due] | None = field(default=None, repr=False)

    @property
    def parts(self) -> list[merge.Part]:
        """What each of the calls adds, where there are several."""
        return [part for call in self.calls if (part := call.part) is not None]

    @property
    def request(self) -> Request:
        """The one request."""
        return self.calls[0].request if len(self.calls) == 1 else merge.merge(self.parts)

    @property
    def kind(self) -> str:
        """What it is counted as."""
        return merge.name_of(self.calls[0].request)

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again where nobody knows whether it was applied."""
        return all(may_repeat(call.request) for call in self.calls)

    def alone(self) -> list[Flight]:
        """Return its calls, each as a flight of its own."""
        return [Flight([call], number=self.number) for call in self.calls]

    def land(self, exchange: Exchange, judgement: Judgement) -> Landing:
        """Return what an exchange means for each of the calls."""
        if len(self.calls) == 1:
            return Landing([exchange], judgement)
        shared = [Exchange(call.request, exchange.outcome) for call in self.calls]
        if judgement.verdict is not Verdict.FINAL:
            return Landing(shared, judgement)
        if isinstance(exchange.outcome, Failure):
            return Landing(shared, judgement, self._pieces_after(exchange.outcome))
        return self._split(exchange.outcome, shared)

    def _split(self, outcome: Response, shared: list[Exchange]) -> Landing:
        answers = self._answers(outcome.value)
        if answers is None:
            pieces = self._pieces(merge.cuts(self.parts, "")) if self.is_repeatable else []
            return Landing(shared, _UNREADABLE, pieces)
        pairs = zip(self.calls, answers, strict=True)
        own = [Exchange(call.request, Response(answer)) for call, answer in pairs]
        return Landing(own, Judgement(Verdict.FINAL))

    def _answers(self, shared: Any) -> list[Any] | None:
        try:
            return merge.split(self.parts, shared)
        except Exception:  # noqa: BLE001 - it is not what Google answers, and cannot be read
            return None

    def _pieces_after(self, outcome: Failure) -> list[Flight]:
        """Return what is sent instead of a request that Google has refused as a whole."""
        answer = answer_of(outcome)
        message = _message(answer)
        # What was each call's own request has each call's own answer.
        is_own = merge.merge(self.parts) is self.parts[0].request
        if answer is None or is_own or _is_of_all(answer, message):
            return []
        return self._pieces(merge.cuts(self.parts, message))

    def _pieces(self, cuts: list[list[int]]) -> list[Flight]:
        return [Flight([self.calls[place] for place in cut], number=self.number) for cut in cuts]


@dataclass(frozen=True)
class Landing:
    """What came of a flight.

    Attributes:
        exchanges: Each call's own request, with what came of it.
        judgement: What that means.
        pieces: What is sent instead, where it was not applied, or may be repeated.

    """

    exchanges: list[Exchange]
    judgement: Judgement
    pieces: list[Flight] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Whether Google has refused it as a whole, so that none of it was applied."""
        return bool(self.pieces) and self.judgement.verdict is Verdict.FINAL


class Pieces:
    """What is left to send of a flight, in order: the flight, or pieces of what Google refused.

    A refusal costs a request that its calls alone would not have needed. A tenth of their number
    may be lost that way (two of fewer than twenty), and what was saved by pieces that went through;
    after that each goes alone.

    Args:
        flight: All of it.

    """

    def __init__(self, flight: Flight) -> None:
        self._waiting = deque([flight])
        self._spare: int | None = None

    def __bool__(self) -> bool:
        """Tell whether anything is left."""
        return bool(self._waiting)

    def take(self) -> Flight:
        """Return what is sent next."""
        return self._waiting.popleft()

    def sent(self, flight: Flight, pieces: list[Flight]) -> None:
        """Note that a piece was sent, and the pieces of it that are to be sent instead."""
        count = len(flight.calls)
        if not pieces:
            self._spare = (self._spare or 0) + max(count - 1, 0)
            return
        before = max(_LEAST_SPARE, count // _BEARABLE) if self._spare is None else self._spare
        self._spare = before - 1
        # The last refusal that is left is for what has not been tried.
        is_last = self._spare == 1 and bool(self._waiting)
        self._waiting.extendleft(reversed(flight.alone() if is_last else pieces))
        if not self._spare:
            self._waiting = deque(one for piece in self._waiting for one in piece.alone())


def _message(answer: Any) -> str:
    """Return the text of Google's error; nothing where there is none."""
    try:
        return str(answer.json()["error"]["message"])
    except Exception:  # noqa: BLE001 - HTML, nothing, or a double without a body
        return ""


def _is_of_all(answer: Any, message: str) -> bool:
    status = getattr(answer, "status_code", None)
    return status in _OF_ALL and _SAYS_SO.fullmatch(message) is not None
