"""Broken jobs for a real server: a process of its own, on a real Redis and the emulator.

What has to hold: the server goes on, every broken job with an id that can be read gets an error
for its reply, and nothing reaches Google but requests of well-formed jobs.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import redis
from flood import memory_of
from limits import UNLIMITED
from processes import ServerProcess
from waiting import eventually

import queued_gspread
from queued_gspread.broker.envelope import Envelope
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import QueuedGspreadError
from queued_gspread.protocol.messages import Reply, new_id
from queued_gspread.protocol.signing import is_signed
from queued_gspread.server.replay.advance import decode
from queued_gspread.settings import Settings

from .equal_places import EqualPlaces
from .mutations import OF_BYTES, OF_JOBS, broken
from .samples import jobs

if TYPE_CHECKING:
    from pathlib import Path

_BATCH = 250
_WARM_UP = 5000
_LANES = [b"one", b"two", b"", b"-", b"\xff\xfe", b"a b{c}:d", b"x" * 3000, "ü".encode()]
_ODD_IDS = [b"", b"\xff", b"a b", b"x" * 65, b"../..", b"{}", "ü".encode(), b"a:b", b"id\n"]


@dataclass
class Entry:
    """An entry of a lane's stream, and what has to become of it.

    Attributes:
        how: How it was broken, in a word.
        lane: Where it is put.
        fields: Names and values, in order; a name may occur twice.
        job_id: The id under which a reply has to come; '' where it cannot be read.
        may_send: Whether it is a well-formed job, whose call may be made.
        message: The job as the server sees it.

    """

    how: str
    lane: bytes
    fields: list[bytes]
    job_id: str
    may_send: bool
    message: bytes


@dataclass
class Tally:
    """What became of the entries."""

    by_mutation: Counter = field(default_factory=Counter)
    by_outcome: Counter = field(default_factory=Counter)
    valid: int = 0
    wrong: list[str] = field(default_factory=list)
    memory: tuple[float, float] = (0.0, 0.0)


class Fuzzed:
    """A server that is fuzzed, with an emulator in Google's place.

    Args:
        redis_url: Where its Redis is.
        emulator: The emulator, already started.
        folder: For its log and its key files.
        signed: Whether the server has a signing key.

    """

    def __init__(self, redis_url, emulator, folder: Path, *, signed=False):
        self.namespace = "fuzz-signed" if signed else "fuzz"
        self._emulator = emulator
        self._is_signed = signed
        key = None
        if signed:
            key = folder / "signing.key"
            key.write_text("k" * 64)
            key.chmod(0o600)
        account = folder / "service_account.json"
        emulator.write_service_account(account)
        self._settings = Settings(
            redis_url, self.namespace, grace=10.0, signing_key_file=key and str(key)
        )
        self._envelope = Envelope(self._settings)
        self._keys = Keys(self.namespace)
        self._redis = redis.Redis.from_url(redis_url)
        self.server = ServerProcess(
            folder / f"{self.namespace}.log",
            *("--redis-url", redis_url, "--namespace", self.namespace),
            *("--service-account", account, "--api-endpoint", emulator.url),
            *("--retry-for", "0", "--log-level", "error"),
            *(f"--{name.replace('_', '-')}={limit}" for name, limit in UNLIMITED.items()),
            *(("--signing-key-file", key) if signed else ()),
        )
        self.client = queued_gspread.authorize(
            redis_url=redis_url, namespace=self.namespace, signing_key_file=key
        )
        self._begin_book()

    def close(self):
        self.server.end()
        self._redis.close()

    def _begin_book(self):
        """Take a new spreadsheet: what well-formed jobs write to one makes its answers large."""
        self.sheet = self.client.create("Fuzz").sheet1
        self.sheet.update_acell("B1", "a" * 60)  # what an endless pattern meets
        self._samples = [job.encode() for job in jobs(self.sheet.spreadsheet_id)]

    def throw(self, count, seed):
        """Throw so many broken jobs at the server; return what became of them."""
        random, tally, left = Random(seed), Tally(), count
        warm = min(count // 2, _WARM_UP)
        while left:
            size = min(_BATCH, left)
            # Apart, so that a request that must not have been sent is seen.
            entries = [self._entry(random) for _ in range(size)]
            for may_send in (False, True):
                self._serve([one for one in entries if one.may_send is may_send], tally, may_send)
            self._call(tally)
            self.client.del_spreadsheet(self.sheet.spreadsheet_id)
            self._begin_book()
            left -= size
            if count - left >= warm and not tally.memory[0]:
                tally.memory = (memory_of(self.server.process.pid), 0.0)
        tally.memory = (tally.memory[0], memory_of(self.server.process.pid))
        tally.wrong += [
            f"the server's log tells of: {error}" for error in errors_of(self.server.log)
        ]
        return tally

    def throw_in_equal_places(self, count, seed):
        """Put so many jobs in places of others; return how many were made, and what is wrong."""
        return EqualPlaces(self._redis, self._keys, self.sheet).throw(count, seed)

    def make(self, count, threads=8):
        """Make so many valid calls; return the server's memory before and after, in MiB."""
        for _ in range(min(count, _WARM_UP)):
            self.sheet.acell("A1")
        before = memory_of(self.server.process.pid)
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(self._read_some, [count // threads] * threads):
                pass
        return before, memory_of(self.server.process.pid)

    def _read_some(self, count):
        for number in range(count):
            self.sheet.acell("A1")
            if number % 500 == 0:
                self._emulator.clear_ledger()

    def _entry(self, random) -> Entry:
        how, body = broken(random, random.choice(self._samples), OF_JOBS)
        lane, job_id = random.choice(_LANES[:2]), new_id()
        message = body
        if self._is_signed:
            message = self._forged(random, body, job_id, lane)
        fields = [b"id", job_id.encode(), b"body", message]
        if random.random() < 0.1:
            how, lane = "odd lane", random.choice(_LANES)
        elif random.random() < 0.1:
            how, fields, message = self._odd_fields(random, fields, message)
        shown = _first(fields, b"id")
        is_readable = shown.isalnum() and len(shown) <= 64
        may_send = message is not None and self._is_well_formed(message, shown, lane)
        return Entry(how, lane, fields, shown.decode() if is_readable else "", may_send, message)

    def _forged(self, random, body, job_id, lane):
        """Return a job for a server with a key: of nobody, or altered on its way."""
        if random.random() < 0.3:
            return body
        signed, _ = self._envelope.job(job_id, lane.decode(), random.choice(self._samples))
        forged = signed
        while forged == signed:
            forged = random.choice(OF_BYTES)(random, signed)
        return forged

    @staticmethod
    def _odd_fields(random, fields, message):
        how = random.choice(["odd id", "no fields", "doubled fields", "odd names", "swapped"])
        if how == "odd id":
            return how, [b"id", random.choice(_ODD_IDS), *fields[2:]], message
        if how == "no fields":
            kept = random.choice([fields[:2], fields[2:], [b"foo", b"bar"]])
            return how, kept, _first(kept, b"body")
        if how == "doubled fields":
            return how, [*fields, b"body", b"{}"], b"{}"
        if how == "odd names":
            return how, [b"ID", fields[1], b"Body", message], b""
        return how, [*fields[2:], *fields[:2]], message

    def _is_well_formed(self, message, job_id, lane):
        if self._is_signed:
            return False  # its signature does not fit
        try:
            decode(message)
        except QueuedGspreadError:
            return False
        return True

    def _serve(self, entries, tally, may_send):
        """Put entries into their lanes, and look at what became of each."""
        before = len(self._emulator.ledger)
        self._put(entries)
        waiting = {self._keys.reply(entry.job_id): entry for entry in entries if entry.job_id}
        eventually(self._is_idle, f"the queue is worked off; {self._state()}")
        replies = self._replies(list(waiting))
        for key, entry in waiting.items():
            self._judge(entry, replies[key], tally)
        for entry in entries:
            tally.by_mutation[entry.how] += 1
            if not entry.job_id:
                tally.by_outcome["dropped: no readable id"] += 1
        sent = self._emulator.ledger[before:]
        if sent and not may_send:
            tally.wrong.append(f"requests of jobs that are not well-formed: {sent[:3]}")
        self._emulator.clear_ledger()

    def _put(self, entries):
        epoch = self._redis.hget(self._keys.server, "epoch").decode()
        pipeline = self._redis.pipeline(transaction=True)
        for entry in entries:
            pipeline.execute_command(
                "XADD", self._keys.lane("").encode() + entry.lane, "*", *entry.fields
            )
        for lane in {entry.lane for entry in entries}:
            pipeline.sadd(self._keys.active, lane)
            pipeline.rpush(self._keys.ready_under(epoch), lane)
        pipeline.execute()

    def _is_idle(self):
        return self.server.process.poll() is not None or not self._redis.exists(self._keys.active)

    def _state(self):
        return f"active: {self._redis.smembers(self._keys.active)}, log: {self.server.log[-2000:]}"

    def _replies(self, keys):
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.xrange(key)
        found = pipeline.execute()
        if keys:
            self._redis.unlink(*keys)
        return dict(zip(keys, found, strict=True))

    def _judge(self, entry, reply, tally):
        if not reply:
            tally.wrong.append(f"no reply: {entry}")
            return
        body = reply[0][1][b"body"]
        try:
            if is_signed(body):
                body = self._envelope.reply(
                    entry.job_id, entry.lane.decode("utf-8", "surrogateescape"), entry.message, body
                )
            error = Reply.decode(body, _Anything()).error
        except (QueuedGspreadError, UnicodeDecodeError) as failed:
            tally.wrong.append(f"an unreadable reply ({failed!r}): {entry}")
            return
        tally.by_outcome["made" if error is None else type(error).__name__] += 1
        if error is None and not entry.may_send:
            tally.wrong.append(f"made, although it is not well-formed: {entry}")

    def _call(self, tally):
        """Make a valid call among the broken ones."""
        began = time.monotonic()
        self.sheet.update_acell("A1", str(tally.valid))
        if self.sheet.acell("A1").value != str(tally.valid):
            tally.wrong.append(f"a valid call went wrong after {time.monotonic() - began:.1f} s")
        tally.valid += 1
        self._emulator.clear_ledger()


class _Anything:
    """What spreadsheets and worksheets of a reply become here: nothing in particular."""

    def spreadsheet(self, properties):
        return properties

    def worksheet(self, spreadsheet, properties):
        return properties


def errors_of(log):
    """Return the errors of the program that a log tells of, each once, with its last frame."""
    found = {}
    for text in log.split("please report it")[1:]:
        frames = [line.strip() for line in text.splitlines() if line.startswith("  File ")]
        ends = [line for line in text.splitlines()[2:] if line[:1].isalpha()]
        found.setdefault((frames or [""])[-1], (ends or [text])[0])
    return [f"{end} ({frame})" for frame, end in found.items()]


def _first(fields, name):
    """Return the value of a field as the server reads it: of the last that has the name."""
    found = b""
    for key, value in zip(fields[::2], fields[1::2], strict=True):
        found = value if key == name else found
    return found
