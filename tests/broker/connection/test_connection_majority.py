"""What a majority says of the master, as plain data."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hand_clock import HandClock

from queued_gspread.broker.connection import discovery as discovery_module
from queued_gspread.broker.connection.discovery import SentinelGuide
from queued_gspread.broker.connection.majority import Named, Opinion, majority

OLD, NEW = ("10.0.0.1", 6379), ("10.0.0.2", 6379)


def said(voter, address=OLD, voters=3, replicas=()):
    return Opinion(voter, str(address), address, voters, replicas=frozenset(replicas))


@pytest.mark.parametrize(
    ("opinions", "address"),
    [
        ([said("a"), said("b")], OLD),
        ([said("a"), said("b", NEW), said("c", NEW)], NEW),
        ([said("a", voters=1)], OLD),
        ([said("a")], None),
        ([said("a"), said("b", NEW)], None),
        ([], None),
    ],
    ids=["two of three", "one is late", "there is one", "one of three", "they differ", "nobody"],
)
def test_more_than_half_of_all_have_to_name_it(opinions, address):
    """A master is named by more than half of all there are, answered or not."""
    found = majority(opinions)
    assert (found and found.address) == address


def test_who_is_asked_at_two_addresses_has_one_vote():
    """The same Sentinel under two names of the URL is one."""
    assert majority([said("a"), said("a")]) is None


def test_one_without_a_vote_is_not_counted():
    """A replica in a Cluster says where its master is, and has no vote."""
    assert majority([said("a"), said("")]) is None


def test_the_hosts_of_a_url_count_though_nobody_names_them():
    """Sentinels that were told to forget the others are not all there are."""
    assert majority([said("a", voters=1)], least=3) is None


def test_the_largest_number_that_anybody_knows_of_counts():
    """One that has just met some of the others does not make a majority smaller."""
    assert majority([said("a", voters=1), said("b", voters=5)]) is None


def sentinel_that_knows(monkeypatch, *others):
    """Return who asks the one Sentinel of the URL, which names so many others."""
    discovery = SentinelGuide((("a", 1),), {})
    states = [{"runid": name, "ip": name, "port": 1} for name in others]
    answers = [OLD, states, []]
    pipeline = SimpleNamespace(
        sentinel_get_master_addr_by_name=lambda name: None,
        execute_command=lambda *command: None,
        execute=lambda **options: answers,
    )
    client = SimpleNamespace(pipeline=lambda **options: pipeline)
    monkeypatch.setattr(discovery, "_client", lambda host: client)
    return discovery, states


def test_a_sentinel_that_has_forgotten_the_others_is_no_majority(monkeypatch):
    """One that was reset, or starts anew, may name an old master: there were three just now."""
    discovery, states = sentinel_that_knows(monkeypatch, "b", "c")
    discovery.opinion(("a", 1), "mymaster")
    states.clear()
    assert majority([discovery.opinion(("a", 1), "mymaster")], discovery.least) is None


def test_a_sentinel_that_has_forgotten_the_others_has_one_vote_by_two_names(monkeypatch):
    """It is asked as the URL names it, and as the others have named it before."""
    discovery, _ = sentinel_that_knows(monkeypatch)
    said = [discovery.opinion(host, "mymaster") for host in (("a", 1), ("10.0.0.9", 1))]
    assert majority(said, least=3) is None


def test_sentinels_that_were_removed_count_no_longer_after_a_while(monkeypatch):
    """Those that nobody has known for some minutes are not waited for."""
    clock = HandClock()
    monkeypatch.setattr(discovery_module, "now", clock)
    discovery, states = sentinel_that_knows(monkeypatch, "b")
    discovery.opinion(("a", 1), "mymaster")
    states.clear()
    clock.now = 301.0
    alone = discovery.opinion(("a", 1), "mymaster")
    assert majority([alone], discovery.least) == Named(OLD)


@pytest.mark.parametrize(
    ("seen", "up"),
    [
        (["xy", "xy", "xy"], 2),
        (["xy", "x", "xy"], 2),
        (["xy", "x", "x"], 1),
        (["xy", "x"], 2),
        (["", "", ""], 0),
    ],
)
def test_a_replica_is_up_unless_a_majority_sees_it_down(seen, up):
    """A replica that may be the next master must have the intents."""
    opinions = [said(str(number), replicas=each) for number, each in enumerate(seen)]
    assert majority(opinions) == Named(OLD, up)
