"""Runs a script or a module as ``python`` itself would, in the running interpreter."""

from __future__ import annotations

import importlib.util
import io
import pkgutil
import runpy
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import CodeType, TracebackType

__all__ = ["run_module", "run_script"]

_INTERRUPTED: Final = 130
_OURS: Final = (__file__, "<frozen runpy>", runpy.__file__)


def run_script(path: str) -> int:
    """Run a file, folder or archive as ``python PATH`` does; return the exit status.

    Raises:
        ConfigurationError: There is no such file, or it cannot be read.

    """
    if Path(path).is_dir() or type(pkgutil.get_importer(path)).__name__ == "zipimporter":
        _put_first_on_path(path)
        return _status_of(lambda: runpy.run_path(path, run_name="__main__"))
    source = _source(path)
    _put_first_on_path(str(Path(path).resolve().parent))
    code = partial(compile, source, path, "exec", dont_inherit=True)
    return _status_of(lambda: _execute(code(), __file__=path))


def run_module(name: str) -> int:
    """Run a module as ``python -m NAME`` does; return the exit status.

    Raises:
        ConfigurationError: There is no such module, or it is a package that cannot be run.

    """
    spec = _found(name)
    loader: Any = spec.loader
    sys.argv[0] = type(sys.argv[0])(spec.origin)
    attributes = {
        "__file__": spec.origin,
        "__cached__": spec.cached,
        "__loader__": loader,
        "__package__": spec.parent,
        "__spec__": spec,
    }
    return _status_of(lambda: _execute(loader.get_code(spec.name), **attributes))


def _found(name: str) -> ModuleSpec:
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"there is no module {error.name!r}") from None
    if spec is None or not hasattr(spec.loader, "get_code"):
        raise ConfigurationError(f"there is no module {name!r} that can be run")
    return spec


def _put_first_on_path(folder: str) -> None:
    """Put a folder where ``python -m`` has put the current one."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = folder


def _source(path: str) -> bytes:
    try:
        # Not resolved: what a shell names for a pipe has no other path.
        with io.open_code(str(Path(path).absolute())) as file:
            return file.read()
    except FileNotFoundError:
        raise ConfigurationError(f"there is no script {path!r}") from None
    except OSError as error:
        raise ConfigurationError(f"the script {path!r} cannot be read: {error.strerror}") from None


def _execute(code: CodeType, **attributes: Any) -> None:
    """Execute a program's code in a new ``__main__``, which stays: threads may outlive the code."""
    main = ModuleType("__main__")
    vars(main).update({"__builtins__": __builtins__, "__spec__": None, **attributes})
    sys.modules["__main__"] = main
    exec(code, vars(main))  # noqa: S102 - the user's own program


def _status_of(program: Callable[[], Any]) -> int:
    """Return a program's exit status; report its exception without the frames of this module."""
    try:
        program()
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - what python does with any
        error.__traceback__ = _of_program(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _of_program(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename in _OURS:
        traceback = traceback.tb_next
    return traceback
