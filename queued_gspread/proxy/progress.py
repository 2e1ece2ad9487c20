"""The bar of ``pipeline(progress=True)``: calls answered, and how long the rest may take.

The thread that collects the replies draws it, so it moves whatever the caller's own thread does,
and no signal handler runs in the middle of it. If it cannot be drawn, it is given up.
"""

from __future__ import annotations

import _thread
import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._clock import now
from queued_gspread._install import how_to_install
from queued_gspread.broker import longest

if TYPE_CHECKING:
    from queued_gspread.broker import Collector, QueuedJob, Sight

__all__ = ["Progress"]

# Seconds between two drawings, and between two looks at what holds the calls up.
_DRAWN: Final = 0.1
_LOOKS: Final = 1.0
_CLOSES: Final = 1.0
_MINUTE: Final = 60
_FEW: Final = 10
_FORMAT: Final = "{percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt} calls [{elapsed}{postfix}]"


class NoProgress:
    """Shows nothing."""

    def put_in(self, job: QueuedJob) -> None:
        """Count a call that was put in."""

    def sent(self, requests: float) -> None:
        """Note a call's share of the requests that were sent for it."""

    def ended(self) -> None:
        """Count a call that has ended."""

    def round(self, collector: Collector) -> None:
        """Look at the queue and draw, if it is time for that; in the collector's thread."""

    def close(self) -> None:
        """Leave what was drawn."""


class Progress(NoProgress):
    """Counts the calls of a pipeline, and shows a bar.

    Raises:
        ImportError: tqdm is not installed.

    """

    def __init__(self) -> None:
        self._bar: Any = _bar()
        self.made = 0
        self.answered = 0
        self.requests = 0.0
        self._drawn: tuple[Any, ...] = ()
        self._drawn_at = self._looked_at = -math.inf
        # The latest call of each lane: all others of the block come before it.
        self._latest: dict[str, QueuedJob] = {}
        self._longest: dict[str, float] = {}
        # Held by the thread that draws. No call may wait for a bar, so no thread waits for it long.
        self._lock = _thread.allocate_lock()

    def put_in(self, job: QueuedJob) -> None:
        """Count a call, and remember its job."""
        self.made += 1
        self._latest[job.wait.lane] = job

    def sent(self, requests: float) -> None:
        """Add to the requests that were sent."""
        self.requests += requests

    def ended(self) -> None:
        """Count an answer, or a failure."""
        self.answered += 1

    def round(self, collector: Collector) -> None:
        """Look at the queue every second, and draw ten times in it."""
        if now() >= self._looked_at + _LOOKS:
            self._looked_at = now()
            self._look(collector)
        if now() >= self._drawn_at + _DRAWN and self._lock.acquire(blocking=False):
            self._draw()
            self._lock.release()

    def _draw(self) -> None:
        """Draw the bar, unless it shows all this already."""
        shown = (self.answered, self.made, self.text())
        if self._bar is None or not self.made or shown == self._drawn:
            return
        self._drawn, self._drawn_at = shown, now()
        try:
            self._bar.n, self._bar.total = shown[:2]
            self._bar.set_postfix_str(shown[2], refresh=True)
        except Exception:  # noqa: BLE001 - from tqdm, or from a stream that is closed
            self._bar = None

    def close(self) -> None:
        """Draw the bar once more, and leave it there unless there were no calls."""
        if not self._lock.acquire(timeout=_CLOSES):
            return
        self._latest.clear()
        self._longest.clear()
        self._draw()
        self._leave()
        self._lock.release()

    def _leave(self) -> None:
        bar, self._bar = self._bar, None
        try:
            if bar is not None:
                bar.leave = self.made > 0
                bar.close()
        except Exception:  # noqa: BLE001, S110 - the same
            pass

    def text(self) -> str:
        """Return what stands behind the bar."""
        parts = []
        if self.requests:
            each = self.answered / self.requests
            parts.append(f"{each:.{1 if each < _FEW else 0}f} calls a request")
        seconds = max(self._longest.values(), default=0.0)
        if seconds and not math.isinf(seconds):
            parts.append(f"at most {_duration(seconds)} more")
        return ", ".join(parts)

    def _look(self, collector: Collector) -> None:
        for lane, job in list(self._latest.items()):
            if job.is_over:
                self._longest.pop(lane, None)
            elif job.wait.stream_id and job.connection is collector.connection:
                collector.look(job, partial(self._saw, lane))

    def _saw(self, lane: str, sight: Sight) -> None:
        self._longest[lane] = longest(sight)


def _duration(seconds: float) -> str:
    whole = max(1, math.ceil(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    return f"{math.ceil(whole / _MINUTE)} min"


def _bar() -> Any:
    try:
        from tqdm.auto import tqdm  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError(
            f"pipeline(progress=True) needs tqdm: {how_to_install('progress')}, "
            "or leave progress out",
            name=error.name,
        ) from error
    return tqdm(total=1, delay=_DRAWN, bar_format=_FORMAT)  # its total is set when it is drawn
