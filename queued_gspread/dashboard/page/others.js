// Callers, outcomes and servers.

import { act, isReadOnly } from "./actions.js";
import { fill, h, whenNew } from "./dom.js";
import { clock, count, seconds, serverName } from "./format.js";
import { ask } from "./http.js";
import { Table } from "./table.js";

export class Callers {
  constructor() {
    this.parts = ["callers"];
    this.table = new Table({
      label: "Callers",
      key: (caller) => caller.caller,
      empty: "No server has counted any calls yet.",
      columns: [
        { name: "caller", title: "Caller", value: (one) => one.caller, wide: true },
        { name: "running", title: "Running", number: true, value: (one) => one.running },
        { name: "calls", title: "Calls", number: true, value: (one) => one.calls, show: (one) => count(one.calls) },
        { name: "failed", title: "Failed", number: true, value: (one) => one.failed, show: (one) => ({ text: count(one.failed), mark: one.failed ? "bad" : "" }) },
        { name: "requests", title: "Requests", number: true, value: (one) => one.requests, show: (one) => count(one.requests) },
        { name: "last", title: "Last answer", number: true, value: (one) => one.last ?? Infinity, show: (one) => (one.last === null ? "–" : `${seconds(one.last)} ago`) },
      ],
    });
    this.root = h("div", { className: "page" }, h("h2", {}, "Callers"), h("p", { className: "hint" }, "The latest ones, by host and process. Calls that share a request have a part of it each."), this.table.root);
  }

  show(seen) {
    this.table.show(seen.callers);
  }
}

export class Outcomes {
  constructor(queue, _, { advice }) {
    this.parts = [];
    this.advice = advice;
    this.path = `api/queues/${encodeURIComponent(queue)}/outcomes`;
    this.dismiss = h("button", { type: "button", disabled: true, click: () => this.askToDismiss() }, "Dismiss …");
    this.table = new Table({
      label: "Outcomes",
      key: (one) => `${one.job_id} ${one.sort} ${one.at}`,
      empty: "No failures are kept.",
      picks: isReadOnly() ? null : (picked) => this.picked(picked),
      columns: [
        { name: "at", title: "When", tight: true, value: (one) => one.at, show: (one) => clock(one.at) },
        { name: "sort", title: "Sort", value: (one) => one.sort, show: (one) => ({ text: one.sort, mark: one.sort === "failed" ? "" : "bad" }) },
        { name: "where", title: "Spreadsheet", value: whereOf, show: (one) => ({ text: whereOf(one), title: one.spreadsheet }), wide: true },
        { name: "method", title: "Call", value: (one) => one.method },
        { name: "caller", title: "Caller", value: (one) => one.caller, show: (one) => one.caller + (one.is_unattended ? " (did not wait)" : "") },
        { name: "error", title: "Error", value: (one) => one.error, show: (one) => ({ text: one.error + (one.message ? `: ${one.message}` : ""), title: one.message }), wide: true },
        { name: "job", title: "Job", value: (one) => one.job_id },
      ],
    });
    this.problem = h("p", { className: "problem", role: "alert" });
    this.more = h("p", { className: "hint" });
    if (!isReadOnly()) this.table.bar.append(this.dismiss);
    const about = "Calls that failed, and those of which nobody knows: never a cell or an argument.";
    this.todo = h("ul", { className: "problems" });
    this.root = h("div", { className: "page" }, h("h2", {}, "Outcomes"), h("p", { className: "hint" }, about), this.todo, this.problem, this.table.root, this.more);
    this.reload = whenNew(() => this.load());
  }

  show(seen) {
    if (this.problem.textContent) this.load();
    this.reload([seen.outcomes_unattended, seen.outcomes_in_doubt, seen.outcomes_others, seen.jobs_poisoned, seen.calls.map(({ ok, other, ...failures }) => failures)]);
  }

  picked(picked) {
    this.chosen = picked;
    this.dismiss.disabled = !picked.length;
    this.dismiss.textContent = picked.length ? `Dismiss ${picked.length} …` : "Dismiss …";
  }

  askToDismiss() {
    const jobs = this.chosen.map((one) => one.job_id).slice(0, 1000);
    const poisoned = this.chosen.some((one) => one.sort === "poisoned") ? " Poisoned jobs are removed with them." : "";
    const title = jobs.length === 1 ? "Dismiss an outcome" : `Dismiss ${jobs.length} outcomes`;
    act({ name: "dismiss", title, verb: "Dismiss", isFinal: true, body: { jobs: [...new Set(jobs)] }, question: `They are forgotten: do it once you have seen to them.${poisoned}` }, () => this.load());
  }

  async load() {
    this.isAsked = true;
    if (this.isLoading) return;
    this.isLoading = true;
    while (this.isAsked) {
      this.isAsked = false;
      await this.loadOnce();
    }
    this.isLoading = false;
  }

  async loadOnce() {
    try {
      const found = await ask("GET", this.path);
      this.problem.textContent = "";
      // Those that somebody has to look after come first.
      const isOpen = (one) => Number(one.sort in this.advice);
      this.table.show(found.outcomes.sort((a, b) => isOpen(b) - isOpen(a) || b.at - a.at));
      const sorts = Object.keys(this.advice).filter((sort) => found.outcomes.some((one) => one.sort === sort));
      fill(this.todo, sorts.map((sort) => h("li", {}, h("span", {}, h("b", {}, sort), `: ${this.advice[sort]}`))));
      const left = found.in_all - found.outcomes.length;
      this.more.textContent = left > 0 ? `and ${count(left)} older ones: queued-gspread outcomes lists all.` : "";
    } catch (error) {
      this.problem.textContent = `They cannot be shown: ${error.message}`;
    }
  }
}

const whereOf = (one) => [one.title || one.spreadsheet, one.sheet].filter(Boolean).join(" / ");

export class Servers {
  constructor() {
    this.parts = [];
    this.table = new Table({
      label: "Servers",
      key: (server) => server.id,
      empty: "No server has ever worked here.",
      columns: [
        { name: "server", title: "Server", value: serverName, wide: true },
        { name: "role", title: "Role", value: (one) => one.role, show: (one) => ({ text: one.role, mark: one.role }) },
        { name: "epoch", title: "Epoch", number: true, value: (one) => Number(one.epoch) || 0, show: (one) => one.epoch || "–" },
        { name: "version", title: "Version", value: (one) => one.version, show: (one) => ({ text: one.version || "?", title: `gspread ${one.gspread}, Python ${one.python}` }) },
        { name: "account", title: "Account", value: (one) => one.account, wide: true },
        { name: "uptime", title: "Up", number: true, value: (one) => one.uptime, show: (one) => seconds(one.uptime) },
        { name: "silent", title: "Silent", number: true, value: (one) => one.silent, show: (one) => ({ text: `${seconds(one.silent)} of ${seconds(one.lease)}`, mark: one.silent > one.lease ? "bad" : "" }) },
        { name: "token", title: "Token", number: true, value: (one) => one.token_expires ?? Infinity, show: (one) => ({ text: one.has_token ? (one.token_expires === null ? "yes" : seconds(one.token_expires)) : "none", mark: one.has_token ? "" : "bad" }) },
      ],
    });
    this.heading = h("h2", { hidden: true }, "Their options");
    this.options = h("div", { className: "options" });
    this.root = h("div", { className: "page" }, h("h2", {}, "Servers"), this.table.root, this.heading, this.options);
    this.draw = whenNew((servers) => this.showOptions(servers));
  }

  show(seen) {
    this.table.show(seen.servers);
    this.draw(seen.servers.map(({ id, host, process, about, options }) => ({ id, host, process, about, options })));
  }

  showOptions(servers) {
    this.heading.hidden = !servers.some((server) => server.options.length);
    this.options.replaceChildren(...servers.filter((server) => server.options.length).map((server) => {
      const rows = server.options.map((option) => {
        const row = h("tr", {}, h("th", { scope: "row" }, option.name), h("td", {}, option.value), h("td", {}, option.differs ? "differs from the worker's" : ""));
        row.dataset.mark = option.differs ? "bad" : "";
        return row;
      });
      return h("details", { open: servers.length === 1 }, h("summary", {}, serverName(server)), h("table", {}, h("tbody", {}, ...rows)));
    }));
  }
}
