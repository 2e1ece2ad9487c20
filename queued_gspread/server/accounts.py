"""What a server with several accounts says of each, for those who look at the queue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from queued_gspread.broker import FINE, AccountAtWork
from queued_gspread.server.google.token_errors import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.server.google.token_state import AnyTokens, TokenState
    from queued_gspread.server.pacing.lending import Lending

__all__ = ["Known", "accounts_of"]

_WAITS: Final = "waits for an access token"


class Known(NamedTuple):
    """An account of a server.

    Attributes:
        name: Its address.
        project: Its Google Cloud project.
        tokens: Its access tokens.
        key: Its name in slots and journals: '' for the namespace's own.

    """

    name: str
    project: str
    tokens: AnyTokens
    key: str = ""


def accounts_of(accounts: Sequence[Known], lending: Lending) -> list[AccountAtWork]:
    """Return what each account does."""
    return [_account(each, lending) for each in accounts]


def _account(known: Known, lending: Lending) -> AccountAtWork:
    rooms, pauses = lending.rooms(known.key), lending.pauses(known.key)
    return AccountAtWork(
        known.name,
        known.project,
        not known.key,
        _state_in_words(known.tokens.state()),
        {kind: held for kind, (held, _) in rooms.items()},
        {kind: limit for kind, (_, limit) in rooms.items()},
        {kind: round(seconds, 1) for kind, seconds in pauses.items() if seconds < math.inf},
    )


def _state_in_words(state: TokenState) -> str:
    if state.is_usable:
        return FINE
    return _WAITS if state.error is None else shown(state.error)
