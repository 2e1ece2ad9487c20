"""What Google refuses of an account, in its words: tokens, and APIs that are not enabled."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from emulator_traffic import bearer, credentials_of
from google.auth import jwt
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from gspread.exceptions import APIError
from waiting import PATIENCE

from queued_gspread.emulator.accounts.assertions import AUDIENCES

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = "https://www.googleapis.com/auth/spreadsheets"
NOT_TIMELY = "Invalid JWT: Token must be a short-lived token"


def refused(account):
    """Return what Google says to an account that asks for a token."""
    with pytest.raises(RefreshError) as caught:
        credentials_of(account).refresh(Request())
    return caught.value.args[0]


def test_a_deleted_account_gets_no_token(own):
    """Google does not know an account that was deleted; tokens from before are good."""
    token, other = bearer(own), own.add_account()
    own.delete_account(other)
    own.delete_account()
    for account in (own, other):
        assert refused(account) == "invalid_grant: Invalid grant: account not found"
    url = f"{own.url}/drive/v3/files"
    assert requests.get(url, headers=token, timeout=PATIENCE).status_code == 200


def test_a_disabled_key_gets_no_token(own):
    """A key that was disabled signs nothing that counts; a new one does."""
    account = own.add_account()
    account.service_account_info()
    account.disable_keys()
    assert refused(account) == "invalid_grant: Invalid JWT Signature."
    account.rotate_key()
    assert bearer(account)


@pytest.mark.parametrize("ahead", [400, -400, 3500, -3500, 4000, -4000])
def test_a_clock_that_is_wrong_gets_no_token(own, ahead):
    """An assertion of the future or of long ago is refused, and the answer has Google's time."""
    own.clock_ahead = ahead
    if -300 < ahead < 3600:
        assert bearer(own)
    else:
        assert refused(own).startswith(f"invalid_grant: {NOT_TIMELY}")
    answer = requests.get(f"{own.url}/drive/v3/files", timeout=PATIENCE)
    seen = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert seen - time.time() == pytest.approx(ahead, abs=PATIENCE)
    with pytest.raises(ValueError, match="clock_ahead=inf cannot be used"):
        own.clock_ahead = float("inf")


@pytest.mark.parametrize(
    ("path", "audience", "told"),
    [
        ("/token", AUDIENCES["/token"], ""),
        ("/token", "own", ""),
        ("/token", "https://example.com", AUDIENCES["/token"]),
        ("/token", AUDIENCES["/o/oauth2/token"], AUDIENCES["/token"]),
        ("/o/oauth2/token", AUDIENCES["/o/oauth2/token"], ""),
        ("/o/oauth2/token", AUDIENCES["/token"], AUDIENCES["/o/oauth2/token"]),
    ],
)
def test_an_assertion_for_somebody_else_gets_no_token(own, path, audience, told):
    """An assertion whose audience is not the endpoint's is refused, with the one that is."""
    audience, now = f"{own.url}{path}" if audience == "own" else audience, int(time.time())
    credentials = credentials_of(own)
    issuer = credentials.service_account_email
    claims = {"iss": issuer, "aud": audience, "scope": SCOPES, "iat": now, "exp": now + 3600}
    form = {"grant_type": GRANT, "assertion": jwt.encode(credentials.signer, claims)}
    answer = requests.post(own.url + path, data=form, timeout=PATIENCE).json()
    expected = f"Invalid JWT: Failed audience check. The right audience is {told}"
    assert answer.get("error_description", "") == (expected if told else "")


def test_a_key_file_with_the_old_endpoint(own):
    """google-auth signs for the present endpoint alone, so a file with the old one is refused."""
    info = own.service_account_info() | {"token_uri": f"{own.url}/o/oauth2/token"}
    old = type(credentials_of(own)).from_service_account_info(info, scopes=[SCOPES])
    with pytest.raises(RefreshError, match="Failed audience check"):
        old.refresh(Request())


@pytest.mark.parametrize(
    ("claims", "is_right"),
    [({}, True), ({"exp": None}, False), ({"iat": "now"}, False), ({"lives": 10_000}, False)],
)
def test_an_assertion_lives_an_hour_at_most(own, claims, is_right):
    """An assertion without times, or with too long a life, is refused."""
    now, credentials = int(time.time()), credentials_of(own)
    right = {"iss": credentials.service_account_email, "aud": AUDIENCES["/token"], "scope": SCOPES}
    right |= {"iat": now, "exp": now + claims.get("lives", 3600)}
    signed = jwt.encode(credentials.signer, right | claims)
    form = {"grant_type": GRANT, "assertion": signed}
    answer = requests.post(f"{own.url}/token", data=form, timeout=PATIENCE)
    assert (answer.status_code == 200) is is_right


@pytest.mark.parametrize("api", ["sheets", "drive"])
def test_an_api_that_is_not_enabled(own, api):
    """Every request to it is refused with the link that enables it, and the other one works."""
    client, key = own.gspread_client(), own.add_spreadsheet("Orders")
    own.disabled_apis = api
    calls = {"sheets": lambda: client.open_by_key(key), "drive": client.list_spreadsheet_files}
    for name, call in calls.items():
        if name != api:
            call()
            continue
        with pytest.raises((APIError, PermissionError)) as caught:
            call()
        error = caught.value if isinstance(caught.value, APIError) else caught.value.__cause__
        link = f"https://console.developers.google.com/apis/api/{api}.googleapis.com/overview?"
        assert link in error.error["message"]
        info = error.error["details"][0]
        assert info["reason"] == "SERVICE_DISABLED"
        assert info["metadata"]["activationUrl"].startswith(link)
    with pytest.raises(ValueError, match="disabled_apis='mail' cannot be used"):
        own.disabled_apis = "mail"
