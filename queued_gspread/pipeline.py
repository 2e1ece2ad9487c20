"""Many calls at a time from one thread: ``with gspread.pipeline():``; see docs/pipelines.md."""

from queued_gspread.proxy.pipelining import Pipeline
from queued_gspread.proxy.unwaited import UnwaitedPipeline

__all__ = ["Pipeline", "pipeline"]


def pipeline(*, limit: int = 1000, wait: bool = True) -> Pipeline:
    """Return a block whose calls are put into the queue at once, and waited for together.

    Inside the block a call of this thread, or task, returns before it is made. Whoever uses its
    result waits for it, and the end of the block waits for all.

    Args:
        limit: How many calls may be under way; the next one waits for the oldest.
        wait: Whether the end of the block waits. If not, the calls are made all the same, even if
            this process ends; those that fail are kept in Redis, and are in the server's log.

    """
    return Pipeline(limit) if wait else UnwaitedPipeline(limit)
