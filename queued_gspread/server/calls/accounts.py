"""Refuse calls that are meant for another account than the server's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.errors import AccountMismatchError

if TYPE_CHECKING:
    from queued_gspread.protocol.identity import Identity

__all__ = ["mismatch"]


def mismatch(client: Identity, server: Identity) -> AccountMismatchError:
    """Return the error for a call that is meant for another account or subject."""
    return AccountMismatchError(
        f"the call is meant for {client.shown}, but this server works as {server.shown}: "
        "use the namespace of a server with that account, or authorize() without credentials"
    )
