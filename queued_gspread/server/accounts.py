"""What a server with several accounts says of each, for those who look at the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from queued_gspread.broker import AccountAtWork
from queued_gspread.server.google.token_errors import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.server.figures import Figures
    from queued_gspread.server.google.token_state import AnyTokens, TokenState
    from queued_gspread.server.pacing.lending import Lending

__all__ = ["Known", "accounts_of"]

_OK: Final = "ok"
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


def accounts_of(
    accounts: Sequence[Known], lending: Lending, figures: Figures
) -> list[AccountAtWork]:
    """Return what each account does."""
    sent = dict(figures.sent_as)
    return [_account(each, lending.rooms(each.key), sent) for each in accounts]


def _account(
    known: Known, rooms: dict[str, tuple[int, int]], sent: dict[tuple[str, str], int]
) -> AccountAtWork:
    return AccountAtWork(
        known.name,
        known.project,
        not known.key,
        _state_in_words(known.tokens.state()),
        {kind: held for kind, (held, _) in rooms.items()},
        {kind: limit for kind, (_, limit) in rooms.items()},
        {kind: number for (name, kind), number in sent.items() if name == known.name},
    )


def _state_in_words(state: TokenState) -> str:
    if state.is_usable:
        return _OK
    return _WAITS if state.error is None else shown(state.error)
