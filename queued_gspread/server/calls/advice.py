"""What a caller is told beside an error that does not say what to do."""

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
    """Note on an error with whom a file has to be shared, or whose key it is that Google refuses.

    The error stays gspread's or google-auth's own: its class, its arguments and its text.
    """
    if isinstance(error, RefreshError):
        told = (
            f"it is the server's key that Google refuses, of {account.shown}, and nothing of this "
            "program's: the server's log says more"
        )
    elif _is_unshared(error):
        told = (
            f"the server works as {account.shown}: if the spreadsheet is there, share it with that "
            "account (as an editor, where it is to be changed)"
        )
    else:
        return
    # Python 3.10 has no add_note(), but nothing against the attribute.
    notes = getattr(error, "__notes__", ())
    # All calls get the same error of a token's.
    vars(error)["__notes__"] = [*(note for note in notes if note != told), told]


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
