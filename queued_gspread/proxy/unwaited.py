"""A block whose calls are put into the queue and left there: ``pipeline(wait=False)``.

The enqueue is the promise: from then on nothing that happens to this process ends the call. As long
as the block lasts, replies are collected as in any pipeline, so that results can be touched, and so
that no more calls are under way than may be.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import (
    BrokerUnavailableError,
    PipelineError,
    ServerUnavailableError,
)

from .pending import places_of
from .pipelining import Pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from .pending import PendingCall
    from .pipelining import Settle

__all__ = ["UnwaitedPipeline"]

_NOT_MADE_YET: Final = (BrokerUnavailableError, ServerUnavailableError)


class UnwaitedPipeline(Pipeline):
    """A block of calls that its end does not wait for."""

    def __init__(self, limit: int = 1000, *, progress: bool = False) -> None:
        super().__init__(limit, progress=progress)
        # By the properties that a call will change which no server has made: why, and what keeps
        # these properties alive, as their id is the key.
        self._unknown: dict[tuple[int, bool], tuple[Exception, Settle]] = {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the block, whatever was raised in it; the calls stay in the queue."""
        if self._process != os.getpid():
            self._leave()
            return
        try:
            self.progress.close()  # what is left now was not answered
            for collector in self._collectors.values():
                collector.leave(_left)
        finally:
            self._close()

    def leaves(self, cls: type[Any] | None) -> bool:
        """Return whether the next call goes on when the block ends: one not waited for at once."""
        return not self.waits and (cls is not None or self._future is not None)

    def settle(self, properties: Sequence[Any], *, but_adds: bool = False) -> None:
        """Wait for the calls that may change these; raise the error if no server makes one.

        It stays in the queue, and nothing may be computed from what it is going to change.
        """
        super().settle(properties, but_adds=but_adds)
        for place in places_of(properties, but_adds=but_adds):
            if place in self._unknown:
                raise self._unknown[place][0]

    def _end(
        self,
        call: PendingCall,
        settle: Settle,
        reply: bytes | None,
        error: BaseException | None,
    ) -> None:
        if isinstance(error, _NOT_MADE_YET):
            self._unknown.update(dict.fromkeys(call.changes, (error, settle)))
        super()._end(call, settle, reply, error)
        self._failed.clear()  # the end of the block tells nobody

    def _wait_for_oldest(self) -> None:
        oldest = next(iter(list(self._calls)), None)
        if oldest is None:
            return
        oldest.wait()
        if isinstance(oldest.error, _NOT_MADE_YET):
            # It stays in the queue; no more are put in behind it.
            raise oldest.error


def _left() -> PipelineError:
    return PipelineError(
        "this result is not waited for, as the block of pipeline(wait=False) has ended. The call "
        "is made all the same; if it fails, Redis keeps that (failed_calls), and the server's log "
        "has it"
    )
