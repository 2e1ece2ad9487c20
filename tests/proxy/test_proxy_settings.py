"""Where settings come from."""

from __future__ import annotations

from functools import partial

import gspread
import pytest

import queued_gspread
from queued_gspread.errors import ConfigurationError, ServerUnavailableError
from queued_gspread.server import Server
from queued_gspread.settings import Settings, hide_password


def test_arguments_come_before_the_environment(monkeypatch):
    """An argument wins over an environment variable, and that over the default."""
    assert Settings.resolve().redis_url == "redis://localhost:6379/0"
    assert Settings.resolve().namespace == "default"
    assert Settings.resolve().timeout is None
    monkeypatch.setenv("QUEUED_GSPREAD_REDIS_URL", "redis://there:1/2")
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPACE", "books")
    monkeypatch.setenv("QUEUED_GSPREAD_TIMEOUT", "2.5")
    monkeypatch.setenv("QUEUED_GSPREAD_GRACE", "3")
    assert Settings.resolve() == Settings("redis://there:1/2", "books", 2.5, 3.0)
    assert Settings.resolve(namespace="films", timeout=1).namespace == "films"
    assert Settings.resolve(namespace="films", timeout=1).timeout == 1.0
    assert Settings.resolve(grace=1.5).grace == 1.5


@pytest.mark.parametrize("value", ["soon", "0", "-1", "inf", "nan"])
def test_a_wrong_number_in_the_environment_is_named(monkeypatch, value):
    """A variable that is no number of seconds is named with its value."""
    monkeypatch.setenv("QUEUED_GSPREAD_TIMEOUT", value)
    with pytest.raises(ConfigurationError, match=f"QUEUED_GSPREAD_TIMEOUT='{value}'"):
        Settings.resolve()


@pytest.mark.parametrize("seconds", ["soon", 0, -1, float("inf"), float("nan")])
def test_a_wrong_grace_is_named(seconds):
    """A grace that is no number of seconds is named with its value."""
    with pytest.raises(ConfigurationError, match=f"grace={seconds!r} cannot be used"):
        queued_gspread.authorize(grace=seconds)


LOGINS = {
    "authorize": queued_gspread.authorize,
    "service_account": partial(queued_gspread.service_account, "none.json"),
    "oauth": partial(queued_gspread.oauth, authorized_user_filename="none.json"),
    "oauth_from_dict": lambda **options: queued_gspread.oauth_from_dict({}, **options)[0],
    "api_key": partial(queued_gspread.api_key, "key"),
}


@pytest.mark.parametrize("name", [*LOGINS, "service_account_from_dict"])
@pytest.mark.filterwarnings("ignore:these credentials do not tell whose they are")
def test_every_login_takes_a_grace(redis_url, namespace, name, emulator):
    """A client of whichever function gives up after the grace that it was given."""
    info = emulator.service_account_info()
    by_dict = partial(queued_gspread.service_account_from_dict, info)
    made = LOGINS.get(name, by_dict)
    client = made(redis_url=redis_url, namespace=namespace, grace=0.15)
    with pytest.raises(ServerUnavailableError, match=r"no server has been alive for 0\.15 s"):
        client.open_by_key("x")


@pytest.mark.parametrize("namespace", ["a b", "a{b}", "ü", "x" * 65, "a:b", "a/b", "a\n"])
def test_odd_namespaces_are_refused(namespace):
    """A namespace that could be mistaken in a key is refused."""
    with pytest.raises(ConfigurationError, match="letters"):
        Settings.resolve(namespace=namespace)


@pytest.mark.parametrize("seconds", [1e10, 1e306, 10**400], ids=["long", "longer", "no float"])
def test_a_time_that_no_clock_counts_is_refused(seconds):
    """Seconds that no thread and no socket can wait for are refused, with what is the most."""
    with pytest.raises(ConfigurationError, match=r"timeout=.* at most 1000000000"):
        Settings.resolve(timeout=seconds)
    with pytest.raises(ConfigurationError, match=r"lease=.* at most 1000000000"):
        Server(gspread.Client(None, session=object()), lease=seconds)


@pytest.mark.parametrize(
    ("option", "value"),
    [("namespace", 5), ("redis_url", b"redis://:secret@host"), ("redis_url", 5)],
)
def test_what_is_no_text_is_named(option, value):
    """An option that has to be text and is not is named with its type, and shows no password."""
    with pytest.raises(ConfigurationError, match=f"{option} is .*{type(value).__name__}") as told:
        Settings.resolve(**{option: value})
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:secret@host:1/0", "redis://:***@host:1/0"),
        ("rediss://user:secret@host/0", "rediss://user:***@host/0"),
        ("redis://user:se@cret@host/0", "redis://user:***@host/0"),
        ("redis://host/0?password=secret&db=1", "redis://host/0?password=***&db=1"),
        ("unix://user:secret@/run/redis.sock", "unix://user:***@/run/redis.sock"),
    ],
)
def test_passwords_are_hidden(url, shown):
    """A URL is shown without its password, wherever that stands."""
    assert hide_password(url) == shown
    assert "secret" not in repr(Settings(redis_url=url))


def test_a_home_directory_that_no_shell_has_replaced(monkeypatch):
    """A ~ in the place of a file, as a unit or a compose file leaves it, means the home."""
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("QUEUED_GSPREAD_SIGNING_KEY_FILE", "~/signing.key")
    assert Settings.resolve().signing_key_file == "/home/me/signing.key"


def test_a_truth_value_is_no_number_of_seconds():
    """A bool, which Python takes for a number, is refused as a timeout."""
    with pytest.raises(ConfigurationError, match="timeout=True cannot be used"):
        Settings.resolve(timeout=True)
