"""The layers of the package: imports go downwards only, those for types as well."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import queued_gspread

ROOT = Path(queued_gspread.__file__).parent

# What lies directly in a package, from the bottom up: each imports from lower layers alone.
LAYERS = {
    "queued_gspread": [
        "_clock",
        "_fork _install _interrupts _version errors",
        "_secret_file _tracing _variables google_api web",
        "protocol settings",
        "broker",
        "proxy",
        (
            "auth cell client exceptions http_client idempotency lock max_age pipeline spreadsheet "
            "upsert urls utils worksheet"
        ),
        "__init__",
        "asyncio",
        "embedded emulator monitor server",
        "acting metrics",
        "dashboard",
        "cli testing",
        "__main__",
    ],
    "queued_gspread.protocol": [
        "identity kinds objects property_changes read_only signing",
        "codec patches routing",
        "messages",
        "__init__",
    ],
    "queued_gspread.broker": [
        "answered backlog envelope keys persistence sandbox scripts timing withdrawal",
        "connection",
        "failed_calls fencing foreign formats locks pauses promises redis_check",
        "actions jobs listed_jobs",
        "permits",
        "held",
        "resources",
        "published",
        "beat",
        "waiting",
        "sight",
        "core dispatch granting observing publishing vouching",
        "consumer operators producer",
        "collector",
        "__init__",
    ],
    "queued_gspread.server": [
        "arguments log policy pulse tally timing",
        "figures",
        "failure main_thread merging replay",
        "google",
        "lease pacing",
        "calls holdups pauses",
        "accounts at_work publisher sending",
        "lanes",
        "assembly",
        "card",
        "run",
        "server",
        "__init__",
    ],
    "queued_gspread.emulator": [
        "accounts faults limits redirect",
        "client wire",
        "book",
        "storage values",
        "batch",
        "export",
        "api",
        "http",
        "control people world",
        "server",
        "stand_in",
        "__init__",
        "pytest_plugin",
    ],
}
RANK = {
    package: {name: rank for rank, names in enumerate(layers) for name in names.split()}
    for package, layers in LAYERS.items()
}
CLIENT_SIDE = {name for names in LAYERS["queued_gspread"][5:7] for name in names.split()}
APART = {"server", "embedded", "emulator", "monitor"}


def name_of(path):
    """Return the dotted name of a module, ``__init__`` for that of a package."""
    return ".".join([ROOT.name, *path.relative_to(ROOT).with_suffix("").parts])


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def imported(path):
    """Yield the modules of this package that a module imports, also those only for types."""
    package = name_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (_module(alias.name) for alias in node.names if _is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            if _is_ours(source):
                for alias in node.names:
                    inner = f"{source}.{alias.name}"
                    yield _module(inner) if _is_module(inner) else _module(source)


def _is_ours(name):
    return name.split(".")[0] == ROOT.name


def _is_module(name):
    return name in MODULES or f"{name}.__init__" in MODULES


def _module(name):
    return name if name in MODULES else f"{name}.__init__"


@cache
def imports(name):
    """Return the modules of this package that one of them imports, in order."""
    return sorted(set(imported(MODULES[name])) - {name})


def part_in(package, name):
    """Return the module or folder directly in a package that a module is, or is in; or None."""
    inner = name.removeprefix(f"{package}.")
    return None if inner == name else inner.split(".")[0]


@pytest.mark.parametrize("package", LAYERS)
def test_everything_in_a_package_has_a_layer(package):
    """No module and no folder of a package is left out of its layers."""
    found = {part_in(package, name) for name in MODULES} - {None}
    assert found == set(RANK[package])


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_downwards(name):
    """A module imports nothing of its own layer but of its own folder, and nothing above it."""
    for package, ranks in RANK.items():
        own = part_in(package, name)
        parts = {part_in(package, other) for other in imports(name)} - {None, own}
        wrong = {part for part in parts if ranks[part] >= ranks[own]} if own else set()
        assert wrong == set(), package


def test_no_modules_import_each_other():
    """However long the way, no module imports itself."""
    left = {name: set(imports(name)) for name in MODULES}
    while ends := {name for name, found in left.items() if not found & left.keys()}:
        for name in ends:
            del left[name]
    assert left == {}


@pytest.mark.parametrize("name", MODULES)
def test_the_sides_do_not_know_each_other(name):
    """The server's side imports nothing of the clients' side, nor the emulator, nor Redis's."""
    own = part_in("queued_gspread", name)
    parts = {part_in("queued_gspread", other) for other in imports(name)}
    if own in APART:
        assert parts & (CLIENT_SIDE | APART - {own} | {"__init__"}) == set()
    if own in CLIENT_SIDE:
        assert parts & APART == set()
