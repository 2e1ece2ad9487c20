"""What the URL of a Redis, of its Sentinels or of a Cluster says."""

from __future__ import annotations

import pytest
import redis

from queued_gspread.broker.address import CLUSTER, SENTINEL, SERVER, parse
from queued_gspread.errors import ConfigurationError
from queued_gspread.settings import hide_password

SECRETS = ("hunter2", "hunter3")


def test_one_server():
    """An ordinary URL is redis-py's own."""
    address = parse("redis://me:secret@host:6380/2?client_name=x")
    assert address.kind == SERVER
    assert address.guides == ()
    assert address.options == {
        "host": "host",
        "port": 6380,
        "db": 2,
        "client_name": "x",
        "username": "me",
        "password": "secret",
    }
    assert parse("unix:///run/redis.sock?db=1").options["path"] == "/run/redis.sock"


def test_sentinels():
    """A URL of Sentinels names all of them, the service, the database and two passwords."""
    address = parse(
        "redis+sentinel://me:p%40ss@one:1000,two,[::1]:3000/my%20redis/3"
        "?sentinel_username=guard&sentinel_password=hunter2&socket_keepalive=yes"
    )
    assert (address.kind, address.service) == (SENTINEL, "my redis")
    assert address.guides == (("one", 1000), ("two", 26379), ("::1", 3000))
    assert address.options == {
        "username": "me",
        "password": "p@ss",
        "db": 3,
        "socket_keepalive": True,
    }
    assert address.guide_options == {
        "username": "guard",
        "password": "hunter2",
        "socket_keepalive": True,
    }


def test_a_cluster():
    """A URL of a Cluster names some of its nodes, and what they have in common."""
    address = parse("redis+cluster://:secret@one:7000,two/")
    assert address.kind == CLUSTER
    assert address.guides == (("one", 7000), ("two", 6379))
    assert address.options == address.guide_options == {"password": "secret"}


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_tls_is_for_all_of_them(kind, tmp_path):
    """With rediss+…, those who are asked for the master are spoken to as the master is."""
    ca = tmp_path / "ca.pem"
    ca.touch()
    path = "/service" if kind == "sentinel" else ""
    address = parse(f"rediss+{kind}://:secret@one,two{path}?ssl_ca_certs={ca}")
    for options in (address.options, address.guide_options):
        assert options["connection_class"] is redis.SSLConnection
        assert options["ssl_ca_certs"] == str(ca)
        assert options["ssl_check_hostname"] is True


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis+sentinel://one,two", "lacks the name"),
        ("redis+sentinel://one,two/", "lacks the name"),
        ("redis+sentinel://one/service/x", "'x' is not a number"),
        ("redis+sentinel://one,,two/service", "host without a name"),
        ("redis+sentinel:///service", "host without a name"),
        ("redis+cluster://one:7000/1", "no database but 0"),
        ("redis+cluster://one:port", "cannot be used: take"),
        ("redis+other://one", "cannot be used: take"),
        ("unix+cluster://one", "cannot be used: take"),
        ("rediss://one?ssl_ca_certs=/nowhere", "ssl_ca_certs names '/nowhere'"),
    ],
)
def test_urls_that_name_nothing(url, told):
    """A URL that names nothing is refused with what is wrong and all forms that there are."""
    with pytest.raises(ConfigurationError) as error:
        parse(url)
    assert told in str(error.value)
    assert "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB" in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://me:{}@one:26379,two:26379/service/0?sentinel_password={}",
        "rediss+sentinel://:{}@one,two/service?sentinel_password={}&ssl_password={}",
        "redis+cluster://me:{}@one:7000,two:7001,[::1]:7002",
        "redis+cluster://one:7000,two:7001?password={}",
        "redis+other://:{}@one,two",
        "redis+sentinel://:{}@one,two",
    ],
)
def test_passwords_of_many_hosts_are_hidden(url):
    """A URL of several hosts shows its hosts, and no password, in errors and in repr."""
    filled = url
    for secret in SECRETS * 2:
        filled = filled.replace("{}", secret, 1)
    seen = [hide_password(filled)]
    try:
        seen.append(repr(parse(filled)))
    except ConfigurationError as error:
        seen.append(str(error))
    assert not [text for text in seen for secret in SECRETS if secret in text]
    assert "one" in seen[0]
