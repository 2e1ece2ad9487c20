"""A lane that becomes ready brings its only job along; whatever else is in the list is a name."""

from __future__ import annotations

import pytest
from broker_helpers import enqueue

from queued_gspread.broker.ready import Ready, ready_of
from queued_gspread.broker.scripts import SCRIPTS, with_shared


def test_the_only_job_of_a_lane_comes_with_its_name(settings, server, raw, keys):
    """What came with the name is what a look at the lane finds, and is handed out when claimed."""
    job_id, _ = enqueue(settings, body=b"a\0body")
    first = server.next_ready().first
    assert (first.job_id, first.body) == (job_id, b"a\0body")
    assert not raw.exists(keys.tries)
    server.claim(first)
    found = server.head("lane")
    assert raw.hget(keys.tries, job_id) == f"/{server.epoch}/"
    for name in ("lane", "entry", "job_id", "body", "mark", "waiting", "deaths"):
        assert getattr(first, name) == getattr(found, name)


def test_a_large_job_does_not_come_with_the_name(settings, server):
    """A job that is large is not put into Redis twice."""
    enqueue(settings, body=b"x" * 20_000)
    assert server.next_ready() == Ready("lane")


def test_a_job_behind_another_does_not_come_with_the_name(settings, server, raw, keys):
    """A lane in which something stands already is named alone."""
    raw.xadd(keys.lane("lane"), {"what": "ever"})
    enqueue(settings)
    assert server.next_ready() == Ready("lane")


def test_nothing_is_kept_of_a_claimed_job_that_is_gone(settings, server, raw, keys):
    """Where a job was taken back before the claim came, no trace of it is left."""
    enqueue(settings)
    first = server.next_ready().first
    raw.delete(keys.lane("lane"))
    server.claim(first)
    assert server.head("lane") is None
    assert not raw.exists(keys.tries)


@pytest.mark.parametrize(
    "item", [b"", b"lane", b"\xff", b"\0", b"\x001-1\0!\x000\0", b"\x001-1\0id\0x\0", b"\x00" * 9]
)
def test_whatever_else_there_is_is_a_name(item):
    """No item of the list stops the server."""
    assert ready_of(item) == Ready(item.decode(errors="surrogateescape"))


def test_a_script_has_the_definitions_that_it_needs():
    """Those that its text names, and those that they name, in their order; no others."""
    shared = "local A = 1\nlocal function b()\nend\nlocal function c()\n  b()\nend\n"
    assert with_shared("return c()\n", shared) == shared[12:] + "return c()\n"
    assert with_shared("return 1\n", shared) == "return 1\n"
    assert "now_ms" not in SCRIPTS["claim"].text
