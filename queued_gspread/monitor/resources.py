"""What the server that works has to make calls with, beyond its first account.

Its memory of answers, and its accounts where there are several. What no server says is not known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queued_gspread.broker import FINE, KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from queued_gspread.broker import AccountAtWork, CacheAtWork

__all__ = ["Account", "AccountQuota", "Cache", "accounts_of", "cache_of", "full_project"]


@dataclass(frozen=True)
class Cache:
    """The answers that the server remembers, for reads that may be some seconds old.

    Attributes:
        hits: How many requests were answered by them, since the beginning.
        misses: How many requests of reads that may be some seconds old Google was asked for.
        bytes: How many bytes they take; None if no server says.
        limit: How many they may take, 0 if none are remembered; None if no server says.
        answers: How many there are; None if no server says.

    """

    hits: int
    misses: int
    bytes: int | None
    limit: int | None
    answers: int | None


@dataclass(frozen=True)
class AccountQuota:
    """What an account may send of a kind of request.

    Attributes:
        kind: ``read``, ``write`` or ``drive``.
        limit: How many a window may hold; 0 for no limit.
        held: How many slots are held.
        pause: For how many seconds none is sent, after a refusal.
        requests: How many were sent, since the beginning; each attempt counts.

    """

    kind: str
    limit: int
    held: int
    pause: float
    requests: int


@dataclass(frozen=True)
class Account:
    """An account of a server that has several.

    Attributes:
        account: Its address.
        project: The project of its key; '' if not known.
        is_first: Whether the namespace belongs to it; the others lend it their quota.
        is_out: Whether nothing is sent under it, as it has no access token.
        why: Why it has none; '' if it has one.
        quota: What it may send of each kind that it sends.

    """

    account: str
    project: str
    is_first: bool
    is_out: bool
    why: str
    quota: tuple[AccountQuota, ...]

    @property
    def problem(self) -> str:
        """What is wrong with it, in words; '' for nothing, or if it is the server's own trouble."""
        lends_nothing = self.is_out and not self.is_first
        return f"account {self.account} lends nothing: {self.why}" if lends_nothing else ""


def cache_of(cache: CacheAtWork | None, totals: Mapping[str, int]) -> Cache:
    """Return what is known of the answers that the server remembers."""
    return Cache(
        totals.get("recalled read", 0),
        totals.get("missed read", 0),
        *((cache.bytes, cache.limit, cache.answers) if cache else (None, None, None)),
    )


def accounts_of(
    accounts: Sequence[AccountAtWork], totals: Mapping[str, int], age: float
) -> tuple[Account, ...]:
    """Return the accounts, the first one first.

    Args:
        accounts: What the server has said of them.
        totals: The counts since the beginning, by name.
        age: The seconds since it has said that.

    """
    in_order = sorted(accounts, key=lambda each: (not each.is_first, each.name))
    return tuple(_account(each, totals, age) for each in in_order)


def full_project(accounts: Sequence[Account], kind: str, limit: int, ahead: int) -> str:
    """Return the first account's project, if that may be what a call has to wait for; else ''.

    Then the first account's own slots do not say for how long.

    Args:
        accounts: The accounts, the first one first.
        kind: The kind of the call's request.
        limit: How many requests of that kind the project's accounts may make in a window; 0 for
            no limit.
        ahead: How many requests may be sent before it.

    """
    project = accounts[0].project if accounts else ""
    shared = [
        quota
        for account in accounts
        for quota in account.quota
        if account.project == project and quota.kind == kind
    ]
    # What the accounts may hold together is below the project's limit, or does not reach it.
    may_hold = sum(quota.limit or math.inf for quota in shared)
    held = sum(quota.held for quota in shared)
    return project if 0 < limit < min(may_hold, held + ahead + 1) else ""


def _account(account: AccountAtWork, totals: Mapping[str, int], age: float) -> Account:
    is_out = account.token != FINE
    quota = (
        AccountQuota(
            kind,
            account.limits.get(kind, 0),
            account.held.get(kind, 0),
            max(0.0, account.pauses.get(kind, 0.0) - age),
            totals.get(f"account {account.name} {kind}", 0),
        )
        for kind in KINDS
        if kind in account.limits or kind in account.held
    )
    return Account(
        account.name,
        account.project,
        account.is_first,
        is_out,
        (account.token or "it has no access token") if is_out else "",
        tuple(quota),
    )
