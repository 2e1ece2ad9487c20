"""Notes for errors that do not say what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from google.auth.exceptions import OAuthError, RefreshError
from gspread.exceptions import APIError, SpreadsheetNotFound

from queued_gspread.google_api.responses import OwnRequest, reasons_in
from queued_gspread.google_api.scopes import enough_for, short_scope
from queued_gspread.protocol.identity import ANYONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queued_gspread.protocol.identity import Identity

__all__ = ["advise"]

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403
_KEY: Final = "it is the server's key that Google refuses"
_NO_STORAGE: Final = "storageQuotaExceeded"
_WAYS_OUT: Final = (
    "the server works as {}, which has no storage left to own a new file, as service accounts have "
    "none of their own. Ways out: a folder of a shared drive that the account is a member of "
    "(folder_id=...); a subject, for whom the account acts (the server's --subject); an OAuth "
    "account (--oauth). Or create the spreadsheet by hand, share it with the account, and open it"
)
# From the one that allows the least on.
_USUAL: Final = ("spreadsheets.readonly", "drive.readonly", "spreadsheets", "drive.file", "drive")


def advise(error: BaseException, account: Identity, client: Identity = ANYONE) -> None:
    """Add a note to an error: what to share with whom, what is missing, whose key is refused.

    The error stays gspread's or google-auth's own: same class, same arguments, same text.

    Args:
        error: The error.
        account: The server's account.
        client: Whom the client has named.

    """
    refused = _answered(error)
    if isinstance(error, (RefreshError, OAuthError)):
        _note(error, _about_key(error, account))
    elif refused is not None and _NO_STORAGE in reasons_in(refused.error):
        _note(error, _WAYS_OUT.format(account.shown))
    elif refused is not None and _lacks_scope(refused):
        _note(error, _about_scopes(refused, account, client))
    elif isinstance(error, SpreadsheetNotFound) or (refused is not None and _is_unshared(refused)):
        _note(
            error,
            f"the server works as {account.shown}: if the spreadsheet is there, share it with that "
            "account (as an editor, if it is to be changed)",
        )


def _note(error: BaseException, note: str) -> None:
    # Python 3.10 has no add_note(), but the attribute may be set.
    notes = getattr(error, "__notes__", ())
    # A token's error is shared by all calls, so it may have the note already.
    vars(error)["__notes__"] = [*(other for other in notes if other != note), note]


def _answered(error: BaseException) -> APIError | None:
    """Return Google's refusal: the error itself, or that of which gspread has made another one."""
    if isinstance(error, PermissionError):  # gspread raises it for a 403, without a text
        return _answered(error.__cause__) if error.__cause__ else None
    return error if isinstance(error, APIError) else None


def _about_key(error: BaseException, account: Identity) -> str:
    notes = getattr(error, "__notes__", ())
    ending = "" if any(_KEY not in note for note in notes) else ": the server's log says more"
    return f"{_KEY}, of {account.shown}, and nothing in this program{ending}"


def _is_unshared(error: APIError) -> bool:
    # Google also answers 403 if an API is not enabled (its text says so), and for the rate.
    is_denied = error.code == _FORBIDDEN and "permission" in str(error).lower()
    return is_denied or error.code == _NOT_FOUND


def _lacks_scope(error: APIError) -> bool:
    return error.code == _FORBIDDEN and "insufficient authentication scopes" in str(error)


def _about_scopes(error: APIError, account: Identity, client: Identity) -> str:
    """Return which scopes would be enough for a request, and who lacks them."""
    asked: object = error.response.request
    enough: frozenset[str] = frozenset()
    if isinstance(asked, OwnRequest):
        query = parse_qsl(urlsplit(asked.endpoint).query)
        enough = enough_for(asked.method.upper(), asked.endpoint, query)
    usual = [name for name in _USUAL if name in map(short_scope, enough)]
    needed = f"it needs {_either(usual)}" if usual else "it needs another one"
    if client.scopes is not None and enough.isdisjoint(client.scopes):
        return (
            f"this client's credentials have only the scopes {_listed(client.scopes)}, and the "
            f"server holds it to them: {needed}"
        )
    has = _listed(account.scopes) if account.scopes else "that its token has"
    return (
        f"the server has only the scopes {has}: {needed}. Whoever runs the server names scopes "
        "with --scopes"
    )


def _either(names: list[str]) -> str:
    first, last = names[:-1], names[-1]
    return f"{', '.join(first)} or {last}" if first else last


def _listed(scopes: Iterable[str]) -> str:
    return ", ".join(map(short_scope, scopes))
