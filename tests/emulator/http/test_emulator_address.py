"""Where the emulator listens, and the URL that leads there."""

import socket

import pytest
import requests
from emulator_traffic import bearer
from waiting import PATIENCE

from queued_gspread.emulator import Emulator


def _has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not _has_ipv6(), reason="needs IPv6")


@pytest.mark.parametrize(
    ("host", "shown", "exposed"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("127.0.0.2", "127.0.0.2", False),
        ("localhost", "localhost", False),
        ("0.0.0.0", "127.0.0.1", True),
        ("", "127.0.0.1", True),
        pytest.param("::1", "[::1]", False, marks=IPV6),
        pytest.param("::", "[::1]", True, marks=IPV6),
    ],
)
def test_the_url_leads_to_the_host(host, shown, exposed):
    """The URL names a host that reaches the emulator from here, and so does the key file."""
    with Emulator(host) as emulator:
        assert emulator.url.rpartition(":")[0] == f"http://{shown}"
        assert emulator.service_account_info()["token_uri"] == f"{emulator.url}/token"
        url = f"{emulator.url}/drive/v3/files"
        assert requests.get(url, headers=bearer(emulator), timeout=PATIENCE).status_code == 200
        assert emulator.exposed is exposed


@IPV6
def test_all_addresses_are_those_of_both_kinds():
    """At `::` the emulator is reached by IPv4 too."""
    with Emulator("::") as emulator:
        url = emulator.url.replace("[::1]", "127.0.0.1")
        assert requests.get(f"{url}/v4/nothing", timeout=PATIENCE).status_code == 401


def test_it_is_not_exposed_by_default():
    """Unless it is told otherwise the emulator listens at the loopback address only."""
    with Emulator() as emulator:
        assert emulator._listener._socket.getsockname()[0] == "127.0.0.1"


@IPV6
def test_a_restart_keeps_the_address():
    """A stop and a start keep host and port."""
    emulator = Emulator("::1")
    with emulator:
        url = emulator.url
    with emulator:
        assert emulator.url == url
