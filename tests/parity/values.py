"""What a call is made with: values of every kind, each made anew for each way.

A value is a name and a function of the scene, so that both ways get one of their own of what can
be used up, such as a generator, and of what belongs to a way, such as a worksheet.
"""

from __future__ import annotations

import array
import collections
import datetime  # noqa: ICN001 - as the values below have it
import decimal
import enum
import fractions
import io
import pathlib
import re
import types
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import gspread
from gspread import utils

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ANYTHING", "FITTING", "Value", "fitting"]


class Value(NamedTuple):
    """A value, by its name."""

    name: str
    make: Callable[[Any], Any]

    def __repr__(self):
        return self.name


class Word(str):
    __slots__ = ()


class Number(int):
    pass


class Fraction(float):
    pass


class Row(list):
    pass


class Options(dict):
    pass


class Name(str, enum.Enum):
    corner = "A1"
    sheet = "Sheet1"


class Count(enum.IntEnum):
    two = 2


class Thing:
    """An object that is nothing that gspread or JSON know."""

    def __repr__(self):
        return "Thing"


class TextLike:
    """An object that can be shown as a range, and is no text."""

    def __str__(self):
        return "A1"


class Pair(NamedTuple):
    first: Any
    second: Any


# Written as Python, so that what stands in a report can be tried by hand; `s` is the scene.
_TEXTS = """
None ... True False
0 1 2 3 -1 7 60 61 1000 2**31-1 2**31 2**63 -2**63 10**30
0.0 -0.0 0.5 2.0 1e308 float('nan') float('inf') -float('inf') 1j
'' ' ' 'x' 'A1' 'a1' '$A$1' 'A1:B2' 'B2:A1' 'A:A' 'A:C' '1:1' '2:3' 'A2:B' 'A1:2' 'R1C1' 'A0' 'ZZZ1' 'A61' 'A1:Z99'
'Sheet1' "'Sheet1'" 'Sheet1!A1' "'Sheet1'!A1:B2" "'It''s'!A1" "It's" 'Nope!A1' '!A1' 'Corner' 'corner'
'na\\u00efve \\u2603 \\u6f22' '\\U0001f600' '\\u202e' '\\ud800' '\\x00' 'a\\nb' '\\r\\n' '\\t' '=1+1' '=A1' "'1" '+1' '1' '1.5' '1e3' '1,5' '01' '1_000' 'TRUE' 'true' '2026-01-02' '10%'
'%2F' '../x' 'a/b' 'a?b' 'a#b' 'a&b=c' 'a:b' '#ff7f00' '#FFF' 'ROWS' 'rows' 'RAW' 'USER_ENTERED' 'all' 'anyone' 'x'*3000
b'' b'A1' bytearray(b'A1') memoryview(b'A1') array.array('i',[1])
[] [[]] [[],[]] ['a','b'] ['A1','B1:B2'] ['A1',None] [1,2] [[1,2],[3,4]] [[1],[2,3,4]] [['=1+1',True,1.5,None,'']] [[[1]]] [None] [{}] [['a',{'b':1}]] [['a',['b']]] [[float('nan')]] [[2**70]] [['x'*100]*3]*3 [[datetime.date(2026,1,2)]] [[decimal.Decimal('1.5')]] [[b'x']] [[Thing()]] [[Number(2),Word('w'),Count.two,Name.corner]] [(1,2),(3,4)] [[b'a',1]] ['=1']*3 [True,False]
() (1,2) (1,2,3) ((1,2),(3,4)) ('A1','B1') ('a',) (1,'asc') (2,'des') (1.0,0.5,0)
{} {'a':1} {1:'a'} {None:1} {True:1} {'A1':'note'} {'A1':3} {'A1':None} {1.5:2} {(1,2):3} {b'a':1} {'a':{'b':[1,{'c':None}]}} {'range':'A1','values':[[1]]} {'fields':'*'} {'requests':[]} {'ranges':['A1']} {'red':1,'green':0.5} {'a':float('nan')} {'a':{1,2}} {'x':Thing()} {Name.corner:1} {Word('a'):1}
[{'range':'A1','values':[[1]]}] [{'range':'A1','format':{}}] [{1:2}] [{'range':1}] [{'range':None,'values':None}]
set() {'A1'} {'A1','B2'} {1,2} frozenset({'A1'}) range(3) range(0) {'A1':1}.keys() {'A1':1}.items() {1:'A1'}.values()
(v for v in ('A1','B1')) (v for v in ([1,2],[3])) iter([[1,2]]) iter('A1') map(str,[1,2]) zip([1],[2]) filter(None,['A1']) reversed(['A1']) enumerate(['A1']) (1/0 for _ in [1])
datetime.date(2026,1,2) datetime.datetime(2026,1,2,3,4) datetime.time(3,4) datetime.timedelta(1) decimal.Decimal('1.5') fractions.Fraction(1,2) uuid.UUID(int=1) pathlib.PurePosixPath('A1') re.compile('a') re.compile(b'a')
Thing() Thing Thing.__repr__ TextLike() object int len types ValueError('x') KeyError('x') io.StringIO('a,b\\n') io.BytesIO(b'a,b\\n')
Word('A1') Word('') Number(2) Number(0) Fraction(2.0) Row([1,2]) Row([[1,2]]) Row(['A1']) Options({'a':1}) Name.corner Name.sheet Count.two Pair(1,2) Pair('A1','B1') collections.OrderedDict(a=1) collections.OrderedDict({'A1':'n'}) collections.defaultdict(list,a=[1]) collections.Counter('a') collections.deque(['A1']) collections.UserList(['A1']) collections.UserDict(a=1) collections.UserString('A1') types.MappingProxyType({'a':1}) types.SimpleNamespace(a=1)
utils.Dimension.rows utils.Dimension.cols utils.ValueInputOption.raw utils.ValueInputOption.user_entered utils.ValueRenderOption.formula utils.ValueRenderOption.unformatted utils.DateTimeOption.serial_number utils.InsertDataOption.insert_rows utils.MergeType.merge_rows utils.PasteType.values utils.PasteOrientation.transpose utils.ExportFormat.CSV utils.GridRangeType.ListOfLists utils.GridRangeType.ValueRange utils.MimeType.google_sheets utils.TableDirection.down utils.ValidationConditionType.number_greater utils.Dimension
gspread.Cell(1,1,'v') gspread.Cell(2,3) gspread.Cell(70,1,'v') gspread.Cell(0,0,'v') gspread.Cell(-1,1) gspread.Cell('1','2',3) gspread.Cell(1,1,None) gspread.Cell(1,1,[1]) gspread.Cell(1,1,1.5) [gspread.Cell(1,1,'v')] [gspread.Cell(2,2,'v'),gspread.Cell(1,1,'w')] [gspread.Cell(1,1,'v')]*2 [gspread.Cell(1,1,Thing())] (gspread.Cell(1,1,'v'),) gspread.ValueRange() gspread.ValueRange.from_json({'range':'A1','majorDimension':'ROWS','values':[['1']]})
s.ws s.sh s.other s.gc s.http s.ws.id str(s.ws.id) s.sh.id s.other.id s.sh.url [s.ws] [s.sh] (s.ws,) {'a':s.ws} s.ws._properties s.sh._properties s.ws.get s.tail.id s.tail
"""  # noqa: E501 - a table of expressions

_NAMES = {
    each.__name__.rpartition(".")[2]: each
    for each in (
        *(
            array,
            collections,
            datetime,
            decimal,
            fractions,
            gspread,
            io,
            pathlib,
            re,
            types,
            utils,
            uuid,
        ),
        *(Word, Number, Fraction, Row, Options, Name, Count, Thing, TextLike, Pair),
    )
}


def _value(text: str) -> Value:
    code = compile(text, text, "eval")
    return Value(text, lambda scene: eval(code, {**_NAMES, "s": scene}))


def _split(texts: str) -> list[str]:
    """Return expressions that stand on lines, with blanks between them and inside some."""
    found, begun = [], ""
    for word in re.split(r"[ \n]", texts):
        begun = f"{begun} {word}" if begun else word
        try:
            compile(begun, begun, "eval")
        except SyntaxError:
            continue
        if begun:
            found.append(begun)
        begun = ""
    return found


ANYTHING = [_value(text) for text in _split(_TEXTS)]

_RANGES = "'A1' 'A1:B2' 'B2:C4' 'A:A' '2:3' 'A2:B' 'Corner'"
_FULL = "'Sheet1!A1:B2' 'Sheet1' 'A1:B3' \"'It''s'!A1:B2\" 'Corner'"
_ROWS = "[['a',1],['b',2]] [['=1+1',True,None]] [['x']] [[]]"
_ID = "s.sh.id s.other.id s.sh.id 'nothing-here'"
_BOOLS = "True False"
_INPUT = "'RAW' 'USER_ENTERED' utils.ValueInputOption.user_entered"
_RENDER = (
    "'FORMATTED_VALUE' utils.ValueRenderOption.unformatted utils.ValueRenderOption.formula None"
)
_DATES = "'SERIAL_NUMBER' utils.DateTimeOption.formatted_string None"
_SMALL = "1 2 3 4"

# What makes sense for a parameter, by its name, or by its method's name and its own.
FITTING = {
    "file_id": _ID,
    "id": _ID,
    "key": _ID,
    "destination_spreadsheet_id": "s.other.id s.sh.id",
    "title": "'Books' 'New one' 'Films' 'It\\'s'",
    "folder_id": "None 'folder'",
    "url": "s.sh.url s.other.url 'https://docs.google.com/spreadsheets/d/nothing-here/edit'",
    "Client.copy.title": "None 'Copied'",
    "copy_permissions": _BOOLS,
    "copy_comments": _BOOLS,
    "Client.export.format": "utils.ExportFormat.CSV utils.ExportFormat.TSV",
    "HTTPClient.export.format": "utils.ExportFormat.CSV 'text/csv'",
    "Spreadsheet.export.format": "utils.ExportFormat.CSV utils.ExportFormat.TSV",
    "Worksheet.format.format": "{'textFormat':{'bold':True}} {'numberFormat':{'type':'NUMBER'}}",
    "data": "'a,b\\n1,2\\n' b'c,d\\n'",
    "Worksheet.batch_update.data": (
        "[{'range':'A1','values':[[1]]}] [{'range':'A1:B1','values':[['a','b']]},"
        "{'range':'C3','values':[[None,'=1']]}]"
    ),
    "HTTPClient.request.data": "None None None '{}'",
    "perm_type": "'user' 'anyone' 'domain' 'group'",
    "role": "'reader' 'writer' 'owner'",
    "value": "'otto@example.com' 'v' 1.5 '=1+1'",
    "email_address": "'otto@example.com' None",
    "notify": _BOOLS,
    "email_message": "None 'look'",
    "with_link": _BOOLS,
    "permission_id": "s.otto 'none'",
    "timeout": "None 30 (3,60)",
    "rows": "2 5 30",
    "cols": "2 5 12",
    "index": "0 1 2 -1",
    "worksheet_id": "s.ws.id s.tail.id str(s.tail.id)",
    "Spreadsheet.get_worksheet_by_id.id": "s.ws.id str(s.tail.id)",
    "worksheet": "s.tail s.ws",
    "source_sheet_id": "s.ws.id s.tail.id",
    "sheet_id": "s.ws.id s.tail.id",
    "sheetid": "s.ws.id s.tail.id 7",
    "insert_sheet_index": "None 0 2",
    "new_sheet_id": "None 4711",
    "new_sheet_name": "None 'A copy'",
    "params": "None {'valueInputOption':'RAW'} {'valueInputOption':'USER_ENTERED'}",
    "Spreadsheet.fetch_sheet_metadata.params": "None {'includeGridData':'false'} {'fields':'*'}",
    "HTTPClient.fetch_sheet_metadata.params": "None {'includeGridData':'false'}",
    "HTTPClient.spreadsheets_get.params": "None {'fields':'properties.title'}",
    "Spreadsheet.values_get.params": "None {'valueRenderOption':'FORMULA'}",
    "HTTPClient.values_get.params": "None {'majorDimension':'COLUMNS'}",
    "Spreadsheet.values_batch_get.params": "None {'majorDimension':'COLUMNS'}",
    "HTTPClient.values_batch_get.params": "None {'valueRenderOption':'FORMULA'}",
    "HTTPClient.get_file_drive_metadata.params": "None {}",
    "HTTPClient.request.params": "None {'fields':'properties.title'} [('fields','sheets')]",
    "body": "{'values':[['low',1]]} {'values':[['a'],['b']]}",
    "Spreadsheet.batch_update.body": (
        "{'requests':[{'addSheet':{'properties':{'title':'By request'}}}]}"
        " {'requests':[{'deleteSheet':{'sheetId':s.tail.id}}]}"
    ),
    "HTTPClient.batch_update.body": (
        "{'requests':[{'updateSheetProperties':{'properties':{'sheetId':s.ws.id,'title':'T'},"
        "'fields':'title'}}]} {'requests':[{'deleteSheet':{'sheetId':4242}}]}"
    ),
    "Spreadsheet.values_batch_update.body": (
        "{'valueInputOption':'RAW','data':[{'range':'Sheet1!A1:B1','values':[[1,2]]}]}"
    ),
    "HTTPClient.values_batch_update.body": (
        "{'valueInputOption':'RAW','data':[{'range':'Sheet1!B1','values':[[1]]}]}"
    ),
    "Spreadsheet.values_batch_clear.body": "{'ranges':['Sheet1!A1:B2','Sheet1!C3']}",
    "HTTPClient.values_batch_clear.body": "{'ranges':['Sheet1!A1']}",
    "named_range": "'Corner' 'Nowhere'",
    "worksheets_in_desired_order": "[s.tail,s.ws] reversed([s.tail,s.ws])",
    "locale": "'de_DE' 'en_US'",
    "timezone": "'Europe/Berlin' 'Asia/Tokyo'",
    "range": _FULL,
    "Worksheet.add_validation.range": "'A1' 'A1:B2'",
    "Worksheet.sort.range": "'A2:C4' None 'A1:B5'",
    "ranges": "['A1','B1:B2'] ['Corner'] ['A1:C3']",
    "Worksheet.format.ranges": "'A1' ['A1','B2:C3']",
    "exclude_hidden": _BOOLS,
    "label": "'A1' 'b2' 'C3'",
    "value_render_option": _RENDER,
    "response_value_render_option": _RENDER,
    "date_time_render_option": _DATES,
    "response_date_time_render_option": _DATES,
    "start": _SMALL,
    "end": "3 5 6",
    "name": _RANGES,
    "editor_users_emails": "None ['a@example.com']",
    "editor_groups_emails": "None ['g@example.com']",
    "description": "None 'mine'",
    "warning_only": _BOOLS,
    "requesting_user_can_edit": _BOOLS,
    "condition_type": (
        "utils.ValidationConditionType.number_greater utils.ValidationConditionType.one_of_list"
    ),
    "Worksheet.add_validation.values": "[10] ['a','b']",
    "inputMessage": "None 'more'",
    "strict": _BOOLS,
    "showCustomUi": _BOOLS,
    "values": _ROWS,
    "Worksheet.append_row.values": "['a',1] ['=1',None,True]",
    "Worksheet.insert_row.values": "['a',1] ['=1',None,True]",
    "value_input_option": _INPUT,
    "insert_data_option": "None 'INSERT_ROWS' utils.InsertDataOption.overwrite",
    "table_range": "None 'A1:C1' 'A1'",
    "include_values_in_response": "None True False",
    "formats": "[{'range':'A2','format':{'textFormat':{'italic':True}}}]",
    "major_dimension": "None 'ROWS' utils.Dimension.cols",
    "merges": "[{'range':'A7:B8'},{'range':'C7:C8','mergeType':'MERGE_ROWS'}]",
    "merge_type": "'MERGE_ALL' utils.MergeType.merge_rows",
    "raw": _BOOLS,
    "row": _SMALL,
    "col": _SMALL,
    "cell": "'A1' 'B2' 'C3'",
    "start_column_index": "0 1",
    "end_column_index": "2 3",
    "start_row_index": "0 1",
    "end_row_index": "2 3",
    "source": "'A1:B2' 'C1'",
    "dest": "'F1:G2' 'H1'",
    "paste_type": "utils.PasteType.values utils.PasteType.normal",
    "paste_orientation": "utils.PasteOrientation.normal utils.PasteOrientation.transpose",
    "range_name": f"{_RANGES} None",
    "Worksheet.define_named_range.name": "'Named'",
    "start_index": _SMALL,
    "end_index": "None 3 4",
    "dimension": "utils.Dimension.rows utils.Dimension.cols",
    "named_range_id": "s.named 'none'",
    "Worksheet.delete_protected_range.id": "s.protected 'none'",
    "top_left_range_name": "'A1' 'B2'",
    "direction": "utils.TableDirection.table utils.TableDirection.right utils.TableDirection.down",
    "query": "'pear' re.compile('^p') '2'",
    "in_row": "None 1 2",
    "in_column": "None 1 2",
    "case_sensitive": _BOOLS,
    "combine_merged_cells": _BOOLS,
    "maintain_size": _BOOLS,
    "pad_values": _BOOLS,
    "return_type": "utils.GridRangeType.ListOfLists utils.GridRangeType.ValueRange",
    "head": "1 2",
    "expected_headers": "None [] ['name','count']",
    "default_blank": "'' None 0",
    "numericise_ignore": "None ['all'] [1]",
    "allow_underscores_in_numeric_literals": _BOOLS,
    "empty2zero": _BOOLS,
    "default_empty_value": "'' None",
    "grid_range": "None 'A1:C3'",
    "inherit_from_before": _BOOLS,
    "content": "'a note' ''",
    "notes": "{'C1':'third','C2':'fourth'}",
    "Worksheet.clear_notes.ranges": "['B1','C1']",
    "specs": "(1,'asc') (2,'des')",
    "cell_list": "[gspread.Cell(1,1,'v'),gspread.Cell(2,2,3)]",
    "color": "{'red':1,'green':0.5,'blue':0} '#ff7f00'",
    "method": "'get' 'GET' 'post'",
    "endpoint": (
        "'https://sheets.googleapis.com/v4/spreadsheets/'+s.sh.id"
        " 'https://www.googleapis.com/drive/v3/files'"
        " 'https://sheets.googleapis.com/v4/spreadsheets/'+s.sh.id+'/values/A1:B2'"
    ),
    "json": "None None {'requests':[]} {'title':'x'}",
    "files": "None",
    "headers": "None {'Content-Type':'application/json'} {'Accept-Language':'de'}",
}

_fitting = {name: [_value(text) for text in _split(texts)] for name, texts in FITTING.items()}


def fitting(method: str, parameter: str) -> list[Value]:
    """Return what makes sense for a parameter of a method, `Worksheet.get`, say."""
    found = _fitting.get(f"{method}.{parameter}") or _fitting.get(parameter)
    return found or ANYTHING
