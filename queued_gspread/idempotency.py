"""Writes that are made once: ``with gspread.idempotency_key("order-1"):``; see docs/keys.md."""

from queued_gspread.proxy.keying import IdempotencyKey

__all__ = ["IdempotencyKey", "idempotency_key"]


def idempotency_key(key: str, *, keep: float = 86_400.0) -> IdempotencyKey:
    """Return a block whose writes are made once, however often and wherever it runs.

    The writes of the block are numbered. The same call under the same key and number gets the first
    one's answer, without a request; while the first one waits or runs, it waits for it. Reads are
    made as always. In asyncio it is ``async with``.

    Args:
        key: What tells this piece of work from all others of the namespace, such as an order's
            number: up to 200 characters.
        keep: Seconds for which an answer is kept, on Redis's clock; at most 31 days.

    Raises:
        IdempotencyKeyReusedError: From a call of the block: another one had its key and number.
        AnswerNotKeptError: The call was made before, and its answer was larger than 16 kB.

    """
    return IdempotencyKey(key, keep)
