"""What a server that has several accounts publishes of each."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .texts import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["AccountAtWork", "accounts_as_data", "accounts_in"]

_MOST: Final = 10**15


@dataclass(frozen=True)
class AccountAtWork:
    """What an account lends, or the namespace's own account uses.

    Attributes:
        name: Its address.
        project: Its Google Cloud project.
        is_first: Whether it is the namespace's own account.
        token: ``ok`` if it has a valid access token, else why it has none.
        held: How many slots it holds of each kind.
        limits: How many slots of each kind it has; 0 for no limit.
        sent: How many requests of each kind this server has sent under it.
        pauses: For how many more seconds it makes none of a kind, as Google has refused one.

    """

    name: str
    project: str
    is_first: bool
    token: str
    held: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    sent: Mapping[str, int] = field(default_factory=dict)
    pauses: Mapping[str, float] = field(default_factory=dict)


def accounts_as_data(accounts: Sequence[AccountAtWork]) -> list[list[Any]]:
    """Return accounts as JSON can have them."""
    return [list(astuple(account)) for account in accounts]


def accounts_in(found: Any) -> tuple[AccountAtWork, ...]:
    """Return the accounts of :func:`accounts_as_data`, whoever has written that.

    Raises:
        ValueError: It is something else.
        TypeError: The same.
        AttributeError: The same.

    """
    return tuple(map(_account, found))


def _account(found: Any) -> AccountAtWork:
    name, project, is_first, token, held, limits, sent, pauses = found
    return AccountAtWork(
        shown(name),
        shown(project),
        is_first is True,
        shown(token),
        _counts(held),
        _counts(limits),
        _counts(sent),
        {shown(kind): _seconds(number) for kind, number in pauses.items()},
    )


def _counts(found: Any) -> dict[str, int]:
    return {shown(kind): _count(number) for kind, number in found.items()}


def _seconds(number: Any) -> float:
    if type(number) not in (int, float) or not 0 <= number <= _MOST:
        raise ValueError(number)
    return float(number)


def _count(number: Any) -> int:
    if type(number) is not int or not 0 <= number <= _MOST:
        raise ValueError(number)
    return number
