// Every spreadsheet whose calls are in the queue, and one of them with its calls in order.

import { act, isReadOnly } from "./actions.js";
import { fill, h, whenNew } from "./dom.js";
import { calls, count, expected, laneState, seconds, spreadsheetOf } from "./format.js";
import { ask } from "./http.js";
import { lasting, pauseItem } from "./pauses.js";
import { href } from "./route.js";
import { Table } from "./table.js";

const least = (value) => value ?? -1;
const waitOf = (lane, kind) => lane.expected.find((each) => each.kind === kind);
const sortable = (each) => (each.at_most === null ? Infinity : each.at_most);

export function columnsOfLanes(queue) {
  const link = (lane) => ({ text: lane.title || lane.lane, href: href(queue, "lane", spreadsheetOf(lane.lane)), title: lane.lane });
  const wait = (kind) => (lane) => {
    const { at_most, why } = waitOf(lane, kind);
    if (at_most !== null) return { text: expected({ at_most }) };
    // What a lane is paused for stands beside it already.
    return { text: lane.paused ? "?" : `? ${why}`, title: why, mark: "doubt" };
  };
  return [
    { name: "title", title: "Spreadsheet", value: (lane) => lane.title || lane.lane, show: link, wide: true },
    { name: "calls", title: "Calls", number: true, value: (lane) => lane.calls, show: (lane) => count(lane.calls) },
    { name: "running", title: "Running", number: true, value: (lane) => lane.running },
    { name: "oldest", title: "Oldest", number: true, value: (lane) => least(lane.oldest), show: (lane) => seconds(lane.oldest) },
    { name: "first", title: "First call", value: (lane) => lane.method, show: (lane) => (lane.method ? `${lane.method} of ${lane.caller}` : "") },
    { name: "state", title: "State", value: laneState, show: (lane) => ({ text: laneState(lane), mark: lane.paused ? "paused" : lane.state }) },
    { name: "read", title: "A read now", number: true, value: (lane) => sortable(waitOf(lane, "read")), show: wait("read") },
    { name: "write", title: "A write now", number: true, value: (lane) => sortable(waitOf(lane, "write")), show: wait("write") },
  ];
}

export class Lanes {
  constructor(queue) {
    this.parts = ["lanes"];
    this.table = new Table({
      label: "Lanes",
      key: (lane) => lane.lane,
      empty: "No calls are in the queue.",
      columns: columnsOfLanes(queue),
    });
    this.more = h("p", { className: "hint" });
    this.root = h("div", { className: "page" }, h("h2", {}, "Lanes"), this.table.root, this.more);
  }

  show(seen) {
    this.table.show(seen.lanes);
    const left = seen.lanes_in_all - seen.lanes.length;
    this.more.textContent = left > 0 ? `and ${count(left)} more` : "";
  }
}

const PAUSE = 2000;

export class Lane {
  constructor(queue, lane) {
    this.parts = ["lanes"];
    this.lane = lane;
    this.path = `api/queues/${encodeURIComponent(queue)}/lanes/${encodeURIComponent(lane)}/jobs`;
    this.title = h("h2", {}, lane);
    this.about = h("p", {});
    this.pauses = h("ul", { className: "problems" });
    this.drawPauses = whenNew((paused) => fill(this.pauses, paused.map((pause) => pauseItem(pause))));
    this.problem = h("p", { className: "problem", role: "alert" });
    this.more = h("p", { className: "hint" });
    const back = h("a", { href: href(queue, "lanes") }, "← All lanes");
    this.table = new Table({
      label: "Calls, in order",
      key: (job) => job.job,
      empty: "No calls are in this lane.",
      columns: [
        { name: "place", title: "No.", number: true, value: (job) => job.place },
        { name: "method", title: "Call", value: (job) => job.method },
        { name: "caller", title: "Caller", value: (job) => job.caller, show: (job) => job.caller + (job.unattended ? " (does not wait)" : "") },
        { name: "state", title: "State", value: (job) => job.state, show: (job) => ({ text: job.state + (job.under_lock ? ", under the lock" : ""), mark: job.state }) },
        { name: "ahead", title: "Waits for", value: (job) => job.ahead },
        { name: "age", title: "Age", number: true, value: (job) => job.age, show: (job) => seconds(job.age) },
        { name: "job", title: "Job", value: (job) => job.job, wide: true },
        ...(isReadOnly() ? [] : [{ name: "cancel", title: "Actions", action: (job) => [this.cancel(job)] }]),
      ],
    });
    this.root = h("div", { className: "page" }, back, this.title, this.about, this.pauses, this.buttons(), this.problem, this.table.root, this.more);
    this.load();
  }

  leave() {
    this.isOver = true;
    clearTimeout(this.timer);
  }

  buttons() {
    const body = { lane: this.lane };
    const button = (text, action) => h("button", { type: "button", click: () => act({ body, where: this.title.textContent, ...action }, () => this.load()) }, text);
    if (isReadOnly() || this.lane === "-") return h("div");
    return h("div", { className: "buttons" },
      button("Pause …", { name: "pause", title: "Pause this spreadsheet", verb: "Pause", what: true, question: "No further requests are sent for it. Its calls keep their places, and new ones are taken." }),
      button("Purge …", { name: "purge", title: "Cancel its calls that wait", verb: "Cancel them", isFinal: true, first: "purge-question" }),
    );
  }

  cancel(job) {
    const ask = () => act({
      name: "cancel", title: "Cancel a call", verb: "Cancel the call", isFinal: true, where: this.title.textContent, body: { job: job().job, lane: this.lane },
      question: `${job().method} of ${job().caller}: its caller is told. A call that may have written is not cancelled.`,
    }, () => this.load());
    return h("button", { type: "button", click: ask }, "Cancel …");
  }

  show(seen) {
    this.drawPauses(lasting(seen.paused.filter((pause) => pause.lane === this.lane)));
    const lane = seen.lanes.find((one) => spreadsheetOf(one.lane) === this.lane);
    if (!lane) {
      // Of those beyond the first thousand the snapshot has nothing.
      this.about.textContent = this.count ? `${this.lane}: ${calls(this.count)}; how long one more waits is not known.` : "Nothing waits here now.";
      this.loadSoon();
      return;
    }
    this.title.textContent = lane.title || lane.lane;
    const waits = lane.expected.map(({ kind, at_most, why }) => {
      if (at_most === null) return `how long a ${kind} would wait is not known${lane.paused ? "" : ` (${why})`}`;
      return `a ${kind} put in now waits ${expected({ at_most })}`;
    }).join("; ");
    const state = laneState(lane);
    this.about.textContent = `${lane.lane}: ${calls(lane.calls)}${state ? `, ${state}` : ""}; ${waits}.`;
    this.reason = state;
    this.loadSoon();
  }

  loadSoon() {
    if (!this.timer && !this.isLoading) this.timer = setTimeout(() => this.load(), PAUSE);
  }

  // The next time only once it is looked at again: `show` sees to that.
  async load() {
    clearTimeout(this.timer);
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      const { jobs, more } = await ask("GET", this.path);
      if (this.isOver) return;
      this.problem.textContent = "";
      this.count = jobs.length;
      this.table.show(jobs.map((job, place) => ({ ...job, place: place + 1, ahead: aheadOf(jobs, place, this.reason) })));
      this.more.textContent = more ? "There are more: these are the first." : "";
    } catch (error) {
      this.problem.textContent = `Its calls cannot be shown: ${error.message}`;
    } finally {
      this.isLoading = false;
      this.timer = 0;
    }
  }
}

function aheadOf(jobs, place, reason) {
  if (["running", "has the lock"].includes(jobs[place].state)) return "";
  if (place === 0) return (reason ?? "").replace(/^waits for /, "");
  const ahead = jobs[place - 1];
  return `No. ${place}, ${ahead.method} of ${ahead.caller}`;
}
