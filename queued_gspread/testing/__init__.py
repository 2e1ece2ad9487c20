"""A queue for tests: what pytest's fixtures of :mod:`queued_gspread.testing.pytest_plugin` run."""
