"""Which master a majority of Sentinels, or of a Cluster's masters, names. Pure.

A single Sentinel, or node of a Cluster, may be cut off and not know of a failover. Two majorities
have a member in common, and no member goes back to an earlier master: once a majority has named a
new one, no majority names the old one any more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Host", "Named", "Opinion", "majority"]

Host: TypeAlias = "tuple[str, int]"


@dataclass(frozen=True)
class Opinion:
    """What one voter says.

    Attributes:
        voter: Its identity, independent of the address at which it was asked; '' for no vote.
        master: The master, by a name that all voters use.
        address: Where that master is.
        voters: How many voters it knows, itself included.
        others: Where the others are.
        replicas: The master's replicas that are up, as far as it sees.
        is_partial: Whether it is not permitted to list the others, or the replicas.

    """

    voter: str
    master: str
    address: Host
    voters: int = 1
    others: frozenset[Host] = frozenset()
    replicas: frozenset[str] = frozenset()
    is_partial: bool = False


@dataclass(frozen=True)
class Named:
    """The master that a majority names.

    Attributes:
        address: Where it is.
        replicas: How many of its replicas are up. A replica counts unless a majority sees it down,
            since it may be the next master.

    """

    address: Host
    replicas: int = 0


def majority(opinions: Collection[Opinion], least: int = 1) -> Named | None:
    """Return the master that a majority names; None if there is no majority.

    Args:
        opinions: The answers so far; a voter that was asked twice has one vote.
        least: The least number of voters, whatever they know of each other.

    """
    votes = {opinion.voter: opinion for opinion in opinions if opinion.voter}
    total = max([least, *(opinion.voters for opinion in votes.values())])
    needed = total // 2 + 1
    counted = Counter(opinion.master for opinion in votes.values())
    for master, count in counted.items():
        if count >= needed:
            agreed = [opinion for opinion in votes.values() if opinion.master == master]
            seen_up = Counter(name for opinion in agreed for name in opinion.replicas)
            up = sum(times > len(agreed) - needed for times in seen_up.values())
            return Named(agreed[0].address, up)
    return None
