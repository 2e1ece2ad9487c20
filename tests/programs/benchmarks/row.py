"""What the table is made of: figures that were measured, and comparisons of two of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

AT_MOST, AT_LEAST = "≤", "≥"


@dataclass(frozen=True)
class Row:
    """What was measured of one thing.

    Attributes:
        group: The benchmark.
        name: What was measured.
        figures: The numbers by name; the last part of a name is the unit.
        note: What a reader has to know of it; for a row without figures, why it has none.

    """

    group: str
    name: str
    figures: dict[str, float] = field(default_factory=dict)
    note: str = ""

    def as_json(self):
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """One measured number against another, and what is wanted of it.

    Attributes:
        group: The benchmark.
        name: What is compared.
        unit: Of both numbers.
        measured: The number.
        against: The one that it is compared with.
        goal: The ratio that is wanted, or None.
        sense: Whether it is wanted to be at most or at least that.
        slack: What the number may be above that, in the unit.

    """

    group: str
    name: str
    unit: str
    measured: float
    against: float
    goal: float | None = None
    sense: str = AT_MOST
    slack: float = 0.0

    @property
    def ratio(self):
        return self.measured / self.against

    @property
    def wanted(self):
        """What the measured number should be, at most or at least; None without a goal."""
        if self.goal is None:
            return None
        slack = self.slack if self.sense == AT_MOST else -self.slack
        return self.goal * self.against + slack

    @property
    def is_met(self):
        """Whether it is; None without a goal."""
        if self.wanted is None:
            return None
        if self.sense == AT_LEAST:
            return self.measured >= self.wanted
        return self.measured <= self.wanted

    @property
    def shown_goal(self):
        if self.goal is None:
            return ""
        slack = f" + {self.slack:g} {self.unit}" if self.slack else ""
        return f"{self.sense} {self.goal:g}{slack}"

    def as_json(self):
        return {**asdict(self), "ratio": self.ratio, "met": self.is_met}
