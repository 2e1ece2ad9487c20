"""The fixtures beside what else tests do: other patches, frozen clocks, Redis that are ended."""

import sys

import pytest

pytest_plugins = ["pytester"]

WORK = """
import queued_gspread


def append(*_):
    sheet = queued_gspread.authorize().create("Orders").sheet1
    sheet.append_row([1])
    assert sheet.get_all_values() == [["1"]]
"""

ENVIRONMENT = """
import os

import pytest
from work import append

BEFORE = {name: text for name, text in os.environ.items() if "GSPREAD" in name}


@pytest.fixture(autouse=True)
def environment():
    yield
    assert {name: text for name, text in REAL.items() if "GSPREAD" in name} == BEFORE


REAL = os.environ


def test_what_the_test_sets(environment, monkeypatch, gspread_queue):
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPACE", "orders")
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", "redis://production:1")
    append()


def test_what_the_test_takes_back(environment, monkeypatch, gspread_queue):
    monkeypatch.undo()
    append()


def test_another_environment(environment, monkeypatch, gspread_queue):
    monkeypatch.setattr(os, "environ", {})
    append()
"""

CLOCKS = """
import datetime

import pytest
from work import append


class Frozen(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2020, 1, 1, tzinfo=tz)


@pytest.fixture
def frozen(monkeypatch):
    monkeypatch.setattr(datetime, "datetime", Frozen)


def test_a_clock_of_the_past(frozen, gspread_queue):
    assert gspread_queue.client(timeout=20).openall() == []
"""

ENDED = """
import pytest
import redis
from work import append

from queued_gspread.errors import BrokerUnavailableError


def test_a_redis_that_ends(gspread_queue):
    with redis.Redis.from_url(gspread_queue.redis_url) as raw:
        raw.shutdown(nosave=True)
    with pytest.raises(BrokerUnavailableError):
        gspread_queue.client(timeout=1).openall()


def test_the_test_after_that(gspread_queue):
    append()
"""


def run(pytester, **files):
    pytester.makepyfile(work=WORK, **files)
    return pytester.run(sys.executable, "-m", "pytest", "--tb=short", timeout=120)


def test_the_environment_is_restored(pytester, monkeypatch):
    """Whatever a test does to its environment, none of the fixtures' variables outlives it."""
    for name in ("REDIS_URL", "NAMESPACE", "SIGNING_KEY_FILE"):
        monkeypatch.delenv(f"QUEUED_GSPREAD_{name}", raising=False)
    run(pytester, test_environment=ENVIRONMENT).assert_outcomes(passed=3)


def test_a_clock_that_a_test_sets(pytester):
    """Where a test has set the time of day before the queue was made, its calls are made."""
    run(pytester, test_clocks=CLOCKS).assert_outcomes(passed=1)


def test_a_redis_that_a_test_ends(pytester):
    """A test that ends the fixture's Redis passes, and the next one gets another Redis."""
    run(pytester, test_ended=ENDED).assert_outcomes(passed=2)


@pytest.mark.parametrize("told", ["", "1", "[]", '[{"own": {"x": 1}, "others": []}, []]'])
def test_a_variable_that_says_nothing(pytester, monkeypatch, told):
    """A variable of the sandbox that nobody can read ends no import: it lets no call out."""
    monkeypatch.setenv("PYTEST_QUEUED_GSPREAD", told)
    code = "queued_gspread.authorize(redis_url='redis://127.0.0.1:1', grace=0.1).openall()"
    shown = pytester.run(sys.executable, "-c", f"import queued_gspread; {code}").stderr.str()
    assert ("is not this test's" if told else "cannot be used") in shown
