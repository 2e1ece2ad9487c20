"""What a credentials file names outside of itself: URLs, files and programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from google.auth import compute_engine

from queued_gspread.server.log import LOGGER

from .file_kinds import texts_in
from .making import programs_in, token_sources

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

__all__ = ["named_files", "tell_of_places", "urls_in", "urls_of"]

_ENDPOINTS: Final = ("_token_uri", "_token_url")
_TELLING: Final = ("external_account", "external_account_authorized_user")


def urls_in(info: dict[str, Any]) -> list[str]:
    """Return all URLs in the fields of a credentials file."""
    return [value for _, value in texts_in(info) if value.startswith(("http://", "https://"))]


def urls_of(credentials: Credentials) -> list[str]:
    """Return the URLs from which credentials get their tokens."""
    if isinstance(credentials, compute_engine.Credentials):
        return [f"http://{os.environ.get('GCE_METADATA_HOST')}"]
    own = [getattr(credentials, name, None) for name in _ENDPOINTS]
    within = getattr(credentials, "_source_credentials", None)
    others = [] if within is None else urls_of(within)
    return [url for url in own if isinstance(url, str)] + others


def named_files(info: dict[str, Any]) -> list[str]:
    """Return the files that hold what a workload shows: its token or its certificate."""
    names = []
    for source in token_sources(info):
        certificate = source.get("certificate")
        within = certificate if isinstance(certificate, dict) else {}
        names += [source.get("file")]
        names += [within.get(name) for name in ("certificate_config_location", "trust_chain_path")]
    return [name for name in names if isinstance(name, str) and name]


def tell_of_places(place: str, info: dict[str, Any]) -> None:
    """Log which URLs, files and programs an external account's file names, since it may be forged.

    A service account's and an authorised user's name none but Google's token endpoint.
    """
    source = info.get("source_credentials")
    kinds = (info.get("type"), source.get("type") if isinstance(source, dict) else None)
    if not any(kind in _TELLING for kind in kinds):
        return
    found = {f"{name} {_shown(value)}" for name, value in texts_in(info) if "://" in value}
    found |= {f"file {name}" for name in named_files(info)}
    found |= {f"program {program}" for program in programs_in(info)}
    LOGGER.info("%s names, and the server uses: %s", place, ", ".join(sorted(found)))


def _shown(url: str) -> str:
    """Return a URL without a password and without its query."""
    parts = urlsplit(url)
    # An account in the path is no password, for which the log would take it.
    path = parts.path.replace("@", "%40")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"
