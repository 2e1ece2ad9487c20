"""No job is made twice, made after its withdrawal, or lost: steps drawn at random from a seed."""

from __future__ import annotations

import random

import pytest
from broker_helpers import enqueue, milliseconds_of
from one_job import acquire, answer

from queued_gspread.broker import Producer
from queued_gspread.broker import keys as broker_keys
from queued_gspread.broker.connection.client import connect
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.broker.withdrawal import UNDONE
from queued_gspread.protocol.messages import new_id


class History:
    """What was tried of each job, what its caller was told of it, and which were made."""

    def __init__(self, settings, server, raw, keys, chance):
        self.settings, self.server, self.raw, self.keys = settings, server, raw, keys
        self.chance, self.connection = chance, connect(settings.redis_url)
        # Of each job: a time before its first try, and the entry that its caller knows.
        self.sent, self.entries = {}, {}
        self.taken_back, self.undone, self.made = set(), set(), set()
        self.places = []

    def step(self):
        steps = (self.put_in, self.put_in, self.move, self.again, self.withdraw, self.serve)
        self.chance.choice(steps)()

    def put_in(self):
        job_id = new_id()
        self.sent[job_id] = milliseconds_of(self.raw)
        self.entries[job_id] = self._try(job_id)

    def move(self):
        """Put a job into an empty lane, at a place that another one had."""
        lane = self.keys.lane("lane")
        if self.places and not self.raw.exists(lane):
            self.put_in()
            for _, fields in self.raw.xrange(lane):
                self.raw.delete(lane)
                place = self.raw.xadd(lane, fields, id=self.chance.choice(self.places))
                self.entries[fields["id"]] = place

    def again(self):
        """Try a job once more, perhaps when it is forgotten."""
        if self.sent:
            self._try(self.chance.choice([*self.sent]))

    def _try(self, job_id):
        args = [job_id, job_id, "lane", broker_keys.remembered_ms(), self.sent[job_id]]
        entry = self.connection.run("enqueue", self.keys.of_enqueue("lane"), args)[0].decode()
        return "" if entry in ("0-1", "late") else entry

    def withdraw(self, job_id=None):
        if self.sent:
            job_id = job_id or self.chance.choice([*self.sent])
            entry = self.chance.choice(["", self.entries[job_id]])
            wait = Wait(job_id, "lane", None, entry, first=self.sent[job_id])
            self.taken_back.add(job_id)
            if Producer(self.settings).withdraw(wait) in UNDONE:
                assert job_id not in self.made
                self.undone.add(job_id)

    def serve(self):
        """Make the first call of the lane, which may be taken back, and another come, meanwhile."""
        head = self.server.head("lane")
        if head is None:
            return
        self.places.append(head.stream_id)
        if self.chance.random() < 0.5:
            self.withdraw(head.job_id)
            self.move()
        if acquire(self.server, head, self.chance.choice("rw")).word == "go":
            assert head.job_id not in self.made | self.undone
            self.made.add(head.job_id)
        answer(self.server, head, b"reply")
        if self.chance.random() < 0.5:
            self.raw.delete(self.keys.reply(head.job_id))

    def end(self):
        while self.raw.exists(self.keys.lane("lane")):
            self.serve()
        put_in = {job_id for job_id, entry in self.entries.items() if entry}
        assert put_in <= self.made | self.taken_back


@pytest.mark.parametrize("seed", range(5))
def test_each_job_is_made_once_whatever_comes(settings, server, raw, keys, monkeypatch, seed):
    """Places that come again, late tries and withdrawals of all kinds double and lose no job."""
    monkeypatch.setattr(broker_keys, "REMEMBERED", 0.02)
    enqueue(settings, "other")
    history = History(settings, server, raw, keys, random.Random(seed))
    for _ in range(150):
        history.step()
    history.end()
    assert len(history.made) > 10
