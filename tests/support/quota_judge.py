"""A judge of quotas: how many requests of a user, and of a project, may fall into one window.

Pure rules over what an emulator's ledger says. When Google counts a request is not known: at any
moment between its arrival and its answer. So a window holds each request that is unanswered in any
part of it, and windows begin at any moment. What is found to be within its quota here is so
wherever Google's windows begin and whenever it counts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sent:
    """A request that a quota has to do with.

    Attributes:
        account: Who sent it.
        project: The number of this account's project.
        kind: Its quota: ``read`` or ``write``.
        begin: The first moment, in seconds, at which it may have been counted.
        end: The last one.

    """

    account: str
    project: int
    kind: str
    begin: float
    end: float


@dataclass(frozen=True)
class Excess:
    """More requests in a window than a quota allows: whose, of which kind, and how many."""

    whose: str
    kind: str
    count: int
    limit: int


def sent_in(ledger):
    """Return the requests in a ledger's entries that count, as Google may count them at any time.

    The entries are those of an emulator in this process, or of its route ``/emulator/ledger``.
    """
    entries = [entry if isinstance(entry, dict) else vars(entry) for entry in ledger]
    return [
        Sent(
            entry["account"],
            entry["project"],
            entry["quota"],
            entry["arrived"],
            max(entry["answered"], entry["counted"] or 0.0),
        )
        for entry in entries
        if entry["account"] and entry["quota"] in ("read", "write")
    ]


def counted_in(ledger):
    """Return the same requests at the moments at which the emulator has counted them."""
    return [
        replace(sent, begin=entry.counted, end=entry.counted)
        for entry in ledger
        if entry.counted is not None
        for sent in sent_in([entry])
    ]


def most_in_a_window(requests, window):
    """Return the most of these requests that can fall into one window, wherever it begins."""
    ordered = sorted(requests, key=lambda sent: sent.begin)
    most, within = 0, []
    for sent in ordered:
        # The window that ends right after this one has arrived.
        within = [other for other in within if other.end > sent.begin - window]
        within.append(sent)
        most = max(most, len(within))
    return most


def excesses(requests, window, user, project):
    """Return where more requests than these limits may fall into one window; 0 is no limit.

    Args:
        requests: All that were sent.
        window: Its length in seconds.
        user: How many reads an account may send in a window, and how many writes.
        project: The same of all accounts of a project.

    """
    groups = defaultdict(list)
    for sent in requests:
        groups[sent.account, sent.kind, user].append(sent)
        groups[f"project {sent.project}", sent.kind, project].append(sent)
    found = []
    for (whose, kind, limit), group in groups.items():
        most = most_in_a_window(group, window) if limit else 0
        if most > limit:
            found.append(Excess(whose, kind, most, limit))
    return found
