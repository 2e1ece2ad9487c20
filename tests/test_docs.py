"""README and docs say what is true of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import queued_gspread
from queued_gspread import errors
from queued_gspread.cli import server
from queued_gspread.cli.options import Parser

TOP = Path(__file__).parent.parent
README = TOP / "README.md"
PAGES = [README, *sorted((TOP / "docs").glob("*.md"))]
PACKAGE = Path(queued_gspread.__file__).parent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Every relative link of a page names a file that is there."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_compile(page):
    """Every Python example of a page is Python."""
    for example in re.findall(
        r"^ *```python\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL
    ):
        lines = example.splitlines()
        indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        compile("\n".join(line[indent:] for line in lines), str(page), "exec")


def test_the_readme_lists_every_option():
    """The README's table has exactly the server's options."""
    parser = Parser("server")
    server.add_options(parser)
    options = {text for action in parser._actions for text in action.option_strings}
    told = set(re.findall(r"^\| `(--[a-z-]+)", README.read_text(), re.MULTILINE))
    assert told == options - {"-h", "--help", "--version"}


def test_the_readme_lists_every_variable_of_the_clients():
    """The README's table has exactly the environment variables that clients read."""
    source = (PACKAGE / "settings.py").read_text()
    read = set(re.findall(r'environment\("([A-Z_]+)"\)|_seconds\("\w+", \w+, "([A-Z_]+)"', source))
    told = set(re.findall(r"^\| `QUEUED_GSPREAD_([A-Z_]+)`", README.read_text(), re.MULTILINE))
    assert told == {name for pair in read for name in pair if name}


def test_the_architecture_names_every_module():
    """The page on the architecture names every module of the package, and no other."""
    text = (TOP / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"[a-z_]+(?:\.[a-z_]+)*", text))
    parts = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in ("codec", "embedded", "emulator")
    }
    modules = {part for part in parts if not part.split(".")[-1].startswith("_")}
    assert {module for module in modules if module not in named} == set()
    packages = {part.removesuffix(".__init__") for part in parts}
    spoken_of = set(re.findall(r"`((?:server|broker|cli)(?:\.[a-z_]+)+)`", text))
    assert spoken_of <= modules | packages


def table(page, heading):
    """Return the rows of the table beneath a heading."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert rows, heading
    return rows


def test_every_guarantee_has_a_test():
    """Every row of the tables of what holds and of what can be lost names a test that is there."""
    page = (TOP / "docs" / "guarantees.md").read_text()
    rows = table(page, "What holds") + table(page, "What Redis may forget")
    named = [re.findall(r"`(test_\w+)`", row) for row in rows]
    defined = {
        name
        for path in (TOP / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert [row for row, names in zip(rows, named, strict=True) if not names] == []
    assert {name for names in named for name in names} - defined == set()


def test_the_tree_of_errors_is_complete():
    """The tree at the head of ``errors`` has every exception, beneath its base."""
    lines = [line for line in errors.__doc__.splitlines() if "── " in line]
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
