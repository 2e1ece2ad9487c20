"""Sending: one request, as often as it takes, and what came of it."""
