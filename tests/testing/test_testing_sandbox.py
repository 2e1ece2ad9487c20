"""No call of a test leaves for a queue that it did not make, in pytest runs as a user's are."""

import sys

import pytest

from queued_gspread.emulator import Emulator
from queued_gspread.server import Server

pytest_plugins = ["pytester"]

# How code under test comes to a queue: each appends a row to the first spreadsheet that it finds.
WAYS = """
import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import threading

import queued_gspread

URL = os.environ["QUEUED_GSPREAD_REDIS_URL"]
NAMESPACE = os.environ["QUEUED_GSPREAD_NAMESPACE"]
EARLY = queued_gspread.authorize()
EARLY_SERVER = multiprocessing.get_context("forkserver")

if multiprocessing.parent_process() is None:
    # Its children have the environment of this moment.
    early = EARLY_SERVER.Process(target=len, args=("",))
    early.start()
    early.join()


POOL = '''
import multiprocessing


def work():
    import ways

    ways.by_name()


if __name__ == "__main__":
    with multiprocessing.get_context("{}").Pool(1) as pool:
        pool.apply(work)
'''


def append(client):
    client.open("Orders").sheet1.append_row(["from the test"])


def by_default():
    append(queued_gspread.service_account("no-such-file.json"))


def by_name():
    append(queued_gspread.authorize(redis_url=URL, namespace=NAMESPACE))


def by_a_client_made_before():
    append(EARLY)


def in_a_thread():
    told = []

    def work():
        try:
            by_a_client_made_before()
        except Exception as error:
            told.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if told:
        raise told[0]


def in_a_fork():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply(by_a_client_made_before)


def in_a_process():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(by_default)


def in_a_process_of_an_early_server():
    with EARLY_SERVER.Pool(1) as pool:
        pool.apply(by_default)


def in_a_process_of_a_process():
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(in_a_fork).result()


def in_a_program():
    code = f"import ways; ways.append(ways.queued_gspread.authorize(redis_url={URL!r}))"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(child.stderr)


def in_a_pool_of_a_program(method):
    with open("program.py", "w") as file:
        file.write(POOL.format(method))
    child = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(child.stderr)


def in_a_fork_of_a_program():
    in_a_pool_of_a_program("fork")


def in_a_process_of_a_program():
    in_a_pool_of_a_program("spawn")


def without_an_environment(patched=os.environ):
    saved = dict(patched)
    patched.clear()
    try:
        append(queued_gspread.authorize(redis_url=URL, namespace=NAMESPACE))
    finally:
        patched.update(saved)


HERE = [by_default, by_name, by_a_client_made_before, in_a_thread, without_an_environment]
ELSEWHERE = [
    in_a_fork,
    in_a_process,
    in_a_process_of_an_early_server,
    in_a_process_of_a_process,
    in_a_program,
    in_a_fork_of_a_program,
    in_a_process_of_a_program,
]
"""

REFUSED = """
import subprocess
import sys

import pytest

import ways
from queued_gspread.server import Server

SHEET = ways.EARLY.open("Orders").sheet1


@pytest.mark.parametrize("fixture", ["sheets_emulator", "gspread_client", "emulated_google"])
@pytest.mark.parametrize("way", ways.HERE)
def test_a_way(way, fixture, request):
    request.getfixturevalue(fixture)
    with pytest.raises(ValueError, match="is not this test's.*fixture gspread_queue"):
        way()


@pytest.mark.parametrize("way", ways.ELSEWHERE)
def test_a_way_by_another_process(way, emulated_google):
    with pytest.raises(Exception, match="(?s)is not this test's.*fixture gspread_queue"):
        way()


def test_an_object_made_before(gspread_client):
    with pytest.raises(ValueError, match="is not this test's"):
        SHEET.append_row(["from the test"])


def test_a_server(gspread_client):
    with pytest.raises(ValueError, match="is not this test's"):
        Server(gspread_client)


def test_a_server_made_before(early_server, gspread_client):
    with pytest.raises(ValueError, match="is not this test's"):
        early_server.start()


@pytest.fixture(scope="module")
def early_server():
    import gspread

    return Server(gspread.Client(None, session=object()))


@pytest.mark.parametrize("command", ["server --service-account none.json", "stop"])
def test_a_command(command, emulated_google, tmp_path):
    emulated_google.write_service_account(tmp_path / "none.json")
    child = subprocess.run(
        [sys.executable, "-m", "queued_gspread", *command.split()],
        capture_output=True, text=True, cwd=tmp_path, timeout=60,
    )
    assert child.returncode != 0
    assert "is not this test's" in child.stderr
"""

OWN_QUEUE = """
import pytest

import ways


@pytest.mark.parametrize("way", ways.HERE + ways.ELSEWHERE)
def test_a_way(way, gspread_queue, gspread_client):
    sheet = gspread_client.create("Orders").sheet1
    way()
    assert sheet.get_all_values() == [["from the test"]]


def test_that_all_is_as_before():
    ways.by_default()
    ways.by_a_client_made_before()
    ways.in_a_process()
    ways.in_a_process_of_an_early_server()
"""

ALLOWED = """
import pytest

import queued_gspread
import ways
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.server import Server


@pytest.fixture(scope="module")
def early_redis():
    with TemporaryRedis() as redis:
        yield redis


def served(client, url, sheet):
    with Server(client, redis_url=url, namespace="mine"):
        ways.append(queued_gspread.authorize(redis_url=url, namespace="mine"))
        child = "redis_url=sys.argv[1], namespace='mine'"
        code = f"import sys, ways; ways.append(ways.queued_gspread.authorize({child}))"
        ways.subprocess.run([ways.sys.executable, "-c", code, url], check=True)
    assert sheet.get_all_values() == [["from the test"]] * 2


def test_a_redis_of_the_test(gspread_client):
    with TemporaryRedis() as redis:
        served(gspread_client, redis.url, gspread_client.create("Orders").sheet1)


def test_a_redis_with_a_socket(gspread_client):
    with TemporaryRedis(unix_socket=True) as redis:
        served(gspread_client, redis.url, gspread_client.create("Orders").sheet1)


def test_a_redis_that_was_there_before(early_redis, gspread_client):
    served(gspread_client, early_redis.url, gspread_client.create("Orders").sheet1)


def test_a_redis_beside_the_fixtures(early_redis, gspread_queue, gspread_client):
    served(gspread_client, early_redis.url, gspread_client.create("Orders").sheet1)


def test_a_redis_that_has_ended(gspread_client):
    with TemporaryRedis() as redis:
        url = redis.url
    with pytest.raises(ValueError, match="is not this test's"):
        queued_gspread.authorize(redis_url=url).open("x")


class TestAllowed:
    @pytest.fixture
    def other_gspread_queues(self):
        return [ways.URL]

    def test_one_that_is_named(self, emulated_google):
        ways.by_name()

    def test_one_that_is_not(self, emulated_google):
        with pytest.raises(ValueError, match="is not this test's"):
            ways.append(queued_gspread.authorize(redis_url="redis://localhost:1"))

    def test_one_beside_the_fixtures(self, gspread_queue, gspread_client):
        gspread_client.create("Films")
        ways.by_name()
        assert queued_gspread.authorize(redis_url="redis://localhost:1").open("Films")


@pytest.mark.parametrize("other_gspread_queues", ["redis://x", None, {1}])
def test_what_is_no_list(other_gspread_queues, gspread_client):
    pass
"""


@pytest.fixture
def real(redis_url, namespace, monkeypatch):
    """Return the emulator behind a queue that is no test's, where clients find it by default."""
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPACE", namespace)
    with Emulator() as emulator:
        client = emulator.gspread_client()
        client.create("Orders")
        with Server(client, redis_url=redis_url, namespace=namespace):
            emulator.clear_ledger()
            yield emulator


def run(pytester, **files):
    pytester.makepyfile(ways=WAYS, **files)
    # From Python 3.12 on, a fork beside threads is warned of.
    warnings = "filterwarnings=error\nignore:.*fork:DeprecationWarning"
    return pytester.run(sys.executable, "-m", "pytest", "-o", warnings, "--tb=short")


def test_no_call_reaches_a_real_queue(real, pytester):
    """Under each fixture, whatever way code takes to a queue that is no test's is refused."""
    run(pytester, test_refused=REFUSED).assert_outcomes(passed=27)
    assert [served.path for served in real.ledger if served.quota == "write"] == []


def test_calls_reach_the_queue_of_the_fixture(real, pytester):
    """Under gspread_queue all ways lead to the fixture's queue, and after it to the real one."""
    run(pytester, test_own_queue=OWN_QUEUE).assert_outcomes(passed=13)
    appends = [served for served in real.ledger if served.path.endswith(":append")]
    assert len(appends) == 4


def test_queues_that_a_test_may_use(real, pytester):
    """A test reaches a temporary Redis of its own, and those that it names, and no other."""
    run(pytester, test_allowed=ALLOWED).assert_outcomes(passed=8, errors=3)
    appends = [served for served in real.ledger if served.path.endswith(":append")]
    assert len(appends) == 2
