"""The token endpoints: OAuth's, STS's, IAM Credentials' and a machine's metadata server."""

from __future__ import annotations

import base64
import binascii
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from queued_gspread.emulator.accounts.assertions import AUDIENCES
from queued_gspread.emulator.accounts.refusals import TokenRefusedError
from queued_gspread.emulator.accounts.users import refreshed
from queued_gspread.emulator.accounts.workloads import ACCESS_TOKEN, exchanged
from queued_gspread.emulator.wire.errors import ApiError

from .iam import generated, signed
from .metadata import METADATA, machine_answer
from .request import Answer, as_json, refusal

if TYPE_CHECKING:
    from queued_gspread.emulator.accounts.project import Grant, Project

    from .request import Request

_STS, _STS_OAUTH = "/v1/token", "/v1/oauthtoken"
_IAM = re.compile(
    r"/v1/projects/-/serviceAccounts/(?P<email>[^/:]+):(?P<method>generateAccessToken|signJwt)"
)


def is_token_path(path: str) -> bool:
    """Return whether a path is one of a token endpoint."""
    is_exact = path in AUDIENCES or path in (_STS, _STS_OAUTH)
    return is_exact or path.startswith(METADATA) or _IAM.fullmatch(unquote(path)) is not None


def granted(project: Project, request: Request) -> tuple[Answer, str]:
    """Return the answer to a token request, and the e-mail address that the token is for."""
    try:
        if request.raw_path.startswith(METADATA):
            return machine_answer(project, request)
        if asked := _IAM.fullmatch(request.path):
            made = generated if asked["method"] == "generateAccessToken" else signed
            return made(project, request, asked["email"])
        grant = _grant(project, request)
    except TokenRefusedError as refused:
        return oauth_error(*refused.args), ""
    except ApiError as error:
        return refusal(error), ""
    body = {
        "access_token": grant.token,
        "expires_in": plain(grant.lifetime),
        "token_type": "Bearer",
        "scope": " ".join(sorted(grant.scopes)),
    }
    if request.raw_path == _STS:
        body["issued_token_type"] = ACCESS_TOKEN
    return as_json(body), grant.email


def _grant(project: Project, request: Request) -> Grant:
    form = dict(parse_qsl(request.content.decode("utf-8", "replace")))
    if request.raw_path == _STS:
        return project.issue(*exchanged(project.workloads, form))
    if request.raw_path == _STS_OAUTH:
        return project.issue(*refreshed(project.users.values(), form | _program(request)))
    return project.grant(form, request.raw_path)


def _program(request: Request) -> dict[str, str]:
    """Return the program's id and secret, which come by HTTP's basic authentication."""
    try:
        client, _, secret = base64.b64decode(request.token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": client, "client_secret": secret}


def oauth_error(error: str, description: str, status: int = HTTPStatus.BAD_REQUEST) -> Answer:
    """Return an answer of the token endpoint without a token."""
    return as_json({"error": error, "error_description": description}, status)


def plain(seconds: float) -> float:
    """Return seconds as a whole number, if they are one."""
    return int(seconds) if seconds == int(seconds) else seconds
