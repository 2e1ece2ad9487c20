"""Jobs that stand where others stood that were withdrawn: a lane's places come again."""

from __future__ import annotations

import random as chances

from gspread.utils import ValueInputOption
from waiting import eventually

from queued_gspread.protocol.messages import Job, new_id


class EqualPlaces:
    """Puts jobs where a server has been told of others.

    Args:
        redis: The server's Redis.
        keys: The names of its namespace's keys.
        sheet: A queued worksheet that the jobs append rows to.

    """

    def __init__(self, redis, keys, sheet):
        self._redis, self._keys, self._sheet = redis, keys, sheet
        self._lane = sheet.spreadsheet_id.encode()

    def throw(self, count, seed):
        """Put so many jobs so; return how many were made, and what should not have been.

        The server is told of a lane with a job that was withdrawn, and in that one's place there
        stands another job, as after two enqueues in one millisecond.
        """
        random = chances.Random(seed)
        kept = [
            self._put(f"kept-{number}", f"withdrawn-{number}", random) for number in range(count)
        ]
        rows = [cell for row in self._sheet.get_all_values() for cell in row]
        wrong = [f"made, although it was withdrawn: {row}" for row in rows if "withdrawn" in row]
        for number, (job_id, gone_id) in enumerate(kept):
            times = rows.count(f"kept-{number}")
            if times != 1:
                wrong.append(f"made {times} times: kept-{number}")
            if not self._redis.exists(self._keys.reply(job_id)):
                wrong.append(f"no reply: kept-{number}")
            if self._redis.exists(self._keys.reply(gone_id)):
                wrong.append(f"a reply to what was withdrawn: withdrawn-{number}")
        return sum(row.startswith("kept") for row in rows), wrong

    def _put(self, row, withdrawn, random):
        """Put a job in the place of another; return the ids of both."""
        job_id, gone_id = new_id(), new_id()
        seconds, micros = self._redis.time()
        place = f"{seconds * 1000 + micros // 1000}-{random.choice([0, 0, 3])}".encode()
        size = str(len(self._lane)).encode()
        told = b"\0".join([b"", place, gone_id.encode(), size, self._lane + self._job(withdrawn)])
        epoch = self._redis.hget(self._keys.server, "epoch").decode()
        pipeline = self._redis.pipeline(transaction=True)
        fields = [b"id", job_id.encode(), b"body", self._job(row)]
        pipeline.execute_command("XADD", self._keys.lane(self._lane.decode()), place, *fields)
        pipeline.incr(self._keys.depth)
        pipeline.sadd(self._keys.active, self._lane)
        pipeline.rpush(self._keys.ready_under(epoch), told)
        pipeline.execute()
        eventually(lambda: not self._redis.exists(self._keys.active), "the queue is worked off")
        return job_id, gone_id

    def _job(self, row):
        sheet = self._sheet
        book = {"id": sheet.spreadsheet_id, "title": "Book"}
        target = {"spreadsheet": book, "properties": dict(sheet._properties)}
        return Job("worksheet", "append_row", target, ([row], ValueInputOption.raw)).encode()
