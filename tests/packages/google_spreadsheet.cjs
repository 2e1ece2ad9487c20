// The calls of google-spreadsheet, a client of the Sheets API for Node, in groups.
//
// EMULATOR is the emulator's URL, TOKEN an access token. Each group that fails is a line of output.

const assert = require('node:assert/strict');
const { GoogleSpreadsheet } = require('google-spreadsheet');

const emulator = process.env.EMULATOR;
const auth = { token: process.env.TOKEN };
const send = globalThis.fetch;

// Requests to Google's hosts go to the emulator.
globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : String(input));
  const there = emulator + url.pathname + url.search;
  return send(input instanceof Request ? new Request(there, input) : there, init);
};

async function it(name, calls) {
  try {
    await calls();
  } catch (error) {
    console.log(`${name}: ${error.message}`);
  }
}

async function main() {
  let doc, sheet, other;
  await it('create', async () => {
    doc = await GoogleSpreadsheet.createNewSpreadsheetDocument(auth, { title: 'T' });
    assert.equal(doc.title, 'T');
  });
  await it('loadInfo', async () => {
    await doc.loadInfo();
    assert.ok(doc.sheetsByIndex.length);
  });
  await it('updateProperties', async () => {
    await doc.updateProperties({ title: 'T2' });
    await doc.loadInfo();
    assert.equal(doc.title, 'T2');
  });
  await it('addSheet', async () => {
    sheet = await doc.addSheet({
      title: `Spécial CнArs/ + 1`,
      headerValues: ['numbers', 'letters', '', 'col1', 'col2', 'col3'],
      gridProperties: { rowCount: 15, columnCount: 10 },
    });
  });
  await it('rows', async () => {
    await sheet.addRows([
      ['0', 'A'],
      ['1', 'B'],
      ['2', 'C'],
    ]);
    let rows = await sheet.getRows();
    assert.equal(rows.length, 3);
    assert.equal(rows[0].get('letters'), 'A');
    rows = await sheet.getRows({ offset: 1, limit: 1 });
    assert.equal(rows[0].get('letters'), 'B');
    const row = await sheet.addRow({ numbers: '6', letters: 'G' });
    assert.equal(row.get('numbers'), '6');
    const before = sheet.rowCount;
    await sheet.addRows([{ numbers: '101' }], { insert: true });
    assert.equal(sheet.rowCount, before + 1);
    const a = await sheet.addRow({ col1: 'true' }),
      b = await sheet.addRow({ col1: 'true' }, { raw: true });
    assert.equal(a.get('col1'), 'TRUE');
    assert.equal(b.get('col1'), 'true');
    const many = await sheet.addRows(Array.from({ length: 15 }, () => ({ numbers: '999' })));
    await doc.loadInfo();
    assert.equal(many.at(-1).rowNumber, sheet.rowCount);
    rows = await sheet.getRows();
    await rows[1].delete();
    rows = await sheet.getRows();
    assert.equal(rows[1].get('numbers'), '2');
    rows[0].set('col1', 1);
    rows[0].set('col2', 2);
    rows[0].set('col3', '=D2+E2');
    await rows[0].save();
    assert.equal(rows[0].get('col3'), '3');
    rows[0].set('col1', 'new\n\nlines\n');
    await rows[0].save();
    rows = await sheet.getRows();
    assert.equal(rows[0].get('col1'), 'new\n\nlines\n');
  });
  await it('merge', async () => {
    await sheet.mergeCells({
      startRowIndex: 2,
      endRowIndex: 4,
      startColumnIndex: 0,
      endColumnIndex: 2,
    });
    let rows = await sheet.getRows();
    assert.equal(rows[1].get('letters'), '');
    await sheet.mergeCells({
      startRowIndex: 8,
      endRowIndex: 9,
      startColumnIndex: 0,
      endColumnIndex: 2,
    });
    rows = await sheet.getRows();
    rows[7].set('letters', 'Z');
    await rows[7].save();
    assert.equal(rows[7].get('letters'), '');
    await sheet.unmergeCells({
      startRowIndex: 8,
      endRowIndex: 9,
      startColumnIndex: 0,
      endColumnIndex: 2,
    });
    rows[7].set('letters', 'Z');
    await rows[7].save();
    assert.equal(rows[7].get('letters'), 'Z');
  });
  await it('headers', async () => {
    await sheet.setHeaderRow(['a', 'b', 'c']);
    await sheet.setHeaderRow(['n1', 'n2']);
    sheet.resetLocalCache(true);
    await sheet.loadHeaderRow();
    assert.equal(sheet.headerValues.length, 2);
    await sheet.clearRows();
    await sheet.clear();
  });
  let cs;
  await it('cells', async () => {
    cs = await doc.addSheet({
      gridProperties: { rowCount: 10, columnCount: 10 },
      headerValues: ['col1', 'col2', 'col3'],
    });
    await cs.loadCells();
    assert.deepEqual(cs.cellStats, { nonEmpty: 3, loaded: 100, total: 100 });
    cs.resetLocalCache(true);
    await cs.loadCells([
      'A1:A3',
      { startRowIndex: 0, endRowIndex: 3, startColumnIndex: 2, endColumnIndex: 5 },
    ]);
    assert.equal(cs.cellStats.loaded, 12);
    cs.resetLocalCache(true);
    await cs.loadCells('A10:B11');
    assert.equal(cs.cellStats.loaded, 2);
    for (const wrong of ['NOT-A-RANGE', 'A20:B21', { sheetId: '0' }, { startRowIndex: 20 }, 5])
      await assert.rejects(() => cs.loadCells(wrong), undefined, JSON.stringify(wrong));
  });
  await it('cell values', async () => {
    cs.resetLocalCache(true);
    await cs.loadCells('A1:C1');
    const [c1, c2, c3] = [0, 1, 2].map((i) => cs.getCell(0, i));
    c1.value = 1.2345;
    c2.value = 2.3456;
    c3.formula = '=A1 + B1';
    await cs.saveUpdatedCells();
    assert.equal(c3.value, c1.value + c2.value);
    c3.numberFormat = { type: 'NUMBER', pattern: '#.00' };
    await cs.saveUpdatedCells();
    assert.equal(c3.formattedValue, c3.value.toFixed(2));
    c1.note = 'This is a note!';
    await cs.saveUpdatedCells();
    c1.note = null;
    c1.value = 567.89;
    c1.textFormat = { bold: true };
    await cs.saveUpdatedCells();
    for (const c of [c1, c2, c3]) c.value = 'x';
    await cs.saveUpdatedCells();
    c1.value = null;
    c2.value = undefined;
    c3.value = '';
    await cs.saveUpdatedCells();
    for (const c of [c1, c2, c3]) assert.equal(c.value, null);
    c1.formula = '=NOTAFORMULA';
    await cs.saveUpdatedCells();
    assert.ok(c1.errorValue);
    for (const [v, t] of [
      ['s', 'stringValue'],
      [123.45, 'numberValue'],
      [true, 'boolValue'],
      ['=TRUE', 'boolValue'],
      ['="A"', 'stringValue'],
      ['=BADFFORMULA', 'errorValue'],
    ]) {
      c1.value = v;
      await cs.saveUpdatedCells();
      assert.equal(c1.valueType, t);
    }
  });
  await it('formats', async () => {
    cs.resetLocalCache(true);
    await cs.loadCells('A1:G1');
    const c = cs.getCell(0, 4);
    c.backgroundColor = { red: 1, green: 0, blue: 0, alpha: 1 };
    c.padding = { top: 10, bottom: 10, left: 5, right: 5 };
    c.horizontalAlignment = 'CENTER';
    c.verticalAlignment = 'MIDDLE';
    c.wrapStrategy = 'WRAP';
    c.textFormat = { italic: true, fontSize: 14 };
    c.numberFormat = { type: 'CURRENCY', pattern: '$#,##0.00' };
    await cs.saveUpdatedCells();
    cs.resetLocalCache(true);
    await cs.loadCells('A1:G1');
    const r = cs.getCell(0, 4);
    assert.deepEqual({ ...r.backgroundColor }, { red: 1 }); // recordings have no zeros
  });
  await it('padding etc', async () => {
    const r = cs.getCell(0, 4);
    assert.equal(r.padding.top, 10);
    assert.equal(r.wrapStrategy, 'WRAP');
    assert.equal(r.textFormat.fontSize, 14);
    assert.equal(r.numberFormat.pattern, '$#,##0.00');
    assert.ok(r.effectiveFormat.textFormat);
  });
  await it('colour style', async () => {
    const c = cs.getCell(0, 5);
    c.backgroundColorStyle = { rgbColor: { red: 0, green: 0.5, blue: 1 } };
    await cs.saveUpdatedCells();
    cs.resetLocalCache(true);
    await cs.loadCells('A1:G1');
    assert.equal(cs.getCell(0, 5).backgroundColorStyle.rgbColor.blue, 1);
  });
  await it('rotation', async () => {
    const c = cs.getCell(0, 5);
    c.textRotation = { angle: 45, vertical: false };
    await cs.saveUpdatedCells();
    cs.resetLocalCache(true);
    await cs.loadCells('A1:G1');
    assert.equal(cs.getCell(0, 5).textRotation.angle, 45);
  });
  await it('hyperlink', async () => {
    const c = cs.getCell(0, 5);
    c.formula = '=HYPERLINK("https://google.com", "Google")';
    await cs.saveUpdatedCells();
    cs.resetLocalCache(true);
    await cs.loadCells('F1');
    assert.equal(cs.getCell(0, 5).hyperlink, 'https://google.com');
  });
  await it('clearAllFormatting', async () => {
    await cs.loadCells('G1');
    let c = cs.getCell(0, 6);
    c.value = 'clear me';
    c.textFormat = { bold: true };
    await cs.saveUpdatedCells();
    cs.resetLocalCache(true);
    await cs.loadCells('G1');
    c = cs.getCell(0, 6);
    assert.equal(c.textFormat.bold, true);
    c.clearAllFormatting();
    await cs.saveUpdatedCells();
    cs.resetLocalCache(true);
    await cs.loadCells('G1');
    c = cs.getCell(0, 6);
    assert.ok(!c.userEnteredFormat);
    assert.equal(c.value, 'clear me');
  });
  async function fresh(title, headers, rows) {
    const s = await doc.addSheet({ title: title + Math.random(), headerValues: headers });
    if (rows) await s.addRows(rows);
    return s;
  }
  await it('features', async () => {
    const s = await fresh(
      'f',
      ['name', 'age'],
      [
        { name: 'Alice', age: 25 },
        { name: 'Bob', age: 30 },
      ],
    );
    const r = { startRowIndex: 0, endRowIndex: 3, startColumnIndex: 0, endColumnIndex: 2 };
    await s.setDataValidation(r, {
      condition: { type: 'ONE_OF_LIST', values: [{ userEnteredValue: 'YES' }] },
      showCustomUi: true,
      strict: true,
    });
    await s.setDataValidation(r, false);
    const n = await doc.addNamedRange('testRange', { sheetId: s.sheetId, ...r });
    await s.updateNamedRange(n.namedRange.namedRangeId, { name: 'Other' }, 'name');
    await doc.deleteNamedRange(n.namedRange.namedRangeId);
    const p = await s.addProtectedRange({
      range: { sheetId: s.sheetId, ...r },
      description: 'd',
      warningOnly: true,
    });
    await s.updateProtectedRange(p.protectedRange.protectedRangeId, { description: 'e' });
    await s.deleteProtectedRange(p.protectedRange.protectedRangeId);
    await s.setBasicFilter({ range: r });
    await s.clearBasicFilter();
    const line = { style: 'SOLID', width: 1, color: { red: 0, green: 0, blue: 0 } };
    await s.updateBorders(r, { top: line, bottom: line, left: line, right: line });
    const v = await s.addFilterView({ title: 'Test Filter', range: { sheetId: s.sheetId, ...r } });
    await s.updateFilterView({ filterViewId: v.filter.filterViewId, title: 'U' }, 'title');
    await s.duplicateFilterView(v.filter.filterViewId);
    await s.deleteFilterView(v.filter.filterViewId);
    const rule = {
      ranges: [{ sheetId: s.sheetId, ...r }],
      booleanRule: {
        condition: { type: 'NUMBER_GREATER', values: [{ userEnteredValue: '15' }] },
        format: { backgroundColorStyle: { rgbColor: { red: 0, green: 1, blue: 0 } } },
      },
    };
    await s.addConditionalFormatRule(rule, 0);
    await s.updateConditionalFormatRule({ index: 0, rule });
    await s.deleteConditionalFormatRule(0);
    const b = await s.addBanding({
      range: { sheetId: s.sheetId, ...r },
      rowProperties: {
        firstBandColorStyle: { rgbColor: { red: 1 } },
        secondBandColorStyle: { rgbColor: { red: 0.9 } },
      },
    });
    await s.updateBanding(
      {
        bandedRangeId: b.bandedRange.bandedRangeId,
        rowProperties: {
          firstBandColorStyle: { rgbColor: { red: 0.95 } },
          secondBandColorStyle: { rgbColor: {} },
        },
      },
      'rowProperties',
    );
    await s.deleteBanding(b.bandedRange.bandedRangeId);
  });
  await it('metadata', async () => {
    const s = await fresh('m', ['a']);
    await s.createDeveloperMetadata({
      metadataKey: 'test-key',
      metadataValue: 'v',
      location: { sheetId: s.sheetId },
      visibility: 'DOCUMENT',
    });
    await s.updateDeveloperMetadata(
      [{ developerMetadataLookup: { metadataKey: 'test-key' } }],
      {
        metadataKey: 'test-key',
        metadataValue: 'u',
        location: { sheetId: s.sheetId },
        visibility: 'DOCUMENT',
      },
      'metadataValue',
    );
    const found = await doc.searchDeveloperMetadata([
      { developerMetadataLookup: { metadataKey: 'test-key' } },
    ]);
    assert.equal(found.length, 1);
    assert.equal(found[0].metadataValue, 'u');
    await s.createDeveloperMetadata({
      metadataKey: 'row',
      metadataValue: 'r',
      location: {
        dimensionRange: { sheetId: s.sheetId, dimension: 'ROWS', startIndex: 0, endIndex: 1 },
      },
      visibility: 'DOCUMENT',
    });
    await doc.loadCells({ developerMetadataLookup: { metadataKey: 'row' } });
    s.resetLocalCache(true);
    await s.loadCells({ developerMetadataLookup: { metadataKey: 'row' } });
    assert.ok(s.getCell(0, 0));
    await s.deleteDeveloperMetadata({ developerMetadataLookup: { metadataKey: 'row' } });
  });
  await it('operations', async () => {
    let s = await fresh('o', ['a', 'b'], [{ a: 'x', b: 'y' }]);
    await s.repeatCell(
      { startRowIndex: 4, endRowIndex: 6, startColumnIndex: 0, endColumnIndex: 2 },
      { userEnteredValue: { stringValue: 'filled' } },
      'userEnteredValue',
    );
    await s.appendCells(
      [{ values: [{ userEnteredValue: { stringValue: 'ap' } }] }],
      'userEnteredValue',
    );
    await s.loadCells('A7');
    assert.equal(s.getCellByA1('A7').value, 'ap');
    await s.updateDimensionProperties(
      'COLUMNS',
      { pixelSize: 200 },
      { startIndex: 0, endIndex: 2 },
    );
    await s.updateDimensionProperties(
      'ROWS',
      { hiddenByUser: true },
      { startIndex: 5, endIndex: 7 },
    );
    assert.equal((await s.getCellsInRange('A1:B2')).length, 2);
    assert.equal((await s.batchGetCellsInRange(['A1:A3', 'B1:B3'])).length, 2);
    await s.autoResizeDimensions('COLUMNS');
    await s.autoResizeDimensions('COLUMNS', { startIndex: 0, endIndex: 1 });
    await s.pasteData({ rowIndex: 8, columnIndex: 0 }, 'tab1\ttab2\nq\tw', '\t');
    await s.pasteData({ rowIndex: 10, columnIndex: 0 }, 'n,plain text', ',', 'PASTE_VALUES');
    await s.loadCells('A9:B11');
    assert.equal(s.getCellByA1('B11').value, 'plain text');
    await s.appendDimension('ROWS', 5);
    await s.insertDimension('ROWS', { startIndex: 2, endIndex: 4 });
    await s.insertRange(
      { startRowIndex: 1, endRowIndex: 2, startColumnIndex: 0, endColumnIndex: 1 },
      'ROWS',
    );
    await s.moveDimension('ROWS', { startIndex: 1, endIndex: 2 }, 4);
    await s.deleteDimension('ROWS', { startIndex: 2, endIndex: 3 });
  });
  await it('more operations', async () => {
    let s = await fresh('t', ['data', 'other'], [{ data: 'a,b,c' }, { data: 'd,e,f' }]);
    await s.textToColumns(
      { startColumnIndex: 0, endColumnIndex: 1, startRowIndex: 1, endRowIndex: 3 },
      'COMMA',
    );
    await s.loadCells('A2:C3');
    assert.equal(s.getCellByA1('C3').value, 'f');
    s = await fresh(
      's',
      ['name', 'age'],
      [
        { name: 'Charlie', age: 30 },
        { name: ' Alice ', age: 25 },
        { name: 'Charlie', age: 30 },
      ],
    );
    await s.trimWhitespace({
      startRowIndex: 1,
      endRowIndex: 4,
      startColumnIndex: 0,
      endColumnIndex: 1,
    });
    await s.sortRange(
      { startRowIndex: 1, endRowIndex: 4, startColumnIndex: 0, endColumnIndex: 2 },
      [{ dimensionIndex: 0, sortOrder: 'ASCENDING' }],
    );
    await s.deleteDuplicates({
      startRowIndex: 1,
      endRowIndex: 4,
      startColumnIndex: 0,
      endColumnIndex: 2,
    });
    let rows = await s.getRows();
    assert.deepEqual(
      rows.map((r) => r.get('name')),
      ['Alice', 'Charlie'],
    );
    await s.copyPaste(
      { startRowIndex: 1, endRowIndex: 3, startColumnIndex: 0, endColumnIndex: 1 },
      { startRowIndex: 1, endRowIndex: 3, startColumnIndex: 3, endColumnIndex: 4 },
    );
    await s.cutPaste(
      { startRowIndex: 1, endRowIndex: 3, startColumnIndex: 3, endColumnIndex: 4 },
      { rowIndex: 1, columnIndex: 5 },
    );
    await s.findReplace('Alice', 'hi');
    await s.randomizeRange({
      startRowIndex: 1,
      endRowIndex: 3,
      startColumnIndex: 0,
      endColumnIndex: 1,
    });
  });
  await it('autofill', async () => {
    const s = await fresh('af', ['numbers'], [{ numbers: 1 }, { numbers: 2 }, { numbers: '' }]);
    await s.autoFill({
      source: { startRowIndex: 1, endRowIndex: 3, startColumnIndex: 0, endColumnIndex: 1 },
      dimension: 'ROWS',
      fillLength: 2,
    });
    const rows = await s.getRows();
    assert.deepEqual(
      rows.map((r) => r.get('numbers')),
      ['1', '2', '3', '4'],
    );
  });
  await it('delete cache', async () => {
    const s = await fresh(
      'd',
      ['c1', 'c2', 'c3'],
      [
        ['a', 'b', 'c'],
        ['d', 'e', 'f'],
      ],
    );
    await s.loadCells('A1:C3');
    await s.deleteRows(1, 2);
    await s.deleteColumns(1, 2);
    assert.equal(s.getCell(1, 0).value, 'd');
  });
  await it('duplicate/copy', async () => {
    const d = await sheet.duplicate({ title: 'dup' });
    assert.equal(doc.sheetsByIndex[0].title, 'dup');
    other = await GoogleSpreadsheet.createNewSpreadsheetDocument(auth, { title: 'o' });
    await sheet.copyToSpreadsheet(other.spreadsheetId);
    await other.loadInfo();
    assert.equal(other.sheetsByIndex.at(-1).title, `Copy of ${sheet.title}`);
  });
  await it('resize', async () => {
    await sheet.resize({ rowCount: 77, columnCount: 44 });
    assert.equal(sheet.rowCount, 77);
    await sheet.updateProperties({ title: 'new / title', tabColor: { red: 1 } });
    await sheet.updateDimensionProperties('ROWS', { pixelSize: 30 });
  });
  await it('sharing', async () => {
    await doc.share('a@example.com', { role: 'writer' });
    const ps = await doc.listPermissions();
    assert.ok(ps.some((p) => p.emailAddress === 'a@example.com'));
    await doc.setPublicAccessLevel('reader');
    await doc.deletePermission(ps.find((p) => p.emailAddress === 'a@example.com').id);
  });
  await it('export', async () => {
    for (const found of [
      await doc.downloadAsXLSX(),
      await doc.downloadAsODS(),
      await doc.downloadAsZippedHTML(),
      await sheet.downloadAsPDF(),
    ])
      assert.ok(found.byteLength > 100);
    const s = await fresh('e', ['name', 'value'], [{ name: 'Alice', value: '100' }]);
    const text = async (found) => new TextDecoder().decode(await found);
    assert.equal(await text(s.downloadAsTSV()), 'name\tvalue\r\nAlice\t100');
    assert.equal(await text(s.downloadAsCSV()), 'name,value\r\nAlice,100');
  });
  await it('merge by columns and by rows', async () => {
    const s = await fresh(
      'w',
      ['a', 'b'],
      [
        ['1', '2'],
        ['3', '4'],
        ['5', '6'],
        ['7', '8'],
      ],
    );
    const columns = { startColumnIndex: 0, endColumnIndex: 2 };
    await s.mergeCells({ startRowIndex: 1, endRowIndex: 3, ...columns }, 'MERGE_COLUMNS');
    await s.mergeCells({ startRowIndex: 3, endRowIndex: 5, ...columns }, 'MERGE_ROWS');
    const rows = (await s.getRows()).map((row) => [row.get('a'), row.get('b')]);
    assert.deepEqual(rows, [
      ['1', '2'],
      ['', ''],
      ['5', ''],
      ['7', ''],
    ]);
  });
  await it('header in another row', async () => {
    const s = await doc.addSheet({ title: 'header', headerValues: ['a', 'b'], headerRowIndex: 3 });
    s.resetLocalCache(true);
    await assert.rejects(() => s.getRows());
    await s.loadHeaderRow(3);
    await s.addRows([{ a: 'a1', b: 'b1' }]);
    await s.clearRows();
    await s.loadCells();
    assert.equal(s.getCell(2, 0).value, 'a');
    assert.equal(s.getCell(3, 0).value, null);
  });
  await it('delete', async () => {
    await doc.delete();
    await assert.rejects(() => doc.delete(), /404/);
  });
}

main();
