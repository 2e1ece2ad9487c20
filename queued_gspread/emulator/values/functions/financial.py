"""Functions of loans, savings and depreciation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .arguments import (
    BAD_NUMBER,
    EvaluationError,
    Function,
    area_of,
    number,
    numbers,
    optional,
    real,
    whole,
)
from .operators import divide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .arguments import Argument

_MOST_STEPS = 200
_NEAR = 1e-12
_YEAR = 365
_MOST_PERIODS = 100_000


def _growth(rate: float, periods: float) -> tuple[float, float]:
    """Return the final value of 1, and of a payment of 1 at each period's end."""
    if rate == 0:
        return 1, periods
    grown = (1 + rate) ** periods
    return grown, (grown - 1) / rate


def _future(rate: float, periods: float, payment: float, present: float, early: float) -> float:
    grown, saved = _growth(rate, periods)
    return real(-(present * grown + payment * (1 + rate * early) * saved))


def _payment(rate: float, periods: float, present: float, future: float, early: float) -> float:
    grown, saved = _growth(rate, periods)
    return real(divide(-(present * grown + future), (1 + rate * early) * saved))


def _present(rate: float, periods: float, payment: float, future: float, early: float) -> float:
    grown, saved = _growth(rate, periods)
    return real(divide(-(future + payment * (1 + rate * early) * saved), grown))


def _periods(rate: float, payment: float, present: float, future: float, early: float) -> float:
    if rate == 0:
        return divide(-(present + future), payment)
    paid = payment * (1 + rate * early) / rate
    return math.log(divide(paid - future, paid + present)) / math.log(1 + rate)


def _five(compute: Callable[[float, float, float, float, float], float]) -> Function:
    def computed(values: Sequence[Argument]) -> float:
        first = [number(value) for value in values[:3]]
        early = float(optional(values, 4, 0) != 0)
        return real(compute(first[0], first[1], first[2], optional(values, 3, 0), early))

    return Function(computed, 3, 5)


def _interest(rate: float, period: float, *loan: float) -> float:
    """Return the interest that is paid in a period, from 1."""
    periods, present, future, early = loan
    if not 1 <= period <= periods:
        raise EvaluationError(BAD_NUMBER)
    payment = _payment(rate, periods, present, future, early)
    if not early:
        return _future(rate, period - 1, payment, present, 0) * rate
    owed = _future(rate, period - 2, payment, present, 1) - payment
    return owed * rate if period > 1 else 0


def _in_period(capital: bool) -> Function:
    def computed(values: Sequence[Argument]) -> float:
        rate, period, periods, present = (number(value) for value in values[:4])
        future, early = optional(values, 4, 0), float(optional(values, 5, 0) != 0)
        interest = _interest(rate, period, periods, present, future, early)
        if not capital:
            return real(interest)
        return real(_payment(rate, periods, present, future, early) - interest)

    return Function(computed, 4, 6)


def _cumulative(capital: bool) -> Function:
    def computed(values: Sequence[Argument]) -> float:
        rate, periods, present = (number(value) for value in values[:3])
        first, last, early = whole(values[3]), whole(values[4]), float(number(values[5]) != 0)
        if not 1 <= first <= last <= min(periods, _MOST_PERIODS) or min(rate, present) <= 0:
            raise EvaluationError(BAD_NUMBER)
        paid = math.fsum(
            _interest(rate, period, periods, present, 0, early) for period in range(first, last + 1)
        )
        if not capital:
            return real(paid)
        return real(_payment(rate, periods, present, 0, early) * (last - first + 1) - paid)

    return Function(computed, 6, 6)


def _root(worth: Callable[[float], float], guess: float) -> float:
    """Return the rate at which a value is zero, by the secant method."""
    if guess <= -1:
        raise EvaluationError(BAD_NUMBER)
    rate, other = guess, guess + 0.01
    at_rate = worth(rate)
    for _ in range(_MOST_STEPS):
        at_other = worth(other)
        if abs(at_other - at_rate) < _NEAR * max(abs(at_other), 1e-9):
            break
        rate, other, at_rate = (
            other,
            other - at_other * (other - rate) / (at_other - at_rate),
            at_other,
        )
        if other <= -1:
            other = (rate - 1) / 2
        if abs(other - rate) < _NEAR:
            return other
    raise EvaluationError(BAD_NUMBER)


def _rate(values: Sequence[Argument]) -> float:
    periods, payment, present = (number(value) for value in values[:3])
    future, early = optional(values, 3, 0), float(optional(values, 4, 0) != 0)
    return _root(
        lambda rate: _future(rate, periods, payment, present, early) - future,
        optional(values, 5, 0.1),
    )


def _net_present(rate: float, flows: Sequence[float]) -> float:
    return math.fsum(flow / (1 + rate) ** at for at, flow in enumerate(flows))


def _internal_rate(values: Sequence[Argument]) -> float:
    flows = numbers(values[:1])
    if not flows or not min(flows) < 0 < max(flows):
        raise EvaluationError(BAD_NUMBER)
    return _root(lambda rate: _net_present(rate, flows), optional(values, 1, 0.1))


def _dated(values: Sequence[Argument]) -> list[tuple[float, float]]:
    """Return the years from the first date on, and the flows, of two ranges."""
    flows = [number(value) for value in area_of(values[0]).line()]
    days = [math.floor(number(value)) for value in area_of(values[1]).line()]
    if len(flows) != len(days) or min(days) < days[0]:
        raise EvaluationError(BAD_NUMBER)
    return [((day - days[0]) / _YEAR, flow) for day, flow in zip(days, flows, strict=True)]


def _dated_worth(rate: float, flows: list[tuple[float, float]]) -> float:
    return math.fsum(flow / (1 + rate) ** years for years, flow in flows)


def _dated_rate(values: Sequence[Argument]) -> float:
    flows = _dated(values)
    if not min(flow for _, flow in flows) < 0 < max(flow for _, flow in flows):
        raise EvaluationError(BAD_NUMBER)
    return _root(lambda rate: _dated_worth(rate, flows), optional(values, 2, 0.1))


def _modified_rate(values: Sequence[Argument]) -> float:
    flows, financed, invested = numbers(values[:1]), number(values[1]), number(values[2])
    gains = _net_present(invested, [max(flow, 0) for flow in flows])
    costs = _net_present(financed, [min(flow, 0) for flow in flows])
    last = len(flows) - 1
    return real(math.pow(divide(-gains * (1 + invested) ** last, costs), 1 / last) - 1)


def _effective(values: Sequence[Argument]) -> float:
    nominal, periods = number(values[0]), whole(values[1])
    if nominal <= 0 or periods < 1:
        raise EvaluationError(BAD_NUMBER)
    return real((1 + nominal / periods) ** periods - 1)


def _nominal(values: Sequence[Argument]) -> float:
    effective, periods = number(values[0]), whole(values[1])
    if effective <= 0 or periods < 1:
        raise EvaluationError(BAD_NUMBER)
    return periods * (math.pow(1 + effective, 1 / periods) - 1)


def _years_digits(values: Sequence[Argument]) -> float:
    cost, salvage, life, period = (number(value) for value in values)
    if not 1 <= period <= life:
        raise EvaluationError(BAD_NUMBER)
    return (cost - salvage) * (life - period + 1) * 2 / (life * (life + 1))


def _double_declining(values: Sequence[Argument]) -> float:
    cost, salvage, life = (number(value) for value in values[:3])
    period, factor = number(values[3]), optional(values, 4, 2)
    if not 1 <= period <= min(life, _MOST_PERIODS) or min(cost, salvage) < 0 or factor <= 0:
        raise EvaluationError(BAD_NUMBER)
    left, lost = cost, 0.0
    for _ in range(math.floor(period)):
        lost = max(min(left * factor / life, left - salvage), 0.0)
        left -= lost
    return lost


def _compounded(values: Sequence[Argument]) -> float:
    return real(number(values[0]) * math.prod(1 + rate for rate in numbers(values[1:2])))


def _needed_rate(values: Sequence[Argument]) -> float:
    periods, present, future = (number(value) for value in values)
    if periods <= 0 or present <= 0 or future < 0:
        raise EvaluationError(BAD_NUMBER)
    return math.pow(future / present, 1 / periods) - 1


def _needed_periods(values: Sequence[Argument]) -> float:
    rate, present, future = (number(value) for value in values)
    if min(rate, present, future) <= 0:
        raise EvaluationError(BAD_NUMBER)
    return math.log(future / present) / math.log(1 + rate)


FINANCIAL: dict[str, Function] = {
    "FV": _five(_future),
    "PMT": _five(_payment),
    "PV": _five(_present),
    "NPER": _five(_periods),
    "RATE": Function(_rate, 3, 6),
    "IPMT": _in_period(capital=False),
    "PPMT": _in_period(capital=True),
    "CUMIPMT": _cumulative(capital=False),
    "CUMPRINC": _cumulative(capital=True),
    "NPV": Function(
        lambda values: real(
            divide(_net_present(number(values[0]), numbers(values[1:])), 1 + number(values[0]))
        ),
        2,
        None,
    ),
    "IRR": Function(_internal_rate, 1, 2),
    "MIRR": Function(_modified_rate, 3, 3),
    "XNPV": Function(
        lambda values: real(_dated_worth(number(values[0]), _dated(values[1:]))), 3, 3
    ),
    "XIRR": Function(_dated_rate, 2, 3),
    "EFFECT": Function(_effective, 2, 2),
    "NOMINAL": Function(_nominal, 2, 2),
    "RRI": Function(_needed_rate, 3, 3),
    "PDURATION": Function(_needed_periods, 3, 3),
    "FVSCHEDULE": Function(_compounded, 2, 2),
    "SLN": Function(
        lambda values: divide(number(values[0]) - number(values[1]), number(values[2])), 3, 3
    ),
    "SYD": Function(_years_digits, 4, 4),
    "DDB": Function(_double_declining, 4, 5),
}
