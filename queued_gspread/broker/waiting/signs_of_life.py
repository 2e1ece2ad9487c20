"""A caller's look at the queue: whether a server is alive, and whether the job is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from queued_gspread.broker.connection.client import as_text
from queued_gspread.broker.connection.effects import Joint
from queued_gspread.broker.formats import Other, others_of
from queued_gspread.broker.locks import holder_of
from queued_gspread.broker.pauses import pauses_of
from queued_gspread.broker.permits import milliseconds

from .holdups import Holdups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from queued_gspread.broker.connection.attempts import Attempts
    from queued_gspread.broker.connection.effects import Core
    from queued_gspread.broker.keys import Keys
    from queued_gspread.broker.pauses import Pause

__all__ = ["Alive", "Seen", "look"]


@dataclass(frozen=True)
class Alive:
    """A working server, as callers and observers see it.

    Attributes:
        age: Seconds since its last sign of life.
        about: Its description.
        server_id: Its id.

    """

    age: float
    about: str
    server_id: str


@dataclass(frozen=True)
class Seen:
    """What ``alive.lua`` returns.

    Attributes:
        server: The working server, or the last one; None if there never was one.
        is_known: Whether Redis knows the job in question.
        generation: The server's signed generation.
        others: Other formats whose servers are alive, while no server of this one is.
        moment: Redis's clock, in milliseconds.
        pauses: What operators have paused.
        why: If the caller asks why its job waits: how many are ``ahead`` of it, whether that
            ``is_exact``, the server's ``holdups``, and the ``lock`` that they wait for.

    """

    server: Alive | None
    is_known: bool
    generation: bytes
    others: Sequence[Other]
    moment: int
    pauses: tuple[Pause, ...] = ()
    why: Mapping[str, Any] = field(default_factory=dict)


def look(
    attempts: Attempts,
    keys: Keys,
    grace: float,
    job: tuple[str, str, str] | None = None,
    *,
    asks: bool = False,
    patience: float = 0.0,
    until: float = math.inf,
) -> Core[Seen]:
    """Look at the queue.

    Args:
        attempts: Those at its Redis.
        keys: Its keys.
        grace: Seconds for which a server may be silent before servers of other formats count.
        job: Lane, stream id and id of a job, to check whether Redis still knows it.
        asks: Whether the caller asks why its job waits.
        patience: See there.
        until: See ``Attempts.run``, as for the last.

    """
    shared = [keys.server, keys.formats], [str(milliseconds(grace))]
    own: tuple[list[str], list[str]] = [], []
    if job is not None:
        lane, entry, job_id = job
        own = [keys.lane(lane), keys.reply(job_id)], [entry, job_id, "1" if asks else ""]
    joint = Joint(*map(tuple, (*shared, *own)))
    places, args = ([*before, *mine] for before, mine in zip(shared, own, strict=True))
    result = yield from attempts.run(
        "alive", places, args, until=until, patience=patience, joint=joint
    )
    jobs, age, about, server_id, generation, others, paused, moment = result
    pauses = pauses_of(paused)
    server = Alive(age / 1000, as_text(about), as_text(server_id)) if age >= 0 else None
    (known, *why) = jobs[0] if jobs else (1,)
    others = others_of(others)
    return Seen(server, bool(known), generation, others, moment, pauses, _why(*why))


def _why(
    ahead: int | None = None, is_exact: int = 0, holdups: bytes = b"", lock: bytes = b""
) -> dict[str, Any]:
    if ahead is None:
        return {}
    return {
        "ahead": max(0, ahead),
        "is_exact": bool(is_exact),
        "holdups": Holdups.decode(holdups),
        "lock": holder_of("", lock),
    }
