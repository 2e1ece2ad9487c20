"""The kinds of credentials files that google-auth has a class for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "ALL_KINDS",
    "AUTHORIZED_USER",
    "EXTERNAL_ACCOUNT",
    "EXTERNAL_USER",
    "IMPERSONATED",
    "SERVICE_ACCOUNT",
    "FileKind",
    "kind_of",
    "texts_in",
]


@dataclass(frozen=True)
class FileKind:
    """A kind of credentials file.

    Attributes:
        name: The kind in words.
        type: The value of the file's ``type`` field, if it has that field.
        fields: The fields of text that it must have.
        remedy: How to get such a file.
        options: The options that take it, besides ``--credentials``.

    """

    name: str
    type: str
    fields: tuple[str, ...]
    remedy: str
    options: str


SERVICE_ACCOUNT: Final = FileKind(
    "a service account's key file",
    "service_account",
    ("client_email", "private_key", "token_uri"),
    "download one as JSON from the Google Cloud console (IAM & Admin, Service Accounts, Keys)",
    "--service-account",
)
AUTHORIZED_USER: Final = FileKind(
    "the authorised-user file that plain gspread.oauth() writes",
    "authorized_user",
    ("client_id", "client_secret", "refresh_token"),
    "run gspread.oauth() once on a machine with a browser",
    "--oauth or --adc",
)
EXTERNAL_ACCOUNT: Final = FileKind(
    "an external account's file (workload identity federation)",
    "external_account",
    ("audience", "subject_token_type"),
    "make one with `gcloud iam workload-identity-pools create-cred-config`",
    "--adc",
)
EXTERNAL_USER: Final = FileKind(
    "the file of an external account's authorised user",
    "external_account_authorized_user",
    ("token_url", "client_id", "client_secret", "refresh_token"),
    "run `gcloud auth application-default login` with a workforce pool's login configuration",
    "--adc",
)
IMPERSONATED: Final = FileKind(
    "the file of an impersonated service account",
    "impersonated_service_account",
    ("service_account_impersonation_url",),
    "run `gcloud auth application-default login --impersonate-service-account=ADDRESS`",
    "--adc",
)
ALL_KINDS: Final = (
    SERVICE_ACCOUNT,
    AUTHORIZED_USER,
    EXTERNAL_ACCOUNT,
    EXTERNAL_USER,
    IMPERSONATED,
)


def kind_of(info: Mapping[str, Any], kinds: Sequence[FileKind]) -> FileKind | None:
    """Return a file's kind: by its ``type``, else by its fields; None if it is none of these.

    The files that gspread writes for OAuth have no type.
    """
    if "type" in info:
        return next((kind for kind in kinds if kind.type == info["type"]), None)
    whole = (kind for kind in kinds if all(name in info for name in kind.fields))
    return next(whole, kinds[0] if len(kinds) == 1 else None)


def texts_in(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a file's fields that are texts, those within other fields as well."""
    for name, value in info.items():
        if isinstance(value, str):
            yield str(name), value
        elif isinstance(value, Mapping):
            yield from texts_in(value)
