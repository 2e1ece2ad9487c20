"""What an access token may be used for, by the scopes it was asked for with."""

from __future__ import annotations

_PREFIX = "https://www.googleapis.com/auth/"
_FEEDS = "https://spreadsheets.google.com/feeds"
_DRIVE = {"drive", "drive.file"}
_READ_DRIVE = {"drive.readonly", "drive.metadata", "drive.metadata.readonly"}


def allows(scopes: frozenset[str], method: str, path: str) -> bool:
    """Whether a token with these scopes suffices for a request."""
    names = {scope.removeprefix(_PREFIX) for scope in scopes}
    reading = method == "GET"
    allowed = set(_DRIVE)
    if path.startswith("/v4/"):
        allowed |= {"spreadsheets", _FEEDS}
        allowed |= {"spreadsheets.readonly", "drive.readonly"} if reading else set()
    elif reading:
        allowed |= _READ_DRIVE
    return bool(names & allowed)
