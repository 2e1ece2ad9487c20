"""What an error of Google's means, as ``queued-gspread check`` tells it."""

from __future__ import annotations

import pytest
import requests
from google.auth.exceptions import RefreshError, TransportError
from gspread.exceptions import APIError

from queued_gspread.cli.check.findings import Finding, as_text, failed, is_well, ok, summary
from queued_gspread.cli.check.remedies import explain, is_disabled
from queued_gspread.errors import CallTimeoutError
from queued_gspread.google_api.responses import made_up_response

ACCOUNT = "bot@project.iam.gserviceaccount.com"
LINK = "https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=1"


def disabled(link):
    """Return the details of an API that is not enabled."""
    return [{"metadata": {"activationUrl": link}, "reason": "SERVICE_DISABLED"}]


def not_configured(link):
    """Return the same in Drive's older form."""
    return {"message": f"Visit {link} then", "errors": [{"reason": "accessNotConfigured"}]}


def api_error(code, **error):
    return APIError(made_up_response(code, "refused", {"message": "m", **error}))


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        ("invalid_grant: Invalid JWT Signature.", "make a new key"),
        ("invalid_grant: Invalid grant: account not found", "undelete"),
        ("invalid_grant: Invalid JWT: Failed audience check. …", "'token_uri'"),
        ("invalid_grant: Invalid JWT: … in a reasonable timeframe. …", "set this machine's clock"),
        ("invalid_grant: Account has been disabled", "enable the account again"),
        ("unauthorized_client: Client is unauthorized …", "Domain-wide delegation"),
        ("invalid_grant: Invalid email or User ID", "--subject"),
        ("invalid_grant: Token has been expired or revoked.", "give consent anew"),
        ("invalid_client: The OAuth client was not found.", "make another one"),
        ("invalid_grant: something new", "look whether the account or its key"),
    ],
)
def test_a_token_that_is_refused(told, remedy):
    """Each word of the token endpoint has its remedy, and what is new has a general one."""
    shown, found = explain(RefreshError(told, {"error": "invalid_grant"}), ACCOUNT)
    assert shown == told
    assert remedy in found


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (
            api_error(
                403, details=[{"metadata": {"activationUrl": LINK}, "reason": "SERVICE_DISABLED"}]
            ),
            LINK,
        ),
        (
            api_error(
                403, message=f"Visit {LINK} then", errors=[{"reason": "accessNotConfigured"}]
            ),
            LINK,
        ),
        (api_error(403, details=[{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]), "scopes"),
        (api_error(403), f"add {ACCOUNT} as an editor"),
        (api_error(404), f"add {ACCOUNT} as an editor"),
        (api_error(403, errors=[{"reason": "domainPolicy"}]), "what Google says"),
        (api_error(429), "wait a minute"),
        (api_error(401), "look at the credentials"),
        (api_error(500), "if it passes, try again"),
    ],
)
def test_a_request_that_is_refused(error, remedy):
    """Each refusal of the APIs has its remedy."""
    assert remedy in explain(error, ACCOUNT)[1]


@pytest.mark.parametrize(
    "error",
    [
        TransportError("no answer"),
        requests.ConnectionError("no answer"),
        OSError("no route"),
        CallTimeoutError("no answer within 60 s"),
    ],
)
def test_no_answer(error):
    """What never came to Google says so, and what to look at."""
    told, remedy = explain(error, ACCOUNT)
    assert "no " in told
    assert "proxy" in remedy or remedy == "no answer within 60 s"


@pytest.mark.parametrize(
    "error",
    [
        {"details": "none", "errors": "none"},
        {"details": [None, {"metadata": None, "reason": 1}], "errors": [1, {"reason": []}]},
        {"details": disabled("https://evil.example/console.developers.google.com")},
    ],
)
def test_whatever_is_in_an_error(error):
    """An error of any form is told of, and no link is shown that is not of Google's console."""
    found = api_error(403, **error)
    told, remedy = explain(found, ACCOUNT)
    assert told == "[403]: m"
    assert "evil" not in remedy
    assert is_disabled(found) is ("SERVICE_DISABLED" in str(error))


def test_how_findings_are_shown():
    """A finding is one line, whatever is in it, and its remedy stands below in lines that fit."""
    found = failed("token", "a\nb\x1b[2J" + "x" * 5000, "do " * 100)
    line, *remedy = as_text(found).splitlines()
    assert line.startswith("FAIL  token        a b?[2Jxxx")
    assert len(line) < 1600
    assert all(len(part) <= 100 for part in remedy)
    assert "hunter2" not in as_text(ok("redis", "redis://me:hunter2@here"))
    assert not is_well([found, ok("redis", "here")])
    assert summary([found, ok("redis", "here")]) == "not well: 1 of 2"
    assert is_well([Finding("x", "skipped", "")])
