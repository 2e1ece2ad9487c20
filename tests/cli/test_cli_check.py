"""``queued-gspread check``: what it finds of good set-ups, and of those broken in one way."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
import redis
from accounts import OPEN
from gspread.auth import READONLY_SCOPES
from waiting import eventually

from queued_gspread import cli
from queued_gspread.broker import FORMAT, Consumer
from queued_gspread.broker.keys import Keys
from queued_gspread.cli.check.of_credentials import scopes_of
from queued_gspread.cli.check.of_google import Google
from queued_gspread.cli.check.of_redis import Queue
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.embedded.probe import free_port
from queued_gspread.emulator import Emulator
from queued_gspread.emulator.accounts.account import EMAIL
from queued_gspread.emulator.faults import OAuthRefusal, Status
from queued_gspread.server import Server, log
from queued_gspread.server.timing import Timing
from queued_gspread.settings import Settings

GOOD = {
    **OPEN,
    "appendonly": "yes",
    "save": "",
}
NAMES = [
    *("redis", "eviction", "persistence", "server", "credentials", "clock", "token", "scopes"),
    *("sheets api", "drive api", "spreadsheet", "writing", "creating", "quota"),
]
# What the page on security has for clients, with the namespace left out.
ACL = (
    "+time +cluster|slots +eval +evalsha +xadd +xdel +xlen +xrange +xread +del +unlink +exists "
    "+zadd +zscore +zremrangebyscore +sadd +srem +rpush +lrem +hget +hmget +hset +hdel +set "
    "+incrby ~queued-gspread:{{{0}}}:3:* ~queued-gspread:{{{0}}}:*server "
    "~queued-gspread:{{{0}}}:formats"
)
AUTH = "https://www.googleapis.com/auth/"
PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----"


@pytest.fixture(scope="module")
def good_redis():
    """Return a Redis that loses nothing."""
    with TemporaryRedis(options=GOOD, restricted=False) as server:
        yield server


@pytest.fixture
def raw(good_redis):
    """Return a plain client of it; what was set is as before afterwards."""
    with redis.Redis.from_url(good_redis.url, decode_responses=True) as client:
        yield client
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("appendonly", "yes")
        client.config_set("save", "")


@pytest.fixture
def google():
    """Return an emulator with a spreadsheet that is shared, whose accounts own no files."""
    with Emulator(storage=False) as emulator:
        emulator.add_spreadsheet("Orders")
        yield emulator


@pytest.fixture
def key_file(google, tmp_path):
    path = tmp_path / "account.json"
    google.write_service_account(path)
    return path


@pytest.fixture
def changed(key_file):
    """Return what changes fields of the key file, or takes them out."""

    def change(**fields):
        info = json.loads(key_file.read_text()) | fields
        kept = {name: value for name, value in info.items() if value is not None}
        key_file.write_text(json.dumps(kept))

    return change


@pytest.fixture
def check(good_redis, namespace, google, key_file, capsys):
    """Return what runs the check and returns its status and its findings by name."""

    def run(*options, url=good_redis.url, name=namespace, account=True):
        where = ["--redis-url", url, "--namespace", name, "--api-endpoint", google.url]
        named = ["--service-account", str(key_file)] if account else []
        capsys.readouterr()
        status = cli.main(["check", "--json", *where, *named, *options])
        answer = json.loads(capsys.readouterr().out)
        found = {finding["name"]: finding for finding in answer["checks"]}
        assert answer["ok"] is (status == 0)
        assert list(found) == NAMES
        return status, found

    return run


@pytest.fixture
def serve(good_redis, namespace, google, key_file):
    """Run a server of the queue, at the emulator."""
    own = {"redis_url": good_redis.url, "namespace": namespace, "api_endpoint": google.url}
    own |= {"reads_per_minute": 0, "project_reads_per_minute": 0, "writes_per_minute": 50}
    with Server(service_account=key_file, **own) as server:
        yield server


def google_of(emulator, account):
    """Return what checks an emulator, with a client of its first account."""
    found = Google(emulator.gspread_client().http_client.request, account)
    found.reach()
    return found


def wrong(found):
    """Return the names of what is not well, and all remedies."""
    names = [name for name, finding in found.items() if finding["remedy"]]
    return names, " ".join(finding["remedy"] for finding in found.values())


def test_a_good_set_up(check, google, raw, namespace):
    """With everything as it should be every line is ok, the status 0, and nothing was written."""
    google.clear_ledger()
    status, found = check("--spreadsheet", "Orders")
    statuses = {name: finding["status"] for name, finding in found.items()}
    assert statuses == dict.fromkeys(NAMES, "ok") | {"server": "skipped"}
    assert status == 0
    assert {served.method for served in google.ledger} == {"GET"}
    assert raw.keys(f"*{{{namespace}}}*") == []
    assert EMAIL in found["credentials"]["told"]
    assert found["scopes"]["told"] == "drive, spreadsheets"
    assert (
        "can own no file: create() works in a folder of a shared drive" in found["creating"]["told"]
    )
    assert found["quota"]["told"] == "the server will assume 60 reads and 60 writes in 60 s"


def test_a_good_set_up_with_a_server(check, serve, google):
    """With a server that works, requests go through the queue and need no key here."""
    google.clear_ledger()
    status, found = check("--spreadsheet", "Orders", account=False)
    assert status == 0, found
    assert "works here" in found["server"]["told"]
    assert found["writing"]["told"] == f"{EMAIL} may change it"
    assert found["quota"]["told"] == "the server assumes any number of reads and 50 writes in 60 s"
    assert found["token"]["status"] == found["creating"]["status"] == "ok"
    assert all(served.method == "GET" for served in google.ledger)


def test_a_subject_is_told_with_the_account_that_acts(check, google):
    """Who acts for a subject is told as in the log; it is the subject who may change and create."""
    google.add_user("ann@example.com")
    google.accounts[0].delegate()
    status, found = check("--subject", "ann@example.com")
    assert status == 0
    assert found["credentials"]["told"].endswith(f", of {EMAIL} for ann@example.com")


def test_the_scopes_of_an_impersonated_account(check, google):
    """Scopes that are asked for an impersonated account are told, and what they leave out."""
    other = google.add_account()
    other.let_impersonate(EMAIL)
    status, found = check("--impersonate", other.email, "--scopes", "spreadsheets")
    assert status == 1
    assert found["scopes"]["told"] == "spreadsheets"
    assert "open() by a title" in found["scopes"]["remedy"]
    assert "have --scopes name spreadsheets and drive" in found["drive api"]["remedy"]


@pytest.mark.parametrize("way", ["title", "id", "URL"])
def test_a_spreadsheet_is_named_in_three_ways(check, google, way):
    """A spreadsheet is found by its title, its id and its URL."""
    key = google.spreadsheets["Orders"]
    url = f"https://docs.google.com/spreadsheets/d/{key}/edit#gid=0"
    status, found = check("--spreadsheet", {"title": "Orders", "id": key, "URL": url}[way])
    assert (status, found["spreadsheet"]["told"]) == (0, f"'Orders' ({key})")


def test_lines(check, google, good_redis, key_file, capsys):
    """Without --json each finding is a line with its remedy below it, and the sum is the last."""
    google.disabled_apis = "drive"
    where = ["--redis-url", good_redis.url, "--api-endpoint", google.url]
    assert cli.main(["check", *where, "--service-account", str(key_file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"ok    redis        {good_redis.url}: ")
    place = next(number for number, line in enumerate(lines) if line.startswith("FAIL"))
    assert re.match(r"FAIL  drive api    \[403\]: Google Drive API has not been used", lines[place])
    assert lines[place + 1].startswith(" " * 19 + "-> open() by a title")
    assert lines[-1] == "not well: 1 of 14"
    assert max(map(len, lines[place + 1 : place + 3])) <= 100


DAMAGED = f"{PRIVATE_KEY}\nabc\n-----END PRIVATE KEY-----\n"


def of(name, *words):
    """Return what a finding and its remedy have to have."""
    return name, words


# What is done to a good set-up: to the emulator, the key file's fields, or Redis.
BROKEN = {
    "sheets api disabled": (
        lambda google: setattr(google, "disabled_apis", "sheets"),
        of("sheets api", "console.developers.google.com/apis/api/sheets.googleapis.com/overview"),
    ),
    "drive api disabled": (
        lambda google: setattr(google, "disabled_apis", "drive"),
        of("drive api", "console.developers.google.com/apis/api/drive.googleapis.com/overview"),
    ),
    "not shared": (
        lambda google: google.add_private_file(google.spreadsheets["Orders"]),
        of("spreadsheet", "no spreadsheet with the title 'Orders'", f"add {EMAIL} as an editor"),
    ),
    "shared for reading": (
        lambda google: (google.reset(), google.add_spreadsheet("Orders", role="reader")),
        of("writing", "for reading only", f"add {EMAIL} as an editor"),
    ),
    "two of one title": (
        lambda google: google.add_spreadsheet("Orders"),
        of("spreadsheet", "2 spreadsheets have the title", "open_by_key("),
    ),
    "deleted account": (
        lambda google: google.delete_account(),
        of("token", "account not found", "the account was deleted", "undelete"),
    ),
    "disabled key": (
        lambda google: google.accounts[0].disable_keys(),
        of("token", "Invalid JWT Signature", "the key was disabled or deleted", "make a new key"),
    ),
    "disabled account": (
        lambda google: google.faults.add(
            OAuthRefusal("invalid_grant", "Account has been disabled"), to="token"
        ),
        of("token", "Account has been disabled", "enable the account again"),
    ),
    "slow clock": (
        lambda google: setattr(google, "clock_ahead", 7200.0),
        of("clock", "s behind Google's", "set this machine's clock"),
    ),
    "fast clock": (
        lambda google: setattr(google, "clock_ahead", -7200.0),
        of("clock", "s ahead of Google's", "set this machine's clock"),
    ),
    "quota used up": (
        lambda google: google.faults.add(Status(429), path="/v4/"),
        of("sheets api", "[429]", "something else uses up the account's quota"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_google_refuses(check, google, name):
    """Each failure of Google's has its own line, with its remedy, and the status is 1."""
    breaks, (line, words) = BROKEN[name]
    breaks(google)
    status, found = check("--spreadsheet", "Orders")
    assert status == 1
    assert found[line]["status"] in ("failed", "warning")
    told = f"{found[line]['told']} {found[line]['remedy']}"
    assert all(word in told for word in words), told


def test_a_wrong_clock_is_the_tokens_remedy_too(check, google):
    """Where a clock is so wrong that there is no token, both lines say so, and they alone."""
    google.clock_ahead = 7200.0
    assert wrong(check()[1])[0] == ["clock", "token"]


THROUGH = ["sheets api disabled", "drive api disabled", "not shared", "shared for reading"]


@pytest.mark.parametrize("name", THROUGH)
def test_what_google_refuses_a_server(check, google, serve, name):
    """Through the queue the same is found, with the server's account in its place."""
    breaks, (line, words) = BROKEN[name]
    breaks(google)
    status, found = check("--spreadsheet", "Orders", account=False)
    assert status == 1
    told = f"{found[line]['told']} {found[line]['remedy']}"
    assert all(word in told for word in words), told


def test_a_server_whose_key_is_refused(check, google, serve):
    """A server that gets no token any more is told of with Google's words and the remedy."""
    google.accounts[0].disable_keys()
    google.revoke_tokens()
    status, found = check(account=False)
    assert (status, wrong(found)[0]) == (1, ["token"])
    assert "Invalid JWT Signature" in found["token"]["told"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"private_key": None}, ["credentials", "it has no 'private_key'"]),
        ({"type": "authorized_user"}, ["credentials", "which is for --oauth"]),
        (
            {"private_key": f"{PRIVATE_KEY}\nabc\n-----END PRIVATE KEY-----\n"},
            ["credentials", "is damaged"],
        ),
        ({"client_email": "nobody@example.com"}, ["token", "its address is misspelt"]),
        ({"token_uri": "{}/o/oauth2/token"}, ["token", "https://oauth2.googleapis.com/token"]),
    ],
    ids=["no key", "another kind", "damaged", "misspelt", "old endpoint"],
)
def test_a_wrong_key_file(check, changed, google, fields, words):
    """A key file that is wrong is told of in the line of the credentials, or of the token."""
    changed(**{name: value and value.format(google.url) for name, value in fields.items()})
    status, found = check("--spreadsheet", "Orders")
    name, *told = words
    assert (status, wrong(found)[0]) == (1, [name])
    assert all(word in wrong(found)[1] for word in told)
    assert found["spreadsheet"]["status"] == "skipped"


def test_no_secret_is_shown(check, changed, key_file, google, good_redis):
    """Neither a key, a token nor a password is in what is found, whatever is wrong."""
    secret = json.loads(key_file.read_text())["private_key"].splitlines()[1]
    changed(private_key=f"{PRIVATE_KEY}\n{secret}\n-----END PRIVATE KEY-----\n")
    place = good_redis.url.partition("@")[2] or good_redis.url.partition("://")[2]
    _, found = check(url=f"redis://me:hunter2@{place}")
    assert found["redis"]["status"] == "failed"
    assert secret not in json.dumps(found)
    assert "hunter2" not in json.dumps(found)
    assert "//***@" in found["redis"]["told"]


def test_a_redis_that_does_not_answer(check):
    """Without Redis the line says how to get one, and Google is checked all the same."""
    status, found = check("--spreadsheet", "Orders", url=f"redis://127.0.0.1:{free_port()}/0")
    assert (status, wrong(found)[0]) == (1, ["redis"])
    assert "start one there" in found["redis"]["remedy"]
    assert found["eviction"]["status"] == found["server"]["status"] == "skipped"
    assert found["writing"]["status"] == "ok"


def test_a_url_that_cannot_be_used(check):
    """A URL that is none of a Redis is told of with the form that it should have."""
    _, found = check(url="localhost")
    assert wrong(found)[0] == ["redis"]
    assert "redis://HOST:PORT/DB" in found["redis"]["remedy"]


@pytest.mark.parametrize(
    ("setting", "value", "line", "status", "words"),
    [
        ("maxmemory-policy", "allkeys-lru", "eviction", "failed", "AWS ElastiCache"),
        ("maxmemory-policy", "volatile-lru", "eviction", "warning", "Google Memorystore"),
        ("appendonly", "no", "persistence", "warning", "Set `appendonly yes`"),
        ("save", "60 1", "persistence", "warning", "keeps snapshots and no append-only file"),
    ],
)
def test_a_redis_that_forgets(check, raw, setting, value, line, status, words):
    """What a Redis may drop or lose is told of with the remedy."""
    raw.config_set(setting, value)
    if setting == "save":
        raw.config_set("appendonly", "no")
    ended, found = check()
    assert (ended, wrong(found)[0]) == (1, [line])
    assert found[line]["status"] == status
    assert words in found[line]["remedy"]


def test_a_redis_that_may_not_be_asked(check, raw, good_redis, serve, namespace):
    """A client's user of Redis may not see its settings, which are not taken for wrong then."""
    right = ACL.format(namespace)
    raw.execute_command(*f"ACL SETUSER weak reset on >pw {right}".split())
    url = f"redis://weak:pw@127.0.0.1:{good_redis.port}/0"
    status, found = check("--spreadsheet", "Orders", url=url, account=False)
    assert status == 0, found
    assert "its user may not ask for it" in found["redis"]["told"]
    assert found["eviction"]["status"] == found["persistence"]["status"] == "skipped"
    assert found["writing"]["told"] == f"{EMAIL} may change it"


@pytest.mark.parametrize(("epoch", "told"), [("7", "60 reads"), ("6", "")])
def test_a_quota_of_another_epoch(raw, namespace, good_redis, epoch, told):
    """What an earlier server assumed is not taken for what the one that works now does."""
    written = {"epoch": "7", "quota": f"{epoch} 60 reads"}
    raw.hset(f"queued-gspread:{{{namespace}}}:{FORMAT}:server", mapping=written)
    queue = Queue(Settings(good_redis.url, namespace), is_default=False)
    list(queue.findings())
    assert queue.quota == told


def test_another_account_of_the_namespace(check, raw, namespace):
    """Credentials that a server of the namespace would be refused with are told of beforehand."""
    raw.set(f"queued-gspread:{{{namespace}}}:account", "old@example.com")
    status, found = check()
    assert (status, wrong(found)[0]) == (1, ["credentials"])
    told = "belongs to the account 'old@example.com', and this server has"
    assert told in found["credentials"]["told"]
    assert "--replace-account 'old@example.com'" in found["credentials"]["remedy"]


def test_a_server_of_another_format(check, raw, namespace, good_redis):
    """A server that reads another queue format is no server for these clients."""
    server = f"queued-gspread:{{{namespace}}}:2:server"
    raw.hset(f"queued-gspread:{{{namespace}}}:formats", "known", "2")
    seconds, microseconds = raw.time()
    about = {"last_beat": seconds * 1000 + microseconds // 1000, "description": "old:1", "epoch": 1}
    raw.hset(server, mapping=about)
    Consumer(Settings(good_redis.url, namespace)).check_redis()
    _, found = check()
    assert found["server"]["status"] == "failed"
    assert "old:1" in found["server"]["told"]


def test_an_api_key(check, google):
    """An API key opens what is public by its id; what it cannot do is not asked for."""
    key = google.spreadsheets["Orders"]
    status, found = check("--api-key", "AIza-secret", "--spreadsheet", key, account=False)
    assert status == 0
    assert found["spreadsheet"]["status"] == "ok"
    assert found["token"]["status"] == found["drive api"]["status"] == "skipped"
    assert "AIza-secret" not in json.dumps(found)
    status, found = check("--api-key", "AIza-secret", "--spreadsheet", "Orders", account=False)
    assert (status, wrong(found)[0]) == (1, ["spreadsheet"])


@pytest.mark.parametrize(
    ("scopes", "status", "remedy"),
    [
        ([f"{AUTH}spreadsheets", f"{AUTH}drive"], "ok", ""),
        ([f"{AUTH}drive.file"], "ok", ""),
        ([f"{AUTH}spreadsheets"], "warning", "open() by a title"),
        ([f"{AUTH}spreadsheets.readonly", f"{AUTH}drive"], "ok", ""),
        (READONLY_SCOPES, "failed", "nothing can be written"),
        ([], "ok", ""),
    ],
)
def test_scopes_that_are_too_few(scopes, status, remedy):
    """Scopes without Drive, or for reading only, are told of with what needs others."""
    found = scopes_of(SimpleNamespace(scopes=scopes, granted_scopes=None))
    assert found.status == status
    assert remedy in found.remedy
    consent = SimpleNamespace(scopes=None, granted_scopes=scopes)
    assert scopes_of(consent) == found


@pytest.mark.parametrize(
    ("storage", "words"),
    [(True, "15.0 GiB are left. Google may refuse a service account"), (False, "can own no file")],
)
def test_who_may_create_files(check, google, storage, words):
    """The line about new files says what Drive says of the account's storage."""
    google.storage = storage
    status, found = check()
    assert (status, found["creating"]["status"]) == (0, "ok")
    assert words in found["creating"]["told"]


def test_a_storage_that_is_used_up(check, google):
    """An account whose storage is full is told so."""
    full = {"storageQuota": {"limit": "16106127360", "usage": "16106127360"}}
    google.faults.add(Status(200, body=full), path="/about$")
    _, found = check()
    assert found["creating"]["told"] == "its storage of 15 GiB is used up"
    assert wrong(found)[0] == ["creating"]


def test_a_google_that_cannot_be_reached(check, changed):
    """Where nobody answers, the lines of the clock and of the token name network and proxy."""
    changed(token_uri=f"http://127.0.0.1:{free_port()}/token")
    _, found = check()
    assert wrong(found)[0] == ["token"]
    assert "proxy" in found["token"]["remedy"]
    _, found = check("--api-endpoint", f"http://127.0.0.1:{free_port()}")
    assert wrong(found)[0] == ["clock", "token"]
    assert "proxy" in found["clock"]["remedy"]


@pytest.fixture
def lenders(google, tmp_path):
    """Return two more accounts, and the options that name their key files."""
    accounts, options = [google.add_account(), google.add_account()], []
    for number, account in enumerate(accounts, 2):
        path = tmp_path / f"account{number}.json"
        account.write_service_account(path)
        options += ["--service-account", str(path)]
    return accounts, options


@pytest.fixture
def check_all(good_redis, namespace, google, key_file, capsys, lenders):
    """Return what checks three accounts, and returns the status and the findings by name."""

    def run(*options):
        where = ["--redis-url", good_redis.url, "--namespace", namespace]
        named = ["--api-endpoint", google.url, "--service-account", str(key_file), *lenders[1]]
        status = cli.main(["check", "--json", *where, *named, *options])
        checks = json.loads(capsys.readouterr().out)["checks"]
        assert [check["name"] for check in checks] == [
            *(*NAMES[:-1], "account 2", "account 3", NAMES[-1])
        ]
        return status, {check["name"]: check for check in checks}

    return run


def test_accounts_that_lend(check_all, google, lenders):
    """Each further account has a line: its project, its token, and that it may edit the sheet."""
    status, found = check_all()
    assert status == 0
    for number, account in enumerate(lenders[0], 2):
        told = found[f"account {number}"]["told"]
        assert told == f"{account.email} of project queued-gspread-emulator has a token"
    assert found["quota"]["told"].endswith("for each of 3 accounts")
    status, found = check_all("--spreadsheet", "Orders")
    assert status == 0
    assert found["account 2"]["told"].endswith("and may change this spreadsheet")


def test_accounts_that_lend_nothing(check_all, google, lenders):
    """Who has no key, no access or only the right to read is told so, with what to do."""
    (key,) = google.spreadsheets.values()
    google.unshare(key, lenders[0][0])
    google.share(key, lenders[0][1], "reader")
    status, found = check_all("--spreadsheet", "Orders")
    assert status == 1
    nothing, reads = found["account 2"], found["account 3"]
    assert (nothing["status"], reads["status"]) == ("warning", "warning")
    assert "lends nothing for this spreadsheet" in nothing["told"]
    assert f"add {lenders[0][0].email} as an editor" in nothing["remedy"]
    assert "lends reads alone for this spreadsheet" in reads["told"]
    lenders[0][0].disable_keys()
    _, found = check_all("--spreadsheet", "Orders")
    assert found["account 2"]["status"] == "failed"
    assert "gets no token" in found["account 2"]["told"]


def test_accounts_of_a_server_that_works(
    good_redis, namespace, google, key_file, lenders, check_all, raw
):
    """Of a server that works the check says which account has a token, and what it has not seen."""
    lenders[0][1].disable_keys()
    files = [str(key_file), *lenders[1][1::2]]
    where = {"redis_url": good_redis.url, "namespace": namespace, "api_endpoint": google.url}
    with Server(service_account=files, timing=Timing(publish=0.05), lease=1.0, **where) as server:
        bad = server._parts.lenders[1].tokens
        eventually(lambda: bad.state().error)
        published = Keys(namespace).published
        eventually(lambda: "RefreshError" in (raw.hget(published, "resources") or ""))
        status, found = check_all()
        _, with_spreadsheet = check_all("--spreadsheet", "Orders")
    assert status == 1
    assert found["account 2"]["told"].endswith("has a token")
    assert found["quota"]["told"].endswith("for each of 3 accounts")
    assert "in a namespace without a server" in with_spreadsheet["account 2"]["told"]
    assert "lends nothing: RefreshError: invalid_grant" in found["account 3"]["told"]


def test_a_lenders_file_that_cannot_be_used(check, tmp_path):
    """What keeps a server from starting is told: a further key file that is no key."""
    path = tmp_path / "other.json"
    path.write_text("{}")
    status, found = check("--service-account", str(path))
    assert status == 1
    assert found["credentials"]["status"] == "failed"
    assert str(path) in found["credentials"]["remedy"]


def test_an_account_that_only_drive_names(google):
    """A user's consent does not say whose it is, but the Drive API does."""
    found = list(google_of(google, "an unknown account").findings("Orders"))
    assert f"{EMAIL} may change it" in [finding.told for finding in found]


def test_no_redis_is_needed_where_the_server_starts_one(
    check, google, key_file, capsys, monkeypatch
):
    """Where no Redis is configured and none answers, the server's own is nothing to mend."""
    from queued_gspread import settings  # noqa: PLC0415 - for this test's default alone
    from queued_gspread.cli.check import of_redis  # noqa: PLC0415 - the same

    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    monkeypatch.setattr(settings, "DEFAULT_REDIS_URL", nowhere)
    arguments = ["check", "--api-endpoint", google.url, "--service-account", str(key_file)]
    assert cli.main(arguments) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"-     redis        none is configured and none answers at {nowhere}")
    monkeypatch.setattr(of_redis, "_can_be_started", lambda: False)
    assert cli.main(arguments) == 1


@pytest.mark.parametrize("body", [{}, [], {"user": 1, "storageQuota": [], "files": [1]}, "<p>"])
def test_an_answer_that_is_not_googles(check, google, body):
    """Whatever answers in Google's place, the check ends with findings."""
    google.faults.add(Status(200, body=body), path="^/(v4|drive)/")
    status, found = check("--spreadsheet", "Orders")
    assert status == 1
    assert found["spreadsheet"]["status"] in ("failed", "skipped")


def test_the_log_is_as_before(check, google):
    """A program that runs the check logs as before, and the check itself prints nothing else."""
    before = log.LOGGER.parent.level
    google.delete_account()
    check()
    assert log.LOGGER.parent.level == before
