"""The floor: one ping-pong over two lists, through redis-py's ``Redis`` with hiredis.

It is what anybody would write first, and does nothing but carry the payload: no queue that
survives a crash, no order, no limits. The payload is what a call's job is in the queue.
"""

from __future__ import annotations

import os

import redis

from queued_gspread.protocol.identity import Identity
from queued_gspread.protocol.messages import Job

from . import PAYLOAD

_EXPIRY = 300


def _body():
    """Return the job of an ``update_acell``."""
    grid = {"rowCount": 1000, "columnCount": 26}
    properties = {"sheetId": 0, "title": "Sheet1", "index": 0, "gridProperties": grid}
    target = {"spreadsheet": {"id": "book-0", "title": "Book"}, "properties": properties}
    return Job("worksheet", "update_acell", target, ("A1", PAYLOAD), identity=Identity()).encode()


def _connection(where):
    # redis-py's own time-out, of five seconds, would cut a wait short.
    return redis.Redis.from_url(where["redis_url"], socket_timeout=None)


def caller(where):
    connection, jobs, body = _connection(where), where["namespace"], _body()

    def call(_):
        reply = f"{jobs}:{os.urandom(16).hex()}"
        connection.lpush(jobs, b" ".join([reply.encode(), body]))
        return connection.blpop(reply, 60)

    return call


def serve(where):
    connection, jobs = _connection(where), where["namespace"]
    print("ready", flush=True)
    while True:
        _, job = connection.blpop(jobs)
        reply, _, body = job.partition(b" ")
        connection.lpush(reply, body)
        connection.expire(reply, _EXPIRY)
