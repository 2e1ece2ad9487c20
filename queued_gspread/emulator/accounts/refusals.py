"""Refusals of a token, in Google's words."""

from __future__ import annotations


class TokenRefusedError(Exception):
    """A token request is answered with an OAuth error: its code, its description, its status."""
