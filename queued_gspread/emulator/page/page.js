// The page: asks the emulator once a second how it is, and shows what is new.

import { call, Refused } from "./api.js";
import { byId, fill, h, whenNew } from "./dom.js";
import { FaultForm, Settings } from "./forms.js";
import { Grid } from "./grid.js";
import { LedgerTable } from "./ledger.js";

const PAUSE = 1000;
const SPREADSHEET = "application/vnd.google-apps.spreadsheet";

const grid = new Grid();
const ledger = new LedgerTable();
let forms = null;
let files = [];
let timer = 0;
let asking = false;

// What is looked at is in the address, so that it is still there after a reload.
const chosen = () => location.hash.slice(1).split("/").map(decodeURIComponent);

function choose(file, sheet = "") {
  history.replaceState(null, "", `#${encodeURIComponent(file)}/${sheet}`);
  showFiles();
}

function fileItem(file, isChosen) {
  const name = h("span", { className: "name" }, file.name || "(no name)");
  const kind = file.sheets.length === 1 ? "1 sheet" : `${file.sheets.length} sheets`;
  const about = file.type === SPREADSHEET ? kind : file.type;
  const where = (file.private ? ", not shared" : "") + (file.trashed ? ", in the bin" : "");
  const detail = h("span", { className: "hint" }, about + where);
  const button = h("button", { type: "button", click: () => choose(file.id) }, name, detail);
  button.dataset.key = file.id;
  button.setAttribute("aria-current", String(isChosen));
  return h("li", {}, button);
}

function tab(file, sheet, isChosen) {
  const size = `${sheet.rows} × ${sheet.columns}${sheet.hidden ? ", hidden" : ""}`;
  const props = { type: "button", role: "tab", title: size, tabIndex: isChosen ? 0 : -1 };
  const button = h("button", { ...props, click: () => choose(file.id, sheet.id) }, sheet.title);
  button.dataset.key = `${file.id}/${sheet.id}`;
  button.setAttribute("aria-selected", String(isChosen));
  if (sheet.hidden) button.append(h("span", { className: "hint" }, " hidden"));
  return button;
}

byId("tabs").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const next = step && event.target.closest("[role=tab]");
  const other = step < 0 ? next?.previousElementSibling : next?.nextElementSibling;
  other?.focus();
  other?.click();
});

const drawFiles = whenNew(([shown, file]) => {
  fill(byId("files"), shown.map((one) => fileItem(one, one.id === file)));
  if (!shown.length) byId("files").replaceChildren(h("li", { className: "hint" }, "none"));
});

const drawTabs = whenNew(([file, sheet]) => {
  fill(byId("tabs"), file.sheets.map((one) => tab(file, one, one.id === sheet)));
});

const drawAbsence = whenNew(([file, isThere]) => {
  const lines = [];
  if (!isThere) {
    const code = 'client.create("Budget").sheet1.update([["Rent", 900]], "A1")';
    lines.push(
      h("h2", {}, "No spreadsheets yet"),
      h("p", {}, "Lead gspread to this address and create one. It shows up here at once."),
      h("pre", {}, h("code", {}, code)),
    );
  } else if (file) {
    lines.push(h("h2", {}, file), h("p", {}, "This file is no spreadsheet: there is nothing to show of it."));
  }
  byId("no-book").replaceChildren(...lines);
});

function showFiles() {
  const [fileId, sheetId] = chosen();
  const file = files.find((one) => one.id === fileId) ?? files.find((one) => one.sheets.length) ?? files[0];
  const first = file?.sheets.find((one) => !one.hidden) ?? file?.sheets[0];
  const sheet = file?.sheets.find((one) => String(one.id) === sheetId) ?? first;
  drawFiles([files.map(({ modified, version, ...kept }) => kept), file?.id]);
  byId("book").hidden = !sheet;
  byId("no-book").hidden = Boolean(sheet);
  if (!sheet) grid.hide();
  drawAbsence([file?.name, Boolean(file)]);
  if (!sheet) return;
  drawTabs([{ id: file.id, sheets: file.sheets }, sheet.id]);
  grid.show(file, sheet);
}

function ruleItem(rule) {
  const limits = [rule.method, rule.path && `/${rule.path}/`, rule.match && "match()", rule.to === "token" && "token requests"];
  const odds = [rule.rate < 1 && `${rule.rate * 100}\u00a0%`, rule.skip && `after ${rule.skip}`];
  const name = { status: rule.status, html: `html ${rule.status}`, latency: `latency ${[rule.seconds].flat().join(" to ")} s` };
  const told = [name[rule.kind] ?? rule.kind.replaceAll("_", " "), rule.applied && "applied", ...limits, ...odds];
  const hits = rule.count === null ? `${rule.hits} met it` : `${rule.hits} of ${rule.count} met it`;
  const remove = h("button", { type: "button", click: () => act(call("DELETE", `faults/${rule.number}`)) }, "Remove");
  remove.setAttribute("aria-label", `Remove fault ${rule.number}`);
  remove.dataset.key = String(rule.number);
  const texts = h("div", {}, h("strong", {}, told.filter(Boolean).join(" · ")), h("span", { className: "hint" }, hits));
  return h("li", {}, texts, remove);
}

const drawRules = whenNew((rules) => {
  fill(byId("rules"), rules.map(ruleItem));
  byId("clear-rules").hidden = rules.length < 2;
  if (!rules.length) {
    const text = "None: add one, and the next request that it concerns meets it.";
    byId("rules").replaceChildren(h("li", { className: "hint" }, text));
  }
});

function showCounts(summary) {
  byId("count-requests").textContent = summary.requests;
  byId("count-refused").textContent = summary.refused;
  byId("count-faults").textContent = summary.faults;
  byId("count-under-way").textContent = summary.under_way;
}

function connection(state, text) {
  const node = byId("connection");
  if (node.dataset.state === state) return;
  node.dataset.state = state;
  node.textContent = text;
  document.body.classList.toggle("away", state === "away");
}

async function makeForms() {
  const fields = await call("GET", "fields");
  forms ??= {
    quotas: new Settings("quotas", fields.quotas),
    settings: new Settings("settings", fields.settings),
    fault: new FaultForm(fields, ask),
  };
}

async function refresh() {
  if (!forms) await makeForms();
  const paths = ["files", ledger.path, "quotas", "settings", "faults"];
  const [listed, logged, quotas, settings, faults] = await Promise.all(paths.map((path) => call("GET", path)));
  files = listed.files;
  byId("older").hidden = listed.total === files.length;
  byId("older").textContent = `and ${listed.total - files.length} older ones`;
  showFiles();
  ledger.add(logged);
  showCounts(logged.summary);
  forms.quotas.show(quotas);
  forms.settings.show(settings);
  drawRules(faults.rules);
}

async function ask() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  try {
    await refresh();
    connection("live", "live");
  } catch (error) {
    // Whatever answers at this address later may be another emulator.
    ledger.reset();
    grid.failed = true;
    connection("away", error instanceof Refused ? error.message : "The emulator does not answer. Trying again …");
  } finally {
    asking = false;
    if (!document.hidden) timer = setTimeout(ask, PAUSE);
  }
}

function act(request) {
  request.catch(() => {}).then(ask);
}

byId("address").textContent = location.host;
byId("clear-rules").addEventListener("click", () => act(call("DELETE", "faults")));
byId("clear-ledger").addEventListener("click", () => act(call("DELETE", "ledger")));
byId("revoke").addEventListener("click", () => act(call("POST", "tokens/revoke", {})));
document.addEventListener("visibilitychange", () => document.hidden || ask());
addEventListener("hashchange", showFiles);
ask();
