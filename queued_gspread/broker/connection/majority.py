"""What a majority of those who know says of the master. Pure.

A single Sentinel, or node of a Cluster, may be cut off and know of no failover. Two majorities have
a member in common, and none goes back to an earlier master: once a majority has named a new one, no
majority names the old one any more.
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
    """What one of them says.

    Attributes:
        voter: Who it is, by whatever address it was asked; '' for one that has no vote.
        master: A name for the master that all of them use.
        address: Where that master is.
        voters: How many have a vote, itself included, as far as it knows.
        others: Where those are.
        replicas: The master's replicas that are up, as far as it sees.
        is_partial: Whether it may not say who the others are.

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
        replicas: How many of its replicas are up. One counts unless a majority sees it down, since
            it may be the next master.

    """

    address: Host
    replicas: int = 0


def majority(opinions: Collection[Opinion], least: int = 1) -> Named | None:
    """Return the master that a majority names; None where there is none.

    Args:
        opinions: What was answered so far; one that was asked twice has one vote.
        least: How many there are at the least, whatever they know of each other.

    """
    votes = {opinion.voter: opinion for opinion in opinions if opinion.voter}
    total = max([least, *(opinion.voters for opinion in votes.values())])
    needed = total // 2 + 1
    counted = Counter(opinion.master for opinion in votes.values())
    for master, count in counted.items():
        if count >= needed:
            agreed = [opinion for opinion in votes.values() if opinion.master == master]
            seen = Counter(name for opinion in agreed for name in opinion.replicas)
            up = sum(times > len(agreed) - needed for times in seen.values())
            return Named(agreed[0].address, up)
    return None
