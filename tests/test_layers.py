"""The layers of the package: imports go downwards only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import queued_gspread

ROOT = Path(queued_gspread.__file__).parent

# From the bottom up; a module imports from its own layer and from lower ones.
LAYERS = [
    {
        "_install",
        "_version",
        "clock",
        "errors",
        "fork",
        "google_methods",
        "intrusion",
        "spelling",
        "variables",
        "wire_path",
        "preparing",
    },
    {"signing"},
    {
        "responses",
        "sandbox",
        "settings",
        "catalogue",
        "objects",
        "properties",
        "identity",
        "surface",
    },
    {"scopes", "lane", "patches"},
    {"codec"},
    {"job"},
    {"broker"},
    {"rewarn", "wrapping"},
    {"call"},
    {"proxy"},
    {"auth", "cell", "client", "exceptions"},
    {"http_client", "spreadsheet", "urls", "utils", "worksheet"},
    {""},
    {"server", "embedded", "emulator"},
    {"cli", "testing"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
CLIENT_SIDE = {name for names in LAYERS[7:13] for name in names}
APART = {"server", "embedded", "emulator"}


def _part(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def _imports(path):
    """Yield the parts of this package that a module imports when it is run."""
    package = ["queued_gspread", *path.relative_to(ROOT).parent.parts]
    for node in _run_at_import(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif node.level:
            base = package[: len(package) - node.level + 1]
            names = (
                [".".join([*base, node.module])]
                if node.module
                else [".".join([*base, alias.name]) for alias in node.names]
            )
        elif node.module == "queued_gspread":
            names = [f"queued_gspread.{alias.name}" for alias in node.names]
        else:
            names = [node.module]
        for name in names:
            if name.split(".")[0] == "queued_gspread":
                part = name.split(".")[1] if "." in name else ""
                yield part if part in RANK else ""


def _run_at_import(tree):
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and node not in guarded:
            yield node


MODULES = sorted(ROOT.rglob("*.py"))


def test_every_module_has_a_layer():
    """No module of the package is left out of the layers."""
    assert {_part(path) for path in MODULES} == set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path):
    """A module imports no layer above its own."""
    own = _part(path)
    assert {part for part in _imports(path) if RANK[part] > RANK[own]} == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_sides_do_not_know_each_other(path):
    """The server's side imports nothing of the clients' side, nor the emulator, nor Redis's."""
    own = _part(path)
    if own in APART:
        assert set(_imports(path)) & (CLIENT_SIDE | APART - {own} | {""}) == set()
    if own in CLIENT_SIDE:
        assert set(_imports(path)) & APART == set()
