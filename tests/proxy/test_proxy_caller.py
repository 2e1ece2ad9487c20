"""A client's own name, which logs and errors show."""

from __future__ import annotations

import logging
import os
import socket
from functools import partial

import pytest
from test_proxy_settings import LOGINS
from waiting import eventually

import queued_gspread
from queued_gspread.broker.waiting import notices
from queued_gspread.broker.waiting.notices import Notice
from queued_gspread.errors import CallTimeoutError, ConfigurationError, OutcomeUnknownError
from queued_gspread.protocol.messages import Job, Reply
from queued_gspread.proxy.caller import close_notice
from queued_gspread.server.calls.outcome import in_doubt, unknown
from queued_gspread.server.policy.request import Request
from queued_gspread.settings import Settings

HOST, PROCESS = socket.gethostname(), os.getpid()


@pytest.fixture
def logged(serve, gate, authorize, caplog):
    """Return what makes a call with a client and returns who made it, as the log has it."""
    gate.open()
    serve()

    def named():
        calls = [record.call for record in caplog.records if hasattr(record, "call")]
        return calls and calls[0]["caller"]

    def call(**options):
        caplog.clear()
        with caplog.at_level(logging.INFO, "queued_gspread.server"):
            authorize(**options).http_client.request("get", "https://sheets.googleapis.com/v4/x")
            # The caller has its answer before the line is written.
            return eventually(named)

    return call


def test_the_log_has_a_clients_own_name(logged, monkeypatch):
    """A call's line names the client, by argument or variable; without a name, host and process."""
    assert logged() == f"{HOST}:{PROCESS}"
    assert logged(caller="billing") == f"billing@{HOST}:{PROCESS}"
    monkeypatch.setenv("QUEUED_GSPREAD_CALLER", "nightly")
    assert logged() == f"nightly@{HOST}:{PROCESS}"
    assert logged(caller="billing") == f"billing@{HOST}:{PROCESS}"


@pytest.mark.parametrize("name", [*LOGINS, "service_account_from_dict"])
@pytest.mark.filterwarnings("ignore:these credentials do not tell whose they are")
def test_every_login_takes_a_name(name, emulator):
    """A client of whichever function has the name that it was given."""
    info = emulator.service_account_info()
    login = LOGINS.get(name) or partial(queued_gspread.service_account_from_dict, info)
    assert login(caller="billing").http_client._self_caller.settings.caller == "billing"


@pytest.mark.parametrize("name", ["a b", "x@y", "x" * 65, "Ä", "a\nb"])
def test_a_name_that_cannot_be_used_is_refused(name, monkeypatch):
    """A name that logs could not show as one word is refused when the client is made."""
    with pytest.raises(ConfigurationError, match=r"caller .* cannot be used: take 1 to 64 letters"):
        queued_gspread.authorize(caller=name)
    monkeypatch.setenv("QUEUED_GSPREAD_CALLER", name)
    with pytest.raises(ConfigurationError, match=r"caller .* cannot be used"):
        Settings.resolve()


def test_a_timeout_names_the_client(serve, authorize, hasty):
    """The error of a call whose timeout passes has the name, whichever side ends the call."""
    serve()
    http = authorize(caller="billing", timeout=0.3).http_client
    with pytest.raises(CallTimeoutError, match=r"at redis://\S+ \(caller billing\): the call"):
        http.request("get", "https://sheets.googleapis.com/v4/x")
    late = Reply(error=CallTimeoutError("late"))
    close_notice(late, 0.34, Notice(notices.now(), caller="billing"))
    assert str(late.error) == "late (billing has waited for 0.3 s)"


@pytest.mark.parametrize(
    ("caller", "told"),
    [
        (("billing@web1", 1), "client.open on 'Orders' by billing@web1: "),
        (("web1", 1), "client.open on 'Orders': "),
        ((None, 1), "client.open on 'Orders': "),
        (("a\n@b", 1), r"client.open on 'Orders' by a\\n@b: "),
    ],
)
def test_an_unknown_outcome_names_the_client(caller, told):
    """The error of a write in doubt names the client that has a name, on one line."""
    job = Job("client", "open", None, ("Orders",), caller=caller)
    error = in_doubt(unknown(None, "gone"), job, Request("post", "https://x/v4/y"), None)
    with pytest.raises(OutcomeUnknownError, match=f"^OutcomeUnknownError: {told}"):
        raise error


def test_a_notice_names_the_client(monkeypatch, caplog):
    """The warning of a call that waits for long begins with the client's name if it has one."""
    monkeypatch.setattr(notices._Latest, "process", 0)
    notice = Notice(notices.now(), caller="billing")
    notice.say("waiting")
    notice.end()
    first, last = (record.getMessage() for record in caplog.records)
    assert first == "queued_gspread (billing): waiting"
    assert last.startswith("queued_gspread (billing): goes on after")
