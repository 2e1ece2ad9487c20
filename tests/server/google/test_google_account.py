"""A namespace belongs to one account: who comes with another one is told so, and ends."""

from __future__ import annotations

import os
from types import SimpleNamespace

import gspread
import pytest
from calls import read
from gate import GatedHTTPClient, client_over
from google.auth.api_key import Credentials as APIKeyCredentials
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from waiting import PATIENCE, eventually

from queued_gspread.broker import Candidate, Consumer
from queued_gspread.emulator import Emulator
from queued_gspread.errors import ConfigurationError
from queued_gspread.server import Server
from queued_gspread.server.google.account import Account
from queued_gspread.server.google.session import adopt
from queued_gspread.server.google.token_state import USABLE, NoTokens, TokenState
from queued_gspread.server.lease import Lease
from queued_gspread.settings import Settings

OLD, NEW = "old@p.iam", "new@p.iam"


@pytest.fixture
def serve_as(serve, gate):
    """Return what starts a server with an account; its requests stop at the gate."""

    def start(email, subject=None, **options):
        auth = SimpleNamespace(service_account_email=email, _subject=subject, expiry=None)
        return serve(GatedHTTPClient(gate, auth), **options)

    return start


def test_a_namespace_belongs_to_its_first_account(serve_as, raw, keys):
    """Who stands by with the same account may; a server with another one is told of both."""
    serve_as(OLD)
    assert raw.get(keys.account) == OLD
    serve_as(OLD)
    with pytest.raises(ConfigurationError) as told:
        serve_as(NEW)
    for part in (f"belongs to the account '{OLD}'", f"has '{NEW}'", f"--replace-account '{OLD}'"):
        assert part in str(told.value)
    assert raw.get(keys.account) == OLD


@pytest.mark.parametrize(
    ("own", "told"),
    [("http://127.0.0.1:2", "http://127.0.0.1:2"), (None, "Google"), ("http://127.0.0.1:1", "")],
)
def test_who_stands_by_for_another_google_says_so(serve, gate, caplog, own, told):
    """A server is warned whose requests would go elsewhere than those of the one that works."""
    caplog.set_level("INFO", logger="queued_gspread.server")
    for endpoint in ("http://user:secret@127.0.0.1:1", own):
        http = GatedHTTPClient(gate, SimpleNamespace(service_account_email=OLD, expiry=None))
        http.api_endpoint = endpoint
        serve(http)
    assert "standing by: " in caplog.text
    assert "secret" not in caplog.text
    where = f"are sent to http://127.0.0.1:1, and this server would send them to {told}: "
    assert (where in caplog.text) == bool(told)


def test_words_that_name_no_server_say_nothing_of_where_it_sends(gate, caplog):
    """Where Redis only says that somebody has a token, nobody is said to send to Google."""
    http = GatedHTTPClient(gate, SimpleNamespace(service_account_email=OLD, expiry=None))
    http.api_endpoint = "http://127.0.0.1:1"
    account = Account(http, NoTokens(http), "a-namespace")
    account.warn_of_endpoint("a server that has an access token")
    assert caplog.text == ""


def test_a_server_in_the_foreground_ends_too(serve_as, gate, redis_url, namespace):
    """Where the server is run in the thread at hand, that call raises the same."""
    serve_as(OLD)
    auth = SimpleNamespace(service_account_email=NEW, expiry=None)
    client = client_over(GatedHTTPClient(gate, auth))
    with pytest.raises(ConfigurationError, match=f"has '{NEW}'"):
        Server(client, redis_url=redis_url, namespace=namespace).run()


def test_a_namespace_keeps_its_account_without_servers(serve_as, raw, keys):
    """When the last server has stopped, one with another account is told so all the same."""
    serve_as(OLD).stop()
    with pytest.raises(ConfigurationError, match=OLD):
        serve_as(NEW)
    assert not raw.hget(keys.server, "holder")


def test_whom_an_account_acts_for_is_part_of_it(serve_as):
    """With domain-wide delegation, the user for whom an account acts has to be the same, too."""
    serve_as(OLD, "ann@example.org").stop()
    told = f"belongs to the account 'ann@example.org', and this server has '{OLD} for ben@"
    with pytest.raises(ConfigurationError, match=told):
        serve_as(OLD, "ben@example.org")
    serve_as(OLD, "ann@example.org")


def test_the_account_is_the_user_for_whom_it_acts(serve_as, raw, keys):
    """Two service accounts that act for one user are one account, and another one than theirs."""
    serve_as(OLD, "ann@example.org")
    assert raw.get(keys.account) == "ann@example.org"
    serve_as(NEW, "ann@example.org")
    with pytest.raises(ConfigurationError, match=f"has '{OLD}'"):
        serve_as(OLD)


def test_an_account_that_an_earlier_version_has_named_otherwise(serve_as, raw, keys):
    """Where Redis has the name that version 0.2 gave an account with a subject, it is the same."""
    raw.set(keys.account, f"{OLD} acting for ann@example.org")
    serve_as(OLD, "ann@example.org")
    eventually(lambda: raw.get(keys.account) == "ann@example.org")


def test_an_account_is_replaced_while_others_work(
    serve_as, client, gate, background, raw, keys, caplog
):
    """Servers with the old account end in good order and say why; a call is made by the new one."""
    works, stands_by = serve_as(OLD), serve_as(OLD)
    call = background(read, client)
    arrived = gate.next()
    serve_as(NEW, replace_account=OLD)
    beats_on(raw, keys, works)
    arrived.answer({"made": "once"})
    for server in (stands_by, works):
        with pytest.raises(ConfigurationError, match=f"belongs to the account '{NEW}'"):
            server.wait()
        assert not server.was_told_to_stop
        server.stop()
    assert call.result(PATIENCE) == {"made": "once"}
    assert caplog.text.count("stopping: namespace") == 2
    gate.open()
    read(client)
    assert raw.get(keys.account) == NEW


def beats_on(raw, keys, server):
    """Wait for three beats of a server that works, though it is about to end."""
    for _ in range(3):
        before = raw.hget(keys.server, "last_beat")
        eventually(lambda before=before: raw.hget(keys.server, "last_beat") != before)
        assert raw.hget(keys.server, "holder") == server.server_id


def test_an_account_that_is_replaced_is_the_one_that_was_named(serve_as, raw, keys):
    """A server that would replace another account than the namespace's is told of its own."""
    serve_as(OLD)
    with pytest.raises(ConfigurationError, match=OLD):
        serve_as(NEW, replace_account="someone@else")
    assert raw.get(keys.account) == OLD


def test_two_that_replace_each_other_do_not_go_on_for_ever(serve_as, raw, keys):
    """An account is replaced once by each server, so the one that came first ends."""
    first = serve_as(OLD, replace_account=NEW)
    serve_as(NEW, replace_account=OLD)
    with pytest.raises(ConfigurationError, match=f"belongs to the account '{NEW}'"):
        first.wait()
    assert raw.get(keys.account) == NEW


def test_a_redis_that_has_forgotten_the_account_learns_it_anew(serve_as, raw, keys):
    """Where Redis lost its data, the namespace belongs to whoever has a token there next."""
    serve_as(OLD)
    raw.delete(keys.account)
    eventually(lambda: raw.get(keys.account) == OLD)


@pytest.mark.parametrize("kind", ["hash", "list"])
def test_a_strangers_key_in_the_place_of_the_account(kind, serve_as, raw, keys):
    """What is no account's name is none: the next server puts its own there."""
    raw.hset(keys.account, "a", "b") if kind == "hash" else raw.rpush(keys.account, "a")
    serve_as(OLD)
    assert raw.get(keys.account) == OLD


def test_a_hostile_name_is_shown_in_one_line(serve_as, raw, keys):
    """What somebody wrote in the place of an account's name is cut and escaped."""
    raw.set(keys.account, "x\nERROR forged" + "y" * 10_000)
    with pytest.raises(ConfigurationError) as told:
        serve_as(OLD)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 2000


class States:
    """Tokens whose state a test sets."""

    def __init__(self, state=USABLE):
        self.now = state

    def state(self):
        return self.now


def account_of(credentials, **options):
    """Return the account of a server with these credentials."""
    with AuthorizedSession(credentials) as session:
        client = gspread.Client(credentials, session=session)
        client.http_client.auth = credentials
        return Account(*adopt(client, request_timeout=9.0), "a namespace", **options)


@pytest.mark.parametrize(
    ("credentials", "name"),
    [
        (APIKeyCredentials("AIza-secret"), "an API key"),
        (AnonymousCredentials(), "anonymous"),
    ],
)
def test_an_account_without_a_name_is_its_kind(credentials, name):
    """Nothing of an API key is told; two of them count as the same account."""
    assert account_of(credentials).candidate().account == name


def test_a_client_of_which_nothing_is_known(gate):
    """A double without credentials is an unknown account."""
    account = Account(GatedHTTPClient(gate, None), States(), "a namespace")
    assert account.candidate().account == "an unknown account"


def test_an_account_that_is_named_by_its_first_token():
    """Before credentials know whose they are nothing is said of it, so that nothing is refused."""
    auth = SimpleNamespace(service_account_email="default")
    tokens = States(TokenState(False))
    account = Account(SimpleNamespace(auth=auth), tokens, "a namespace")
    assert account.candidate().account == ""
    assert account.refusal(account.candidate(), OLD) is None
    auth.service_account_email, tokens.now = OLD, USABLE
    assert account.candidate().account == OLD


def test_who_has_no_token_has_no_namespace(redis_url, namespace, raw, keys):
    """A server whose key is refused works alone, and the namespace belongs to nobody."""
    queue = Consumer(Settings(redis_url=redis_url, namespace=namespace), "aaaa", "server a")
    assert queue.beat(60, candidate=Candidate(False, OLD)).state == "taken"
    assert not raw.exists(keys.account)
    assert queue.beat(60, candidate=Candidate(True, OLD)).owner == OLD


@pytest.fixture
def lease_of(redis_url, namespace):
    """Return what makes the lease of a server with an account; it beats when it is told to."""
    settings = Settings(redis_url=redis_url, namespace=namespace)
    return lambda account: Lease(Consumer(settings, os.urandom(4).hex()), 60.0, account=account)


def account_with(email, tokens, **options):
    """Return an account that knows its name, with tokens."""
    http = SimpleNamespace(auth=SimpleNamespace(service_account_email=email))
    return Account(http, tokens, "a namespace", **options)


def test_who_replaces_an_account_waits_for_its_token(lease_of, raw, keys, caplog):
    """With --replace-account, a server whose token is late stands by for it, and then replaces."""
    raw.set(keys.account, OLD)
    tokens = States(TokenState(False))
    lease = lease_of(account_with(NEW, tokens, replaces=OLD))
    with caplog.at_level("INFO"):
        lease.beat()
    assert lease.error is None
    assert f"standing by: the account '{OLD}' is replaced once" in caplog.text
    assert raw.get(keys.account) == OLD
    tokens.now = USABLE
    lease.beat()
    assert lease.epoch
    assert raw.get(keys.account) == NEW


def test_nothing_is_sent_before_the_account_is_known_to_be_the_namespaces(lease_of, raw, keys):
    """A server that learns its account with its first token sends nothing if it is another one."""
    raw.set(keys.account, OLD)
    tokens, auth = States(TokenState(False)), SimpleNamespace(service_account_email="default")
    lease = lease_of(Account(SimpleNamespace(auth=auth), tokens, "a namespace"))
    lease.beat()
    assert lease.epoch
    auth.service_account_email, tokens.now = NEW, USABLE
    assert not lease.token_state().is_usable
    lease.beat()
    assert OLD in str(lease.error)
    assert not lease.token_state().is_usable


def test_a_late_token_of_the_namespaces_account_is_used(lease_of, raw, keys):
    """Once a beat has found that the namespace is this account's, what waits is told so."""
    tokens, woken = States(TokenState(False)), []
    lease = lease_of(account_with(OLD, tokens))
    lease.on_owner(lambda: woken.append(lease.token_state().is_usable))
    lease.beat()
    tokens.now = USABLE
    assert not lease.token_state().is_usable
    assert woken == []
    lease.beat()
    lease.beat()
    assert woken == [True]


def test_an_api_key_is_no_service_account(redis_url, namespace, serve_as, raw, keys):
    """A server with an API key is another account than one with a service account."""
    serve_as(OLD).stop()
    server = Server(api_key="AIza-secret", redis_url=redis_url, namespace=namespace)
    with pytest.raises(ConfigurationError, match=r"has 'an API key'"):
        server.start()
    assert not any("secret" in str(raw.dump(key)) for key in raw.keys(f"*{namespace}}}*"))


@pytest.fixture
def issuer():
    with Emulator(seed=1) as emulator:
        yield emulator


@pytest.fixture
def paths(issuer, tmp_path):
    """Return the key files of two accounts."""
    found = [tmp_path / f"{number}.json" for number in range(2)]
    issuer.write_service_account(found[0])
    issuer.add_account().write_service_account(found[1])
    return found


@pytest.fixture
def start(start_process, issuer):
    """Return what starts a server's process with a key."""

    def start(path, *options, wait="working as"):
        where = ("--service-account", path, "--api-endpoint", issuer.url)
        return start_process(*where, *options, wait=wait)

    return start


def test_a_killed_server_leaves_the_namespace_to_its_account(start, paths, issuer):
    """After a SIGKILL no other account takes over, but ends with status 2, until it replaces."""
    old, new = (account.email for account in issuer.accounts)
    start(paths[0]).kill()
    other = start(paths[1], wait=f"--replace-account '{old}'")
    assert other.exit_status() == 2
    assert new in other.log
    works = start(paths[0])
    heir = start(paths[1], "--replace-account", old)
    works.until_log(f"belongs to the account '{new}'")
    assert works.exit_status() == 1
    assert "--replace-account can be left out" in heir.log
