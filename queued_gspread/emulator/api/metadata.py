"""The metadata server of a machine at Google, which has tokens of the machine's account."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from gspread.auth import DEFAULT_SCOPES

from .request import Answer, as_json

if TYPE_CHECKING:
    from queued_gspread.emulator.accounts.project import Project

    from .request import Request

METADATA = "/computeMetadata/v1/"
FLAVOR = {"Metadata-Flavor": "Google"}
_ACCOUNTS = f"{METADATA}instance/service-accounts/"
_ACCOUNT = f"{_ACCOUNTS}default/"
_PROJECT = "queued-gspread-emulator"


def machine_answer(project: Project, request: Request) -> tuple[Answer, str]:
    """Return a metadata server's answer, and the e-mail address that a token in it is for."""
    path, machine = request.path, project.machine
    if machine is not None:
        path = path.replace(f"{_ACCOUNTS}{machine.email}/", _ACCOUNT)
    if request.headers.get("Metadata-Flavor") != "Google":
        return _text("Missing Metadata-Flavor:Google header.", HTTPStatus.FORBIDDEN), ""
    if path == f"{METADATA}universe/universe-domain":
        return _text("googleapis.com"), ""
    if path == f"{METADATA}project/project-id":
        return _text(_PROJECT), ""
    if machine is None or not path.startswith(_ACCOUNT):
        return _text("404 page not found", HTTPStatus.NOT_FOUND), ""
    if path == f"{_ACCOUNT}token":
        scopes = frozenset(filter(None, request.query.get("scopes", "").split(",")))
        grant = project.issue(machine.email, scopes or frozenset(DEFAULT_SCOPES))
        told = {
            "access_token": grant.token,
            "expires_in": int(grant.lifetime),
            "token_type": "Bearer",
        }
        return as_json(told).with_headers(FLAVOR), machine.email
    about = {"aliases": ["default"], "email": machine.email, "scopes": list(DEFAULT_SCOPES)}
    return as_json(about).with_headers(FLAVOR), ""


def _text(text: str, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    return Answer(status, text.encode(), "application/text", FLAVOR)
