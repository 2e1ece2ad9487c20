"""Entries of the ledger as JSON, without credentials."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from queued_gspread.emulator.http.ledger import Served

if TYPE_CHECKING:
    from queued_gspread.emulator.http.ledger import Entry
    from queued_gspread.web.fields import Json

HIDDEN = "(hidden)"
_SECRET = {"key", "access_token", "oauth_token"}
_SHOWN = [field.name for field in fields(Served) if field.name not in {"query", "body"}]


def entry_json(entry: Entry) -> Json:
    """Return an entry: its number, its destination, and all of `Served` except the body."""
    served = entry.served
    query = [[name, HIDDEN if name.lower() in _SECRET else value] for name, value in served.query]
    held = {name: getattr(served, name) for name in _SHOWN}
    return {"number": entry.number, "to": entry.to, **held, "query": query}


def whole_entry_json(entry: Entry) -> Json:
    """Return an entry with its body.

    The body is null if it is not JSON, and for a token request, which holds an assertion.
    """
    body = entry.served.body
    shown = entry.to == "api" and not isinstance(body, bytes)
    return {**entry_json(entry), "body": body if shown else None}
