"""Idempotency keys while another Redis becomes the master."""

from __future__ import annotations

import pytest
from topologies import Cluster, Sentinels, newest_redis
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.errors import QueuedGspreadError


def follow(master, namespace):
    """Wait until a master's replica has all that was written before."""
    with master.client() as client:
        client.set(f"{{{namespace}}}", "")
        eventually(lambda: client.wait(1, 1000) == 1)


@pytest.mark.parametrize("topology", ["Sentinels", "Cluster"])
def test_a_key_after_a_failover(topology, namespace, emulator, start_server, client_of):
    """What the new master has of a key is what the old one had: the call is not made again."""
    binary = newest_redis()

    def keyed():
        with gspread.idempotency_key("order-1"):
            return sheet.append_row(["order"])

    def keyed_again():
        try:
            return keyed()
        except QueuedGspreadError:
            return None  # the new master is not there yet

    with Sentinels(binary) if topology == "Sentinels" else Cluster(binary, namespace) as group:
        start_server(group.url)
        sheet = client_of(group.url, timeout=PATIENCE).create("Orders").sheet1
        answer = keyed()
        follow(group.master, namespace)
        group.fail_over()
        assert eventually(keyed_again) == answer
        assert sheet.get_all_values() == [["order"]]
        assert group.has_failed_over
