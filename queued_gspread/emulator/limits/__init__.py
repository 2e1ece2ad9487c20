"""Limits: Google's quotas, and how they refuse."""
