"""Idempotency keys: writes that are made once."""

from __future__ import annotations

import pytest

import queued_gspread as gspread
from queued_gspread.errors import IdempotencyKeyReusedError


def rows(ws):
    return ws.get_all_values()


def test_a_block_that_runs_again_writes_once(ws):
    """The second run gets the first one's answer, and no request is sent for it."""
    answers = []
    for _ in range(2):
        with gspread.idempotency_key("order-1"):
            answers.append(ws.append_row(["order", 1]))
    assert answers[0] == answers[1]
    assert rows(ws) == [["order", "1"]]


def test_writes_of_a_block_are_numbered(ws):
    """The same call twice in a block is two writes, and both are made once."""
    for _ in range(2):
        with gspread.idempotency_key("order-1"):
            ws.append_row(["order"])
            ws.append_row(["order"])
    assert rows(ws) == [["order"], ["order"]]


def test_another_call_under_the_same_key(ws):
    """It is refused, and not made."""
    with gspread.idempotency_key("order-1"):
        ws.append_row(["order"])
    with (
        gspread.idempotency_key("order-1"),
        pytest.raises(IdempotencyKeyReusedError, match="order-1"),
    ):
        ws.append_row(["another"])
    assert rows(ws) == [["order"]]
