"""An upgrade as docs/production.md has it, and back, under load from both versions."""

from __future__ import annotations

import signal
from collections import Counter

import pytest
from earlier import earlier_version
from processes import start_python
from waiting import GRACE, PATIENCE, eventually

import queued_gspread
from queued_gspread.emulator import Emulator

# Appends rows until somebody says that it is enough; prints how many it knows to be there.
CLIENT = """
import sys, threading
import queued_gspread
sheet = queued_gspread.authorize().open({title!r}).sheet1
enough = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), enough.set()), daemon=True).start()
number = 0
while not enough.is_set():
    sheet.append_row([{name!r}, number])
    number += 1
print(queued_gspread.__file__)
print(number)
"""
STOP = "import sys; from queued_gspread.cli import main; sys.exit(main(['stop']))"
NEW = ""
# For each client, at every server: enough that all of them wait for it and get their answers.
ROWS = 5


@pytest.fixture(scope="session")
def earlier():
    """Return what has a process import an earlier version."""
    return f"import sys; sys.path.insert(0, {str(earlier_version())!r})"


@pytest.fixture
def google():
    """Return an emulator at which two servers that append at a time would lose rows."""
    with Emulator(seed=1, latency=0.01, append_race=0.05) as running:
        yield running


@pytest.fixture
def key_file(google, tmp_path):
    """Return a key file of the emulator's."""
    path = tmp_path / "key.json"
    google.write_service_account(path)
    return path


@pytest.fixture
def start(start_process):
    """Return what starts a server process on the emulator, of a version that a patch makes."""

    def start(wait, patch=""):
        return start_process("--lease", "10", wait=wait, patch=patch, fresh=bool(patch))

    return start


@pytest.fixture
def clients(redis_url, namespace):
    """Return what starts a client that appends rows to a spreadsheet."""
    started = []

    def start(title, name, patch=""):
        code = f"{patch}\n{CLIENT.format(title=title, name=name)}"
        where = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": str(GRACE)}
        started.append(start_python(code, fresh=bool(patch), **where))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def stop(where, patch):
    """Have the server that works stop, by the command of a version."""
    with start_python(f"{patch}\n{STOP}", fresh=bool(patch), **where) as process:
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0


def test_servers_of_two_versions_relieve_each_other(
    earlier, start, clients, google, redis_url, namespace
):
    """Old and new servers take over from each other, and no call of old or new clients is lost."""
    where = {"REDIS_URL": redis_url, "NAMESPACE": namespace}
    sheet = google.gspread_client().create("Book").sheet1
    works = start("working as", earlier)
    started = {
        f"{version} {number}": clients("Book", f"{version} {number}", patch)
        for version, patch in (("old", earlier), ("new", NEW))
        for number in range(2)
    }

    def rows():
        return Counter(row[0] for row in sheet.get_all_values() if row)

    def all_go_on():
        """Wait until the server that works now has answered each client some times."""
        before = rows()
        enough = {name: before[name] + ROWS for name in started}
        eventually(lambda: all(rows()[name] >= count for name, count in enough.items()))

    all_go_on()
    # Forward, back, and forward again; told by a signal, and by either version's command.
    ends = (
        (NEW, lambda server: server.signal(signal.SIGTERM)),
        (earlier, lambda _: stop(where, earlier)),
        (NEW, lambda _: stop(where, NEW)),
    )
    for version, end in ends:
        stands_by = start("standing by", version)
        end(works)
        assert works.exit_status() == 0
        works = stands_by.until_log("working as")
        all_go_on()
    told = {name: process.communicate(timeout=PATIENCE) for name, process in started.items()}
    assert {errors for _, errors in told.values()} == {""}
    paths = {name.split()[0]: output.split()[0] for name, (output, _) in told.items()}
    assert paths["new"] == queued_gspread.__file__ != paths["old"]
    made = {name: int(output.split()[1]) for name, (output, _) in told.items()}
    found = sheet.get_all_values()
    for name, count in made.items():
        # Each once, and in the client's own order.
        assert [row[1] for row in found if row[0] == name] == [str(n) for n in range(count)]
    assert len(found) == sum(made.values())
