"""Checks Google: whether the APIs are enabled, and what the account may do with a spreadsheet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import requests
from google.auth.exceptions import GoogleAuthError
from gspread.exceptions import APIError, NoValidUrlKeyFound
from gspread.utils import extract_id_from_url

from queued_gspread.errors import QueuedGspreadError

from .findings import Finding, failed, ok, skipped, warned
from .remedies import UNREACHABLE, explain, is_disabled, is_out_of_scope, share_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NAMES", "TROUBLES", "Google"]

NAMES: Final = ("sheets api", "drive api", "spreadsheet", "writing", "creating")

TROUBLES: Final = (
    APIError,
    GoogleAuthError,
    QueuedGspreadError,
    requests.RequestException,
    OSError,
)
_SHEETS: Final = "https://sheets.googleapis.com/v4/spreadsheets"
_DRIVE: Final = "https://www.googleapis.com/drive/v3"
_KEY: Final = re.compile(r"[\w-]{25,}", re.ASCII)
# No spreadsheet has this id: Google says so, if the API is enabled.
_NO_KEY: Final = "queued-gspread-check"
_GONE: Final = (403, 404)
_NOT_FOUND: Final = 404
_GIB: Final = 1024**3
_ELSEWHERE: Final = (
    "in a folder of a shared drive (folder_id=), for a subject (--subject), or as an OAuth account "
    "(--oauth)"
)


class Google:
    """What an account can see and do.

    Args:
        request: Sends a request; gspread's ``HTTPClient.request``.
        account: The account, in words.
        place: Where requests go, if not to Google.

    Attributes:
        key: The id of the spreadsheet that was found; None for none.

    """

    def __init__(self, request: Callable[..., Any], account: str, place: str = "") -> None:
        self._request = request
        self._account = account
        self._is_known = "@" in account
        self._place = f"enabled, at {place}" if place else "enabled"
        self._sheets_error: Exception | None = None
        self._has_drive = False
        self._about: dict[str, Any] = {}
        self.key: str | None = None

    def reach(self) -> Exception | None:
        """Send the first request; return why none comes to Google, if so.

        It asks for a spreadsheet that is not there: only an API that is enabled says so.
        """
        try:
            self._get(f"{_SHEETS}/{_NO_KEY}", fields="spreadsheetId")
        except TROUBLES as error:
            if not isinstance(error, APIError) or error.code not in _GONE or _is_of_api(error):
                self._sheets_error = error
        return None if isinstance(self._sheets_error, APIError) else self._sheets_error

    def findings(self, wanted: str | None, *, is_api_key: bool = False) -> Iterator[Finding]:
        """Yield what is found about the APIs, the spreadsheet that is wanted, and new files.

        Call :meth:`reach` before.
        """
        yield self._sheets()
        if is_api_key:
            yield skipped("drive api", "an API key opens what is public, by its id")
        else:
            yield self._drive()
        if self._sheets_error is not None:
            yield skipped("spreadsheet", "the Sheets API has to answer first")
        elif not wanted:
            yield skipped("spreadsheet", "name one with --spreadsheet ID_OR_URL_OR_TITLE")
        else:
            self.key, finding = self._spreadsheet(wanted)
            yield finding
        yield self._writing(self.key)
        yield self._creating()

    def _sheets(self) -> Finding:
        if self._sheets_error is None:
            return ok("sheets api", self._place)
        return failed("sheets api", *explain(self._sheets_error, self._account))

    def _drive(self) -> Finding:
        try:
            fields = "user(emailAddress),storageQuota(limit,usage)"
            self._about = self._get(f"{_DRIVE}/about", fields=fields)
        except TROUBLES as error:
            told, remedy = explain(error, self._account)
            needs = "open() by a title, create() and the rest of Drive need it; open_by_key() not: "
            return failed("drive api", told, needs + remedy)
        self._has_drive = True
        if not self._is_known:
            self._account = self._user or self._account
        return ok("drive api", self._place)

    @property
    def _user(self) -> str:
        """The address of the account, by Drive's word; '' if it does not say."""
        return str(_object(self._about.get("user")).get("emailAddress") or "")

    def _spreadsheet(self, wanted: str) -> tuple[str | None, Finding]:
        key = _key_in(wanted)
        if key is None:
            return self._by_title(wanted)
        try:
            return key, self._opened(key)
        except TROUBLES as error:
            if isinstance(error, APIError) and error.code == _NOT_FOUND and "/" not in wanted:
                by_title = self._by_title(wanted)  # titles may look like ids
                if by_title[0]:
                    return by_title
            return None, self._closed(wanted, error)

    def _opened(self, key: str) -> Finding:
        found = self._get(f"{_SHEETS}/{quote(key)}", fields="spreadsheetId,properties.title")
        title = _object(found.get("properties")).get("title")
        if title is None:
            return failed("spreadsheet", "what answers is not Google's Sheets API", UNREACHABLE)
        return ok("spreadsheet", f"{title!r} ({key})")

    def _closed(self, wanted: str, error: Exception) -> Finding:
        told, remedy = explain(error, self._account)
        if isinstance(error, APIError) and error.code == _NOT_FOUND:
            told = f"no spreadsheet has the id {wanted!r}, or none that {self._account} may see"
            remedy = f"look at the id; if it is right, {share_with(self._account)}"
        elif isinstance(error, APIError) and not _is_of_api(error):
            told = f"it is not shared with {self._account}"
        return failed("spreadsheet", told, remedy)

    def _by_title(self, title: str) -> tuple[str | None, Finding]:
        if not self._has_drive:
            told = "a title is looked up by the Drive API, which does not answer"
            return None, failed("spreadsheet", told, "name it by its id or its URL, or see above")
        escaped = title.replace("\\", "\\\\").replace("'", "\\'")
        query = f"mimeType = 'application/vnd.google-apps.spreadsheet' and name = '{escaped}'"
        everywhere = {"includeItemsFromAllDrives": True, "supportsAllDrives": True}
        try:
            listed = self._get(f"{_DRIVE}/files", q=query, fields="files(id)", **everywhere)
            keys = [str(_object(file).get("id")) for file in listed.get("files") or ()]
            opened = self._opened(keys[0]) if keys else None
        except TROUBLES as error:
            return None, self._closed(title, error)
        if opened is None:
            told = f"no spreadsheet with the title {title!r} is shared with {self._account}"
            remedy = f"{share_with(self._account)}; or correct the title"
            return None, failed("spreadsheet", told, remedy)
        if len(keys) > 1:
            told = f"{len(keys)} spreadsheets have the title {title!r}"
            remedy = f"open() takes the first of them: open_by_key({keys[0]!r}) says which"
            return keys[0], warned("spreadsheet", told, remedy)
        return keys[0], opened

    def _writing(self, key: str | None) -> Finding:
        """Ask Drive, so that nothing is written."""
        if key is None:
            return skipped("writing", "no spreadsheet to look at")
        if not self._has_drive:
            return skipped("writing", "only the Drive API says whether it may be changed")
        try:
            fields = {"fields": "capabilities(canEdit)", "supportsAllDrives": True}
            found = self._get(f"{_DRIVE}/files/{quote(key)}", **fields)
        except TROUBLES as error:
            return failed("writing", *explain(error, self._account))
        if _object(found.get("capabilities")).get("canEdit"):
            return ok("writing", f"{self._account} may change it")
        told = f"it is shared with {self._account} for reading only"
        return failed("writing", told, share_with(self._account))

    def _creating(self) -> Finding:
        if not self._about:
            return skipped("creating", "only the Drive API says whether files may be created")
        quota = _object(self._about.get("storageQuota"))
        limit, used = (_number(quota.get(name)) for name in ("limit", "usage"))
        if limit is None:
            return ok("creating", "files may be created: their number has no limit")
        if limit == 0:
            return ok("creating", f"{self._account} can own no file: create() works {_ELSEWHERE}")
        if (used or 0) >= limit:
            told = f"its storage of {limit / _GIB:.0f} GiB is used up"
            return warned("creating", told, f"delete files, or create() {_ELSEWHERE}")
        told = f"files may be created: {(limit - (used or 0)) / _GIB:.1f} GiB are left"
        if self._user.endswith(".gserviceaccount.com"):
            told += (
                f". Google may refuse a service account all the same; then create() {_ELSEWHERE}"
            )
        return ok("creating", told)

    def _get(self, url: str, **params: Any) -> dict[str, Any]:
        return _object(self._request("get", url, params=params).json())


def _object(found: Any) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else, such as a proxy's answer."""
    return found if isinstance(found, dict) else {}


def _is_of_api(error: Exception) -> bool:
    return is_disabled(error) or is_out_of_scope(error)


def _key_in(wanted: str) -> str | None:
    """Return the id in a URL, or what looks like one."""
    if "://" in wanted:
        try:
            found: str = extract_id_from_url(wanted)
        except NoValidUrlKeyFound:
            return None
        return found
    return wanted if _KEY.fullmatch(wanted) else None


def _number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None
