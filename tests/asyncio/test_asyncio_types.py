"""The types of the asyncio classes are those of gspread's annotations."""

from __future__ import annotations

import ast
import runpy

import gspread
import pytest
from places import DOCS

import queued_gspread.asyncio as queued
from queued_gspread.protocol.kinds import KINDS

STUBS = runpy.run_path(str(DOCS / "stubs.py"))


@pytest.mark.skipif(
    f"gspread {gspread.__version__}." not in STUBS["FILE"].read_text().partition("\n")[0],
    reason="the file was written with another version of gspread",
)
def test_the_types_are_what_gspread_says():
    """classes.pyi is what `python docs/stubs.py` writes."""
    assert STUBS["FILE"].read_text() == STUBS["stub"]()


@pytest.mark.parametrize("name", STUBS["CLASSES"])
def test_each_class_has_all_names_and_no_other(name):
    """A class's types have every public name that the class has, and none that it has not."""
    module = ast.parse(STUBS["FILE"].read_text())
    (typed,) = (node for node in module.body if getattr(node, "name", "") == name)
    names = {getattr(each, "name", "") or each.target.id for each in typed.body}
    there = {each for each in dir(getattr(queued, name)) if not each.startswith("_")}
    assert {each for each in names if not each.startswith("_")} == there
    assert set(STUBS["CLASSES"][name].groups) <= there
    assert STUBS["CLASSES"][name] in KINDS.values()
