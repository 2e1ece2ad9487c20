"""Callers of these tests wait for a server as long as tests do."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def patience(patient_callers):
    """Make the callers of these tests wait for a server as long as tests do."""
