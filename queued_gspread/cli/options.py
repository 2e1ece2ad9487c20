"""Command-line options that can also be set by environment variables."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import gspread

from queued_gspread._variables import ENV_PREFIX
from queued_gspread._version import __version__
from queued_gspread.errors import ConfigurationError
from queued_gspread.settings import (
    DEFAULT_NAMESPACE,
    DEFAULT_REDIS_URL,
    check_namespace,
    checked_count,
    checked_flag,
    checked_message_bytes,
    checked_seconds,
    environment,
)

from .output import READER_GONE, OutputError, ReaderGoneError, say, warn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Listed",
    "Parser",
    "count",
    "file_name",
    "file_names",
    "flag_or_file",
    "host_names",
    "message_bytes",
    "namespace",
    "namespaces",
    "port",
    "positive_seconds",
    "seconds",
    "titles",
]

_LAST_PORT = 65535
_FILE = re.compile(r"[./\\]")


class Parser(argparse.ArgumentParser):
    """An argument parser that prints errors on one line and exits with 2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._section: argparse._ActionsContainer = self
        self._examples: list[tuple[str, str]] = []

    def error(self, message: str) -> NoReturn:
        """Print the line and exit."""
        message = message.replace("ignored explicit argument", "it takes no value, and was given")
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help, version or an error in the same way as all other output."""
        if file is not sys.stdout:
            warn(message.rstrip("\n"))
            return
        try:
            say(message, end="")
        except ReaderGoneError:
            self.exit(READER_GONE)
        except OutputError as error:
            self.exit(1, f"{self.prog}: {error}\n")

    def example(self, command: str, about: str) -> None:
        """Add a line to the examples at the end of the help."""
        self._examples.append((f"queued-gspread {command}", about))

    def format_help(self) -> str:
        """Return the help, with the examples as they are."""
        width = max((len(command) for command, _ in self._examples), default=0)
        lines = [f"  {command.ljust(width)}  {about}\n" for command, about in self._examples]
        return super().format_help() + "".join(["\nexamples:\n", *lines] if lines else [])

    def section(self, title: str) -> None:
        """Put the options that are added from now on under a title."""
        self._section = self.add_argument_group(title)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the options; refuse unknown ones and suggest the closest match."""
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.refuse(unknown)
        return options

    def refuse(self, unknown: list[str]) -> NoReturn:
        """Name the arguments that the command does not have, and exit."""
        message = f"unrecognized arguments: {' '.join(unknown)}"
        near = get_close_matches(unknown[0].partition("=")[0], self._option_string_actions, n=1)
        self.error(f"{message}: is {near[0]} meant?" if near else message)

    def option(
        self,
        name: str,
        help: str,  # noqa: A002 - argparse's name
        *,
        of_variable: Callable[[str], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add an option whose default is an environment variable.

        Args:
            name: The option.
            help: What it is for.
            of_variable: Returns the value of the variable, if that is not written as the option is.
            kwargs: As for argparse.

        """
        variable = name.lstrip("-").replace("-", "_").upper()
        text = environment(variable)
        if text is not None:
            written = {**kwargs, "type": of_variable} if of_variable else kwargs
            kwargs["default"] = self._converted(variable, text, written)
        self._section.add_argument(name, help=f"{help} [{ENV_PREFIX}{variable}]", **kwargs)
        self.epilog = "An option can also be set by the environment variable in brackets."

    def _converted(self, variable: str, text: str, kwargs: dict[str, Any]) -> Any:
        try:
            value = kwargs.get("type", str)(text)
        except argparse.ArgumentTypeError as error:
            self.error(f"{ENV_PREFIX}{variable}: {error}")
        choices = kwargs.get("choices", [value])
        if value not in choices:
            self.error(f"{ENV_PREFIX}{variable}={text!r} cannot be used: take {', '.join(choices)}")
        return value

    def flag(self, name: str, help: str) -> None:  # noqa: A002 - argparse's name
        """Add an option without a value, which an environment variable can set too."""
        variable = name.lstrip("-").replace("-", "_").upper()
        try:
            is_set = checked_flag(variable, environment(variable))
        except ConfigurationError as error:
            self.error(str(error))
        self._section.add_argument(
            name,
            action="store_true",
            default=is_set,
            help=f"{help} [{ENV_PREFIX}{variable}=yes]",
        )

    def queue_options(self) -> None:
        """Add the options that say where the queue is, and ``--version``."""
        self.option(
            "--redis-url",
            f"the Redis that holds the queue (default {DEFAULT_REDIS_URL})",
            metavar="URL",
        )
        self.option(
            "--namespace",
            "the queue within that Redis: one for each Google account (default '%(default)s')",
            type=namespace,
            default=DEFAULT_NAMESPACE,
            metavar="NAME",
        )
        self.version_option()

    def listening_options(self, *, sees: str, like: str, port_number: int) -> None:
        """Add the options of where a page is served.

        Args:
            sees: What whoever reaches the address can do.
            like: Whose name others may reach it by.
            port_number: The default port; 0 for a free one.

        """
        self.option(
            "--host",
            f"the address to listen on; anybody who can reach it {sees} (default %(default)s)",
            default="127.0.0.1",
            metavar="HOST",
        )
        self.option(
            "--allow-host",
            f"a host name by which others reach it, such as its {like}'s; repeat the option, or "
            "separate names with commas; * allows any name, which lets foreign web pages in",
            type=host_names,
            action=Listed,
            default=[],
            metavar="NAME",
        )
        self.option(
            "--port",
            "the port to listen on; 0 picks a free one (default %(default)s)",
            type=port,
            default=port_number,
            metavar="PORT",
        )

    def version_option(self) -> None:
        """Add ``--version``."""
        on = f"gspread {gspread.__version__}, Python {platform.python_version()}"
        self.add_argument(
            "--version",
            action="version",
            version=f"queued_gspread {__version__} ({on})",
            help="show the versions of this package, of gspread and of Python, and exit",
        )


class Listed(argparse.Action):
    """Joins the lists of a repeated option; the default is kept only without the option."""

    def __call__(self, _: object, namespace: Any, values: Any, *__: object) -> None:
        """Add the values of one more argument."""
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [*([] if before is self.default else before), *values])


def namespace(text: str) -> str:
    """Return a namespace."""
    try:
        return check_namespace(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def namespaces(text: str) -> list[str]:
    """Return the namespaces in a comma-separated list."""
    return [namespace(name.strip()) for name in text.split(",")]


def seconds(text: str) -> float:
    """Return a number of seconds, 0 or more."""
    return _seconds(text, zero=True)


def positive_seconds(text: str) -> float:
    """Return a number of seconds above 0."""
    return _seconds(text, zero=False)


def count(text: str) -> int:
    """Return a whole number, 0 or more."""
    try:
        return checked_count(text, repr(text))
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def message_bytes(text: str) -> int:
    """Return the size of the largest message."""
    try:
        return checked_message_bytes(text, repr(text))
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def port(text: str) -> int:
    """Return a TCP port."""
    if text.isdecimal() and int(text) <= _LAST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} cannot be used: take a port, 0 to {_LAST_PORT}")


def flag_or_file(text: str) -> bool | str:
    """Return whether a flag is set, or the file that it names instead."""
    try:
        return checked_flag("OAUTH", text)
    except ConfigurationError as error:
        # A slip in yes or no is no file's name.
        if _FILE.search(text):
            return text
        remedy = "take yes or no, or name a file with its folder or its suffix"
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used: {remedy}") from error


def titles(text: str) -> list[str]:
    """Return a title as a list of one: an option that is repeated joins them."""
    return [text]


def file_name(text: str) -> list[str]:
    """Return a file's name as a list of one: an option that is repeated joins them."""
    return [text]


def file_names(text: str) -> list[str]:
    """Return the files that a variable names, with this system's separator as in PATH."""
    return [name for name in text.split(os.pathsep) if name]


def host_names(text: str) -> list[str]:
    """Return the names in a comma-separated list of hosts."""
    names = [name.strip() for name in text.split(",")]
    if any(not name or set(name) & set("/: ") for name in names):
        remedy = "take names such as emulator, without http:// and without a port"
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used: {remedy}")
    return names


def _seconds(text: str, *, zero: bool) -> float:
    try:
        return checked_seconds(text, repr(text), zero=zero)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
