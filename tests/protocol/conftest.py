"""A queue whose server works on an emulator."""

from client_fixtures import *  # noqa: F403 - pytest finds fixtures by the names that are here
