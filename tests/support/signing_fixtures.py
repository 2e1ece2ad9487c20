"""Keys, jobs and entries for the tests of signing."""

from __future__ import annotations

import pytest
from gate import cell_of
from waiting import GRACE

from queued_gspread.broker import Entry
from queued_gspread.protocol.messages import Job
from queued_gspread.settings import Settings

KEY, OTHER = "k" * 40, "o" * 40


@pytest.fixture
def key_of(tmp_path):
    """Return a function that writes a signing key file."""

    def write_keys(*keys, name="signing.key"):
        path = tmp_path / name
        path.write_text("\n".join(keys))
        path.chmod(0o600)
        return path

    return write_keys


@pytest.fixture
def signing_key(key_of):
    return key_of(KEY)


@pytest.fixture
def signed(redis_url, namespace, signing_key):
    """Return the settings of a client that signs."""
    return Settings(redis_url, namespace, grace=GRACE, signing_key_file=str(signing_key))


def job():
    return Job("http_client", "request", args=("get", cell_of("lane"))).encode()


def entry_of(message, job_id="a" * 32, lane="lane", age=0.0, place="1-1"):
    return Entry(lane, place, job_id, message, "", 1, age)
