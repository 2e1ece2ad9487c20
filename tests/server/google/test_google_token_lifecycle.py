"""The life of an access token, a pure function: every event in every state, and what holds."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from google.auth.exceptions import RefreshError, TransportError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queued_gspread.server.google.token_lifecycle import (
    Action,
    RefreshFailed,
    RefreshSucceeded,
    Signal,
    TokenAccepted,
    TokenRefused,
    Trouble,
    begin,
    refresh_moment,
    state_at,
    step,
    until_due,
)

NOW = 10_000.0
HOUR = 3600.0
PASSING = RefreshFailed(TransportError("no way"), "no way", is_permanent=False, jitter=1.0)
PERMANENT = RefreshFailed(RefreshError("disabled"), "disabled", is_permanent=True, jitter=1.0)
EXPIRED = replace(PASSING, expires=NOW - 1)

FIRST = begin(NOW - 10, -math.inf, 0.0, is_fixed=False)
GOOD = replace(FIRST, due=NOW + 3000, expires=NOW + 3300, version=3, attempts=5, accepted=3)
STATES = {
    "first": FIRST,
    "asking": replace(FIRST, is_refreshing=True),
    "failing": replace(FIRST, due=NOW + 5, trouble=Trouble(PASSING, NOW - 8, 3), attempts=3),
    "denied": replace(FIRST, due=NOW + 5, trouble=Trouble(PERMANENT, NOW - 8), attempts=1),
    "good": GOOD,
    "ending": replace(GOOD, due=NOW - 1, expires=NOW + 299),
    "renewing": replace(GOOD, due=NOW - 1, expires=NOW + 299, is_refreshing=True),
    "retrying": replace(GOOD, due=NOW + 5, trouble=Trouble(PASSING, NOW - 8)),
    "disowned": replace(GOOD, due=NOW + 5, trouble=Trouble(PERMANENT, NOW - 8)),
    "ended": replace(GOOD, due=NOW - 300, expires=NOW - 1, is_refreshing=True),
    "untried": replace(GOOD, version=4),
    "doubted": replace(GOOD, version=5, unaccepted=1),
    "refused": replace(GOOD, due=NOW - 1, is_refused=True),
    "barred": replace(FIRST, due=NOW - 1, trouble=Trouble(PERMANENT, NOW - 61), attempts=1),
    "rebuffed": replace(GOOD, due=NOW - 1, is_refused=True, unaccepted=2),
    "fixed": begin(NOW - 10, -math.inf, 60.0, is_fixed=True),
}
EVENTS = {
    "start": lambda _: Signal.STARTED,
    "time": lambda _: Signal.TIME_PASSED,
    "want": lambda _: Signal.REFRESH_REQUESTED,
    "key": lambda _: Signal.KEY_FILE_CHANGED,
    "crash": lambda _: Signal.INTERRUPTED,
    "grant": lambda _: RefreshSucceeded(NOW + HOUR),
    "fails": lambda _: PASSING,
    "denies": lambda _: PERMANENT,
    "takes": lambda life: TokenAccepted(life.version),
    "late": lambda life: TokenAccepted(life.version - 2),
    "401": lambda life: TokenRefused(life.version, 1.0),
    "old": lambda life: TokenRefused(life.version - 1, 1.0),
}
# A row a state, a column an event; the words are functions below.
TABLE = """
            start  time  want  key  crash  grant  fails  denies  takes  late  401    old
first       begun  ask   now   now  rest   new    FAILS  DENIES  took   -     again  -
asking      begun  -     now   now  rest   new    FAILS  DENIES  took   -     again  -
failing     begun  -     now   now  rest   back   fails  DENIES  took   -     keep   -
denied      begun  -     -     now  rest   back   FAILS  denies  took   -     keep   -
good        begun  -     now   now  rest   new    FAILS  DENIES  took   -     again  -
ending      begun  ask   now   now  rest   new    FAILS  DENIES  took   -     again  -
renewing    begun  -     now   now  rest   new    FAILS  DENIES  took   -     again  -
retrying    begun  -     now   now  rest   back   fails  DENIES  took   -     keep   -
disowned    begun  -     -     now  rest   back   FAILS  denies  took   -     keep   -
ended       begun  -     now   now  rest   new    FAILS  DENIES  took   -     again  -
untried     begun  -     now   now  rest   new    FAILS  DENIES  took   -     again  -
doubted     begun  -     now   now  rest   new    FAILS  DENIES  took   -     pause  -
refused     begun  ask   now   now  rest   new    FAILS  DENIES  took   -     -      -
barred      begun  read  now   now  rest   back   FAILS  denies  took   -     keep   -
rebuffed    begun  read  now   now  rest   new    FAILS  DENIES  took   -     -      -
fixed       -      -     -     -    -      -      -      -       -      -     -      -
"""


def granted(life):
    """Return a state after a new token."""
    fresh = {"due": NOW + HOUR - 300, "expires": NOW + HOUR, "version": life.version + 1}
    calm = {"is_refused": False, "is_refreshing": False, "trouble": None}
    return replace(life, attempts=life.attempts + 1, **fresh, **calm)


def failed(life, event, pause):
    """Return a state after another failure."""
    trouble = Trouble(event, NOW)
    if life.trouble:
        trouble = Trouble(event, life.trouble.since, life.trouble.count + 1)
    after = {"due": NOW + pause, "attempts": life.attempts + 1, "trouble": trouble}
    return replace(life, is_refreshing=False, **after)


def refused(life, due):
    """Return a state after Google has refused the current token."""
    count = 0 if life.accepted == life.version else life.unaccepted + 1
    trouble = life.trouble and replace(life.trouble, since=NOW)
    return replace(life, is_refused=True, due=due, unaccepted=count, trouble=trouble)


def doubled(life):
    """Return the pause after another failure that may pass."""
    return 2.0**life.trouble.count if life.trouble else 1.0


TOLD = (Action.NOTIFY,)
OUTCOMES = {
    "-": lambda life: (life, ()),
    "begun": lambda life: (replace(life, awaited_since=NOW, is_refreshing=False), ()),
    "ask": lambda life: (replace(life, is_refreshing=True), (Action.REFRESH,)),
    "read": lambda life: (
        replace(life, is_refreshing=True),
        (Action.REREAD, Action.REFRESH),
    ),
    "now": lambda life: (replace(life, due=NOW), ()),
    "rest": lambda life: (replace(life, due=max(life.due, NOW + 1), is_refreshing=False), ()),
    "new": lambda life: (granted(life), TOLD),
    "back": lambda life: (granted(life), (Action.LOG_RECOVERED, *TOLD)),
    "fails": lambda life: (failed(life, PASSING, doubled(life)), TOLD),
    "FAILS": lambda life: (failed(life, PASSING, doubled(life)), (Action.LOG_FAILING, *TOLD)),
    "denies": lambda life: (failed(life, PERMANENT, 60.0), TOLD),
    "DENIES": lambda life: (failed(life, PERMANENT, 60.0), (Action.LOG_REFUSED, *TOLD)),
    "took": lambda life: (replace(life, accepted=max(life.accepted, life.version)), ()),
    "again": lambda life: (refused(life, NOW), ()),
    "keep": lambda life: (refused(life, life.due), ()),
    "pause": lambda life: (refused(life, NOW + 1), ()),
}


def cells():
    """Yield the state, the event and the outcome of every cell of the table."""
    names, *rows = TABLE.strip().splitlines()
    for row in rows:
        state, *outcomes = row.split()
        yield from zip([state] * len(outcomes), names.split(), outcomes, strict=True)


@pytest.mark.parametrize(("state", "event", "outcome"), list(cells()))
def test_every_event_in_every_state(state, event, outcome):
    """What is known next, and what is to be done, is as the table says."""
    life = STATES[state]
    assert step(life, EVENTS[event](life), NOW) == OUTCOMES[outcome](life)


def test_the_table_is_whole():
    """Every state has a row, and every event and every outcome is in the table."""
    states, events, outcomes = (set(column) for column in zip(*cells(), strict=True))
    assert (states, events, outcomes) == (set(STATES), set(EVENTS), set(OUTCOMES))


@pytest.mark.parametrize(
    ("state", "is_usable", "error", "waited"),
    [
        ("first", False, None, 10),
        ("asking", False, None, 10),
        ("failing", False, PASSING.error, 8),
        ("denied", False, PERMANENT.error, math.inf),
        ("good", True, None, 0),
        ("ending", True, None, 0),
        ("renewing", True, None, 0),
        ("retrying", True, None, 0),
        ("disowned", True, None, 0),
        ("ended", False, None, 1),
        ("untried", True, None, 0),
        ("doubted", True, None, 0),
        ("refused", False, None, 0),
        ("fixed", True, None, 0),
    ],
)
def test_what_the_server_is_told(state, is_usable, error, waited):
    """In every state the server knows whether it may send, and else why not and for how long."""
    told = state_at(STATES[state], NOW)
    assert (told.is_usable, told.error, told.waited) == (is_usable, error, waited)


def test_a_grant_that_has_expired_already_ends_the_token_that_it_replaced():
    """google-auth has put the expired token in the place of the good one, so nothing is sent."""
    life, _ = step(STATES["renewing"], EXPIRED, NOW)
    told = state_at(life, NOW)
    assert (told.is_usable, told.error) == (False, EXPIRED.error)


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# An event of a history, by the time, the state, how many versions back it is meant, and a jitter.
HAPPENINGS = {
    **{signal.name: lambda *_, signal=signal: signal for signal in Signal},
    "TIME_PASSED again": lambda *_: Signal.TIME_PASSED,
    "granted": lambda now, *_: RefreshSucceeded(now + HOUR),
    "granted for a second": lambda now, *_: RefreshSucceeded(now + 1.0),
    "granted for ever": lambda *_: RefreshSucceeded(math.inf),
    "granted too late": lambda now, *_: replace(PASSING, expires=now),
    "failed": lambda _now, _life, _back, jitter: replace(PASSING, jitter=jitter),
    "denied": lambda *_: PERMANENT,
    "accepted": lambda _, life, back, __: TokenAccepted(life.version - back),
    "refused": lambda _, life, back, jitter: TokenRefused(life.version - back, jitter),
}
HISTORIES = st.tuples(
    st.sampled_from([-math.inf, 0.0, 100.0, HOUR, math.inf]),
    st.sampled_from([0.0, 60.0]),
    st.lists(
        st.tuples(
            st.floats(0, 2 * HOUR),
            st.sampled_from(sorted(HAPPENINGS)),
            st.integers(0, 2),
            st.floats(0, 1),
        ),
        max_size=30,
    ),
)


def lived(history):
    """Yield the moment, the state before, the event, the state after and the actions."""
    expires, refresh_every, happenings = history
    now, life = 0.0, begin(0.0, expires, refresh_every, is_fixed=False)
    for pause, name, back, jitter in happenings:
        now += pause
        before, event = life, HAPPENINGS[name](now, life, back, jitter)
        life, actions = step(life, event, now)
        yield now, before, event, life, actions


@unhurried
@given(HISTORIES)
def test_a_token_that_ends_is_always_followed_by_a_refresh(history):
    """No state waits for nothing: a refresh is on its way or due, or the token never ends."""
    for now, _, _, life, _ in lived(history):
        never_ends = not life.is_refused and life.expires == math.inf and not life.refresh_every
        if not (life.is_refreshing or never_ends):
            assert until_due(life, now) < math.inf
            *first, last = step(life, Signal.TIME_PASSED, max(now, life.due))[1]
            assert last is Action.REFRESH
            assert first in ([], [Action.REREAD])


@unhurried
@given(HISTORIES)
def test_a_token_is_asked_for_once_at_a_time(history):
    """After the token endpoint was asked, it is asked again only once that has ended."""
    ends = (RefreshSucceeded, RefreshFailed)
    is_asked = False
    for _, _, event, life, actions in lived(history):
        assert not (is_asked and Action.REFRESH in actions)
        is_over = isinstance(event, ends) or event in (Signal.STARTED, Signal.INTERRUPTED)
        is_asked = Action.REFRESH in actions or (is_asked and not is_over)
        assert life.is_refreshing is is_asked


@unhurried
@given(HISTORIES)
def test_the_refusal_of_an_old_token_changes_nothing(history):
    """Of many requests that met a 401, those that come after the next token are no news."""
    for _, before, event, life, actions in lived(history):
        if isinstance(event, TokenRefused) and event.version != before.version:
            assert (life, actions) == (before, ())


@unhurried
@given(HISTORIES)
def test_the_server_hears_of_every_refresh(history):
    """Whoever waits is woken whenever a refresh has ended, after its line in the log, once."""
    for _, before, event, life, actions in lived(history):
        has_ended = isinstance(event, (RefreshSucceeded, RefreshFailed))
        assert life.attempts - before.attempts == actions.count(Action.NOTIFY) == int(has_ended)
        assert not has_ended or actions[-1] is Action.NOTIFY


@unhurried
@given(HISTORIES)
def test_who_is_refused_is_let_alone_for_a_while(history):
    """A token endpoint that failed is not asked again at once, unless somebody asks for it."""
    for now, _, event, life, _ in lived(history):
        if isinstance(event, RefreshFailed):
            assert life.due >= now + 0.5


@unhurried
@given(HISTORIES)
def test_a_token_is_renewed_as_often_as_was_asked_for(history):
    """With refresh_every no token is kept for longer than that."""
    _, refresh_every, _ = history
    for now, _, event, life, _ in lived(history):
        if isinstance(event, RefreshSucceeded) and refresh_every:
            assert life.due <= now + refresh_every


@given(
    st.floats(0, 1e6),
    st.floats(1, 1e5),
    st.one_of(st.just(0.0), st.floats(1, 1e5)),
)
def test_a_token_is_renewed_ahead_of_its_expiry(fetched, lifetime, refresh_every):
    """Whatever its life, a token is renewed before google-auth deems it stale, and not too soon."""
    moment = refresh_moment(fetched, fetched + lifetime, refresh_every)
    assert moment <= fetched + lifetime - min(225.0, lifetime / 6)
    assert moment >= fetched + min(lifetime * 0.79, refresh_every or math.inf)
    assert moment <= fetched + (refresh_every or math.inf)


def test_a_token_that_never_expires():
    """A token without expiry is renewed by the clock alone."""
    assert refresh_moment(5.0, math.inf, 0.0) == math.inf
    assert refresh_moment(5.0, math.inf, 60.0) == 65.0
