"""Pacing: when a request may be sent, within Google's quota."""
