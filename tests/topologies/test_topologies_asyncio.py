"""Clients of asyncio with each topology of Redis, and over TLS."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from async_waiting import be_answered_before
from throwaway_ca import Ca
from topologies import Cluster, Daemon, Encrypted, Sentinels, each_binary, newest_redis, speaks_tls
from waiting import PATIENCE

import queued_gspread.asyncio as gspread
from queued_gspread import errors
from queued_gspread.broker.connection import client as connection

PASSWORDS = "redis-password", "sentinel-password"


@pytest.fixture(params=["sentinels", "cluster"])
def group(request, namespace):
    """Return a master with replicas, in each topology."""
    make = {
        "sentinels": lambda: Sentinels(newest_redis()),
        "cluster": lambda: Cluster(newest_redis(), namespace),
    }
    with make[request.param]() as group:
        yield group


async def rows_of(sheet, numbers):
    """Append a row for each number; return those whose call had an answer."""
    done = await asyncio.gather(
        *(sheet.append_row([number]) for number in numbers), return_exceptions=True
    )
    told = [each for each in done if isinstance(each, BaseException)]
    assert {type(each) for each in told} <= {
        errors.BrokerUnavailableError,
        errors.JobLostError,
        errors.OutcomeUnknownError,
    }
    return [
        str(number) for number, each in zip(numbers, done, strict=True) if isinstance(each, dict)
    ]


def test_calls_outlast_a_failover(group, namespace, start_server):
    """Calls reach the master, and the next one; no row that was answered is lost or doubled."""
    start_server(group.url)

    async def main():
        client = gspread.authorize(redis_url=group.url, namespace=namespace)
        sheet = await (await client.create("Book")).get_sheet1()
        made = await rows_of(sheet, range(20))
        assert len(made) == 20
        during = asyncio.ensure_future(rows_of(sheet, range(20, 60)))
        await asyncio.to_thread(group.fail_over)
        made += await asyncio.wait_for(during, PATIENCE)
        made += await asyncio.wait_for(rows_of(sheet, range(60, 80)), PATIENCE)
        assert made[-1] == "79"
        there = await sheet.col_values(1)
        assert len(there) == len(set(there))
        assert set(made) <= set(there)

    asyncio.run(main())


def test_a_master_that_steps_down_is_left(group, namespace, start_server):
    """A client whose Redis lives on as a replica goes to the new master."""
    start_server(group.url)

    async def main():
        client = gspread.authorize(redis_url=group.url, namespace=namespace)
        sheet = await (await client.create("Book")).get_sheet1()
        await asyncio.to_thread(group.hand_over)
        for number in range(5):
            with suppress(errors.BrokerUnavailableError):
                await asyncio.wait_for(sheet.append_row([number]), PATIENCE)
        assert (await asyncio.wait_for(sheet.append_row(["last"]), PATIENCE))["updates"]

    asyncio.run(main())


def test_both_passwords_are_used_and_never_shown(namespace):
    """The right passwords reach the Redis; the error of a wrong one names neither."""

    async def told(url):
        client = gspread.authorize(redis_url=url, namespace=namespace, timeout=0.1)
        with pytest.raises(errors.QueuedGspreadError) as raised:
            await client.open("Book")
        return raised.value

    with Sentinels(newest_redis(), *PASSWORDS) as group:
        assert isinstance(asyncio.run(told(group.url)), errors.CallTimeoutError)
        for wrong in PASSWORDS:
            error = asyncio.run(told(group.url.replace(wrong, "wrong")))
            assert isinstance(error, errors.BrokerUnavailableError)
            assert "check the user" in str(error)
            assert not any(word in str(error) for word in PASSWORDS)


@pytest.mark.skipif(not speaks_tls(newest_redis()), reason="this Redis was built without TLS")
def test_a_call_over_tls(namespace, start_server, tmp_path):
    """Calls work over TLS with the CA that the URL names, and with no other."""
    folders = tmp_path / "ca", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    ca, other = map(Ca, folders)
    with Encrypted(newest_redis(), ca.pair("server")) as redis:
        start_server(redis.url(ssl_ca_certs=ca.file))

        async def main(known):
            url = redis.url(ssl_ca_certs=known.file)
            client = gspread.authorize(redis_url=url, namespace=namespace)
            return (await (await client.create("Book")).get_sheet1()).title

        assert asyncio.run(main(ca)) == "Sheet1"
        with pytest.raises(errors.BrokerUnavailableError, match="ssl_ca_certs=FILE"):
            asyncio.run(main(other))


@pytest.mark.parametrize("binary", each_binary())
def test_a_new_call_wakes_the_read(binary, serve, gate, namespace, monkeypatch):
    """On each server program, calls that come while another waits are answered before it."""
    monkeypatch.setattr(connection, "SLICE", 10 * PATIENCE)
    monkeypatch.setitem(connection.OPTIONS, "socket_timeout", 20 * PATIENCE)
    with Daemon(binary) as daemon:
        server = serve(redis_url=f"redis://{daemon.host}/0")
        client = gspread.authorize(redis_url=f"redis://{daemon.host}/0", namespace=namespace)
        asyncio.run(be_answered_before(client.http_client, gate, 5))
        server.stop()
