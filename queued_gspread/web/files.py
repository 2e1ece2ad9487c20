"""A page's files, as they were installed."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from importlib.abc import Traversable

_TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}


class PageFiles:
    """The files of a package's page, and those that all pages share.

    Args:
        package: The package that has a folder ``page``.
        more: Further folders in that one.

    """

    def __init__(self, package: str, *more: str) -> None:
        own = files(package) / "page"
        shared = files("queued_gspread.web") / "page"
        self._folders: list[Traversable] = [own, *(own / name for name in more), shared]

    def answer(self, name: str) -> web.Response:
        """Return a file of the page; raise HTTPNotFound where it has none of this name."""
        kind = _TYPES.get(name.rpartition(".")[2])
        for folder in self._folders:
            if kind is not None and name in {file.name for file in folder.iterdir()}:
                text = (folder / name).read_text(encoding="utf-8")
                return web.Response(text=text, content_type=kind, charset="utf-8")
        raise web.HTTPNotFound
