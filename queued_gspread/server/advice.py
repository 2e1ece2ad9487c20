"""What a caller is told beside an error of gspread's that does not say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gspread.exceptions import APIError, SpreadsheetNotFound

if TYPE_CHECKING:
    from queued_gspread.identity import Identity

__all__ = ["advise"]

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403


def advise(error: BaseException, account: Identity) -> None:
    """Note on an error, where Google shows a file to nobody, with whom it has to be shared.

    The error stays gspread's own: its class, its arguments and its text.
    """
    if not _is_unshared(error):
        return
    told = (
        f"the server works as {account.shown}: if the spreadsheet is there, share it with that "
        "account (as an editor, where it is to be changed)"
    )
    # Python 3.10 has no add_note(), but nothing against the attribute.
    vars(error)["__notes__"] = [*getattr(error, "__notes__", ()), told]


def _is_unshared(error: BaseException | None) -> bool:
    if isinstance(error, PermissionError):  # which gspread raises of a 403, without a word
        return _is_unshared(error.__cause__)
    if isinstance(error, SpreadsheetNotFound):
        return True
    if not isinstance(error, APIError):
        return False
    # A 403 is also for an API that is not enabled, which its text says, and for the rate.
    is_denied = error.code == _FORBIDDEN and "permission" in str(error).lower()
    return is_denied or error.code == _NOT_FOUND
