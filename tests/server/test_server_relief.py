"""Who has no access token leaves the lease to who has one, and to nobody else."""

from __future__ import annotations

import math
import signal
import threading
from contextlib import ExitStack
from functools import partial

import pytest
from calls import append
from google.auth.exceptions import RefreshError, TransportError
from waiting import PATIENCE, eventually

from queued_gspread.broker import Candidate, Consumer, StaleEpochError
from queued_gspread.broker.connection.client import Connection
from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import OAuthRefusal
from queued_gspread.server.google.token_state import USABLE, TokenState
from queued_gspread.server.lease import Lease
from queued_gspread.server.timing import Timing
from queued_gspread.settings import Settings

NO_TOKEN_YET = TokenState(False)
REFUSED = TokenState(False, RefreshError("invalid_grant"), math.inf)
LEASE = 5.0
HOUR = 3600.0


def failing(seconds):
    """Return the state where the token endpoint has failed for so long."""
    return TokenState(False, TransportError("no way"), seconds)


class Account:
    """An account whose tokens are as a test says."""

    def __init__(self, state):
        self.state = state
        self.asked = 0

    def token_state(self):
        self.asked += 1
        return self.state

    def candidate(self):
        return Candidate(self.state.is_usable, "a@b")

    def refusal(self, _, __):
        return None

    def warn_of_endpoint(self, _):
        pass


class Player:
    """A server as far as its lease goes; it beats when it is told to."""

    def __init__(self, settings, name, state, lease=LEASE, timing=None):
        self.queue, self.account = Consumer(settings, name, name), Account(state)
        self.lease = Lease(self.queue, lease, account=self.account, timing=timing)
        self.ended = []

    def beat(self):
        """Beat; return whether it works then."""
        self.lease.beat()
        if self.lease.epoch:
            self.lease.call_at_end_of(
                self.lease.epoch,
                lambda: self.ended.append("lapsed"),
                lambda: self.ended.append("relieved"),
            )
        return bool(self.lease.epoch)

    @property
    def is_relieved(self):
        return "relieved" in self.ended


@pytest.fixture
def player(redis_url, namespace):
    """Return what makes a server of which there is only the lease."""
    settings = Settings(redis_url=redis_url, namespace=namespace)
    return partial(Player, settings)


@pytest.mark.parametrize(
    "state",
    [REFUSED, failing(LEASE), TokenState(False, None, LEASE)],
    ids=["refused", "failing for long", "without an answer for long"],
)
def test_who_can_send_nothing_gives_way_to_who_can(player, state):
    """A server without a token works no more once one stands by that has a token, which does."""
    works, stands_by = player("aaaa", USABLE), player("bbbb", USABLE)
    assert works.beat()
    works.account.state = state
    assert works.beat()
    assert not works.is_relieved
    assert not stands_by.beat()
    works.beat()
    assert works.is_relieved
    works.lease.give_up()
    assert not works.beat()
    assert stands_by.beat()
    assert not works.beat()


@pytest.mark.parametrize(
    "state",
    [USABLE, NO_TOKEN_YET, failing(LEASE - 0.1)],
    ids=["its token is good", "its first token is on its way", "failing for a moment"],
)
def test_who_works_goes_on_while_its_trouble_may_pass(player, state):
    """A server that can send, or may be able to in a moment, keeps the lease."""
    works, stands_by = player("aaaa", USABLE), player("bbbb", USABLE)
    works.beat()
    works.account.state = state
    stands_by.beat()
    works.beat()
    assert not works.is_relieved


@pytest.mark.parametrize("first", [REFUSED, failing(60.0)], ids=["refused", "failing"])
@pytest.mark.parametrize("second", [REFUSED, failing(60.0)], ids=["refused", "failing"])
def test_two_that_can_send_nothing_leave_the_lease_where_it_is(player, first, second):
    """Of two servers without a token the one that works goes on, however often they beat."""
    works, stands_by = player("aaaa", first), player("bbbb", second)
    assert works.beat()
    for _ in range(20):
        assert not stands_by.beat()
        assert works.beat()
    assert works.ended == []


def test_who_was_relieved_does_not_come_back_by_its_next_token(player):
    """A server that has a token again stands by: the lease moves once for a trouble, not twice."""
    first, second = player("aaaa", USABLE), player("bbbb", USABLE)
    first.beat()
    second.beat()
    first.account.state = REFUSED
    first.beat()
    first.lease.give_up()
    assert second.beat()
    first.account.state = USABLE
    for _ in range(20):
        assert not first.beat()
        assert second.beat()
    assert not second.is_relieved


def test_a_lease_that_ends_is_left_to_who_has_a_token(player, raw, keys):
    """Where a server is gone, one without a token waits for one that has a token."""
    works, without, with_token = (
        player(name, state) for name, state in (("a", USABLE), ("b", REFUSED), ("c", USABLE))
    )
    works.beat()
    without.beat()
    with_token.beat()
    raw.hset(keys.server, "last_beat", 0)
    assert not without.beat()
    assert with_token.beat()


def test_nobody_took_over_from_whom_a_free_lease_was_kept_for(player, raw, keys):
    """Where one with a token was waited for that did not come, the log tells of no takeover."""
    works, without = player("aaaa", USABLE), player("bbbb", REFUSED)
    works.beat()
    works.lease.stop()
    raw.hset(keys.server, "standby", now_of(raw))
    assert not without.beat()
    raw.hdel(keys.server, "standby")
    assert without.beat()
    assert without.queue.predecessor.about == ""


@pytest.mark.parametrize("trouble", ["silent", "ahead of the clock", "a stranger's"])
def test_who_has_no_token_works_where_nobody_else_does(player, raw, keys, trouble):
    """A server without a token takes the lease once no word is fresh of one that has a token."""
    works, without = player("aaaa", USABLE), player("bbbb", REFUSED)
    works.beat()
    player("cccc", USABLE).beat()
    now = now_of(raw)
    said = {"silent": now - 2500, "ahead of the clock": now + 60_000, "a stranger's": "soon"}
    raw.hset(keys.server, mapping={"last_beat": 0, "standby": said[trouble]})
    assert without.beat()


def test_no_call_fails_that_a_standby_can_make(player):
    """While a server stands by that has a token, a refused key is no call's error."""
    works, stands_by = player("aaaa", REFUSED), player("bbbb", USABLE)
    works.beat()
    assert works.lease.token_state() == REFUSED
    stands_by.beat()
    works.beat()
    assert works.lease.token_state() == NO_TOKEN_YET


def now_of(raw):
    """Return Redis's clock, in milliseconds."""
    seconds, microseconds = raw.time()
    return seconds * 1000 + microseconds // 1000


def test_a_standby_says_now_and_then_that_it_has_a_token(player, raw, keys):
    """A server that stands by writes into Redis twice a second, however often it beats."""
    works, stands_by = player("aaaa", USABLE), player("bbbb", USABLE)
    works.beat()
    stands_by.beat()

    def says_it_again(after):
        said = now_of(raw) - after
        raw.hset(keys.server, "standby", said)
        stands_by.beat()
        return raw.hget(keys.server, "standby") != str(said)

    assert says_it_again(after=1000)
    # At once, unless the test was held up.
    eventually(lambda: not says_it_again(after=0))


def test_a_lease_that_cannot_be_given_up_is_taken_anew(player, monkeypatch):
    """Where Redis is away when a lease is given up, no epoch goes on in which nobody works."""
    works = player("aaaa", USABLE)
    works.beat()
    epoch = works.lease.epoch
    monkeypatch.setattr(Connection, "run", lambda *_, **__: 1 / 0)
    works.lease.give_up()
    monkeypatch.undo()
    assert works.ended == ["lapsed"]
    assert works.beat()
    assert works.lease.epoch != epoch


@pytest.mark.parametrize("way", ["stop", "give_up"])
def test_who_gives_its_lease_up_sends_nothing_from_then_on(player, monkeypatch, way):
    """Before another server can take the lease, what is left of this one is not sent any more."""
    works = player("aaaa", USABLE)
    works.beat()
    epoch = works.lease.epoch
    release, told = works.queue.release, []

    def released():
        with pytest.raises(StaleEpochError):
            works.lease.confirm(epoch)
        told.append(release())

    monkeypatch.setattr(works.queue, "release", released)
    getattr(works.lease, way)()
    assert told


@pytest.fixture
def starting(player):
    """Return what makes a server that beats by itself, before its first token has come."""
    with ExitStack() as stack:

        def start(**options):
            made = player("aaaa", NO_TOKEN_YET, **options)
            stack.callback(made.lease.stop)
            made.lease.start()
            return made

        yield start


@pytest.mark.parametrize("state", [USABLE, REFUSED], ids=["a token", "a refusal"])
def test_a_server_works_once_its_first_token_was_asked_for(starting, state, raw, keys):
    """No lease is taken before the token endpoint has answered."""
    made = starting(lease=HOUR, timing=Timing(first_token=HOUR))
    eventually(lambda: made.account.asked > 3)
    assert not raw.exists(keys.server)
    made.account.state = state
    eventually(lambda: raw.hget(keys.server, "holder") == "aaaa")


def test_a_token_endpoint_that_says_nothing_keeps_no_server_from_working(starting, raw, keys):
    """A server whose first token does not come works all the same, so that callers wait for it."""
    starting(timing=Timing(first_token=0.1))
    eventually(lambda: raw.hget(keys.server, "holder") == "aaaa")


def test_a_request_in_the_air_is_answered_before_the_lease_is_given_up(
    serve, client, gate, background, raw, keys
):
    """As at a stop: what was sent is answered, and what waits is made by the other, each once."""
    works, stands_by = serve(), serve()
    sent = background(append, client, "one")
    arrival = gate.next()
    works._parts.account.token_state = lambda: REFUSED
    (lanes,) = works._left
    eventually(lambda: lanes.has_retired)
    waits = background(append, client, "two")
    assert raw.hget(keys.server, "holder") == works.server_id
    arrival.answer({"made": 1})
    assert sent.result(PATIENCE) == {"made": 1}
    gate.next().answer({"made": 2})
    assert waits.result(PATIENCE) == {"made": 2}
    assert raw.hget(keys.server, "holder") == stands_by.server_id
    assert len(gate.seen) == 2


@pytest.fixture
def issuer():
    with Emulator(seed=1) as emulator:
        yield emulator


@pytest.fixture
def start(start_process, issuer, tmp_path):
    """Return what starts a server's process with the key that the emulator's account has now."""

    def start(wait="working as", name="now"):
        path = tmp_path / f"{name}.json"
        if not path.exists():
            issuer.write_service_account(path)
        where = ("--service-account", path, "--api-endpoint", issuer.url)
        return start_process(*where, wait=wait)

    return start


@pytest.fixture
def book(issuer):
    """Return a spreadsheet, as Google has it."""
    return issuer.gspread_client().create("Book")


def rows_of(issuer, book):
    """Return the rows of a spreadsheet, as Google has them."""
    return issuer.gspread_client().open_by_key(book.id).sheet1.get_all_values()


def test_a_refused_key_gives_way_to_a_good_one(start, issuer, client, book, tmp_path):
    """Alone, a server with a refused key has calls fail at once; one with a good key takes over."""
    issuer.write_service_account(tmp_path / "deleted.json")
    issuer.rotate_key()
    refused = start(name="deleted")
    sheet = None
    with pytest.raises(RefreshError, match="invalid_grant"):
        client.open_by_key(book.id)
    good = start()
    sheet = client.open_by_key(book.id).sheet1
    sheet.append_row(["made"])
    assert rows_of(issuer, book) == [["made"]]
    refused.until_log("another server has an access token")
    refused.until_log("standing by")
    good.kill()
    with pytest.raises(RefreshError, match="invalid_grant"):
        sheet.append_row(["refused"])


@pytest.fixture
def next_beats(raw, keys):
    """Return what waits until the server that works has beaten, and has read the answer."""

    def beat():
        before = raw.hget(keys.server, "last_beat")
        eventually(lambda: raw.hget(keys.server, "last_beat") != before)

    def wait():
        beat()
        # This one begins once the answer to the first was read.
        beat()

    return wait


def test_a_key_that_is_deleted_at_work_costs_no_call(
    start, issuer, client, book, background, next_beats, raw, keys
):
    """Calls under way when a key is deleted are made once, by the standby, and none fails."""
    works = start(name="first")
    issuer.rotate_key()
    start("standing by", name="second")
    eventually(lambda: raw.hget(keys.server, "standby"))
    next_beats()
    sheets = [client.open_by_key(book.id).sheet1 for _ in range(8)]
    begun = [background(lambda n=n: sheets[n].append_row([f"before {n}"])) for n in range(8)]
    issuer.wait_for(lambda served: ":append" in served.path)
    issuer.revoke_tokens()
    begun += [background(lambda n=n: sheets[n].append_row([f"after {n}"])) for n in range(8)]
    for call in begun:
        call.result()
    rows = [row for (row,) in rows_of(issuer, book)]
    assert sorted(rows) == sorted(f"{word} {n}" for n in range(8) for word in ("before", "after"))
    works.until_log("another server has an access token")
    works.signal(signal.SIGTERM)
    assert works.exit_status() == 0


def test_a_server_that_is_killed_leaves_the_lease_to_who_has_a_token(
    start, issuer, client, book, tmp_path
):
    """After a SIGKILL calls are made by the standby with a token, whoever else stands by."""
    issuer.write_service_account(tmp_path / "deleted.json")
    issuer.rotate_key()
    works = start()
    refused = start("standing by", name="deleted")
    start("standing by")
    sheet = client.open_by_key(book.id).sheet1
    works.kill()
    sheet.append_row(["made"])
    assert rows_of(issuer, book) == [["made"]]
    assert "working as" not in refused.log


def test_a_refused_renewal_moves_no_lease(start, issuer, client, book, next_beats):
    """A server whose token is good works on, though a standby has one that could be renewed."""
    works = start()
    start("standing by")
    sheet = client.open_by_key(book.id).sheet1
    issuer.faults.add(OAuthRefusal(), to="token")
    with pytest.raises(RefreshError):
        client.http_client.login()
    next_beats()
    sheet.append_row(["made"])
    works.until_log("append_row")
    assert "another server has" not in works.log


def test_a_lease_is_given_up_while_somebody_is_told_of_a_beat(redis_url, namespace, background):
    """Whoever is told of each beat may take time over it: meanwhile the lease can be given up."""
    is_told, may_go_on = threading.Event(), threading.Event()

    def saw(_):
        is_told.set()
        may_go_on.wait()

    consumer = Consumer(Settings(redis_url=redis_url, namespace=namespace), "aaaa", "server a")
    lease = Lease(consumer, 60.0, on_beat=saw)
    lease.start()
    try:
        assert is_told.wait(PATIENCE)
        background(lease.give_up).result(PATIENCE)
    finally:
        may_go_on.set()
        lease.stop()
