"""Several accounts at their limits: no window of an account or of a project holds too many."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from processes import ServerProcess
from quota_judge import excesses, sent_in

from queued_gspread.emulator import Quotas
from queued_gspread.errors import OutcomeUnknownError

LIMIT, SHARED = 12, 20
WINDOW = 1.0
SHEETS, CALLS = 12, 8
PROJECTS = (1, 1, 2)
IN_THE_AIR = 4


@pytest.fixture
def start(redis_url, namespace, emulator, key_file, tmp_path):
    """Return what starts a server with four accounts, two of them of one project more."""
    started, files = [], [key_file]
    for number, project in enumerate(PROJECTS):
        files.append(tmp_path / f"lender-{number}.json")
        emulator.add_account(project=project).write_service_account(files[-1])
    options = {"--redis-url": redis_url, "--namespace": namespace, "--lease": 1}
    options |= {"--writes-per-minute": LIMIT, "--project-writes-per-minute": SHARED}
    options |= {"--reads-per-minute": 0, "--project-reads-per-minute": 0}
    options |= {"--quota-window": WINDOW, "--api-endpoint": emulator.url}

    def run():
        keys = [part for path in files for part in ("--service-account", path)]
        given = [part for pair in options.items() for part in pair]
        log = tmp_path / f"server-{len(started)}.log"
        started.append(ServerProcess(log, *keys, *given, "--no-merge"))
        return started[-1].until_log("working as")

    yield run
    for each in started:
        each.end()


@pytest.fixture
def appends(client, emulator):
    """Return what appends to each of some spreadsheets, one call after the other."""
    books = [emulator.add_spreadsheet(f"Book {number}") for number in range(SHEETS)]

    def append(book, number):
        body = {"values": [[f"{book} {number}"]]}
        try:
            client.http_client.values_append(book, "A1", {"valueInputOption": "RAW"}, body)
        except OutcomeUnknownError:
            return "unknown"
        return "ok"

    def spread(book):
        return [append(book, number) for number in range(CALLS)]

    with ThreadPoolExecutor(SHEETS) as pool:
        yield lambda: [pool.submit(spread, book) for book in books]


def over(emulator):
    """Return where the ledger shows more requests in a window than a quota allows."""
    return excesses(sent_in(emulator.ledger), WINDOW, LIMIT, SHARED)


def rows(emulator):
    """Return how often each row was written."""
    written = (served for served in emulator.ledger if served.applied and served.quota == "write")
    return Counter(value for served in written for (value,) in served.body["values"])


@pytest.mark.parametrize(("movement", "latency"), [("sliding", 0.0), ("fixed", 0.2)])
def test_accounts_at_their_limits(start, emulator, appends, tell, movement, latency):
    """All accounts are used, nothing is refused, and no window holds more than any quota."""
    start()
    emulator.latency = latency
    emulator.quotas = Quotas(
        writes=LIMIT, project_writes=SHARED, window=WINDOW, movement=movement, counted="random"
    )
    found = Counter(what for call in appends() for what in call.result())
    assert found == {"ok": SHEETS * CALLS}
    assert emulator.refusals == 0
    assert over(emulator) == []
    sent = Counter(served.account for served in emulator.ledger if served.quota == "write")
    tell(f"{movement}, {latency * 1000:g} ms: appends by account {sorted(sent.values())}")
    assert len(sent) == 1 + len(PROJECTS)


def test_a_server_with_several_accounts_is_killed(start, emulator, appends, tell):
    """A server that is killed with requests of several accounts in the air leaves no gap."""
    first = start()
    emulator.latency = 0.3
    emulator.quotas = Quotas(
        writes=LIMIT, project_writes=SHARED, window=WINDOW, movement="sliding", counted="random"
    )
    calls = appends()
    emulator.wait_until_under_way(IN_THE_AIR)
    first.kill()
    start()
    found = Counter(what for call in calls for what in call.result())
    tell(f"killed with {IN_THE_AIR} or more requests in the air: {dict(found)}")
    assert found["unknown"] > 0
    assert emulator.refusals == 0
    assert over(emulator) == []
    assert set(rows(emulator).values()) == {1}
    assert len(rows(emulator)) >= found["ok"]


def test_the_judge_finds_what_one_account_too_many_sends(emulator):
    """The judge finds more in a window than an account, and than a project, may send."""
    assert over(emulator) == []
    for count, whose in ((LIMIT + 1, "a"), (SHARED + 1, "project 1")):
        ledger = [
            {
                "account": "a" if whose == "a" else f"a{number % 2}",
                "project": 1,
                "quota": "write",
                "arrived": 0.0,
                "answered": 0.1,
                "counted": 0.0,
            }
            for number in range(count)
        ]
        assert [each.whose for each in excesses(sent_in(ledger), WINDOW, LIMIT, SHARED)] == [whose]
