"""Connections to Redis: where it is, which one is the master, and what a failure means."""
