"""Reading credentials files, and explaining what is wrong with one.

Errors name fields, and never show their values.
"""

from __future__ import annotations

import getpass
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from queued_gspread.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AUTHORIZED_USER", "SERVICE_ACCOUNT", "FileKind", "is_content", "read"]

Made = TypeVar("Made")


@dataclass(frozen=True)
class FileKind:
    """A kind of credentials file.

    Attributes:
        name: The kind in words.
        type: The value of the file's ``type`` field, if it has that field.
        fields: The fields that it must have.
        remedy: How to get such a file.

    """

    name: str
    type: str
    fields: tuple[str, ...]
    remedy: str


SERVICE_ACCOUNT: Final = FileKind(
    "a service account's key file",
    "service_account",
    ("client_email", "private_key", "token_uri"),
    "download one as JSON from the Google Cloud console (IAM & Admin, Service Accounts, Keys)",
)
AUTHORIZED_USER: Final = FileKind(
    "the authorised-user file that plain gspread.oauth() writes",
    "authorized_user",
    ("client_id", "client_secret", "refresh_token"),
    "run gspread.oauth() once on a machine with a browser",
)

_OPTIONS: Final = {
    "service_account": "--service-account",
    "authorized_user": "--oauth or --adc",
    "external_account": "--adc",
    "impersonated_service_account": "--adc",
}
_CONTENT: Final = re.compile(r"\s*(\{|-----BEGIN)")


def is_content(name: str | Path) -> bool:
    """Return whether a file's content was given instead of its name."""
    return bool(_CONTENT.match(str(name)))


def read(path: str | Path, kind: FileKind, make: Callable[[Any], Made]) -> Made:
    """Read a JSON file and return the credentials made from it.

    Args:
        path: The file.
        kind: The expected kind.
        make: Makes credentials from the parsed JSON.

    Raises:
        ConfigurationError: The file is unreadable or of another kind; the text says what is wrong.

    """
    if is_content(path):
        raise ConfigurationError(
            "what is given as credentials file is the content of one: write it into a file that "
            "nobody else may read, and give that file's name"
        )
    info = _parsed(path, kind)
    fault = _fault(info, kind)
    if not fault:
        try:
            return make(info)
        except Exception:  # noqa: BLE001 - anything that google-auth and cryptography raise
            fault = _fault_of_value(info)
    # Without the cause: its text and its frames may hold the key.
    raise _unusable(path, kind, f"cannot be used: {fault}")


def _parsed(path: str | Path, kind: FileKind) -> Any:
    content = _content(path, kind)
    try:
        # Editors on Windows write a byte order mark.
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        fault = "it is not UTF-8, in which JSON is written: save it as UTF-8"
    except (ValueError, RecursionError) as error:
        fault = _not_json(content, error)
    raise _unusable(path, kind, f"cannot be used: {fault}")


def _content(path: str | Path, kind: FileKind) -> bytes:
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
    raise _unusable(path, kind, problem)


def _user() -> str:
    return str(os.geteuid()) if hasattr(os, "geteuid") else getpass.getuser()


def _unusable(path: str | Path, kind: FileKind, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"credentials file {path} {problem}. Expected is {kind.name}: {kind.remedy}, or name other "
        "credentials (--service-account FILE, --oauth, --adc, --api-key)"
    )


def _not_json(content: bytes, error: Exception) -> str:
    if not content.strip():
        return "it is empty"
    if content.lstrip().startswith(b"-----BEGIN"):
        return "it is a private key alone, and not the JSON file in which Google gives it"
    line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
    return f"it is not JSON{line}"


def _fault(info: Any, kind: FileKind) -> str:
    """Return why JSON is not of the expected kind; '' if no fault is visible."""
    if not isinstance(info, dict):
        return "it is JSON of another kind"
    if "installed" in info or "web" in info:
        return (
            "it is an OAuth client's file (client secrets), which says for which program somebody "
            "logs in and not who does"
        )
    found = info.get("type", kind.type)
    if found in _OPTIONS and found != kind.type:
        return f"it is of type {found!r}, which is for {_OPTIONS[found]}"
    missing = [repr(name) for name in kind.fields if name not in info]
    if len(missing) == len(kind.fields) and "type" not in info:
        return "it is JSON of another kind"
    if missing:
        return f"it has no {' and no '.join(missing)}"
    odd = [repr(name) for name in kind.fields if not _is_text(info[name])]
    return f"its {' and '.join(odd)} is empty or no text" if odd else _fault_of_url(info)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _fault_of_url(info: dict[str, Any]) -> str:
    url = info.get("token_uri", "https://")
    is_url = isinstance(url, str) and url.startswith(("https://", "http://"))
    return "" if is_url else "its 'token_uri' is no URL (Google's own is https://…)"


def _fault_of_value(info: dict[str, Any]) -> str:
    """Return what is wrong with the values, where all fields are there."""
    key = info.get("private_key", "")
    if not key:
        return "a field of it cannot be used"
    if r"\n" in key:
        return (
            r"its 'private_key' has \n spelt out where its lines end: it was escaped twice, as by "
            "a shell or a template"
        )
    if "-----BEGIN" not in key or "PRIVATE KEY-----" not in key:
        return "its 'private_key' is none: that begins with -----BEGIN PRIVATE KEY-----"
    return "its 'private_key' is damaged: a part is missing or was changed"
