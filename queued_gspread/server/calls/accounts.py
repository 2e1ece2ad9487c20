"""Refuse calls that are meant for another account than the server's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.errors import AccountMismatchError

if TYPE_CHECKING:
    from queued_gspread.protocol.identity import Identity

__all__ = ["admit"]


def admit(client: Identity, server: Identity) -> None:
    """Raise :class:`AccountMismatchError` if a call is meant for another account or subject."""
    if not client.conflicts_with(server):
        return
    raise AccountMismatchError(
        f"the call is meant for {client.shown}, but this server works as {server.shown}: "
        "use the namespace of a server with that account, or authorize() without credentials"
    )
