"""IAM Credentials: tokens and signatures of a service account, for who may impersonate it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.wire.errors import (
    insufficient_scopes,
    invalid,
    sheets_error,
    unauthenticated,
)

from .request import as_json

if TYPE_CHECKING:
    from queued_gspread.emulator.accounts.account import Account
    from queued_gspread.emulator.accounts.project import Project

    from .request import Answer, Request

_SCOPES = {
    "https://www.googleapis.com/auth/iam",
    "https://www.googleapis.com/auth/cloud-platform",
}
_LONGEST = 3600


def generated(project: Project, request: Request, email: str) -> tuple[Answer, str]:
    """Answer generateAccessToken."""
    body = request.json
    account = _impersonated(project, request, email, "getAccessToken")
    scopes, lifetime = body.get("scope"), str(body.get("lifetime") or f"{_LONGEST}s")
    if not (isinstance(scopes, list) and scopes):
        raise invalid("Scope required.")
    seconds = lifetime.removesuffix("s")
    if not (seconds.isdecimal() and 0 < int(seconds) <= _LONGEST):
        raise invalid("Request contains an invalid argument: lifetime.")
    grant = project.issue(account.email, frozenset(map(str, scopes)), float(seconds))
    ends = datetime.fromtimestamp(project.now + grant.lifetime, timezone.utc)
    told = {"accessToken": grant.token, "expireTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
    return as_json(told), account.email


def signed(project: Project, request: Request, email: str) -> tuple[Answer, str]:
    """Answer signJwt."""
    account = _impersonated(project, request, email, "signJwt")
    try:
        claims: dict[str, Any] = json.loads(request.json.get("payload", ""))
    except (TypeError, ValueError):
        raise invalid("Request contains an invalid argument: payload.") from None
    key_id, assertion = account.sign(claims)
    return as_json({"keyId": key_id, "signedJwt": assertion}), account.email


def _impersonated(project: Project, request: Request, email: str, method: str) -> Account:
    """Return the account that is impersonated, if the caller may do so."""
    holder = project.holder(request.token)
    if holder is None:
        raise unauthenticated()
    if holder.scopes.isdisjoint(_SCOPES):
        raise insufficient_scopes(on_sheets=True)
    delegates = request.json.get("delegates") or []
    chain = [str(one).rpartition("/")[2] for one in delegates] + [email]
    caller = holder.email
    for one in chain:
        account = project.account(one)
        if account is None or not account.may_be_impersonated_by(caller):
            raise _denied(f"iam.serviceAccounts.{method}")
        caller = one
    assert account is not None
    return account


def _denied(permission: str) -> Exception:
    message = f"Permission '{permission}' denied on resource (or it may not exist)."
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": permission},
    }
    return sheets_error(HTTPStatus.FORBIDDEN, message, [info])
