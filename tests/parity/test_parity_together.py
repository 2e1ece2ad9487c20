"""What is known of gspread's methods beforehand, held against the requests that they send."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import pytest
from limits import UNLIMITED

import queued_gspread
from queued_gspread.emulator import Emulator
from queued_gspread.proxy.caller import Caller
from queued_gspread.server import Server, merging
from queued_gspread.server.google.credentials import make_client
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.policy.gspread_methods import READ_ONLY_METHODS, SINGLE_WRITE_METHODS
from queued_gspread.server.policy.request import CREDENTIALS, is_read
from queued_gspread.server.replay.advance import decode, sends_once

from .steps import STEPS
from .two_ways import Scene, frozen_clock, observe

# Methods that could run beside others by what they send, and why they do not.
ALONE = {
    "http_client.request": "it sends whatever it is given",
}


class Sent(defaultdict):
    """The requests of each call, by its method; and all jobs."""

    def __init__(self, *args):
        super().__init__(*args)
        self.jobs = []


@pytest.fixture(scope="module")
def sent(tmp_path_factory, redis_url):
    """Make every step through the queue; return the requests of each call, by its method."""
    found = Sent(list)
    calls, asked = [], Caller.send
    send = Transport.send

    def call(self, job_id, lane, body, *args):
        calls.append([])
        found.jobs.append(body)
        found[_name(body)].append(calls[-1])
        return asked(self, job_id, lane, body, *args)

    def transport(self, request, *args):
        if request.method != CREDENTIALS:
            calls[-1].append(request)
        return send(self, request, *args)

    key_file = tmp_path_factory.mktemp("together") / "service_account.json"
    with partial(Emulator, seed=1, clock=frozen_clock)() as emulator:
        emulator.write_service_account(key_file)
        client = make_client(service_account=key_file, api_endpoint=emulator.url)
        where = {"redis_url": redis_url, "namespace": "together"}
        with pytest.MonkeyPatch.context() as patch, Server(client, **where, **UNLIMITED):
            patch.setattr(Caller, "send", call)
            patch.setattr(Transport, "send", transport)
            scene = Scene(queued_gspread.authorize(**where), emulator)
            for step in STEPS.values():
                observe(scene, step)
    return found


def test_what_is_said_to_read_only_reads(sent):
    """However many requests a method of :data:`READ_ONLY_METHODS` sends, none of them writes."""
    wrote = {
        name
        for name in READ_ONLY_METHODS
        if not all(is_read(request) for call in sent[name] for request in call)
    }
    assert wrote == set()


def test_what_is_said_to_write_once_does_no_more(sent):
    """A method listed for a single write sends one request that writes, or none where it fails."""
    more = {
        name
        for name in SINGLE_WRITE_METHODS
        if not all(len(call) <= 1 and not any(map(is_read, call)) for call in sent[name])
    }
    assert more == set()


def test_no_single_write_is_taken_for_several(sent):
    """A trial of a call, with an answer that holds nothing, finds no second request of it."""
    tried = [body for body in sent.jobs if _name(body) in SINGLE_WRITE_METHODS]
    assert {_name(body) for body in tried} == SINGLE_WRITE_METHODS
    assert {_name(body) for body in tried if not sends_once(body)} == set()


def _name(body):
    job = decode(body)[0]
    return f"{job.kind}.{job.method}"


@pytest.mark.parametrize(
    "names",
    [READ_ONLY_METHODS, SINGLE_WRITE_METHODS],
    ids=["READ_ONLY_METHODS", "SINGLE_WRITE_METHODS"],
)
def test_every_method_of_a_table_has_been_seen(sent, names):
    """The steps call every method of the tables, and have it send something."""
    assert {name for name in names if not any(sent.get(name, []))} == set()


def test_whatever_only_reads_is_known_to(sent):
    """A method of which every call has only read is in the table, or named as an exception."""
    only_read = {
        name
        for name, calls in sent.items()
        if any(calls) and all(is_read(request) for call in calls for request in call)
    }
    assert only_read - READ_ONLY_METHODS - ALONE.keys() == set()


def test_whatever_writes_once_what_may_be_merged_is_known_to(sent):
    """A method that sends one write, which can join others, is in the table, or excepted."""
    once = {
        name
        for name, calls in sent.items()
        if all(_writes_once(call) for call in calls if call) and any(map(_may_merge, calls))
    }
    assert once - SINGLE_WRITE_METHODS - ALONE.keys() == set()


def test_the_exceptions_are_gspreads_methods(sent):
    """Nothing is excepted that is not there, or that is in a table after all."""
    assert ALONE.keys() <= sent.keys()
    assert not ALONE.keys() & (READ_ONLY_METHODS | SINGLE_WRITE_METHODS)
    assert not READ_ONLY_METHODS & SINGLE_WRITE_METHODS


def _writes_once(call):
    return len(call) == 1 and not is_read(call[0])


def _may_merge(call):
    """Tell whether what a call has sent is of a kind that is merged.

    Other calls of its method may have options with which they stay alone.
    """
    return any(merging.part(request) is not None for request in call)
