"""``queued-gspread outcomes``: what is kept of calls that failed, for those who see to them."""

from __future__ import annotations

import json

import fastjsonschema
import pytest
from places import TOP

from queued_gspread.broker import FailedCall
from queued_gspread.cli import main
from queued_gspread.monitor import look
from queued_gspread.settings import Settings

SCHEMA = json.loads((TOP / "docs" / "snapshot.schema.json").read_text())
AT = 1_790_000_000_000
UNKNOWN = FailedCall(
    "J1",
    "worksheet.append_row",
    "1AbC",
    "web1:4711",
    "OutcomeUnknownError",
    sort="unknown",
    title="Orders",
    sheet="March",
    is_unattended=False,
)
POISONED = FailedCall("J2", "?", "1AbC", "?:?", "PoisonedJobError", sort="poisoned")
FAILED = FailedCall("J3", "worksheet.get", "2AbC", "web1:4711", "APIError", "quota", 429)


@pytest.fixture
def settings(redis_url, namespace):
    return Settings(redis_url, namespace)


@pytest.fixture
def kept(raw, keys):
    """Keep one failure of each sort, the latest first, and the job that servers died of."""
    for age, (key, call) in enumerate(
        ((keys.outcomes, UNKNOWN), (keys.outcomes, POISONED), (keys.failed, FAILED))
    ):
        raw.zadd(key, {call.encode(): AT - age * 1000})
    for job_id in ("J0", "J2", "J4"):
        raw.xadd(keys.poisoned, {"id": job_id, "lane": "1AbC", "body": "hidden"})


@pytest.fixture
def outcomes(redis_url, namespace, capsys):
    """Return a function that runs the command, and returns its status and what it says."""

    def run(*given):
        status = main(["outcomes", *given, "--redis-url", redis_url, "--namespace", namespace])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


def test_failures_are_listed(kept, outcomes):
    """Each has a line, the latest first, with when, which call, where and why; or one sort."""
    status, told = outcomes()
    head, first, second, third = told.splitlines()
    assert (status, head.split()[:2]) == (0, ["when", "sort"])
    assert "UTC  unknown   J1   worksheet.append_row  Orders / March" in first
    assert "poisoned" in second
    assert third.endswith("APIError: quota")
    assert len(outcomes("--sort", "failed")[1].splitlines()) == 2
    assert outcomes("--limit", "1")[1].endswith("and 2 more: see --limit and --sort\n")


def test_a_failure_is_shown_with_what_to_look_for(kept, outcomes):
    """All that is kept of it is shown; of an unknown outcome also that somebody has to look."""
    status, told = outcomes("show", "J1")
    assert status == 0
    assert "title         Orders\n" in told
    assert "look whether it is there" in told
    assert "look whether" not in outcomes("show", "J3")[1]


def test_failures_are_exported(kept, outcomes):
    """Each is a line of JSON, of the same form as in the snapshot; all of them, or some."""
    validate = fastjsonschema.compile(
        {"definitions": SCHEMA["definitions"], "$ref": "#/definitions/Outcome"}
    )
    lines = [json.loads(line) for line in outcomes("export")[1].splitlines()]
    for line in lines:
        validate(line)
    assert [line["job_id"] for line in lines] == ["J1", "J2", "J3"]
    (only,) = outcomes("export", "J2")[1].splitlines()
    assert json.loads(only)["sort"] == "poisoned"


def test_a_failure_is_dismissed(kept, outcomes, settings, raw, keys):
    """It is kept no longer, nor is the job that servers died of; others stay, and it is noted."""
    status, told = outcomes("dismiss", "J1", "J2", "--reason", "is there")
    assert (status, told.count("dismissed ")) == (0, 2)
    found = look(settings)
    assert [each.job_id for each in found.outcomes] == ["J3"]
    assert [fields["id"] for _, fields in raw.xrange(keys.poisoned)] == ["J0", "J4"]
    assert [(each.what, each.why) for each in found.actions] == [
        ("dismiss the failure of the job J2", "is there"),
        ("dismiss the failure of the job J1", "is there"),
    ]


def test_what_is_not_kept_is_said(outcomes):
    """A job without a failure is named, with status 1; and so it is where nothing is kept."""
    status, told = outcomes("dismiss", "J9")
    assert (status, "no failure of J9 is kept in" in told) == (1, True)
    assert outcomes()[1].startswith("no such failure is kept in")


def test_ids_are_given_where_they_are_needed(outcomes):
    """To show or dismiss takes ids, and to list takes none."""
    assert (outcomes("show")[0], outcomes("list", "J1")[0]) == (2, 2)
