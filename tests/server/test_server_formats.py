"""Two versions of the package whose queues have other formats, as real processes on one Redis.

The other version is a copy of the package with the next number, on the path of its processes: a
wheel of it would hold the same files, and take a build.
"""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import pytest
from calls import WORKSHEET
from processes import ServerProcess, run, start_python
from waiting import PATIENCE

import queued_gspread
from queued_gspread.broker import FORMAT
from queued_gspread.errors import VersionMismatchError
from queued_gspread.protocol.messages import Job, new_id

PACKAGE = Path(queued_gspread.__file__).parent
NEXT = FORMAT + 1
# Stands in for what the first call of a script does.
OPENS = """
import queued_gspread
sheet = queued_gspread.authorize().open({title!r}).sheet1
{then}
"""
APPENDS = "for number in range({count}):\n    sheet.append_row([{name!r}, number])"


@pytest.fixture(scope="session")
def next_version(tmp_path_factory):
    """Return what has a process import a version of this package with the next format."""
    folder = tmp_path_factory.mktemp("next")
    copy = shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("*.pyc"))
    for name, old, new in (
        ("broker/keys.py", f"FORMAT: Final = {FORMAT}", f"FORMAT: Final = {NEXT}"),
        ("_version.py", queued_gspread.__version__, "9.9.9"),
    ):
        text = (copy / name).read_text()
        assert text.count(old) == 1
        (copy / name).write_text(text.replace(old, new))
    return f"import sys; sys.path.insert(0, {str(folder)!r})"


@pytest.fixture
def start(redis_url, namespace, key_file, emulator, tmp_path):
    """Return what starts a server process on the emulator."""
    started = []

    def start(*options, patch=""):
        log = tmp_path / f"server-{len(started)}.log"
        where = ["--redis-url", redis_url, "--namespace", namespace, "--lease", 1]
        account = ["--service-account", key_file, "--api-endpoint", emulator.url]
        process = ServerProcess(log, *where, *account, *options, patch=patch, fresh=bool(patch))
        started.append(process)
        return process.until_log("working as")

    yield start
    for process in started:
        process.end()


@pytest.fixture
def script(redis_url, namespace):
    """Return what starts a client's script in a process of its own."""
    started = []

    def run(title, then="", patch=""):
        code = f"{patch}\n{OPENS.format(title=title, then=then)}"
        where = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": "10"}
        process = start_python(code, fresh=bool(patch), **where)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def book(emulator, namespace):
    """Return a spreadsheet that is there already."""
    return emulator.gspread_client().create(f"Book of {namespace}")


def ended(process):
    """Return the exit status of a script, and the last line of what it told on standard error."""
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors.strip().rpartition("\n")[2]


def test_two_formats_are_worked_off_side_by_side(start, script, next_version, book):
    """Clients of two versions are each served by a server of theirs, and no call is lost."""
    other = book.add_worksheet("other", 10, 2)
    old = start()
    new = start(patch=next_version)
    new.until_log(f"works for queue format {FORMAT}")
    old.until_log(f"queued_gspread 9.9.9) works for queue format {NEXT}")
    of_old = script(book.title, APPENDS.format(count=5, name="old"))
    # Of one sheet, appends that two servers send at a time would overwrite each other.
    to_other = "sheet = sheet.spreadsheet.worksheet('other')\n"
    appends = to_other + APPENDS.format(count=5, name="new")
    of_new = script(book.title, appends, next_version)
    assert ended(of_old) == ended(of_new) == (0, "")
    assert book.sheet1.get_all_values() == [["old", str(number)] for number in range(5)]
    assert other.get_all_values() == [["new", str(number)] for number in range(5)]
    # Whoever still waits for the old one is told to go on with the new version.
    old.signal(signal.SIGTERM)
    assert old.exit_status() == 0
    new.until_log(f"nothing of queue format {FORMAT} is left here")


def test_a_new_client_meets_an_old_server(start, script, next_version, book):
    """It is told which formats meet and that the server is to be upgraded first."""
    start()
    status, told = ended(script(book.title, patch=next_version))
    assert status == 1
    assert "VersionMismatchError" in told
    assert f"queue format {NEXT}, which this client (queued_gspread 9.9.9) writes" in told
    assert f"queued_gspread {queued_gspread.__version__}) with queue format {FORMAT}" in told
    assert "Upgrade the server first" in told


def test_an_old_client_meets_a_new_server(start, next_version, authorize):
    """It is told which formats meet and that it is to be upgraded itself."""
    start(patch=next_version)
    with pytest.raises(VersionMismatchError, match="Upgrade this client") as told:
        authorize().open("Book")
    assert f"queued_gspread 9.9.9) with queue format {NEXT}" in str(told.value)


def test_the_command_that_stops_a_server_names_one_of_another_format(
    start, next_version, redis_url, namespace
):
    """It stops no server of another version, and says that it is there."""
    other = start(patch=next_version)
    done = run("stop", REDIS_URL=redis_url, NAMESPACE=namespace)
    assert done.returncode == 1
    assert f"with queue format {NEXT} works there" in done.stderr
    assert other.process.poll() is None


def test_calls_of_a_client_without_formats_are_named(start, raw, namespace):
    """What a client of the first format puts in is named in the log, as is its end."""
    shared = f"queued-gspread:{{{namespace}}}:"
    server = start()
    job = Job("worksheet", "get", WORKSHEET, versions=("0.0.7", "6.2.1"), caller=("web-1", 4711))
    place = raw.xadd(f"{shared}lane:book", {"id": new_id(), "body": job.encode()})
    raw.sadd(f"{shared}active", "book")
    raw.incr(f"{shared}depth")
    server.until_log("calls wait here in queue format 1 ")
    assert re.search("wait: 1, one from web-1:4711, queued_gspread 0.0.7", server.log)
    assert raw.xrange(f"{shared}lane:book", place, place)
    raw.delete(f"{shared}depth")
    server.until_log("nothing of queue format 1 is left here")


def test_the_servers_of_two_formats_share_the_quota(start, script, next_version, book, authorize):
    """What both send in a window is no more than the account's quota."""
    limits = ["--reads-per-minute", 0, "--writes-per-minute", 4, "--no-merge"]
    start(*limits)
    start(*limits, patch=next_version)
    sheet = authorize().open(book.title).sheet1
    for number in range(3):
        sheet.update([[number]], "A1")
    then = "sheet.update([[1]], 'B1')\nprint('first', flush=True)\nsheet.update([[2]], 'B1')"
    process = script(book.title, then, next_version)
    assert process.stdout.readline() == "first\n"
    queue = authorize(timeout=2.0).open(book.title).sheet1
    with pytest.raises(
        queued_gspread.errors.CallTimeoutError, match=r"was not started|wrote anything"
    ):
        queue.update([[9]], "A1")
    assert book.sheet1.get("A1:B1") == [["2", "1"]]
    assert process.poll() is None
