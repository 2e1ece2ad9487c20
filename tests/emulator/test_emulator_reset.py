"""An emulator that is reset: as new, and rid of what was under way."""

import socket
import threading

import pytest
import requests
from emulator_traffic import KEY, Traffic, bearer
from waiting import PATIENCE

from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.emulator.faults import Reset, Status

HEAD = b"POST /drive/v3/files HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: k\r\n"


def connected(emulator):
    host, port = emulator.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), PATIENCE)


def files(emulator, headers=KEY):
    return requests.get(f"{emulator.url}/drive/v3/files", headers=headers, timeout=PATIENCE)


def test_nothing_is_left(own, traffic):
    """After a reset there are no files, private files, tokens and faults, and no ledger."""
    token = bearer(own)
    own.add_private_file("private")
    own.faults.add(Status(503))
    own.reset()
    assert (own.ledger, own.token_requests) == ([], [])
    assert files(own).json()["files"] == []
    assert traffic.read().status_code == 404
    private = f"{own.url}/v4/spreadsheets/private"
    assert requests.get(private, headers=KEY, timeout=PATIENCE).status_code == 404
    assert files(own, token).status_code == 401


def test_settings_are_as_given():
    """After a reset the settings are the constructor's, whatever they were meanwhile."""
    given = {
        "quotas": Quotas(reads=5),
        "latency": (0.0, 0.1),
        "apply_share": 0.25,
        "append_race": 0.5,
        "token_lifetime": 7.0,
        "not_computed": "error",
    }
    emulator = Emulator(**given)
    emulator.quotas, emulator.latency, emulator.apply_share = Quotas(), 1.0, "random"
    emulator.append_race, emulator.token_lifetime = 0.0, 8.0
    emulator.not_computed = "warn"
    emulator.reset()
    assert {name: getattr(emulator, name) for name in given} == given


def test_nothing_is_counted(clock):
    """After a reset the whole quota is there again."""
    with Emulator(monotonic=clock, quotas=Quotas(drive=2)) as emulator:
        assert [files(emulator).status_code for _ in range(3)] == [200, 200, 403]
        emulator.reset()
        assert [files(emulator).status_code for _ in range(3)] == [200, 200, 403]


def test_chance_begins_again(clock):
    """With a seed, ids and faults after a reset are those of a new emulator."""

    def seen(emulator):
        emulator.faults.add(Status(503), rate=0.5)
        url = f"{emulator.url}/drive/v3/files"
        made = [requests.post(url, json={}, headers=KEY, timeout=PATIENCE) for _ in range(8)]
        return [answer.json().get("id") for answer in made]

    with Emulator(seed=3) as emulator:
        first = seen(emulator)
        emulator.reset()
        assert seen(emulator) == first
    assert None in first
    assert any(first)


def test_accounts_and_clients_stay(own):
    """Accounts, their keys, the port and the clients go on working after a reset."""
    other = own.add_account()
    clients = [own.gspread_client(), own.gspread_client(other)]
    before = [own.url, own.service_account_info(), other.service_account_info()]
    own.reset()
    assert [own.url, own.service_account_info(), other.service_account_info()] == before
    for client in clients:
        client.create("x")
    assert len(files(own).json()["files"]) == 2


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_waits_is_reset(own, traffic, clock, share):
    """A request that waits is reset, applied or not, and leaves no trace."""
    own.latency, own.apply_share = 10.0, share
    writing = traffic.start(traffic.write)
    own.reset()
    with pytest.raises(requests.ConnectionError):
        writing.result(PATIENCE)
    clock.now = 10.0
    assert (own.under_way, own.ledger) == (0, [])
    assert files(own).json()["files"] == []


def test_a_late_request_does_not_come(own, traffic, clock):
    """A request that was to be applied after its connection was reset is not applied."""
    own.faults.add(Reset(late=5.0), count=1)
    with pytest.raises(requests.ConnectionError):
        traffic.write()
    own.wait_until_under_way()
    own.reset()
    clock.now = 5.0
    assert (own.under_way, own.ledger) == (0, [])


@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
def test_what_was_sent_before_is_of_before(own, kept):
    """A request that was sent before a reset is not applied after it, answered or not."""
    create = HEAD + b"Content-Length: 2\r\n\r\n{}"
    for _ in range(50):
        with connected(own) as connection:
            if kept:
                connection.sendall(create)
                assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
            connection.sendall(create)
            own.reset()
            assert own.ledger == []
    assert files(own).json()["files"] == []


def test_half_a_request_is_dropped(own, caplog):
    """A request that has come in half is dropped with its connection."""
    with connected(own) as connection:
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{")
        own.reset()
        assert connection.recv(1 << 16) == b""
    assert files(own).json()["files"] == []
    assert len(own.ledger) == 1
    assert caplog.records == []


def test_a_reset_amid_traffic(own, traffic):
    """Of requests that are sent all the time, none is answered from before after a reset."""
    ended = threading.Event()

    def hammer():
        while not ended.is_set():
            try:
                traffic.read()
            except requests.ConnectionError:
                continue

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    own.wait_for(lambda served: served.status == 200, count=20)
    own.reset()
    own.wait_for(lambda served: True, count=20)
    ended.set()
    for thread in threads:
        thread.join()
    assert {served.status for served in own.ledger} == {404}


def test_a_reset_while_it_is_stopped(clock):
    """An emulator that does not run can be reset too."""
    emulator = Emulator(monotonic=clock)
    with emulator:
        traffic = Traffic(emulator)
        traffic.close()
    emulator.reset()
    with emulator:
        assert files(emulator).json()["files"] == []


def test_no_reset_in_its_own_thread(own, traffic):
    """A reset from within a fault's match is refused, and the emulator goes on."""
    rule = own.faults.add(Status(503), match=lambda request: own.reset())
    answer = traffic.read()
    assert answer.status_code == 500
    assert "another one" in answer.json()["error"]["message"]
    own.faults.remove(rule)
    assert traffic.read().status_code == 200


def test_whether_it_runs():
    """An emulator tells whether it runs."""
    emulator = Emulator()
    seen = [emulator.is_running]
    with emulator:
        seen.append(emulator.is_running)
    assert [*seen, emulator.is_running] == [False, True, False]


def test_resets_beside_stops_and_starts():
    """Threads that reset, stop and start it at will wait for each other, and it goes on."""
    emulator, failures = Emulator(), []

    def often(act):
        try:
            for _ in range(20):
                act()
        except Exception as error:  # noqa: BLE001  - the test's thread tells of it
            failures.append(error)

    def restart():
        emulator.stop()
        emulator.start()

    emulator.start()
    threads = [
        threading.Thread(target=often, args=(act,), daemon=True)
        for act in (restart, emulator.reset, emulator.reset)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []
    assert files(emulator).json()["files"] == []
    emulator.stop()
