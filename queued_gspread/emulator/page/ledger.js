// The table of requests, which grows at its end and stays where it was scrolled to.

import { call } from "./api.js";
import { byId, h } from "./dom.js";

const MOST = 500;
const LONG_ID = /[\w-]{24,}/g;
const shortened = (path) => path.replace(LONG_ID, (id) => `${id.slice(0, 6)}…${id.slice(-4)}`);

const clock = (seconds) => {
  const time = new Date(seconds * 1000);
  return `${time.toLocaleTimeString("en-GB")}.${String(time.getMilliseconds()).padStart(3, "0")}`;
};

function took(entry) {
  const milliseconds = (entry.answered - entry.arrived) * 1000;
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

function standing(entry) {
  if (entry.refused_by) return "refused";
  if (entry.status === 0 || entry.status >= 500) return "broken";
  return entry.status >= 400 ? "failed" : "fine";
}

async function open(number) {
  const entry = await call("GET", `ledger/${number}`);
  byId("entry-title").textContent = `Request ${number}`;
  byId("entry").querySelector("pre").textContent = JSON.stringify(entry, null, 2);
  byId("entry").showModal();
}

function row(entry) {
  const state = standing(entry);
  const odd = state !== "fine" || entry.fault !== "";
  const query = entry.query.map(([name, value]) => `${name}=${value}`).join("&");
  const quota = entry.refused_by ? `${entry.quota}: refused` : entry.quota;
  const number = h("button", { type: "button", click: () => open(entry.number).catch(() => {}) }, String(entry.number));
  number.setAttribute("aria-label", `Show request ${entry.number}`);
  return h(
    "tr",
    { className: `${state}${odd ? " odd" : ""}` },
    h("td", {}, number),
    h("td", {}, clock(entry.time)),
    h("td", { className: "method" }, entry.method),
    h("td", { className: "path", title: entry.path },
      shortened(entry.path), h("span", { className: "query" }, query ? `?${query}` : "")),
    h("td", { className: "quota", title: entry.refused_by }, quota),
    h("td", {}, h("span", { className: "status" }, entry.status ? String(entry.status) : "reset")),
    h("td", { className: "fault" }, entry.fault),
    h("td", { className: "number" }, took(entry)),
  );
}

export class LedgerTable {
  constructor() {
    this.scroller = byId("ledger");
    this.body = this.scroller.querySelector("tbody");
    byId("only-odd").addEventListener("change", (event) => {
      this.scroller.classList.toggle("only-odd", event.target.checked);
    });
    this.last = null;
  }

  // Begins anew with what comes next; until then it shows what it knows.
  reset() {
    this.last = null;
  }

  get path() {
    return this.last === null ? `ledger?limit=${MOST}` : `ledger?after=${this.last}&limit=${MOST}`;
  }

  // Returns whether it is all that there is; what came too fast is skipped.
  add({ entries, forgotten, summary }) {
    const behind = this.last !== null && (summary.last < this.last || summary.last - this.last > MOST);
    if (behind || (this.last !== null && forgotten > this.first)) this.reset();
    if (behind) return false;
    this.first = forgotten;
    if (this.last === null) this.body.replaceChildren();
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    const follows = scrollTop + clientHeight >= scrollHeight - 4;
    this.body.append(...entries.map(row));
    this.last = entries.at(-1)?.number ?? summary.last;
    if (follows) {
      while (this.body.rows.length > MOST) this.body.rows[0].remove();
      this.scroller.scrollTop = this.scroller.scrollHeight;
    }
    byId("no-requests").hidden = this.body.rows.length > 0;
    return true;
  }
}
