"""The metrics, made of a snapshot. Pure; it needs the package ``prometheus-client``.

``docs/metrics.md`` has the same list. No label has unbounded values: no spreadsheet and no caller.
Accounts are as many as the server has keys.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prometheus_client import Metric

    from queued_gspread.monitor import Snapshot
    from queued_gspread.monitor.resources import AccountQuota
    from queued_gspread.monitor.snapshot import Server

    Values: TypeAlias = Mapping[tuple[str, ...], float | None]

__all__ = ["families_of", "own_families"]

_PREFIX: Final = "queued_gspread_"
_STATES: Final = {"works": "working", "stands by": "standing_by", "gone": "gone"}
_OF_CALLS: Final = ("ok", "failed", "unknown", "poisoned", "late", "withdrawn", "other")
_OF_REQUESTS: Final = ("ok", "failed", "refused", "unknown", "unauthenticated")
_TIMES: Final = {
    "waited": ("call_wait", "How long calls waited, but for Google's answers."),
    "took": ("call_duration", "How long calls took, from their enqueue to their answer."),
    "answered": ("request_duration", "How long Google took to answer requests."),
}


class _Table:
    """Collects families; each of their samples has the namespace as its first label.

    That is called ``queue``: Prometheus's label ``namespace`` is mostly that of Kubernetes.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.found: list[Metric] = []

    def one(self, name: str, about: str, value: float | None) -> None:
        """Add a gauge without labels; None leaves its sample out."""
        self.gauge(name, about, (), {(): value})

    def gauge(self, name: str, about: str, labels: tuple[str, ...], values: Values) -> None:
        self._add(GaugeMetricFamily(_PREFIX + name, about, labels=self._labels(labels)), values)

    def counter(self, name: str, about: str, labels: tuple[str, ...], values: Values) -> None:
        self._add(CounterMetricFamily(_PREFIX + name, about, labels=self._labels(labels)), values)

    def info(self, name: str, about: str, values: Mapping[str, str]) -> None:
        """Add a metric that is 1, with what it says as labels."""
        family = InfoMetricFamily(_PREFIX + name, about, labels=self._labels(()))
        family.add_metric([self._namespace], dict(values))
        self.found.append(family)

    def histograms(self, snapshot: Snapshot) -> None:
        """Add how long calls and requests took."""
        for what, (name, about) in _TIMES.items():
            labels = self._labels(("kind",))
            family = HistogramMetricFamily(f"{_PREFIX}{name}_seconds", about, labels=labels)
            for each in (each for each in snapshot.histograms if each.what == what):
                bounds = [*(f"{bound:g}" for bound in each.bounds), "+Inf"]
                buckets = list(zip(bounds, accumulate(each.counts), strict=True))
                family.add_metric([self._namespace, each.kind], buckets, each.total)
            self.found.append(family)

    def _labels(self, labels: tuple[str, ...]) -> list[str]:
        return ["queue", *labels]

    def _add(self, family: GaugeMetricFamily | CounterMetricFamily, values: Values) -> None:
        for labels, value in values.items():
            if value is not None:
                family.add_metric([self._namespace, *labels], value)
        self.found.append(family)


def own_families(namespace: str, versions: Mapping[str, str], *, is_up: bool) -> list[Metric]:
    """Return what a server knows without Redis.

    Args:
        namespace: The queue.
        versions: The server's versions of this package, gspread and Python.
        is_up: Whether Redis has answered.

    """
    table = _Table(namespace)
    table.one("up", "Whether Redis answered; without it there are no further metrics.", is_up)
    table.info("build", "Versions of the server that was asked.", versions)
    return table.found


def families_of(snapshot: Snapshot) -> list[Metric]:
    """Return what the snapshot of a queue says."""
    table = _Table(snapshot.namespace)
    _add_servers(table, snapshot)
    _add_calls(table, snapshot)
    _add_requests(table, snapshot)
    table.histograms(snapshot)
    _add_quota(table, snapshot)
    _add_accounts(table, snapshot)
    _add_cache(table, snapshot)
    _add_outcomes(table, snapshot)
    return table.found


def _add_servers(table: _Table, snapshot: Snapshot) -> None:
    worker, roles = snapshot.worker, [server.role for server in snapshot.servers]
    states: Values = {(state,): roles.count(role) for role, state in _STATES.items()}
    table.gauge("servers", "Servers of the namespace.", ("state",), states)
    silent = None if worker is None else worker.silent
    table.one("lease_age_seconds", "Since the working server's latest beat.", silent)
    text = "Times that a server began to work after another one, or again."
    table.counter("takeovers", text, (), {(): snapshot.takeovers})
    text = "Until the working server's token expires; 0 without one, +Inf if it never does."
    table.one("token_expiry_seconds", text, None if worker is None else _token(worker))


def _token(worker: Server) -> float:
    if not worker.has_token:
        return 0.0
    return math.inf if worker.token_expires is None else worker.token_expires


def _add_calls(table: _Table, snapshot: Snapshot) -> None:
    is_empty = snapshot.calls_waiting + snapshot.calls_running == 0
    table.one("calls_waiting", "Calls that wait for their first request.", snapshot.calls_waiting)
    table.one("calls_running", "Calls for which a request was sent.", snapshot.calls_running)
    table.one("calls_limit", "How many calls the queue takes.", _most_calls(snapshot.worker))
    oldest = 0.0 if is_empty else snapshot.oldest_call
    table.one("oldest_call_age_seconds", "Since the oldest call was put in.", oldest)
    table.one("lanes_active", "Spreadsheets with calls in the queue.", snapshot.lanes_in_all)
    paused = sum(lane.paused != "" for lane in snapshot.lanes)
    table.one("lanes_paused", "Those of them whose first call an operator has paused.", paused)
    values: Values = {
        (each.kind, outcome): getattr(each, outcome)
        for each in snapshot.calls
        for outcome in _OF_CALLS
    }
    table.counter("calls", "Calls that have ended.", ("kind", "outcome"), values)


def _most_calls(worker: Server | None) -> float | None:
    options = () if worker is None else worker.options
    found = [option.value for option in options if option.name == "max_queue"]
    return _limit(int(found[0])) if found and found[0].isdecimal() else None


def _limit(number: int) -> float:
    return number or math.inf


def _add_requests(table: _Table, snapshot: Snapshot) -> None:
    requests, kind = snapshot.requests, ("kind",)
    values: Values = {
        (each.kind, outcome): getattr(each, outcome)
        for each in requests
        for outcome in _OF_REQUESTS
    }
    table.counter(
        "requests", "Requests to Google; each attempt counts.", ("kind", "outcome"), values
    )
    resent: Values = {(each.kind,): each.resent for each in requests}
    table.counter("requests_resent", "Those of them that were sent before.", kind, resent)
    calls: Values = {(each.kind,): each.calls for each in requests}
    text = "Calls that requests were for; a call counts once for each of its requests."
    table.counter("request_calls", text, kind, calls)
    merged: Values = {(each.kind,): each.merged for each in requests}
    table.counter("merged_calls", "Those of them that shared a request.", kind, merged)


def _add_quota(table: _Table, snapshot: Snapshot) -> None:
    def add(name: str, about: str, values: list[float | None]) -> None:
        kinds = [(each.kind,) for each in snapshot.quota]
        table.gauge(f"quota_{name}", about, ("kind",), dict(zip(kinds, values, strict=True)))

    quota = snapshot.quota
    add("limit", "Requests that a window may hold.", [_limit(each.limit) for each in quota])
    lowered = [_limit(each.effective) for each in quota]
    add("effective_limit", "The same after refusals, until it has recovered.", [*lowered])
    add("held", "Slots that are taken.", [each.held for each in quota])
    add("in_flight", "Those of them that Google has not answered.", [q.in_the_air for q in quota])
    text = "Until a slot is free; absent if that depends on an answer."
    add("next_slot_seconds", text, [each.next_slot for each in quota])
    text = "For how long no request is sent, after a refusal."
    add("pause_seconds", text, [each.pause for each in quota])
    refused: Values = {(each.kind,): each.refused for each in snapshot.requests}
    text = "Requests that Google refused for the quota."
    table.counter("quota_refusals", text, ("kind",), refused)


def _add_accounts(table: _Table, snapshot: Snapshot) -> None:
    """Add what each account may send; nothing, if the server has only one."""
    accounts = snapshot.accounts
    is_up: Values = {(each.account,): not each.is_out for each in accounts}
    text = "Whether an account of several has an access token: 0 if nothing is sent under it."
    table.gauge("account_up", text, ("account",), is_up)
    of_each = [(each.account, quota) for each in accounts for quota in each.quota]

    def values(value: Callable[[AccountQuota], float]) -> Values:
        return {(account, quota.kind): value(quota) for account, quota in of_each}

    labels = ("account", "kind")
    limits = values(lambda quota: _limit(quota.limit))
    table.gauge("account_limit", "Requests of it that a window may hold.", labels, limits)
    held = values(lambda quota: quota.held)
    table.gauge("account_held", "Slots of it that are taken.", labels, held)
    requests = values(lambda quota: quota.requests)
    table.counter("account_requests", "Requests that were sent under it.", labels, requests)


def _add_cache(table: _Table, snapshot: Snapshot) -> None:
    cache = snapshot.cache
    results: Values = {("hit",): cache.hits, ("miss",): cache.misses}
    text = "Requests of reads that may be some seconds old: answered from memory, or by Google."
    table.counter("cache_reads", text, ("result",), results)
    table.one("cache_bytes", "What the answers take that the server remembers.", cache.bytes)
    table.one("cache_limit_bytes", "What they may take; 0 if none are remembered.", cache.limit)


def _add_outcomes(table: _Table, snapshot: Snapshot) -> None:
    kept: Values = {
        ("unattended",): snapshot.outcomes_unattended,
        ("in_doubt",): snapshot.outcomes_in_doubt,
        ("other",): snapshot.outcomes_others,
    }
    text = "Failed calls that are kept until somebody dismisses them."
    table.gauge("outcomes_kept", text, ("sort",), kept)
    text = "Jobs that are kept since servers have died of them."
    table.one("jobs_poisoned", text, snapshot.jobs_poisoned)
