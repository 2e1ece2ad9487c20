"""Several accounts, as whoever looks at the queue sees them, and as callers notice a bad key."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import redis
from limits import UNLIMITED
from waiting import eventually

from queued_gspread.broker.published import published_of
from queued_gspread.cli import screen
from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.metrics.families import families_of
from queued_gspread.monitor import look
from queued_gspread.server import Server
from queued_gspread.server.figures import Figures, step_of
from queued_gspread.settings import Settings

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
    """Return what waits until something that fits is published; it returns all of it."""
    with redis.Redis.from_url(redis_url) as client:

        def wait(fits):
            def fitting():
                found = published_of(client.hgetall(keys.published), time.time())
                return found if fits(found) else None

            return eventually(fitting)

        yield wait


def test_each_account_is_published(lent, append, published, names):
    """Its name, project, token, slots and requests are there, for the first and for lenders."""
    lent()
    for _ in range(5):
        append()
    counted = [f"account {name} write" for name in names]
    found = published(lambda found: sum(found.totals.get(each, 0) for each in counted) == 5)
    first, *others = found.work.accounts
    assert [each.name for each in found.work.accounts] == names
    assert [each.is_first for each in found.work.accounts] == [True, False, False]
    assert first.project == others[0].project != others[1].project
    assert {each.token for each in found.work.accounts} == {"ok"}
    assert [each.limits["write"] for each in found.work.accounts] == [3, 3, 3]
    held = {f"account {each.name} write": each.held["write"] for each in found.work.accounts}
    assert held.items() <= found.totals.items()


def test_what_accounts_do_is_shown(lent, append, published, names, redis_url, namespace):
    """Snapshot, screen and metrics have what each account holds and has sent, as it is in Redis."""
    lent()
    for _ in range(5):
        append()
    counted = [f"account {name} write" for name in names]
    published(lambda found: sum(found.totals.get(each, 0) for each in counted) == 5)
    snapshot = look(Settings(redis_url, namespace))
    quota = [{each.kind: each for each in account.quota} for account in snapshot.accounts]
    assert [account.account for account in snapshot.accounts] == names
    assert [[*each] for each in quota] == [["read", "write", "drive"], *[["read", "write"]] * 2]
    assert sum(each["write"].requests for each in quota) == 5
    assert all(each["write"].held == each["write"].requests for each in quota)
    # Of the first account Redis says the same.
    (writes,) = (each for each in snapshot.quota if each.kind == "write")
    assert (writes.held, writes.limit) == (quota[0]["write"].held, quota[0]["write"].limit)
    shown = "\n".join(screen.status(snapshot, "here"))
    assert all(f"{each['write'].held} of 3" in shown for each in quota)
    families = {family.name: family.samples for family in families_of(snapshot)}
    up = families["queued_gspread_account_up"]
    assert {each.labels["account"]: each.value for each in up} == dict.fromkeys(names, 1)


def test_a_pause_of_an_account_is_published(lent, append, published, google, names):
    """Where Google refuses one account, its pause is there until it is over."""
    lent(2)
    append()
    google.quotas = Quotas(writes=1, window=60.0)
    append()
    append()
    found = published(lambda found: any(each.pauses for each in found.work.accounts))
    (paused,) = [each for each in found.work.accounts if each.pauses]
    assert 0 < paused.pauses["write"] <= 60


def test_one_account_is_published_as_before(lent, append, published):
    """With one account nothing is published of accounts, and no request is counted for one."""
    lent(1)
    append()
    found = published(lambda found: "requests write ok" in found.totals)
    assert found.work.accounts == ()
    assert not any(name.startswith("account") for name in found.totals)


def test_a_bad_key_shows_and_callers_notice_nothing(
    lent, append, published, google, paths, names, caplog, redis_url, namespace
):
    """An account without keys has a reason for its token and lends nothing, until it has one."""
    google.accounts[1].disable_keys()
    server = lent(2)
    bad = server._parts.lenders[0].tokens
    eventually(lambda: bad.state().error)
    append()
    append()
    assert {served.account for served in google.ledger if served.quota == "write"} == {names[0]}
    why = "RefreshError: invalid_grant"
    found = published(lambda found: [a.token[:27] for a in found.work.accounts] == ["ok", why])
    told = f"account {names[1]} lends nothing: {found.work.accounts[1].token}"
    assert told in look(Settings(redis_url, namespace)).problems
    google.accounts[1].rotate_key()
    google.accounts[1].write_service_account(paths[1])
    published(lambda found: found.work.accounts[1].token == "ok")
    append()
    append()
    assert [served.account for served in google.ledger if served.quota == "write"] == [
        *(names[0], names[0], names[1], names[1])
    ]
    lines = [r.getMessage() for r in caplog.records if names[1] in r.getMessage()]
    assert len([line for line in lines if "lends no quota" in line]) == 1


def test_requests_are_counted_for_each_account():
    """The namespace's own account counts under its name, and the history has none of it."""
    figures = Figures()
    figures.own_account = "a@b"
    for account in ("", "c@d", "c@d"):
        figures.note_sent_as((account, "read"))
    counted = figures.take()
    assert counted.totals == {"account a@b read": 1, "account c@d read": 2}
    assert step_of(counted) == {}
