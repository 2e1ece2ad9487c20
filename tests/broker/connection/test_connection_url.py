"""What the URL of a Redis, of its Sentinels or of a Cluster says."""

from __future__ import annotations

import socket
import traceback

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queued_gspread.broker import Producer
from queued_gspread.broker.connection.url import CLUSTER, SENTINEL, SERVER, parse
from queued_gspread.errors import BrokerUnavailableError, ConfigurationError
from queued_gspread.settings import Settings, hide_password

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
        (
            "redis+sentinel://one/service/x",
            "service/x' cannot be used: its database is not a number",
        ),
        ("redis+sentinel://one,,two/service", "host without a name"),
        ("redis+sentinel:///service", "host without a name"),
        ("redis+cluster://one:7000/1", "no database but 0"),
        ("redis+cluster://one:port", "cannot be used: take"),
        ("redis+other://one", "it must begin with one of redis, rediss, unix"),
        ("unix+cluster://one", "it must begin with one of redis, rediss, unix"),
        ("http://one:6379", "it must begin with one of redis, rediss, unix"),
        ("localhost:6379", "it must begin with one of redis, rediss, unix"),
        ("'redis://one'", "it has quotation marks around it"),
        ("redis://me:a/b@one", "a mark in its user or password is not escaped"),
        ("unix://run/redis.sock", "begins with a third slash: unix:///PATH"),
        ("redis://one:6379,two:6379/0", "it names several hosts"),
        ("redis://one:port/0", "its port is not one from 1 to 65535"),
        ("redis://one:65536/0", "its port is not one from 1 to 65535"),
        ("redis://one/-1", "its database is not a number"),
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


SECRET = "hunter2"
MARKS = [*"/?#@:&=%;,[]. '+~\n\r\t\0\x7f\x85é\u2028\ud800", "%00", "%40", "://", "1"]
ODD = st.lists(st.sampled_from(MARKS), max_size=6).map("".join)
HOSTS = ["one", "one:7000", "a..b", ".", "a" * 64, "[::1]", "[::1", "x%00y", "é" * 70, "::", "h:"]
PORTS = ["", ":6379", ":0", ":65536", ":port", ":-1", ":6e3"]
PATHS = ["", "/", "/0", "/service", "/service/1", "/service/x", "/%00", "/run/redis.sock"]
QUERIES = [
    *("", "?", "?db=1", "?db=x", "?db", "?nonsense=1", "?ssl_cert_reqs=x", "?port=x", "?host=a..b"),
    *(
        "?redis_connect_func=x",
        "?retry_on_error=x",
        "?encoding=x",
        "?ssl_ciphers=x",
        "?ssl_min_version=x",
    ),
    *(
        "?health_check_interval=9e9",
        "?credential_provider=x",
        "?connection_class=x",
        "?parser_class=x",
    ),
]
SCHEMES = [
    "redis",
    "rediss",
    "unix",
    "redis+sentinel",
    "redis+cluster",
    "rediss+sentinel",
    "http",
    "",
]
# A password may stand before the host or among the options, between whatever was not escaped.
PASSWORDS = st.builds("{}{}{}".format, ODD, st.just(SECRET), ODD)
USERINFOS = st.builds("{}:{}@".format, st.sampled_from(["", "me"]), PASSWORDS)
SECRET_OPTIONS = st.builds(
    "?{}={}".format, st.sampled_from(["password", "sentinel_password"]), PASSWORDS
)
URLS = st.builds(
    "{}{}{}{}{}{}{}".format,
    st.sampled_from(SCHEMES),
    st.sampled_from(["://", "://", ":/", ":", ""]),
    st.one_of(st.just(""), USERINFOS),
    st.one_of(st.lists(st.sampled_from(HOSTS), max_size=3).map(",".join), ODD),
    st.sampled_from(PORTS),
    st.sampled_from(PATHS),
    st.one_of(st.sampled_from(QUERIES), SECRET_OPTIONS, ODD),
)


@pytest.fixture
def nobody(new_connections, monkeypatch):
    """Let no name be known, after Python's own checks of it; remember no connection."""

    def look_up(host, port, *_):
        host.encode("idna")
        if "\0" in host:
            raise ValueError("embedded null character")
        raise socket.gaierror(f"{host}:{port} is not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@given(url=URLS)
@settings(max_examples=400, deadline=None, suppress_health_check=[*HealthCheck])
def test_a_broken_url_is_a_mistake_in_the_configuration(nobody, url):
    """A broken URL is refused, one that is whole leads to nobody; neither shows its password."""
    with pytest.raises((ConfigurationError, BrokerUnavailableError)) as caught:
        Producer(Settings(redis_url=url)).alive()
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told + repr(caught.value) + str(vars(caught.value)) + hide_password(url)
    assert all(sign == "\n" or sign.isprintable() for sign in str(caught.value))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "redis://a..b",
            "redis://a%2e%2eb",
            "redis://" + "a" * 64,
            "redis://a%00b",
            "redis://a b",
        ),
        *("redis+sentinel://one,a..b/service", "redis+cluster://one,a..b", "redis://one/zero"),
        *("redis://one:0x1", "redis://one:65536", "redis://o\nne"),
        *(
            "redis://one?nonsense=1",
            "redis://one?retry_on_error=x",
            "redis://one?ssl_min_version=x",
        ),
        *("rediss://one?ssl_ciphers=none", "unix:///run/%00", "redis://:pass/word@one"),
    ],
)
def test_a_url_that_fails_late_is_refused_at_once(nobody, url):
    """What would fail only when a connection is made is refused when the client is made."""
    with pytest.raises(ConfigurationError, match=r"Redis URL .*cannot be used"):
        Producer(Settings(redis_url=url))


@pytest.mark.parametrize(
    "url",
    [
        "me:{}@one:6379/0",
        ":{}@one:6379",
        "redis:/u:{}@one",
        "redis:u:{}@one",
        "{}",
        "redis://{}@one",
    ],
)
@pytest.mark.parametrize("password", [SECRET, f"a@{SECRET}@b", f"a {SECRET} b", f"%2F{SECRET}"])
def test_what_is_no_url_is_not_shown(url, password):
    """A password is hidden in what only resembles a URL, and where it stands without a name."""
    assert SECRET not in hide_password(url.format(password))


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:pass/{SECRET}",
        f"redis://me:pass/{SECRET}/0",
        f"redis://me:pass?db={SECRET}",
        f"redis+sentinel://:pass/service/{SECRET}",
    ],
)
def test_what_stands_behind_no_host_is_not_shown(url):
    """Where the host was forgotten, a password with a mark in it is no path, and no options."""
    with pytest.raises(ConfigurationError) as caught:
        parse(url)
    assert SECRET not in hide_password(url) + str(caught.value)
