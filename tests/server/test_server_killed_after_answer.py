"""Servers that are killed between Google's answer and the caller's."""

from __future__ import annotations

import signal

import pytest
from calls import append, read, write
from waiting import PATIENCE

from queued_gspread.errors import OutcomeUnknownError

_DIES = """
import os, signal
from {module} import {owner}

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

{owner}.{method} = dies
"""
# With Google's answer in hand, before Redis is told of it.
ANSWERED = _DIES.format(
    module="queued_gspread.server.sending.sender", owner="Sender", method="_settle"
)
# Once Redis has what it is told of Google's answer, before it has the caller's.
NOTED = _DIES.format(module="queued_gspread.broker", owner="Consumer", method="answer")
POINTS = {"answered": ANSWERED, "noted": NOTED}


@pytest.fixture
def killed(start_process, client, google, background):
    """Return what makes a call of which its server dies, at that point; it starts another one."""

    def make(call, point):
        server = start_process(patch=point)
        calling = background(call, client)
        google.gate.next().answer({"answer": 1})
        assert server.exit_status() == -signal.SIGKILL
        start_process()
        return calling

    return make


@pytest.mark.parametrize("point", POINTS)
def test_a_read_whose_server_died_with_its_answer(killed, google, point):
    """A read that Google has answered is retried, and its caller gets the second answer."""
    _is_sent_again(killed(read, POINTS[point]), google, "get")


@pytest.mark.parametrize("point", POINTS)
def test_an_update_whose_server_died_with_its_answer(killed, google, point):
    """An idempotent write is retried, though Google has answered it: over what is there now."""
    _is_sent_again(killed(write, POINTS[point]), google, "put")


def _is_sent_again(calling, google, method):
    google.gate.next().answer({"answer": 2})
    assert calling.result(PATIENCE) == {"answer": 2}
    assert [seen.method for seen in google.gate.seen] == [method] * 2


def test_an_append_whose_server_died_with_its_answer(killed, google):
    """A non-idempotent write is not retried: of an answer that was lost nobody knows."""
    calling = killed(append, ANSWERED)
    assert type(calling.exception(PATIENCE)) is OutcomeUnknownError
    assert [seen.method for seen in google.gate.seen] == ["post"]


def test_an_append_whose_server_died_once_its_answer_was_noted(killed, google):
    """Once Redis has the answer, it is the caller's, and nothing more is sent."""
    calling = killed(append, NOTED)
    assert calling.result(PATIENCE) == {"answer": 1}
    assert [seen.method for seen in google.gate.seen] == ["post"]
