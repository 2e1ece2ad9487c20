"""Reads that may be some seconds old: ``with gspread.max_age(5):``; see docs/max_age.md."""

from queued_gspread.proxy.max_age import MaxAge

__all__ = ["MaxAge", "max_age"]


def max_age(seconds: float) -> MaxAge:
    """Return a block whose reads may be answered by what Google has said so many seconds ago.

    A read of the Sheets API may be answered from the server's memory, provided that nothing was
    sent to its spreadsheet since, through the same namespace, that could have changed it. So a
    caller sees all that the queue has written, and what others write at most so late.

    The innermost block wins over those around it and over the client's own ``max_age``; 0 has all
    reads ask Google. What counts is where a call is made: in a pipeline it may be sent later. In
    asyncio, ``async with`` does the same. An upsert, and the holder of a lock, reads
    afresh in any case.

    Args:
        seconds: How old an answer may be, counted from when its request was sent.

    Raises:
        ConfigurationError: It is not a number of seconds, 0 or more.

    """
    return MaxAge(seconds)
