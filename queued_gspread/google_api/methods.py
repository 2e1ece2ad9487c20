"""Every method of Google's API, a row each: quota, scopes, merging, idempotence, lending, checks.

The rows are plain data. The server's ``policy`` and ``merging`` implement the rules that they
name; the emulator uses the same quotas and scopes.
``tests/google_api/test_google_api_methods.py`` compares the rows with the discovery documents of
Sheets v4 and Drive v3: it fails for a method that Google adds until there is a row for it here.

The requests in a ``spreadsheets:batchUpdate`` have their own rows in :mod:`.batch_requests`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Literal

__all__ = ["METHODS", "OVERRIDE", "Idempotence", "MergeKind", "Method", "find", "kind_of", "reads"]

OVERRIDE: Final = "x-http-method-override"
"""The header that makes Google treat a POST as a request with another method."""

QuotaKind = Literal["read", "write", "drive"]


class MergeKind(Enum):
    """The kinds of requests that can be merged; the value is the name that the counters show."""

    GET = "values.get"
    UPDATE = "values.update"
    CLEAR = "values.clear"
    APPEND = "values.append"
    BATCH = "spreadsheets.batchUpdate"
    IDENTICAL = "identical GETs"
    UPSERT = "upserts"


class Idempotence(Enum):
    """When a request has the same effect and the same answer a second time."""

    ALWAYS = auto()
    BATCH = auto()
    """If the requests in its batch, taken together, are idempotent."""
    METADATA = auto()
    """If it only sets fields of a file that may be set a second time."""
    CONTENT = auto()
    """If it only replaces a file's content."""


@dataclass(frozen=True)
class Method:
    """A method of Google's API.

    Attributes:
        verb: The HTTP method.
        path: The path as in Google's reference, from the root of the host.
        quota: What it counts as. "Read requests are calls to any method that retrieves data from
            a spreadsheet, such as get or search. Write requests are calls to any method that
            changes a spreadsheet" (https://developers.google.com/workspace/sheets/api/limits).
        scopes: The scopes, of which one is enough, without ``https://www.googleapis.com/auth/``.
        idempotent: When it is idempotent; or, as text, why it never is.
        check: What to look at if it is unknown whether it was applied. The text continues the
            words "Before you call again, "; ``policy.check_hints`` fills in the braces.
        merge: The kind of requests with which it may be merged.
        lent: Whether it may go out under another account that may use the spreadsheet: its effect
            and its answer are the same. All others go out under the namespace's own account alone.

    """

    verb: str
    path: str
    quota: QuotaKind
    scopes: str
    idempotent: Idempotence | str = Idempotence.ALWAYS
    check: str = ""
    merge: MergeKind | None = None
    lent: bool = False


# Scopes, by what they are for. -------------------------------------------------------------------

_DRIVE_ONLY: Final = "drive"
_READ_DRIVES: Final = "drive drive.readonly"
_FILE: Final = "drive drive.file"
_EDIT_CELLS: Final = f"{_FILE} spreadsheets"
_READ_CELLS: Final = f"{_EDIT_CELLS} drive.readonly spreadsheets.readonly"
_OWN_FILE: Final = f"{_FILE} drive.appdata"
_COPY_FILE: Final = f"{_OWN_FILE} drive.photos.readonly"
_EDIT_METADATA: Final = f"{_FILE} drive.metadata"
_EDIT_FILE: Final = f"{_EDIT_METADATA} drive.appdata drive.scripts"
_DOWNLOAD: Final = f"{_FILE} drive.readonly"
_READ_FILE: Final = f"{_DOWNLOAD} drive.meet.readonly"
_READ_METADATA: Final = f"{_DOWNLOAD} drive.metadata drive.metadata.readonly"
_READ_APPROVALS: Final = f"{_READ_METADATA} drive.appdata"
_READ_ABOUT: Final = f"{_READ_APPROVALS} drive.photos.readonly"
_READ_APP: Final = f"{_READ_APPROVALS} drive.apps.readonly"
_READ_LABELS: Final = f"{_READ_METADATA} drive.meet.readonly"
_READ_SHARES: Final = f"{_READ_LABELS} drive.photos.readonly"
_READ_ALL: Final = f"{_READ_SHARES} drive.appdata"

# Why a method is not idempotent. -----------------------------------------------------------------

_ADDS: Final = "adds another"
_GONE: Final = "answers 404 the second time"
_MAILS: Final = "may send another mail"
_STARTS: Final = "starts another one"
_UNSURE: Final = "what a second one does or answers is not documented"
_RIGHTS: Final = "is refused if it took the caller's own right; a pending owner gets another mail"

# What to look at. --------------------------------------------------------------------------------

_NEW_BOOK: Final = "look in Drive for a spreadsheet{titled} that was made at that time"
_NEW_FILE: Final = "look in Drive for a file{named} that was made at that time"
_NEW_SHEET: Final = "list the worksheets of {destination} and look for the copy"
_BATCH: Final = "{batch}"
_ROWS: Final = "look for the rows at the end of the table {place}"
_CELLS: Final = "read the cells and look whether they have what was to be set"
_PROPOSALS: Final = "list the file's access proposals and look whether it is still there"
_APPROVAL: Final = "list the file's approvals and look what has become of it"
_NOTICES: Final = "look whether notifications of changes come"
_COMMENT: Final = "list the file's comments and look whether the new one is there"
_COMMENTS: Final = "list the file's comments and replies and look whether they have changed"
_DRIVES: Final = "list the shared drives and look whether they have changed"
_STARTED: Final = "expect that what it has started still goes on"
_EDITED: Final = "look at the file's name, folder and properties in Drive"
_DELETED: Final = "look whether the file is still in Drive"
_TRASH: Final = "look whether the trash is empty"
_LABELS: Final = "list the file's labels and look whether they have changed"
_PERMISSIONS: Final = "list the file's permissions (`list_permissions()`) and look whether"
_SHARED: Final = f"{_PERMISSIONS} the new one is there"
_ROLE: Final = f"{_PERMISSIONS} the one that was to change has its new role"
_UNSHARED: Final = f"{_PERMISSIONS} the one that was to be removed is gone"
_REVISIONS: Final = "list the file's revisions and look whether they have changed"
_IMPORTED: Final = "open the spreadsheet and look whether it has the imported content"

# The rows. ---------------------------------------------------------------------------------------

_BOOK: Final = "/v4/spreadsheets/{spreadsheetId}"


def _read(
    verb: str, path: str, scopes: str, merge: MergeKind | None = None, *, lent: bool = False
) -> Method:
    return Method(verb, path, "read", scopes, merge=merge, lent=lent)


def _write(verb: str, path: str, idempotent: Idempotence | str, check: str) -> Method:
    return Method(verb, path, "write", _EDIT_CELLS, idempotent, check)


def _cells(
    verb: str, path: str, idempotent: Idempotence | str, check: str, merge: MergeKind
) -> Method:
    return Method(verb, path, "write", _EDIT_CELLS, idempotent, check, merge, lent=True)


def _drive(
    verb: str,
    path: str,
    scopes: str,
    idempotent: Idempotence | str = Idempotence.ALWAYS,
    check: str = "",
) -> Method:
    return Method(verb, f"/drive/v3/{path}", "drive", scopes, idempotent, check)


# Lent are those that concern cells alone. The answers of the others depend on whose account it is:
# a spreadsheet's on the protected ranges that it may edit, and its developer metadata, by which
# data filters select, on its project. What is created or copied belongs to it.
_SHEETS_V4: Final = (
    _read("GET", _BOOK, _READ_CELLS),
    _read("GET", _BOOK + "/developerMetadata/{metadataId}", _EDIT_CELLS),
    _read("GET", _BOOK + "/values/{range}", _READ_CELLS, MergeKind.GET, lent=True),
    _read("GET", _BOOK + "/values:batchGet", _READ_CELLS, MergeKind.GET, lent=True),
    # These three read although they are called by POST.
    _read("POST", _BOOK + "/developerMetadata:search", _EDIT_CELLS),
    _read("POST", _BOOK + "/values:batchGetByDataFilter", _EDIT_CELLS),
    _read("POST", _BOOK + ":getByDataFilter", _EDIT_CELLS),
    _write("POST", "/v4/spreadsheets", _ADDS, _NEW_BOOK),
    _write("POST", _BOOK + "/sheets/{sheetId}:copyTo", _ADDS, _NEW_SHEET),
    _cells("POST", _BOOK + "/values/{range}:append", _ADDS, _ROWS, MergeKind.APPEND),
    _cells("POST", _BOOK + "/values/{range}:clear", Idempotence.ALWAYS, _CELLS, MergeKind.CLEAR),
    _cells("POST", _BOOK + "/values:batchClear", Idempotence.ALWAYS, _CELLS, MergeKind.CLEAR),
    # Filters select by place or metadata, which values do not change: the same cells again.
    _write("POST", _BOOK + "/values:batchClearByDataFilter", Idempotence.ALWAYS, _CELLS),
    _cells("POST", _BOOK + "/values:batchUpdate", Idempotence.ALWAYS, _CELLS, MergeKind.UPDATE),
    _write("POST", _BOOK + "/values:batchUpdateByDataFilter", Idempotence.ALWAYS, _CELLS),
    # By the kinds of requests in it.
    _cells("POST", _BOOK + ":batchUpdate", Idempotence.BATCH, _BATCH, MergeKind.BATCH),
    _cells("PUT", _BOOK + "/values/{range}", Idempotence.ALWAYS, _CELLS, MergeKind.UPDATE),
)

_TALK: Final = "files/{fileId}/comments"
_REPLY: Final = "files/{fileId}/comments/{commentId}/replies"
_APPROVALS: Final = "files/{fileId}/approvals"

_DRIVE_V3: Final = (
    _drive("GET", "about", _READ_ABOUT),
    _drive("GET", "files/{fileId}/accessproposals", _READ_METADATA),
    _drive("GET", "files/{fileId}/accessproposals/{proposalId}", _READ_METADATA),
    _drive("POST", "files/{fileId}/accessproposals/{proposalId}:resolve", _FILE, _GONE, _PROPOSALS),
    _drive("GET", _APPROVALS, _READ_APPROVALS),
    _drive("GET", _APPROVALS + "/{approvalId}", _READ_APPROVALS),
    _drive("POST", _APPROVALS + "/{approvalId}:approve", _EDIT_METADATA, _UNSURE, _APPROVAL),
    _drive("POST", _APPROVALS + "/{approvalId}:cancel", _EDIT_METADATA, _UNSURE, _APPROVAL),
    _drive("POST", _APPROVALS + "/{approvalId}:comment", _EDIT_METADATA, _ADDS, _APPROVAL),
    _drive("POST", _APPROVALS + "/{approvalId}:decline", _EDIT_METADATA, _UNSURE, _APPROVAL),
    _drive("POST", _APPROVALS + "/{approvalId}:reassign", _EDIT_METADATA, _MAILS, _APPROVAL),
    _drive("POST", _APPROVALS + ":start", _EDIT_METADATA, _STARTS, _APPROVAL),
    _drive("GET", "apps", "drive.apps.readonly"),
    _drive("GET", "apps/{appId}", _READ_APP),
    _drive("GET", "changes", _READ_ALL),
    _drive("GET", "changes/startPageToken", _READ_ALL),
    _drive("POST", "changes/watch", _READ_ALL, _STARTS, _NOTICES),
    _drive("POST", "channels/stop", _READ_ALL, _UNSURE, _NOTICES),
    _drive("GET", _TALK, _READ_FILE),
    _drive("GET", _TALK + "/{commentId}", _READ_FILE),
    _drive("POST", _TALK, _FILE, _ADDS, _COMMENT),
    _drive("PATCH", _TALK + "/{commentId}", _FILE, _MAILS, _COMMENTS),
    _drive("DELETE", _TALK + "/{commentId}", _FILE, _GONE, _COMMENTS),
    _drive("GET", _REPLY, _READ_FILE),
    _drive("GET", _REPLY + "/{replyId}", _READ_FILE),
    _drive("POST", _REPLY, _FILE, _ADDS, _COMMENTS),
    _drive("PATCH", _REPLY + "/{replyId}", _FILE, _MAILS, _COMMENTS),
    _drive("DELETE", _REPLY + "/{replyId}", _FILE, _GONE, _COMMENTS),
    _drive("GET", "drives", _READ_DRIVES),
    _drive("GET", "drives/{driveId}", _READ_DRIVES),
    _drive("POST", "drives", _DRIVE_ONLY, _UNSURE, _DRIVES),
    _drive("POST", "drives/{driveId}/hide", _DRIVE_ONLY, _UNSURE, _DRIVES),
    _drive("POST", "drives/{driveId}/unhide", _DRIVE_ONLY, _UNSURE, _DRIVES),
    _drive("PATCH", "drives/{driveId}", _DRIVE_ONLY, _UNSURE, _DRIVES),
    _drive("DELETE", "drives/{driveId}", _DRIVE_ONLY, _GONE, _DRIVES),
    _drive("GET", "files", _READ_ALL),
    _drive("GET", "files/{fileId}", _READ_ALL),
    _drive("GET", "files/{fileId}/export", _READ_FILE),
    _drive("GET", "files/{fileId}/listLabels", _READ_LABELS),
    _drive("GET", "files/generateCseToken", _DRIVE_ONLY),
    _drive("GET", "files/generateIds", _OWN_FILE),
    _drive("POST", "files", _OWN_FILE, _ADDS, _NEW_FILE),
    _drive("POST", "files/{fileId}/copy", _COPY_FILE, _ADDS, _NEW_FILE),
    _drive("POST", "files/{fileId}/download", _DOWNLOAD, _STARTS, _STARTED),
    _drive("POST", "files/{fileId}/modifyLabels", _EDIT_METADATA, _UNSURE, _LABELS),
    _drive("POST", "files/{fileId}/watch", _READ_ALL, _STARTS, _NOTICES),
    _drive("PATCH", "files/{fileId}", _EDIT_FILE, Idempotence.METADATA, _EDITED),
    _drive("DELETE", "files/{fileId}", _OWN_FILE, _GONE, _DELETED),
    _drive("DELETE", "files/trash", _DRIVE_ONLY, "deletes what has come into it since", _TRASH),
    _drive("GET", "operations/{name}", _READ_FILE),
    _drive("GET", "files/{fileId}/permissions", _READ_SHARES),
    _drive("GET", "files/{fileId}/permissions/{permissionId}", _READ_SHARES),
    _drive("POST", "files/{fileId}/permissions", _FILE, _MAILS, _SHARED),
    _drive("PATCH", "files/{fileId}/permissions/{permissionId}", _FILE, _RIGHTS, _ROLE),
    _drive("DELETE", "files/{fileId}/permissions/{permissionId}", _FILE, _GONE, _UNSHARED),
    _drive("GET", "files/{fileId}/revisions", _READ_ALL),
    _drive("GET", "files/{fileId}/revisions/{revisionId}", _READ_ALL),
    _drive("PATCH", "files/{fileId}/revisions/{revisionId}", _OWN_FILE, _UNSURE, _REVISIONS),
    _drive("DELETE", "files/{fileId}/revisions/{revisionId}", _OWN_FILE, _GONE, _REVISIONS),
    _drive("GET", "teamdrives", _READ_DRIVES),
    _drive("GET", "teamdrives/{teamDriveId}", _READ_DRIVES),
    _drive("POST", "teamdrives", _DRIVE_ONLY, _UNSURE, _DRIVES),
    _drive("PATCH", "teamdrives/{teamDriveId}", _DRIVE_ONLY, _UNSURE, _DRIVES),
    _drive("DELETE", "teamdrives/{teamDriveId}", _DRIVE_ONLY, _GONE, _DRIVES),
)

_V2_FILE: Final = "/drive/v2/files/{fileId}"
_V2_SCOPES: Final = f"{_EDIT_FILE} drive.apps.readonly"

_OTHERS: Final = (
    # gspread imports a CSV by one method of Drive before v3.
    Method("PUT", _V2_FILE, "drive", _V2_SCOPES, _UNSURE, _EDITED),
    Method("PUT", "/upload" + _V2_FILE, "drive", _V2_SCOPES, Idempotence.CONTENT, _IMPORTED),
    # It is in no discovery document; it shows what files.export does.
    Method("GET", "/spreadsheets/d/{spreadsheetId}/export", "drive", _READ_FILE),
)

METHODS: Final = (*_SHEETS_V4, *_DRIVE_V3, *_OTHERS)
"""Every known method."""


# Looking up. -------------------------------------------------------------------------------------

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def _pattern(path: str) -> str:
    # A sheet's name may have any character.
    return _PLACEHOLDER.sub(lambda name: ".+" if name[1] == "range" else "[^/:]+", path)


# A fixed path such as files/trash must come before a pattern that would take its name for an id.
_IN_ORDER: Final = sorted(METHODS, key=lambda method: method.path.count("{"))
_PATHS: Final = {
    verb: re.compile(
        "|".join(
            f"(?P<row{place}>{_pattern(method.path)})"
            for place, method in enumerate(_IN_ORDER)
            if method.verb == verb
        )
    )
    for verb in {method.verb for method in METHODS}
}


def find(verb: str, path: str) -> Method | None:
    """Return the method that a request calls; None if it is unknown.

    Args:
        verb: The HTTP method that Google sees.
        path: The path as sent on the wire.

    """
    paths = _PATHS.get(verb)
    found = paths.fullmatch(path) if paths else None
    return _IN_ORDER[int(str(found.lastgroup)[len("row") :])] if found else None


def reads(verb: str, path: str) -> bool:
    """Return whether a request only reads, given the HTTP method that Google sees."""
    if verb in ("GET", "HEAD"):
        return True
    method = find(verb, path)
    return method is not None and method.quota == "read"


# Unless a path is known to be Drive's, the limits of the Sheets API apply. What the export page
# counts as is not documented, but it is no part of the Sheets API.
_OF_DRIVE: Final = ("/drive/", "/upload/drive/", "/spreadsheets/d/")


def kind_of(verb: str, path: str) -> QuotaKind:
    """Return the quota that a request counts against, given the HTTP method that Google sees."""
    method = find(verb, path)
    if method is not None:
        return method.quota
    if path.startswith(_OF_DRIVE):
        return "drive"
    return "read" if verb in ("GET", "HEAD") else "write"
