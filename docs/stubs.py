"""Write the types of the asyncio classes out of gspread's annotations: ``python docs/stubs.py``.

A test compares the file with what this makes.
"""

from __future__ import annotations

import ast
import inspect
import typing
from collections import defaultdict
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import gspread
from gspread import cell, client, exceptions, http_client, spreadsheet, utils, worksheet

import queued_gspread
from queued_gspread.protocol.kinds import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET, Group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.protocol.kinds import ObjectKind

FILE = Path(queued_gspread.__file__).parent / "asyncio" / "classes.pyi"

CLASSES = {
    "HTTPClient": HTTP_CLIENT,
    "Client": CLIENT,
    "Spreadsheet": SPREADSHEET,
    "Worksheet": WORKSHEET,
}
MODULES = (utils, cell, exceptions, http_client, client, spreadsheet, worksheet)

AWAITED = {"sheet1", "creationTime", "lastUpdateTime", "expiry"}
"""Properties that send requests: to read one is to get what has to be awaited."""

OWN = {
    "HTTPClient": """
    auth: Any
    timeout: Any
""",
    "Client": """
    http_client: HTTPClient
    async def get_expiry(self) -> datetime | None: ...
""",
    "Spreadsheet": """
    client: HTTPClient
    def __aiter__(self) -> AsyncIterator[Worksheet]: ...
    async def get_sheet1(self) -> Worksheet: ...
    async def get_creationTime(self) -> str: ...
""",
    "Worksheet": """
    client: HTTPClient
    spreadsheet_id: str
""",
}
"""What a class has besides gspread's names."""

TOP = f"""\
# `python docs/stubs.py` writes this file from the annotations of gspread {gspread.__version__}.
"""


def stub() -> str:
    """Return the file."""
    parts = [_class(name, kind) for name, kind in CLASSES.items()]
    classes = "\n".join(text for text, _ in parts)
    names = {used for _, each in parts for used in each}
    return f"{TOP}{_imports(names)}\n{classes}"


def _class(name: str, kind: ObjectKind) -> tuple[str, set[str]]:
    """Return a class, and the names in its annotations."""
    lines, used = [f"class {name}:", OWN[name].strip("\n"), _CONSTRUCTOR], set()
    nodes = _functions(kind.cls)
    for member, group in kind.groups.items():
        node = nodes.get(member)
        if node is not None:
            text = _member(node, group).replace("re.Pattern", "re.Pattern[str]")
            lines.append(text)
            used |= _names(ast.parse(dedent(text)))
    return "\n".join(lines) + "\n", used


_CONSTRUCTOR = "    def __init__(self, own: Any, home: Any = None) -> None: ..."


def _functions(cls: type) -> dict[str, ast.FunctionDef]:
    module = ast.parse(inspect.getsource(inspect.getmodule(cls) or cls))
    body = next(
        node.body
        for node in module.body
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__
    )
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def _member(node: ast.FunctionDef, group: Group) -> str:
    decorators = {ast.unparse(each) for each in node.decorator_list}
    returns = "Any" if node.returns is None else _unquoted(node.returns)
    name = f"{node.name}(self)" if "property" in decorators else f"{node.name}({_given(node)})"
    if "property" not in decorators:
        return f"    {'async ' * (group is Group.CALL)}def {name} -> {returns}: ..."
    if node.name in AWAITED:
        returns = f"Coroutine[Any, Any, {returns}]"
    return f"    @property\n    def {name} -> {returns}: ..."


def _given(node: ast.FunctionDef) -> str:
    if "cast_to_a1_notation" in {ast.unparse(each) for each in node.decorator_list}:
        return "self, *args: Any, **kwargs: Any"  # a range in A1 notation, or its four numbers
    arguments = node.args
    missing: list[ast.expr | None] = [None] * len(arguments.args)
    defaults = [*missing, *arguments.defaults][-len(arguments.args) :]
    given = [_parameter(*each) for each in zip(arguments.args, defaults, strict=True)]
    if arguments.vararg:
        given.append(f"*{_parameter(arguments.vararg)}")
    elif arguments.kwonlyargs:
        given.append("*")
    both = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    given += [_parameter(*each) for each in both]
    return ", ".join(given + [f"**{_parameter(each)}" for each in (arguments.kwarg,) if each])


def _parameter(argument: ast.arg, default: ast.expr | None = None) -> str:
    if argument.arg == "self":
        return "self"
    annotation = "Any" if argument.annotation is None else _unquoted(argument.annotation)
    return f"{argument.arg}: {annotation}" + (" = ..." if default is not None else "")


def _unquoted(annotation: ast.expr) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _imports(names: set[str]) -> str:
    found: dict[str, set[str]] = defaultdict(set)
    for own in ("AsyncIterator", "Coroutine"):
        found["collections.abc"].add(own)
    for name in sorted(names - set(CLASSES) - {"property", "AsyncIterator", "Coroutine"}):
        module = _module_of(name)
        if module:
            found[module].add(name)
    found["typing"].add("Any")
    found["datetime"].add("datetime")
    lines = ["import re"] if "re" in names else []
    both = sorted(found.items())
    lines += [f"from {module} import {', '.join(sorted(used))}" for module, used in both]
    return "\n".join(lines) + "\n"


def _module_of(name: str) -> str:
    """Return the module that a name of gspread's annotations comes from; '' for a builtin."""
    values = [vars(module)[name] for module in MODULES if name in vars(module)]
    if any(getattr(typing, name, None) is value for value in values):
        return "typing"
    own = (module.__name__ for module in MODULES if name in set(_defined(module)))
    return next(own, getattr(values[0], "__module__", "") if values else "")


def _defined(module: Any) -> Iterator[str]:
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


if __name__ == "__main__":
    FILE.write_text(stub())
