"""What a server's credentials are for: scopes, subject, impersonation; and what files name."""

from __future__ import annotations

import json

import gspread
import pytest
from account_kinds import ANN, DRIVE, HAS_KEYLESS_SUBJECTS, KINDS, SHEETS, write
from google.auth import (
    aws,
    external_account_authorized_user,
    identity_pool,
    impersonated_credentials,
    pluggable,
)
from google.auth.exceptions import RefreshError, TransportError
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account
from gspread.exceptions import APIError
from limits import UNLIMITED

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import Status
from queued_gspread.errors import AccountMismatchError, ConfigurationError
from queued_gspread.protocol.codec.scrub import clean
from queued_gspread.server import Server
from queued_gspread.server.google.access import scopes_of
from queued_gspread.server.google.credentials import make_client
from queued_gspread.server.google.sources import Named, source_of

needs_keyless_subjects = pytest.mark.skipif(
    not HAS_KEYLESS_SUBJECTS, reason="this google-auth acts for a subject by a key alone"
)
FILE = "https://www.googleapis.com/auth/drive.file"
BOT = "bot@project.iam.gserviceaccount.com"


@pytest.fixture
def google():
    """Return an emulator of this test alone."""
    with Emulator(seed=1) as emulator:
        yield emulator


@pytest.fixture
def info(google):
    return google.service_account_info()


@pytest.fixture
def start(google, redis_url, namespace):
    """Return what starts a server at the emulator, with some credentials."""
    servers = []

    def start(**options):
        chosen = {"redis_url": redis_url, "namespace": namespace, "api_endpoint": google.url}
        servers.append(Server(**chosen, **UNLIMITED, **options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ("spreadsheets,drive.file", (SHEETS, FILE)),
        (" spreadsheets, drive.file,spreadsheets", (SHEETS, FILE)),
        (f"{SHEETS} drive.file", (SHEETS, FILE)),
        ([SHEETS, "drive.file"], (SHEETS, FILE)),
        ("https://example.com/auth/own", ("https://example.com/auth/own",)),
    ],
)
def test_scopes_are_named_in_short_or_whole(given, scopes):
    """Scopes are names with commas between them, or URLs; each counts once."""
    assert scopes_of(given) == scopes


def test_a_scope_that_is_unknown():
    """A short name that Sheets and Drive do not have is refused, with the nearest one."""
    with pytest.raises(ConfigurationError, match=r"'spreadsheet' is none .*is spreadsheets meant"):
        make_client(credentials={}, scopes="spreadsheet")


def test_the_scopes_are_gsprads_by_default(info):
    """Without --scopes, a token is asked for with the scopes that plain gspread asks for."""
    made = make_client(credentials=info).http_client.auth
    assert sorted(made.scopes) == sorted([SHEETS, DRIVE])


KEY = {"type": "service_account"}
USER = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}
WORKLOAD = {"type": "external_account", "audience": "//a", "subject_token_type": "urn:jwt"}
EXTERNAL_USER = USER | {
    "type": "external_account_authorized_user",
    "token_url": "https://sts.googleapis.com/v1/oauthtoken",
}
AWS = WORKLOAD | {
    "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
    "credential_source": {
        "environment_id": "aws1",
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?x=1",
    },
}
FROM_FILE = WORKLOAD | {"credential_source": {"file": "/a/token"}}
FROM_URL = WORKLOAD | {
    "credential_source": {"url": "http://user:hunter2@metadata/token?key=hunter2"}
}
PROGRAM = WORKLOAD | {"credential_source": {"executable": {"command": "/bin/tell --key hunter2"}}}
IMPERSONATED = {
    "type": "impersonated_service_account",
    "service_account_impersonation_url": f"https://iam/v1/x/{BOT}:generateAccessToken",
    "source_credentials": USER,
}
CLASSES = {
    "service account": (None, service_account.Credentials),
    "authorised user": (USER, user_credentials.Credentials),
    "external account's file": (FROM_FILE, identity_pool.Credentials),
    "external account's URL": (FROM_URL, identity_pool.Credentials),
    "external account at Amazon": (AWS, aws.Credentials),
    "external account's program": (PROGRAM, pluggable.Credentials),
    "external user": (EXTERNAL_USER, external_account_authorized_user.Credentials),
    "impersonated": (IMPERSONATED, impersonated_credentials.Credentials),
}


@pytest.mark.parametrize("name", CLASSES)
def test_each_kind_is_made_by_its_own_class(name, info, tmp_path, monkeypatch):
    """What a file is says its type, and google-auth's class of that kind makes the credentials."""
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    content, expected = CLASSES[name]
    path = tmp_path / "credentials.json"
    write(path, content or info)
    for given in (path, str(path), content or info):
        assert type(make_client(credentials=given).http_client.auth) is expected


@pytest.mark.parametrize("allowed", [None, "0", "yes"])
def test_a_program_runs_only_where_it_may(allowed, monkeypatch):
    """A file that names a program is refused unless google-auth's own variable allows it."""
    monkeypatch.delenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", raising=False)
    if allowed is not None:
        monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", allowed)
    with pytest.raises(ConfigurationError) as caught:
        make_client(credentials=PROGRAM)
    assert "names a program to run, /bin/tell: programs run only where" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (FROM_URL, "url http://metadata/token"),
        (FROM_FILE, "file /a/token"),
        (
            FROM_FILE | {"service_account_impersonation_url": f"https://iam:1/v1/{BOT}:generateX"},
            f"_url https://iam:1/v1/{BOT.replace('@', '%40')}:generateX",
        ),
        (PROGRAM, "program /bin/tell"),
        (AWS, "regional_cred_verification_url https://sts.{region}.amazonaws.com"),
        (EXTERNAL_USER, "token_url https://sts.googleapis.com/v1/oauthtoken"),
        (IMPERSONATED | {"source_credentials": EXTERNAL_USER}, "token_url https://sts.google"),
    ],
)
def test_what_an_external_accounts_file_names_is_logged(content, told, monkeypatch, caplog):
    """URLs, files and programs are told at the start, without passwords, queries and arguments."""
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    with caplog.at_level("INFO"):
        make_client(credentials=content)
    (line,) = [clean(record.getMessage()) for record in caplog.records]
    assert "names, and the server uses: " in line
    assert told in line
    assert "hunter2" not in line


def test_a_service_accounts_file_says_nothing_of_where_it_goes(info, caplog):
    """Of a service account's file and a user's, which name only Google, no line is logged."""
    with caplog.at_level("INFO"):
        make_client(credentials=info)
        make_client(credentials=USER)
    assert caplog.text == ""


REFUSED = {
    "a subject of a user": ({"credentials": USER, "subject": ANN}, "--subject needs a service acc"),
    "a subject of a workload": (
        {"credentials": FROM_FILE, "subject": ANN},
        "--subject needs a service account",
    ),
    "a subject of another object": (
        {"credentials": user_credentials.Credentials("t"), "subject": ANN},
        "--subject needs a service account",
    ),
    "a subject of a key": ({"api_key": "k", "subject": ANN}, "--subject cannot be used with --api"),
    "scopes of a key": ({"api_key": "k", "scopes": "drive"}, "--scopes cannot be used with --api"),
    "scopes of a login": (
        {"credentials": EXTERNAL_USER, "scopes": "drive"},
        "--scopes cannot limit the credentials of an external account's authorised user",
    ),
    "no address": ({"credentials": {}, "subject": "ann"}, "--subject 'ann' cannot be used"),
    "no account": ({"adc": True, "impersonate": "bot"}, "--impersonate 'bot' cannot be used"),
    "two files": ({"credentials": {}, "oauth": "x"}, "--credentials and --oauth exclude each"),
    "another type": ({"credentials": 5}, "credentials is of type int: take the name of a cred"),
    "an unknown type": ({"credentials": {"type": "gdch"}}, "of type 'gdch', which none of the"),
    "no type": ({"credentials": {"a": 1}}, "what is given as credentials= cannot be used: it is"),
    "no source": (
        {"credentials": IMPERSONATED | {"source_credentials": {}}},
        "its 'source_credentials' or 'service_account_impersonation_url' cannot be used",
    ),
    "a bad source": (
        {"credentials": WORKLOAD | {"credential_source": {"hunter2": 1}}},
        "its 'credential_source' is missing, or cannot be used",
    ),
    "a bad URL": ({"credentials": EXTERNAL_USER | {"token_url": "x"}}, "its 'token_url' is no URL"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_at_the_start(name):
    """An access that a kind cannot have, and a file that cannot be used, are told in one line."""
    options, told = REFUSED[name]
    with pytest.raises(ConfigurationError) as caught:
        make_client(**options)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_client_and_credentials(info):
    """A server takes a client or credentials, not both."""
    client = gspread.Client(None, session=object())
    with pytest.raises(ConfigurationError, match="client= and --credentials exclude each other"):
        Server(client, credentials=info)


def test_secrets_are_not_in_what_is_shown_of_options(info):
    """The repr of what a server was given has neither a key nor an API key."""
    shown = repr(Named(credentials=info, api_key="AIza-hunter2"))
    assert info["private_key"].splitlines()[3] not in shown
    assert "hunter2" not in shown


def test_a_token_in_a_users_file_is_not_used():
    """A stored token may have more scopes than the server's, so another one is fetched."""
    made = make_client(credentials=USER | {"token": "ya29.stored"}).http_client.auth
    assert made.token is None


def test_an_object_keeps_its_scopes_unless_others_are_named(google, info):
    """Credentials that were given as an object have their own scopes, or those of --scopes."""
    bot = google.accounts[0].credentials([DRIVE])
    assert source_of(Named(bot)).load().scopes == [DRIVE]
    assert source_of(Named(bot, scopes="spreadsheets")).load().scopes == [SHEETS]
    bare = service_account.Credentials.from_service_account_info(info)
    assert sorted(source_of(Named(bare)).load().scopes) == sorted([SHEETS, DRIVE])


@needs_keyless_subjects
def test_an_impersonating_object_keeps_its_subject(google):
    """Where fewer scopes are named, credentials given as an object act for their subject still."""
    bot = google.accounts[0].credentials([DRIVE])
    over = impersonated_credentials.Credentials(bot, BOT, [DRIVE], subject=ANN)
    narrowed = source_of(Named(over, scopes="spreadsheets")).load()
    assert (narrowed._target_scopes, narrowed._subject) == ([SHEETS], ANN)
    assert over._target_scopes == [DRIVE]


def test_an_object_acts_for_a_subject(google, start, client):
    """A service account's credentials given as an object act for the subject."""
    google.add_user(ANN)
    google.accounts[0].delegate()
    server = start(credentials=google.accounts[0].credentials([]), subject=ANN)
    client.create("Book")
    assert server.account.account == ANN
    assert {served.account for served in google.ledger} == {ANN}


WITHOUT_DRIVE = {
    "open": (lambda client: client.open("Book"), "drive.readonly, drive.file or drive"),
    "create": (lambda client: client.create("Book"), "it needs drive.file or drive"),
    "copy": (lambda client: client.copy("1" * 44), "it needs drive.file or drive"),
    "openall": (lambda client: client.openall(), "drive.readonly, drive.file or drive"),
}


@pytest.mark.parametrize("name", WITHOUT_DRIVE)
def test_a_missing_scope_is_named(name, start, client, info, google):
    """Without Drive among the scopes, gspread's own error has a note that names what is missing."""
    start(credentials=info, scopes="spreadsheets")
    make, needed = WITHOUT_DRIVE[name]
    with pytest.raises(APIError, match="insufficient authentication scopes") as caught:
        make(client)
    (note,) = caught.value.__notes__[:1]
    assert "the server has only the scopes spreadsheets: " in note
    assert needed in note
    assert "--scopes" in note
    assert google.ledger == []


def test_reading_cells_with_a_scope_for_reading(start, client, info, google):
    """With a scope for reading, cells are read, and a write is answered as Google would."""
    book = google.gspread_client().create("Book")
    start(credentials=info, scopes="spreadsheets.readonly")
    sheet = client.open_by_key(book.id).sheet1
    assert sheet.get_all_values() == [[]]
    with pytest.raises(APIError) as caught:
        sheet.append_row(["x"])
    assert "it needs spreadsheets, drive.file or drive" in caught.value.__notes__[0]


def test_whose_scopes_are_missing(start, client, authorize, info, google):
    """Where the client has named the scopes, the note says that it is the client's."""
    start(credentials=info)
    own = google.accounts[0].credentials([SHEETS])
    with pytest.raises(APIError) as caught:
        authorize(own).open("Book")
    assert (
        "this client's credentials have only the scopes spreadsheets" in (caught.value.__notes__[0])
    )


def test_google_refuses_scopes_that_are_not_delegated(start, client, info, google):
    """A subject for which the domain has delegated less is told in Google's words."""
    google.add_user(ANN)
    google.accounts[0].delegate([SHEETS])
    start(credentials=info, subject=ANN)
    with pytest.raises(RefreshError, match="Client is unauthorized to retrieve") as caught:
        client.open("Book")
    assert f"for {ANN}" in caught.value.__notes__[0]


def client_with(google, subject=None, number=0):
    """Return credentials as a client has them."""
    made = google.accounts[number].credentials([DRIVE])
    return made.with_subject(subject) if subject else made


def test_what_a_client_names_is_compared_with_the_subject(start, authorize, info, google):
    """A client may name any account that acts for the server's subject, and no other."""
    google.add_user(ANN)
    google.add_account()
    google.accounts[0].delegate()
    start(credentials=info, subject=ANN)
    for same in (client_with(google, ANN), client_with(google, ANN, 1)):
        authorize(same).create("Book")
    bot = google.accounts[0].email
    for other in (client_with(google), client_with(google, "ben@example.com")):
        with pytest.raises(AccountMismatchError, match=f"works as {bot} for {ANN}"):
            authorize(other).create("Book")


def test_a_file_of_another_kind_is_taken_for_the_same_account(google, tmp_path, caplog):
    """A key may be replaced by a workload that impersonates its account, but not by a user."""
    path = tmp_path / "credentials.json"
    write(path, google.service_account_info())
    source = source_of(Named(path))
    source.load()
    bot = google.accounts[0]
    write(path, google.add_workload().external_account_info("/a/token", bot))
    assert type(source.file.reload()) is identity_pool.Credentials
    write(path, google.add_user(ANN).authorized_user_info())
    assert source.file.reload() is None
    assert f"is now of another account, an unknown one: {bot.email} stays in use" in caplog.text


def test_a_files_change_while_it_is_read_is_seen(google, tmp_path, monkeypatch):
    """A file that is replaced while it is being read is read once more."""
    path = tmp_path / "credentials.json"
    write(path, google.service_account_info())
    source = source_of(Named(path))
    source.load()
    read, newer = source.file._read, google.accounts[0]

    def slow():
        found = read()
        newer.rotate_key()
        write(path, newer.service_account_info())
        return found

    write(path, json.dumps(google.service_account_info()) + " ")
    monkeypatch.setattr(source.file, "_read", slow)
    assert source.file.reload() is not None
    monkeypatch.setattr(source.file, "_read", read)
    assert source.file.reload() is not None
    assert source.file.reload() is None


def test_an_older_google_auth_without_keyless_subjects(info, monkeypatch):
    """Where google-auth cannot act for a subject without a key, the version that can is told."""

    def older(source, target, scopes, delegates=None, quota_project_id=None):
        pytest.fail(f"made without a subject: {source}, {target}, {scopes}, {delegates}")

    monkeypatch.setattr(impersonated_credentials, "Credentials", older)
    with pytest.raises(ConfigurationError, match=r"needs google-auth 2\.38 or newer, and \d"):
        make_client(credentials=info, impersonate=BOT, subject=ANN)


@needs_keyless_subjects
@pytest.mark.skipif("default, a machine" not in KINDS, reason="no machine can be stood in for")
def test_a_machine_that_is_impersonated_from(google, tmp_path, monkeypatch, start, client):
    """The credentials of a machine at Google may impersonate another account for a subject."""
    KINDS["default, a machine"](google, tmp_path, monkeypatch)
    other = google.add_account()
    other.let_impersonate(google.accounts[0].email)
    other.delegate()
    server = start(adc=True, impersonate=other.email, subject=ANN)
    client.create("Book")
    assert server.account.shown == f"{other.email} for {ANN}"


def test_an_api_key_reads_what_everybody_may_read(google, start, client):
    """A server with an API key makes calls, and gets no token; a refused key is Google's error."""
    book = google.gspread_client().create("Book")
    book.sheet1.append_row(["x"])
    google.clear_ledger()
    start(api_key="AIza-hunter2")
    sheet = client.open_by_key(book.id).sheet1
    assert sheet.get_all_values() == [["x"]]
    assert google.token_requests == []
    google.faults.add(Status(400), to="api")
    with pytest.raises(APIError) as caught:
        sheet.get_all_values()
    assert caught.value.code == 400
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_proxy_of_sheets_gets_no_consent(is_there, google, monkeypatch):
    """Tokens are asked for at the API endpoint only for credentials that name it as theirs."""
    info = google.add_user(ANN).authorized_user_info() if is_there else USER
    client = make_client(credentials=info, api_endpoint=google.url)
    asked = []
    way = client.http_client.session._auth_request
    monkeypatch.setattr(way, "_request", lambda url, **_: asked.append(url))
    google_s = "https://oauth2.googleapis.com/token"
    way(google_s)
    assert asked == [f"{google.url}/token" if is_there else google_s]
    with pytest.raises(TransportError):
        way("https://iamcredentials.googleapis.com/v1/x/allowedLocations")


OWNERS = {
    "the account": ({}, False),
    "a subject": ({"subject": ANN}, True),
    "a user": ({"oauth": True}, True),
}


@pytest.mark.parametrize("name", OWNERS)
def test_who_may_create_where_service_accounts_own_nothing(
    name, google, start, client, info, tmp_path
):
    """Where service accounts have no storage, a subject and an OAuth user may create files."""
    google.storage = False
    options, may = OWNERS[name]
    if "oauth" in options:
        google.add_user(ANN).write_authorized_user(tmp_path / "user.json")
        start(oauth=tmp_path / "user.json")
    else:
        start(credentials=info, **options)
    if may:
        client.create("Book")
        return
    with pytest.raises(APIError, match="storage quota has been exceeded") as caught:
        client.create("Book")
    assert (
        "a subject, for whom the account acts (the server's --subject)"
        in (caught.value.__notes__[0])
    )


CHAINS = {
    "an impersonated file": "impersonated file",
    "a workload that impersonates": "external account impersonating",
}


@pytest.mark.parametrize("name", CHAINS)
def test_who_is_impersonated_may_impersonate(name, google, tmp_path, monkeypatch, start, client):
    """An account that a file impersonates impersonates another one with --impersonate."""
    kind = KINDS[CHAINS[name]](google, tmp_path, monkeypatch)
    other = google.add_account()
    other.let_impersonate(kind.bot.email)
    server = start(**kind.options, impersonate=other.email)
    client.create("Book")
    assert server.account.shown == other.email
    assert {served.account for served in google.ledger} == {other.email}
