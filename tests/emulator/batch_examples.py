"""A request of every kind of `batchUpdate`, with most of its fields."""

from batch_requests import cells, lines

_AREA = cells((1, 3), (0, 2))
_CELL = {
    "userEnteredValue": {"stringValue": "a"},
    "userEnteredFormat": {
        "numberFormat": {"type": "DATE", "pattern": "yyyy"},
        "backgroundColor": {"red": 0.5},
        "textFormat": {"bold": True, "foregroundColorStyle": {"themeColor": "ACCENT1"}},
    },
    "note": "n",
    "textFormatRuns": [{"startIndex": 0, "format": {"bold": True}}],
    "dataValidation": {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "a"}]}},
}
_ROWS = [{"values": [_CELL, _CELL]}]
_PROPERTIES = {
    "title": "New",
    "index": 0,
    "hidden": False,
    "tabColor": {"blue": 1},
    "gridProperties": {"rowCount": 20, "columnCount": 9, "frozenRowCount": 1},
}
_RULE = {"booleanRule": {"condition": {"type": "BLANK"}, "format": {"textFormat": {"bold": True}}}}
_RULE["ranges"] = [_AREA]
_BAND = {"bandedRangeId": 5, "range": _AREA, "rowProperties": {"headerColor": {"red": 1}}}
_VIEW = {
    "filterViewId": 6,
    "title": "View",
    "range": _AREA,
    "criteria": {"0": {"hiddenValues": ["a"]}},
    "sortSpecs": [{"dimensionIndex": 0, "sortOrder": "ASCENDING"}],
}
_PROTECTED = {
    "protectedRangeId": 7,
    "range": _AREA,
    "description": "d",
    "editors": {"users": ["a@example.com"]},
    "unprotectedRanges": [_AREA],
}
_NAMED = {"namedRangeId": "n", "name": "name_1", "range": _AREA}
_LINE = {"dimensionRange": lines("ROWS", 1, 2)}
_METADATA = {
    "metadataId": 8,
    "metadataKey": "k",
    "metadataValue": "v",
    "visibility": "DOCUMENT",
    "location": _LINE,
}
FILTERS = [
    {"a1Range": "A1:B2"},
    {"gridRange": _AREA},
    {"developerMetadataLookup": {"metadataKey": "k", "metadataLocation": _LINE}},
]
_TABLE = {
    "tableId": "t8",
    "name": "t",
    "range": cells((8, 11), (4, 6)),
    "rowsProperties": {"footerColorStyle": {"rgbColor": {"red": 1}}},
    "columnProperties": [
        {"columnIndex": 1, "columnName": "c", "columnType": "DROPDOWN", "dataValidationRule": {}}
    ],
}
_PLACE = {"overlayPosition": {"anchorCell": {"sheetId": 0, "rowIndex": 1}, "offsetXPixels": 3}}
_CHART = {
    "chartId": 9,
    "spec": {"title": "c", "pieChart": {"series": {"sourceRange": {"sources": [_AREA]}}}},
    "position": _PLACE,
}
_SLICER = {
    "slicerId": 10,
    "spec": {"dataRange": _AREA, "title": "s", "backgroundColor": {"red": 1}},
    "position": _PLACE,
}
EXAMPLES = {
    "addSheet": {"properties": {**_PROPERTIES, "sheetId": 9}},
    "duplicateSheet": {"sourceSheetId": 0, "newSheetId": 9, "newSheetName": "D"},
    "deleteSheet": {"sheetId": 1},
    "updateSheetProperties": {"properties": {**_PROPERTIES, "sheetId": 0}, "fields": "*"},
    "updateSpreadsheetProperties": {"properties": {"title": "T"}, "fields": "title"},
    "insertDimension": {"range": lines("ROWS", 1, 2), "inheritFromBefore": True},
    "deleteDimension": {"range": lines("COLUMNS", 1, 2)},
    "appendDimension": {"sheetId": 0, "dimension": "ROWS", "length": 2},
    "updateDimensionProperties": {
        "range": lines("ROWS", 1, 2),
        "properties": {"pixelSize": 9, "hiddenByUser": True},
        "fields": "pixelSize",
    },
    "autoResizeDimensions": {"dimensions": lines("COLUMNS", 0, 2)},
    "repeatCell": {"range": _AREA, "cell": _CELL, "fields": "*"},
    "updateCells": {"start": {"rowIndex": 1, "columnIndex": 1}, "rows": _ROWS, "fields": "*"},
    "appendCells": {"sheetId": 0, "rows": _ROWS, "fields": "userEnteredValue"},
    "setDataValidation": {"range": _AREA, "rule": _CELL["dataValidation"]},
    "mergeCells": {"range": _AREA, "mergeType": "MERGE_ALL"},
    "unmergeCells": {"range": _AREA},
    "addDimensionGroup": {"range": lines("ROWS", 1, 3)},
    "deleteDimensionGroup": {"range": lines("ROWS", 2, 3)},
    "updateDimensionGroup": {
        "dimensionGroup": {"range": lines("ROWS", 1, 5), "depth": 1, "collapsed": True},
        "fields": "collapsed",
    },
    "copyPaste": {"source": _AREA, "destination": _AREA, "pasteType": "PASTE_NORMAL"},
    "cutPaste": {"source": _AREA, "destination": {"rowIndex": 4, "columnIndex": 1}},
    "autoFill": {"sourceAndDestination": {"source": _AREA, "dimension": "ROWS", "fillLength": 2}},
    "addNamedRange": {"namedRange": _NAMED},
    "updateNamedRange": {"namedRange": {**_NAMED, "namedRangeId": "m"}, "fields": "*"},
    "deleteNamedRange": {"namedRangeId": "m"},
    "addProtectedRange": {"protectedRange": {**_PROTECTED, "protectedRangeId": 17}},
    "updateProtectedRange": {"protectedRange": _PROTECTED, "fields": "*"},
    "deleteProtectedRange": {"protectedRangeId": 7},
    "setBasicFilter": {"filter": {"range": _AREA, "criteria": {"0": {"hiddenValues": ["a"]}}}},
    "clearBasicFilter": {"sheetId": 0},
    "sortRange": {"range": _AREA, "sortSpecs": _VIEW["sortSpecs"]},
    "moveDimension": {"source": lines("ROWS", 1, 2), "destinationIndex": 4},
    "insertRange": {"range": _AREA, "shiftDimension": "ROWS"},
    "deleteRange": {"range": _AREA, "shiftDimension": "COLUMNS"},
    "deleteDuplicates": {"range": _AREA, "comparisonColumns": [lines("COLUMNS", 0, 1)]},
    "randomizeRange": {"range": _AREA},
    "trimWhitespace": {"range": _AREA},
    "textToColumns": {"source": cells((0, 3), (0, 1)), "delimiterType": "COMMA"},
    "pasteData": {"coordinate": {"rowIndex": 1}, "data": "a,b", "delimiter": ","},
    "findReplace": {"find": "a", "replacement": "b", "range": _AREA, "searchByRegex": True},
    "updateBorders": {"range": _AREA, "top": {"style": "SOLID", "color": {"red": 1}}},
    "addConditionalFormatRule": {"rule": _RULE, "index": 0},
    "updateConditionalFormatRule": {"index": 0, "rule": _RULE},
    "deleteConditionalFormatRule": {"index": 0, "sheetId": 0},
    "addBanding": {"bandedRange": {**_BAND, "bandedRangeId": 15, "range": cells((5, 7), (0, 2))}},
    "updateBanding": {"bandedRange": _BAND, "fields": "*"},
    "deleteBanding": {"bandedRangeId": 5},
    "addTable": {
        "table": {**_TABLE, "tableId": "18", "name": "u", "range": cells((8, 11), (0, 2))}
    },
    "updateTable": {"table": _TABLE, "fields": "*"},
    "deleteTable": {"tableId": "t8"},
    "addChart": {"chart": {**_CHART, "chartId": 19}},
    "updateChartSpec": {"chartId": 9, "spec": _CHART["spec"]},
    "addSlicer": {"slicer": {**_SLICER, "slicerId": 20}},
    "updateSlicerSpec": {"slicerId": 10, "spec": _SLICER["spec"], "fields": "*"},
    "updateEmbeddedObjectPosition": {
        "objectId": 9,
        "newPosition": {"overlayPosition": {"anchorCell": {"rowIndex": 2}, "widthPixels": 9}},
        "fields": "anchorCell,widthPixels",
    },
    "updateEmbeddedObjectBorder": {
        "objectId": 9,
        "border": {"color": {"red": 1}},
        "fields": "color",
    },
    "deleteEmbeddedObject": {"objectId": 10},
    "addFilterView": {"filter": {**_VIEW, "filterViewId": 16}},
    "updateFilterView": {"filter": _VIEW, "fields": "*"},
    "duplicateFilterView": {"filterId": 6},
    "deleteFilterView": {"filterId": 6},
    "createDeveloperMetadata": {"developerMetadata": {**_METADATA, "metadataId": 18}},
    "updateDeveloperMetadata": {
        "developerMetadata": _METADATA,
        "dataFilters": FILTERS,
        "fields": "metadataValue",
    },
    "deleteDeveloperMetadata": {"dataFilter": FILTERS[2]},
}
# What the examples above refer to.
BEFORE = [
    {"addSheet": {"properties": {"sheetId": 1}}},
    {"repeatCell": {"range": _AREA, "cell": _CELL, "fields": "userEnteredValue"}},
    {"addDimensionGroup": {"range": lines("ROWS", 1, 5)}},
    {"addNamedRange": {"namedRange": {**_NAMED, "namedRangeId": "m", "name": "name_2"}}},
    {"addProtectedRange": {"protectedRange": _PROTECTED}},
    {"addConditionalFormatRule": {"rule": _RULE}},
    {"addBanding": {"bandedRange": _BAND}},
    {"addFilterView": {"filter": _VIEW}},
    {"addTable": {"table": _TABLE}},
    {"addChart": {"chart": _CHART}},
    {"addSlicer": {"slicer": _SLICER}},
    {"createDeveloperMetadata": {"developerMetadata": _METADATA}},
]
