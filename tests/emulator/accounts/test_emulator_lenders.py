"""Accounts with rights and quotas of their own: what one may use, and who pays for it."""

from __future__ import annotations

import json

import pytest
from emulator_traffic import bearer
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request as Asking

from queued_gspread.emulator import Emulator, Quotas


def statuses(traffic, *accounts):
    """Return what each account gets for a read."""
    return [traffic.read(bearer(account)).status_code for account in accounts]


def book_of(traffic):
    return traffic.path.rpartition("/")[2]


def test_a_private_file_of_one_account(own, traffic):
    """What is private but to one account is 403 for all others, by Drive 404 and in no list."""
    one, two = own.accounts[0], own.add_account()
    own.add_private_file(book_of(traffic), two)
    assert statuses(traffic, one, two) == [403, 200]
    path = f"/drive/v3/files/{book_of(traffic)}"
    assert [traffic.send("GET", path, bearer(one)).status_code for one in (one, two)] == [404, 200]
    listed = [traffic.list_files(bearer(one)).json()["files"] for one in (one, two)]
    assert [len(files) for files in listed] == [0, 1]
    assert traffic.read().status_code == 403
    own.remove_private_file(book_of(traffic))
    assert statuses(traffic, one, two) == [200, 200]


def test_a_file_is_lost_to_one_account(own, traffic):
    """An account loses a file in the middle and gets it back; the others notice nothing."""
    one, two = own.accounts[0], own.add_account()
    own.unshare(book_of(traffic), two)
    assert statuses(traffic, one, two) == [200, 403]
    assert traffic.write(bearer(two)).status_code == 403
    own.share(book_of(traffic), two)
    assert statuses(traffic, one, two) == [200, 200]


def test_a_file_is_left_to_an_account_for_reading(own, traffic):
    """A file that is shared with one account for reading is read by it, and changed by others."""
    one, two = own.accounts[0], own.add_account()
    own.share(book_of(traffic), two, "reader")
    assert statuses(traffic, one, two) == [200, 200]
    assert [traffic.write(bearer(account)).status_code for account in (one, two)] == [200, 403]
    own.share(book_of(traffic), two)
    assert traffic.write(bearer(two)).status_code == 200
    with pytest.raises(ValueError, match="role='owner'"):
        own.share(book_of(traffic), two, "owner")


def test_a_copy_into_what_is_not_shared(own, traffic):
    """A sheet is not copied into a spreadsheet that its sender may not use."""
    two = own.add_account()
    other = own.add_spreadsheet("Other")
    own.add_private_file(other, own.accounts[0])
    body = {"destinationSpreadsheetId": other}
    path = f"{traffic.path}/sheets/0:copyTo"
    sent = [traffic.send("POST", path, bearer(one), json=body) for one in (own, two)]
    assert [answer.status_code for answer in sent] == [200, 403]


def test_a_reset_forgets_who_may_use_what(own, traffic):
    """After a reset nothing is kept from anybody."""
    two = own.add_account()
    own.unshare("an id", two)
    own.reset()
    assert not own._store.exceptions.hides("an id", two.email, False)


def test_projects_do_not_share(own, traffic):
    """Accounts of one project share its quota, an account of another project has its own."""
    own.quotas = Quotas(reads=3, project_reads=4)
    accounts = [own.accounts[0], own.add_account(), own.add_account(project=2)]
    one, two, three = (bearer(account) for account in accounts)
    assert [traffic.read(one).status_code for _ in range(3)] == [200, 200, 200]
    assert [traffic.read(two).status_code for _ in range(2)] == [200, 429]
    assert own.ledger[-1].refused_by == "ReadRequestsPerMinutePerProject"
    assert [traffic.read(three).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert own.ledger[-1].refused_by == "ReadRequestsPerMinutePerUser"
    assert [served.project for served in own.ledger] == [1] * 5 + [2] * 4


@pytest.mark.parametrize(
    ("quotas", "title"),
    [
        (Quotas(writes=1), "Write requests per minute per user"),
        (Quotas(project_writes=1), "Write requests per minute"),
    ],
)
def test_a_refusal_names_limit_and_project(own, traffic, quotas, title):
    """The body of a 429 says which of the two limits is exceeded, and whose."""
    own.quotas = quotas
    sender = bearer(own.add_account(project=7))
    traffic.write(sender)
    error = traffic.write(sender).json()["error"]
    assert f"limit '{title}' of" in error["message"]
    assert "for consumer 'project_number:7'" in error["message"]
    assert error["details"][0]["metadata"]["consumer"] == "projects/7"


def test_a_key_file_names_the_project(own, tmp_path):
    """A key file has its account's project, and may be replaced by that of another project."""
    accounts = [own.add_account(), own.add_account(project=2)]
    for account in accounts:
        account.write_service_account(tmp_path / "key.json")
        info = json.loads((tmp_path / "key.json").read_text(encoding="utf-8"))
        assert info["client_email"].endswith(f"@{info['project_id']}.iam.gserviceaccount.com")
    assert accounts[0].service_account_info()["project_id"] == "queued-gspread-emulator"
    assert info["project_id"] == "queued-gspread-emulator-2"
    with pytest.raises(ValueError, match="project=0"):
        own.add_account(project=0)


def test_projects_outlive_a_process(tmp_path):
    """An emulator that goes on with a state has the accounts in their projects."""
    state = tmp_path / "state.json"
    with Emulator(state=state) as emulator:
        for project in (2, 1):
            emulator.add_account(project=project).service_account_info()
    with Emulator(state=state) as again:
        assert [account.project for account in again.accounts] == [1, 2, 1]
        assert [account.email for account in again.accounts] == [
            account.email for account in emulator.accounts
        ]


def test_a_key_is_deleted_in_the_middle(own, traffic):
    """An account whose keys are disabled and tokens revoked is out; the others go on."""
    one, two = own.accounts[0], own.add_account()
    before = bearer(one), bearer(two)
    two.disable_keys()
    own.revoke_tokens(two)
    assert [traffic.read(token).status_code for token in before] == [200, 401]
    with pytest.raises(RefreshError, match="invalid_grant"):
        bearer(two)
    two.rotate_key()
    assert statuses(traffic, one, two) == [200, 200]


def test_credentials_of_another_project(own):
    """An account of another project gets a token by its credentials."""
    account = own.add_account(project=3)
    credentials = account.credentials(["https://www.googleapis.com/auth/spreadsheets"])
    credentials.refresh(Asking())
    assert (credentials.project_id, bool(credentials.token)) == ("queued-gspread-emulator-3", True)
