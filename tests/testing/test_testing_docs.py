"""Every example of docs/testing.md and of the emulator's routes is run."""

import re
import shlex
import sys

import requests
from places import DOCS

from queued_gspread.emulator import Emulator

pytest_plugins = ["pytester"]

ORDERS = """
import {} as gspread


def main():
    gspread.service_account("key.json").open("Orders").sheet1.append_row([1001, 59.9])


if __name__ == "__main__":
    main()
"""
CI = "redis://redis.ci:6379/15"
# Tests for the examples that are no tests themselves, but fixtures of a module.
SETTINGS_USED = f"""
def test_the_queue_is_there(gspread_queue, queued_client):
    assert gspread_queue.redis_url == {CI!r}
    assert queued_client.openall() == []
"""
OTHERS_USED = f"""
def test_it_is_reached(emulated_google):
    import queued_gspread
    from queued_gspread.errors import ServerUnavailableError

    with pytest.raises(ServerUnavailableError):
        queued_gspread.authorize(redis_url={CI!r}, namespace="nobody", grace=0.1).openall()
"""
SCRIPT_RUNS = """
def test_the_script_ran():
    assert sheet.title == "Sheet1"
"""


def examples():
    """Return the page's examples, each with the test of it."""
    found = re.findall(r"```python\n(.*?)```", (DOCS / "testing.md").read_text(), re.DOTALL)
    for example in found:
        if "def test_" in example:
            yield example
        elif "def gspread_queue_settings" in example:
            yield example + SETTINGS_USED
        else:
            yield example + (OTHERS_USED if "def other_gspread_queues" in example else SCRIPT_RUNS)


def test_the_examples_of_the_page(pytester, redis_url):
    """Each example of docs/testing.md is a module whose tests pass, none takes a real minute."""
    redis_of_ci = f"{redis_url.rpartition('/')[0]}/15"
    modules = {
        f"test_{number}": example.replace(CI, redis_of_ci)
        for number, example in enumerate(examples())
    }
    scripts = {
        "orders": ORDERS.format("gspread"),
        "queued_orders": ORDERS.format("queued_gspread"),
    }
    pytester.makepyfile(**modules, **scripts)
    result = pytester.run(
        sys.executable, "-W", "error", "-m", "pytest", "-W", "error", "--tb=short"
    )
    count = sum(len(re.findall(r"^ *def test_", text, re.MULTILINE)) for text in modules.values())
    result.assert_outcomes(passed=count)
    assert count >= len(modules) >= 10


def test_the_routes_of_the_page():
    """Each request of docs/emulator.md to a running emulator is answered with success."""
    section = (DOCS / "emulator.md").read_text().partition("## Settings over HTTP\n")[2]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]
    commands = [shlex.split(line) for line in block.replace("\\\n", " ").splitlines()]
    with Emulator() as emulator:
        made = emulator.gspread_client().create("Orders").id
        for command in commands:
            assert answer_to(command, emulator, made).ok, command


def answer_to(command, emulator, file_id):
    """Send what a curl command sends."""
    program, *words, url = command
    assert program == "curl"
    given = dict(zip(words[::2], words[1::2], strict=True))
    name, _, value = given.get("-H", "Accept: */*").partition(": ")
    url = url.replace("http://127.0.0.1:8099", emulator.url).replace("ID", file_id)
    body = given.get("-d", "").replace('"ID"', f'"{file_id}"')
    return requests.request(given["-X"], url, data=body, headers={name: value}, timeout=30)
