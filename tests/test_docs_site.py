"""The site of the documentation is made of what the pages and the commands' parsers say."""

from __future__ import annotations

import os
import re
import runpy
from inspect import isfunction

import pytest
from places import DOCS, TOP

import queued_gspread


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    # An option's variable is its default, where somebody has set one.
    for name in [name for name in os.environ if name.startswith("QUEUED_GSPREAD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings():
    """Return the site's settings."""
    return runpy.run_path(str(DOCS / "conf.py"))


def test_the_page_of_the_options_is_what_the_parsers_say():
    """docs/options.md is what `python docs/options.py` writes."""
    made = runpy.run_path(str(DOCS / "options.py"))["page"]()
    assert (DOCS / "options.md").read_text() == made


def test_the_options_with_a_remark_are_there():
    """Each option that docs/options.py says more of is one of its command."""
    made = runpy.run_path(str(DOCS / "options.py"))
    sections = dict(
        re.findall(r"^## ([\w -]+)\n(.*?)(?=^## |\Z)", made["page"](), re.MULTILINE | re.DOTALL)
    )
    assert [
        (command, option)
        for command, option in made["MORE"]
        if not re.search(rf"^\| `{option}\b", sections[command], re.MULTILINE)
    ] == []


def test_each_page_is_in_the_navigation(settings):
    """The lists of the index put every page of the documentation into the navigation, once."""
    index = (DOCS / "index.md").read_text()
    added = settings["with_navigation"](index).removeprefix(index)
    trees = re.findall(r"```\{toctree\}\n(?::.*\n)+\n((?:\w+\n)+)```", added)
    pages = " ".join(trees).split()
    assert sorted(pages) == sorted({page.stem for page in DOCS.glob("*.md")} - {"index"})


def test_the_reference_has_what_programs_import():
    """The page on the API documents each function, the errors, and the fixtures."""
    page = (DOCS / "api.md").read_text()
    functions = [
        name for name in queued_gspread.__all__ if isfunction(getattr(queued_gspread, name))
    ]
    assert len(functions) == 11
    assert [name for name in functions if f".. autofunction:: {name}\n" not in page] == []
    assert ".. automodule:: queued_gspread.errors\n" in page
    fixtures = re.findall(
        r"^\| `(\w+)` \| .* \| .* \|$", (DOCS / "testing.md").read_text(), re.MULTILINE
    )
    assert len(fixtures) == 5
    assert [name for name in fixtures if f"pytest_plugin.{name}()\n" not in page] == []


def test_the_guide_has_each_folder():
    """The guide for contributors has each folder of the package and of its server, and no other."""
    guide = (TOP / ".github" / "CONTRIBUTING.md").read_text()
    package = TOP / "queued_gspread"
    inits = [*package.glob("*/__init__.py"), *package.glob("server/*/__init__.py")]
    folders = {f"{path.parent.relative_to(package)}/" for path in inits}
    assert set(re.findall(r"^\| `([a-z_/]+/)` \|", guide, re.MULTILINE)) == folders
    spoken_of = set(re.findall(r"`((?:[a-z_]+/)+)`", guide))
    tops = {"tests/", "tests/support/", "tests/programs/", "queued_gspread/"}
    assert spoken_of <= folders | tops


def test_the_changelog_begins_with_this_version():
    """The changelog begins with the version of the package, and its parts have the usual names."""
    page = (DOCS / "changelog.md").read_text()
    versions = re.findall(r"^## (\S+) - (?:unreleased|\d{4}-\d\d-\d\d)$", page, re.MULTILINE)
    assert versions[0] == queued_gspread.__version__
    assert len(versions) == page.count("\n## ")
    usual = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", page, re.MULTILINE)) <= usual


def test_the_gate_builds_the_site_as_contributors_do():
    """The gate runs the command that the guide for contributors has, with a folder of its own."""
    guide = (TOP / ".github" / "CONTRIBUTING.md").read_text()
    (command,) = re.findall(r"sphinx-build (.*) docs docs/_build", guide)
    assert f'sphinx-build" {command} docs "$work/site"' in (TOP / ".ci" / "run").read_text()
