"""Reading credentials files, and explaining what is wrong with one.

Errors name fields, and never show their values.
"""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from queued_gspread.errors import ConfigurationError

from .file_kinds import ALL_KINDS, EXTERNAL_ACCOUNT, IMPERSONATED, kind_of, texts_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .file_kinds import FileKind

__all__ = ["checked", "content_of", "is_content", "parsed", "unusable_value"]

_OPTIONS: Final = {kind.type: f"{kind.options}, or for --credentials" for kind in ALL_KINDS}
_ELSE: Final = "--credentials FILE, --service-account FILE, --oauth, --adc, --api-key"
_CONTENT: Final = re.compile(r"\s*(\{|-----BEGIN)")
# Where a fault is that google-auth alone finds.
_BY_KIND: Final = {
    EXTERNAL_ACCOUNT.type: "'credential_source' is missing, or",
    IMPERSONATED.type: "'source_credentials' or 'service_account_impersonation_url'",
}
# Longer than any file's name, and shorter than a key, which may be in base64.
_LONGEST_NAME: Final = 1000
_TYPE: Final = re.compile(r"\w{1,60}")


def is_content(name: str | Path) -> bool:
    """Return whether a file's content was given instead of its name."""
    return len(str(name)) > _LONGEST_NAME or bool(_CONTENT.match(str(name)))


def content_of(path: str | Path, kinds: Sequence[FileKind]) -> bytes:
    """Return what is in a credentials file.

    Raises:
        ConfigurationError: It cannot be read; the text says why.

    """
    if is_content(path):
        raise ConfigurationError(
            "what is given as credentials file is the content of one: write it into a file that "
            "nobody else may read, and give that file's name; or start queued-gspread-server with "
            "the content in QUEUED_GSPREAD_CREDENTIALS_JSON"
        )
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        problem = "is not there"
    except IsADirectoryError:
        problem = "is a directory: name the file in it"
    except PermissionError:
        problem = (
            f"may not be read by user {_user()}, as whom this process runs: let that user read it"
        )
    except (OSError, ValueError) as error:
        problem = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    raise _unusable(f"credentials file {path}", kinds, problem)


def parsed(place: str, content: bytes, kinds: Sequence[FileKind]) -> Any:
    """Return the JSON in the content of a file, or of a variable; the place is for the error."""
    try:
        # Editors on Windows write a byte order mark.
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        fault = "it is not UTF-8, in which JSON is written: save it as UTF-8"
    except (ValueError, RecursionError) as error:
        fault = _not_json(content, error)
    raise _unusable(place, kinds, f"cannot be used: {fault}")


def checked(place: str, info: Any, kinds: Sequence[FileKind]) -> tuple[FileKind, dict[str, Any]]:
    """Return the kind of what a file holds, and its fields.

    Raises:
        ConfigurationError: It is of none of these kinds, or lacks something.

    """
    kind = kind_of(info, kinds) if isinstance(info, Mapping) else None
    if kind is not None and not (fault := _fault_of_fields(info, kind)):
        return kind, dict(info)
    fault = _fault_of_kind(info) if kind is None else fault
    raise _unusable(place, kinds if kind is None else (kind,), f"cannot be used: {fault}")


def unusable_value(place: str, kind: FileKind, info: dict[str, Any]) -> ConfigurationError:
    """Return the error for a file that has all its fields, but google-auth cannot use one."""
    return _unusable(place, (kind,), f"cannot be used: {_fault_of_value(kind, info)}")


def _user() -> str:
    return str(os.geteuid()) if hasattr(os, "geteuid") else getpass.getuser()


def _unusable(place: str, kinds: Sequence[FileKind], problem: str) -> ConfigurationError:
    # Of many kinds only the first, which most people have.
    kind = kinds[0]
    others = ", or a file of another kind that Google gives" if len(kinds) > 1 else ""
    return ConfigurationError(
        f"{place} {problem}. Expected is {kind.name}{others}: {kind.remedy}, or name other "
        f"credentials ({_ELSE})"
    )


def _not_json(content: bytes, error: Exception) -> str:
    if not content.strip():
        return "it is empty"
    if content.lstrip().startswith(b"-----BEGIN"):
        return "it is a private key alone, and not the JSON file in which Google gives it"
    line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
    return f"it is not JSON{line}"


def _fault_of_kind(info: Any) -> str:
    """Return what a file is that is of none of the expected kinds."""
    if not isinstance(info, Mapping):
        return "it is JSON of another kind"
    if "installed" in info or "web" in info:
        return (
            "it is an OAuth client's file (client secrets), which says for which program somebody "
            "logs in and not who does: gspread.oauth(credentials_filename=FILE), run with it where "
            "there is a browser, writes the file for --oauth"
        )
    found = info.get("type")
    if isinstance(found, str) and found in _OPTIONS:
        return f"it is of type {found!r}, which is for {_OPTIONS[found]}"
    if isinstance(found, str) and _TYPE.fullmatch(found):
        return f"it is of type {found!r}, which none of the server's options takes"
    return "it is JSON of another kind"


def _fault_of_fields(info: Mapping[str, Any], kind: FileKind) -> str:
    """Return which fields of a kind are missing or cannot be used; '' if no fault is visible."""
    missing = [repr(name) for name in kind.fields if name not in info]
    if len(missing) == len(kind.fields) and "type" not in info:
        return _fault_of_kind(info)
    if missing:
        return f"it has no {' and no '.join(missing)}"
    odd = [repr(name) for name in kind.fields if not _is_text(info[name])]
    return f"its {' and '.join(odd)} is empty or no text" if odd else _fault_of_url(info)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _fault_of_url(info: Mapping[str, Any]) -> str:
    for name in ("token_uri", "token_url"):
        url = info.get(name, "https://")
        if not (isinstance(url, str) and url.startswith(("https://", "http://"))):
            return f"its {name!r} is no URL (Google's own is https://…)"
    odd = [name for name, value in texts_in(info) if "://" in value and not _is_url(value)]
    return f"its {odd[0]!r} is no URL" if odd else ""


def _is_url(value: str) -> bool:
    try:
        _ = urlsplit(value).port
    except ValueError:
        return False
    return True


def _fault_of_value(kind: FileKind, info: dict[str, Any]) -> str:
    """Return what is wrong with the values, where all fields are there."""
    key = info.get("private_key", "")
    if not _is_text(key):
        fields = _BY_KIND.get(kind.type)
        return f"its {fields} cannot be used" if fields else "a field of it cannot be used"
    if r"\n" in key:
        return (
            r"its 'private_key' has \n spelt out where its lines end: it was escaped twice, as by "
            "a shell or a template"
        )
    if "-----BEGIN" not in key or "PRIVATE KEY-----" not in key:
        return "its 'private_key' is none: that begins with -----BEGIN PRIVATE KEY-----"
    return "its 'private_key' is damaged: a part is missing or was changed"
