"""What a server's credentials are for: their scopes, their subject, and whom they impersonate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from gspread.auth import DEFAULT_SCOPES

from queued_gspread.errors import ConfigurationError
from queued_gspread.google_api.scopes import full_scope, known_scopes

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Access", "scopes_of"]

_ADDRESS: Final = re.compile(r"[^@\s/]+@[^@\s/]+")


@dataclass(frozen=True)
class Access:
    """What credentials are made for.

    Attributes:
        scopes: The OAuth scopes that a token is asked for; no token has more.
        subject: The user as whom the account acts (domain-wide delegation), if any.
        impersonate: The service account that the credentials impersonate, if any.
        is_limited: Whether the scopes were named, so that the server holds itself to them.

    """

    scopes: tuple[str, ...] = tuple(DEFAULT_SCOPES)
    subject: str | None = None
    impersonate: str | None = None
    is_limited: bool = False

    @classmethod
    def of(
        cls, scopes: Iterable[str] | None, subject: str | None, impersonate: str | None
    ) -> Access:
        """Return the access that options name, with scopes as Google spells them.

        Raises:
            ConfigurationError: An address is none.

        """
        for option, address in (("--subject", subject), ("--impersonate", impersonate)):
            if address and not _ADDRESS.fullmatch(address):
                raise ConfigurationError(
                    f"{option} {address!r} cannot be used: take an e-mail address"
                )
        named = tuple(scopes or ())
        return cls(named or tuple(DEFAULT_SCOPES), subject, impersonate, bool(named))


def scopes_of(given: str | Iterable[str]) -> tuple[str, ...]:
    """Return scopes as Google spells them: of names with commas between them, or of several.

    Raises:
        ConfigurationError: A short name is none of the scopes of Sheets and Drive.

    """
    names = re.split(r"[,\s]+", given) if isinstance(given, str) else map(str, given)
    return tuple(dict.fromkeys(_whole(name) for name in names if name))


def _whole(name: str) -> str:
    if name.startswith("https://"):
        return name
    if name in known_scopes():
        return full_scope(name)
    near = get_close_matches(name, known_scopes(), n=1)
    meant = f" (is {near[0]} meant?)" if near else ""
    raise ConfigurationError(
        f"scope {name!r} is none of Sheets or Drive{meant}: take names such as spreadsheets, "
        "spreadsheets.readonly, drive, drive.file and drive.readonly, or a scope's whole URL"
    )
