// A sheet of any size: only the window that is looked at is fetched and in the page.

import { call } from "./api.js";
import { cellElement, columnLetters } from "./cells.js";
import { byId, h } from "./dom.js";

const ROW = 25;
const COLUMN = 112;
const HEAD = 52;
const PADDING = 13;
const [MARGIN_ROWS, MARGIN_COLUMNS] = [30, 6];
const MOST_FROZEN = 10;
// Browsers draw nothing beyond some 33 million pixels.
const MOST_ROWS = 1_200_000;
const DARK = matchMedia("(prefers-color-scheme: dark)");

const key = (row, column) => `${row},${column}`;
const range = (start, end) => Array.from({ length: Math.max(end - start, 0) }, (_, place) => start + place);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class Grid {
  constructor() {
    this.scroller = byId("sheet");
    this.canvas = h("div", { className: "canvas" });
    this.scroller.replaceChildren(this.canvas);
    this.turn = 0;
    this.scroller.addEventListener("scroll", () => this.look());
    this.scroller.addEventListener("keydown", (event) => this.press(event));
    this.canvas.addEventListener("click", (event) => this.point(event));
    new ResizeObserver(() => this.look()).observe(this.scroller);
    DARK.addEventListener("change", () => this.sheet && this.draw(new Map()));
  }

  // Shows a sheet of a file; the same one again is fetched only in another version.
  show(file, sheet) {
    const other = this.file !== file.id || this.sheet?.id !== sheet.id;
    const changed = other || this.version !== file.version || this.failed;
    [this.file, this.sheet, this.version] = [file.id, sheet, file.version];
    this.canvas.style.height = `${(Math.min(sheet.rows, MOST_ROWS) + 1) * ROW}px`;
    this.canvas.style.width = `${HEAD + sheet.columns * COLUMN}px`;
    if (other) {
      [this.loaded, this.selected, this.data] = [null, [0, 0], null];
      this.canvas.replaceChildren();
      this.scroller.scrollTo(0, 0);
    }
    if (changed) this.load(!other);
  }

  hide() {
    this.sheet = this.file = null;
    this.turn += 1;
  }

  get view() {
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.scroller;
    const [row, column] = [Math.floor(scrollTop / ROW), Math.floor(scrollLeft / COLUMN)];
    const { rows, columns } = this.sheet;
    return {
      row: Math.min(row, rows),
      endRow: Math.min(row + Math.ceil(clientHeight / ROW) + 1, rows, MOST_ROWS),
      column: Math.min(column, columns),
      endColumn: Math.min(column + Math.ceil(clientWidth / COLUMN) + 1, columns),
    };
  }

  // Fetches another window once the view has left the one that is there.
  look() {
    if (!this.sheet || !this.loaded) return;
    const [view, has] = [this.view, this.loaded];
    const inside = view.row >= has.row && view.endRow <= has.endRow;
    if (!inside || view.column < has.column || view.endColumn > has.endColumn) this.load(false);
  }

  async load(flash) {
    const turn = ++this.turn;
    const { row, endRow, column, endColumn } = this.view;
    const wanted = {
      row: Math.max(row - MARGIN_ROWS, 0),
      endRow: Math.min(endRow + MARGIN_ROWS, this.sheet.rows, MOST_ROWS),
      column: Math.max(column - MARGIN_COLUMNS, 0),
      endColumn: Math.min(endColumn + MARGIN_COLUMNS, this.sheet.columns),
    };
    try {
      const parts = await this.fetch(wanted);
      if (turn !== this.turn) return;
      const before = flash && this.data ? this.data.cells : new Map();
      this.data = merged(parts);
      this.loaded = wanted;
      this.failed = false;
      this.draw(before);
    } catch {
      // The next poll tells what is wrong, and tries again.
      if (turn === this.turn) this.failed = true;
    }
  }

  // Frozen rows and columns are shown wherever the window is.
  async fetch({ row, endRow, column, endColumn }) {
    const get = (top, bottom, left, right) =>
      call("GET", `files/${encodeURIComponent(this.file)}/sheets/${this.sheet.id}` +
        `?row=${top}&rows=${clamp(bottom - top, 1, 500)}&column=${left}&columns=${clamp(right - left, 1, 100)}`);
    const body = await get(row, endRow, column, endColumn);
    const rows = Math.min(body.frozen_rows, row, MOST_FROZEN);
    const columns = Math.min(body.frozen_columns, column, MOST_FROZEN);
    const frozen = await Promise.all([
      ...(rows ? [get(0, rows, column, endColumn)] : []),
      ...(columns ? [get(row, endRow, 0, columns)] : []),
      ...(rows && columns ? [get(0, rows, 0, columns)] : []),
    ]);
    return [body, ...frozen];
  }

  draw(before) {
    const { row, endRow, column, endColumn } = this.loaded;
    const { frozenRows, frozenColumns } = this.data;
    this.paper = getComputedStyle(this.scroller).getPropertyValue("--paper").trim();
    this.rows = [...range(0, Math.min(frozenRows, row)), ...range(row, endRow)];
    this.columns = [...range(0, Math.min(frozenColumns, column)), ...range(column, endColumn)];
    const covered = this.covering();
    const table = h("table", { role: "presentation" }, this.letters());
    table.append(...this.rows.map((r) => this.line(r, covered, before)));
    table.style.top = `${(row - Math.min(frozenRows, row)) * ROW}px`;
    table.style.left = `${(column - Math.min(frozenColumns, column)) * COLUMN}px`;
    table.style.width = `${HEAD + this.columns.length * COLUMN}px`;
    this.canvas.replaceChildren(table);
    this.select(...this.selected, false);
  }

  // Maps each place that a merge covers to the merge, and that of its first cell to its size.
  covering() {
    const covered = new Map();
    for (const merge of this.data.merges) {
      const rows = this.rows.filter((r) => r >= merge.row && r < merge.row + merge.height);
      const columns = this.columns.filter((c) => c >= merge.column && c < merge.column + merge.width);
      for (const r of rows) for (const c of columns) covered.set(key(r, c), null);
      if (rows.length && columns.length) {
        covered.set(key(rows[0], columns[0]), { ...merge, rowSpan: rows.length, colSpan: columns.length });
      }
    }
    return covered;
  }

  letters() {
    const cells = this.columns.map((c) => {
      const th = h("th", { scope: "col", role: "columnheader", className: this.marks(null, c) }, columnLetters(c));
      return this.fix(th, -1, c);
    });
    const corner = h("th", { className: "corner" });
    return h("tr", { role: "row" }, this.fix(corner, -1, -1), ...cells);
  }

  line(row, covered, before) {
    const number = h("th", { scope: "row", role: "rowheader", className: this.marks(row, null) }, String(row + 1));
    const tr = h("tr", { role: "row", ariaRowIndex: row + 1 }, this.fix(number, row, -1));
    for (const column of this.columns) {
      const merge = covered.get(key(row, column));
      if (merge === null) continue;
      const place = merge ? key(merge.row, merge.column) : key(row, column);
      const cell = this.data.cells.get(place);
      const told = { id: `cell-${row}-${column}`, paper: this.paper, room: merge ? 0 : this.room(cell, row, column, covered) };
      const td = cellElement(cell, told);
      if (merge) [td.rowSpan, td.colSpan] = [merge.rowSpan, merge.colSpan];
      if (merge) td.classList.add("merged");
      const last = merge ? [merge.row + merge.height - 1, merge.column + merge.width - 1] : [row, column];
      td.className = `${td.className} ${this.marks(row, column, ...last)}`;
      if (before.size && before.get(place)?.value !== cell?.value) td.classList.add("changed");
      tr.append(this.fix(td, row, column));
    }
    return tr;
  }

  // How far a text may run over empty cells to its right.
  room(cell, row, column, covered) {
    if (!cell || cell.type !== "text" || !["left", undefined].includes(cell.format?.align)) return 0;
    const start = this.columns.indexOf(column);
    let end = start + 1;
    const isFrozen = (c) => c < this.data.frozenColumns;
    const free = (c) => c !== undefined && isFrozen(c) === isFrozen(column) && !covered.has(key(row, c)) && !this.data.cells.get(key(row, c))?.value;
    while (free(this.columns[end])) end += 1;
    return end > start + 1 ? (end - start) * COLUMN - PADDING : 0;
  }

  // What is hidden, and the edges of what is frozen; a merge has other last places than its first.
  marks(row, column, lastRow = row, lastColumn = column) {
    const { hiddenRows, hiddenColumns, frozenRows, frozenColumns } = this.data;
    const hidden = hiddenRows.has(row) || hiddenColumns.has(column);
    return [
      hidden ? "hid" : "",
      row !== null && lastRow === frozenRows - 1 ? "last-frozen-row" : "",
      column !== null && lastColumn === frozenColumns - 1 ? "last-frozen-column" : "",
    ].join(" ");
  }

  // Keeps headings and frozen cells where they are when the rest is scrolled.
  fix(node, row, column) {
    const [fixedRow, fixedColumn] = [row < this.data.frozenRows, column < this.data.frozenColumns];
    if (fixedRow) node.style.top = `${(row + 1) * ROW}px`;
    if (fixedColumn) node.style.left = column < 0 ? "0px" : `${HEAD + column * COLUMN}px`;
    if (fixedRow || fixedColumn) node.classList.add("fixed");
    node.style.zIndex = fixedRow && fixedColumn ? "4" : fixedRow ? "3" : fixedColumn ? "2" : "";
    if (row < 0 && column < 0) node.style.zIndex = "5";
    return node;
  }

  point(event) {
    const place = /^cell-(\d+)-(\d+)$/.exec(event.target.closest("td")?.id ?? "");
    if (place) this.select(Number(place[1]), Number(place[2]), false);
  }

  press(event) {
    if (!this.sheet || event.altKey || event.metaKey) return;
    const [row, column] = this.selected;
    const page = Math.max(Math.floor(this.scroller.clientHeight / ROW) - 2, 1);
    const [top, end] = [event.ctrlKey ? 0 : row, this.sheet.columns - 1];
    const to = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1], PageUp: [row - page, column], PageDown: [row + page, column],
      Home: [top, 0], End: [event.ctrlKey ? this.sheet.rows - 1 : row, end],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    this.select(clamp(to[0], 0, Math.min(this.sheet.rows, MOST_ROWS) - 1), clamp(to[1], 0, end), true);
  }

  select(row, column, scroll) {
    this.selected = [row, column];
    if (scroll) this.reveal(row, column);
    const merge = this.data?.merges.find((m) =>
      row >= m.row && row < m.row + m.height && column >= m.column && column < m.column + m.width);
    const [top, left] = merge ? [merge.row, merge.column] : [row, column];
    this.canvas.querySelector(".selected")?.classList.remove("selected");
    const node = byId(`cell-${top}-${left}`) ?? byId(`cell-${row}-${column}`);
    node?.classList.add("selected");
    this.scroller.setAttribute("aria-activedescendant", node?.id ?? "");
    const cell = this.data?.cells.get(key(top, left));
    const place = columnLetters(left) + (top + 1);
    const isHere = this.rows?.includes(top) && this.columns?.includes(left);
    if (byId("place").textContent === place && !isHere) return;
    byId("place").textContent = place;
    byId("content").textContent = cell?.formula ?? cell?.value ?? "";
    byId("content").dataset.note = cell?.note ?? "";
  }

  reveal(row, column) {
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.scroller;
    const { frozenRows = 0, frozenColumns = 0 } = this.data ?? {};
    const [top, left] = [row * ROW, column * COLUMN];
    const height = clientHeight - ROW * 2;
    const width = clientWidth - HEAD - COLUMN;
    if (row >= frozenRows) this.scroller.scrollTop = clamp(scrollTop, top - height, top - frozenRows * ROW);
    if (column >= frozenColumns) this.scroller.scrollLeft = clamp(scrollLeft, left - width, left - frozenColumns * COLUMN);
  }
}

function merged(parts) {
  const [body] = parts;
  const merges = new Map(parts.flatMap((part) => part.merges).map((merge) => [key(merge.row, merge.column), merge]));
  return {
    cells: new Map(parts.flatMap((part) => part.cells).map((cell) => [key(cell.row, cell.column), cell])),
    merges: [...merges.values()],
    hiddenRows: new Set(parts.flatMap((part) => part.hidden_rows)),
    hiddenColumns: new Set(parts.flatMap((part) => part.hidden_columns)),
    frozenRows: Math.min(body.frozen_rows, MOST_FROZEN),
    frozenColumns: Math.min(body.frozen_columns, MOST_FROZEN),
  };
}
