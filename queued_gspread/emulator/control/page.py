"""The page's files, as they were installed."""

from __future__ import annotations

from importlib.resources import files

from aiohttp import web

_TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
_FILES = files("queued_gspread.emulator") / "page"


def page_file(name: str) -> web.Response:
    """Return a file of the page; raise HTTPNotFound where it has none of this name."""
    names = {file.name for file in _FILES.iterdir()}
    kind = _TYPES.get(name.rpartition(".")[2])
    if name not in names or kind is None:
        raise web.HTTPNotFound
    text = (_FILES / name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=kind, charset="utf-8")
