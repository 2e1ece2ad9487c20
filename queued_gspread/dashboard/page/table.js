// A table whose rows keep their identity, and with it focus, selection and ticks, over updates.

import { h } from "./dom.js";
import { keep, read } from "./route.js";

const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);

// Columns: { name, title, value(row) to sort by, show(row) for text or { text, href, title, mark },
// number, wide, tight, action(row) for buttons }. `picks` adds a box to tick to each row; without
// `canFilter` rows are shown as they come.
export class Table {
  constructor({ label, columns, key, empty, sort = "", picks = null, canFilter = true }) {
    Object.assign(this, { columns, key, empty, picks, canFilter });
    this.rows = [];
    this.kept = new Map();
    this.picked = new Set();
    this.selected = null;
    const query = canFilter ? read().query : new URLSearchParams();
    this.sort = query.get("sort") ?? sort;
    this.filter = h("input", {
      type: "search", className: "filter", placeholder: "Filter", value: query.get("filter") ?? "",
      input: () => { keep("filter", this.filter.value); this.draw(); },
    });
    this.filter.setAttribute("aria-label", `Filter ${label}`);
    this.number = h("span", { className: "hint" });
    this.head = h("tr", {}, ...(picks ? [this.pickAll()] : []), ...columns.map((column) => this.heading(column)));
    this.body = h("tbody");
    const table = h("table", {}, h("caption", { className: "unseen" }, label), h("thead", {}, this.head), this.body);
    this.none = h("p", { className: "empty", hidden: true }, empty);
    this.scroll = h("div", { className: "scroll", tabIndex: 0, role: "region" }, table, this.none);
    this.scroll.setAttribute("aria-label", label);
    this.bar = h("div", { className: "bar" }, this.filter, this.number);
    this.root = h("div", { className: "table" }, ...(canFilter ? [this.bar] : []), this.scroll);
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row) this.select(row.dataset.key);
    });
    this.showOrder();
  }

  heading(column) {
    if (!column.value) return h("th", { scope: "col" }, h("span", { className: "unseen" }, column.title));
    if (!this.canFilter) return h("th", { scope: "col", className: column.number ? "number" : "" }, column.title);
    const button = h("button", { type: "button", click: () => this.orderBy(column) }, column.title);
    const th = h("th", { scope: "col", className: column.number ? "number" : "" }, button);
    th.dataset.column = column.name;
    return th;
  }

  pickAll() {
    this.all = h("input", { type: "checkbox", change: () => {
      for (const { key } of this.shown) this.all.checked ? this.picked.add(key) : this.picked.delete(key);
      this.draw();
    } });
    this.all.setAttribute("aria-label", "All rows");
    return h("th", { scope: "col", className: "pick" }, this.all);
  }

  orderBy(column) {
    const first = column.number ? `-${column.name}` : column.name;
    const second = column.number ? column.name : `-${column.name}`;
    this.sort = this.sort === first ? second : this.sort === second ? "" : first;
    keep("sort", this.sort);
    this.showOrder();
    this.draw();
  }

  showOrder() {
    const [name, falls] = [this.sort.replace(/^-/, ""), this.sort.startsWith("-")];
    for (const th of this.head.querySelectorAll("[data-column]")) {
      th.setAttribute("aria-sort", th.dataset.column !== name ? "none" : falls ? "descending" : "ascending");
    }
  }

  show(rows) {
    this.rows = rows;
    this.draw();
  }

  draw() {
    const wanted = this.filter.value.trim().toLowerCase();
    const cells = this.rows.map((row) => ({ row, key: String(this.key(row)), cells: this.columns.map((column) => shownOf(column, row)) }));
    this.shown = cells.filter((each) => !wanted || each.cells.some((cell) => cell.text?.toLowerCase().includes(wanted)));
    const column = this.columns.find((one) => one.name === this.sort.replace(/^-/, ""));
    if (column) {
      const sign = this.sort.startsWith("-") ? -1 : 1;
      this.shown.sort((a, b) => sign * compare(column.value(a.row), column.value(b.row)));
    }
    this.place();
    this.none.hidden = this.shown.length > 0;
    this.none.textContent = this.rows.length ? "Nothing matches the filter." : this.empty;
    this.number.textContent = wanted ? `${this.shown.length} of ${this.rows.length}` : `${this.rows.length}`;
    this.drawPicks();
  }

  place() {
    const there = new Set(this.shown.map(({ key }) => key));
    for (const [key, kept] of this.kept) {
      if (there.has(key)) continue;
      kept.tr.remove();
      this.kept.delete(key);
    }
    const active = this.body.contains(document.activeElement) ? document.activeElement : null;
    let at = this.body.firstChild;
    for (const each of this.shown) {
      const kept = this.kept.get(each.key) ?? this.add(each);
      this.update(kept, each);
      if (kept.tr === at) at = at.nextSibling;
      else this.body.insertBefore(kept.tr, at);
    }
    // What is moved loses the focus.
    if (active && document.activeElement !== active) (active.isConnected ? active : this.scroll).focus({ preventScroll: true });
  }

  add({ key }) {
    const tr = h("tr", { tabIndex: -1 }, ...(this.picks ? [this.pick(key)] : []), ...this.columns.map((column) => {
      const td = h("td", { className: column.number ? "number" : column.wide ? "wide" : column.tight ? "tight" : "" });
      td.dataset.label = column.action ? "" : column.title;
      return td;
    }));
    tr.dataset.key = key;
    if (key === this.selected) tr.setAttribute("aria-current", "true");
    const kept = { tr, cells: [], actions: [] };
    this.kept.set(key, kept);
    return kept;
  }

  update(kept, { row, cells }) {
    kept.row = row;
    const first = this.picks ? 1 : 0;
    cells.forEach((cell, place) => {
      const td = kept.tr.cells[place + first];
      if (this.columns[place].action) {
        if (!td.firstChild) td.append(...this.columns[place].action(() => kept.row));
        return;
      }
      const now = `${cell.text}\n${cell.href ?? ""}\n${cell.mark ?? ""}`;
      if (kept.cells[place] === now) return;
      kept.cells[place] = now;
      const link = cell.href && td.querySelector("a");
      if (link) Object.assign(link, { href: cell.href, textContent: cell.text });
      else td.replaceChildren(cell.href ? h("a", { href: cell.href }, cell.text) : cell.text);
      td.title = cell.title ?? "";
      td.dataset.mark = cell.mark ?? "";
    });
  }

  pick(key) {
    const box = h("input", { type: "checkbox", change: () => {
      box.checked ? this.picked.add(key) : this.picked.delete(key);
      this.drawPicks();
    } });
    box.setAttribute("aria-label", "This row");
    return h("td", { className: "pick" }, box);
  }

  drawPicks() {
    if (!this.picks) return;
    const keys = new Set(this.rows.map((row) => String(this.key(row))));
    for (const key of this.picked) if (!keys.has(key)) this.picked.delete(key);
    for (const [key, { tr }] of this.kept) tr.cells[0].firstChild.checked = this.picked.has(key);
    this.all.checked = this.shown.length > 0 && this.shown.every(({ key }) => this.picked.has(key));
    this.picks(this.rows.filter((row) => this.picked.has(String(this.key(row)))));
  }

  select(key) {
    this.kept.get(this.selected)?.tr.removeAttribute("aria-current");
    this.selected = key;
    const tr = this.kept.get(key)?.tr;
    tr?.setAttribute("aria-current", "true");
    tr?.scrollIntoView({ block: "nearest" });
    return tr;
  }

  // Moves the selection by so many rows, from the top if there is none.
  move(step) {
    if (!this.shown?.length) return;
    const place = this.shown.findIndex(({ key }) => key === this.selected);
    const next = place < 0 ? (step > 0 ? 0 : this.shown.length - 1) : place + step;
    this.select(this.shown[Math.min(Math.max(next, 0), this.shown.length - 1)].key)?.focus({ preventScroll: true });
  }

  open() {
    this.kept.get(this.selected)?.tr.querySelector("a")?.click();
  }
}

function shownOf(column, row) {
  if (column.action) return {};
  const shown = column.show ? column.show(row) : column.value(row);
  return typeof shown === "object" ? shown : { text: String(shown) };
}
