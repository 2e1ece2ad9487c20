"""A script that calls every public method of gspread's four classes.

Each step is a name and a function of the scene; steps build on one another. A method's name
stands alone or with a word after it for a further case.
"""

from __future__ import annotations

import re
from datetime import date

from gspread.utils import (
    DateTimeOption,
    Dimension,
    ExportFormat,
    GridRangeType,
    InsertDataOption,
    MergeType,
    PasteOrientation,
    PasteType,
    TableDirection,
    ValidationConditionType,
    ValueInputOption,
    ValueRenderOption,
)

STEPS = {}


def step(name):
    def note(function):
        assert name not in STEPS, name
        STEPS[name] = function
        return function

    return note


def steps(cases):
    for name, function in cases.items():
        step(name)(function)


# Opening


@step("Client.create")
def _(s):
    s.sh = s.gc.create("Books")
    return s.sh


@step("Client.create another")
def _(s):
    s.other = s.gc.create("Films")
    return s.other


@step("Spreadsheet.get_worksheet")
def _(s):
    s.ws = s.sh.get_worksheet(0)
    return s.ws


steps(
    {
        "Client.open": lambda s: s.gc.open("Books"),
        "Client.open unknown": lambda s: s.gc.open("No such title"),
        "Client.open_by_key": lambda s: s.gc.open_by_key(s.sh.id),
        "Client.open_by_key keyword": lambda s: s.gc.open_by_key(key=s.sh.id),
        "Client.open_by_key unknown": lambda s: s.gc.open_by_key("nothing-here"),
        "Client.open_by_url": lambda s: s.gc.open_by_url(s.sh.url),
        "Client.open_by_url wrong": lambda s: s.gc.open_by_url("https://example.com"),
        "Client.openall": lambda s: s.gc.openall(),
        "Client.openall title": lambda s: s.gc.openall("Films"),
        "Client.list_spreadsheet_files": lambda s: s.gc.list_spreadsheet_files(),
        "Client.list_spreadsheet_files title": lambda s: s.gc.list_spreadsheet_files("Films"),
        "Client.get_file_drive_metadata": lambda s: s.gc.get_file_drive_metadata(s.sh.id),
        "Client.get_file_drive_metadata unknown": lambda s: s.gc.get_file_drive_metadata("nope"),
        "Spreadsheet.get_worksheet unknown": lambda s: s.sh.get_worksheet(7),
        "Spreadsheet.get_worksheet negative": lambda s: s.sh.get_worksheet(-1),
        "Spreadsheet.sheet1": lambda s: s.sh.sheet1,
        "Spreadsheet.iter": lambda s: list(s.sh),
        "Spreadsheet.worksheet": lambda s: s.sh.worksheet("Sheet1"),
        "Spreadsheet.worksheet unknown": lambda s: s.sh.worksheet("Sheet9"),
        "Spreadsheet.worksheets": lambda s: s.sh.worksheets(),
        "Spreadsheet.get_worksheet_by_id": lambda s: s.sh.get_worksheet_by_id(s.ws.id),
        "Spreadsheet.get_worksheet_by_id text": lambda s: s.sh.get_worksheet_by_id(str(s.ws.id)),
        "Spreadsheet.get_worksheet_by_id no int": lambda s: s.sh.get_worksheet_by_id("a"),
        "Spreadsheet.get_worksheet_by_id unknown": lambda s: s.sh.get_worksheet_by_id(12345),
        "Spreadsheet.fetch_sheet_metadata": lambda s: s.sh.fetch_sheet_metadata(),
        "Spreadsheet.fetch_sheet_metadata fields": lambda s: s.sh.fetch_sheet_metadata(
            {"fields": "sheets.properties.title"}
        ),
        "Spreadsheet._spreadsheets_get": lambda s: s.sh._spreadsheets_get(),
        "Spreadsheet.title": lambda s: (s.sh.id, s.sh.title, s.sh.url, s.sh.locale, s.sh.timezone),
        "Spreadsheet.repr": lambda s: (repr(s.sh), repr(s.ws)),
    }
)

# Writing and reading values

TABLE = [["name", "count", "price"], ["apple", 3, 1.5], ["pear", 10, 0.25], ["plum", 7, 2.0]]

steps(
    {
        "Worksheet.update": lambda s: s.ws.update(TABLE),
        "Worksheet.update range": lambda s: s.ws.update([["x", "y"]], "E1:F1", raw=False),
        "Worksheet.update options": lambda s: s.ws.update(
            [[1, 2]],
            "E2",
            value_input_option=ValueInputOption.raw,
            major_dimension=Dimension.cols,
            include_values_in_response=True,
            response_value_render_option=ValueRenderOption.unformatted,
        ),
        "Worksheet.update swapped": lambda s: s.ws.update("E4", [["warned"]]),
        "Worksheet.update bad range": lambda s: s.ws.update([[1]], "not a range!"),
        "Worksheet.update beyond the grid": lambda s: s.ws.update([[1]], "A5000"),
        "Worksheet.update nan": lambda s: s.ws.update([[float("nan")]]),
        "Worksheet.update object": lambda s: s.ws.update([[object]]),
        "Worksheet.update set": lambda s: s.ws.update([{1}]),
        "Worksheet.update generator": lambda s: s.ws.update(row for row in [[1]]),
        "Worksheet.update map": lambda s: s.ws.update(map(list, ["ab"])),
        "Worksheet.update tuple": lambda s: s.ws.update((("in", "tuples"),), "E5"),
        "Worksheet.update_acell": lambda s: s.ws.update_acell("A6", "=1+1"),
        "Worksheet.update_acell bad label": lambda s: s.ws.update_acell("6A", "x"),
        "Worksheet.update_cell": lambda s: s.ws.update_cell(6, 2, "ünï ☃ 日本"),
        "Worksheet.update_cell number": lambda s: s.ws.update_cell(6, 3, 12.5),
        "Worksheet.update_cells": lambda s: s.ws.update_cells(_changed(s.ws.range("A8:B9"))),
        "Worksheet.update_cells option": lambda s: s.ws.update_cells(
            _changed(s.ws.range("A8:B9")), value_input_option="USER_ENTERED"
        ),
        "Worksheet.batch_update": lambda s: s.ws.batch_update(
            [{"range": "A10", "values": [["ten"]]}, {"range": "B10:C10", "values": [[1, 2]]}]
        ),
        "Worksheet.batch_update keyword": lambda s: s.ws.batch_update(
            [{"range": "A11", "values": [["=2*2"]]}], raw=False, include_values_in_response=True
        ),
        "Worksheet.acell": lambda s: s.ws.acell("A2"),
        "Worksheet.acell formula": lambda s: s.ws.acell(
            "A6", value_render_option=ValueRenderOption.formula
        ),
        "Worksheet.cell": lambda s: s.ws.cell(2, 1),
        "Worksheet.cell empty": lambda s: s.ws.cell(20, 20),
        "Worksheet.range": lambda s: s.ws.range("A1:C2"),
        "Worksheet.range numbers": lambda s: s.ws.range(1, 1, 2, 3),
        "Worksheet.range keyword": lambda s: s.ws.range(name="A1:B1"),
        "Worksheet.get": lambda s: s.ws.get("A1:C4"),
        "Worksheet.get options": lambda s: s.ws.get(
            "A1:C4",
            major_dimension=Dimension.cols,
            value_render_option=ValueRenderOption.unformatted,
            date_time_render_option=DateTimeOption.serial_number,
            maintain_size=True,
        ),
        "Worksheet.get lists": lambda s: s.ws.get(
            "A1:B2", return_type=GridRangeType.ListOfLists, pad_values=True
        ),
        "Worksheet.get merged": lambda s: s.ws.get("A1:C4", combine_merged_cells=True),
        "Worksheet.get empty": lambda s: s.ws.get("T20:U21"),
        "Worksheet.get bad range": lambda s: s.ws.get("no range at all"),
        "Worksheet.get wrong type": lambda s: s.ws.get("A1", return_type="list"),
        "Worksheet.get_values": lambda s: s.ws.get_values("A1:C3"),
        "Worksheet.get_all_values": lambda s: s.ws.get_all_values(),
        "Worksheet.get_all_records": lambda s: (
            s.other.sheet1.update(TABLE) and s.other.sheet1.get_all_records()
        ),
        "Worksheet.get_all_records blank": lambda s: s.other.sheet1.get_all_records(
            default_blank=None, numericise_ignore=["all"]
        ),
        "Worksheet.get_all_records headers": lambda s: s.other.sheet1.get_all_records(
            expected_headers=["name", "name"]
        ),
        "Worksheet.get_all_records unknown header": lambda s: s.other.sheet1.get_all_records(
            expected_headers=["colour"]
        ),
        "Worksheet.get_all_cells": lambda s: s.other.sheet1.get_all_cells()[:10],
        "Worksheet.row_values": lambda s: s.ws.row_values(2),
        "Worksheet.row_values empty": lambda s: s.ws.row_values(500),
        "Worksheet.col_values": lambda s: s.ws.col_values(1),
        "Worksheet.batch_get": lambda s: s.ws.batch_get(["A1:B2", "C1"]),
        "Worksheet.batch_get generator": lambda s: s.ws.batch_get(r for r in ("A1", "B1")),
        "Worksheet.batch_get bad spreadsheet": lambda s: s.ws.batch_get(
            ["A1"], date_time_render_option=s.sh
        ),
        "Worksheet.batch_get set": lambda s: s.ws.batch_get({"A1"}),
        "Worksheet.batch_get dict view": lambda s: s.ws.batch_get({"A1": 1, "B2": 2}.keys()),
        "Worksheet.find": lambda s: s.ws.find("pear"),
        "Worksheet.find nothing": lambda s: s.ws.find("banana"),
        "Worksheet.find pattern": lambda s: s.ws.find(re.compile("^PL", re.IGNORECASE)),
        "Worksheet.find wrong query": lambda s: s.ws.find(3),
        "Worksheet.findall": lambda s: s.ws.findall("APPLE", case_sensitive=False),
        "Worksheet.findall column": lambda s: s.ws.findall(re.compile("p"), in_column=1),
        "Worksheet.expand": lambda s: s.ws.expand("A1", TableDirection.table),
        "Spreadsheet.values_get": lambda s: s.sh.values_get("Sheet1!A1:B2"),
        "Spreadsheet.values_get params": lambda s: s.sh.values_get(
            "Sheet1!A1:B2", params={"valueRenderOption": "UNFORMATTED_VALUE"}
        ),
        "Spreadsheet.values_get bad": lambda s: s.sh.values_get("Nowhere!A1"),
        "Spreadsheet.values_batch_get": lambda s: s.sh.values_batch_get(["A1", "B1:B2"]),
        "Spreadsheet.values_update": lambda s: s.sh.values_update(
            "Sheet1!A12", {"valueInputOption": "RAW"}, {"values": [[True, False, None, ""]]}
        ),
        "Spreadsheet.values_batch_update": lambda s: s.sh.values_batch_update(
            {"valueInputOption": "RAW", "data": [{"range": "Sheet1!A13", "values": [["b"]]}]}
        ),
        "Spreadsheet.values_append": lambda s: s.sh.values_append(
            "Sheet1!A13", {"valueInputOption": "RAW"}, {"values": [["appended"]]}
        ),
        "Spreadsheet.values_clear": lambda s: s.sh.values_clear("Sheet1!A13"),
        "Spreadsheet.values_batch_clear": lambda s: s.sh.values_batch_clear(
            body={"ranges": ["Sheet1!A12", "Sheet1!B12"]}
        ),
        "Worksheet.append_row": lambda s: s.ws.append_row(["last", 1]),
        "Worksheet.append_row options": lambda s: s.ws.append_row(
            ["=1+2", "x"],
            value_input_option="USER_ENTERED",
            insert_data_option=InsertDataOption.insert_rows,
            table_range="A1",
            include_values_in_response=True,
        ),
        "Worksheet.append_rows": lambda s: s.ws.append_rows([["a", "b"], ["c", "d"]]),
        "Worksheet.row_count": lambda s: (s.ws.row_count, s.ws.col_count, s.ws.column_count),
        "Worksheet.insert_row": lambda s: s.ws.insert_row(["inserted"], 2),
        "Worksheet.insert_rows": lambda s: s.ws.insert_rows([["i1"], ["i2"]], row=3),
        "Worksheet.insert_rows at top": lambda s: s.ws.insert_rows(
            [["i"]], row=1, inherit_from_before=True
        ),
        "Worksheet.insert_cols": lambda s: s.ws.insert_cols([["c1", "c2"]], col=2),
        "Worksheet.delete_rows": lambda s: s.ws.delete_rows(2, 4),
        "Worksheet.delete_columns": lambda s: s.ws.delete_columns(2),
        "Worksheet.delete_dimension": lambda s: s.ws.delete_dimension(Dimension.rows, 30),
        "Worksheet.batch_clear": lambda s: s.ws.batch_clear(["E1:F1", "E2"]),
    }
)


def _changed(cells):
    for number, cell in enumerate(cells):
        cell.value = f"changed {number}"
    return cells


# The worksheet itself

steps(
    {
        "Worksheet.resize": lambda s: s.ws.resize(rows=200, cols=30),
        "Worksheet.resize nothing": lambda s: s.ws.resize(),
        "Worksheet.add_rows": lambda s: s.ws.add_rows(5),
        "Worksheet.add_rows wrong": lambda s: s.ws.add_rows("x"),
        "Worksheet.add_rows float": lambda s: s.ws.add_rows(0.0),
        "Worksheet.add_cols": lambda s: s.ws.add_cols(2),
        "Worksheet.update_title": lambda s: s.ws.update_title("Stock's 'list'"),
        "Worksheet.update_title taken": lambda s: (
            s.sh.add_worksheet("Taken", 5, 5) and s.ws.update_title("Taken")
        ),
        "Worksheet.title": lambda s: (s.ws.title, s.ws.id, s.ws.index, s.ws.url),
        "Worksheet.get after title": lambda s: s.ws.get("A1:B2"),
        "Worksheet.update_index": lambda s: s.ws.update_index(1),
        "Worksheet.update_tab_color": lambda s: s.ws.update_tab_color("#ff7f00"),
        "Worksheet.tab_color": lambda s: (s.ws.tab_color, s.ws.get_tab_color()),
        "Worksheet.update_tab_color wrong": lambda s: s.ws.update_tab_color("orange"),
        "Worksheet.clear_tab_color": lambda s: s.ws.clear_tab_color(),
        "Worksheet.clear_tab_color again": lambda s: s.ws.clear_tab_color(),
        "Worksheet.freeze": lambda s: s.ws.freeze(rows=1, cols=1),
        "Worksheet.frozen": lambda s: (s.ws.frozen_row_count, s.ws.frozen_col_count),
        "Worksheet.hide": lambda s: s.ws.hide(),
        "Worksheet.isSheetHidden": lambda s: s.ws.isSheetHidden,
        "Spreadsheet.worksheets visible": lambda s: s.sh.worksheets(exclude_hidden=True),
        "Worksheet.show": lambda s: s.ws.show(),
        "Worksheet.hide_gridlines": lambda s: s.ws.hide_gridlines(),
        "Worksheet.is_gridlines_hidden": lambda s: s.ws.is_gridlines_hidden,
        "Worksheet.show_gridlines": lambda s: s.ws.show_gridlines(),
        "Worksheet.sort": lambda s: s.ws.sort((1, "asc"), (2, "des"), range="A2:C4"),
        "Worksheet.sort wrong": lambda s: s.ws.sort((1, "up")),
        "Worksheet.format": lambda s: s.ws.format(["A1:B1", "C1"], {"textFormat": {"bold": True}}),
        "Worksheet.batch_format": lambda s: s.ws.batch_format(
            [{"range": "A2", "format": {"textFormat": {"italic": True}}}]
        ),
        "Worksheet.columns_auto_resize": lambda s: s.ws.columns_auto_resize(0, 2),
        "Worksheet.rows_auto_resize": lambda s: s.ws.rows_auto_resize(0, 2),
        "Worksheet.hide_columns": lambda s: s.ws.hide_columns(3, 4),
        "Worksheet.unhide_columns": lambda s: s.ws.unhide_columns(3, 4),
        "Worksheet.hide_rows": lambda s: s.ws.hide_rows(3, 4),
        "Worksheet.unhide_rows": lambda s: s.ws.unhide_rows(3, 4),
        "Worksheet.add_dimension_group_columns": lambda s: s.ws.add_dimension_group_columns(1, 3),
        "Worksheet.add_dimension_group_rows": lambda s: s.ws.add_dimension_group_rows(1, 3),
        "Worksheet.list_dimension_group_columns": lambda s: s.ws.list_dimension_group_columns(),
        "Worksheet.list_dimension_group_rows": lambda s: s.ws.list_dimension_group_rows(),
        "Worksheet._get_sheet_property": lambda s: s.ws._get_sheet_property("merges", []),
        "Worksheet.delete_dimension_group_columns": lambda s: s.ws.delete_dimension_group_columns(
            1, 3
        ),
        "Worksheet.delete_dimension_group_rows": lambda s: s.ws.delete_dimension_group_rows(1, 3),
        "Worksheet.update before merging": lambda s: s.ws.update([["a", "b"]] * 4),
        "Worksheet.merge_cells": lambda s: s.ws.merge_cells("A1:B2"),
        "Worksheet.merge_cells numbers": lambda s: s.ws.merge_cells(3, 1, 4, 2, "MERGE_ROWS"),
        "Worksheet.get combined": lambda s: s.ws.get(
            "A1:B4", combine_merged_cells=True, pad_values=True
        ),
        "Worksheet.unmerge_cells": lambda s: s.ws.unmerge_cells("A1:B4"),
        "Worksheet.batch_merge": lambda s: s.ws.batch_merge(
            [{"range": "A1:B1"}, {"range": "A2:B2", "mergeType": MergeType.merge_columns}]
        ),
        "Worksheet.unmerge_cells batch": lambda s: s.ws.unmerge_cells("A1:B2"),
        "Worksheet.copy_range": lambda s: s.ws.copy_range(
            "A1:B2", "F1:G2", PasteType.values, PasteOrientation.transpose
        ),
        "Worksheet.cut_range": lambda s: s.ws.cut_range("F1:G2", "H1"),
        "Worksheet.add_validation": lambda s: s.ws.add_validation(
            "A1", ValidationConditionType.number_greater, ["10"], inputMessage="more", strict=True
        ),
        "Worksheet.add_validation wrong": lambda s: s.ws.add_validation("A1", "NUMBER_GREATER", []),
        "Worksheet.set_basic_filter": lambda s: s.ws.set_basic_filter("A1:C4"),
        "Worksheet.set_basic_filter all": lambda s: s.ws.set_basic_filter(),
        "Worksheet.clear_basic_filter": lambda s: s.ws.clear_basic_filter(),
        "Worksheet.update_note": lambda s: s.ws.update_note("A1", "a note"),
        "Worksheet.insert_note": lambda s: s.ws.insert_note("B1", "another"),
        "Worksheet.update_notes": lambda s: s.ws.update_notes({"C1": "third", "C2": "fourth"}),
        "Worksheet.update_notes wrong": lambda s: s.ws.update_notes({"C1": 3}),
        "Worksheet.insert_notes": lambda s: s.ws.insert_notes({"C3": "fifth"}),
        "Worksheet.get_note": lambda s: s.ws.get_note("A1"),
        "Worksheet.get_note none": lambda s: s.ws.get_note("Z9"),
        "Worksheet.get_notes": lambda s: s.ws.get_notes(),
        "Worksheet.clear_note": lambda s: s.ws.clear_note("A1"),
        "Worksheet.clear_notes": lambda s: s.ws.clear_notes(["B1", "C1"]),
        "Worksheet.clear_note wrong bytes": lambda s: s.ws.clear_note(bytearray(b"A1")),
        "Worksheet.clear_notes set": lambda s: s.ws.clear_notes({"C2"}),
        "Spreadsheet.list_named_ranges none": lambda s: s.sh.list_named_ranges(),
    }
)


@step("Worksheet.define_named_range")
def _(s):
    reply = s.ws.define_named_range("A1:B2", "Corner")
    s.kept["named"] = reply["replies"][0]["addNamedRange"]["namedRange"]["namedRangeId"]
    return reply


@step("Worksheet.add_protected_range")
def _(s):
    reply = s.ws.add_protected_range("A1:B2", ["a@example.com"], description="mine")
    protected = reply["replies"][0]["addProtectedRange"]["protectedRange"]
    s.kept["protected"] = protected["protectedRangeId"]
    return reply


@step("Worksheet.duplicate")
def _(s):
    s.kept["copy"] = s.ws.duplicate(new_sheet_name="Copy")
    return s.kept["copy"]


steps(
    {
        "Spreadsheet.named_range": lambda s: s.sh.named_range("Corner"),
        "Spreadsheet.list_named_ranges": lambda s: s.sh.list_named_ranges(),
        "Worksheet.delete_named_range": lambda s: s.ws.delete_named_range(s.kept["named"]),
        "Spreadsheet.list_protected_ranges": lambda s: s.sh.list_protected_ranges(s.ws.id),
        "Spreadsheet.list_protected_ranges unknown": lambda s: s.sh.list_protected_ranges(1),
        "Worksheet.delete_protected_range": lambda s: s.ws.delete_protected_range(
            s.kept["protected"]
        ),
        "Worksheet.duplicate spreadsheet": lambda s: s.kept["copy"].spreadsheet == s.sh,
        "Spreadsheet.duplicate_sheet": lambda s: s.sh.duplicate_sheet(
            s.ws.id, insert_sheet_index=0, new_sheet_id=77, new_sheet_name="Copy 2"
        ),
        "Spreadsheet.duplicate_sheet taken": lambda s: s.sh.duplicate_sheet(
            s.ws.id, new_sheet_name="Copy 2"
        ),
        "Spreadsheet.add_worksheet": lambda s: s.sh.add_worksheet("New", 20, 4, index=1),
        "Spreadsheet.add_worksheet taken": lambda s: s.sh.add_worksheet("New", 20, 4),
        "Spreadsheet.reorder_worksheets": lambda s: s.sh.reorder_worksheets(
            reversed(s.sh.worksheets())
        ),
        "Spreadsheet.reorder_worksheets list": lambda s: s.sh.reorder_worksheets([s.ws]),
        "Spreadsheet.del_worksheet": lambda s: s.sh.del_worksheet(s.kept["copy"]),
        "Spreadsheet.del_worksheet again": lambda s: s.sh.del_worksheet(s.kept["copy"]),
        "Spreadsheet.del_worksheet_by_id": lambda s: s.sh.del_worksheet_by_id("77"),
        "Spreadsheet.del_worksheet_by_id no int": lambda s: s.sh.del_worksheet_by_id("x"),
        "Worksheet.copy_to": lambda s: s.ws.copy_to(s.other.id),
        "Worksheet.clear": lambda s: s.ws.clear(),
        "Spreadsheet.batch_update": lambda s: s.sh.batch_update(
            {"requests": [{"addSheet": {"properties": {"title": "By request"}}}]}
        ),
        "Spreadsheet.batch_update wrong": lambda s: s.sh.batch_update(
            {"requests": [{"deleteSheet": {"sheetId": 4242}}]}
        ),
        "Spreadsheet.update_title": lambda s: s.sh.update_title("Books & more"),
        "Spreadsheet.update_locale": lambda s: s.sh.update_locale("de_DE"),
        "Spreadsheet.update_timezone": lambda s: s.sh.update_timezone("Europe/Berlin"),
        "Spreadsheet.properties": lambda s: (s.sh.title, s.sh.locale, s.sh.timezone),
    }
)

# Drive


@step("Spreadsheet.share")
def _(s):
    answer = s.sh.share("otto@example.com", perm_type="user", role="writer", notify=False)
    s.kept["otto"] = answer.json()["id"]
    return answer


@step("Client.insert_permission")
def _(s):
    answer = s.gc.insert_permission(s.sh.id, "anna@example.com", "user", "reader")
    s.kept["anna"] = answer.json()["id"]
    return answer


@step("Client.copy")
def _(s):
    s.kept["copied"] = s.gc.copy(s.sh.id, title="Copied", copy_permissions=True)
    return s.kept["copied"]


steps(
    {
        "Client.insert_permission wrong": lambda s: s.gc.insert_permission(s.sh.id, "a", "robot"),
        "Client.list_permissions": lambda s: s.gc.list_permissions(s.sh.id),
        "Spreadsheet.list_permissions": lambda s: s.sh.list_permissions(),
        "Spreadsheet.transfer_ownership": lambda s: s.sh.transfer_ownership(s.kept["otto"]),
        "Spreadsheet.accept_ownership": lambda s: s.sh.accept_ownership(s.kept["otto"]),
        "Client.remove_permission": lambda s: s.gc.remove_permission(s.sh.id, s.kept["anna"]),
        "Spreadsheet.remove_permissions": lambda s: (
            s.other.share("lena@example.com", perm_type="user", role="reader")
            and s.other.remove_permissions("lena@example.com")
        ),
        "Spreadsheet.get_lastUpdateTime": lambda s: s.sh.get_lastUpdateTime(),
        "Spreadsheet.creationTime": lambda s: s.sh.creationTime,
        "Spreadsheet.lastUpdateTime": lambda s: s.sh.lastUpdateTime,
        "Spreadsheet.update_drive_metadata": lambda s: s.sh.update_drive_metadata(),
        "Spreadsheet.export": lambda s: s.sh.export(ExportFormat.CSV),
        "Client.export": lambda s: s.gc.export(s.other.id, ExportFormat.TSV),
        "Client.export unsupported": lambda s: s.gc.export(s.other.id, "no/format"),
        "Client.import_csv": lambda s: s.gc.import_csv(s.other.id, "a,b\n1,2\n"),
        "Client.import_csv bytes": lambda s: s.gc.import_csv(s.other.id, b"c,d\n"),
        "Client.del_spreadsheet": lambda s: s.gc.del_spreadsheet(s.kept["copied"].id),
        "Client.del_spreadsheet again": lambda s: s.gc.del_spreadsheet(s.kept["copied"].id),
    }
)

# The low level

steps(
    {
        "HTTPClient.request": lambda s: s.http.request(
            "get",
            f"https://sheets.googleapis.com/v4/spreadsheets/{s.sh.id}",
            params={"fields": "properties.title"},
        ),
        "HTTPClient.request missing": lambda s: s.http.request(
            "get", "https://sheets.googleapis.com/v4/spreadsheets/none"
        ),
        "HTTPClient.request odd body": lambda s: s.http.request(
            "post",
            f"https://sheets.googleapis.com/v4/spreadsheets/{s.sh.id}:batchUpdate",
            data=iter([b'{"requests": [{"addSheet":', b' {"properties": {"title": "Odd"}}}]}']),
            headers={"Content-Type": "application/json"},
        ),
        "HTTPClient.request wrong address": lambda s: s.http.request("get", "nowhere"),
        "HTTPClient.request wrong headers": lambda s: s.http.request(
            "get", f"https://sheets.googleapis.com/v4/spreadsheets/{s.sh.id}", headers="x"
        ),
        "HTTPClient.request missing method": lambda s: s.http.request(json={1, 2}),
        "HTTPClient.request unknown name": lambda s: s.http.request("get", "x", timeout=3),
        "HTTPClient.request again": lambda s: s.http.request("get", method="get"),
        "HTTPClient.login wrong": lambda s: s.http.login("x"),
        "HTTPClient.values_append wrong params": lambda s: s.http.values_append(
            s.sh.id, "A1", (1, 2), {}
        ),
        "HTTPClient.import_csv wrong date": lambda s: s.http.import_csv(
            s.other.id, date(2026, 1, 2)
        ),
        "HTTPClient.import_csv wrong items": lambda s: s.http.import_csv(s.other.id, iter([[1]])),
        "HTTPClient.import_csv wrong spreadsheet": lambda s: s.http.import_csv(s.other.id, [s.sh]),
        "HTTPClient.spreadsheets_get": lambda s: s.http.spreadsheets_get(
            s.sh.id, {"fields": "properties.title"}
        ),
        "HTTPClient.fetch_sheet_metadata": lambda s: s.http.fetch_sheet_metadata(s.sh.id),
        "HTTPClient.get_file_drive_metadata": lambda s: s.http.get_file_drive_metadata(s.sh.id),
        "HTTPClient.values_get": lambda s: s.ws.client.values_get(s.sh.id, "Taken!A1:B1"),
        "HTTPClient.values_batch_get": lambda s: s.http.values_batch_get(s.sh.id, ["Taken!A1"]),
        "HTTPClient.values_update": lambda s: s.http.values_update(
            s.sh.id, "Taken!A1", {"valueInputOption": "RAW"}, {"values": [["low"]]}
        ),
        "HTTPClient.values_append": lambda s: s.sh.client.values_append(
            s.sh.id, "Taken!A1", {"valueInputOption": "RAW"}, {"values": [["level"]]}
        ),
        "HTTPClient.values_batch_update": lambda s: s.http.values_batch_update(
            s.sh.id,
            {"valueInputOption": "RAW", "data": [{"range": "Taken!B1", "values": [[1]]}]},
        ),
        "HTTPClient.values_clear": lambda s: s.http.values_clear(s.sh.id, "Taken!B1"),
        "HTTPClient.values_batch_clear": lambda s: s.http.values_batch_clear(
            s.sh.id, body={"ranges": ["Taken!A2"]}
        ),
        "HTTPClient.batch_update": lambda s: s.http.batch_update(
            s.sh.id, {"requests": [{"addSheet": {"properties": {"title": "Low"}}}]}
        ),
        "HTTPClient.spreadsheets_sheets_copy_to": lambda s: s.http.spreadsheets_sheets_copy_to(
            s.sh.id, s.ws.id, s.other.id
        ),
        "HTTPClient.insert_permission": lambda s: s.http.insert_permission(
            s.other.id, None, perm_type="anyone", role="reader"
        ),
        "HTTPClient.list_permissions": lambda s: s.http.list_permissions(s.other.id),
        "HTTPClient.remove_permission": lambda s: s.http.remove_permission(
            s.other.id, s.http.list_permissions(s.other.id)[-1]["id"]
        ),
        "HTTPClient.export": lambda s: s.http.export(s.other.id, ExportFormat.CSV),
        "HTTPClient.import_csv": lambda s: s.http.import_csv(s.other.id, "x,y\n"),
        "HTTPClient.login": lambda s: s.http.login(),
        "Client.expiry": lambda s: type(s.gc.expiry),
        "Client.set_timeout": lambda s: s.gc.set_timeout(30),
        "HTTPClient.set_timeout": lambda s: (s.http.timeout, s.http.set_timeout((3, 60))),
        "Worksheet.get with a timeout": lambda s: s.ws.get("A1"),
    }
)
