"""Accounts that lend their quota to the account of a namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gspread

    from .token_state import AnyTokens

__all__ = ["Lender"]


@dataclass(frozen=True, eq=False)
class Lender:
    """An account that lends its quota: requests on spreadsheets that it may use go out under it.

    Attributes:
        name: The account's address: it names the account in Redis's keys and in the journal.
        project: The Google Cloud project of its key, whose quota it shares.
        http: Its HTTP client.
        tokens: Its access tokens.

    """

    name: str
    project: str
    http: gspread.HTTPClient
    tokens: AnyTokens
