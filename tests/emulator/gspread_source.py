"""What gspread can send, read off its own source.

Whatever is built in a way that cannot be followed here is an AssertionError: a gspread that
sends something in a new way has to be looked at.
"""

import ast
from pathlib import Path

import gspread
import gspread.urls

FILES = sorted(Path(gspread.__file__).parent.glob("*.py"))


def functions():
    """Yield every function of gspread, with the name of its file."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield path.name, node


def request_kinds():
    """Return the kinds of `batchUpdate` requests that gspread's functions make."""
    found = set()
    for file, function in functions():
        local = _assigned(function)
        for node in ast.walk(function):
            for request in _requests(node):
                found.update(_kinds(request, local, f"{file}:{request.lineno}"))
    return found


def _requests(node):
    """Yield the expressions that become requests: in a list under "requests" or added to it."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "requests":
                yield value
    grows = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if grows and _is_requests(node.func.value):
        assert node.func.attr == "append", ast.unparse(node)
        yield from node.args
    if isinstance(node, ast.Assign) and _is_requests(node.targets[0]):
        yield node.value


def _is_requests(node):
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value == "requests"
    )


def _kinds(node, local, where):
    """Yield the one key of a request, or those of several in a list."""
    if isinstance(node, ast.Name):
        yield from _kinds(local[node.id], local, where)
    elif isinstance(node, ast.ListComp):
        yield from _kinds(node.elt, local, where)
    elif isinstance(node, ast.List):
        for element in node.elts:
            yield from _kinds(element, local, where)
    else:
        assert isinstance(node, ast.Dict), f"{where}: {ast.unparse(node)}"
        (key,) = node.keys
        yield key.value


def _assigned(function):
    found = {}
    for node in ast.walk(function):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                found.setdefault(target.id, node.value)
    return found


def api_calls():
    """Return the methods and the paths of the requests that gspread's functions send.

    What is put into a path stands in it as `7`.
    """
    found = set()
    for _, function in functions():
        local = _assigned(function)
        for node in ast.walk(function):
            if _sends(node) and isinstance(node.args[0], ast.Constant):
                url = _url(node.args[1], local)
                found.add((node.args[0].value.upper(), url.partition("googleapis.com")[2]))
    return found


def _sends(node):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "request"
        and len(node.args) > 1
    )


def _url(node, local):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        known = getattr(gspread.urls, node.id, None)
        return known or _url(local[node.id], local)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _url(node.left, local).replace("%s", "7")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _url(node.left, local) + _url(node.right, local)
    assert isinstance(node, ast.Call), ast.unparse(node)
    assert node.func.attr == "format", ast.unparse(node)
    parts = [_url(a, local) if hasattr(gspread.urls, ast.unparse(a)) else "7" for a in node.args]
    return _url(node.func.value, local).format(*parts)
