"""The address that a process listens on, and the URL that reaches it."""

from __future__ import annotations

import ipaddress
import socket

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  - for the URL only


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address or a name of this machine; 0 is a free port.

    Raises OSError if the host is not this machine's, or if the port is taken.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, *_, where = min(found, key=lambda each: each[0] != socket.AF_INET)
    both = where[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(where, family=family, dualstack_ipv6=both)


def base_url(host: str, listener: socket.socket) -> str:
    """Return the URL that reaches a listening socket; the loopback one if it listens on all."""
    where = listener.getsockname()
    shown = _EVERYWHERE.get(where[0], host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{where[1]}"


def is_exposed(listener: socket.socket) -> bool:
    """Whether other machines may reach a listening socket."""
    address = listener.getsockname()[0].partition("%")[0]
    return not ipaddress.ip_address(address).is_loopback
