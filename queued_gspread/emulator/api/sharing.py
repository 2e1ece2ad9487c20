"""The Drive v3 methods about a file's permissions and comments."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.timestamps import timestamp
from queued_gspread.emulator.wire.errors import (
    drive_error,
    drive_invalid,
    fields_required,
    insufficient_rights,
)
from queued_gspread.emulator.wire.field_mask import apply_mask, parse_mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.emulator.book.store import File, Store
    from queued_gspread.emulator.wire.errors import ApiError

Json = dict[str, Any]
_DEFAULT_PERMISSION = "kind,id,type,role"
_ROLES = {"owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"}
_TYPES = {"user", "group", "domain", "anyone"}
_PHOTO = "//lh3.googleusercontent.com/a/default-user=s50-c-k-no"
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
# As quoted by users who got it.
_NO_ADDRESS = (
    "The specified emailAddress is invalid or not applicable for the given permission type."
)


def create_permission(store: Store, file_id: str, query: Mapping[str, str], body: Json) -> Json:
    """Answer permissions.create; an account that has a permission already gets the new role."""
    file = store.file(file_id)
    permission = _new_permission(store, body)
    for known in file.permissions:
        if _whom(known) == _whom(permission):
            if known["role"] != "owner":
                known["role"] = permission["role"]
            return _masked(known, query, _DEFAULT_PERMISSION)
    file.permissions.append(permission)
    return _masked(permission, query, _DEFAULT_PERMISSION)


def list_permissions(store: Store, file_id: str, query: Mapping[str, str]) -> Json:
    """Answer permissions.list."""
    found = store.file(file_id).permissions
    answer = {"kind": "drive#permissionList", "permissions": found}
    return _masked(answer, query, f"kind,nextPageToken,permissions({_DEFAULT_PERMISSION})")


def get_permission(store: Store, file_id: str, which: str, query: Mapping[str, str]) -> Json:
    """Answer permissions.get."""
    return _masked(_permission(store.file(file_id), which), query, _DEFAULT_PERMISSION)


def update_permission(
    store: Store, file_id: str, which: str, query: Mapping[str, str], body: Json
) -> Json:
    """Answer permissions.update; a new owner turns the old one into a writer."""
    file = store.file(file_id)
    permission = _permission(file, which)
    role = body.get("role", permission["role"])
    if role not in _ROLES:
        raise drive_invalid("permission.role", "The specified role is invalid or not supported.")
    if role == "owner" and permission["role"] != "owner":
        _check_transfer(query)
        for known in file.permissions:
            known["role"] = "writer" if known["role"] == "owner" else known["role"]
    permission["role"] = role
    permission["pendingOwner"] = bool(body.get("pendingOwner")) and role != "owner"
    return _masked(permission, query, _DEFAULT_PERMISSION)


def delete_permission(store: Store, file_id: str, which: str) -> None:
    """Answer permissions.delete; the owner's permission cannot be deleted."""
    file = store.file(file_id)
    permission = _permission(file, which)
    if permission["role"] == "owner":
        raise insufficient_rights()
    file.permissions.remove(permission)


def list_comments(store: Store, file_id: str, query: Mapping[str, str]) -> Json:
    """Answer comments.list; as with Google, `fields` must be given."""
    file = store.file(file_id)
    _require_fields(query)
    start = int(query.get("pageToken") or 0)
    size = int(query.get("pageSize") or 20)
    answer: Json = {"kind": "drive#commentList"}
    answer["comments"] = file.comments[start : start + size]
    if start + size < len(file.comments):
        answer["nextPageToken"] = str(start + size)
    return _masked(answer, query, "")


def create_comment(store: Store, file_id: str, query: Mapping[str, str], body: Json) -> Json:
    """Answer comments.create."""
    file = store.file(file_id)
    _require_fields(query)
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
    comment |= {name: body[name] for name in ("content", "anchor") if body.get(name)}
    file.comments.insert(0, comment)
    return _masked(comment, query, "")


def get_comment(store: Store, parts: Mapping[str, str], query: Mapping[str, str]) -> Json:
    """Answer comments.get."""
    _require_fields(query)
    return _masked(_comment(store.file(parts["id"]), parts["comment"]), query, "")


def update_comment(
    store: Store, parts: Mapping[str, str], query: Mapping[str, str], body: Json
) -> Json:
    """Answer comments.update: the content."""
    comment = _comment(store.file(parts["id"]), parts["comment"])
    _require_fields(query)
    if body.get("content"):
        comment |= {"content": body["content"], "htmlContent": body["content"]}
        comment["modifiedTime"] = timestamp(store.clock())
    return _masked(comment, query, "")


def _comment(file: File, which: str) -> Json:
    for comment in file.comments:
        if comment["id"] == which:
            return comment
    raise _not_found("Comment", which)


def _text(body: Json, name: str) -> str | None:
    found = body.get(name)
    if found is None or isinstance(found, str):
        return found
    raise drive_invalid(f"permission.{name}", f"Invalid value for: {name} is no text")


def _new_permission(store: Store, body: Json) -> Json:
    kind, role = body.get("type"), body.get("role")
    if kind not in _TYPES:
        message = "The permission type field is required."
        raise drive_error(HTTPStatus.BAD_REQUEST, "required", message)
    if role not in _ROLES:
        message = "The permission role field is required."
        raise drive_error(HTTPStatus.BAD_REQUEST, "required", message)
    permission: Json = {"kind": "drive#permission", "type": kind, "role": role}
    if kind == "anyone":
        link = body.get("withLink", True)
        return permission | {"id": "anyoneWithLink" if link else "anyone"} | _discovery(not link)
    permission["id"] = store.ids.digits(20)
    if kind == "domain":
        domain = _text(body, "domain")
        named = {"domain": domain, "displayName": domain} | _discovery(not body.get("withLink"))
        return permission | named
    address = _text(body, "emailAddress") or ""
    if not _ADDRESS.fullmatch(address):
        raise drive_invalid("permission.emailAddress", _NO_ADDRESS)
    named = {"emailAddress": address, "displayName": address}
    return permission | named | {"deleted": False, "pendingOwner": False}


def _discovery(found: bool) -> Json:
    return {"allowFileDiscovery": found}


def _whom(permission: Json) -> tuple[str, str]:
    name = permission.get("emailAddress") or permission.get("domain") or permission["id"]
    return permission["type"], name.casefold()


def _permission(file: File, which: str) -> Json:
    for permission in file.permissions:
        if permission["id"] == which:
            return permission
    raise _not_found("Permission", which)


def _not_found(kind: str, which: str) -> ApiError:
    where = ("parameter", f"{kind.lower()}Id")
    message = f"{kind} not found: {which}."
    return drive_error(HTTPStatus.NOT_FOUND, "notFound", message, where)


def _check_transfer(query: Mapping[str, str]) -> None:
    if (query.get("transferOwnership") or "").lower() != "true":
        message = (
            "The transferOwnership parameter must be enabled when the permission role is 'owner'."
        )
        where = ("parameter", "transferOwnership")
        raise drive_error(HTTPStatus.FORBIDDEN, "forbidden", message, where)


def _require_fields(query: Mapping[str, str]) -> None:
    if not query.get("fields"):
        raise fields_required()


def _masked(answer: Json, query: Mapping[str, str], default: str) -> Json:
    masked: Json = apply_mask(parse_mask(query.get("fields") or default), answer)
    return masked
