"""What Prometheus reads of a real server, and what is built on that."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from places import DOCS
from scraping import names_in, samples

from queued_gspread.broker import Observed
from queued_gspread.metrics import exporter
from queued_gspread.metrics.exporter import _page_of
from queued_gspread.monitor import snapshot_of
from queued_gspread.monitor.resources import Account, AccountQuota, Cache

ALERTS = DOCS / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = DOCS / "deploy" / "grafana" / "queued-gspread.json"
PAGE = (DOCS / "metrics.md").read_text()
PROMTOOL = shutil.which("promtool")
with_promtool = pytest.mark.skipif(not PROMTOOL, reason="there is no promtool (of prometheus)")
EMPTY = snapshot_of(Observed("default", 1_000_000.0))
SEVERAL = replace(
    EMPTY,
    accounts=(
        Account("a@x", "x", True, False, "", (AccountQuota("drive", 0, 0, 0.0, 1),)),
        Account("b@x", "x", False, True, "no key", (AccountQuota("read", 60, 7, 0.0, 30),)),
    ),
    cache=Cache(9, 3, 2048, 4096, 5),
)
# Whatever is called, by whomever: there are no more series than these labels have values.
VALUES = {
    "queue": r"test-\d+",
    "kind": "read|write|drive|none",
    "outcome": "ok|failed|unknown|poisoned|late|withdrawn|other|refused|unauthenticated",
    "state": "working|standing_by|gone",
    "sort": "unattended|in_doubt|other",
    "result": "hit|miss",
    "le": r"[\d.]+|\+Inf",
    "version": r"[\w.+]+",
    "gspread": r"[\w.]+",
    "python": r"[\w.+]+",
}


def shown(snapshot):
    """Return the samples of a snapshot."""
    return samples(_page_of("default", snapshot, "").body.decode())


def promtool(*arguments, given=None):
    """Run promtool; return what it says."""
    ended = subprocess.run(
        [PROMTOOL, *map(str, arguments)], input=given, capture_output=True, text=True, check=False
    )
    told = ended.stdout + ended.stderr
    assert ended.returncode == 0, told
    return told


def test_what_happened_is_in_the_metrics(scrape):
    """A scrape counts calls and requests by kind and outcome, and shows servers and quota."""
    found = {
        (name.removeprefix("queued_gspread_"), *of): n for (name, *of), n in scrape.samples.items()
    }
    told = {
        ("up",): 1,
        ("servers", "working"): 1,
        ("servers", "standing_by"): 0,
        ("takeovers_total",): 0,
        ("calls_waiting",): 0,
        ("calls_running",): 0,
        ("calls_limit",): 100_000,
        ("oldest_call_age_seconds",): 0,
        ("lanes_active",): 0,
        ("calls_total", "read", "ok"): 2,
        ("calls_total", "write", "failed"): 1,
        ("requests_total", "write", "refused"): 1,
        ("requests_total", "write", "failed"): 1,
        ("requests_total", "read", "ok"): 2,
        ("requests_resent_total", "write"): 1,
        ("request_calls_total", "read"): 2,
        ("quota_refusals_total", "write"): 1,
        ("call_wait_seconds_count", "read"): 2,
        ("call_duration_seconds_bucket", "read", "+Inf"): 2,
        ("request_duration_seconds_count", "write"): 2,
        ("quota_limit", "write"): 60,
        ("quota_limit", "read"): float("inf"),
        ("token_expiry_seconds",): float("inf"),
        ("outcomes_kept", "other"): 1,
        ("jobs_poisoned",): 0,
    }
    assert {key: found.get(key) for key in told} == told
    assert 0 <= found["lease_age_seconds",] < 60


def test_no_label_has_unbounded_values(scrape):
    """No label names a spreadsheet, a caller or anything else that there may be any number of."""
    labels = re.findall(r'[{,](\w+)="([^"]*)"', scrape.text)
    assert {name for name, _ in labels} == set(VALUES)
    assert [(name, value) for name, value in labels if not re.fullmatch(VALUES[name], value)] == []


def test_the_page_has_each_metric(scrape):
    """The page has each metric of a scrape, with its type and its labels, and no other."""
    types = dict(re.findall(r"^# TYPE queued_gspread_(\w+) (\w+)", scrape.text, re.MULTILINE))
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", PAGE, re.MULTILINE)
    assert {name: kind for name, kind, _ in rows} == types
    for name, _, told in rows:
        line = re.search(rf"^queued_gspread_{name}\w*\{{(.*)\}}", scrape.text, re.MULTILINE)
        labels = set(re.findall(r'(\w+)="', line[1] if line else "")) - {"queue", "le"}
        assert not line or labels == set(re.findall(r"`(\w+)`", told)), name


def test_accounts_and_memory_are_in_the_metrics():
    """Each of several accounts has its slots, limit and requests, and whether it has a token."""
    found = {
        (name.removeprefix("queued_gspread_"), *of): n for (name, *of), n in shown(SEVERAL).items()
    }
    told = {
        ("account_up", "a@x"): 1,
        ("account_up", "b@x"): 0,
        ("account_limit", "a@x", "drive"): float("inf"),
        ("account_limit", "b@x", "read"): 60,
        ("account_held", "b@x", "read"): 7,
        ("account_requests_total", "b@x", "read"): 30,
        ("cache_reads_total", "hit"): 9,
        ("cache_reads_total", "miss"): 3,
        ("cache_bytes",): 2048,
        ("cache_limit_bytes",): 4096,
    }
    assert {key: found.get(key) for key in told} == told
    assert {name for name, *_ in shown(EMPTY)} & {
        *("queued_gspread_account_up", "queued_gspread_account_held", "queued_gspread_cache_bytes")
    } == set()


@with_promtool
def test_promtool_finds_no_fault(scrape):
    """Prometheus's own check of names, help and types passes on a scrape."""
    assert promtool("check", "metrics", given=scrape.text) == ""
    several = _page_of("default", SEVERAL, "").body.decode()
    assert promtool("check", "metrics", given=several) == ""


@with_promtool
def test_the_alert_rules_pass_their_tests():
    """The example alert rules are valid, and their own tests pass."""
    promtool("check", "rules", ALERTS)
    tests = ALERTS.with_name("alerts_test.yml")
    promtool("test", "rules", tests)
    named = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert [name for name in named if f'alertname="{name}"' not in tests.read_text()] == []


def expressions():
    """Return all expressions of the dashboard, as Grafana would ask Prometheus for them."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [
        target["expr"].replace("$queue", "default").replace("$__rate_interval", "5m")
        for panel in panels
        for target in panel["targets"]
    ]


def test_rules_and_dashboard_name_metrics_that_are_there(scrape):
    """Each metric that an alert or the dashboard reads is in a scrape."""
    names = {name for name, *_ in [*scrape.samples, *shown(SEVERAL)]}
    named = names_in(re.sub(r"(?m)^ *(#|summary|- name|- job_name).*", "", ALERTS.read_text()))
    assert named - names == set()
    assert len(expressions()) > 20
    assert {name for each in expressions() for name in names_in(each)} - names == set()


@with_promtool
def test_the_dashboard_asks_what_prometheus_understands(tmp_path):
    """Each expression of the dashboard is one of Prometheus's language."""
    rules = [{"record": f"of:{n}", "expr": expr} for n, expr in enumerate(expressions())]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    promtool("check", "rules", file)


def test_a_client_may_ask_for_openmetrics():
    """A client that accepts OpenMetrics gets it, and others the plain text."""
    page = _page_of("default", EMPTY, "application/openmetrics-text; version=1.0.0")
    assert page.content_type.startswith("application/openmetrics-text")
    assert page.body.endswith(b"# EOF\n")
    assert _page_of("default", EMPTY, "*/*").content_type.startswith("text/plain")


def test_what_is_not_known_has_no_sample():
    """Where no server works, metrics of it are left out, and the others are there."""
    found = shown(EMPTY)
    for name in ("lease_age_seconds", "token_expiry_seconds", "calls_limit"):
        assert (f"queued_gspread_{name}",) not in found
    assert found["queued_gspread_servers", "working"] == 0
    assert found["queued_gspread_oldest_call_age_seconds",] == 0
    waiting = shown(replace(EMPTY, calls_waiting=1))
    assert ("queued_gspread_oldest_call_age_seconds",) not in waiting


def test_scrapes_that_come_together_read_once(monkeypatch, clock):
    """Redis is read once for all scrapes of a second, and what fails is no error of a scrape."""
    answers = [EMPTY, ValueError("what somebody has written"), EMPTY]

    def look(*_):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(exporter, "look", look)
    snapshots = exporter._Snapshots(None, clock)
    assert snapshots.latest() is snapshots.latest() is EMPTY
    clock.now += 1.0
    assert snapshots.latest() is snapshots.latest() is None
    clock.now += 1.0
    assert snapshots.latest() is EMPTY
