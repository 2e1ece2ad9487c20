// The whole queue at a glance.

import { act, isReadOnly } from "./actions.js";
import { fill, h, whenNew } from "./dom.js";
import { ago, count, expected, KINDS, seconds, serverName, spreadsheetOf } from "./format.js";
import { columnsOfLanes } from "./lanes.js";
import { lasting, pauseItem } from "./pauses.js";
import { Plot } from "./plots.js";
import { Resources } from "./resources.js";
import { href } from "./route.js";
import { Table } from "./table.js";

const SVG = "http://www.w3.org/2000/svg";
const ARC = "M 12 62 A 48 48 0 0 1 108 62";
const LENGTH = Math.PI * 48;

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// The slots of a kind: how many are held, and when the next one is free.
class Gauge {
  constructor(kind) {
    this.kind = kind;
    this.held = svg("path", { d: ARC, class: "held", "stroke-dasharray": `0 ${LENGTH}` });
    this.number = svg("text", { x: 60, y: 52, class: "big" });
    this.of = svg("text", { x: 60, y: 67, class: "small" });
    const drawing = svg("svg", { viewBox: "0 0 120 72", role: "img" }, svg("path", { d: ARC, class: "all" }), this.held, this.number, this.of);
    this.drawing = drawing;
    this.next = h("b", { className: "next" });
    this.wait = h("p", { className: "wait" });
    this.more = h("p", { className: "hint" });
    this.heading = h("h2");
    this.root = h("section", { className: "card gauge" }, this.heading, drawing, h("div", {}, h("p", {}, "next slot ", this.next), this.wait, this.more));
    this.name("");
  }

  name(whose) {
    const text = `Quota of ${KINDS[this.kind]}${whose}`;
    if (this.heading.textContent === text) return;
    this.heading.textContent = text;
    this.root.setAttribute("aria-label", text);
  }

  show(quota, isKnown, isOfFirst) {
    this.name(isOfFirst ? ", first account" : "");
    const limit = quota.effective;
    const share = limit ? Math.min(1, quota.held / limit) : 0;
    this.held.setAttribute("stroke-dasharray", `${share * LENGTH} ${LENGTH}`);
    this.root.dataset.mark = quota.pause > 0 ? "bad" : share >= 1 ? "full" : "";
    this.number.textContent = quota.held;
    this.of.textContent = limit ? `of ${limit}` : isKnown ? "no limit" : "limit not known";
    this.drawing.setAttribute("aria-label", `${quota.held} slots ${this.of.textContent} held`);
    this.until = quota.next_slot === null ? null : performance.now() / 1000 + quota.next_slot;
    this.pause = quota.pause > 0 ? performance.now() / 1000 + quota.pause : null;
    this.tick();
    const { expected: { at_most, why }, expected_in_use: inUse } = quota;
    const what = { read: "A read", write: "A write", drive: "A call to Drive" }[this.kind];
    this.wait.replaceChildren(`${what} put in now waits `, h("b", {}, at_most === null ? "?" : expected({ at_most })), at_most === null ? ` ${why}` : whereInUse(at_most, inUse));
    const refused = quota.refused_user + quota.refused_project + quota.refused_other;
    const waiting = quota.waiting === 1 ? "1 spreadsheet waits" : `${quota.waiting} spreadsheets wait`;
    const lowered = limit < quota.limit ? `${limit} slots instead of ${quota.limit} after refusals · ` : "";
    this.more.textContent = `${lowered}${waiting} · ${quota.in_the_air} in the air · busy ${Math.round(quota.busy * 100)}\u00a0% of the hour · ${count(refused)} refused`;
  }

  // Counts down between two looks.
  tick() {
    const now = performance.now() / 1000;
    const left = (end) => seconds(Math.ceil(Math.max(0, end - now)));
    const text = this.pause ? `after a pause of ${left(this.pause)}` : this.until === null ? "when Google answers" : this.until <= now ? "now" : `in ${left(this.until)}`;
    if (this.next.textContent !== text) this.next.textContent = text;
  }
}

// Failures that wait for somebody to see to them.
export function kept({ outcomes_in_doubt, outcomes_unattended }) {
  return [
    ...(outcomes_in_doubt ? [`failures in doubt: ${count(outcomes_in_doubt)}. Nobody knows whether these calls were made`] : []),
    ...(outcomes_unattended ? [`failures that nobody waited for: ${count(outcomes_unattended)}`] : []),
  ];
}

const requests = (step) => step.reads + step.writes + step.drive;

// What a call waits to a spreadsheet that has had its share of the window's slots.
export const whereInUse = (atMost, inUse) => (inUse.at_most > atMost ? `; to a spreadsheet in use, ${expected(inUse)}` : "");

export class Overview {
  constructor(queue) {
    this.parts = ["history", "first_lanes"];
    this.queue = queue;
    this.gauges = { read: new Gauge("read"), write: new Gauge("write"), drive: new Gauge("drive") };
    this.resources = new Resources();
    this.plots = [
      new Plot("Throughput, a minute", [
        { label: "calls", color: "accent", of: (_, minute) => minute.calls },
        { label: "requests", color: "blue", of: (_, minute) => requests(minute) },
        { label: "failed", color: "red", of: (_, minute) => minute.failed },
      ]),
      new Plot("Most calls in the queue", [{ label: "calls", color: "amber", of: (step) => step.waiting, fills: true }]),
      new Plot("Merging, a minute", [
        { label: "calls a request", color: "accent", of: (_, minute) => (requests(minute) ? minute.carried / requests(minute) : null) },
      ]),
    ];
    this.problems = h("ul", { className: "problems" });
    this.buttons = h("div", { className: "buttons" });
    this.numbers = h("dl", { className: "numbers" });
    this.table = new Table({
      label: "What waits",
      key: (lane) => lane.lane,
      empty: "No calls are in the queue.",
      canFilter: false,
      columns: columnsOfLanes(queue),
    });
    this.rest = h("a", { href: href(queue, "lanes") }, "All lanes");
    this.servers = h("ul", { className: "lines" });
    this.asked = h("ul", { className: "lines" });
    const wrong = h("section", { className: "card wrong" }, h("h2", {}, "What is wrong"), this.problems, this.buttons);
    const now = h("section", { className: "card" }, h("h2", {}, "Calls"), this.numbers);
    const waits = h("section", { className: "card waits" }, h("h2", {}, "What waits, the oldest first"), this.table.root, this.rest);
    const all = h("a", { href: href(queue, "servers") }, "All about servers");
    const servers = h("section", { className: "card" }, h("h2", {}, "Servers"), this.servers, all);
    const asked = h("section", { className: "card" }, h("h2", {}, "Operators have asked"), this.asked);
    this.root = h("div", { className: "overview" }, wrong, this.gauges.read.root, this.gauges.write.root, this.gauges.drive.root, now, this.resources.root, waits, ...this.plots.map((plot) => plot.root), servers, asked);
    this.drawProblems = whenNew((told) => this.showProblems(told));
    this.drawServers = whenNew((servers) => fill(this.servers, servers.map(([name, role, text]) => {
      const line = h("li", {}, h("b", {}, name), text);
      line.dataset.role = role;
      return line;
    })));
    this.drawAsked = whenNew((asked) => fill(this.asked, asked.map(([when, what]) => h("li", {}, h("span", { className: "hint" }, when), what))));
    this.timer = setInterval(() => Object.values(this.gauges).forEach((gauge) => gauge.tick()), 250);
    this.addButtons();
  }

  leave() {
    clearInterval(this.timer);
    this.plots.forEach((plot) => plot.leave());
  }

  addButtons() {
    if (isReadOnly()) return;
    const button = (text, action) => h("button", { type: "button", click: () => act(action) }, text);
    this.buttons.append(
      button("Pause …", { name: "pause", title: "Pause the queue", verb: "Pause", what: true, question: "No further requests are sent. Calls keep their places, and new ones are taken." }),
      button("Resume all …", { name: "resume", title: "Resume everything", verb: "Resume", question: "All pauses end, and the queue takes new calls." }),
      button("Drain …", { name: "drain", title: "Drain the queue", verb: "Drain", question: "The calls that are there are made. New ones are refused until you resume." }),
      button("Purge …", { name: "purge", title: "Cancel all calls that wait", verb: "Cancel them", isFinal: true, first: "purge-question" }),
    );
  }

  show(seen) {
    const titles = Object.fromEntries(seen.first_lanes.map((lane) => [spreadsheetOf(lane.lane), lane.title]));
    this.drawProblems({ problems: seen.problems, paused: lasting(seen.paused), kept: kept(seen), titles });
    this.table.show(seen.first_lanes);
    this.rest.textContent = `All lanes: ${count(seen.lanes_in_all)}`;
    // Limits are a server's to say.
    const isKnown = seen.servers.some((server) => server.options.length);
    for (const quota of seen.quota) this.gauges[quota.kind]?.show(quota, isKnown, seen.accounts.length > 1);
    // Drive has a limit only where one was given.
    this.gauges.drive.root.hidden = !seen.quota.some((quota) => quota.kind === "drive" && quota.limit);
    this.showNumbers(seen);
    this.resources.show(seen);
    if (seen.history !== this.history) for (const plot of this.plots) plot.show(seen.history, seen.at);
    this.history = seen.history;
    this.showLines(seen);
  }

  showProblems({ problems, paused, kept, titles }) {
    const texts = new Set(paused.map((pause) => pause.text));
    const lines = problems.filter((problem) => !texts.has(problem)).map((problem) => h("li", {}, problem));
    const pauses = paused.map((pause) => pauseItem(pause, ...this.linkOf(pause, titles)));
    const failures = kept.map((text) => h("li", {}, h("span", {}, text), this.link("outcomes", "", "Look at them")));
    fill(this.problems, [...pauses, ...lines, ...failures]);
    if (!this.problems.firstChild) this.problems.replaceChildren(h("li", { className: "fine" }, "Nothing."));
  }

  // Which spreadsheet is paused, by its title as far as that is known.
  linkOf({ lane }, titles) {
    return lane ? [this.link("lane", lane, titles[lane] || "Its calls")] : [];
  }

  link(page, detail, text) {
    const link = h("a", { href: href(this.queue, page, ...(detail ? [detail] : [])) }, text);
    link.dataset.key = `${page} ${detail}`;
    return link;
  }

  showNumbers(seen) {
    const steps = seen.history.filter((step) => step.seconds === 10);
    const sum = (of) => steps.reduce((total, step) => total + of(step), 0);
    const sent = sum(requests);
    const numbers = {
      waiting: count(seen.calls_waiting),
      running: count(seen.calls_running),
      "the oldest": seen.oldest_call === null ? "–" : seconds(seen.oldest_call),
      "calls in the last hour": count(sum((step) => step.calls)),
      failed: count(sum((step) => step.failed)),
      "of unknown outcome": count(sum((step) => step.unknown)),
      "requests in the last hour": count(sent),
      "calls a request": sent ? (sum((step) => step.carried) / sent).toFixed(1) : "–",
      "sent again": count(sum((step) => step.resent)),
    };
    if (!this.values) {
      this.values = Object.keys(numbers).map((name) => [name, h("dd")]);
      this.numbers.append(...this.values.map(([name, dd]) => h("div", {}, h("dt", {}, name), dd)));
    }
    for (const [name, dd] of this.values) if (dd.textContent !== numbers[name]) dd.textContent = numbers[name];
  }

  showLines(seen) {
    const servers = seen.servers.map((server) => {
      const silent = server.silent > server.lease ? `, silent ${seconds(server.silent)}` : "";
      return [serverName(server), server.role, ` ${server.role}, for ${seconds(server.uptime)}${silent}${server.has_token ? "" : ", no access token"}`];
    });
    this.drawServers(servers.length ? servers : [["None", "gone", " has ever worked here."]]);
    const asked = seen.actions.slice(0, 6).map((each) => [ago(each.at, seen.at), ` ${each.what}${each.why ? ` (${each.why})` : ""}, ${each.by}`]);
    this.drawAsked(asked.length ? asked : [["Nothing.", ""]]);
  }
}
