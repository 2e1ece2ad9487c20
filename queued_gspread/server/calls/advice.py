"""Notes for errors that do not say what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.auth.exceptions import RefreshError
from gspread.exceptions import APIError, SpreadsheetNotFound

if TYPE_CHECKING:
    from queued_gspread.protocol.identity import Identity

__all__ = ["advise"]

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403


def advise(error: BaseException, account: Identity) -> None:
    """Add a note to an error: which account to share a file with, or whose key Google refuses.

    The error stays gspread's or google-auth's own: same class, same arguments, same text.
    """
    if isinstance(error, RefreshError):
        note = (
            f"it is the server's key that Google refuses, of {account.shown}, and nothing in this "
            "program: the server's log says more"
        )
    elif _is_unshared(error):
        note = (
            f"the server works as {account.shown}: if the spreadsheet is there, share it with that "
            "account (as an editor, if it is to be changed)"
        )
    else:
        return
    # Python 3.10 has no add_note(), but the attribute may be set.
    notes = getattr(error, "__notes__", ())
    # A token's error is shared by all calls, so it may have the note already.
    vars(error)["__notes__"] = [*(other for other in notes if other != note), note]


def _is_unshared(error: BaseException | None) -> bool:
    if isinstance(error, PermissionError):  # gspread raises it for a 403, without a text
        return _is_unshared(error.__cause__)
    if isinstance(error, SpreadsheetNotFound):
        return True
    if not isinstance(error, APIError):
        return False
    # Google also answers 403 if an API is not enabled (its text says so), and for the rate.
    is_denied = error.code == _FORBIDDEN and "permission" in str(error).lower()
    return is_denied or error.code == _NOT_FOUND
