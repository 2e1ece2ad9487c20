"""The pytest plugin, in pytest runs of their own as a user's are."""

import importlib.metadata
import subprocess
import sys

import pytest

from queued_gspread import emulator
from queued_gspread._install import how_to_install

pytest_plugins = ["pytester"]

FIXTURES = """
import threading

import gspread
import pytest

from queued_gspread.emulator import Emulator, Quotas


def test_the_emulator_is_empty(sheets_emulator):
    assert isinstance(sheets_emulator, Emulator)
    assert sheets_emulator.is_running
    assert sheets_emulator.ledger == []
    assert sheets_emulator.quotas == Quotas()


def test_a_client(gspread_client, sheets_emulator, kept):
    assert type(gspread_client) is gspread.Client
    sheet = gspread_client.create("Orders").sheet1
    sheet.append_row([1001, 59.9])
    assert sheet.get_all_values() == [["1001", "59.9"]]
    assert all(served.applied for served in sheets_emulator.ledger)
    sheets_emulator.quotas = Quotas(writes=1)
    kept.append(sheets_emulator)


def test_the_next_test_sees_nothing_of_it(gspread_client, sheets_emulator, kept):
    assert sheets_emulator is kept[0]
    assert sheets_emulator.quotas == Quotas()
    assert gspread_client.list_spreadsheet_files() == []


def test_one_that_was_stopped(sheets_emulator):
    sheets_emulator.stop()


def test_the_test_after_that(gspread_client):
    gspread_client.create("x")


@pytest.fixture(scope="module")
def kept():
    return []
"""

SETTINGS = """
import pytest
from gspread.exceptions import APIError

from queued_gspread.emulator import Quotas


@pytest.fixture(scope="module")
def sheets_emulator_settings():
    return {"quotas": Quotas(writes=1, movement="sliding"), "seed": 1}


def test_of_the_module(sheets_emulator, gspread_client, ids):
    sheet = gspread_client.create("x").sheet1
    ids.append(sheet.spreadsheet_id)
    sheet.append_row([1])
    with pytest.raises(APIError, match="429"):
        sheet.append_row([2])


def test_of_the_module_again(sheets_emulator, gspread_client, ids):
    book = gspread_client.create("x")
    assert book.id == ids[0]
    book.sheet1.append_row([1])


class TestOfAClass:
    @pytest.fixture
    def sheets_emulator_settings(self, sheets_emulator_settings):
        return {**sheets_emulator_settings, "quotas": Quotas(reads=7)}

    def test_of_the_class(self, sheets_emulator):
        assert sheets_emulator.quotas == Quotas(reads=7)


@pytest.mark.parametrize("sheets_emulator_settings", [{"latency": 0.01}])
def test_of_its_own(sheets_emulator):
    assert sheets_emulator.latency == 0.01
    assert sheets_emulator.quotas == Quotas()


@pytest.fixture(scope="module")
def ids():
    return []
"""

SCRIPT = """
import os

import google.auth
import gspread
from google.oauth2.service_account import Credentials

SCOPES = gspread.auth.DEFAULT_SCOPES
INFO = {"client_email": "me@example.com", "private_key": "none", "token_uri": "https://x"}


def by_file():
    return gspread.service_account("no/such/file.json")


def by_default_file():
    return gspread.service_account()


def by_dict():
    return gspread.service_account_from_dict(INFO)


def by_credentials():
    found = Credentials.from_service_account_file("no.json", scopes=SCOPES, subject="b@example.com")
    return gspread.authorize(found)


def by_application_default():
    found, _ = google.auth.default(scopes=SCOPES)
    return gspread.authorize(found)


def by_key():
    return gspread.api_key("any")


WAYS = [by_file, by_default_file, by_dict, by_credentials, by_application_default, by_key]
"""

UNCHANGED = """
import os

import gspread
import pytest
import requests
from google.oauth2.service_account import Credentials
from requests.adapters import HTTPAdapter

import script
from queued_gspread.emulator.redirect import NotEmulatedError


def patched():
    names = "from_service_account_file", "from_service_account_info"
    found = [vars(Credentials)[name] for name in names]
    return [*found, HTTPAdapter.send, os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")]


BEFORE = patched()


@pytest.mark.parametrize("log_in", script.WAYS)
def test_a_way_to_log_in(log_in, emulated_google, gspread_client):
    made = gspread_client.create("Orders")
    log_in().open_by_key(made.id).sheet1.append_row(["x"])
    assert made.sheet1.get_all_values() == [["x"]]
    assert len(emulated_google.ledger) > 3


def test_another_account(emulated_google, tmp_path):
    other = emulated_google.add_account()
    other.write_service_account(tmp_path / "key.json")
    gspread.service_account(tmp_path / "key.json").list_spreadsheet_files()
    assert emulated_google.ledger[0].account == other.email


def test_scopes_are_kept(emulated_google):
    client = gspread.service_account(scopes=gspread.auth.READONLY_SCOPES)
    with pytest.raises(gspread.exceptions.APIError, match="403"):
        client.create("x")


@pytest.mark.parametrize("content", ["{}", "[]", "not JSON"])
def test_a_file_that_is_none(content, emulated_google, tmp_path):
    (tmp_path / "key.json").write_text(content, encoding="utf-8")
    gspread.service_account(tmp_path / "key.json").list_spreadsheet_files()


def test_another_host(emulated_google):
    with pytest.raises(NotEmulatedError, match="oauth2.googleapis.com/token is not asked"):
        requests.post("https://oauth2.googleapis.com/token", timeout=9)


def test_all_is_as_before(sheets_emulator):
    assert patched() == BEFORE
    with pytest.raises(FileNotFoundError):
        gspread.service_account("no/such/file.json")
"""

WITHOUT_EXTRA = """
import sys

sys.modules["aiohttp"] = None
"""


def run(pytester, *options, **files):
    pytester.makepyfile(**files)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-W", "error", *options]
    return pytester.run(*command)


def test_the_plugins_are_registered():
    """Pytest finds both plugins by the package's entry points."""
    found = importlib.metadata.entry_points(group="pytest11")
    assert {entry.name: entry.value for entry in found if "gspread" in entry.name} == {
        "queued_gspread_emulator": "queued_gspread.emulator.pytest_plugin",
        "queued_gspread_queue": "queued_gspread.testing.pytest_plugin",
    }


def test_fixtures(pytester):
    """A user's tests get an emulator and a client, and see nothing of each other."""
    run(pytester, test_fixtures=FIXTURES).assert_outcomes(passed=5)


def test_settings(pytester):
    """The emulator's arguments can be set for a module, a class and a test."""
    run(pytester, test_settings=SETTINGS).assert_outcomes(passed=4)


def test_an_unchanged_script(pytester):
    """A script reaches the emulator in whatever way it logs in, and all is restored after."""
    run(pytester, script=SCRIPT, test_unchanged=UNCHANGED).assert_outcomes(passed=13)


def test_without_the_extra(pytester):
    """Without the extra only tests that use a fixture fail, and say what to install."""
    tests = """
        import pytest

        @pytest.mark.parametrize("name", ["sheets_emulator", "gspread_client", "emulated_google"])
        def test_with(name, request):
            request.getfixturevalue(name)

        def test_without():
            pass
    """
    result = run(pytester, "--tb=short", conftest=WITHOUT_EXTRA, test_extra=tests)
    result.assert_outcomes(passed=1, failed=3)
    line = f"The emulator needs aiohttp: {how_to_install('emulator')}"
    assert result.outlines.count(line) == 3
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*queued_gspread/*")


@pytest.mark.parametrize("returned", ["None", "5", "[('latency', 1)]"])
def test_settings_that_are_none(returned, pytester):
    """What is no dict is told of the fixture that returned it, without a traceback."""
    tests = f"""
        import pytest

        @pytest.fixture
        def sheets_emulator_settings():
            return {returned}

        def test_with(gspread_client):
            pass
    """
    result = run(pytester, test_settings=tests)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["sheets_emulator_settings is *: let it return a dict of*"])
    result.stdout.no_fnmatch_line("*queued_gspread/*")


def test_fixtures_are_documented(pytester):
    """Pytest's list of fixtures has a line for each."""
    shown = pytester.run(sys.executable, "-m", "pytest", "--fixtures").stdout
    for name in (
        "sheets_emulator_settings",
        "sheets_emulator",
        "gspread_client",
        "gspread_sandbox",
    ):
        shown.fnmatch_lines([f"{name} -- *", "    Return *"])
    shown.fnmatch_lines(
        ["emulated_google -- *", "    Return *service_account() works with any file*"]
    )


def test_loading_them_costs_nothing():
    """Beyond the package itself, the plugins import themselves alone and no other library."""
    code = (
        "import sys, pytest, queued_gspread; before = set(sys.modules);"
        "import queued_gspread.emulator.pytest_plugin, queued_gspread.testing.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    packages = ["queued_gspread.emulator", "queued_gspread.testing"]
    assert found == sorted([*packages, *(f"{name}.pytest_plugin" for name in packages)])


def test_what_the_package_has():
    """The package lists what it imports only when asked, and has nothing else."""
    assert set(emulator.__all__) <= set(dir(emulator))
    assert [getattr(emulator, name).__name__ for name in emulator.__all__] == emulator.__all__
    with pytest.raises(AttributeError, match=r"'queued_gspread\.emulator' has no attribute 'Cell'"):
        _ = emulator.Cell
