"""What names a module, a function or a file by text leads to it: no rename leaves a name behind."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import subprocess

import pytest
from places import DOCS, TOP

PACKAGE = TOP / "queued_gspread"
TESTS = TOP / "tests"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *TESTS.rglob("*.py")])
# The changelog names what there was; `emulator.` is a fixture to the pages.
PAGES = [page for page in sorted(DOCS.glob("*.md")) if page.stem != "changelog"]
PARTS = "broker|cli|embedded|google_api|protocol|proxy|server|testing"
ROLE = re.compile(r":(mod|class|func|meth|data|attr|exc):`~?([^`]+)`")
# As docstrings and the pages write it: ``broker.keys``, or with the package's own name.
MODULE = re.compile(rf"`((?:queued_gspread\.)?(?:{PARTS})(?:\.\w+)+)`")
IMPORT = re.compile(r"^ *from (queued_gspread[\w.]*) import ([\w, ]+)", re.MULTILINE)
FILE = re.compile(r"(?<![\w/.])(?:tests|queued_gspread)/[\w./{},*]*[\w}]")


def package_of(path):
    """Return the dotted name of the package that a module is in."""
    return ".".join(path.relative_to(TOP).parent.parts)


def name_of(path):
    """Return the dotted name of a module."""
    return package_of(path) if path.stem == "__init__" else f"{package_of(path)}.{path.stem}"


def is_there(name):
    """Tell whether a dotted name is that of a module, or of something in one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def names_in(text):
    """Return all names that a module defines or imports, those for types alone as well."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            names.add(node.id if isinstance(node, ast.Name) else node.attr)
    return names


def leads_somewhere(role, name, package, names):
    """Tell whether a role of a docstring names something that is there."""
    if name.startswith("."):
        return is_there(package + name)
    is_known = name.partition(".")[0] in names or hasattr(builtins, name)
    return is_there(name) or (role != "mod" and is_known)


def faults_of(paths, faults):
    """Return what is wrong in files, each fault with the file that it is in."""
    return [f"{path.relative_to(TOP)}: {fault}" for path in paths for fault in faults(path)]


def test_references_in_docstrings_lead_somewhere():
    """Every module, class or function that a docstring refers to by a role is there."""

    def faults(path):
        text = path.read_text()
        roles = ROLE.findall(text)
        names, package = names_in(text) if roles else set(), package_of(path)
        return [name for role, name in roles if not leads_somewhere(role, name, package, names)]

    assert faults_of(SOURCES, faults) == []


def test_modules_that_are_named_are_there():
    """Every module that a docstring, a comment or a page names by its package is there."""

    def faults(path):
        named = {name.removeprefix("queued_gspread.") for name in MODULE.findall(path.read_text())}
        return [name for name in sorted(named) if not is_there(f"queued_gspread.{name}")]

    assert faults_of([*SOURCES, *PACKAGE.rglob("*.lua"), *PAGES], faults) == []


def test_what_programs_in_texts_import_is_there():
    """Every name that a program imports from the package is there, though only text tells of it."""

    def faults(path):
        for module, names in IMPORT.findall(path.read_text()):
            for name in re.findall(r"\w+(?: as \w+)?", names):
                full = f"{module}.{name.partition(' ')[0]}"
                if not is_there(full):
                    yield full

    assert faults_of([*TESTS.rglob("*.py"), *PAGES], faults) == []


def test_all_that_is_exported_is_there():
    """A module's ``__all__`` names what the module has, each name once."""

    def faults(path):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                names = ast.literal_eval(node.value)
                module = importlib.import_module(name_of(path))
                missing = [name for name in names if not hasattr(module, name)]
                yield from [*missing, *(name for name in set(names) if names.count(name) > 1)]

    assert faults_of(sorted(PACKAGE.rglob("*.py")), faults) == []


@pytest.mark.parametrize(
    "name", [".ci/run", ".github/CONTRIBUTING.md", "pyproject.toml", "README.md"]
)
def test_files_that_are_named_are_there(name):
    """What says how the project is built and tested names files and folders that are there."""
    named = FILE.findall((TOP / name).read_text())
    assert [each for each in named if not expanded(each)] == []


def expanded(pattern):
    """Return the files that a pattern of a shell names; none unless each of its words is there."""
    found = subprocess.run(
        ["bash", "-c", f"shopt -s globstar failglob; ls -d {pattern}"],
        cwd=TOP, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.split() if found.returncode == 0 else []
