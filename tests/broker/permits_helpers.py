"""The valve's scripts in a Redis whose clock the tests set."""

from __future__ import annotations

import json

from one_job import acquire, release_slot

from queued_gspread.broker import Consumer, Slot

WINDOW = 60.0
LANE = "lane"


class RedisClock:
    """Redis's clock as the scripts see it, in seconds."""

    def __init__(self, raw, key):
        self._raw, self._key = raw, key
        self.set(1_000_000.0)

    def set(self, now):
        self.now = now
        microseconds = round(now * 1e6)
        self._raw.set(self._key, json.dumps(divmod(microseconds, 1_000_000)))

    def advance(self, seconds):
        self.set(self.now + seconds)


class Asked:
    """What was asked for, with names for the slots."""

    def __init__(self, server, entry, limit, **slot):
        self.server, self.entry, self.limit = server, entry, limit
        self.given = {"kind": "write", "window": WINDOW, **slot}
        self.count = 0

    def slot(self):
        self.count += 1
        name = f"{self.server.epoch}/{self.count}"
        return Slot(**{"name": name, "limit": self.limit, **self.given})

    def acquire(self, slot=None):
        slot = slot or self.slot()
        return slot, acquire(self.server, self.entry, "w", None, slot)

    def release_slot(self, slot, permit, **answer):
        return release_slot(self.server, self.entry, slot, permit.sent, **answer)

    def go(self, **answer):
        """Send a request that is answered at once."""
        slot, permit = self.acquire()
        assert permit.word == "go"
        return self.release_slot(slot, permit, **answer)


def take_over(server):
    """Let the server be gone and another take over, which `server` is from then on."""
    server.release()
    successor = Consumer(server.settings, "successor")
    successor.beat(5.0)
    successor.recover(WINDOW)
    server.epoch = successor.epoch
