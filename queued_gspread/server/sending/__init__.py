"""Sending: one request, retried for as long as that helps, and its result."""
