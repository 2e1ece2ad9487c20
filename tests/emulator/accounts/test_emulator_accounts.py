"""Several accounts, keys that are replaced and tokens that expire."""

import json
import stat
import threading

import pytest
import requests
from emulator_traffic import bearer, credentials_of
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from waiting import PATIENCE

from queued_gspread.emulator import Emulator


def test_accounts_differ(own, tmp_path):
    """Every account has an address, a client id and a key of its own, and a private file."""
    accounts = [own, own.add_account(), own.add_account()]
    infos = [account.service_account_info() for account in accounts]
    for name in ("client_email", "client_id", "private_key", "private_key_id"):
        assert len({info[name] for info in infos}) == 3
    assert infos[1]["client_email"] == accounts[1].email
    accounts[1].write_service_account(tmp_path / "key.json")
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600
    assert json.loads((tmp_path / "key.json").read_text(encoding="utf-8")) == infos[1]


def test_the_ledger_names_the_account(own, traffic):
    """The ledger has the account of every request and token request, if one is known."""
    other = own.add_account()
    traffic.read(bearer(other))
    traffic.read(bearer(own))
    traffic.read()
    traffic.read({"Authorization": "Bearer nobody"})
    first = own.service_account_info()["client_email"]
    assert [served.account for served in own.ledger] == [other.email, first, "", ""]
    assert [served.account for served in own.token_requests] == [other.email, first]


def test_accounts_see_the_same_files(own):
    """A spreadsheet that one account made is there for another one."""
    made = own.gspread_client()
    seen = own.gspread_client(own.add_account())
    made.create("Shared").sheet1.update([["x"]])
    assert seen.open("Shared").sheet1.get_all_values() == [["x"]]


@pytest.mark.parametrize("number", [0, 1])
def test_an_old_key_gets_no_token(own, number):
    """After a rotation the old key is refused, the new one works, and old tokens still do."""
    accounts = [own, own.add_account()]
    rotated, other = accounts[number], accounts[1 - number]
    old, token, bystander = credentials_of(rotated), bearer(rotated), credentials_of(other)
    before = rotated.service_account_info()["private_key_id"]
    rotated.rotate_key()
    assert rotated.service_account_info()["private_key_id"] != before
    with pytest.raises(RefreshError, match="invalid_grant"):
        old.refresh(Request())
    url = f"{own.url}/drive/v3/files"
    for headers in (token, bearer(rotated)):
        assert requests.get(url, headers=headers, timeout=PATIENCE).status_code == 200
    bystander.refresh(Request())
    assert bystander.token


def test_an_assertion_in_anothers_name_gets_no_token(own):
    """The key of one account does not sign for another."""
    info = own.add_account().service_account_info()
    forged = own.service_account_info() | {"private_key": info["private_key"]}
    with pytest.raises(RefreshError, match="Invalid JWT Signature"):
        type(credentials_of(own)).from_service_account_info(forged, scopes=["x"]).refresh(Request())


def test_an_unknown_account_gets_no_token(own):
    """An assertion of an account that is not there says so."""
    forged = own.service_account_info() | {"client_email": "nobody@example.com"}
    with pytest.raises(RefreshError, match="account not found"):
        type(credentials_of(own)).from_service_account_info(forged, scopes=["x"]).refresh(Request())


def test_tokens_expire(own, traffic, clock):
    """A token is refused with 401 from the end of its lifetime on."""
    own.token_lifetime = 100.0
    token = bearer(own)
    clock.now = 99.9
    assert traffic.read(token).status_code == 200
    clock.now = 100.0
    refused = traffic.read(token)
    assert (refused.status_code, refused.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert not own.ledger[-1].applied


@pytest.mark.parametrize("lifetime", [3600.0, 5.0, 0.5])
def test_the_client_is_told_the_lifetime(lifetime, traffic, own):
    """The answer to a token request has the lifetime, whole numbers without a fraction."""
    own.token_lifetime = lifetime
    credentials = credentials_of(own)
    seen = []

    def request(*args, **kwargs):
        response = Request()(*args, **kwargs)
        seen.append(json.loads(response.data)["expires_in"])
        return response

    credentials.refresh(request)
    assert [repr(number) for number in seen] == [f"{lifetime:g}"]


def test_a_changed_lifetime_is_for_new_tokens(own, traffic, clock):
    """A token keeps the lifetime with which it was granted."""
    old = bearer(own)
    own.token_lifetime = 10.0
    new = bearer(own)
    clock.now = 10.0
    assert [traffic.read(old).status_code, traffic.read(new).status_code] == [200, 401]


def test_google_auth_renews_an_expired_token(clock):
    """A real gspread client notices nothing of an expiry: its token is renewed at the 401."""
    with Emulator(monotonic=clock, token_lifetime=600.0) as emulator:
        client = emulator.gspread_client()
        clock.now = 601.0
        assert client.list_spreadsheet_files() == []
    assert [served.status for served in emulator.ledger] == [401, 200]


def test_an_odd_lifetime_is_refused():
    """A lifetime below 0 is a ValueError."""
    with pytest.raises(ValueError, match="cannot be used"):
        Emulator(token_lifetime=-1)


def test_accounts_that_are_added_at_once_differ(own):
    """Accounts that several threads add at once are all different."""
    found = []
    threads = [threading.Thread(target=lambda: found.append(own.add_account())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({account.email for account in found}) == 3
