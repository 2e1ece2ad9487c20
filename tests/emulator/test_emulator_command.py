"""The options of ``queued-gspread emulator`` that say how it treats its clients."""

import pytest
import requests
from emulator_traffic import Traffic
from gspread.exceptions import APIError

from queued_gspread.cli import emulator as command
from queued_gspread.cli.options import Parser
from queued_gspread.emulator import Emulator, Quotas

NUMBERS = ["reads_per_minute", "writes_per_minute", "quota_window", "latency", "append_race"]
NUMBERS += ["project_reads_per_minute", "project_writes_per_minute"]
WORDS = {"not_computed": "error", "quota_movement": "sliding"}
OPTIONS = [*((name, "7", 7) for name in NUMBERS), *((n, w, w) for n, w in WORDS.items())]


@pytest.fixture
def made(monkeypatch):
    """Return what the command makes of its arguments; instead of serving it only keeps it."""
    for name, _, _ in OPTIONS:
        monkeypatch.delenv(f"QUEUED_GSPREAD_{name.upper()}", raising=False)
    monkeypatch.setattr(Emulator, "serve_forever", lambda self, on_listening: kept.append(self))
    kept = []

    def make(*arguments):
        parser = Parser("emulator")
        command.add_options(parser)
        assert command.run(parser.parse_args(arguments)) == 0
        return kept[-1]

    return make


def test_nothing_is_limited_by_default(made):
    """Without options there are no quotas and no latency."""
    emulator = made()
    assert (emulator.quotas, emulator.latency, emulator.append_race) == (Quotas(), 0.0, 0.0)
    assert emulator.not_computed == "warn"


def test_options_reach_the_emulator(made):
    """Each option sets what it is for, and the emulator goes by it."""
    limits = ["--reads-per-minute", "1", "--writes-per-minute", "2", "--quota-window", "600"]
    limits += ["--not-computed", "error", "--quota-movement", "lenient"]
    limits += ["--project-reads-per-minute", "3", "--project-writes-per-minute", "4"]
    emulator = made(*limits, "--latency", "0.01", "--append-race", "0.02")
    projects = {"project_reads": 3, "project_writes": 4}
    assert emulator.quotas == Quotas(1, 2, window=600.0, movement="lenient", **projects)
    assert (emulator.latency, emulator.append_race) == (0.01, 0.02)
    assert emulator.not_computed == "error"


@pytest.mark.parametrize("movement", ["fixed", "staggered", "sliding"])
def test_a_quota_of_the_command_is_kept(made, movement):
    """However its minute moves, what is over the quota is refused."""
    limits = ["--writes-per-minute", "2", "--quota-window", "600"]
    with made(*limits, "--quota-movement", movement) as emulator:
        traffic = Traffic(emulator)
        assert [traffic.write().status_code for _ in range(3)] == [200, 200, 429]
        traffic.close()


def test_names_of_hosts_reach_the_emulator(made):
    """Names can be repeated, and have commas between them."""
    with made("--allow-host", "one", "--allow-host", "two, three") as emulator:
        for name in ("one", "two", "three", "four"):
            answer = requests.get(f"{emulator.url}/", headers={"Host": name}, timeout=30)
            assert answer.status_code == (403 if name == "four" else 200)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--allow-host", "http://emulator"),
        ("--allow-host", "emulator:8099"),
        ("--allow-host", "a,,b"),
        ("--reads-per-minute", "-1"),
        ("--reads-per-minute", "1.5"),
        ("--writes-per-minute", "many"),
        ("--quota-window", "0"),
        ("--latency", "-1"),
        ("--quota-movement", "rolling"),
        ("--append-race", "-1"),
    ],
)
def test_odd_values_are_refused(made, capsys, option, value):
    """What cannot be used ends the command with 2 and one line that names it."""
    with pytest.raises(SystemExit) as ended:
        made(f"{option}={value}")
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert value in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(("name", "text", "value"), OPTIONS)
def test_the_environment_sets_them_too(made, monkeypatch, name, text, value):
    """Each option is an environment variable as well."""
    monkeypatch.setenv(f"QUEUED_GSPREAD_{name.upper()}", text)
    parser = Parser("emulator")
    command.add_options(parser)
    assert vars(parser.parse_args([]))[name] == value


def test_what_is_there_from_the_start(made, tmp_path):
    """Named spreadsheets and shared drives are there, once, and accounts own no file."""
    arguments = ["--state", str(tmp_path / "state"), "--no-storage"]
    arguments += ["--share", "Orders", "--share", "Stock, old", "--shared-drive", "Team"]
    with made(*arguments) as emulator:
        first = emulator.spreadsheets
        assert list(first) == ["Orders", "Stock, old"]
        assert emulator.gspread_client().open("Stock, old").id == first["Stock, old"]
        drives = emulator.shared_drives
        assert list(drives) == ["Team"]
        with pytest.raises(APIError, match="storage quota"):
            emulator.gspread_client().create("x")
    with made(*arguments) as again:
        assert (again.spreadsheets, again.shared_drives) == (first, drives)


def test_accounts_that_lend(made, tmp_path):
    """Each further key file is that of an account of the same project."""
    paths = [tmp_path / name for name in ("a", "b", "c")]
    names = [f"--lender-out={path}" for path in paths[1:]]
    emulator = made(f"--service-account-out={paths[0]}", *names)
    assert [account.project for account in emulator.accounts] == [1, 1, 1]
