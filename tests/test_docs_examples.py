"""The examples of README and docs do what the text around them says."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import gspread
import pytest
import redis
from gspread.exceptions import APIError
from limits import UNLIMITED
from opentelemetry import trace
from opentelemetry.sdk.trace import export
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once
from places import TOP
from processes import start_python
from waiting import GRACE, PATIENCE

import queued_gspread
from queued_gspread.broker.keys import Keys
from queued_gspread.cli import main, server
from queued_gspread.cli.options import Parser
from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.emulator.faults import Latency, Reset, Status
from queued_gspread.errors import (
    AnswerNotKeptError,
    BrokerUnavailableError,
    CallTimeoutError,
    OutcomeUnknownError,
    ServerUnavailableError,
)
from queued_gspread.server import Server
from queued_gspread.server.google.credentials import make_client
from queued_gspread.settings import DEFAULT_NAMESPACE

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


def run(text, **given):
    """Run an example, if what it imports is installed; return its names."""
    for package in re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE):
        pytest.importorskip(package)
    names = {"__name__": "example", **given}
    exec(compile(text, "<example>", "exec"), names)  # the page is our own
    return names


@pytest.fixture
def google():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def guard():
    """Return for how long a spreadsheet is left alone after a write without a response."""
    return 0


@pytest.fixture
def book(google, redis_url, namespace, monkeypatch, tmp_path, guard):
    """Return the spreadsheet of the examples, seen past the queue that they use."""
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPACE", namespace)
    monkeypatch.setenv("QUEUED_GSPREAD_GRACE", str(GRACE))
    google.write_service_account(tmp_path / "key.json")
    made = google.gspread_client().create("Orders")
    made.sheet1.update_title("Orders")
    options = {"service_account": tmp_path / "key.json", "api_endpoint": google.url}
    with Server(**options, **UNLIMITED, late_write_guard=guard):
        yield made


def test_the_quick_start(book):
    """The README's script writes its row into the sheet that was shared."""
    run(block("README.md", "python", "Use it"))
    assert book.sheet1.get_all_values() == [ROW]


def test_the_trace_of_an_order(book, monkeypatch):
    """The example of tracing has the spans of caller, server and request, in one trace."""
    printed = InMemorySpanExporter()
    monkeypatch.setattr(export, "ConsoleSpanExporter", lambda: printed)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    names = run(block("docs/tracing.md", "python", "Tracing"))
    spans = printed.get_finished_spans()[-4:]
    names["provider"].shutdown()
    namespace = os.environ["QUEUED_GSPREAD_NAMESPACE"]
    appends = "POST /v4/spreadsheets/{spreadsheetId}/values/{range}:append"
    assert [span.name for span in spans] == [
        appends,
        f"process {namespace}",
        f"send {namespace}",
        "order 1001",
    ]
    assert len({span.context.trace_id for span in spans}) == 1
    assert book.sheet1.get_all_values() == [ROW]


def test_the_tutorial_with_google(book):
    """The tutorial's last script writes its row into the sheet that was shared."""
    run(block("docs/tutorial.md", "python", "Run it"))
    assert book.sheet1.get_all_values() == [ROW]


def test_a_pipeline(book, capsys):
    """The loop in a pipeline leaves a row for each order, and the sum of those that it reads."""
    run(block("docs/pipelines.md", "python", "Pipelines"))
    rows = [[str(number), "9.95"] for number in range(1, 201)]
    assert book.sheet1.get_all_values() == rows
    assert capsys.readouterr().out == f"{sum([9.95] * 100)}\n"


def test_reads_that_may_be_so_old(book, google, capsys):
    """A hundred reads of the page's first example cost a few requests, and the write is seen."""
    google.clear_ledger()
    names = run(block("docs/max_age.md", "python", "Reads that may be some seconds old"))
    assert capsys.readouterr().out == "59.9\n"
    assert len([served for served in google.ledger if served.quota == "read"]) < 50
    book.add_worksheet("Settings", 2, 2).update([["name", "value"], ["tax", 19]])
    names = run(block("docs/max_age.md", "python", "Where to say it"), **names)
    assert names["settings"] == [{"name": "tax", "value": 19}]


def test_counting_without_a_lock_and_with_one(book, capsys):
    """The first example of the page loses increments; the second one, in its place, loses none."""
    wrong = block("docs/locks.md", "python", "Locks")
    run(wrong)
    assert int(capsys.readouterr().out) < 100
    right = block("docs/locks.md", "python", "Locks", 1)
    run(re.sub(r"def count.*?\n\n", right.replace("\\", r"\\") + "\n", wrong, flags=re.DOTALL))
    assert capsys.readouterr().out == "100\n"


def test_saving_keys_without_an_upsert_and_with_one(book, capsys):
    """The first example of the page doubles keys; the second one, in its place, doubles none."""
    wrong = block("docs/upserts.md", "python", "Upserts")
    run(wrong)
    assert int(capsys.readouterr().out) > 10
    book.sheet1.clear()
    right = block("docs/upserts.md", "python", "Upserts", 1)
    run(re.sub(r"def save.*?\n\n", right + "\n", wrong, flags=re.DOTALL))
    assert capsys.readouterr().out == "10\n"


def test_an_upsert(book, capsys):
    """The example changes one row and appends another, and prints what the page says."""
    run(block("docs/upserts.md", "python", "Upserts", 2))
    rows = [["id", "customer", "total"], ["A-1", "Miller", "12.5"], ["A-2", "Jones", "7"]]
    assert book.sheet1.get_all_values() == rows
    printed = capsys.readouterr().out
    assert f"it prints `{printed.strip()}`" in (TOP / "docs" / "upserts.md").read_text()


def test_a_loop_of_asyncio(book, capsys):
    """The example for asyncio leaves a row for each order, and reads one of them."""
    run(block("docs/asyncio.md", "python", "asyncio"))
    assert len(book.sheet1.get_all_values()) == 200
    assert capsys.readouterr().out == "9.95\n"


def test_futures_of_a_pipeline(book, capsys):
    """The sheets that are submitted are read, whatever they hold."""
    book.sheet1.update([ROW] * 3)
    book.add_worksheet("Second", 5, 5).update([ROW] * 2)
    run(block("docs/pipelines.md", "python", "Futures"))
    assert capsys.readouterr().out == "5\n"


def test_a_row_of_a_log(book, google, capsys):
    """The example without waiting leaves its row, and what fails can be listed."""
    sheet = queued_gspread.authorize().create("Log").sheet1
    run(block("docs/pipelines.md", "python", "Without waiting"))
    assert sheet.get_all_values() == [["started", "web1"]]
    google.faults.add(Status(400), path=":append$", count=1)
    run(block("docs/pipelines.md", "python", "Without waiting"))
    run(block("docs/asyncio.md", "python", "Without waiting"))
    assert sheet.get_all_values() == [["started", "web1"]] * 2
    run(block("docs/pipelines.md", "python", "What failed"))
    told = capsys.readouterr().out
    assert f"worksheet.append_row {sheet.spreadsheet_id}" in told
    assert "web1" not in told


def test_a_page_that_many_look_at(book, google):
    """However often it is drawn the sheet is read once, and once more after a write."""
    book.sheet1.update([["bolts", 5]])
    text = block("docs/recipes.md", "python", "A page that many look at")
    names = run(text.replace("max_age=10", "max_age=3600"))  # however long this takes
    google.clear_ledger()
    for left in ("5", "4"):
        for _ in range(10):
            assert names["page"]() == [["bolts", left]]
        names["sold"](1, 4)
    assert Counter(served.method for served in google.ledger) == {"GET": 2, "PUT": 2}


def test_a_snapshot(book, capsys):
    """The example prints a line for each kind of request, with its slots and the wait."""
    run(block("docs/operations.md", "python", "The snapshot"))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["read", "write", "drive"]
    assert all(line[3] == "0.0" for line in lines)


def test_the_quick_start_on_an_emulator():
    """Server and client meet in a namespace that is not the one of a real account later on."""
    lines = block("README.md", "sh", "Use it", 1).splitlines()
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


@pytest.mark.parametrize("guard", [3])
def test_calling_again_beside_a_row_that_lands_late(google, book):
    """With a guard for late writes, the example finds a row that landed late, and sends it once."""
    google.faults.add(Reset(late=0.5), path=":append$", count=1)
    run(block("docs/errors.md", "python", "Calling again"))
    appends = [served.fault for served in google.ledger if served.path.endswith(":append")]
    assert appends == ["reset late"]
    assert book.sheet1.get_all_values() == [ROW]


def post(names):
    """Send an order to the app of an example; return the status that it is answered with."""
    order = dict(zip(("id", "total"), ROW, strict=True))
    return names["app"].test_client().post("/orders", data=order).status_code


def test_a_handler_that_gives_up_in_time(google, book):
    """The web handler writes its row by one request, even the first time."""
    names = run(block("docs/recipes.md", "python", "A web handler"))
    google.clear_ledger()
    assert post(names) == 201
    assert [served.quota for served in google.ledger] == ["write"]
    assert book.sheet1.get_all_values() == [ROW]


@pytest.mark.parametrize("kind", [CallTimeoutError, BrokerUnavailableError, ServerUnavailableError])
@pytest.mark.parametrize(("may_have_run", "status"), [(False, 503), (True, 504)])
def test_a_handler_tells_what_may_have_been_written(book, kind, may_have_run, status):
    """The web handler answers an error of the queue by whether the row may have been written."""
    names = run(block("docs/recipes.md", "python", "A web handler"))
    error = kind("late")
    error.may_have_run = may_have_run
    names["orders"] = Mock(append_row=Mock(side_effect=error))
    assert post(names) == status


def test_a_handler_tells_of_an_unknown_outcome(google, book):
    """The web handler says that the row may have been written where Google's answer is lost."""
    names = run(block("docs/recipes.md", "python", "A web handler"))
    google.faults.add(Reset(applied=True), path=":append$", count=1)
    assert post(names) == 504
    assert book.sheet1.get_all_values() == [ROW]


def test_a_handler_that_answers_at_once(book):
    """The web handler with threads answers before its row is written, and writes it."""
    names = run(block("docs/recipes.md", "python", "A web handler", 1))
    assert post(names) == 202
    names["writers"].shutdown()
    assert book.sheet1.get_all_values() == [ROW]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Reset(applied=True), "order 1001 may have been written: look"),
        (Status(400), "order 1001 failed"),
    ],
)
def test_a_handler_with_threads_logs_what_is_known(google, book, caplog, fault, told):
    """The web handler with threads logs whether a row may have been written or its call failed."""
    names = run(block("docs/recipes.md", "python", "A web handler", 1))
    google.faults.add(fault, path=":append$", count=1)
    assert post(names) == 202
    names["writers"].shutdown()
    assert [line for line in caplog.messages if line.startswith("order ")] == [told]


def test_a_task_of_celery(book):
    """The task writes its row."""
    names = run(block("docs/recipes.md", "python", "Celery"))
    names["write_order"](*ROW)
    assert book.sheet1.get_all_values() == [ROW]


def test_a_task_of_celery_that_is_retried(google, book, monkeypatch):
    """Its first try gives up while its row is on its way; the next waits for it, and adds none."""
    monkeypatch.setenv("QUEUED_GSPREAD_QUIET", "yes")
    text = block("docs/recipes.md", "python", "Celery", 1)
    names = run(text.replace("timeout=60", "timeout=2"))
    names["orders"]()
    google.faults.add(Latency(3.0), path=":append$", count=1)
    done = names["write_order"].apply(args=ROW)
    assert done.successful(), done.result
    assert len(tries_of(google)) == 1
    assert book.sheet1.get_all_values() == [ROW]


def tries_of(google):
    """Return the appends that Google was asked for."""
    return [served for served in google.ledger if served.path.endswith(":append")]


def test_a_task_of_celery_that_is_delivered_twice(google, book):
    """The second delivery writes nothing, whatever worker has it."""
    for _ in range(2):
        names = run(block("docs/recipes.md", "python", "Celery", 1))
        assert names["write_order"].apply(args=ROW).successful()
    assert len(tries_of(google)) == 1
    assert book.sheet1.get_all_values() == [ROW]


def test_a_cron_job_that_overlaps(google, book, redis_url, namespace):
    """Two runs at a time, with some of the same rows, leave each row once."""
    text = block("docs/recipes.md", "python", "Cron", 1)
    where = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": str(GRACE)}
    rows = [[str(number), "9.95"] for number in range(30)]
    processes = [start_python(text, **where) for _ in range(2)]
    for process, share in zip(processes, (rows[:20], rows[10:]), strict=True):
        process.stdin.write("".join(f"{','.join(row)}\n" for row in share))
    for process in processes:
        process.stdin.close()
    for process in processes:
        assert process.wait(PATIENCE) == 0, process.stderr.read()
        process.stdout.close()
        process.stderr.close()
    assert sorted(book.sheet1.get_all_values()) == sorted(rows)
    assert len(tries_of(google)) < 30


def test_a_webhook_that_is_delivered_twice(google, book):
    """Two deliveries at a time and one later are all answered, and leave one row."""
    names = run(block("docs/recipes.md", "python", "A webhook"))
    event = {"id": "1001", "total": "59.9"}

    def deliver(_=None):
        return names["app"].test_client().post("/paid", json=event).status_code

    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(deliver, range(2))] == [200, 200]
    assert deliver() == 200
    assert len(tries_of(google)) == 1
    assert book.sheet1.get_all_values() == [ROW]


def test_a_key(google, book, capsys):
    """The first example of the page writes one row, and prints what the page says."""
    run(block("docs/keys.md", "python", "Idempotency keys"))
    assert book.sheet1.get_all_values() == [ROW]
    assert capsys.readouterr().out == block("docs/keys.md", "text", "Idempotency keys")
    assert len(tries_of(google)) == 1


def test_an_unknown_outcome_under_a_key(google, book, capsys):
    """A row whose answer was lost is not written again, and settled by the page's commands."""
    google.faults.add(Reset(applied=True), path=":append$", count=1)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match="'order-1001' it is not sent again until"):
            run(block("docs/keys.md", "python", "Idempotency keys"))
    shown, made, _ = (
        shlex.split(line, comments=True)
        for line in block("docs/keys.md", "sh", "Unknown outcomes").splitlines()
    )
    capsys.readouterr()
    assert main(shown[1:]) == 0
    assert "'order-1001' 0: unknown" in capsys.readouterr().out
    assert main(made[1:]) == 0
    with pytest.raises(AnswerNotKeptError, match="settled that it was made"):
        run(block("docs/keys.md", "python", "Idempotency keys"))
    assert book.sheet1.get_all_values() == [ROW]
    assert len(tries_of(google)) == 1


def test_looking_for_a_row_races_with_nobody(book):
    """Of several that look for the row at once, as the page has it, one writes it."""
    text = block("docs/errors.md", "python", "Calling again")
    names = run(text.partition("try:")[0])
    looking = text.partition("except OutcomeUnknownError:\n")[2].partition("except")[0]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(run, textwrap.dedent(looking), **names) for _ in range(4)]:
            done.result(PATIENCE)
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
    """The report takes empty cells and dates, leaves nothing of the old, and costs what is said."""
    rows = [["Ann", 2, "2026-01-02"], ["Bob", "", ""], ["Ann", 3.5, "2026-01-09"]]
    book.sheet1.update([["customer", "total", "day"], *rows])
    book.add_worksheet("Report", 10, 10).update([["old"] * 10] * 9)
    google.clear_ledger()
    run(block("docs/recipes.md", "python", "A pandas report"))
    costs = Counter(served.quota for served in google.ledger)
    assert costs == {"read": 4, "write": 1, "drive": 1}
    report = [["customer", "total", "day"], ["Ann", "2.75", "2026-01-09 00:00:00"], ["Bob", "", ""]]
    assert book.worksheet("Report").get_all_values() == report


def test_a_report_of_pandas_that_fails(google, book):
    """Where the report cannot be written, the old one is still there."""
    book.sheet1.update([["customer", "total", "day"], ["Ann", 2, "2026-01-02"]])
    book.add_worksheet("Report", 10, 10).update([["old"]] * 9)
    google.faults.add(Status(400), method="PUT", count=1)
    with pytest.raises(APIError):
        run(block("docs/recipes.md", "python", "A pandas report"))
    assert book.worksheet("Report").get_all_values() == [["old"]] * 9


ORDERS = [["customer", "total"], ["Ann", 2], ["Bob", ""]]


def test_a_data_frame(google, book):
    """The example with gspread-dataframe rewrites the sheet by the calls that the page says."""
    book.sheet1.update(ORDERS)
    google.clear_ledger()
    run(block("docs/migration.md", "python", "With gspread-dataframe"))
    # Two of the reads are to open the sheet.
    assert Counter(served.quota for served in google.ledger) == {"read": 3, "write": 2, "drive": 1}
    assert book.sheet1.get_all_values() == [["customer", "total"], ["Ann", "2"], ["Bob", "0"]]
    assert book.sheet1.row_count == 3


def test_formats(google, book, monkeypatch):
    """The example with gspread-formatting sets all of its formats by one write."""
    # It replaces this when it is imported, which is for this test alone.
    own = gspread.Spreadsheet.fetch_sheet_metadata
    monkeypatch.setattr(gspread.Spreadsheet, "fetch_sheet_metadata", own)
    google.clear_ledger()
    run(block("docs/migration.md", "python", "With gspread-formatting"))
    assert [served.quota for served in google.ledger].count("write") == 1
    fields = {"includeGridData": "true", "ranges": "A1"}
    (sheet,) = book.fetch_sheet_metadata(fields)["sheets"]
    assert sheet["properties"]["gridProperties"]["frozenRowCount"] == 1
    (data,) = sheet["data"]
    assert data["columnMetadata"][0]["pixelSize"] == 200
    assert data["rowData"][0]["values"][0]["userEnteredFormat"] == {"textFormat": {"bold": True}}


def test_a_spread(google, book):
    """The example with gspread-pandas works through the queue, for what the page says it costs."""
    book.sheet1.update(ORDERS)
    names = run(block("docs/migration.md", "python", "With gspread-pandas"))
    assert book.sheet1.get_all_values() == [["customer", "total"], ["Ann", "2"], ["Bob", "0"]]
    google.clear_ledger()
    names["spread"].df_to_sheet(names["orders"], index=False, replace=True)
    assert Counter(served.quota for served in google.ledger) == {"read": 6, "write": 4}
    assert isinstance(names["spread"].client.http_client, queued_gspread.HTTPClient)
    assert names["spread"].client.find_folders("nobody's") == []


def test_the_emulator_in_python(tmp_path):
    """The emulator's page names what an emulator has, and writes a key file."""
    run(block("docs/emulator.md", "python", "Without pytest"), path=tmp_path / "key.json")
    assert (tmp_path / "key.json").exists()


def test_a_clock_that_is_moved_by_hand():
    """With the page's clock, a quota is free again once the clock was moved by a minute."""
    clock = run(block("docs/emulator.md", "python", "Without pytest", 1))["HandClock"]()
    with Emulator(monotonic=clock, quotas=Quotas(writes=1)) as emulator:
        client = emulator.gspread_client()
        sheet = client.create("Orders").sheet1
        sheet.append_row(ROW)
        with pytest.raises(APIError, match="429"):
            sheet.append_row(ROW)
        clock.now += 60
        sheet.append_row(ROW)


def test_a_plain_script_on_an_emulator(google, tmp_path, monkeypatch):
    """A plain gspread script reaches an emulator of another process by the page's adapter."""
    monkeypatch.chdir(tmp_path)
    google.write_service_account("account.json")
    text = block("docs/emulator.md", "python", "As a process")
    client = run(text.replace("http://127.0.0.1:8099", google.url))["client"]
    assert client.create("Orders").sheet1.get_all_values() == [[]]


def test_accounts_of_an_emulator(google, tmp_path):
    """The page's accounts of other kinds are those that an emulator has, in files of their own."""
    path = tmp_path / "user.json"
    text = block("docs/emulator.md", "python", "Accounts and tokens")
    names = run(text, emulator=google, path=path)
    info = names["workload"].external_account_info("/a/token", names["bot"])
    for given in (path, names["ann"].external_user_info(), info):
        assert make_client(credentials=given)
    assert google.machine is google.accounts[0]


def test_several_accounts_of_an_emulator():
    """The page's accounts have the rights, keys and projects that it says."""
    with Emulator() as emulator:
        key = emulator.add_spreadsheet("Orders")
        text = block("docs/emulator.md", "python", "Several accounts")
        lender = run(text, emulator=emulator, id=key)["lender"]
        projects = [each.service_account_info()["project_id"] for each in emulator.accounts]
        assert emulator.gspread_client(lender).open_by_key(key).title == "Orders"
        with pytest.raises(PermissionError):
            emulator.gspread_client().open_by_key(key)
    assert projects[0] == projects[1] != projects[2]


def test_accounts_that_own_no_files():
    """The page's settings make the emulator of a test answer as Google does."""
    names = run(block("docs/emulator.md", "python", "Who may own files"))
    settings = names["sheets_emulator_settings"].__wrapped__()
    assert Emulator(**settings).storage is False


def test_quotas_and_faults_of_an_emulator():
    """The page's quotas and faults are those that an emulator takes."""
    names = run(block("docs/emulator.md", "python", "Quotas"))
    assert names["emulator"].quotas == Quotas(writes=5, window=2.0, movement="sliding")
    run(block("docs/emulator.md", "python", "Latency and faults"), Emulator=Emulator)


def test_a_test_that_nothing_was_left_out(google):
    """The page's test passes a report that was computed, and fails one that was not."""
    names = run(block("docs/emulator.md", "python", "Formulas"), make_report=make_report)
    client = google.gspread_client()
    names["test_report"](client, google)
    client.create("Report").sheet1.update([["=SPARKLINE(A2:A3)"]], raw=False)
    with pytest.raises(AssertionError):
        names["test_report"](client, google)


def make_report(client):
    client.create("Report").sheet1.update([["=1+1"]], raw=False)


# All examples of these pages are run by tests of their own.
RUN_WHOLE = {"docs/testing.md", "docs/server.md"}
# These are run as the scripts that the tutorial has the reader save.
TUTORIAL = {("Write the first row", 0), ("Write from several processes", 0)}


def test_a_pipeline_that_may_reorder(book):
    """The example writes the states, and reads what stands beside them."""
    book.sheet1.update([["order", "total"], ["", 5], ["", 7]], "A1")
    names = run(block("docs/pipelines.md", "python", "Another order"))
    assert names["total"].value == "7"
    assert book.sheet1.get("A2:B3") == [["paid", "5"], ["open", "7"]]


@pytest.mark.parametrize("page", [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))])
def test_every_python_example_is_run(page):
    """A test names each Python example of a page, to run it."""
    name = str(page.relative_to(TOP))
    tests = Path(__file__).read_text()
    found = Counter()
    for heading, _ in blocks(page, "python") if name not in RUN_WHOLE else []:
        number = found[heading]
        found[heading] += 1
        called = f'block("{name}", "python", "{heading}"' + (f", {number})" if number else ")")
        assert called in tests or (heading, number) in TUTORIAL


def test_the_commands_that_show_the_queue(book, redis_url, namespace):
    """The commands for redis-cli name the keys that there are, and show what they say."""
    text = block("docs/production.md", "sh", "See the queue by redis-cli").replace(
        "{default}", f"{{{namespace}}}"
    )
    keys = Keys(namespace)
    lines = text.splitlines()
    named = [keys.depth, keys.active, keys.lane("ID"), keys.server, keys.poisoned]
    assert [shlex.split(line)[2] for line in lines] == [*named, keys.slots("write")]
    with redis.Redis.from_url(redis_url) as asked:
        now = asked.time()[0] * 1000
        # One is free again, one is held, and one is in the air.
        slots = {"old": now - 60_000, "held": now + 600_000, "out": "inf"}
        asked.zadd(keys.slots("write"), slots)
    shown = [shown_by(line.replace("redis-cli", f"redis-cli -u {redis_url}")) for line in lines]
    assert shown[0] in ("", "0")
    assert queued_gspread.__version__ in shown[3]
    assert shown[5] == "2"


def shown_by(command):
    """Return what a command of the shell prints."""
    if shutil.which("redis-cli") is None:
        pytest.skip("there is no redis-cli")
    done = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def options(command):
    """Return the options of a server's command line."""
    parser = Parser("server")
    server.add_options(parser)
    return parser.parse_args(command)
