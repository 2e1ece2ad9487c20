"""A queue for tests, which the fixtures of :mod:`queued_gspread.testing.pytest_plugin` run."""
