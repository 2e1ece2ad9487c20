"""Calls: which are let in, how each is run, and how it ended."""
