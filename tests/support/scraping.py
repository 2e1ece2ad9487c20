"""Asks a server's port for metrics, and reads what it answers."""

from __future__ import annotations

import re
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families
from waiting import PATIENCE


def get(url):
    """Return the status of an answer and its text."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def samples(text):
    """Return the samples of a scrape by name and labels, without the namespace."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "queue"}
            found[(sample.name, *labels.values())] = sample.value
    return found


def names_in(expression):
    """Return the metrics that an expression of Prometheus's language names."""
    return set(re.findall(r"\bqueued_gspread_\w+", expression))
