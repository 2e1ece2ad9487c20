"""Accounts: who may use the emulated project."""
