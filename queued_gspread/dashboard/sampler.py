"""One look a second at a queue, for all who look at it, and none while nobody does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import QueuedGspreadError
from queued_gspread.monitor import look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from queued_gspread.monitor import Snapshot
    from queued_gspread.settings import Settings

__all__ = ["EVERY", "LINGER", "LONGEST_READ", "Sample", "Sampler"]

EVERY: Final = 1.0
"""The seconds between two looks."""

LINGER: Final = 3.0
"""The seconds for which it goes on for nobody: a page that polls may ask again."""

LONGEST_READ: Final = 3.0
"""The seconds for which Redis may be waited for."""

_LOGGER: Final = logging.getLogger("queued_gspread.dashboard")
_FIRST_LANES: Final = 6
_SILENT: Final = "Redis does not answer"


@dataclass(frozen=True)
class Sample:
    """What was seen.

    Attributes:
        number: Its number: later ones have a larger one.
        error: Why nothing was seen; '' if something was.
        parts: The parts of the snapshot by name, each as JSON; and ``first_lanes``, as a page that
            shows the oldest alone needs no thousand.

    """

    number: int
    error: str
    parts: Mapping[str, str]


class Sampler:
    """Looks at one queue, in a thread, and hands out what it has seen.

    The next look comes only after the last one has ended, so a Redis that is frozen is asked once,
    and no threads pile up.

    Args:
        settings: Where the queue is.
        every: The seconds between two looks.
        longest: The seconds for which Redis may be waited for.
        linger: The seconds for which it goes on looking for nobody.
        read: Reads a snapshot.

    """

    def __init__(
        self,
        settings: Settings,
        every: float = EVERY,
        longest: float = LONGEST_READ,
        linger: float = LINGER,
        read: Callable[[Settings, float], Snapshot] = look,
    ) -> None:
        self._settings, self._every, self._longest = settings, every, longest
        self._linger, self._read = linger, read
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="dashboard-look")
        self._lookers = 0
        self._latest: Sample | None = None
        self._number = 0
        self._until = 0.0
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    @property
    def is_looking(self) -> bool:
        """Whether it looks at the queue."""
        return self._task is not None

    @property
    def trouble(self) -> str:
        """Why the latest look has seen nothing; '' if it has, or if nobody looks."""
        return self._latest.error if self._latest else ""

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Have it look for as long as the block takes, and a little longer."""
        self._lookers += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield
        finally:
            self._lookers -= 1
            self._until = asyncio.get_running_loop().time() + self._linger

    async def after(self, number: int) -> Sample:
        """Return the latest sample, once there is one with a larger number."""
        async with self._news:
            while self._latest is None or self._latest.number <= number:
                await self._news.wait()
            return self._latest

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while self._lookers or clock() < self._until:
                began = clock()
                await self._look()
                await asyncio.sleep(max(0.0, began + self._every - clock()))
        finally:
            # Whoever looks next wants nothing that is old.
            self._latest, self._task = None, None

    async def _look(self) -> None:
        looked = asyncio.get_running_loop().run_in_executor(self._pool, self._parts)
        # The deadline is the reader's; a name server, say, may know nothing of it.
        done, _ = await asyncio.wait({looked}, timeout=self._longest + self._every)
        if not done:
            await self._tell(_SILENT, {})
        try:
            await self._tell("", await looked)
        except QueuedGspreadError as error:
            await self._tell(str(error), {})
        except Exception:
            _LOGGER.exception("The queue of %s cannot be shown.", self._settings.place)
            await self._tell("The queue cannot be shown: the dashboard's log says why", {})

    async def _tell(self, error: str, parts: Mapping[str, str]) -> None:
        async with self._news:
            self._number += 1
            self._latest = Sample(self._number, error, parts)
            self._news.notify_all()

    def _parts(self) -> dict[str, str]:
        """Return the parts of the snapshot; in the thread, as a thousand lanes take a while."""
        shown: dict[str, Any] = asdict(self._read(self._settings, self._longest))
        shown["first_lanes"] = shown["lanes"][:_FIRST_LANES]
        return {name: json.dumps(part, separators=(",", ":")) for name, part in shown.items()}
