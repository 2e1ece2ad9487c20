"""Google's quotas: how many requests an account and its project may make, and which exceed it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from zlib import crc32

from .retry_after import TAKES, is_retry_after
from .window import MOVEMENTS, Movement, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

Counted: TypeAlias = Literal["arrival", "answer", "random"]
_KINDS = {"read": "Read", "write": "Write"}


@dataclass(frozen=True)
class Quotas:
    """How many requests are allowed in a window; 0 is no limit.

    `reads` and `writes` are one account's requests to the Sheets API, `project_reads` and
    `project_writes` those of all accounts of a project, `drive` one account's requests to the Drive
    API. `window` and `offset` are seconds of the emulator's monotonic clock. A fixed window is
    [k * window + offset, (k + 1) * window + offset). Those of a `staggered` movement are fixed too,
    and each account's begin at other moments. With `sliding` it is every window that ends now.
    `lenient` ones slide, but count a request only after a tenth of the window: they let a burst
    through, and then keep others out.

    `counted` is the moment between arrival and answer at which a request is counted. With
    `count_refused` the refused ones count as well. `retry_after` is sent with every 429 as the
    header Retry-After: seconds, or an HTTP date.

    Raises ValueError for a negative limit, a window that is not above 0, a Retry-After that is
    neither, and unknown words.
    """

    reads: int = 0
    writes: int = 0
    project_reads: int = 0
    project_writes: int = 0
    drive: int = 0
    window: float = 60.0
    movement: Movement = "fixed"
    offset: float = 0.0
    counted: Counted = "arrival"
    count_refused: bool = False
    retry_after: int | str | None = None

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name in ("reads", "writes", "project_reads", "project_writes", "drive"):
            limit = getattr(self, name)
            if not _is_number(limit) or limit < 0:
                raise ValueError(f"{name}={limit!r} cannot be used: take a number from 0.")
        if not _is_number(self.window) or self.window <= 0:
            raise ValueError(f"window={self.window!r} cannot be used: take seconds above 0.")
        if self.movement not in MOVEMENTS:
            words = " or ".join(MOVEMENTS)
            raise ValueError(f"movement={self.movement!r} cannot be used: take {words}.")
        if self.counted not in ("arrival", "answer", "random"):
            words = "arrival, answer or random"
            raise ValueError(f"counted={self.counted!r} cannot be used: take {words}.")
        if not _is_number(self.offset):
            raise ValueError(f"offset={self.offset!r} cannot be used: take seconds.")
        if self.retry_after is not None and not is_retry_after(self.retry_after):
            raise ValueError(f"retry_after={self.retry_after!r} cannot be used: take {TAKES}.")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


@dataclass(frozen=True)
class Limit:
    """One limit: of reads, writes or Drive's requests, for one account or its whole project.

    `project` is the number of the project whose requests it is about.
    """

    kind: str
    per_user: bool
    value: int
    project: int = 1

    @property
    def name(self) -> str:
        """Google's name for it: `quota_limit` in the body of a 429."""
        if self.kind == "drive":
            return "userRateLimitExceeded"
        return f"{_KINDS[self.kind]}RequestsPerMinutePer{'User' if self.per_user else 'Project'}"

    @property
    def title(self) -> str:
        """Its name in the message of a 429."""
        return f"{_KINDS[self.kind]} requests per minute{' per user' if self.per_user else ''}"

    @property
    def metric(self) -> str:
        """The metric that it limits, as the message of a 429 names it."""
        return f"{_KINDS[self.kind]} requests"


class Meter:
    """Counts requests against quotas, from nothing."""

    def __init__(self, quotas: Quotas) -> None:
        """Begin with nothing counted."""
        self.quotas = quotas
        self._windows: dict[tuple[str, str | int], Window] = {}

    def take(self, account: str, kind: str, now: float, project: int = 1) -> Limit | None:
        """Count a request if all limits allow it; return the limit that refuses it, if any."""
        limits = [limit for limit in self._limits(kind, project) if limit.value]
        concerned = [(limit, self._window(limit, account)) for limit in limits]
        refusing = next((limit for limit, window in concerned if not window.allows(now)), None)
        if refusing is None or self.quotas.count_refused:
            for _, window in concerned:
                window.count(now)
        return refusing

    def _limits(self, kind: str, project: int) -> Iterator[Limit]:
        quotas = self.quotas
        if kind == "drive":
            yield Limit(kind, True, quotas.drive, project)
        elif kind == "read":
            yield Limit(kind, True, quotas.reads, project)
            yield Limit(kind, False, quotas.project_reads, project)
        else:
            yield Limit(kind, True, quotas.writes, project)
            yield Limit(kind, False, quotas.project_writes, project)

    def _window(self, limit: Limit, account: str) -> Window:
        key = (limit.kind, account if limit.per_user else limit.project)
        if key not in self._windows:
            quotas = self.quotas
            offset = quotas.offset + self._stagger(key[1])
            self._windows[key] = Window(limit.value, quotas.window, quotas.movement, offset)
        return self._windows[key]

    def _stagger(self, whose: str | int) -> float:
        """Return a part of the window, always the same for an account; none for a project."""
        if isinstance(whose, int) or self.quotas.movement != "staggered":
            return 0.0
        return crc32(whose.encode()) / 2**32 * self.quotas.window
