"""A call that failed, as a part of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from queued_gspread.broker import shown

if TYPE_CHECKING:
    from queued_gspread.broker import FailedCall

__all__ = ["Outcome", "outcome_of"]


@dataclass(frozen=True)
class Outcome:
    """A call that failed.

    Attributes:
        at: When.
        sort: ``failed``, ``unknown`` or ``poisoned``.
        job_id: Its job.
        method: Its method; ``?`` if it is not known.
        spreadsheet: The spreadsheet's id.
        title: Its title.
        sheet: The worksheet's title, if the call was for one.
        caller: Its caller.
        is_unattended: Whether nobody waited for it.
        error: The name of the exception's class.
        message: What the error says, without what may be a value.
        http_status: Of Google's answer; 0 for none.
        error_status: Google's word for it.
        error_reason: Google's reason.

    """

    at: float
    sort: str
    job_id: str
    method: str
    spreadsheet: str
    title: str
    sheet: str
    caller: str
    is_unattended: bool
    error: str
    message: str
    http_status: int
    error_status: str
    error_reason: str

    @property
    def where(self) -> str:
        """The spreadsheet and the sheet, in words."""
        return " / ".join(filter(None, (self.title or self.spreadsheet, self.sheet)))


def outcome_of(call: FailedCall) -> Outcome:
    """Return a call as it was kept, with texts that can be shown."""
    return Outcome(
        at=call.at.timestamp() if call.at else 0.0,
        sort=shown(call.sort),
        job_id=shown(call.job_id),
        method=shown(call.method),
        spreadsheet=shown(call.spreadsheet),
        title=shown(call.title),
        sheet=shown(call.sheet),
        caller=shown(call.caller),
        is_unattended=call.is_unattended,
        error=shown(call.error),
        message=shown(call.message),
        http_status=call.http_status,
        error_status=shown(call.error_status),
        error_reason=shown(call.error_reason),
    )
