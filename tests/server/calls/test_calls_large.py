"""What a call with a large value holds while it is under way."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest
import requests
from calls import WORKSHEET

from queued_gspread.broker import Entry
from queued_gspread.protocol.identity import ANYONE
from queued_gspread.protocol.messages import Job, Reply
from queued_gspread.server.calls.runner import Runner
from queued_gspread.server.policy.request import Exchange, Response

VALUES = [["a value"] * 100] * 200


@pytest.fixture
def runner():
    return Runner(SimpleNamespace(), ANYONE)


@pytest.fixture
def call(runner):
    body = Job("worksheet", "update", WORKSHEET, (VALUES, "A1")).encode()
    return runner.begin(Entry("lane", "1-0", "job", body, "", 1))


@pytest.fixture
def _without_collector():
    gc.disable()
    yield
    gc.enable()


def _answer():
    answer = requests.Response()
    answer.status_code, answer._content = 200, b'{"updatedCells": 20000}'
    return Response(answer)


def test_a_call_under_way_holds_its_values_once(call):
    """The values of a call that waits are in its request, and not in its job as well."""
    assert call.request.json["values"] == VALUES
    assert (call.job.args, call.job.kwargs) == ((), {})


def test_a_clients_first_argument_is_kept():
    """What the log calls a client's call by, its first argument, stays in its job."""
    job = Job("client", "open", None, ("Budget", "folder"))
    assert job.without_arguments().args == ("Budget",)


@pytest.mark.usefixtures("_without_collector")
@pytest.mark.parametrize("is_last", [True, False])
def test_a_large_request_is_gone_when_it_is_answered(runner, call, is_last):
    """Once a large request is answered, nothing holds it, and the call ends as it would have."""
    request = weakref.ref(call.request)
    assert call.part is not None
    call.answered(Exchange(call.request, _answer()), is_last=is_last)
    assert request() is None
    assert bool(call.exchanges[0].sent.digest) is not is_last
    outcome = runner.advance(call)
    assert outcome.word == "ok"
    assert Reply.decode(outcome.reply, None).result == {"updatedCells": 20000}


@pytest.mark.parametrize("is_last", [True, False])
def test_the_answer_to_another_large_request_is_not_taken(runner, call, is_last):
    """What is left of a large request tells that it was another one."""
    other = replace(call.request, endpoint=f"{call.request.endpoint}9")
    call.answered(Exchange(other, _answer()), is_last=is_last)
    assert runner.advance(call).word == "ReplayDivergedError"
