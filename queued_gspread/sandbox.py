"""Keeps tests to queues of their own: while a fixture is in use, no call reaches another one.

Pytest's fixtures begin a sandbox and end it. It holds for the whole process: for clients that were
made before, for threads and for forked children. Other child processes read it from an environment
variable when they import this module.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .identity import Identity
    from .settings import Settings

__all__ = [
    "VARIABLE",
    "Own",
    "Sandbox",
    "account_for_call",
    "add_temporary",
    "begun",
    "check_server",
    "drop_temporary",
    "settings_for_call",
]

VARIABLE: Final = "PYTEST_QUEUED_GSPREAD"


@dataclass(frozen=True)
class Own:
    """The queue that a fixture runs, in the words of :class:`queued_gspread.settings.Settings`."""

    redis_url: str
    namespace: str
    signing_key_file: str | None = None


@dataclass(frozen=True)
class Sandbox:
    """Which queues calls may reach, beside those in a temporary Redis of the test itself.

    Attributes:
        own: The fixture's queue: calls that are meant for any other one go there as well. None
            where there is none: such calls are refused.
        others: The URLs of further Redis that the test allows.

    """

    own: Own | None = None
    others: tuple[str, ...] = ()


_sandbox: Sandbox | None = None
# The addresses of the temporary Redis of this process, and of its parents.
_temporary: set[str] = set()


@contextlib.contextmanager
def begun(sandbox: Sandbox) -> Iterator[None]:
    """Let a sandbox hold in this process, and in those that it starts meanwhile."""
    global _sandbox  # noqa: PLW0603 - it holds for the whole process
    before, variable = _sandbox, os.environ.get(VARIABLE)
    _sandbox = sandbox
    _tell_children()
    try:
        yield
    finally:
        _sandbox = before
        os.environ.pop(VARIABLE, None)
        if variable is not None:
            os.environ[VARIABLE] = variable


def add_temporary(url: str) -> None:
    """Let calls reach a Redis that this process has started and that ends with it."""
    _temporary.update(_addresses(url))
    _tell_children()


def drop_temporary(url: str) -> None:
    """Take that back."""
    _temporary.difference_update(_addresses(url))
    _tell_children()


def settings_for_call(settings: Settings) -> Settings:
    """Return the settings of the queue that a client's call goes to: the same outside of tests.

    Raises:
        ConfigurationError: It is not the test's; the text says which fixture to use.

    """
    sandbox = _sandbox
    if sandbox is None or _is_allowed(sandbox, settings):
        return settings
    if sandbox.own is None:
        raise _refusal(settings)
    own = replace(settings, **asdict(sandbox.own))
    return settings if own == settings else own


def account_for_call(settings: Settings, identity: Identity) -> Identity:
    """Return whom a client's call is meant for: in a fixture's queue, for whichever account."""
    sandbox = _sandbox
    if sandbox is None or sandbox.own is None or _is_allowed(sandbox, settings):
        return identity
    return replace(identity, email=None, subject=None)


def check_server(settings: Settings) -> None:
    """Refuse to let a server, or a command, work on a queue that is not the test's.

    Raises:
        ConfigurationError: The text says which fixture to use.

    """
    sandbox = _sandbox
    if sandbox is None or _is_allowed(sandbox, settings):
        return
    own = sandbox.own
    if own is None or (own.redis_url, own.namespace) != (settings.redis_url, settings.namespace):
        raise _refusal(settings)


def _is_allowed(sandbox: Sandbox, settings: Settings) -> bool:
    url = settings.redis_url
    return url in sandbox.others or _addresses(url) <= _temporary


def _refusal(settings: Settings) -> ConfigurationError:
    return ConfigurationError(
        f"namespace {settings.namespace!r} at {settings.shown_url} is not this test's: while a "
        "fixture of queued_gspread is in use, no call reaches a queue that the test did not make. "
        "Let the test take the fixture gspread_queue, which runs a queue and has every call go "
        "there; or use a TemporaryRedis of the test's own; or override the fixture "
        "other_gspread_queues to return the URLs of Redis that may be reached"
    )


def _addresses(url: str) -> frozenset[str]:
    """Return the host and port of each Redis that a URL names, or its socket."""
    scheme, _, rest = url.partition("://")
    place = re.split("[?#]", rest, maxsplit=1)[0]
    if scheme == "unix":
        return frozenset({place.rpartition("@")[2]})
    return frozenset(place.partition("/")[0].rpartition("@")[2].split(","))


def _tell_children() -> None:
    if _sandbox is not None:
        os.environ[VARIABLE] = json.dumps([asdict(_sandbox), sorted(_temporary)])


def _read_parents() -> None:
    """Take over the sandbox of the process that started this one."""
    global _sandbox  # noqa: PLW0603 - the same
    told = os.environ.get(VARIABLE)
    if told is None:
        return
    sandbox, temporary = json.loads(told)
    own = sandbox["own"]
    _sandbox = Sandbox(own and Own(**own), tuple(sandbox["others"]))
    _temporary.update(temporary)


_read_parents()
