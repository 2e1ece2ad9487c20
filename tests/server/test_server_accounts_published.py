"""Several accounts, as whoever looks at the queue sees them, and as callers notice a bad key."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
import redis
from limits import UNLIMITED
from waiting import eventually

from queued_gspread.broker.accounts_at_work import AccountAtWork, accounts_as_data, accounts_in
from queued_gspread.broker.published import LaneAtWork, Publication, Work, published_of
from queued_gspread.emulator import Emulator
from queued_gspread.server import Server
from queued_gspread.server.figures import Figures, step_of

LIMITS = {"writes_per_minute": 3, "reads_per_minute": 0, "quota_window": 60.0}


@pytest.fixture
def google():
    """Return an emulator of this test's own, with three accounts."""
    with Emulator(seed=1) as emulator:
        emulator.add_account()
        emulator.add_account(project=2)
        yield emulator


@pytest.fixture
def names(google):
    return [account.email for account in google.accounts]


@pytest.fixture
def paths(google, tmp_path):
    found = [tmp_path / f"{number}.json" for number in range(3)]
    for account, path in zip(google.accounts, found, strict=True):
        account.write_service_account(path)
    return found


@pytest.fixture
def lent(redis_url, namespace, google, timing, paths):
    """Return what starts a server with some of the accounts, which publishes with every beat."""
    servers = []

    def start(accounts=3):
        where = {"redis_url": redis_url, "namespace": namespace, "api_endpoint": google.url}
        where["timing"] = replace(timing, publish=0.01, key_file_check=0.05)
        options = {"no_merge": True, "lease": 1.0, **UNLIMITED, **LIMITS}
        servers.append(Server(service_account=paths[:accounts], **where, **options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def append(client, google):
    """Return what appends a row to a spreadsheet."""
    book, body = google.add_spreadsheet("Book"), {"values": [["x"]]}
    raw = {"valueInputOption": "RAW"}
    return lambda: client.http_client.values_append(book, "A1", raw, body)


@pytest.fixture
def published(redis_url, keys):
    """Return what waits until accounts and totals that fit are published; it returns all."""
    with redis.Redis.from_url(redis_url) as client:

        def wait(fits, has=()):
            def fitting():
                found = published_of(client.hgetall(keys.published), time.time())
                is_there = fits(found.work.accounts) and {*has} <= found.totals.keys()
                return found if is_there else None

            return eventually(fitting)

        yield wait


def writes(accounts):
    """Return how many writes each account has sent."""
    return [account.sent.get("write", 0) for account in accounts]


def test_each_account_is_published(lent, append, published, names):
    """Its name, project, token, slots and requests are there, for the first and for lenders."""
    lent()
    for _ in range(5):
        append()
    counted = [f"account {name} write" for name in names]
    found = published(lambda accounts: sum(writes(accounts)) == 5, counted)
    first, *others = found.work.accounts
    assert [each.name for each in found.work.accounts] == names
    assert [each.is_first for each in found.work.accounts] == [True, False, False]
    assert first.project == others[0].project != others[1].project
    assert {each.token for each in found.work.accounts} == {"ok"}
    assert [each.limits["write"] for each in found.work.accounts] == [3, 3, 3]
    assert [each.held["write"] for each in found.work.accounts] == writes(found.work.accounts)
    totals = {f"account {each.name} write": each.sent["write"] for each in found.work.accounts}
    assert totals.items() <= found.totals.items()


def test_one_account_is_published_as_before(lent, append, published):
    """With one account nothing is published of accounts, and no request is counted for one."""
    lent(1)
    append()
    found = published(lambda accounts: True, has=["requests write ok"])
    assert found.work.accounts == ()
    assert not any(name.startswith("account") for name in found.totals)


def test_a_bad_key_shows_and_callers_notice_nothing(
    lent, append, published, google, paths, names, caplog
):
    """An account without keys has a reason for its token and lends nothing, until it has one."""
    google.accounts[1].disable_keys()
    server = lent(2)
    bad = server._parts.lenders[0].tokens
    eventually(lambda: bad.state().error)
    append()
    append()
    assert {served.account for served in google.ledger if served.quota == "write"} == {names[0]}
    _, lender = published(lambda accounts: accounts and accounts[1].token != "ok").work.accounts
    assert lender.token.startswith("RefreshError: invalid_grant")
    google.accounts[1].rotate_key()
    google.accounts[1].write_service_account(paths[1])
    published(lambda accounts: accounts[1].token == "ok")
    append()
    append()
    assert [served.account for served in google.ledger if served.quota == "write"] == [
        *(names[0], names[0], names[1], names[1])
    ]
    told = [r.getMessage() for r in caplog.records if names[1] in r.getMessage()]
    assert len([line for line in told if "lends no quota" in line]) == 1


def test_accounts_travel_as_they_are():
    """What is published of accounts is read as it was; without any, the text is as before."""
    one = AccountAtWork("a@b", "p", True, "ok", {"read": 1}, {"read": 60}, {"read": 5})
    assert accounts_in(accounts_as_data([one])) == (one,)
    lane = LaneAtWork("one")
    text = f"1000 7 {Work([lane], accounts=(one,)).encode()}".encode()
    assert published_of({b"work": text}, 1.0).work.accounts == (one,)
    assert Publication(1, work=Work([lane])).work.encode().endswith(",0,0,{},{}]")


@pytest.mark.parametrize(
    "found",
    [
        *(5, None, "ab", [5], [[]], {"a": 1}),
        [["a@b", "p", True, "ok", {"read": -1}, {}, {}]],
        [["a@b", "p", True, "ok", {"read": True}, {}, {}]],
        [["a@b", "p", True, "ok", [], {}, {}]],
    ],
)
def test_what_is_no_account_is_none(found):
    """Whoever may write to Redis: what cannot be read leaves no work, and raises nothing."""
    text = json.dumps([[], 0, 0, {}, {}, {}, found])
    assert published_of({b"work": f"1000 7 {text}".encode()}, 1.0).work == Work()


def test_an_account_that_is_read_is_shown_on_one_line():
    """A name with control characters is shown without them, and only true is true."""
    (found,) = accounts_in([["a\x1b[0m\n", "p", 1, "ok\n", {}, {}, {}]])
    assert (found.name, found.is_first, found.token) == ("a?[0m?", False, "ok?")


def test_requests_are_counted_for_each_account():
    """The namespace's own account counts under its name, and the history has none of it."""
    figures = Figures()
    figures.own_account = "a@b"
    for account in ("", "c@d", "c@d"):
        figures.note_sent_as((account, "read"))
    counted = figures.take()
    assert counted.totals == {"account a@b read": 1, "account c@d read": 2}
    assert step_of(counted) == {}
