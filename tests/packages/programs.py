"""What people write with packages that stand on gspread: a program for each of them."""

from __future__ import annotations

import os


def gspread_models(gspread, key_file):
    sh = gspread.service_account(key_file).create("Library")
    from gspread_models.base import BaseModel

    class Book(BaseModel):
        SHEET_NAME = "books"
        COLUMNS = ("title", "author", "year")
        SEEDS = (
            {"title": "Emma", "author": "Austen", "year": 1815},
            {"title": "Persuasion", "author": "Austen", "year": 1817},
        )

    BaseModel.bind(document_id=sh.id, credentials_filepath=key_file)
    BaseModel.service.generate_timestamp = lambda: "2026-01-02 03:04:05.000006+00:00"
    sheet = BaseModel.service.find_or_create_sheet("books")
    sheet.resize(50, 10)
    sheet.update([["id", *Book.COLUMNS, "created_at"]])
    print(BaseModel.service.sheets, BaseModel.service.find_or_create_sheet("books") == sheet)
    print(Book.seed())
    print(Book.create({"title": "Middlemarch", "author": "Eliot", "year": 1871}))
    print([dict(book) for book in Book.all()])
    print(Book.find(2).title, Book.find(99), [book.id for book in Book.where(author="Austen")])
    print(sheet.get_all_values())
    print(Book.destroy_all(), Book.all())


def gspreader(gspread, key_file):
    os.environ["GSPREADER_GOOGLE_CREDS_PATH"] = key_file
    os.environ["GSPREADER_GOOGLE_CLIENT_EMAIL"] = "me@example.com"
    from gspreader import gspreader as library

    client = library.get_client()
    client.create("suzy").add_worksheet("titles", 50, 10)
    sheet = library.get_sheet("suzy", "titles")
    print(sheet, library.get_sheet("suzy", 0, client))
    songs = [{"song": "One", "plays": 3}, {"song": "Two", "plays": "=1+1"}]
    library.set_range(sheet, songs)
    print(sheet.get_all_records(), sheet.row_count)
    library.set_range(sheet, songs, value_input_option="RAW")
    print(sheet.get_all_values())
    data = sheet.get_all_records()
    library.update_sheet_data_by_matching_key(data, [{"song": "o-n-e", "plays": 4}], "song")
    sheet.resize(rows=50)
    library.update_range(sheet, [*data, {"song": "Three"}])
    print(sheet.get_all_values(), sheet.row_count)
    found, same = library.get_sheet_and_client("suzy", "titles", client)
    print(found, same is client)
    for wrong in (("nobody", "titles"), ("suzy", 1.5)):
        try:
            library.get_sheet(*wrong, client)
        except SystemExit as stopped:
            print("stopped", stopped.code)


def gspread_rpa(gspread, key_file):
    from gspread_rpa import CellIndex, GoogleSheets, GridIndex
    from gspread_rpa.gspreadsheet_retry import ClientRetry, SpreadsheetRetry, WorksheetRetry

    try:
        print(type(GoogleSheets()).__name__)
    except AttributeError as error:
        print("with this gspread", error)
    print(CellIndex().from_a1("B3"), GridIndex(1, 1, 2, 2))
    print(issubclass(ClientRetry, gspread.Client))
    client = gspread.service_account(key_file)
    book = SpreadsheetRetry(client.create("Robot"))
    print(book, book.id == book.fetch_sheet_metadata()["spreadsheetId"])
    sheet = WorksheetRetry.__new__(WorksheetRetry)
    vars(sheet).update(vars(book.worksheets()[0]))
    sheet.update([["a", "b"], ["c", "d"]])
    print(sheet.get_values(), sheet.get_all_values(), sheet.range("A1:B1"))
    print(sheet.col_values(1), sheet.row_values(2), sheet.findall("c"))
    print(sheet.update_cell(3, 1, "=A1"), sheet.batch_clear(["B2"]), sheet.delete_rows(1))
    print(sheet.resize(rows=20, cols=5), sheet.row_count, sheet.get_values("A1:C3"))
    print(book.batch_update({"requests": [{"addSheet": {"properties": {"title": "More"}}}]}))
    print(book.worksheets())


def gspreaddict(gspread, key_file):
    from gspreaddict import GSpreadDict

    sh = gspread.service_account(key_file).create("Staff")
    sh.sheet1.update([["name", "", "age"], ["Ann", "x", 30], ["Ben", "y", 40]])
    sh.add_worksheet("Others", 5, 3).update([["ignored"], ["name"], ["Cat"]])

    class Person(GSpreadDict):
        spreadsheet_key = sh.id
        credentials_json_path = key_file
        api_scopes = ("https://www.googleapis.com/auth/spreadsheets",)

    class Other(Person):
        sheet_name = "Others"
        header_row_starts_zero = 1

    class Missing(Person):
        sheet_name = "Nowhere"

    print(Person.objects.all())
    print(list(Person.objects.filter(name="Ann")), Person.objects.get(age="40")["name"])
    print(list(Person.objects.filter(lambda row: int(row["age"]) > 30)))
    print(Other.objects.all())
    for wrong in (lambda: Person.objects.get(name="Zoe"), Missing.objects.all):
        try:
            wrong()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is printed
            print(type(error).__name__, error)


def gspread_formatting(gspread, key_file):
    import gspread_formatting as fmt

    sh = gspread.service_account(key_file).create("Pretty")
    ws = sh.sheet1
    ws.update([["a", 1], ["b", 2], ["c", 3]])
    red = fmt.cellFormat(backgroundColor=fmt.color(1, 0, 0), textFormat=fmt.textFormat(bold=True))
    print(fmt.format_cell_range(ws, "A1:B1", red))
    print(fmt.format_cell_ranges(ws, [("A2", red), ("B2:B3", fmt.cellFormat(wrapStrategy="CLIP"))]))
    print(fmt.get_user_entered_format(ws, "A1"), fmt.get_user_entered_format(ws, "C9"))
    print(fmt.get_effective_format(ws, "A1"), fmt.get_default_format(sh))
    print(fmt.set_frozen(ws, rows=1), fmt.get_frozen_row_count(ws), fmt.get_frozen_column_count(ws))
    print(fmt.set_column_width(ws, "A", 120), fmt.set_row_height(ws, "1:2", 40))
    print(fmt.set_right_to_left(ws, True), fmt.get_right_to_left(ws))
    with fmt.batch_updater(sh) as batch:
        batch.format_cell_range(ws, "C1:C3", red)
        batch.set_frozen(ws, cols=1)
    print(ws.get_all_values(), fmt.get_frozen_column_count(ws))
    rule = fmt.DataValidationRule(
        fmt.BooleanCondition("ONE_OF_LIST", ["x", "y"]), showCustomUi=True
    )
    print(fmt.set_data_validation_for_cell_range(ws, "D1:D2", rule))
    print(fmt.get_data_validation_rule(ws, "D1"), fmt.get_data_validation_rule(ws, "E5"))
    rules = fmt.get_conditional_format_rules(ws)
    rules.append(
        fmt.ConditionalFormatRule(
            ranges=[fmt.GridRange.from_a1_range("B1:B3", ws)],
            booleanRule=fmt.BooleanRule(
                condition=fmt.BooleanCondition("NUMBER_GREATER", ["1"]), format=red
            ),
        )
    )
    print(rules.save(), list(fmt.get_conditional_format_rules(ws)))
    rules.clear()
    print(rules.save(), len(fmt.get_conditional_format_rules(ws)))
    print(sh.fetch_sheet_metadata()["sheets"][0]["properties"])


def gspread_dataframe(gspread, key_file):
    import pandas as pd
    from gspread_dataframe import get_as_dataframe, set_with_dataframe

    sh = gspread.service_account(key_file).create("Frames")
    ws = sh.sheet1
    frame = pd.DataFrame(
        {
            "name": ["Ann", None, "'quoted"],
            "count": [1, 2, 3],
            "share": [0.5, float("nan"), 1e20],
            "when": pd.to_datetime(["2026-01-02", None, "2026-02-03"]),
            "formula": ["=B2+1", "=1/0", "plain"],
            "flag": [True, False, True],
        }
    )
    set_with_dataframe(ws, frame, resize=True)
    print(ws.row_count, ws.col_count, ws.get_all_values())
    for options in (
        {},
        {"evaluate_formulas": True},
        {"header": None, "nrows": 2},
        {"usecols": ["name", "count"], "index_col": 0},
        {"drop_empty_rows": False, "drop_empty_columns": False},
        {"parse_dates": ["when"], "dtype": {"count": float}},
    ):
        print(get_as_dataframe(ws, **options).to_csv())
    more = sh.add_worksheet("Indexed", 20, 20)
    nested = frame.set_index(["name", "count"])
    set_with_dataframe(more, nested, row=2, col=3, include_index=True, string_escaping="full")
    print(more.get_all_values(), more.get("A1:Z9", value_render_option="FORMULA"))
    set_with_dataframe(more, frame[["count"]].astype("int64"), include_column_header=False)
    print(more.get_all_values(), get_as_dataframe(sh.add_worksheet("Empty", 3, 3)).shape)


def gspread_pandas(gspread, key_file):
    import json
    from pathlib import Path

    import pandas as pd
    from gspread_pandas import Client, Spread

    client = Client(config=json.loads(Path(key_file).read_text()))
    spread = Spread("Frames", sheet="Orders", client=client, create_spread=True, create_sheet=True)
    rows = pd.MultiIndex.from_tuples([("Ann", 1), ("Ann", 2), ("Ben", 1)], names=["name", "no"])
    frame = pd.DataFrame({"total": [2.5, 3, 4], "note": ["x", None, "=A2"]}, index=rows)
    spread.df_to_sheet(
        frame,
        replace=True,
        freeze_headers=True,
        freeze_index=True,
        add_filter=True,
        merge_index=True,
    )
    print(spread.spread.fetch_sheet_metadata()["sheets"])
    print(spread.sheet_to_df(index=2).to_csv(), spread.sheet.get_all_values())
    print(spread.unmerge_cells("A1", "D4"), spread.merge_cells("C1", "D1", "MERGE_ROWS"))
    print(spread.freeze(0, 0), spread.freeze(rows=1), spread.add_filter("A1", "B3"))
    print(spread.spread.fetch_sheet_metadata()["sheets"], spread.get_sheet_dims())
    spread.create_sheet("Second", 5, 5)
    spread.reorder_sheets(["Second", "Orders", "Sheet1"])
    print(spread.sheets, spread.clear_sheet(2, 2, "Second"), spread.delete_sheet("Second"))
    spread.add_permission("ben@example.com|reader|no")
    print([found["role"] for found in spread.list_permissions()])
    spread.move("/accounts/open")
    print([folder["path"] for folder in client.find_folders("o")], client.root["name"])
    found = client.find_spreadsheet_files_in_folders("open")
    print({path: [file["name"] for file in files] for path, files in found.items()})


PROGRAMS = {
    "gspread_models": (gspread_models, "gspread-models python-dotenv"),
    "gspreader": (gspreader, "gspreader python-dotenv rich"),
    "gspread_rpa": (gspread_rpa, "gspread-rpa"),
    "gspreaddict": (gspreaddict, "python-gspreaddict oauth2client"),
    "gspread_formatting": (gspread_formatting, "gspread-formatting"),
    "gspread_pandas": (gspread_pandas, "gspread-pandas pandas"),
    "gspread_dataframe": (gspread_dataframe, "gspread-dataframe pandas six"),
}
"""Each program by the name of its package, with what pip has to install for it."""
