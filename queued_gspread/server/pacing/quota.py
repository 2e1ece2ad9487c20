"""The quota: which requests count together, and how many of them Google allows in a window."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import FORMAT, NO_SLOT, READS, WRITES, Slot
from queued_gspread.google_api import methods
from queued_gspread.server.policy.request import CREDENTIALS, is_read
from queued_gspread.settings import checked_count, checked_seconds

if TYPE_CHECKING:
    from queued_gspread.server.policy.request import Request

__all__ = ["Quota", "kind_of"]

# What an operator may pause, by the quota; Drive's has reads and writes alike.
_CHANGE: Final = {"read": READS, "write": WRITES}


@dataclass(frozen=True)
class Quota:
    """How many requests of each kind may be made in a window, and how far apart.

    Where a namespace has one account of a project, the account's limit and the project's apply to
    the same requests, and keeping the lower one keeps both. Where it has several, each has that
    limit, and all of them together the project's. 0 means no limit. Drive's quota is far above
    what gspread needs and has no limit here: https://developers.google.com/workspace/drive/api/guides/limits

    Attributes:
        reads: Reads of the Sheets API for each account.
        writes: Writes of the Sheets API for each account.
        project_reads: This namespace's part of the project's reads.
        project_writes: This namespace's part of the project's writes.
        window: The length of a window in seconds.
        interval: The least number of seconds between two requests of any kind as one account.
        is_fair: Whether lanes are kept from taking all slots of a window at once; see ``fairness``.

    Raises:
        ConfigurationError: A value cannot be used; the text names its option.

    """

    reads: int = 60
    writes: int = 60
    project_reads: int = 300
    project_writes: int = 300
    window: float = 60.0
    interval: float = 0.0
    is_fair: bool = True
    _numbers: itertools.count[int] = field(
        default_factory=itertools.count, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("reads", "writes", "project_reads", "project_writes"):
            value = getattr(self, name)
            checked_count(value, f"{name}_per_minute={value!r}")
        checked_seconds(self.window, f"quota_window={self.window!r}")
        checked_seconds(self.interval, f"interval={self.interval!r}", zero=True)

    def limit(self, kind: str) -> int:
        """Return how many requests of a kind a window may hold; 0 if there is no limit."""
        return self._limits.get(kind, 0)

    @cached_property
    def _limits(self) -> dict[str, int]:
        return {
            "read": min(filter(None, (self.reads, self.project_reads)), default=0),
            "write": min(filter(None, (self.writes, self.project_writes)), default=0),
        }

    @property
    def shared(self) -> dict[str, int]:
        """How many requests of each kind a project's accounts may make together; 0 for no limit."""
        return {"read": self.project_reads, "write": self.project_writes}

    @property
    def about(self) -> str:
        """The limits in words."""
        reads, writes = (self.limit(kind) or "any number of" for kind in ("read", "write"))
        return f"{reads} reads and {writes} writes in {self.window:g} s"

    def shown(self, kind: str) -> str:
        """Return in words the limit for a kind of request, and which option sets it."""
        limit = self.limit(kind)
        if not limit:
            return "no limit is set, but Google has refused some"
        is_users = limit == {"read": self.reads, "write": self.writes}.get(kind)
        whose = f"the account: --{kind}s" if is_users else f"the project: --project-{kind}s"
        return f"{limit} in {self.window:g} s for {whose}-per-minute"

    def slot(self, request: Request, epoch: str, lane: str = "") -> Slot:
        """Return the slot for a lane's request, under a unique name."""
        kind = kind_of(request)
        if not kind:
            return NO_SLOT
        # Servers of two queue formats share the slots, and may have equal epochs.
        name = f"{epoch}/{FORMAT}.{next(self._numbers)}"
        whose = lane if self.is_fair else ""
        what = _CHANGE.get(kind) or (READS if is_read(request) else WRITES)
        return Slot(kind, name, self.limit(kind), self.window, self.interval, whose, what)


def kind_of(request: Request) -> str:
    """Return the quota that a request counts against: ``read``, ``write``, ``drive``, or ''."""
    if request.method == CREDENTIALS:
        return ""
    return methods.kind_of(request.verb, request.path)
