"""Several service accounts: each lends by itself, and what cannot lend is refused at the start."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from functools import partial

import pytest
from google.auth.exceptions import GoogleAuthError
from overheard import Wire
from waiting import PATIENCE, eventually, threads

from queued_gspread.cli.check.of_redis import _ACCOUNT
from queued_gspread.emulator import Emulator
from queued_gspread.errors import CallRefusedError, ConfigurationError
from queued_gspread.server import Server
from queued_gspread.server.card import card_of
from queued_gspread.server.google.account import _ENDPOINT
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.timing import Timing

LOG = "queued_gspread.server"
SCOPE = "https://www.googleapis.com/auth/drive"


@pytest.fixture
def issuer():
    with Emulator(seed=1) as emulator:
        emulator.add_account()
        emulator.add_account()
        yield emulator


@pytest.fixture
def paths(issuer, tmp_path):
    """Return the key files of three accounts."""
    found = [tmp_path / f"{number}.json" for number in range(3)]
    for account, path in zip(issuer.accounts, found, strict=True):
        account.write_service_account(path)
    return found


@pytest.fixture
def names(issuer):
    return [account.email for account in issuer.accounts]


@pytest.fixture
def make(redis_url, namespace, issuer):
    """Return what makes a server of key files, at the emulator."""
    servers = []

    def make(files, **options):
        timing = replace(Timing(), key_file_check=0.05)
        where = {"redis_url": redis_url, "namespace": namespace, "api_endpoint": issuer.url}
        servers.append(Server(service_account=files, timing=timing, **where, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def changed(paths):
    """Return what changes fields of a key file, or takes them out."""

    def change(place, **fields):
        info = json.loads(paths[place].read_text()) | fields
        kept = {name: value for name, value in info.items() if value is not None}
        paths[place].write_text(json.dumps(kept))

    return change


def lines(caplog, *words):
    """Return the lines of the log that have all of these words."""
    told = [record.getMessage() for record in caplog.records]
    return [line for line in told if all(word in line for word in words)]


def test_the_first_account_is_the_namespaces_and_the_others_lend(make, paths, names, changed):
    """Of several key files the first one's account is the server's; each other one is a lender."""
    changed(2, project_id="another-project")
    parts = make(paths)._parts
    assert parts.account.name == names[0]
    assert [lender.name for lender in parts.lenders] == names[1:]
    assert [lender.project for lender in parts.lenders] == [parts.project, "another-project"]
    assert len({id(tokens) for tokens in parts.all_tokens}) == 3
    assert len({id(each.http.session) for each in (parts, *parts.lenders)}) == 3


@pytest.mark.parametrize("many", [list, tuple])
def test_one_account_in_a_list_is_as_alone(make, paths, names, many):
    """A list of one file is that file: nobody lends, and the server's description is the same."""
    parts, alone = make(many(paths[:1]))._parts, make(str(paths[0]))._parts
    assert parts.lenders == alone.lenders == ()
    assert parts.project == alone.project == ""
    assert parts.account.about("host:1", "1.0") == alone.account.about("host:1", "1.0")
    assert parts.account.about("host:1", "1.0").startswith(f"host:1 (as {names[0]} at http")


def test_no_file_is_the_usual_place(make, monkeypatch, paths):
    """No file, an empty list and an empty name all mean gspread's own place, as before."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(paths[1]))
    nowhere = paths[0].with_name("nothing.json")
    monkeypatch.setattr(
        "queued_gspread.server.google.sources.DEFAULT_SERVICE_ACCOUNT_FILENAME", nowhere
    )
    for given in (None, [], (), "", [""]):
        assert make(given).account.email.startswith("emulator-2@")


def test_a_server_says_how_many_lend(make, paths, names):
    """Its description and its card name them, and who reads a description finds the same in it."""
    parts = make(paths)._parts
    about = parts.account.about("host:1", "1.0")
    assert about.startswith(f"host:1 (as {names[0]} and 2 that lend at http://")
    assert _ACCOUNT.search(about)[1] == names[0]
    assert _ENDPOINT.search(about)[1] == parts.account.endpoint
    card = card_of(parts, 1.0, 1, 0.0)
    assert card.account == f"{names[0]} and 2 that lend"
    assert card.options["lenders"] == 2


def test_a_process_with_two_accounts(start_process, paths, names, issuer, raw, keys):
    """The command takes the option for each account, and says as whom it works."""
    options = [each for path in paths[:2] for each in ("--service-account", path)]
    process = start_process(*options, "--api-endpoint", issuer.url, wait="working as")
    assert f"working as {names[0]} and 1 that lends in" in process.log
    about = raw.hget(keys.server, "description")
    assert f"(as {names[0]} and 1 that lends at {issuer.url}, queued_gspread " in about
    assert _ACCOUNT.search(about)[1] == names[0]


@pytest.mark.parametrize("other", ["the same file", "a copy"])
def test_an_account_lends_nothing_to_itself(make, paths, names, tmp_path, other):
    """Two files of one account are refused, with the names of both."""
    again = paths[1]
    if other == "a copy":
        again = tmp_path / "copy.json"
        again.write_text(paths[1].read_text())
    with pytest.raises(ConfigurationError) as told:
        make([*paths, again])
    for part in (f"{paths[1]} and ", f"{again} are both of {names[1]}", "name it once"):
        assert part in str(told.value)


def test_the_first_account_does_not_lend_to_itself(make, paths, changed, names):
    """A file of the first account among the others is refused, whatever the case of its letters."""
    changed(2, client_email=names[0].upper())
    with pytest.raises(ConfigurationError, match="are both of"):
        make(paths)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    "email",
    [
        *("no at sign", "two@signs@here", "a space@x", "a\n@x", "{a}@x", "a:b@x", "@x", "a@"),
        *("ä@x", "a%s@x", "a" * 253 + "@x"),
    ],
)
def test_a_name_that_cannot_be_a_key_of_redis(make, paths, changed, place, email):
    """An odd address is refused, for keys of Redis and the journal have it; it is not shown."""
    changed(place, client_email=email)
    with pytest.raises(ConfigurationError) as told:
        make(paths[:2])
    assert f"{paths[place]} cannot be used: its 'client_email'" in str(told.value)
    assert email not in str(told.value)


def test_the_longest_name(make, paths, changed):
    """An address of 254 characters can lend."""
    changed(1, client_email="a" * 252 + "@x")
    assert len(make(paths[:2])._parts.lenders[0].name) == 254


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("project", [None, "", 5, "a b", "{a}", "a" * 255])
def test_a_file_that_does_not_say_its_project(make, paths, changed, place, project):
    """Of several files each has to say whose quota of a project its account shares."""
    changed(place, project_id=project)
    with pytest.raises(ConfigurationError) as told:
        make(paths[:2])
    assert f"{paths[place]} cannot be used: its 'project_id' is missing" in str(told.value)


def test_a_file_that_spells_names_in_capitals(make, paths, changed, names):
    """A project and an account are one each, however a file spells them."""
    project = json.loads(paths[0].read_text())["project_id"]
    changed(1, project_id=project.upper(), client_email=names[1].upper())
    parts = make(paths[:2])._parts
    assert parts.lenders[0].name == names[1].lower()
    assert parts.lending.siblings("") == ("", names[1].lower())


def test_one_account_needs_no_project(make, paths, changed):
    """A single file is used as before, whatever it says of its project."""
    changed(0, project_id=None)
    assert make(paths[0])._parts.project == ""


@pytest.mark.parametrize("content", ["{", '{"type": "authorized_user"}', None])
def test_a_lender_needs_a_service_accounts_key(make, paths, content):
    """Another file than a key, and one that is not there, are refused at the start by name."""
    paths[1].unlink() if content is None else paths[1].write_text(content)
    with pytest.raises(ConfigurationError) as told:
        make(paths)
    assert f"credentials file {paths[1]} " in str(told.value)
    assert "Expected is a service account's key file" in str(told.value)


def test_an_empty_name_among_several(make, paths):
    """A name that is empty among others is refused: an account would be missing in silence."""
    with pytest.raises(ConfigurationError, match=r"one of the 2 key files .* has an empty name"):
        make([paths[0], ""])


@pytest.mark.parametrize("given", [{"a": 1}, 5, [5], [{"private_key": "secret"}]])
def test_what_is_no_file_is_not_shown(make, given):
    """What is neither a file nor a list of files is refused by its type alone."""
    with pytest.raises(ConfigurationError, match="service_account is of type") as told:
        make(given)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("option", ["subject", "impersonate"])
def test_options_that_make_one_account_of_all(make, paths, option):
    """Several accounts that act as one would share its quota, so that is refused."""
    with pytest.raises(ConfigurationError, match=f"--{option} and several of --service-account"):
        make(paths, **{option: "ann@example.com"})


def test_scopes_hold_for_all(make, paths):
    """The scopes that are named are those of every account."""
    scope = "https://www.googleapis.com/auth/spreadsheets"
    parts = make(paths, scopes="spreadsheets")._parts
    assert [tuple(each.credentials.scopes) for each in parts.all_tokens] == [(scope,)] * 3


def test_each_has_a_token_of_its_own_while_the_server_runs(make, paths, issuer, names):
    """The server starts a thread for each account's tokens, and ends them all."""
    server = make(paths).start()
    tokens = server._parts.all_tokens
    eventually(lambda: all(each.state().is_usable for each in tokens))
    held = {issuer._project.holder(each.credentials.token).email for each in tokens}
    assert held == set(names)
    assert len(threads("tokens")) == 3
    server.stop()
    assert threads("tokens") == []


def test_the_namespace_is_the_first_accounts(make, paths, names, raw, keys):
    """It belongs to the first account, and only a server with another first one replaces that."""
    make(paths).start().stop()
    assert raw.get(keys.account) == names[0]
    make(paths[:1]).start().stop()
    others = [paths[1], paths[0]]
    with pytest.raises(ConfigurationError, match=f"belongs to the account '{names[0]}'"):
        make(others).start()
    make(others, replace_account=names[0]).start()
    eventually(lambda: raw.get(keys.account) == names[1])


def test_a_client_that_names_a_lender_is_refused(make, paths, issuer, authorize):
    """A caller with a lender's credentials is refused; with the first account's, served."""
    book = issuer.add_spreadsheet("Book")
    make(paths).start()
    first, lender, _ = issuer.accounts
    assert authorize(first.credentials([SCOPE])).open_by_key(book).title == "Book"
    with pytest.raises(CallRefusedError, match=lender.email):
        authorize(lender.credentials([SCOPE])).open_by_key(book)


def test_nothing_secret_of_a_lender_leaves_the_server(
    make, paths, issuer, names, raw, background, caplog, client
):
    """Redis and the log have a lender's address, and nothing of its key or its tokens."""
    caplog.set_level(logging.DEBUG)
    wire, book = Wire(raw, background), issuer.add_spreadsheet("Book")
    server = make(paths, no_merge=True).start()
    tokens = server._parts.all_tokens
    eventually(lambda: all(each.state().is_usable for each in tokens))
    append = partial(client.http_client.values_append, book, "A1", {"valueInputOption": "RAW"})
    for _ in range(3):
        append({"values": [["x"]]})
    issuer.accounts[2].disable_keys()
    with pytest.raises(GoogleAuthError):
        tokens[2].refresh(PATIENCE)
    senders = [served.account for served in issuer.ledger if served.quota == "write"]
    assert names[1] in senders
    shown = f"{wire.read()}\n{caplog.text}"
    assert names[1] in shown
    assert all(each.credentials.token.startswith("ya29.") for each in tokens[:2])
    secrets = [json.loads(path.read_text())["private_key"].splitlines()[1] for path in paths]
    assert [secret for secret in (*secrets, "ya29.") if secret in shown] == []


def test_a_bad_key_takes_one_account_out(make, paths, issuer, names, caplog):
    """A lender without keys is out, with one line; the server works, and it is back with a key."""
    caplog.set_level(logging.INFO, logger=LOG)
    issuer.accounts[1].disable_keys()
    server = make(paths).start()
    first, out, other = server._parts.all_tokens
    eventually(lambda: out.state().error)
    assert server.account.email == names[0]
    eventually(lambda: first.state().is_usable and other.state().is_usable)
    eventually(lambda: lines(caplog, "Google refuses the credentials"))
    (line,) = lines(caplog, "Google refuses the credentials")
    assert f"of {names[1]} (" in line
    assert "it lends no quota" in line
    issuer.accounts[1].rotate_key()
    issuer.accounts[1].write_service_account(paths[1])
    eventually(lambda: out.state().is_usable)
    eventually(lambda: lines(caplog, f"token again for {names[1]}, which lends its quota"))
    assert len(lines(caplog, "Google refuses the credentials")) == 1


def test_a_lenders_new_key_is_noticed(make, paths, issuer):
    """A lender's key file that changes is read again, as the first account's is."""
    server = make(paths).start()
    tokens = server._parts.lenders[0].tokens
    eventually(lambda: tokens.state().is_usable)
    before = tokens.credentials.token
    issuer.accounts[1].rotate_key()
    issuer.accounts[1].write_service_account(paths[1])
    eventually(lambda: tokens.credentials.token not in (None, before))


def test_a_lenders_file_that_is_of_another_account_stays_unused(make, paths, names, caplog):
    """Another account's key in a lender's place changes nothing, and is told with both names."""
    server = make(paths[:2]).start()
    tokens = server._parts.lenders[0].tokens
    eventually(lambda: tokens.state().is_usable)
    paths[1].write_text(paths[2].read_text())
    eventually(lambda: lines(caplog, f"is now of another account, {names[2]}: {names[1]} stays"))
    assert tokens.credentials.service_account_email == names[1]


def test_what_a_lender_has_in_the_air_is_seen(make, paths):
    """What lanes wait for is asked of one transport, whichever account their requests are under."""
    parts = make(paths)._parts
    own = Transport(parts.http, parts.tokens, lambda: 5.0)
    lent = parts._lent(own)
    assert list(lent) == [lender.name for lender in parts.lenders]
    lent[parts.lenders[0].name]._out["lane"] = 2.0
    assert own.in_the_air() == {"lane": 3.0}
