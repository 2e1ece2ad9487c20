"""Formulas that refer to each other: in circles, one by one, and again and again."""

import pytest
from test_emulator_formulas import book_of

from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.book.not_computed import NotComputed
from queued_gspread.emulator.values.evaluate import Evaluator

BAD_REFERENCE = CellError("#REF!")


def last_of(*columns):
    """Return the first cell of the last column, computed before any other."""
    book = book_of(*columns)
    return Evaluator(book).value(book.sheets[0], 0, len(columns) - 1)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "formulas",
    [
        ["=IFERROR(A1,5)"],
        ["=IFERROR(B1,5)", "=A1+1"],
        ["=IFERROR(B1,5)", "=IFERROR(A1,6)"],
        ["=IF(ISERROR(B1),1,2)", "=C1", "=IFERROR(A1,7)"],
        ['=IFERROR(INDIRECT("B1"),5)', "=OFFSET(B1,0,-1)"],
        ["=COUNTA(B1:C1)", "=A1", "=1"],
    ],
)
def test_a_circle_is_the_same_from_wherever_it_is_read(formulas, backwards):
    """Each cell of a circle is `#REF!`, which no function in the circle swallows."""
    book = book_of(*([formula] for formula in formulas))
    evaluator, places = Evaluator(book), range(len(formulas))
    found = {
        column: evaluator.value(book.sheets[0], 0, column)
        for column in (reversed(places) if backwards else places)
    }
    circle = [place for place in places if formulas[place] != "=1"]
    assert [found[place] for place in circle] == [BAD_REFERENCE] * len(circle)


def test_what_looks_at_a_circle_from_outside_may_catch_it():
    """A cell that no cell of the circle refers to is not one of it."""
    assert last_of(["=B1"], ["=A1"], ["=IFERROR(A1,5)"]) == 5


def test_what_is_beside_a_circle_is_computed():
    """A cell that waits beside those of a circle has its own value."""
    book = book_of(["=SUM(B1:B3)"], ["=C1", "=1", "=A1"], ["=2"])
    evaluator = Evaluator(book)
    assert evaluator.value(book.sheets[0], 0, 0) == BAD_REFERENCE
    assert evaluator.value(book.sheets[0], 0, 1) == 2
    assert evaluator.value(book.sheets[0], 2, 1) == BAD_REFERENCE


@pytest.mark.parametrize(
    "formula",
    [
        '=SUM(MAP(SEQUENCE(300),LAMBDA(i,INDIRECT("A"&i))))',
        f"={'+'.join(f'A{row}' for row in range(1, 301))}",
    ],
)
def test_cells_that_are_found_one_by_one_do_not_begin_a_formula_again(formula, monkeypatch):
    """A formula that needs 300 others is begun some times, not once more for each of them."""
    computed, compute = [], Evaluator._compute
    monkeypatch.setattr(
        Evaluator, "_compute", lambda self, place: [computed.append(place), compute(self, place)][1]
    )
    assert last_of([f"={row}" for row in range(1, 301)], [formula]) == 45_150
    assert len(computed) < 350


def test_a_circle_through_many_cells_is_one():
    """A cell far down a list of references closes a circle as the first does."""
    names = "+".join(f"A{row}" for row in range(1, 51))
    column = [f"={row}" for row in range(1, 50)]
    assert last_of([*column, "=IFERROR(B1,1)"], [f"={names}"]) == BAD_REFERENCE


def test_formulas_deep_and_wide_are_computed_from_further_out():
    """What the stack has no room for inside another formula is computed outside it."""

    def formula(row):
        before = "+".join(f"A{each}" for each in range(row + 1, row + 41))
        return f"={'IFERROR(' * 100}1+0*({before}){')' * 100}"

    column = [formula(row) for row in range(1, 400)]
    assert last_of([*column, *(f"={row}" for row in range(50))]) == 1


@pytest.mark.parametrize(
    "formula",
    [
        "SUM(MAP(SEQUENCE(1000),LAMBDA(a,SUM(MAP(SEQUENCE(1000),LAMBDA(b,ROWS(A2:Z20000)))))))",
        "REDUCE(0,SEQUENCE(1000),LAMBDA(a,b,ROWS(A2:Z20000)))",
        "SUM(ARRAYFORMULA(VLOOKUP(SEQUENCE(100000),SEQUENCE(100000),1,FALSE)))",
        "SUMPRODUCT(IF(SEQUENCE(9,9),MATCH(SEQUENCE(100000),SEQUENCE(100000),0)))",
    ],
)
def test_a_formula_that_would_take_hours_is_a_gap(formula):
    """What repeats a part of itself too often is not computed, and nothing swallows that."""
    found = last_of([f"=IFERROR({formula},0)"])
    assert isinstance(found, NotComputed)
    assert found.what == "formulas that go over more than 10000000 cells"


def test_wide_arrays_are_no_repetition():
    """Two long arrays are gone over beside each other, not each for every cell of the other."""
    assert last_of(["=SUM(ARRAYFORMULA(SEQUENCE(9999)*SEQUENCE(9999)))"]) == 333_283_335_000
    assert last_of(["=SUM(FREQUENCY(SEQUENCE(9999),SEQUENCE(9999)))"]) == 9_999
