"""Sphinx's settings for the site; `.github/CONTRIBUTING.md` has the command that builds it.

The pages are read on GitHub as well, so they keep to Markdown that both show alike: the navigation
comes from the lists of `index.md`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from queued_gspread import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "queued_gspread"
author = "The queued_gspread maintainers"
project_copyright = f"2026, {author}"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
highlight_language = "text"  # of blocks that name no language
smartquotes_action = "De"  # dashes and ellipses; a pair of quotation marks is an empty string
myst_heading_anchors = 4  # links to headings are GitHub's
myst_enable_extensions = ["deflist"]  # of the glossary

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # their values are of the machine that builds the site
autodoc_default_options = {"members": True}
napoleon_use_ivar = True  # a class's attributes in one list
default_role = "code"  # of docstrings, whose single backquotes are those of Markdown
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"

# Other projects' documentation is not asked when the site is built, so that it is built without a
# network; and what is not ours has no page here.
nitpick_ignore_regex = [
    ("py:.*", r"(gspread|google|requests|pytest|collections|datetime|os|pathlib|typing)\..*"),
    # What is imported for type checkers alone stands in a signature without its module.
    ("py:class", r"\w+"),
    # The arguments of a function that is passed on.
    ("py:class", r"P\.(kw)?args"),
    # Modules of the inside have no page either, and neither have their classes.
    ("py:mod", r"queued_gspread\..*"),
    ("py:class", r"queued_gspread\.(asyncio|proxy)\..*"),
]

html_theme = "furo"
pygments_style = "friendly"
pygments_dark_style = "monokai"
html_title = f"queued_gspread {release}"
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

_SECTION = re.compile(r"^## (.+)\n\n((?:[-*] .*\n(?: +.*\n)*)+)", re.MULTILINE)
_PAGE = re.compile(r"^[-*] \[[^]]+\]\((\w+)\.md\)", re.MULTILINE)


def with_navigation(index: str) -> str:
    """Return the index with a hidden table of contents for each of its lists of pages."""
    trees = [
        "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])
        for caption, listed in _SECTION.findall(index)
        if (pages := _PAGE.findall(listed))
    ]
    return "\n".join([index, *trees])


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    if page == app.config.root_doc:
        source[0] = with_navigation(source[0])


def setup(app: Sphinx) -> None:
    """Have the index read with its navigation."""
    app.connect("source-read", _read)
