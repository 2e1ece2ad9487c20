"""How many functions of the server a call passes."""

from __future__ import annotations

import statistics

import pytest

from tests.programs.measure.function_calls import count

MOST = 300


@pytest.mark.parametrize("quota", [False, True], ids=["no quota", "quota"])
def test_a_call_passes_few_functions(quota):
    """One ``update_acell`` takes at most 300 function calls in the server, with a quota or none."""
    found = count(15, quota=quota, package="queued_gspread.server")
    assert statistics.median(functions.total() for functions, _ in found) <= MOST
