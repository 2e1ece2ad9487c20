"""Every kind of account: started, called, renewed, swapped under load, and refused."""

from __future__ import annotations

import json
import threading
import traceback
from urllib.parse import parse_qs

import pytest
from account_kinds import CLOUD, FROM_FILES, IAM, KINDS, SHEETS
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError
from limits import UNLIMITED
from overheard import Wire
from waiting import PATIENCE, eventually

from queued_gspread.emulator import Emulator
from queued_gspread.server import Server
from queued_gspread.server.timing import Timing

THREADS = 6
BEFORE, AFTER = 2, 3


@pytest.fixture
def google():
    """Return an emulator of this test alone."""
    with Emulator(seed=1) as emulator:
        yield emulator


@pytest.fixture
def start(google, redis_url, namespace):
    """Return what starts a server with an account of a kind."""
    servers = []

    def start(kind, **options):
        chosen = {"redis_url": redis_url, "namespace": namespace, **UNLIMITED}
        chosen |= {"api_endpoint": google.url, "timing": Timing(key_file_check=0.01)}
        servers.append(Server(**chosen, **kind.options, **options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def kind_of(google, tmp_path, monkeypatch):
    """Return what makes an account of a kind, by its name."""
    return lambda name: KINDS[name](google, tmp_path, monkeypatch)


def scopes_asked(google):
    """Return all scopes that tokens have been asked for, by the kind of request."""
    found = set()
    for served in google.token_requests:
        if isinstance(served.body, dict):
            found.update(served.body.get("scope", []))
            if payload := served.body.get("payload"):
                found.update(json.loads(payload)["scope"].split())
        elif served.body:
            form = parse_qs(served.body.decode())
            found.update(" ".join(form.get("scope", [])).split())
            for assertion in form.get("assertion", []):
                found.update(claims_of(assertion)["scope"].split())
        found.update(filter(None, dict(served.query).get("scopes", "").split(",")))
    return found


def claims_of(assertion):
    return jwt.decode(assertion, verify=False)


@pytest.mark.parametrize("name", KINDS)
def test_a_server_starts_and_makes_calls(name, kind_of, start, client, caplog, raw, keys):
    """A server with any kind of account gets a token, makes calls, and says who it is."""
    kind = kind_of(name)
    caplog.set_level("INFO")
    server = start(kind)
    client.create("Book").sheet1.append_row(["x", 1])
    assert client.open("Book").sheet1.get_all_values() == [["x", "1"]]
    assert server.account.shown == kind.shown
    assert f"working as {kind.shown} in namespace" in caplog.text
    described = f"(as {kind.shown} at "
    eventually(lambda: described in raw.hget(keys.server, "description"))


# The scopes of an external user are those of its login: --scopes is refused.
LIMITED = [name for name in KINDS if name != "external user"]


@pytest.mark.parametrize("name", LIMITED)
def test_no_token_is_asked_for_with_more_scopes(name, kind_of, start, client, google):
    """A server with --scopes asks for those alone; who impersonates needs one more, for that."""
    kind = kind_of(name)
    start(kind, scopes="spreadsheets")
    book = client.http_client
    with pytest.raises(Exception, match="not found"):
        book.fetch_sheet_metadata("1" * 44)
    impersonates = "imperson" in name or name == "external account for a subject"
    assert scopes_asked(google) - {SHEETS} <= ({IAM, CLOUD} if impersonates else set())
    holders = {served.account for served in google.ledger}
    assert holders == {kind.shown.rpartition(" for ")[2]} or kind.shown == "an unknown account"


@pytest.mark.parametrize("name", KINDS)
def test_a_token_is_renewed(name, kind_of, start, client, google):
    """When Google no longer takes the tokens that there are, another one is fetched."""
    start(kind_of(name))
    book = client.create("Book")
    google.revoke_tokens()
    asked = len(google.token_requests)
    book.sheet1.append_row(["x"])
    assert book.sheet1.get_all_values() == [["x"]]
    assert len(google.token_requests) > asked


class Load:
    """Threads that append rows, some before the swap and some after it."""

    def __init__(self, book, background):
        self.sheet = book.sheet1
        self.swapped = threading.Event()
        self.begun = threading.Barrier(THREADS + 1)
        self.running = [background(self.append, number) for number in range(THREADS)]
        self.begun.wait(PATIENCE)

    def append(self, number):
        made = 0
        while made < BEFORE or not self.swapped.is_set():
            self.sheet.append_row([f"{number}-{made}"])
            made += 1
            if made == BEFORE:
                self.begun.wait(PATIENCE)
        for _ in range(AFTER):
            self.sheet.append_row([f"{number}-{made}"])
            made += 1
        return made

    def rows(self):
        """Wait for the end; return the rows that have to be there."""
        made = [running.result(PATIENCE) for running in self.running]
        return {f"{number}-{row}" for number, count in enumerate(made) for row in range(count)}


@pytest.mark.parametrize("name", FROM_FILES)
def test_a_file_is_swapped_under_load(name, kind_of, start, client, google, background):
    """When the secrets in a file are renewed and the old ones end, no call is lost or doubled."""
    kind = kind_of(name)
    tokens = start(kind)._parts.tokens
    load = Load(client.create("Book"), background)
    before = tokens.version
    kind.swap()
    # Not before the new file is in use: else calls would be told of the old one's refusal.
    eventually(lambda: tokens.version > before)
    google.revoke_tokens()
    load.swapped.set()
    expected = load.rows()
    values = [row[0] for row in load.sheet.get_all_values()]
    assert sorted(values) == sorted(expected)


@pytest.mark.parametrize("name", KINDS)
def test_refused_credentials_end_calls_until_they_are_renewed(
    name, kind_of, start, client, google, caplog
):
    """Calls are told whose credentials are refused; the server goes on once the file is new."""
    kind = kind_of(name)
    start(kind)
    sheet = client.create("Book").sheet1
    kind.renew()
    google.revoke_tokens()
    with pytest.raises(GoogleAuthError) as caught:
        sheet.append_row(["lost"])
    told = " ".join(caught.value.__notes__)
    assert f"that Google refuses, of {kind.shown}" in told
    assert kind.note in told
    assert f"Google refuses the credentials of {kind.shown.replace('an unknown account', '')}" in (
        caplog.text
    )
    if name == "a dict":
        return
    kind.write()
    if name == "default, a machine":
        return

    def goes_on():
        try:
            sheet.append_row(["made"])
        except GoogleAuthError:
            return False
        return True

    eventually(goes_on)
    assert sheet.get_all_values() == [["made"]]


@pytest.mark.parametrize("name", KINDS)
def test_no_secret_is_seen(name, kind_of, start, client, google, raw, background, caplog):
    """Neither the secrets of a kind nor its tokens are in Redis, in the log or in an error."""
    caplog.set_level("DEBUG")
    kind = kind_of(name)
    wire = Wire(raw, background)
    start(kind)
    sheet = client.create("Book").sheet1
    first = kind.secrets
    kind.renew()
    google.revoke_tokens()
    with pytest.raises(GoogleAuthError) as caught:
        sheet.append_row(["lost"])
    kind.write()
    told = "".join(traceback.format_exception(caught.value))
    shown = f"{wire.read()}\n{caplog.text}\n{told}"
    assert "append_row" in shown
    for secret in (*first, *kind.secrets, "ya29.c"):
        assert secret not in shown
