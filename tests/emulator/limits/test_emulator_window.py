"""Counting in windows and against limits, over times passed in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queued_gspread.emulator import Quotas
from queued_gspread.emulator.limits.quotas import Limit, Meter
from queued_gspread.emulator.limits.window import Window

STEPS = st.lists(st.floats(0, 20, allow_nan=False), max_size=60)
LENGTHS = st.floats(0.1, 70)


def let_through(window, steps):
    """Return the moments, so many steps apart, at which a window lets a request through."""
    now, through = 0.0, []
    for step in steps:
        now += step
        if window.allows(now):
            window.count(now)
            through.append(now)
    return through


def test_a_fixed_window_begins_anew_at_its_bound():
    """A fixed window is full until the very moment at which the next one begins."""
    window = Window(2, 60.0, offset=5.0)
    assert let_through(window, [64.0, 0.5, 0.25]) == [64.0, 64.5]
    assert let_through(window, [64.999]) == []
    assert let_through(window, [65.0, 0.0, 0.0]) == [65.0, 65.0]


def test_a_sliding_window_has_no_bounds():
    """A sliding window has room again a full length after a request, and not before."""
    window = Window(2, 60.0, "sliding")
    assert let_through(window, [50.0, 20.0, 30.0]) == [50.0, 70.0]
    assert not window.allows(109.999)
    assert window.allows(110.0)
    assert window.used(110.0) == 1
    assert window.used(130.0) == 0


def test_twice_the_limit_fits_around_a_fixed_bound():
    """Across a fixed bound twice the limit gets through in a moment; sliding it does not."""
    steps = [59.5, 0, 0, 0.5, 0, 0]
    assert len(let_through(Window(2, 60.0), steps)) == 4
    assert len(let_through(Window(2, 60.0, "sliding"), steps)) == 2


@settings(deadline=None)
@given(STEPS, st.integers(1, 5), LENGTHS)
def test_no_sliding_window_is_ever_overfull(steps, limit, length):
    """Between any two requests that are the limit apart lies at least the window's length."""
    through = let_through(Window(limit, length, "sliding"), steps)
    pairs = zip(through, through[limit:], strict=False)
    assert all(early + length <= late for early, late in pairs)


@settings(deadline=None)
@given(STEPS, st.integers(1, 5), LENGTHS, st.floats(0, 70))
def test_no_fixed_window_is_ever_overfull(steps, limit, length, offset):
    """In no interval from k * length + offset to the next are more than the limit."""
    through = let_through(Window(limit, length, "fixed", offset), steps)
    near = {int((moment - offset) // length) + by for moment in through for by in (-1, 0, 1)}
    for number in near:
        start, end = number * length + offset, (number + 1) * length + offset
        assert sum(start <= moment < end for moment in through) <= limit


def test_a_lenient_window_lets_a_burst_through_and_then_nobody():
    """What comes within a tenth of it counts only later, and then keeps others out to its end."""
    window = Window(60, 60.0, "lenient")
    assert len(let_through(window, [0.0] + [0.07] * 76)) == 77
    assert not window.allows(12.0)
    assert window.used(12.0) == 77
    assert not window.allows(60.0)
    assert window.allows(61.5)


@settings(deadline=None)
@given(STEPS, st.integers(1, 5), LENGTHS)
def test_what_a_sliding_window_lets_through_a_lenient_one_does(steps, limit, length):
    """Requests that no sliding window refuses meet no refusal of a lenient one."""
    through = let_through(Window(limit, length, "sliding"), steps)
    lenient = Window(limit, length, "lenient")
    for moment in through:
        assert lenient.allows(moment)
        lenient.count(moment)


@pytest.mark.parametrize(
    ("length", "offset", "number"), [(0.1, 3.5, 18), (0.3, 3.0, 7), (0.3, 4.8, 47)]
)
def test_a_bound_that_division_misses(length, offset, number):
    """A bound belongs to the window that begins there, where rounded division says otherwise."""
    bound = number * length + offset
    window = Window(1, length, offset=offset)
    assert let_through(window, [bound - 0.01, 0.01]) == [bound - 0.01, bound]


@settings(deadline=None)
@given(STEPS, LENGTHS)
def test_an_unlimited_window_lets_everything_through(steps, length):
    """Nothing is refused as long as the limit is not reached."""
    assert len(let_through(Window(len(steps) + 1, length), steps)) == len(steps)


def test_reads_and_writes_are_counted_apart():
    """A quota of reads has nothing to do with that of writes, nor with other accounts."""
    meter = Meter(Quotas(reads=1, writes=1))
    assert [meter.take("a", "read", 0.0), meter.take("a", "write", 0.0)] == [None, None]
    assert meter.take("a", "read", 0.0) == Limit("read", True, 1)
    assert meter.take("b", "read", 0.0) is None
    assert meter.take("a", "drive", 0.0) is None


def test_the_project_limits_all_accounts_together():
    """The project's quota refuses an account that has its own quota left."""
    meter = Meter(Quotas(reads=5, project_reads=2))
    assert [meter.take(name, "read", 0.0) for name in "ab"] == [None, None]
    assert meter.take("c", "read", 0.0) == Limit("read", False, 2)


def test_staggered_windows_begin_at_moments_of_each_accounts_own():
    """Each account is let in again at its own bounds, the project at the common ones."""
    meter = Meter(Quotas(reads=1, project_writes=1, window=60.0, movement="staggered"))
    seconds = [number / 4 for number in range(480)]
    came = {name: [t for t in seconds if not meter.take(name, "read", t)] for name in "abc"}
    bounds = {name: moments[1] for name, moments in came.items()}
    assert all(len(moments) == 3 for moments in came.values())
    assert all(moments[2] - moments[1] == 60.0 for moments in came.values())
    assert len({*bounds.values()}) == 3
    again = Meter(meter.quotas)
    assert [t for t in seconds if not again.take("a", "read", t)] == came["a"]
    assert [t for t in seconds if not meter.take("a", "write", t)] == [0.0, 60.0]


@pytest.mark.parametrize(("count_refused", "after"), [(False, None), (True, "refused")])
def test_refused_requests_count_where_they_are_to(count_refused, after):
    """A refused request prolongs a sliding window only with `count_refused`."""
    meter = Meter(Quotas(reads=1, movement="sliding", count_refused=count_refused))
    assert meter.take("a", "read", 0.0) is None
    assert meter.take("a", "read", 30.0) is not None
    assert (meter.take("a", "read", 60.0) and "refused") == after


def test_the_other_limit_is_not_used_up_by_what_one_refuses():
    """A request that one quota refuses leaves the other as it was."""
    meter = Meter(Quotas(reads=1, project_reads=2))
    assert meter.take("a", "read", 0.0) is None
    assert meter.take("a", "read", 0.0).per_user
    assert meter.take("b", "read", 0.0) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"reads": -1},
        {"window": 0},
        {"window": float("inf")},
        {"movement": "rolling"},
        {"counted": "never"},
    ],
)
def test_odd_quotas_are_refused(wrong):
    """Quotas that could never be meant are a ValueError."""
    with pytest.raises(ValueError, match="cannot be used"):
        Quotas(**wrong)
