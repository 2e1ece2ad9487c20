"""Keeps tests to queues of their own: while a fixture is in use, no call reaches another one.

Pytest's fixtures begin a sandbox and end it. It holds for the whole process: for clients that were
made before, for threads and for forked children. A program that the test starts reads it from an
environment variable when it imports this module. A child process of :mod:`multiprocessing` may have
the environment of an earlier time, that of its fork server: it reads what a parent's process object
hands on to those of its children.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from queued_gspread.protocol.identity import Identity
    from queued_gspread.settings import Settings

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
_NOTHING: Final = ""


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
# Where children find them: a test may put another object in the place of os.environ.
_told: list[MutableMapping[str, str]] = []
# The parent of which both were taken over.
_adopted: Any = None


@contextlib.contextmanager
def begun(sandbox: Sandbox) -> Iterator[None]:
    """Let a sandbox hold in this process, and in those that it starts meanwhile."""
    before = _current()
    _set(sandbox)
    try:
        yield
    finally:
        _set(before)


def add_temporary(url: str) -> None:
    """Let calls reach a Redis that this process has started and that ends with it."""
    _temporary.update(_addresses(url))
    _tell_children(_current())


def drop_temporary(url: str) -> None:
    """Take that back."""
    _temporary.difference_update(_addresses(url))
    _tell_children(_current())


def settings_for_call(settings: Settings) -> Settings:
    """Return the settings of the queue that a client's call goes to: the same outside of tests.

    Raises:
        ConfigurationError: It is not the test's; the text says which fixture to use.

    """
    sandbox = _current()
    if sandbox is None or _is_allowed(sandbox, settings):
        return settings
    if sandbox.own is None:
        raise _refusal(settings)
    own = replace(settings, **asdict(sandbox.own))
    return settings if own == settings else own


def account_for_call(settings: Settings, identity: Identity) -> Identity:
    """Return whom a client's call is meant for: in a fixture's queue, for whichever account."""
    sandbox = _current()
    if sandbox is None or sandbox.own is None or _is_allowed(sandbox, settings):
        return identity
    return replace(identity, email=None, subject=None)


def check_server(settings: Settings) -> None:
    """Refuse to let a server, or a command, work on a queue that is not the test's.

    Raises:
        ConfigurationError: The text says which fixture to use.

    """
    sandbox = _current()
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


def _current() -> Sandbox | None:
    """Return what holds now; in a new process of multiprocessing, what its parent has handed on."""
    global _sandbox, _adopted  # noqa: PLW0603 - it holds for the whole process
    process: Any = sys.modules.get("multiprocessing.process")
    try:
        parent = process.parent_process()
    except (AttributeError, NameError):  # not imported, or only in part so far: not in a child
        return _sandbox
    if parent is not None and parent is not _adopted:
        _adopted = parent
        # Where no parent has said a word, a program further up may have the variable.
        _sandbox = _read(_handed_on(process).get(VARIABLE, os.environ.get(VARIABLE)))
    return _sandbox


def _set(sandbox: Sandbox | None) -> None:
    global _sandbox  # noqa: PLW0603 - the same
    _sandbox = sandbox
    if sandbox is not None:
        _tell_children(sandbox)
        return
    while _told:
        _told.pop().pop(VARIABLE, None)
    # Said rather than left out: a fork server may have the environment of a test.
    _handed_on(_process())[VARIABLE] = _NOTHING


def _tell_children(sandbox: Sandbox | None) -> None:
    if sandbox is None:
        return
    told = json.dumps([asdict(sandbox), sorted(_temporary)])
    os.environ[VARIABLE] = _handed_on(_process())[VARIABLE] = told
    if not any(place is os.environ for place in _told):
        _told.append(os.environ)


def _process() -> Any:
    from multiprocessing import process  # noqa: PLC0415 - for tests alone

    return process


def _handed_on(process: Any) -> Any:
    """Return what this process's object hands on to those of its children."""
    return getattr(process.current_process(), "_config", {})


def _read(told: str | None) -> Sandbox | None:
    """Take over what a parent has told: its temporary Redis, and the sandbox, which is returned."""
    if not told:
        return None
    try:
        sandbox, temporary = json.loads(told)
        own = sandbox["own"]
        read = Sandbox(own and Own(**own), tuple(sandbox["others"]))
    except (ValueError, TypeError, KeyError):
        # Of another version, or of somebody who set the variable by hand: nothing is reached.
        return Sandbox()
    _temporary.update(temporary)
    return read


_sandbox = _read(os.environ.get(VARIABLE))
