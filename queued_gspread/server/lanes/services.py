"""The services that all lanes of a server share."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from queued_gspread.server.calls.memory import Memory
from queued_gspread.server.figures import Figures

if TYPE_CHECKING:
    from queued_gspread.broker import Consumer
    from queued_gspread.server.calls.admission import Admission
    from queued_gspread.server.calls.quarantine import Quarantine
    from queued_gspread.server.calls.runner import Runner
    from queued_gspread.server.pacing.valve import Valve
    from queued_gspread.server.sending.sender import Sender

    from .tables import Tables

__all__ = ["LaneServices"]


@dataclass(frozen=True)
class LaneServices:
    """The services that all lanes of a server share.

    Attributes:
        queue: The servers' side of the queue.
        admission: Admits jobs and signs replies.
        runner: Runs calls.
        sender: Sends their requests.
        valve: Gives them turns.
        tables: The tables after the latest appends.
        quarantine: Lets jobs with which servers have died run, one at a time.
        merges: Whether calls may run together.
        linger: The most seconds for which a lane that has answered several callers at once waits
            for their next calls.
        memory: The memory that calls may take.
        figures: Counts calls.
        namespace: The queue's namespace, for spans.

    """

    queue: Consumer
    admission: Admission
    runner: Runner
    sender: Sender
    valve: Valve
    tables: Tables
    quarantine: Quarantine
    _: KW_ONLY
    merges: bool = True
    linger: float = 0.0
    memory: Memory = field(default_factory=Memory)
    figures: Figures = field(default_factory=Figures)
    namespace: str = ""
