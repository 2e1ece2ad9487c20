"""Removes secrets from exceptions, and anything else that cannot travel."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from .dict_keys import is_key

__all__ = ["clean", "clean_token_answer", "describe", "outline", "scrub"]

_TOKEN: Final = re.compile(r"\b(?P<scheme>Bearer\s+|ya29\.)[\w.~+/=-]{8,}", re.IGNORECASE)
# What a token endpoint may echo of credentials; in other texts this would find too much.
_CREDENTIAL: Final = re.compile(
    r"ya29\.[\w.-]+|eyJ[\w.=+/-]{16,}|1//[\w-]{16,}|AIza[\w-]{16,}|GOCSPX-[\w-]+"
    r"|-----BEGIN.*?(-----END[^-]*-----|$)|[\w+/-]{60,}",
    re.DOTALL,
)
_URL: Final = re.compile(r"""://([^\s"'<>]+)""")
_SCHEME: Final = re.compile(r"^[\w+.-]*://")
_LONGEST_USERINFO: Final = 600
# Anything shorter occurs in ordinary text.
_SHORTEST_SECRET: Final = 4
_SECRET_KEYS: Final = frozenset(
    {"authorization", "proxy-authorization", "x-goog-api-key", "cookie", "set-cookie"}
)
_MAX_TEXT: Final = 2000
_MAX_DEPTH: Final = 8

Travels: TypeAlias = Callable[[Any], bool]


def clean(text: str) -> str:
    """Return ``text`` without access tokens, and without the passwords of URLs and proxies."""
    for secret in _secrets_of_proxies():
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
    return _TOKEN.sub(r"\g<scheme>***", _URL.sub(_masked, text))


def clean_token_answer(text: str) -> str:
    """Return ``text`` of a token endpoint without anything that may be of credentials."""
    return _CREDENTIAL.sub("***", clean(text))


def _masked(url: re.Match[str]) -> str:
    userinfo, at, place = url[1].rpartition("@")
    is_path = "/" in userinfo and ":" not in userinfo
    return f"://***@{place}" if at and not is_path else url[0]


def _secrets_of_proxies() -> list[str]:
    """Return the proxies' passwords in the environment, and their parts, the longest first.

    If a password contains an unescaped delimiter, an error shows a part of it as a host.
    """
    # Python accepts such names in upper and lower case.
    named = [url for name, url in os.environ.items() if name.lower().endswith("_proxy")]
    urls = [url for url in named if "@" in url]
    userinfos = [_SCHEME.sub("", url.rpartition("@")[0]) for url in urls]
    passwords = [userinfo.partition(":")[2] for userinfo in userinfos]
    whole = {*passwords, *map(unquote, passwords)}
    parts = {part for one in whole for part in (one, *re.split(r"\W", one))}
    return sorted((part for part in parts if len(part) >= _SHORTEST_SECRET), key=len, reverse=True)


def describe(value: object) -> str:
    """Return the repr of ``value``, even if its class's own raises."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - foreign code, and only its text is wanted
        text = object.__repr__(value)
    # Clean before cutting: half a URL would hide its password from the search.
    cleaned = clean(text[: _MAX_TEXT + _LONGEST_USERINFO])
    return cleaned if len(text) <= _MAX_TEXT else f"{cleaned[:_MAX_TEXT]}..."


def outline(value: object) -> str:
    """Return the type of a container whose content must not travel."""
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def scrub(value: Any, travels: Travels, depth: int = 0) -> Any:
    """Return a copy of ``value`` without secrets and without anything that cannot travel."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) else clean(str.__str__(value))
    if depth > _MAX_DEPTH:
        return outline(value)
    if isinstance(value, Mapping):
        return _scrub_mapping(value, travels, depth + 1)
    for base in (list, tuple):
        if isinstance(value, base):
            return base(scrub(item, travels, depth + 1) for item in value)
    return value if travels(value) else describe(value)


def _scrub_mapping(value: Mapping[Any, Any], travels: Travels, depth: int) -> dict[Any, Any]:
    return {
        _scrubbed_key(key): scrub(item, travels, depth)
        for key, item in value.items()
        if not (isinstance(key, str) and key.lower() in _SECRET_KEYS)
    }


def _scrubbed_key(key: Any) -> Any:
    if type(key) is str:
        return clean(key)
    return key if is_key(key) else describe(key)
