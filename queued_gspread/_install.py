"""How to install the extras: in one place, since it changes with the first release."""

from __future__ import annotations

__all__ = ["how_to_install"]


def how_to_install(extras: str) -> str:
    """Return the command that installs this package with the extras, and where to run it."""
    return f'pip install ".[{extras}]" in a clone (it is not on PyPI yet)'
