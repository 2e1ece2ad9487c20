"""Keeps tests to their own queues: while a fixture is in use, no call reaches another queue.

The pytest fixtures begin and end a sandbox. It holds for the whole process: for clients made
before, for threads and for forked children. A program that the test starts reads it from an
environment variable when it imports this module. A child process of :mod:`multiprocessing` may have
an older environment, that of its fork server: it reads the sandbox from what a parent's process
object hands on to its children's.
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
    """A fixture's queue, with the fields of :class:`queued_gspread.settings.Settings`."""

    redis_url: str
    namespace: str
    signing_key_file: str | None = None


@dataclass(frozen=True)
class Sandbox:
    """The queues that calls may reach, besides those in a temporary Redis of the test itself.

    Attributes:
        own: The fixture's queue: calls meant for any other queue go there too. If None, such calls
            are refused.
        others: The URLs of other Redis servers that the test allows.

    """

    own: Own | None = None
    others: tuple[str, ...] = ()


_sandbox: Sandbox | None = None
# The addresses of temporary Redis servers of this process and its parents.
_temporary: set[str] = set()
# The environments with the variable for children: a test may replace os.environ.
_environments: list[MutableMapping[str, str]] = []
# The parent from which the sandbox and the addresses were taken.
_adopted: Any = None


@contextlib.contextmanager
def begun(sandbox: Sandbox) -> Iterator[None]:
    """Apply a sandbox to this process, and to those that it starts meanwhile."""
    before = _current()
    _set(sandbox)
    try:
        yield
    finally:
        _set(before)


def add_temporary(url: str) -> None:
    """Let calls reach a Redis that this process started and that ends with it."""
    _temporary.update(_addresses(url))
    _tell_children(_current())


def drop_temporary(url: str) -> None:
    """Undo :func:`add_temporary`."""
    _temporary.difference_update(_addresses(url))
    _tell_children(_current())


def settings_for_call(settings: Settings) -> Settings:
    """Return the settings of the queue that a client's call goes to: unchanged outside of tests.

    Raises:
        ConfigurationError: The queue is not the test's; the text says which fixture to use.

    """
    sandbox = _current()
    if sandbox is None or _is_allowed(sandbox, settings):
        return settings
    if sandbox.own is None:
        raise _refusal(settings)
    own = replace(settings, **asdict(sandbox.own))
    return settings if own == settings else own


def account_for_call(settings: Settings, identity: Identity) -> Identity:
    """Return a client's account for a call: in a fixture's queue, any account will do."""
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
    """Return the sandbox; in a new process of multiprocessing, the one from its parent."""
    global _sandbox, _adopted  # noqa: PLW0603 - it holds for the whole process
    process: Any = sys.modules.get("multiprocessing.process")
    try:
        parent = process.parent_process()
    except (AttributeError, NameError):  # not imported, or only in part so far: not in a child
        return _sandbox
    if parent is not None and parent is not _adopted:
        _adopted = parent
        # If no parent handed one on, a program further up may have set the variable.
        _sandbox = _read(_handed_on(process).get(VARIABLE, os.environ.get(VARIABLE)))
    return _sandbox


def _set(sandbox: Sandbox | None) -> None:
    global _sandbox  # noqa: PLW0603 - the same
    _sandbox = sandbox
    if sandbox is not None:
        _tell_children(sandbox)
        return
    while _environments:
        _environments.pop().pop(VARIABLE, None)
    # Set, not deleted: a fork server may still have a test's environment.
    _handed_on(_process())[VARIABLE] = _NOTHING


def _tell_children(sandbox: Sandbox | None) -> None:
    if sandbox is None:
        return
    text = json.dumps([asdict(sandbox), sorted(_temporary)])
    os.environ[VARIABLE] = _handed_on(_process())[VARIABLE] = text
    if not any(environment is os.environ for environment in _environments):
        _environments.append(os.environ)


def _process() -> Any:
    from multiprocessing import process  # noqa: PLC0415 - for tests alone

    return process


def _handed_on(process: Any) -> Any:
    """Return the dict that this process's object hands on to its children's."""
    return getattr(process.current_process(), "_config", {})


def _read(text: str | None) -> Sandbox | None:
    """Return a parent's sandbox, and take over the addresses of its temporary Redis servers."""
    if not text:
        return None
    try:
        fields, temporary = json.loads(text)
        own = fields["own"]
        sandbox = Sandbox(own and Own(**own), tuple(fields["others"]))
    except (ValueError, TypeError, KeyError):
        # Another version's, or set by hand: allow no queue.
        return Sandbox()
    _temporary.update(temporary)
    return sandbox


_sandbox = _read(os.environ.get(VARIABLE))
