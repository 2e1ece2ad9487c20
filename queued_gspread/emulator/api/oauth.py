"""The token endpoint: a form with a signed assertion in, an access token out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from queued_gspread.emulator.accounts.assertions import AUDIENCES
from queued_gspread.emulator.accounts.project import TokenRefusedError

from .request import Answer, as_json

if TYPE_CHECKING:
    from queued_gspread.emulator.accounts.project import Project

    from .request import Request

PATHS = frozenset(AUDIENCES)


def granted(project: Project, request: Request) -> tuple[Answer, str]:
    """Return the answer to a token request, and the e-mail address that the token is for."""
    form = dict(parse_qsl(request.content.decode("utf-8", "replace")))
    try:
        grant = project.grant(form, request.raw_path)
    except TokenRefusedError as refused:
        return oauth_error(*refused.args), ""
    body = {
        "access_token": grant.token,
        "expires_in": _plain(grant.lifetime),
        "token_type": "Bearer",
    }
    return as_json(body), grant.email


def oauth_error(error: str, description: str, status: int = HTTPStatus.BAD_REQUEST) -> Answer:
    """Return an answer of the token endpoint without a token."""
    return as_json({"error": error, "error_description": description}, status)


def _plain(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else seconds
