"""``queued-gspread dashboard``: a page that shows queues, and acts on them."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Final

from queued_gspread._install import how_to_install
from queued_gspread._secret_file import content_of
from queued_gspread._variables import ENV_PREFIX, warn_of_slips
from queued_gspread.broker.operators import Operator
from queued_gspread.broker.sandbox import check_server
from queued_gspread.errors import ConfigurationError
from queued_gspread.server.log import configure
from queued_gspread.settings import DEFAULT_NAMESPACE, DEFAULT_REDIS_URL, Settings
from queued_gspread.web.address import base_url, is_exposed, listening

from .acting import signing_option
from .options import Listed, Parser, namespaces
from .output import say, warn
from .secrets import hide

if TYPE_CHECKING:
    import argparse
    import socket
    from collections.abc import Callable

    from aiohttp import web

__all__ = ["ABOUT", "TOKEN", "add_options", "run", "token_of"]

ABOUT: Final = (
    "Show queues on a page for the browser: quota, expected waits, lanes, callers, failures, "
    "servers. Who has the token also pauses, resumes, drains, cancels, purges and dismisses there. "
    "It keeps nothing and needs no server: run it wherever it reaches the Redis, until SIGTERM or "
    "Ctrl-C."
)

TOKEN: Final = f"{ENV_PREFIX}DASHBOARD_TOKEN"
_PORT: Final = 8765
_SHORTEST: Final = 16
_REMEDY: Final = f"take {_SHORTEST} characters or more, such as `openssl rand -hex 24` writes"


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.section("queues")
    parser.option(
        "--redis-url",
        f"the Redis that holds the queues (default {DEFAULT_REDIS_URL})",
        metavar="URL",
    )
    parser.option(
        "--operator-redis-url",
        "the same Redis with the user that may act, where --redis-url has one that only observes",
        metavar="URL",
    )
    parser.option(
        "--namespace",
        "a queue within that Redis; repeat the option, or separate names with commas (default "
        f"'{DEFAULT_NAMESPACE}')",
        type=namespaces,
        action=Listed,
        default=[DEFAULT_NAMESPACE],
        metavar="NAME",
    )
    parser.section("address and rights")
    parser.listening_options(sees="sees the queues", like="proxy", port_number=_PORT)
    parser.option(
        "--dashboard-token-file",
        f"the file with the token of those who may act (or {TOKEN} has it); without, it only shows",
        metavar="FILE",
    )
    signing_option(parser)
    parser.version_option()
    parser.example("dashboard", "look at http://127.0.0.1:8765")
    parser.example("dashboard --namespace books,stock", "two queues")
    parser.example("dashboard --dashboard-token-file token", "act, too")


def run(options: argparse.Namespace) -> int:
    """Serve the page until SIGTERM or SIGINT; return the exit status.

    Raises:
        ConfigurationError: An address, a file or the token cannot be used, or the extra is missing.

    """
    warn_of_slips()
    secret = token_of(options.dashboard_token_file)
    make_app = _maker_of(options, secret)
    try:
        listener = listening(options.host, options.port)
    except OSError as error:
        place = f"port {options.port} of {options.host}"
        raise ConfigurationError(
            f"{place} cannot be used ({error.strerror}): name another one"
        ) from error
    configure("info", "text")
    asyncio.run(_serve(make_app, listener, options.host))
    return 0


def token_of(path: str | None) -> str:
    """Return the token that a file or the environment has, which it is taken out of; '' for none.

    Raises:
        ConfigurationError: It cannot be read, everyone may read it, or it is too short.

    """
    text = os.environ.pop(TOKEN, "").strip()
    hide(text)
    where = TOKEN
    if path is not None:
        where, text = path, _token_in(path)
    if path is None and not text:
        return ""
    if len(text) < _SHORTEST or not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigurationError(f"the token of {where} is too short, or no single word: {_REMEDY}")
    return text


def _token_in(path: str) -> str:
    content = content_of(path, path, "name another file", "token")
    # What is no text is refused with the tokens that are no single word.
    return content.decode(errors="replace").strip()


def _maker_of(options: argparse.Namespace, secret: str) -> Callable[[], web.Application]:
    """Return what makes the application.

    Raises:
        ConfigurationError: The extra is missing, or a URL or the signing key cannot be used.

    """
    try:
        from queued_gspread.dashboard import routes  # noqa: PLC0415 - an extra
    except ImportError as error:
        if error.name != "aiohttp":
            raise
        told = f"The dashboard needs aiohttp: {how_to_install('dashboard')}"
        raise ConfigurationError(told) from error
    from queued_gspread.dashboard.queues import Queue, Token  # noqa: PLC0415 - an extra
    from queued_gspread.dashboard.sampler import Sampler  # noqa: PLC0415 - an extra
    from queued_gspread.web.guard import Guard  # noqa: PLC0415 - an extra

    places = {name: _places(options, name) for name in options.namespace}
    guard = Guard(options.host, options.allow_host, "dashboard")

    def make() -> web.Application:
        queues = {name: Queue(look, act, Sampler(look)) for name, (look, act) in places.items()}
        return routes.Dashboard(queues, Token(secret), guard).app()

    return make


def _places(options: argparse.Namespace, namespace: str) -> tuple[Settings, Settings]:
    """Return where a queue is, for who looks and for who acts."""
    look = Settings.resolve(redis_url=options.redis_url, namespace=namespace)
    act = Settings.resolve(
        redis_url=options.operator_redis_url or options.redis_url,
        namespace=namespace,
        signing_key_file=options.signing_key_file,
    )
    for settings in (look, act):
        check_server(settings)
    Operator(act)
    return look, act


async def _serve(
    make_app: Callable[[], web.Application], listener: socket.socket, host: str
) -> None:
    from queued_gspread.dashboard.serving import serve  # noqa: PLC0415 - an extra

    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))

    def tell() -> None:
        say(f"the dashboard is at {base_url(host, listener)}")
        if is_exposed(listener):
            warn("Other machines may reach it: anybody who does sees the queues")

    await serve(make_app, listener, tell, stopping)
