"""A server's beat and its result, as data: the lease, and the namespace's account."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from queued_gspread.broker.connection.client import as_text

from .actions import actions_of
from .pauses import pauses_of

if TYPE_CHECKING:
    from .actions import Action
    from .pauses import Pause

__all__ = ["ANY", "RESERVED", "Beat", "Candidate", "beat_of"]


@dataclass(frozen=True)
class Candidate:
    """What a server brings for the lease: a token, and its account.

    Attributes:
        has_token: Whether it has an access token, so that it can send requests.
        account: The token's account, in words; '' if not known yet.
        replaces: The account that this one may replace as the namespace's; '' for none.

    """

    has_token: bool = True
    account: str = ""
    replaces: str = ""

    def is_about_to_replace(self, owner: str) -> bool:
        """Return whether its first token will replace the namespace's account."""
        return not self.has_token and self.account != owner == self.replaces != ""


ANY = Candidate()
"""A server that needs no token and names no account."""

RESERVED = "a server that has an access token"
"""``beat.lua`` names it as the other server to reserve a free lease for one with a token."""


@dataclass(frozen=True)
class Beat:
    """A beat's result: the lease was ``kept`` or ``taken``, or another server has ``held`` it.

    Attributes:
        state: One of the three words.
        epoch: The epoch of this server's lease; '' if another server holds it.
        moment: Redis's clock in milliseconds if this server holds the lease, else 0.
        is_relieved: Whether a standby server has a token.
        other: The description of the server that has the lease, or had it before; '' for this
            server's own lease from before a restart of Redis.
        left: Seconds until the other server's lease runs out; for a ``taken`` one, the seconds
            since that server's last beat, as a negative number.
        owner: The account that the namespace belongs to; '' if none yet.
        is_first: Whether Redis knew no epoch before this ``taken`` lease.
        since_move: Seconds since this Redis got its first beat after it started or became a master,
            if this server holds the lease.
        answered: What the server that has the lease has signed of calls that nobody waits for.
        pauses: What is paused, if this server holds the lease.
        actions: What operators have asked for and no server has logged, then.

    """

    state: str
    epoch: str = ""
    moment: int = 0
    is_relieved: bool = False
    other: str = ""
    left: float = 0.0
    owner: str = ""
    is_first: bool = False
    since_move: float = math.inf
    answered: bytes = b""
    pauses: tuple[Pause, ...] = ()
    actions: tuple[Action, ...] = ()


def beat_of(result: Any) -> Beat:
    """Return the result of ``beat.lua``."""
    state, *rest = result
    owner = as_text(rest.pop())
    if state == b"held":
        other, left, answered = rest
        return Beat("held", other=as_text(other), left=left / 1000, owner=owner, answered=answered)
    since_move = rest.pop() / 1000
    actions, pauses = actions_of(rest.pop()), pauses_of(rest.pop())
    if state == b"taken":
        epoch, moment, other, silent, is_first = rest
        return Beat(
            "taken",
            epoch=as_text(epoch),
            moment=moment,
            other=as_text(other),
            left=-silent / 1000,
            owner=owner,
            is_first=bool(is_first),
            since_move=since_move,
            pauses=pauses,
            actions=actions,
        )
    epoch, moment, relieved = rest
    return Beat(
        as_text(state),
        as_text(epoch),
        moment,
        bool(relieved),
        owner=owner,
        since_move=since_move,
        pauses=pauses,
        actions=actions,
    )
