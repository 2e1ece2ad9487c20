"""The Drive v3 methods about a file's permissions and comments."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.timestamps import timestamp
from queued_gspread.emulator.wire.errors import (
    drive_error,
    drive_invalid,
    drive_refusal,
)

from .drive_lists import page
from .rights import says_yes

if TYPE_CHECKING:
    from queued_gspread.emulator.book.store import File, Store
    from queued_gspread.emulator.wire.errors import ApiError

    from .request import Request

Json = dict[str, Any]
_ROLES = {"owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"}
_TYPES = {"user", "group", "domain", "anyone"}
_PHOTO = "//lh3.googleusercontent.com/a/default-user=s50-c-k-no"
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
# As quoted by users who got it.
_NO_ADDRESS = (
    "The specified emailAddress is invalid or not applicable for the given permission type."
)


def create_permission(store: Store, request: Request, body: Json) -> Json:
    """Answer permissions.create; an account that has a permission already gets the new role."""
    file = store.file(request.parts["id"])
    permission = _new_permission(store, body)
    same = [known for known in file.permissions if _whom(known) == _whom(permission)]
    if same and same[0]["role"] == "owner":
        return same[0]
    if permission["role"] == "owner":
        _hand_over(file, request)
    if not same:
        file.permissions.append(permission)
        return permission
    same[0]["role"] = permission["role"]
    return same[0]


def list_permissions(store: Store, request: Request, _body: Json) -> Json:
    """Answer permissions.list: all of them, unless the size of a page is given."""
    found = store.file(request.parts["id"]).permissions
    listed, more = page(found, request.query, max(len(found), 1), max(len(found), 100))
    return {"kind": "drive#permissionList", **more, "permissions": listed}


def get_permission(store: Store, request: Request, _body: Json) -> Json:
    """Answer permissions.get."""
    return _permission(store.file(request.parts["id"]), request)


def update_permission(store: Store, request: Request, body: Json) -> Json:
    """Answer permissions.update; a new owner turns the old one into a writer."""
    file = store.file(request.parts["id"])
    permission = _permission(file, request)
    role = body.get("role", permission["role"])
    if role not in _ROLES:
        raise drive_invalid("permission.role", "The specified role is invalid or not supported.")
    if role == "owner" and permission["role"] != "owner":
        _hand_over(file, request)
    permission["role"] = role
    permission["pendingOwner"] = body.get("pendingOwner", False) and role != "owner"
    return permission


def delete_permission(store: Store, request: Request, _body: Json) -> None:
    """Answer permissions.delete; the owner's permission cannot be deleted."""
    file = store.file(request.parts["id"])
    permission = _permission(file, request)
    if permission["role"] == "owner":
        raise drive_refusal("insufficientFilePermissions")
    file.permissions.remove(permission)


def list_comments(store: Store, request: Request, _body: Json) -> Json:
    """Answer comments.list."""
    listed, more = page(store.file(request.parts["id"]).comments, request.query, 20, 100)
    return {"kind": "drive#commentList", "comments": listed, **more}


def create_comment(store: Store, request: Request, body: Json) -> Json:
    """Answer comments.create."""
    file = store.file(request.parts["id"])
    now = timestamp(store.clock())
    author = {"displayName": store.email, "kind": "drive#user", "me": True, "photoLink": _PHOTO}
    comment: Json = {
        "id": store.ids.letters(11),
        "kind": "drive#comment",
        "createdTime": now,
        "modifiedTime": now,
        "replies": [],
        "author": author,
        "deleted": False,
        "htmlContent": body.get("content", ""),
    }
    comment |= {name: part for name, part in body.items() if part and name != "kind"}
    file.comments.insert(0, comment)
    return comment


def get_comment(store: Store, request: Request, _body: Json) -> Json:
    """Answer comments.get."""
    wanted = request.parts["comment"]
    for comment in store.file(request.parts["id"]).comments:
        if comment["id"] == wanted:
            return comment
    raise _not_found("Comment", wanted)


def update_comment(store: Store, request: Request, body: Json) -> Json:
    """Answer comments.update: the content."""
    comment = get_comment(store, request, body)
    if body.get("content"):
        comment |= {"content": body["content"], "htmlContent": body["content"]}
        comment["modifiedTime"] = timestamp(store.clock())
    return comment


def _new_permission(store: Store, body: Json) -> Json:
    kind, role = body.get("type"), body.get("role")
    if kind not in _TYPES:
        message = "The permission type field is required."
        raise drive_error(HTTPStatus.BAD_REQUEST, "required", message)
    if role not in _ROLES:
        message = "The permission role field is required."
        raise drive_error(HTTPStatus.BAD_REQUEST, "required", message)
    permission: Json = {"kind": "drive#permission", "type": kind, "role": role}
    found = {"allowFileDiscovery": body.get("allowFileDiscovery", False)}
    if kind == "anyone":
        return permission | {"id": "anyone" if any(found.values()) else "anyoneWithLink"} | found
    permission["id"] = store.ids.digits(20)
    if kind == "domain":
        domain = body.get("domain")
        return permission | {"domain": domain, "displayName": domain} | found
    address = body.get("emailAddress", "")
    if not _ADDRESS.fullmatch(address):
        raise drive_invalid("permission.emailAddress", _NO_ADDRESS)
    named = {"emailAddress": address, "displayName": address}
    return permission | named | {"deleted": False, "pendingOwner": body.get("pendingOwner", False)}


def _whom(permission: Json) -> tuple[str, str]:
    name = permission.get("emailAddress") or permission.get("domain") or permission["id"]
    return permission["type"], name.casefold()


def _permission(file: File, request: Request) -> Json:
    wanted = request.parts["permission"]
    for permission in file.permissions:
        if permission["id"] == wanted:
            return permission
    raise _not_found("Permission", wanted)


def _not_found(kind: str, which: str) -> ApiError:
    where = ("parameter", f"{kind.lower()}Id")
    message = f"{kind} not found: {which}."
    return drive_error(HTTPStatus.NOT_FOUND, "notFound", message, where)


def _hand_over(file: File, request: Request) -> None:
    """Turn the owner of a file, which gets another one, into a writer."""
    if not says_yes(request, "transferOwnership"):
        message = (
            "The transferOwnership parameter must be enabled when the permission role is 'owner'."
        )
        where = ("parameter", "transferOwnership")
        raise drive_error(HTTPStatus.FORBIDDEN, "forbidden", message, where)
    for known in file.permissions:
        known["role"] = "writer" if known["role"] == "owner" else known["role"]
