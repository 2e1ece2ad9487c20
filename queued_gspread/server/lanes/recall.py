"""Which of a lane's open calls are answered from memory, so that none waits for ever for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.sending.results import Results
    from queued_gspread.server.sending.sender import Sender

__all__ = ["Recall"]


class Recall:
    """Answers from memory, for one lane.

    Args:
        sender: Sends requests, and remembers what came of them.

    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._has_passed = False

    def answers(self, calls: Sequence[Call]) -> Results:
        """Return what memory answers of open calls; nothing if the first one must be sent first.

        Others may be answered before the first call, but not twice in a row: it would wait for as
        long as more of them come.
        """
        recalled = self._sender.recalled(calls)
        passes = bool(recalled) and recalled[0][0] is not calls[0]
        if passes and self._has_passed:
            recalled, passes = [], False
        self._has_passed = passes
        return recalled
