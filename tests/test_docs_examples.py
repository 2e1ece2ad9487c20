"""The examples of README and docs do what the text around them says."""

from __future__ import annotations

import asyncio
import configparser
import io
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import redis
import yaml
from limits import UNLIMITED
from waiting import GRACE

import queued_gspread
from queued_gspread.broker.keys import Keys
from queued_gspread.cli import server
from queued_gspread.cli.options import Parser
from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import Status
from queued_gspread.errors import CallTimeoutError
from queued_gspread.server import Server
from queued_gspread.settings import DEFAULT_NAMESPACE

TOP = Path(__file__).parent.parent
ROW = ["1001", "59.9"]


def blocks(page, language):
    """Return the examples of a page with the heading that each stands beneath."""
    found, heading = [], ""
    pattern = rf"^#+ ([^\n]+)$|^( *)```{language}\n(.*?)^ *```"
    for part in re.finditer(pattern, page.read_text(), re.MULTILINE | re.DOTALL):
        title, indent, text = part.groups()
        if title:
            heading = title
        else:
            found.append((heading, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)))
    return found


def block(page, language, heading, number=0):
    """Return an example that stands beneath a heading of a page."""
    return [text for title, text in blocks(TOP / page, language) if title == heading][number]


def run(text):
    """Run an example, if what it imports is installed; return its names."""
    for package in re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE):
        pytest.importorskip(package)
    names = {"__name__": "example"}
    exec(compile(text, "<example>", "exec"), names)  # the page is our own
    return names


@pytest.fixture
def google():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def book(google, redis_url, namespace, monkeypatch, tmp_path):
    """Return the spreadsheet of the examples, seen past the queue that they use."""
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPACE", namespace)
    monkeypatch.setenv("QUEUED_GSPREAD_GRACE", str(GRACE))
    google.write_service_account(tmp_path / "key.json")
    made = google.gspread_client().create("Orders")
    made.sheet1.update_title("Orders")
    options = {"service_account": tmp_path / "key.json", "api_endpoint": google.url}
    with Server(**options, **UNLIMITED):
        yield made


def test_the_quick_start(book):
    """The README's script writes its row into the sheet that was shared."""
    run(block("README.md", "python", "Quick start"))
    assert book.sheet1.get_all_values() == [ROW]


def test_the_quick_start_on_an_emulator():
    """Server and client meet in a namespace that is not the one of a real account later on."""
    lines = block("README.md", "sh", "Quick start", 1).splitlines()
    program, *given = shlex.split(lines[1])
    assert program == "queued-gspread-server"
    namespace = options(given).namespace
    assert namespace != DEFAULT_NAMESPACE
    assert f'authorize(namespace="{namespace}")' in lines[2]


@pytest.mark.parametrize("fault", [None, Status(503, applied=True), Status(503), Status(400)])
def test_calling_again(google, book, fault):
    """The example of calling again writes its row once, whatever became of the first call."""
    if fault is not None:
        google.faults.add(fault, path=":append$", count=1)
    run(block("docs/errors.md", "python", "Calling again"))
    assert book.sheet1.get_all_values() == [ROW]


def test_a_handler_that_gives_up_in_time(book):
    """The web handler writes its row, or says in time whether it may have."""
    names = run(block("docs/recipes.md", "python", "A web handler"))
    web = names["app"].test_client()
    order = dict(zip(("id", "total"), ROW, strict=True))
    assert web.post("/orders", data=order).status_code == 201
    assert book.sheet1.get_all_values() == [ROW]
    for may_have_run, status in ((False, 503), (True, 504)):
        error = CallTimeoutError("late")
        error.may_have_run = may_have_run
        names["orders"] = lambda error=error: (_ for _ in ()).throw(error)
        assert web.post("/orders", data=order).status_code == status


def test_a_handler_that_answers_at_once(book):
    """The web handler with threads answers before its row is written, and writes it."""
    names = run(block("docs/recipes.md", "python", "A web handler", 1))
    order = dict(zip(("id", "total"), ROW, strict=True))
    assert names["app"].test_client().post("/orders", data=order).status_code == 202
    names["writers"].shutdown()
    assert book.sheet1.get_all_values() == [ROW]


def test_a_task_of_celery(book):
    """The task writes its row."""
    names = run(block("docs/recipes.md", "python", "Celery"))
    names["write_order"](*ROW)
    assert book.sheet1.get_all_values() == [ROW]


def test_a_cron_job(book, monkeypatch):
    """The cron job writes what it reads."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("1001,59.9\n1002,8\n"))
    run(block("docs/recipes.md", "python", "Cron"))
    assert book.sheet1.get_all_values() == [ROW, ["1002", "8"]]


def test_a_bot(book):
    """The bot writes a message from its event loop."""
    names = run(block("docs/recipes.md", "python", "A bot"))
    asyncio.run(names["on_message"](*ROW))
    assert book.sheet1.get_all_values() == [ROW]


def test_a_report_of_pandas(google, book):
    """The report has the sum of each customer, and costs the requests that the page says."""
    book.sheet1.update([["customer", "total"], ["Ann", 2], ["Bob", 5], ["Ann", 3.5]])
    book.add_worksheet("Report", 10, 10).update([["old"]] * 9)
    google.clear_ledger()
    run(block("docs/recipes.md", "python", "A pandas report"))
    costs = Counter(served.quota for served in google.ledger)
    assert costs == {"read": 4, "write": 2, "drive": 1}
    report = book.worksheet("Report").get_all_values()
    assert report == [["customer", "total"], ["Ann", "5.5"], ["Bob", "5"]]


def test_the_health_check(book, namespace, monkeypatch):
    """The check passes while a server works in the namespace, and fails where none does."""
    text = block("docs/deployment.md", "python", "Health check")
    with pytest.raises(SystemExit) as ended:
        run(text)
    assert ended.value.code == 0
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPACE", f"{namespace}-of-nobody")
    with pytest.raises(SystemExit) as ended:
        run(text)
    assert "no server" in ended.value.code


def test_the_commands_that_show_the_queue(book, redis_url, namespace):
    """The commands for redis-cli name the keys that there are, and show what they say."""
    text = block("docs/deployment.md", "sh", "See the queue").replace(
        "{default}", f"{{{namespace}}}"
    )
    keys = Keys(namespace)
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    named = [keys.waiting, keys.active, keys.lane("ID"), keys.server, keys.slots("write")]
    assert [line[2] for line in lines] == [*named, keys.poisoned]
    with redis.Redis.from_url(redis_url) as asked:
        shown = [asked.execute_command(*line[1:]) for line in lines]
    assert queued_gspread.__version__.encode() in shown[3]


def options(command):
    """Return the options of a server's command line."""
    parser = Parser("server")
    server.add_options(parser)
    return parser.parse_args(command)


def test_the_systemd_unit(tmp_path):
    """The unit is one that systemd takes, has options of the server's, and lets it end in time."""
    text = block("docs/deployment.md", "ini", "systemd")
    unit = configparser.ConfigParser(interpolation=None)
    unit.read_string(text)
    program, *given = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name == "queued-gspread-server"
    assert options(given).shutdown_timeout < float(unit["Service"]["TimeoutStopSec"])
    if analyze := shutil.which("systemd-analyze"):
        path = tmp_path / "queued-gspread.service"
        path.write_text(text.replace(program, sys.executable).replace("User=queued-gspread\n", ""))
        verify = [analyze, "verify", str(path)]
        checked = subprocess.run(verify, check=False, capture_output=True, text=True)
        assert path.name not in checked.stderr


def test_the_compose_file():
    """The Compose file names nothing that it lacks, and has commands that can be run."""
    file = yaml.safe_load(block("docs/deployment.md", "yaml", "Compose"))
    services = file["services"]
    for service in services.values():
        assert set(service.get("depends_on", [])) <= set(services)
        assert set(service.get("secrets", [])) <= set(file["secrets"])
        volumes = [volume.partition(":")[0] for volume in service.get("volumes", [])]
        assert {name for name in volumes if name.isidentifier()} <= set(file["volumes"])
    program, *given = services["server"]["command"]
    assert program == "queued-gspread-server"
    secret = options(given).service_account
    assert Path(secret).name in services["server"]["secrets"]
    compile(services["client"]["command"][2], "<client>", "exec")
