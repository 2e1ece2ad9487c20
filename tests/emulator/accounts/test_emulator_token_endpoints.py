"""The token endpoint, STS, IAM Credentials and a metadata server: what they refuse, and how."""

from __future__ import annotations

import json
import stat
import time

import pytest
import requests
from google.auth import crypt, jwt

from queued_gspread.emulator import Emulator

ANN = "ann@example.com"
DRIVE = "https://www.googleapis.com/auth/drive"
SHEETS = "https://www.googleapis.com/auth/spreadsheets"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
TOKEN = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TIMES = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."


@pytest.fixture
def google():
    """Return an emulator of this test alone, with a user for whom its account may act."""
    with Emulator(seed=1) as emulator:
        emulator.add_user(ANN)
        emulator.accounts[0].delegate([DRIVE])
        yield emulator


@pytest.fixture
def post(google):
    """Return what sends a form to a path, and returns the status and the JSON."""
    with requests.Session() as session:

        def post(path, form, **options):
            answer = session.post(f"{google.url}{path}", form, **options)
            return answer.status_code, answer.json()

        yield post


def asserted(google, signed_by=None, **changes):
    """Return a form with an assertion of the account for the user, with other claims."""
    info = (signed_by or google.accounts[0]).service_account_info()
    signer = crypt.RSASigner.from_service_account_info(info)
    now = int(time.time())
    claims = {"iss": google.accounts[0].email, "sub": ANN, "scope": DRIVE, "aud": TOKEN}
    claims |= {"iat": now, "exp": now + 3600} | changes
    assertion = jwt.encode(signer, {name: of for name, of in claims.items() if of is not None})
    return {"grant_type": GRANT, "assertion": assertion}


def test_an_assertion_for_a_user_is_granted(google, post):
    """A token for the user is what an assertion with the account's signature gets."""
    status, answer = post("/token", asserted(google))
    assert (status, answer["scope"], answer["token_type"]) == (200, DRIVE, "Bearer")
    assert google.token_requests[-1].account == ANN


NOW = int(time.time())
WRONG = {
    "another scope": ({"scope": f"{DRIVE} {SHEETS}"}, 401, "Client is unauthorized to retrieve"),
    "no scope": ({"scope": ""}, 400, "Invalid OAuth scope or ID token audience provided."),
    "another user": ({"sub": "ben@example.com"}, 400, "Invalid email or User ID"),
    "another audience": ({"aud": "https://example.com"}, 400, "Failed audience check. The right"),
    "no audience": ({"aud": None}, 400, "Failed audience check. The right audience is https://oa"),
    "a long life": ({"exp": NOW + 7200}, 400, TIMES),
    "the past": ({"iat": NOW - 7200, "exp": NOW - 3600}, 400, TIMES),
    "the future": ({"iat": NOW + 7200, "exp": NOW + 9000}, 400, TIMES),
    "no times": ({"exp": None}, 400, None),
    "another issuer": ({"iss": "who@example.com"}, 400, "Invalid grant: account not found"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_assertion_is_refused(name, google, post):
    """Subject, scope, audience, lifetime and issuer are checked, and refused in Google's words."""
    changes, expected, told = WRONG[name]
    status, answer = post("/token", asserted(google, **changes))
    assert status == expected
    assert "access_token" not in answer
    assert told is None or told in answer["error_description"]


def test_the_signature_of_another_account_is_refused(google, post):
    """An assertion that the account's own key has not signed is refused."""
    form = asserted(google, signed_by=google.add_account())
    assert post("/token", form) == (
        400,
        {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
    )


def consented(user, **changes):
    """Return a form with a user's consent."""
    info = user.authorized_user_info()
    names = ("client_id", "client_secret", "refresh_token")
    return {"grant_type": "refresh_token"} | {name: info[name] for name in names} | changes


def test_a_users_consent_is_granted(google, post):
    """A consent gets a token with all its scopes, or with the fewer that are asked for."""
    (ann,) = google.users
    assert post("/token", consented(ann))[1]["scope"].split() == sorted([DRIVE, SHEETS])
    assert post("/token", consented(ann, scope=DRIVE))[1]["scope"] == DRIVE


@pytest.mark.parametrize(
    ("changes", "status", "error", "told"),
    [
        ({"refresh_token": "1//x"}, 400, "invalid_grant", "Token has been expired or revoked."),
        ({"client_secret": "x"}, 400, "invalid_grant", "Token has been expired or revoked."),
        ({"client_id": "x"}, 401, "invalid_client", "The OAuth client was not found."),
        ({"scope": CLOUD}, 400, "invalid_scope", "Bad Request"),
    ],
)
def test_a_wrong_consent_is_refused(changes, status, error, told, google, post):
    """A consent that has ended, another program's, or for fewer scopes gets no token."""
    (ann,) = google.users
    answer = {"error": error, "error_description": told}
    assert post("/token", consented(ann, **changes)) == (status, answer)


def test_a_consent_ends_and_is_given_anew(google, post):
    """After its end, and after another one, an old consent gets no token."""
    (ann,) = google.users
    old = consented(ann)
    ann.consent()
    assert post("/token", old)[0] == 400
    assert post("/token", consented(ann))[0] == 200
    ann.end_consent()
    assert post("/token", consented(ann))[0] == 400


def test_a_user_of_a_workforce(google, post):
    """STS grants an external user's consent to a program that shows its secret in a header."""
    (ann,) = google.users
    info = ann.external_user_info()
    form = {"grant_type": "refresh_token", "refresh_token": info["refresh_token"]}
    program = (info["client_id"], info["client_secret"])
    assert post("/v1/oauthtoken", form, auth=program)[0] == 200
    assert post("/v1/oauthtoken", form)[0] == 401
    assert post("/v1/oauthtoken", form, headers={"Authorization": "Basic x"})[0] == 401


def exchange(workload, **changes):
    """Return a form with a workload's token."""
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "subject_token": workload.subject_token(),
        "audience": workload.audience,
        "scope": DRIVE,
    } | changes


def test_a_workloads_token_is_exchanged(google, post):
    """STS gives a Google token for one of the provider's."""
    workload = google.add_workload()
    status, answer = post("/v1/token", exchange(workload))
    assert (status, answer["scope"]) == (200, DRIVE)
    assert answer["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert google.token_requests[-1].account == workload.principal


UNLIKE = {
    "another pool": (lambda _, other: {"audience": "//x"}, "invalid_target", "The target service"),
    "another provider": (
        lambda _, other: {"subject_token": other.subject_token()},
        "invalid_grant",
        "Unable to verify the ID Token signature.",
    ),
    "another audience": (
        lambda own, _: {"subject_token": own.subject_token(aud="x")},
        "invalid_grant",
        "The audience in ID Token [x] does not match the expected audience",
    ),
    "the past": (
        lambda own, _: {"subject_token": own.subject_token(lifetime=-60)},
        "invalid_grant",
        "is stale to sign-in.",
    ),
    "no token": (lambda *_: {"subject_token": "x"}, "invalid_grant", "Unable to verify"),
    "no scope": (lambda *_: {"scope": ""}, "invalid_scope", "Invalid OAuth scope."),
    "another kind": (lambda *_: {"subject_token_type": "x"}, "invalid_request", "Invalid token"),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_a_wrong_token_of_a_workload_is_refused(name, google, post):
    """STS checks audience, provider, lifetime and scope, and refuses in its words."""
    changes, error, told = UNLIKE[name]
    own, other = google.add_workload(), google.add_workload()
    status, answer = post("/v1/token", exchange(own, **changes(own, other)))
    assert (status, answer["error"]) == (400, error)
    assert told in answer["error_description"]


@pytest.fixture
def impersonate(google, post):
    """Return what calls IAM Credentials for the first account, as the user."""
    (ann,) = google.users
    ann.consent([CLOUD])
    google.accounts[0].let_impersonate(ANN)

    def impersonate(method, body, form=None, account=None):
        token = post("/token", form or consented(ann))[1].get("access_token", "none")
        email = (account or google.accounts[0]).email
        path = f"/v1/projects/-/serviceAccounts/{email}:{method}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return post(path, json.dumps(body), headers=headers)

    return impersonate


def test_a_token_of_an_impersonated_account(google, impersonate):
    """Who may impersonate an account gets a token of it, no longer than asked for."""
    status, answer = impersonate("generateAccessToken", {"scope": [DRIVE], "lifetime": "60s"})
    assert status == 200
    assert answer["accessToken"].startswith("ya29.")
    assert answer["expireTime"].endswith("Z")
    assert google.token_requests[-1].account == google.accounts[0].email


def test_a_signature_of_an_impersonated_account(google, impersonate, post):
    """Who may impersonate an account has it sign an assertion, which gets a token for a user."""
    now = int(time.time())
    claims = {"iss": google.accounts[0].email, "sub": ANN, "scope": DRIVE, "aud": TOKEN}
    claims |= {"iat": now, "exp": now + 3600}
    status, answer = impersonate("signJwt", {"payload": json.dumps(claims)})
    assert status == 200
    form = {"grant_type": GRANT, "assertion": answer["signedJwt"]}
    assert post("/token", form)[0] == 200


def test_delegates_impersonate_one_after_the_other(google, impersonate):
    """A chain of accounts may impersonate the last one, if each may the next."""
    first, last = google.accounts[0], google.add_account()
    body = {"scope": [DRIVE], "delegates": [f"projects/-/serviceAccounts/{first.email}"]}
    assert impersonate("generateAccessToken", body, account=last)[0] == 403
    last.let_impersonate(first.email)
    assert impersonate("generateAccessToken", body, account=last)[0] == 200


DENIED = {
    "no right": ("generateAccessToken", {"scope": [DRIVE]}, 403, "getAccessToken' denied on reso"),
    "no right to sign": ("signJwt", {"payload": "{}"}, 403, "iam.serviceAccounts.signJwt' denied"),
    "no scope": ("generateAccessToken", {}, 400, "Scope required."),
    "a long life": (
        "generateAccessToken",
        {"scope": [DRIVE], "lifetime": "7200s"},
        400,
        "lifetime",
    ),
    "no claims": ("signJwt", {"payload": "x"}, 400, "payload"),
}


@pytest.mark.parametrize("name", DENIED)
def test_who_may_not_impersonate_is_refused(name, google, impersonate):
    """Without the right, and with a wrong request, IAM Credentials refuses in its words."""
    method, body, status, told = DENIED[name]
    account = google.add_account() if name.startswith("no right") else None
    answered, answer = impersonate(method, body, account=account)
    assert answered == status
    assert told in answer["error"]["message"]


def test_a_token_that_is_not_for_iam_is_refused(google, impersonate, post):
    """A token without a scope of IAM's, and none at all, may impersonate nobody."""
    form = asserted(google, sub=None)
    status, answer = impersonate("generateAccessToken", {"scope": [DRIVE]}, form=form)
    assert (status, answer["error"]["message"]) == (
        403,
        "Request had insufficient authentication scopes.",
    )
    assert impersonate("generateAccessToken", {"scope": [DRIVE]}, form={"x": "y"})[0] == 401


def test_a_machines_metadata(google):
    """The metadata server has the machine's account and tokens of it, for those who ask rightly."""
    place = f"{google.url}/computeMetadata/v1/"
    with requests.Session() as session:
        assert session.get(f"{place}project/project-id").status_code == 403
        session.headers["Metadata-Flavor"] = "Google"
        assert session.get(google.url).headers["Metadata-Flavor"] == "Google"
        assert session.get(f"{place}universe/universe-domain").text == "googleapis.com"
        assert session.get(f"{place}project/project-id").text
        account = f"{place}instance/service-accounts/"
        about = session.get(f"{account}default/?recursive=true").json()
        assert about["email"] == google.accounts[0].email
        path = f"{account}{about['email']}/token?scopes={DRIVE},{SHEETS}"
        assert session.get(path).json()["token_type"] == "Bearer"
        assert google.machine is google.accounts[0]
        google.machine = None
        assert session.get(f"{account}default/token").status_code == 404


def test_files_of_users_are_their_owners_alone(google, tmp_path):
    """A user's file has the mode 0600."""
    (ann,) = google.users
    path = tmp_path / "user.json"
    ann.write_authorized_user(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == ann.authorized_user_info()
