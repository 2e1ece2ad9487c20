"""Redis URLs: for one server, the master of Sentinels, or a Cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError
from typing import Any, Final
from urllib.parse import unquote

from redis import SSLConnection
from redis.connection import parse_url

from queued_gspread.errors import ConfigurationError
from queued_gspread.settings import HIDDEN, has_stray_at, hide_password

__all__ = ["CLUSTER", "SENTINEL", "SERVER", "Address", "parse", "unusable"]

SERVER: Final = "server"
SENTINEL: Final = "sentinel"
CLUSTER: Final = "cluster"

_PORTS: Final = {SENTINEL: 26379, CLUSTER: 6379}
_FORMS: Final = (
    "redis://HOST:PORT/DB, rediss://HOST:PORT/DB, unix://PATH, "
    "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB or redis+cluster://HOST:PORT,HOST:PORT"
)
# The options that a URL may have, or that parsing adds. redis-py's other options are not strings,
# so they would fail later.
_OPTIONS: Final = (
    "db username password client_name lib_name lib_version "
    "protocol decode_responses encoding encoding_errors max_connections "
    "health_check_interval retry_on_timeout "
    "socket_timeout socket_connect_timeout socket_keepalive "
    "ssl_ca_certs ssl_ca_path ssl_certfile ssl_keyfile ssl_password "
    "ssl_cert_reqs ssl_check_hostname ssl_ciphers "
    "connection_class host port path"
)
_SCHEMES: Final = (
    "redis",
    "rediss",
    "unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
)
_HIGHEST_PORT: Final = 65_535
_NO_PORT: Final = f"its port is not one from 1 to {_HIGHEST_PORT}"
_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_OF_SENTINELS: Final = "sentinel_"
_OF_THE_NETWORK: Final = ("connection_class", "socket_", "ssl_")


@dataclass(frozen=True)
class Address:
    """Where a Redis is.

    Attributes:
        kind: :data:`SERVER`, :data:`SENTINEL` or :data:`CLUSTER`.
        options: redis-py's options for connections to the Redis, password included.
        guides: Hosts that know where the master is; none for a :data:`SERVER`.
        service: The name by which Sentinels know the Redis.
        guide_options: redis-py's options for connections to the guides.

    """

    kind: str
    options: dict[str, Any] = field(repr=False)
    guides: tuple[tuple[str, int], ...] = ()
    service: str = ""
    guide_options: dict[str, Any] = field(default_factory=dict, repr=False)


def parse(url: str) -> Address:
    """Return the address that a URL names.

    Raises:
        ConfigurationError: It cannot be used; the text shows the URL without its passwords.

    """
    try:
        _check_text(url)
        address = _parse(url)
        _check(address)
    except ConfigurationError as error:
        raise unusable(url, f": {error}") from None
    except (ValueError, TypeError):
        # Without the cause: it may quote the password.
        raise unusable(url) from None
    return address


def unusable(url: str, reason: str = "") -> ConfigurationError:
    """Return the error that lists the forms of URL that can be used."""
    shown = hide_password(url)
    which = "the Redis URL" if shown == HIDDEN else f"Redis URL {shown!r}"
    return ConfigurationError(
        f"{which} cannot be used{reason}: take {_FORMS}, with /, ?, #, & and @ in a password "
        "written as %2F, %3F, %23, %26 and %40"
    )


def _check_text(url: str) -> None:
    """Refuse text that parsers drop silently, or misread."""
    if url[:1] in ("'", '"'):
        raise ConfigurationError("it has quotation marks around it")
    if url.partition("://")[0] not in _SCHEMES:
        raise ConfigurationError(f"it must begin with one of {', '.join(_SCHEMES)}, and ://")
    if has_stray_at(url):
        raise ConfigurationError("a mark in its user or password is not escaped")
    if not url.isprintable():
        raise ConfigurationError("it has a character that cannot be printed, such as a line break")


def _parse(url: str) -> Address:
    scheme, _, rest = url.partition("://")
    plain, plus, kind = scheme.partition("+")
    if not plus:
        _check_place(plain, rest)
        return Address(SERVER, parse_url(url))
    place, mark, query = rest.partition("?")
    authority, _, path = place.partition("/")
    userinfo, at, names = authority.rpartition("@")
    service, database = _service_and_database(kind, path)
    each = [
        parse_url(f"{plain}://{userinfo}{at}{name}/{database}{mark}{query}")
        for name in names.split(",")
    ]
    guides = tuple(_host(options, _PORTS[kind]) for options in each)
    options = {name: each[0][name] for name in each[0] if name not in ("host", "port")}
    if kind == CLUSTER:
        return Address(CLUSTER, options, guides, guide_options=options)
    return Address(SENTINEL, *_of_redis_and_sentinels(options, guides, service))


def _service_and_database(kind: str, path: str) -> tuple[str, str]:
    if kind == CLUSTER:
        if path not in ("", "0"):
            raise ConfigurationError("a Cluster has no database but 0")
        return "", ""
    service, _, database = path.partition("/")
    if not service:
        raise ConfigurationError("it lacks the name by which the Sentinels know the Redis")
    if database and not database.isdecimal():
        raise ConfigurationError("its database is not a number")
    return unquote(service), database


def _check_place(scheme: str, rest: str) -> None:
    """Refuse parts that redis-py would drop silently, or refuse without a reason."""
    authority, _, path = re.split("[?#]", rest, maxsplit=1)[0].partition("/")
    hosts = authority.rpartition("@")[2]
    if scheme == "unix":
        if hosts:
            raise ConfigurationError("a socket's path begins with a third slash: unix:///PATH")
        return
    if "," in hosts:
        raise ConfigurationError("it names several hosts, as only Sentinels' or a Cluster's does")
    port = re.search(r":([^:\]]+)$", hosts)
    if port and not (port[1].isdecimal() and int(port[1]) <= _HIGHEST_PORT):
        raise ConfigurationError(_NO_PORT)
    if path.strip("/") and not path.strip("/").isdecimal():
        raise ConfigurationError("its database is not a number")


def _host(options: dict[str, Any], port: int) -> tuple[str, int]:
    if not options.get("host"):
        raise ConfigurationError("it has a host without a name")
    return options["host"], options.get("port", port)


def _of_redis_and_sentinels(
    options: dict[str, Any], guides: tuple[tuple[str, int], ...], service: str
) -> tuple[dict[str, Any], tuple[tuple[str, int], ...], str, dict[str, Any]]:
    """Split a URL's options: those of the network are for both, those of the user are not."""
    of_redis, of_sentinels = {}, {}
    for name, value in options.items():
        if name.startswith(_OF_SENTINELS):
            of_sentinels[name.removeprefix(_OF_SENTINELS)] = value
        else:
            of_redis[name] = value
    network = {name: of_redis[name] for name in of_redis if name.startswith(_OF_THE_NETWORK)}
    return of_redis, guides, service, {**network, **of_sentinels}


def _check(address: Address) -> None:
    """Refuse values that would fail only on connecting."""
    for options in (address.options, address.guide_options):
        if options.keys() - set(_OPTIONS.split()):
            raise ConfigurationError("it has an option that no URL of a Redis has")
        _check_tls(options)
    own = address.options
    for host, port in (*address.guides, (own.get("host", "localhost"), own.get("port", 1))):
        _check_host(host, int(port))
    if not own.get("path", "").isprintable():
        raise ConfigurationError("its path has a character that cannot be printed")


def _check_host(host: str, port: int) -> None:
    try:
        is_name = bool(host.encode("idna")) and host.isprintable() and " " not in host
    except UnicodeError:
        is_name = False
    if not is_name:
        raise ConfigurationError(
            "its host is not a name: a part is empty, too long or has odd marks"
        )
    if not 0 < port <= _HIGHEST_PORT:
        raise ConfigurationError(_NO_PORT)


def _check_tls(options: dict[str, Any]) -> None:
    """Turn certificate checks on, and require that the named files exist."""
    if "ssl_ciphers" in options:
        try:
            SSLContext(PROTOCOL_TLS_CLIENT).set_ciphers(options["ssl_ciphers"])
        except SSLError:
            raise ConfigurationError("ssl_ciphers names no cipher that can be used") from None
    for name in _FILES:
        if name in options and not Path(options[name]).is_file():
            raise ConfigurationError(f"{name} names {options[name]!r}, which is not a file")
    if options.get("connection_class") is SSLConnection:
        # Before version 6, redis-py accepts a certificate for any host.
        options.setdefault("ssl_check_hostname", options.get("ssl_cert_reqs") != "none")
