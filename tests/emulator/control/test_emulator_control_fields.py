"""What the fields of quotas, settings and faults hold and refuse, without HTTP."""

import dataclasses
import inspect

import pytest

from queued_gspread.emulator import Quotas
from queued_gspread.emulator.control.rules import FAULTS, RULE, parse_rule
from queued_gspread.emulator.control.settings import QUOTAS, SETTINGS
from queued_gspread.emulator.http.fault_rules import Faults
from queued_gspread.web.fields import WrongFieldError, read_object

OF_STATUS = FAULTS["status"][1]


def test_everything_can_be_sent():
    """JSON has every field of the quotas and of each fault, and every argument but `match`."""
    assert set(QUOTAS) == {field.name for field in dataclasses.fields(Quotas)}
    for fault, own in FAULTS.values():
        assert set(own) == {field.name for field in dataclasses.fields(fault) if field.init}
    taken = set(inspect.signature(Faults.add).parameters) - {"self", "fault", "match"}
    assert set(RULE) == taken | {"kind"}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        (QUOTAS, "reads", 0),
        (QUOTAS, "window", 0.5),
        (QUOTAS, "offset", -3.5),
        (QUOTAS, "movement", "sliding"),
        (QUOTAS, "count_refused", True),
        (QUOTAS, "retry_after", 0),
        (QUOTAS, "retry_after", None),
        (QUOTAS, "retry_after", "Wed, 21 Oct 2015 07:28:00 GMT"),
        (SETTINGS, "latency", 0),
        (SETTINGS, "apply_share", 1),
        (SETTINGS, "apply_share", "random"),
        (RULE, "rate", 0.5),
        (RULE, "count", None),
        (RULE, "path", ":append$"),
        (OF_STATUS, "status", 511),
        (OF_STATUS, "body", {"a": [1]}),
        (OF_STATUS, "headers", {"Retry-After": "5"}),
    ],
)
def test_what_fits_is_kept(fields, name, value):
    """A value of the right kind is the field's, as it was sent."""
    assert read_object({name: value}, fields) == {name: value}


def test_a_range_is_a_pair():
    """Lowest and highest come as a list and are the pair that the emulator takes."""
    assert read_object({"latency": [0.1, 2]}, SETTINGS) == {"latency": (0.1, 2)}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        (QUOTAS, "reads", -1),
        (QUOTAS, "reads", 1.5),
        (QUOTAS, "reads", True),
        (QUOTAS, "reads", None),
        (QUOTAS, "writes", "5"),
        (QUOTAS, "drive", 10**400),
        (QUOTAS, "window", 0),
        (QUOTAS, "movement", ["fixed"]),
        (QUOTAS, "counted", "rolling"),
        (QUOTAS, "offset", "x"),
        (QUOTAS, "count_refused", 0),
        (QUOTAS, "retry_after", "a\r\nSet-Cookie: b"),
        (QUOTAS, "retry_after", -1),
        (SETTINGS, "latency", [1]),
        (SETTINGS, "latency", [2, 1]),
        (SETTINGS, "latency", ["1", "2"]),
        (SETTINGS, "latency", 1e300),
        (SETTINGS, "apply_share", 1.1),
        (SETTINGS, "apply_share", "half"),
        (SETTINGS, "host", "0.0.0.0"),
        (RULE, "method", "post"),
        (RULE, "path", "("),
        (RULE, "path", "a{99999999999}"),
        (RULE, "rate", 2),
        (RULE, "count", 0.5),
        (RULE, "match", "lambda request: True"),
        (OF_STATUS, "status", 100),
        (OF_STATUS, "status", 299),
        (OF_STATUS, "status", True),
        (OF_STATUS, "body", [1]),
        (OF_STATUS, "headers", {"A": 1}),
        (OF_STATUS, "headers", {"A": "b\nC: d"}),
        (OF_STATUS, "headers", {"A b": "c"}),
        (OF_STATUS, "applied", "yes"),
    ],
)
def test_what_does_not_fit_is_told(fields, name, value):
    """What is refused is named with its value, and with what to take instead."""
    with pytest.raises(WrongFieldError, match="cannot be used: take ") as caught:
        read_object({name: value}, fields)
    assert (caught.value.field, caught.value.value) == (name, value)
    assert str(caught.value).startswith(f"{name}=")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": ["status"]}, "kind"),
        ({"kind": "latency"}, "seconds"),
        ({"kind": "reset", "status": 503}, "status"),
        ({"kind": "oauth_refusal"}, "to"),
        ({"kind": "expired_token", "to": "token"}, "to"),
        ([], "body"),
        ("status", "body"),
    ],
)
def test_a_fault_that_cannot_be(body, field):
    """A fault without what it needs, with what it has not, or in the wrong place is refused."""
    with pytest.raises(WrongFieldError) as caught:
        parse_rule(body)
    assert caught.value.field == field


def test_a_long_value_is_cut_short():
    """A message shows only the beginning of a long value."""
    with pytest.raises(WrongFieldError) as caught:
        read_object({"movement": "x" * 9999}, QUOTAS)
    assert len(str(caught.value)) < 300
