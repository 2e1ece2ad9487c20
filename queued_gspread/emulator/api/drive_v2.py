"""The File resource of Drive v2, in which a file's name is its title."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.store import ROOT_FOLDER
from queued_gspread.emulator.book.timestamps import timestamp
from queued_gspread.emulator.export import NAMES

if TYPE_CHECKING:
    from queued_gspread.emulator.book.store import File, Store

Json = dict[str, Any]
_FILES = "https://www.googleapis.com/drive/v2/files"
_DOCS = "https://docs.google.com"


def body_from_v2(body: Json) -> Json:
    """Return a request's body as Drive v3 has it."""
    listed = body.get("parents")
    parents = [p.get("id") if isinstance(p, dict) else p for p in listed or []]
    return {
        "name": body.get("title"),
        "mimeType": body.get("mimeType"),
        "parents": parents if isinstance(listed, list) else listed,
    }


def file_v2(file: File, store: Store, etag: str) -> Json:
    """Return what is answered about a file."""
    link, user = f"{_FILES}/{file.file_id}", _user(store)
    return {
        "kind": "drive#file",
        "userPermission": _permission(link, etag),
        "selfLink": link,
        "ownerNames": [store.email],
        "lastModifyingUserName": store.email,
        "editable": True,
        "writersCanShare": True,
        "mimeType": file.mime_type,
        "exportLinks": {kind: _export_link(file, name) for kind, name in NAMES.items()},
        "parents": [_parent(link, parent) for parent in file.parents],
        "thumbnailLink": f"{_DOCS}/feeds/vt?gd=true&id={file.file_id}&v=1&s={etag}&sz=s220",
        "appDataContents": False,
        "iconLink": f"https://drive-thirdparty.googleusercontent.com/16/type/{file.mime_type}",
        "shared": len(file.permissions) > 1,
        "lastModifyingUser": user,
        "owners": [user],
        "copyable": True,
        "etag": f'"{etag}"',
        "alternateLink": f"{_DOCS}/spreadsheets/d/{file.file_id}/edit?usp=drivesdk",
        "embedLink": f"{_DOCS}/spreadsheets/d/{file.file_id}/htmlembed?ouid={store.owner_id}",
        "fileSize": "1024",
        "copyRequiresWriterPermission": False,
        "spaces": ["drive"],
        "id": file.file_id,
        "title": file.title,
        **_state(file),
    }


def _state(file: File) -> Json:
    labels = ("restricted", "starred", "hidden")
    modified = timestamp(file.modified)
    return {
        "labels": {"viewed": True, "trashed": file.trashed} | dict.fromkeys(labels, False),
        "explicitlyTrashed": file.trashed,
        "createdDate": timestamp(file.created),
        "modifiedDate": modified,
        "modifiedByMeDate": modified,
        "lastViewedByMeDate": modified,
        "markedViewedByMeDate": "1970-01-01T00:00:00.000Z",
        "quotaBytesUsed": "1024",
        "version": str(file.version),
        "capabilities": {"canEdit": True, "canCopy": True},
    }


def _permission(link: str, etag: str) -> Json:
    return {
        "id": "me",
        "type": "user",
        "role": "owner",
        "kind": "drive#permission",
        "selfLink": f"{link}/permissions/me",
        "etag": f'"{etag}"',
        "pendingOwner": False,
    }


def _parent(link: str, parent: str) -> Json:
    return {
        "selfLink": f"{link}/parents/{parent}",
        "id": parent,
        "isRoot": parent == ROOT_FOLDER,
        "kind": "drive#parentReference",
        "parentLink": f"{_FILES}/{parent}",
    }


def _user(store: Store) -> Json:
    return {
        "displayName": store.email,
        "kind": "drive#user",
        "isAuthenticatedUser": True,
        "permissionId": store.owner_id,
        "emailAddress": store.email,
        "picture": {"url": "https://lh3.googleusercontent.com/a/default-user=s64"},
    }


def _export_link(file: File, name: str) -> str:
    return f"{_DOCS}/spreadsheets/export?id={file.file_id}&exportFormat={name}"
