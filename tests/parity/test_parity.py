"""Plain gspread and queued gspread, step by step: nobody can tell them apart."""

from __future__ import annotations

from functools import partial

import pytest
from limits import UNLIMITED
from waiting import threads

import queued_gspread
from queued_gspread.emulator import Emulator
from queued_gspread.protocol.kinds import KINDS
from queued_gspread.proxy.caller import Caller
from queued_gspread.server import Server
from queued_gspread.server.calls import runner as run
from queued_gspread.server.google.credentials import make_client
from queued_gspread.server.replay.advance import decode
from queued_gspread.server.replay.held import Suspender

from .steps import STEPS
from .two_ways import Scene, frozen_clock, observe

EMULATED = partial(Emulator, seed=1, clock=frozen_clock)


@pytest.fixture(scope="module")
def plain_run():
    """Make every step with plain gspread."""
    with EMULATED() as emulator:
        scene = Scene(emulator.gspread_client(), emulator)
        return {name: observe(scene, step) for name, step in STEPS.items()}


@pytest.fixture(scope="module")
def jobs():
    """Collect the names of the calls that were put into the queue."""
    return set()


@pytest.fixture(scope="module")
def queued_run(tmp_path_factory, redis_url, jobs):
    """Make every step through the queue."""
    sent = Caller.send

    def noting(self, job_id, lane, body, *args):
        job = decode(body)[0]
        jobs.add(f"{KINDS[job.kind].cls.__name__}.{job.method}")
        return sent(self, job_id, lane, body, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Caller, "send", noting)
        return _through_the_queue(tmp_path_factory.mktemp("queued"), redis_url)


@pytest.fixture(scope="module")
def held_run(tmp_path_factory, redis_url):
    """Make every step through the queue, with every call held at its second request."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "Suspender", partial(Suspender, few=0))
        return _through_the_queue(tmp_path_factory.mktemp("held"), redis_url)


def _through_the_queue(folder, redis_url):
    with EMULATED() as emulator:
        key_file = folder / "service_account.json"
        emulator.write_service_account(key_file)
        client = make_client(service_account=key_file, api_endpoint=emulator.url)
        with Server(client, redis_url=redis_url, namespace=folder.name, **UNLIMITED):
            scene = Scene(
                queued_gspread.authorize(redis_url=redis_url, namespace=folder.name), emulator
            )
            return {name: observe(scene, step) for name, step in STEPS.items()}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("aspect", ["result", "raised", "warned", "properties", "requests"])
def test_a_step_is_the_same_both_ways(plain_run, queued_run, name, aspect):
    """What a step returns, raises, warns of, changes and sends is what plain gspread does."""
    assert getattr(queued_run[name], aspect) == getattr(plain_run[name], aspect)


def test_a_step_is_the_same_where_its_run_is_held(plain_run, held_run):
    """A call that is held at each of its requests does what plain gspread does."""
    assert {name for name in STEPS if held_run[name] != plain_run[name]} == set()
    assert threads("held call") == []


def test_every_public_method_is_called(queued_run, jobs):
    """The steps put every public method of the four classes into the queue."""
    every = {f"{kind.cls.__name__}.{name}" for kind in KINDS.values() for name in kind.calls}
    assert every - jobs == set()


def test_most_steps_succeed(plain_run):
    """The steps reach what they mean to reach: only those that are meant to fail raise."""
    failed = {name for name, seen in plain_run.items() if seen.raised is not None}
    meant = {name for name in STEPS if any(word in name for word in _MEANT_TO_FAIL)}
    assert failed <= meant


_MEANT_TO_FAIL = (
    *("unknown", "wrong", "bad", "nan", "object", "update set", "generator", "map"),
    *("again", "taken", "no int", "at top", "nothing", "unsupported", "beyond", "headers"),
    *("missing",),
)
