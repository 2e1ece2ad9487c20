"""``python -m queued_gspread script.py``: programs that know nothing of the queue."""

from __future__ import annotations

import importlib.metadata
import os
import re
import signal
import subprocess
import textwrap
import zipfile

import pytest
from limits import UNLIMITED
from processes import PYTHON, environment
from waiting import PATIENCE

from queued_gspread.cli import with_command
from queued_gspread.server import Server

# What a program may see of how it was started.
SEEN = """
import sys
import __main__
print(__name__, __file__, __spec__, __package__, sys.argv, sys.path[0], __builtins__ is not None)
print(vars(__main__) is globals(), sorted(set(globals()) - {"__cached__", "__annotations__"}))
"""
FAILING = """
def fail():
    raise ValueError("of the program's own")

try:
    fail()
except ValueError as error:
    raise KeyError("after it") from error
"""
CHILDREN = """
import multiprocessing
import gspread

def queue_of(_):
    import gspread
    return gspread.Worksheet.__module__

if __name__ == "__main__":
    for way in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(way).Pool(1) as pool:
            print(way, pool.map(queue_of, [1]))
"""
EVERY_MODULE = """
import importlib, pkgutil, sys
import gspread
import queued_gspread
assert "queued_gspread" in gspread.Worksheet.__module__
wrong, seen = [], 0
for module in pkgutil.walk_packages(queued_gspread.__path__, "queued_gspread."):
    if module.name.endswith(("__main__", "worker", "pytest_plugin")):
        continue
    names = vars(importlib.import_module(module.name))
    seen += "gspread" in names
    if names.get("gspread") is gspread:
        wrong.append(module.name)
print(seen > 10, wrong)
"""


def run_python(*arguments, cwd=None, **variables):
    """Run Python with some arguments; return how it ended and what it printed."""
    ended = subprocess.run(
        [*PYTHON, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        cwd=cwd,
        env=environment(**variables),
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture
def script(tmp_path):
    """Return a function that writes a script and returns its path."""

    def write(text, name="program.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [SEEN, FAILING, "def f(:\n", "raise SystemExit(7)", "raise SystemExit('a reason')", "f = 1"],
    ids=["seen", "failing", "syntax", "status", "reason", "silent"],
)
def test_a_script_sees_what_python_shows_it(text, script):
    """Names, arguments, path, traceback and exit status are as with ``python script.py``."""
    path = script(text)
    arguments = (path, "-m", "--namespace", "its own", "demo")
    assert run_python("-m", "queued_gspread", *arguments) == run_python(*arguments)


@pytest.mark.parametrize("name", ["program", "package"])
def test_a_module_sees_what_python_shows_it(name, script, tmp_path):
    """The same holds for ``-m module``, and for a package that can be run."""
    script(SEEN)
    script("", "package/__init__.py")
    script(SEEN, "package/__main__.py")
    ours = run_python("-m", "queued_gspread", "-m", name, "-x", cwd=tmp_path)
    pythons = run_python("-m", name, "-x", cwd=tmp_path)
    address = re.compile("0x[0-9a-f]+")
    assert ours[0] == 0
    assert [address.sub("", text) for text in ours[1:]] == [
        address.sub("", text) for text in pythons[1:]
    ]


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_folder_or_an_archive_is_run(kind, script, tmp_path):
    """A folder or a zip file with a ``__main__.py`` runs, and finds the modules beside it."""
    script("WORD = 'beside it'", "folder/beside.py")
    script("import beside, gspread\nprint(beside.WORD, gspread.Client)", "folder/__main__.py")
    path = tmp_path / "folder"
    if kind == "archive":
        path = tmp_path / "program.pyz"
        with zipfile.ZipFile(path, "w") as archive:
            for file in (tmp_path / "folder").glob("*.py"):
                archive.write(file, file.name)
    status, printed, _ = run_python("-m", "queued_gspread", path)
    assert (status, printed) == (0, "beside it <class 'queued_gspread.proxy.client.Client'>\n")


def test_each_name_of_gspread_is_there(script):
    """The module that is imported has each public name of gspread's, and gspread's version."""
    path = script(
        """
        import gspread, importlib.metadata, sys
        from gspread.utils import a1_to_rowcol
        from gspread.worksheet import Worksheet
        real = importlib.metadata.version("gspread")
        assert gspread.__version__ == real, gspread.__version__
        assert Worksheet is gspread.Worksheet is sys.modules["gspread"].worksheet.Worksheet
        assert gspread.auth.authorize is gspread.authorize
        print(all(hasattr(gspread, name) for name in sys.modules["queued_gspread"].__all__))
        gspread.no_such_name
        """
    )
    status, printed, failed = run_python("-m", "queued_gspread", path)
    assert (status, printed) == (1, "True\n")
    assert "AttributeError: module 'gspread' has no attribute 'no_such_name'" in failed


def test_this_package_keeps_the_real_gspread(script):
    """No module of ours gets the queued gspread, whenever the program imports it."""
    pytest.importorskip("aiohttp")
    assert run_python("-m", "queued_gspread", script(EVERY_MODULE))[:2] == (0, "True []\n")


def test_children_of_multiprocessing_are_queued(script):
    """A worker that starts as a new interpreter meets the queued gspread as well."""
    status, printed, failed = run_python("-m", "queued_gspread", script(CHILDREN))
    assert status == 0, failed
    ways = dict(line.split(" ", 1) for line in printed.splitlines())
    assert set(ways) >= {"spawn", "fork"}
    assert set(ways.values()) == {"['queued_gspread.proxy.worksheet']"}


def test_the_options_say_where_the_queue_is(script):
    """URL, namespace and timeout come from the options, also for what the program starts."""
    path = script(
        """
        import gspread, os
        settings = gspread.authorize().http_client._self_caller.settings
        print(settings.redis_url, settings.namespace, settings.timeout)
        print(sorted(name for name in os.environ if name.startswith("QUEUED_GSPREAD")))
        """
    )
    options = ["--redis-url", "redis://there:1/0", "--namespace", "books", "--timeout", "7"]
    printed = run_python("-m", "queued_gspread", *options, path, "--timeout", "its own")[1]
    assert printed.splitlines() == [
        "redis://there:1/0 books 7.0",
        "['QUEUED_GSPREAD_NAMESPACE', 'QUEUED_GSPREAD_REDIS_URL', 'QUEUED_GSPREAD_TIMEOUT']",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["run"], "say what to run: a script, or -m and a module"),
        (["-m"], "say what to run: a script, or -m and a module"),
        (["no.py"], "there is no script 'no.py'"),
        (["-m", "no_such_module"], "there is no module 'no_such_module'"),
        (["-m", "no_such.module"], "there is no module 'no_such'"),
        (["-m", "json"], "there is no module 'json' that can be run"),
        (["--timeout", "x", "no.py"], "--timeout"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_told_in_one_line(arguments, said):
    """What cannot be run is named, with status 2 and without a traceback."""
    status, _, failed = run_python("-m", "queued_gspread", *arguments)
    assert status == 2
    assert said in failed
    assert failed.count("\n") == 1


def test_a_program_out_of_a_pipe():
    """A path that a shell gives to a pipe is a script, too."""
    reading, writing = os.pipe()
    os.write(writing, b"import gspread\nprint(gspread.Client.__module__)")
    os.close(writing)
    ended = subprocess.run(
        [*PYTHON, "-m", "queued_gspread", f"/dev/fd/{reading}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env=environment(),
        pass_fds=[reading],
    )
    os.close(reading)
    assert (ended.stdout, ended.returncode) == ("queued_gspread.proxy.client\n", 0), ended.stderr


def test_a_script_that_cannot_be_read(tmp_path):
    """A script that may not be read is named with the system's reason, in one line."""
    path = tmp_path / "script.py"
    path.symlink_to(path)
    status, _, failed = run_python("-m", "queued_gspread", path)
    assert (status, failed.count("\n")) == (2, 1)
    assert f"{str(path)!r} cannot be read: Too many levels of symbolic links" in failed


def test_commands_and_programs_are_told_apart():
    """A command is one only as the first argument; a program of that name needs a path."""
    assert with_command(["stop"]) == ["stop"]
    assert with_command(["--version"]) == ["--version"]
    assert with_command(["./stop", "demo"]) == ["run", "./stop", "demo"]
    assert with_command(["--timeout", "3", "x.py"]) == ["run", "--timeout", "3", "x.py"]


def test_an_interrupted_program(script):
    """Ctrl-C ends the program with its own traceback, and with the status that a shell shows."""
    # A process that a shell has started in its background ignores SIGINT.
    path = script(
        """
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("there", flush=True)
        signal.pause()
        """
    )
    process = subprocess.Popen(
        [*PYTHON, "-m", "queued_gspread", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGINT)
    _, failed = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert failed.splitlines()[-1] == "KeyboardInterrupt"
    assert "queued_gspread" not in failed


PACKAGES = {
    "gspread-dataframe": (".. code:: python", 0, lambda sheet: sheet.acell("B3").value == "2"),
    "gspread-formatting": ("formatting component.::", 0, lambda sheet: sheet.row_count),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_the_example_of_a_librarys_readme(name, script, emulator, key_file, redis_url, namespace):
    """The first example of a library's README works unchanged, and all it sends is queued."""
    pytest.importorskip(name.replace("-", "_"))
    before, number, is_right = PACKAGES[name]
    metadata = importlib.metadata.metadata(name)
    readme = metadata["Description"] or metadata.get_payload()
    example = re.findall(r"\n\n((?: {4}.*\n|\n)+)", readme.split(before)[number + 1])[0]
    title = f"{name} {namespace}"
    path = script(
        "import gspread\n"
        f"worksheet = gspread.service_account({str(key_file)!r}).create({title!r}).sheet1\n"
        "some_worksheet_obtained_from_gspread_client = worksheet\n" + textwrap.dedent(example)
    )
    assert "worksheet" in example
    emulator.clear_ledger()
    options = ["--redis-url", redis_url, "--namespace", namespace]
    account = {"service_account": key_file, "api_endpoint": emulator.url}
    with Server(**account, redis_url=redis_url, namespace=namespace, **UNLIMITED):
        status, _, failed = run_python("-W", "default", "-m", "queued_gspread", *options, path)
    assert status == 0, failed
    assert any(served.quota == "write" for served in emulator.ledger)
    assert is_right(emulator.gspread_client().open(title).sheet1)
