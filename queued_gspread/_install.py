"""How the extras are installed: said here alone, since it changes once there is a release."""

from __future__ import annotations

__all__ = ["how_to_install"]


def how_to_install(extras: str) -> str:
    """Return the command that installs this package with some extras, and where it works."""
    return f'pip install ".[{extras}]" in a clone (it is not on PyPI yet)'
