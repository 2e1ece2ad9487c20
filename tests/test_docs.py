"""README and docs say what is true of the code."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path

import gspread
import pytest
from places import TOP

import queued_gspread
from queued_gspread import errors
from queued_gspread.cli import server
from queued_gspread.cli.options import Parser

README = TOP / "README.md"
DOCS = TOP / "docs"
CONFIGURATION = DOCS / "configuration.md"
OPTIONS = DOCS / "options.md"
PAGES = [README, *sorted(DOCS.glob("*.md")), *sorted((TOP / ".github").glob("*.md"))]
PACKAGE = Path(queued_gspread.__file__).parent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page):
    """Every relative link of a page names a file that is there."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_to_a_heading(page):
    """Every link to a part of a page names a heading that it has."""
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text())
    assert [
        (name, anchor)
        for name, anchor in links
        if anchor not in anchors(page.parent / name if name else page)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_python_examples_compile(page):
    """Every Python example of a page is Python."""
    for example in re.findall(
        r"^ *```python\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL
    ):
        lines = example.splitlines()
        indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        compile("\n".join(line[indent:] for line in lines), str(page), "exec")


def server_options():
    """Return the actions of the server's options."""
    parser = Parser("server")
    server.add_options(parser)
    return [action for action in parser._actions if action.dest not in ("help", "version")]


def options_told():
    """Return what the page on the options says of those of the server."""
    return OPTIONS.read_text().partition("\n## queued-gspread-server\n")[2].partition("\n## ")[0]


def test_every_option_is_listed():
    """The tables of the server's options have exactly those that it has."""
    options = {text for action in server_options() for text in action.option_strings}
    told = set(re.findall(r"^\| `(--[a-z-]+)", options_told(), re.MULTILINE))
    assert told == options


def test_the_defaults_of_the_options_are_told():
    """The tables of the server's options have its own defaults, where an option has one."""
    rows = re.findall(r"^\| `(--[a-z-]+).*\| ([^|]*) \|$", options_told(), re.MULTILINE)
    told = dict(rows)
    for action in server_options():
        if action.default not in (None, False):
            first = re.split("[ ;]", told[action.option_strings[0]])[0].strip("`")
            assert type(action.default)(first) == action.default, action.option_strings


def test_every_error_is_named():
    """The page on errors has a cause and a cure of each of this package's exceptions."""
    rows = table((DOCS / "errors.md").read_text(), "Causes and cures")
    cured = [row for row in rows if re.search(r"\| \S[^|]* \|$", row)]
    named = set(re.findall(r"`(\w+Error)`", "\n".join(cured)))
    assert set(errors.__all__) <= named


def test_every_error_of_a_call_that_may_have_been_made_is_named():
    """What is said of calling again names each error whose call may have been made."""
    rows = "\n".join(table((DOCS / "errors.md").read_text(), "Calling again"))
    named = set(re.findall(r"`(\w+Error)`", rows))
    may_be = re.compile(r"was made|may have (?:been made|run)|may_have_run|nobody knows")
    sources = {name: inspect.getsource(getattr(errors, name)) for name in errors.__all__}
    assert {name for name, source in sources.items() if may_be.search(source)} <= named


def test_every_variable_of_the_clients_is_listed():
    """The table of the configuration has exactly the environment variables that clients read."""
    source = (PACKAGE / "settings.py").read_text()
    read = set(re.findall(r'environment\("([A-Z_]+)"\)|_seconds\("\w+", \w+, "([A-Z_]+)"', source))
    told = set(
        re.findall(r"^\| `QUEUED_GSPREAD_([A-Z_]+)`", CONFIGURATION.read_text(), re.MULTILINE)
    )
    assert told == {name for pair in read for name in pair if name}


def test_every_argument_of_the_clients_is_listed():
    """The table of the configuration has the arguments that gspread's functions do not have."""
    own = set(inspect.signature(queued_gspread.authorize).parameters)
    added = own - set(inspect.signature(gspread.authorize).parameters)
    rows = "\n".join(table(CONFIGURATION.read_text(), "Clients"))
    assert added <= set(re.findall(r"^\| `\w+` \| `(\w+)`", rows, re.MULTILINE))


def test_every_reason_of_a_wait_is_told():
    """The page on waiting has every reason that a call can give for its wait, in its words."""
    tree = ast.parse((PACKAGE / "broker" / "waiting" / "reason.py").read_text())
    parts = [node for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.Return))]
    texts = {
        text.value.strip(" `")
        for part in parts
        for text in ast.walk(part)
        if isinstance(text, ast.Constant) and len(str(text.value).split()) > 2
    }
    assert len(texts) > 10
    page = (DOCS / "waiting.md").read_text()
    assert [text for text in texts if text not in page] == []


def test_the_index_has_every_page():
    """The list of the pages links to each of them."""
    index = DOCS / "index.md"
    linked = {(DOCS / name).name for name in re.findall(r"\]\((\w+\.md)\)", index.read_text())}
    assert {page.name for page in DOCS.glob("*.md")} - {index.name} <= linked


def test_the_readme_is_short():
    """The README is read in one sitting; what is longer has a page of its own."""
    assert len(README.read_text().splitlines()) <= 150


def test_pythons_and_extras_are_those_of_the_package():
    """The pages name extras that there are, and the README the Pythons that are supported."""
    project = (TOP / "pyproject.toml").read_text()
    optional = project.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]
    extras = set(re.findall(r"^(\w+) = \[", optional, re.MULTILINE))
    for page in PAGES:
        lists = re.findall(r"(?:queued-gspread|\.|/src)\[([a-z,]+)\]", page.read_text())
        assert {extra for listed in lists for extra in listed.split(",")} <= extras, page
    oldest, newest = re.findall(r"Python (3\.\d+)\s+to (3\.\d+)", README.read_text())[0]
    assert [oldest] == re.findall(r'requires-python = ">=(3\.\d+)"', project)
    assert newest == re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)[-1]


def test_the_architecture_names_every_package():
    """The page on the architecture names every folder of the package as code, and no other."""
    named = set(re.findall(r"`([a-z_/]+)/`", (TOP / "docs" / "architecture.md").read_text()))
    folders = {str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")} - {"."}
    assert named == folders


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_tests_that_are_named_are_there(page):
    """Every test, and every file of the tests, that a page names is there."""
    text = page.read_text()
    files = re.findall(r"`(tests/[\w./]+)`", text)
    assert [name for name in files if not (TOP / name).exists()] == []
    assert set(re.findall(r"`(test_\w+)`", text)) <= every_test()


def test_each_alert_says_what_to_do():
    """Each example of an alert has a comment, and names a part of a page that is there."""
    text = (DOCS / "deploy" / "prometheus" / "alerts.yml").read_text()
    rule = r"      # .+\n      - alert: (\w+)\n(?:        .*\n)+?.*runbook: (\S+)#(\S+)"
    rules = re.findall(rule, text)
    assert len(rules) == text.count("- alert:")
    assert [name for name, page, part in rules if part not in anchors(TOP / page)] == []


def every_test():
    """Return the names of all tests."""
    return {
        name
        for path in (TOP / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }


def table(page, heading):
    """Return the rows of the tables beneath a heading, without their heads."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    tables = re.findall(r"^\|.*\n\| ---.*\n((?:\|.*\n?)+)", section, re.MULTILINE)
    rows = [line for found in tables for line in found.splitlines()]
    assert rows, heading
    return rows


def test_every_guarantee_has_a_test():
    """Every row of the tables of what holds and of what can be lost names a test."""
    page = (TOP / "docs" / "guarantees.md").read_text()
    rows = table(page, "What holds") + table(page, "What Redis may forget")
    assert [row for row in rows if not re.search(r"`test_\w+`", row)] == []


def test_the_tree_of_errors_is_complete():
    """The tree at the head of ``errors`` has every exception, beneath its base."""
    tree = "\n".join(line for line in errors.__doc__.splitlines() if "── " in line)
    lines = textwrap.dedent(tree).splitlines()
    drawn = {re.split(r"── ", line)[1].split()[0] for line in lines}
    assert drawn == set(errors.__all__)
    parents = {0: "GSpreadException"}
    for line in lines:
        depth, name = line.index("──") // 4 + 1, re.split(r"── ", line)[1].split()[0]
        parents[depth] = name
        bases = {base.__name__ for base in getattr(errors, name).__mro__}
        assert parents[depth - 1] in bases
        for also in re.findall(r"also ([\w.]+)", line):
            assert also.split(".")[-1] in bases
