"""What a server says with a beat, and what it is told: of the lease, and of the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from queued_gspread.broker.connection.client import as_text

__all__ = ["ANY", "RESERVED", "Beat", "Candidate", "beat_of"]


@dataclass(frozen=True)
class Candidate:
    """What a server has to work with.

    Attributes:
        has_token: Whether it can send requests.
        account: Whose it is, in words; '' where that is not known yet.
        replaces: The account in whose place this one may be put as that of the namespace; '' for
            none.

    """

    has_token: bool = True
    account: str = ""
    replaces: str = ""

    def is_about_to_replace(self, owner: str) -> bool:
        """Return whether it takes the place of the namespace's account by its first token."""
        return not self.has_token and self.account != owner == self.replaces != ""


ANY = Candidate()
"""A server that needs no token, of whose account nothing is said."""

RESERVED = "a server that has an access token"
"""For whom a free lease is kept, in the place of the other server; as in ``beat.lua``."""


@dataclass(frozen=True)
class Beat:
    """What a beat found: ``kept`` or ``taken`` the lease, or that another server has ``held`` it.

    Attributes:
        state: One of the three words.
        epoch: The epoch of this server's lease; '' where another holds it.
        moment: Redis's clock, in milliseconds, where this server holds it; else 0.
        is_relieved: Whether a server stands by that has a token.
        other: The other server, in words: who has the lease, or had it before; '' for this one, as
            Redis knew it before a restart.
        left: Seconds until the other one's lease runs out; where it was taken, how long it has
            been silent, as a negative number.
        owner: The account that the namespace belongs to; '' where it belongs to none yet.
        is_first: Whether the lease was taken where Redis knew of no epoch before.

    """

    state: str
    epoch: str = ""
    moment: int = 0
    is_relieved: bool = False
    other: str = ""
    left: float = 0.0
    owner: str = ""
    is_first: bool = False


def beat_of(found: Any) -> Beat:
    """Return what ``beat.lua`` tells."""
    state, *rest = found
    owner = as_text(rest.pop())
    if state == b"held":
        other, left = rest
        return Beat("held", other=as_text(other), left=left / 1000, owner=owner)
    if state == b"taken":
        epoch, moment, other, silent, is_first = rest
        before = as_text(other), -silent / 1000
        return Beat("taken", as_text(epoch), moment, False, *before, owner, bool(is_first))
    epoch, moment, relieved = rest
    return Beat(as_text(state), as_text(epoch), moment, bool(relieved), owner=owner)
