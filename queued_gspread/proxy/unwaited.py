"""A block whose calls are put into the queue and left there: ``pipeline(wait=False)``.

The enqueue is the promise: from then on nothing that happens to this process ends the call. As long
as the block lasts, replies are collected as in any pipeline, so that results can be touched, and so
that no more calls are under way than may be.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from queued_gspread.errors import (
    BrokerUnavailableError,
    PipelineError,
    ServerUnavailableError,
)

from .pipelining import Pipeline

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["UnwaitedPipeline"]


class UnwaitedPipeline(Pipeline):
    """A block of calls that its end does not wait for."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the block, whatever was raised in it; the calls stay in the queue."""
        if self._process != os.getpid():
            return
        for collector in self._collectors.values():
            collector.leave(_left)
        self._close()

    def leaves(self, cls: type[Any] | None) -> bool:
        """Return whether the next call goes on when the block ends: one not waited for at once."""
        return not self.waits and (cls is not None or self._future is not None)

    def _wait_for_oldest(self) -> None:
        oldest = next(iter(list(self._calls)), None)
        if oldest is None:
            return
        oldest.wait()
        if isinstance(oldest.error, (BrokerUnavailableError, ServerUnavailableError)):
            # It stays in the queue; no more are put in behind it.
            raise oldest.error


def _left() -> PipelineError:
    return PipelineError(
        "this result is not waited for, as the block of pipeline(wait=False) has ended. The call "
        "is made all the same; if it fails, Redis keeps that (failed_calls), and the server's log "
        "has it"
    )
