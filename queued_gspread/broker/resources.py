"""What the server that works has to make calls with, beyond its first account, as it is published.

That is its memory of answers, for reads that may be so old, and its accounts where there are
several. Anyone may have written it: what cannot be read counts as not there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .foreign import is_number, loaded, shown
from .permits import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FINE", "AccountAtWork", "CacheAtWork", "Resources", "resources_in"]

FINE: Final = "ok"
"""What an account with an access token says of it; another one says why it has none."""

# However many a forged text names, they fill no screen and no Prometheus.
_MOST_ACCOUNTS: Final = 50


@dataclass(frozen=True)
class CacheAtWork:
    """The answers that the server remembers.

    Attributes:
        bytes: How many bytes they take.
        limit: How many they may take; 0 if none are remembered.
        answers: How many there are.

    """

    bytes: int = 0
    limit: int = 0
    answers: int = 0


@dataclass(frozen=True)
class AccountAtWork:
    """An account of a server that has several.

    Attributes:
        name: Its address.
        project: The project of its key; '' if not known.
        is_first: Whether the namespace belongs to it; the others lend it their quota.
        token: :data:`FINE`, or why it has no access token.
        held: How many slots are held of each kind.
        limits: How many requests of each kind a window may hold; 0 for no limit.
        pauses: For how many seconds no request of a kind is sent, after a refusal.

    """

    name: str
    project: str = ""
    is_first: bool = False
    token: str = FINE
    held: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    pauses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Resources:
    """What the server has to make calls with.

    Attributes:
        cache: The answers that it remembers; None if it says nothing of that.
        accounts: Its accounts, the first one first; none if it has only one.

    """

    cache: CacheAtWork | None = None
    accounts: Sequence[AccountAtWork] = ()

    def encode(self) -> str:
        """Return it as text for Redis; '' if there is nothing to be told."""
        told: dict[str, Any] = {}
        if self.cache is not None:
            told["cache"] = asdict(self.cache)
        if self.accounts:
            told["accounts"] = [asdict(each) for each in self.accounts]
        return json.dumps(told, separators=(",", ":")) if told else ""


def resources_in(text: Any) -> Resources:
    """Return what :meth:`Resources.encode` has written, as far as it can be read."""
    found = loaded(text)
    if not isinstance(found, dict):
        return Resources()
    accounts: dict[str, AccountAtWork] = {}
    listed = found.get("accounts")
    for each in listed if isinstance(listed, list) else ():
        account = _account(each)
        if account is not None and len(accounts) < _MOST_ACCOUNTS:
            accounts.setdefault(account.name, account)
    return Resources(_cache(found.get("cache")), tuple(accounts.values()))


def _cache(found: Any) -> CacheAtWork | None:
    numbers = [found.get(name) for name in ("bytes", "limit", "answers")] if _is(found) else []
    return CacheAtWork(*map(int, numbers)) if numbers and all(map(is_number, numbers)) else None


def _account(found: Any) -> AccountAtWork | None:
    """Return an account; None for what has no name, or does not say how it is."""
    if not _is(found):
        return None
    name, project, token = (found.get(each) for each in ("name", "project", "token"))
    if not (isinstance(name, str) and name and isinstance(token, str)):
        return None
    return AccountAtWork(
        shown(name),
        shown(project) if isinstance(project, str) else "",
        found.get("is_first") is True,
        shown(token),
        {kind: int(number) for kind, number in _by_kind(found.get("held")).items()},
        {kind: int(number) for kind, number in _by_kind(found.get("limits")).items()},
        _by_kind(found.get("pauses")),
    )


def _by_kind(found: Any) -> dict[str, float]:
    numbers = {kind: found.get(kind) for kind in KINDS} if _is(found) else {}
    return {kind: float(number) for kind, number in numbers.items() if is_number(number)}


def _is(found: Any) -> bool:
    return isinstance(found, dict)
