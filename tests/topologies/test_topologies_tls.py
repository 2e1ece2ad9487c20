"""A Redis behind TLS, with certificates of a CA that lives as long as the test run."""

from __future__ import annotations

import pytest
from throwaway_ca import Ca
from topologies import Encrypted, full_version, server_binaries, speaks_tls

from queued_gspread.broker import Consumer, Producer
from queued_gspread.errors import BrokerUnavailableError, ConfigurationError
from queued_gspread.settings import Settings

BINARIES = [binary for binary in server_binaries().values() if binary and speaks_tls(binary)]

pytestmark = pytest.mark.skipif(not BINARIES, reason="no Redis here was built with TLS")


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other_ca(tmp_path_factory):
    return Ca(tmp_path_factory.mktemp("other-ca"))


@pytest.fixture(scope="module", params=BINARIES, ids=full_version)
def encrypted(request, ca):
    """Return a Redis that speaks TLS and takes any client."""
    with Encrypted(request.param, ca.pair("server")) as redis:
        yield redis


@pytest.fixture(scope="module")
def strict(ca):
    """Return a Redis that wants to see certificates of its clients."""
    with Encrypted(BINARIES[0], ca.pair("strict"), clients="yes") as redis:
        yield redis


def alive(url, namespace):
    return Producer(Settings(redis_url=url, namespace=namespace)).alive()


def test_a_call_over_tls(encrypted, ca, namespace, start_server, client_of, tell):
    """A server process and a client work over TLS with the CA that the URL names."""
    url = encrypted.url(ssl_ca_certs=ca.file)
    start_server(url)
    spreadsheet = client_of(url).create("Book")
    assert spreadsheet.sheet1.append_row(["a"])["updates"]["updatedRows"] == 1
    tell(f"TLS on {encrypted.version}: a call was made")


def test_a_certificate_of_another_ca(encrypted, other_ca, namespace):
    """A certificate that nobody known has signed is an error that says what to name."""
    with pytest.raises(BrokerUnavailableError, match=r"(?i)certificate.*ssl_ca_certs=FILE") as told:
        alive(encrypted.url(ssl_ca_certs=other_ca.file), namespace)
    assert not told.value.may_have_run
    with pytest.raises(BrokerUnavailableError, match="ssl_ca_certs=FILE"):
        alive(encrypted.url(), namespace)


def test_a_certificate_of_another_host(ca, namespace):
    """A certificate of another host is refused, though a CA that is known has signed it."""
    with Encrypted(BINARIES[0], ca.pair("elsewhere", host="elsewhere.example")) as redis:
        with pytest.raises(BrokerUnavailableError, match=r"certificate .*must name the host"):
            alive(redis.url(ssl_ca_certs=ca.file), namespace)
        unchecked = redis.url(ssl_ca_certs=ca.file, ssl_check_hostname="false")
        assert alive(unchecked, namespace) is None
        assert alive(redis.url(ssl_cert_reqs="none"), namespace) is None


def test_a_client_shows_its_certificate(strict, ca, other_ca, namespace):
    """Where Redis wants to see certificates of its clients, the URL names one; others fail."""
    own = ca.pair("client")
    shown = {"ssl_ca_certs": ca.file, "ssl_certfile": own.certificate, "ssl_keyfile": own.key}
    assert alive(strict.url(**shown), namespace) is None
    stranger = other_ca.pair("client")
    wrong = {"ssl_certfile": stranger.certificate, "ssl_keyfile": stranger.key}
    for given in ({}, wrong):
        with pytest.raises(BrokerUnavailableError, match="ssl_certfile"):
            alive(strict.url(ssl_ca_certs=ca.file, **given), namespace)


def test_a_plain_url_of_a_redis_with_tls(encrypted, namespace):
    """A redis:// URL of a port that speaks TLS is an error that names the other scheme."""
    with pytest.raises(BrokerUnavailableError, match=r"speaks TLS \(take rediss://\)"):
        alive(f"redis://localhost:{encrypted.tls_port}/0", namespace)


def test_a_file_that_is_not_there(namespace, tmp_path):
    """A certificate's file that is not there is named before anything is sent."""
    for option in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
        url = f"rediss://localhost:1/0?{option}={tmp_path}/none.pem"
        with pytest.raises(ConfigurationError, match=rf"{option} names '.*none.pem'"):
            Consumer(Settings(redis_url=url, namespace=namespace)).check_redis()
