"""What a Redis may drop whose memory is full: nothing that a call depends on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis
from broker_helpers import enqueue
from one_job import answer

import queued_gspread.broker
from queued_gspread.broker import Consumer
from queued_gspread.errors import ConfigurationError
from queued_gspread.settings import Settings

BROKER = Path(queued_gspread.broker.__file__).parent
# Whatever gives a key an expiry, with the key.
EXPIRIES = re.compile(r"'P?EXPIRE(?:AT)?', ([^,]+),|'SET', ([^,]+),[^)]*'P?EX'|\.expire\((.+?), ")
SERVICES = ("AWS ElastiCache", "Azure Cache for Redis", "Google Memorystore")


@pytest.fixture
def checked(own_redis, redis_of, namespace):
    """Return what checks the Redis after setting its policy."""

    def check(policy):
        redis_of(own_redis).config_set("maxmemory-policy", policy)
        return Consumer(Settings(own_redis.url, namespace), "aaaa").check_redis()

    return check


def fill(raw):
    """Write keys that do not expire until there is no memory left."""
    for number in range(10_000):
        raw.set(f"other:{number}", b"z" * 100_000)


@pytest.mark.parametrize("policy", ["lru", "lfu", "random", "ttl"])
def test_a_redis_that_drops_what_expires_is_warned_of(checked, policy):
    """A server takes any volatile policy, and is told what may go and how each service calls it."""
    told = checked(f"volatile-{policy}")
    assert f"maxmemory-policy 'volatile-{policy}'" in told
    assert "Calls that wait have none and are kept" in told
    assert "JobLostError" in told
    assert all(service in told for service in SERVICES)


@pytest.mark.parametrize("policy", ["lru", "lfu", "random"])
def test_a_redis_that_drops_anything_is_refused(checked, policy):
    """A server takes no allkeys policy, and its error has what each service calls the setting."""
    with pytest.raises(ConfigurationError, match=f"'allkeys-{policy}'.*may drop waiting") as caught:
        checked(f"allkeys-{policy}")
    assert all(service in str(caught.value) for service in SERVICES)
    assert "redis-cli config set maxmemory-policy noeviction" in str(caught.value)


def test_a_full_redis_drops_answers_and_no_call(own_redis, redis_of, namespace, checked):
    """Under a volatile policy a full Redis drops answers that nobody read, and keeps every job."""
    assert checked("volatile-ttl")
    raw = redis_of(own_redis)
    settings = Settings(own_redis.url, namespace)
    server = Consumer(settings, "aaaa", "server")
    server.beat(60)
    jobs = [enqueue(settings, "lane", b"x" * 1000)[0] for _ in range(20)]
    for _ in range(10):
        answer(server, server.head("lane"), b"y" * 100_000)
    raw.config_set("maxmemory", raw.info("memory")["used_memory"] + 2_000_000)
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        fill(raw)
    assert raw.info("stats")["evicted_keys"] == 10
    raw.config_set("maxmemory", 0)
    left = []
    while entry := server.head("lane"):
        left.append(entry.job_id)
        answer(server, entry, b"y")
    assert left == jobs[10:]


def test_what_has_an_expiry():
    """Only answers, renewals and requests to stop can be dropped: nothing else has an expiry."""
    sources = [*BROKER.rglob("*.lua"), *BROKER.rglob("*.py")]
    found = {
        (path.name, next(filter(None, keys)))
        for path in sources
        for keys in EXPIRIES.findall(path.read_text())
    }
    assert found == {
        ("answer.lua", "reply"),
        ("answer.lua", "reply .. '/'"),
        ("withdraw.lua", "KEYS[3]"),
        ("withdraw.lua", "KEYS[3] .. '/'"),
        ("grant.lua", "KEYS[5]"),
        ("grant.lua", "KEYS[5] .. '/'"),
        ("want.lua", "KEYS[2]"),
        ("consumer.py", "self._keys.control(server_id)"),
    }
