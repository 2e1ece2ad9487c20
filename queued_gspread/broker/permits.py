"""The arguments and results of the scripts before and after a request, as data.

``acquire.lua`` takes a :class:`Slot` of the quota and returns a :class:`Permit`;
``release_slot.lua`` gives the slot back and returns the :class:`QuotaState`. One request may serve
several jobs: for each, the first script gets :class:`AcquireArgs`, with what the job's journal must
hold before the request is sent, and the second gets :class:`ReleaseArgs`.

A journal is a list in Redis with an entry for each request of the call so far, in order:

    =…                 a request that was answered, as ``server.replay.journal`` writes it
    ?                  one whose answer cannot be stored, or which Redis has lost
    >ATTEMPT TIME …    the intent of the last one, permitted at that time (milliseconds of Redis's
                       clock) and not answered yet
    >ATTEMPT@ACCOUNT TIME …
                       the same of one under another account than the namespace's own
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from .pauses import pauses_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .jobs import Entry
    from .pauses import Pause

__all__ = [
    "ALL",
    "KINDS",
    "LENT",
    "NO_SLOT",
    "NO_UPDATE",
    "PAUSE",
    "AcquireArgs",
    "AnsweredSlot",
    "JournalUpdate",
    "Permit",
    "Project",
    "QuotaState",
    "ReleaseArgs",
    "Slot",
]

KINDS: Final = ("read", "write", "drive")
"""The kinds of request that have a quota each: reads and writes of the Sheets API, and Drive."""

ALL: Final = "all"
"""What a :class:`Permit` names instead of a kind if requests of all kinds wait."""

PAUSE: Final = "pause"
"""What it names if its own kind is paused since Google refused one."""

LENT: Final = "+"
"""Follows the kind in the name of the line of requests that may go out under any account."""


@dataclass(frozen=True)
class Project:
    """A project whose quota several accounts share.

    Attributes:
        accounts: Their names; '' for the namespace's own account.
        limit: How many slots of the asked kind all of them may hold together; 0 for no limit.

    """

    accounts: tuple[str, ...] = ()
    limit: int = 0


ALONE: Final = Project()


@dataclass(frozen=True)
class Slot:
    """A slot of the quota that a request asks for.

    Attributes:
        kind: One of :data:`KINDS`; '' for a request that takes no slot.
        name: Its name, the same for each retry of acquiring it.
        limit: How many slots of that kind there are; 0 for no limit.
        window: Seconds for which it is held after the response.
        interval: Least seconds between two requests of any kind as one account.
        lane: The lane of its request; '' to take no part in the fairness between lanes.
        what: ``read`` or ``write``: which pause of an operator's holds the request up; '' for one
            that only a pause of everything does.
        account: The account whose quota it is of; '' for the namespace's own.
        project: Whose slots count together with that account's.
        may_be_lent: Whether its request may go out under any account.

    """

    kind: str = ""
    name: str = ""
    limit: int = 0
    window: float = 60.0
    interval: float = 0.0
    lane: str = ""
    what: str = ""
    account: str = ""
    project: Project = ALONE
    may_be_lent: bool = False

    @property
    def line(self) -> str:
        """The line in which its request waits: that of its kind, or of all accounts for it."""
        return self.kind + LENT if self.may_be_lent else self.kind

    @property
    def of_project(self) -> list[Slot]:
        """The same slot for each account that shares the project; none if it is not shared."""
        return [replace(self, account=account) for account in self.project.accounts]

    @property
    def attempt(self) -> str:
        """What the attempt at its request is called in journals."""
        return f"{self.name}@{self.account}" if self.account else self.name

    def args(self) -> list[Any]:
        """Return the slot as arguments of ``acquire.lua``."""
        window, interval = milliseconds(self.window), milliseconds(self.interval)
        return [self.kind, self.name, self.limit, window, interval]

    @property
    def is_noted(self) -> bool:
        """Whether Redis must learn when its request is answered."""
        return self.kind != "" and self.limit > 0


NO_SLOT: Final = Slot()


@dataclass(frozen=True)
class AnsweredSlot:
    """A slot whose request was answered: the next script to run releases it.

    Attributes:
        slot: The slot.
        sent: When its request was sent, as its permit says.

    """

    slot: Slot
    sent: int

    def args(self) -> list[Any]:
        """Return it as an argument of ``acquire.lua`` and ``answer.lua``."""
        slot = self.slot
        return [slot.kind, slot.name, slot.limit, milliseconds(slot.window), self.sent]


@dataclass(frozen=True)
class Permit:
    """The answer to whether a request may go out now.

    Attributes:
        word: ``go``, ``wait``, ``paused``, or the fate of all jobs: ``withdrawn`` or ``late``.
        wait: Seconds; infinite if that depends on a response.
        kind: Which kind of request waits that long, or :data:`ALL`.
        sent: When the permit was given, on Redis's clock.
        is_trial: Whether the latest request of its kind was refused for the quota: then Redis must
            learn this one's outcome.
        is_held: Whether it holds a slot: after refusals, even if no limit is configured.
        limit: How many slots of its kind there are now; 0 for no limit, or if no job goes.
        words: For each job that takes part in the request: ``go``, or why it does not (see
            ``acquire.lua``); empty if ``word`` holds for all.
        pause: What an operator has paused, if the word is ``paused``.
        account: The account that it is for; '' for the namespace's own.

    """

    word: str
    wait: float = 0.0
    kind: str = ""
    sent: int = 0
    is_trial: bool = False
    is_held: bool = False
    limit: int = 0
    words: tuple[str, ...] = ()
    pause: Pause | None = None
    account: str = ""

    def word_of(self, place: int) -> str:
        """Return the word for the job at an index."""
        return self.words[place] if self.words else self.word


@dataclass(frozen=True)
class QuotaState:
    """How a kind of request is limited, after a response.

    Attributes:
        limit: The slots that it has now: fewer than configured for a while after a refusal.
        pause: Seconds for which none is sent; 0 unless the response was a refusal.

    """

    limit: int
    pause: float


@dataclass(frozen=True)
class JournalUpdate:
    """What the journal must hold before a request is sent.

    Attributes:
        position: How many entries it already holds.
        entries: The entries to append.
        attempt: A name for the attempt at the request; '' if it needs no intent.
        intent: A description of the request, for a server that finds it unanswered.

    """

    position: int = 0
    entries: tuple[bytes, ...] = ()
    attempt: str = ""
    intent: bytes = b""

    def __bool__(self) -> bool:
        """Return whether there is anything to write."""
        return bool(self.entries or self.attempt)

    @property
    def length(self) -> int:
        """How many entries the journal holds afterwards, not counting the intent."""
        return self.position + len(self.entries)


NO_UPDATE: Final = JournalUpdate()


@dataclass(frozen=True)
class AcquireArgs:
    """What Redis must know of a job before a request that it takes part in is sent.

    Attributes:
        entry: The job.
        mark: Its call's progress once the request is sent: 'r' it has only read, 'w' it may have
            written, but only idempotent requests, 'j' its journal says what.
        timeout: Seconds from the enqueue to the deadline.
        note: The update of its journal.
        claim: The idempotency key that it is under, as :mod:`.promises` spells it; b'' for none.

    """

    entry: Entry
    mark: str
    timeout: float | None = None
    note: JournalUpdate = NO_UPDATE
    claim: bytes = b""

    def args(self, step: int = 0) -> list[Any]:
        """Return it as arguments of ``acquire.lua``, given the step of Redis's clock since."""
        late = "" if self.timeout is None else round(self.timeout * 1000) + step
        note, entry = self.note, self.entry
        update = [note.position, note.attempt, note.intent, self.claim]
        update += [len(note.entries), *note.entries]
        is_new = "" if entry.is_handed_out else "1"
        return [entry.stream_id, entry.job_id, self.mark, is_new, late, *update]


@dataclass(frozen=True)
class ReleaseArgs:
    """What Redis must know of a job once its request was answered or has failed.

    Attributes:
        entry: The job.
        back_to: Its call's earlier mark, if that holds again.
        answered: The journal's entry that replaces the intent; empty if the request was certainly
            not applied.

    """

    entry: Entry
    back_to: str = ""
    answered: bytes = b""

    def args(self) -> list[Any]:
        """Return it as arguments of ``release_slot.lua``."""
        return [self.entry.job_id if self.back_to else "", self.back_to, self.answered]


def words_of(names: Sequence[str]) -> str:
    """Return names of slots as one argument of ``acquire.lua``; '-' for each that is missing."""
    return " ".join(name or "-" for name in names)


def milliseconds(seconds: float) -> int:
    """Return whole milliseconds, rounded up."""
    return math.ceil(round(seconds * 1000, 6))


def permit_of(found: list[Any]) -> Permit:
    """Return the permit in a result of ``acquire.lua``."""
    word = found[0].decode()
    if word == "paused":
        return Permit(word, pause=next(iter(pauses_of(found[1])), None))
    if word == "wait":
        wait = math.inf if found[1] < 0 else found[1] / 1000
        return Permit(word, wait, found[2].decode(), limit=int(found[3]))
    words = tuple(each.decode() for each in found[5:])
    if word == "go":
        is_trial, is_held = map(bool, found[2:4])
        sent, limit = int(found[1]), int(found[4])
        return Permit(word, sent=sent, is_trial=is_trial, is_held=is_held, limit=limit, words=words)
    return Permit(words[0], words=words)
