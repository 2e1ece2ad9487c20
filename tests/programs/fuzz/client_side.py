"""Broken replies for a real client, out of a real Redis.

What has to hold: the client returns what a well-formed reply holds, raises the exception that it
carries, or a stated error; nothing else, and in the end it makes a call as before.
"""

from __future__ import annotations

import copy
import itertools
import warnings
from collections import Counter
from random import Random
from unittest import mock

import redis
from alarms import Alarms
from calls import WORKSHEET
from hostile import look_at

import queued_gspread
from queued_gspread.broker.envelope import Envelope, bound_reply
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import QueuedGspreadError, SignatureError
from queued_gspread.protocol import objects
from queued_gspread.protocol.messages import Reply
from queued_gspread.protocol.signing import load_keys, sign
from queued_gspread.proxy.factory import Objects
from queued_gspread.settings import Settings

from .mutations import OF_BYTES, OF_REPLIES, broken
from .samples import replies

_BATCH = 500
# A call whose reply is there already takes about as long.
_MOMENTS = (0.0001, 0.002)


class Planted:
    """A client whose replies stand in Redis before it asks."""

    namespace = "fuzz-replies"

    def __init__(self, redis_url, key_file=None):
        self._redis = redis.Redis.from_url(redis_url)
        self._keys = Keys(self.namespace)
        self._client = queued_gspread.authorize(
            redis_url=redis_url, namespace=self.namespace, signing_key_file=key_file
        )
        self._http = self._client.http_client
        self._numbers = itertools.count()
        self._samples = [reply.encode() for reply in replies()]

    def close(self):
        self._redis.close()

    def throw(self, count, seed, alarmed=0.0):
        """Read so many broken replies; return what came of them, and what should not have.

        Args:
            count: How many.
            seed: What they are drawn from.
            alarmed: The share of the calls in which a signal's handler raises; their replies are
                whole ones.

        """
        with Alarms(Random(f"alarms {seed}"), alarmed, _MOMENTS) as self._alarms:
            return self._throw(count, seed, is_broken=not alarmed)

    def _throw(self, count, seed, *, is_broken):
        random, outcomes, wrong = Random(seed), Counter(), []
        for left in range(count, 0, -_BATCH):
            for _ in range(min(left, _BATCH)):
                how, fields = self._planted(random, is_broken=is_broken)
                outcome, is_right = self._read(fields)
                outcomes[outcome] += 1
                if not is_right:
                    wrong.append(f"{outcome} for a reply that was {how}: {fields!r:.300}")
            self._redis.delete(*self._redis.keys(self._keys.lane("*")), self._keys.depth)
        return outcomes, wrong

    def _planted(self, random, *, is_broken):
        """Return how a reply was broken, in a word, and its fields."""
        whole = random.choice(self._samples)
        if not is_broken:
            return "whole", [b"body", whole]
        how, body = broken(random, whole, OF_REPLIES)
        return how, self._fields(random, body)

    @staticmethod
    def _fields(random, body):
        choice = random.random()
        if choice < 0.02:
            return [b"nobody", body]
        if choice < 0.04:
            return [b"body", body, b"body", b"[]"]
        return [b"body", body]

    def _read(self, fields):
        """Return the name of what a call came to, and whether its reply explains it."""
        job_id = f"{next(self._numbers):032}"
        self._redis.execute_command("XADD", self._keys.reply(job_id), "*", *fields)
        body = dict(zip(fields[::2], fields[1::2], strict=True)).get(b"body", b"")
        told = self._told(body)
        try:
            with (
                mock.patch("queued_gspread.proxy.call.new_id", return_value=job_id),
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("ignore")
                self._alarms.around(self._sheet().acell, "A1")
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at
            if self._alarms.is_interrupt(error):
                return "interrupted", True
            look_at(error)
            if self._alarms.swallowed:
                return f"{type(error).__name__} for {self._alarms.swallowed}", False
            if isinstance(error, QueuedGspreadError):
                return type(error).__name__, True
            return _name(error), type(told) is type(error)
        if self._alarms.swallowed:
            return f"returned for {self._alarms.swallowed}", False
        return "returned", not isinstance(told, Exception)

    def _told(self, body):
        """Return the exception that a reply carries, or that says what is wrong with it."""
        try:
            return Reply.decode(body, Objects(self._http)).error
        except QueuedGspreadError as error:
            return error

    def _sheet(self):
        about, properties = WORKSHEET["spreadsheet"], copy.deepcopy(WORKSHEET["properties"])
        parent = objects.spreadsheet(self._http, dict(about))
        cls = queued_gspread.Worksheet
        return objects.worksheet(self._http, parent, about["id"], properties, cls=cls)


def _name(error):
    return f"its own {type(error).__name__}"


def throw_signed(key_file, count, seed):
    """Open so many signed replies that were altered; return what came of them, what is wrong."""
    settings = Settings(namespace=Planted.namespace, signing_key_file=str(key_file))
    envelope, keyring = Envelope(settings), load_keys(key_file, copied=False)
    samples = [reply.encode() for reply in replies()]
    random, outcomes, wrong = Random(seed), Counter(), []
    for number in range(count):
        job_id = f"{number:032}"
        job, _ = envelope.job(job_id, "lane", b"{}")
        bound = bound_reply(settings.namespace, "lane", job_id, job)
        signed = sign(keyring, "reply", bound, random.choice(samples), generation="g")
        altered = signed
        while altered == signed:
            altered = random.choice(OF_BYTES)(random, signed)
        try:
            envelope.reply(job_id, "lane", job, altered)
            wrong.append(f"taken: {altered!r:.300}")
        except SignatureError as error:
            outcomes[type(error).__name__] += 1
    return outcomes, wrong
