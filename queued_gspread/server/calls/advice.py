"""Notes for errors that do not say what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.auth.exceptions import RefreshError
from gspread.exceptions import APIError, SpreadsheetNotFound

from queued_gspread.google_api.responses import reasons_in

if TYPE_CHECKING:
    from queued_gspread.protocol.identity import Identity

__all__ = ["advise"]

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403
_REFUSED: Final = (
    "it is the server's key that Google refuses, of {}, and nothing in this program: the server's "
    "log says more"
)
_UNSHARED: Final = (
    "the server works as {}: if the spreadsheet is there, share it with that account (as an "
    "editor, if it is to be changed)"
)
_NO_STORAGE: Final = (
    "the server works as {}, which has no storage left to own a new file, as service accounts have "
    "none of their own. Ways out: a folder of a shared drive that the account is a member of "
    "(folder_id=...); a subject, for whom the account acts (the server's --subject); an OAuth "
    "account (--oauth). Or create the spreadsheet by hand, share it with the account, and open it"
)


def advise(error: BaseException, account: Identity) -> None:
    """Add a note to an error: with whom to share, whose key is refused, who may own a file.

    The error stays gspread's or google-auth's own: same class, same arguments, same text.
    """
    if isinstance(error, RefreshError):
        note = _REFUSED
    elif _is_out_of_storage(error):
        note = _NO_STORAGE
    elif _is_unshared(error):
        note = _UNSHARED
    else:
        return
    note = note.format(account.shown)
    # Python 3.10 has no add_note(), but the attribute may be set.
    notes = getattr(error, "__notes__", ())
    # A token's error is shared by all calls, so it may have the note already.
    vars(error)["__notes__"] = [*(other for other in notes if other != note), note]


def _is_out_of_storage(error: BaseException) -> bool:
    return isinstance(error, APIError) and "storageQuotaExceeded" in reasons_in(error.error)


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
