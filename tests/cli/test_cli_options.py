"""The commands' options: each has its environment variable, and reaches what it is for."""

from __future__ import annotations

import argparse
import os

import pytest

from queued_gspread import cli
from queued_gspread.cli import check, dashboard, demo, emulator, health, server, status, stop
from queued_gspread.cli.options import Parser

COMMANDS = {"check": check, "server": server, "stop": stop, "emulator": emulator, "demo": demo}
COMMANDS |= {"dashboard": dashboard, "health": health, "status": status}

# One value for every option, other than its default, and what the command sees of it.
VALUES = {
    "redis_url": ("redis://elsewhere:1/2", "redis://elsewhere:1/2"),
    "namespace": ("other", "other"),
    "credentials": ("/a/file.json", "/a/file.json"),
    "subject": ("ann@b.c", "ann@b.c"),
    "impersonate": ("bot@b.c", "bot@b.c"),
    "scopes": ("drive.file", "drive.file"),
    "service_account": ("/a/file.json", ["/a/file.json"]),
    "oauth": ("yes", True),
    "adc": ("1", True),
    "api_key": ("a key", "a key"),
    "api_endpoint": ("http://here:1", "http://here:1"),
    "interval": ("1.5", 1.5),
    "reads_per_minute": ("7", 7),
    "writes_per_minute": ("8", 8),
    "project_reads_per_minute": ("9", 9),
    "project_writes_per_minute": ("250", 250),
    "quota_window": ("6.5", 6.5),
    "latency": ("0.5", 0.5),
    "append_race": ("0.25", 0.25),
    "not_computed": ("error", "error"),
    "quota_movement": ("sliding", "sliding"),
    "retry_for": ("12", 12.0),
    "request_timeout": ("13", 13.0),
    "late_write_guard": ("14", 14.0),
    "refresh_every": ("15", 15.0),
    "no_fair": ("yes", True),
    "no_merge": ("yes", True),
    "linger": ("0.25", 0.25),
    "durability": ("replicated", "replicated"),
    "replace_account": ("a@b", "a@b"),
    "shutdown_timeout": ("2.5", 2.5),
    "lease": ("3.5", 3.5),
    "max_queue": ("16", 16),
    "max_keys": ("31", 31),
    "max_key_bytes": ("32", 32),
    "max_message_bytes": ("17", 17),
    "max_memory_bytes": ("18", 18),
    "cache_bytes": ("33", 33),
    "signing_key_file": ("/a/key", "/a/key"),
    "log_level": ("debug", "debug"),
    "log_format": ("json", "json"),
    "metrics_port": ("1234", 1234),
    "metrics_host": ("::1", "::1"),
    "stop_timeout": ("4.5", 4.5),
    "host": ("::1", "::1"),
    "allow_host": ("one, two", ["one", "two"]),
    "port": ("1234", 1234),
    "spreadsheet": ("Orders", "Orders"),
    "operator_redis_url": ("redis://there:1/2", "redis://there:1/2"),
    "dashboard_token_file": ("/a/token", "/a/token"),
    "json": ("yes", True),
    "watch": ("yes", True),
    "max_call_age": ("300", 300.0),
    "health_timeout": ("2.5", 2.5),
    "share": ("Orders, old", ["Orders, old"]),
    "shared_drive": ("Team", ["Team"]),
    "no_storage": ("yes", True),
    "state": ("/a/state.json", "/a/state.json"),
    "lender_out": ("/a/lender.json", ["/a/lender.json"]),
    "service_account_out": ("/another/file.json", "/another/file.json"),
}


# Of those of which the same option is something else to another command.
SEEN = {("dashboard", "namespace"): ["other"]}


def seen_by(command, option):
    """Return what a command sees of an option's value."""
    return SEEN.get((command, option), VALUES[option][1])


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch):
    for name in VALUES:
        monkeypatch.delenv(f"QUEUED_GSPREAD_{name.upper()}", raising=False)


def parser_of(module):
    parser = Parser("test")
    module.add_options(parser)
    return parser


def options_of(module):
    return [
        action.dest
        for action in parser_of(module)._actions
        if not isinstance(action, (argparse._HelpAction, argparse._VersionAction))
    ]


EVERY = [(name, option) for name, module in COMMANDS.items() for option in options_of(module)]


@pytest.mark.parametrize(("command", "option"), EVERY)
def test_every_option_has_its_environment_variable(command, option, monkeypatch):
    """An environment variable sets an option, and an argument goes before it."""
    text, seen = VALUES[option][0], seen_by(command, option)
    module = COMMANDS[command]
    assert getattr(parser_of(module).parse_args([]), option) != seen
    variable = f"QUEUED_GSPREAD_{option.upper()}"
    monkeypatch.setenv(variable, text)
    assert getattr(parser_of(module).parse_args([]), option) == seen
    assert variable in parser_of(module).format_help()


@pytest.mark.parametrize(
    ("command", "option"), [pair for pair in EVERY if VALUES[pair[1]][1] is not True]
)
def test_an_argument_goes_before_the_environment(command, option, monkeypatch):
    """What is given on the command line counts, whatever the environment says."""
    text, seen = VALUES[option][0], seen_by(command, option)
    others = {"namespace": "x", "log_level": "error", "log_format": "text", "durability": "local"}
    others |= {"not_computed": "warn", "quota_movement": "fixed"}
    monkeypatch.setenv(f"QUEUED_GSPREAD_{option.upper()}", others.get(option, "9"))
    name = "--" + option.replace("_", "-")
    options = parser_of(COMMANDS[command]).parse_args([name, text])
    assert getattr(options, option) == seen


@pytest.mark.parametrize(
    ("text", "seen"), [("yes", True), ("ON", True), ("no", False), ("0", False), ("", False)]
)
def test_flags_of_the_environment(text, seen, monkeypatch):
    """A flag is set by yes, true, on or 1, and an empty variable counts as not set."""
    monkeypatch.setenv("QUEUED_GSPREAD_OAUTH", text)
    assert parser_of(server).parse_args([]).oauth is seen


@pytest.mark.parametrize("command", ["server", "check"])
def test_several_service_accounts(command, monkeypatch):
    """The option is repeated; the variable names several as PATH does; the option goes before."""
    monkeypatch.setenv("QUEUED_GSPREAD_SERVICE_ACCOUNT", os.pathsep.join(["a.json", "", "b.json"]))
    parser = parser_of(COMMANDS[command])
    assert parser.parse_args([]).service_account == ["a.json", "b.json"]
    given = ["--service-account", f"c{os.pathsep}.json", "--service-account", "d.json"]
    assert parser.parse_args(given).service_account == [f"c{os.pathsep}.json", "d.json"]
    assert parser.parse_args([]).service_account == ["a.json", "b.json"]


def test_every_option_reaches_the_server(monkeypatch):
    """The server's command hands every option to the Server under the same name."""
    made = {}

    class StoppedError(Exception):
        pass

    def make(**options):
        made.update(options)
        raise StoppedError

    monkeypatch.setattr(server, "Server", make)
    monkeypatch.setattr(server, "configure", lambda *given: made.update(log=given))
    names = options_of(server)
    for name in names:
        monkeypatch.setenv(f"QUEUED_GSPREAD_{name.upper()}", VALUES[name][0])
    with pytest.raises(StoppedError):
        cli.server_main([])
    assert made.pop("log") == ("debug", "json")
    names = {name for name in names if not name.startswith(("log_", "metrics_"))}
    assert made == {name: VALUES[name][1] for name in names}


def test_a_password_in_the_environment_is_not_in_the_help(monkeypatch):
    """The help does not show what the environment holds of a Redis URL or an API key."""
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", "redis://:hunter2@localhost")
    monkeypatch.setenv("QUEUED_GSPREAD_API_KEY", "hunter2")
    assert "hunter2" not in parser_of(server).format_help()


@pytest.mark.parametrize("main", [cli.main, cli.server_main])
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version(main, option, capsys):
    """Help and version go to standard output, with status 0."""
    arguments = ["server", option] if main is cli.main else [option]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    seen = capsys.readouterr()
    assert seen.out
    assert not seen.err
