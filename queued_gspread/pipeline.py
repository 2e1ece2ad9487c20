"""Many calls at a time from one thread: ``with gspread.pipeline():``; see docs/pipelines.md."""

from queued_gspread.proxy.pipelining import Pipeline
from queued_gspread.proxy.reordering import ReorderingPipeline
from queued_gspread.proxy.unwaited import UnwaitedPipeline

__all__ = ["Pipeline", "pipeline"]


def pipeline(
    *, limit: int = 1000, wait: bool = True, progress: bool = False, reorder: bool = False
) -> Pipeline:
    """Return a block whose calls are put into the queue at once, and waited for together.

    Inside the block a call of this thread, or task, returns before it is made. Whoever uses its
    result waits for it, and the end of the block waits for all.

    Args:
        limit: How many calls may be under way; the next one waits for the oldest.
        wait: Whether the end of the block waits. If not, the calls are made all the same, even if
            this process ends; those that fail are kept in Redis, and are in the server's log.

        progress: Whether to show a bar; it needs the extra ``progress``.
        reorder: Whether single cells may be read and written in another order, so that they share
            requests. Say so only if nothing that is read is computed from what is written.

    """
    if not (wait or reorder):
        return UnwaitedPipeline(limit, progress=progress)
    if not wait:
        raise ValueError(
            "pipeline(wait=False, reorder=True): calls are put in at once if nobody waits"
        )
    kind = ReorderingPipeline if reorder else Pipeline
    return kind(limit, progress=progress)
