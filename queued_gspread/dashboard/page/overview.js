// The whole queue at a glance.

import { act, isReadOnly } from "./actions.js";
import { fill, h, whenNew } from "./dom.js";
import { ago, atMost, count, KINDS, seconds, serverName } from "./format.js";
import { lasting, pauseItem } from "./pauses.js";
import { Plot } from "./plots.js";
import { href } from "./route.js";

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
    const heading = `Quota of ${KINDS[kind]}`;
    this.root = h("section", { className: "card gauge" }, h("h2", {}, heading), drawing, h("div", {}, h("p", {}, "next slot ", this.next), this.wait, this.more));
    this.root.setAttribute("aria-label", heading);
  }

  show(quota) {
    const limit = quota.effective;
    const share = limit ? Math.min(1, quota.held / limit) : 0;
    this.held.setAttribute("stroke-dasharray", `${share * LENGTH} ${LENGTH}`);
    this.root.dataset.mark = quota.pause > 0 ? "bad" : share >= 1 ? "full" : "";
    this.number.textContent = quota.held;
    this.of.textContent = limit ? `of ${limit}${limit < quota.limit ? `, not ${quota.limit}` : ""}` : "no limit";
    this.drawing.setAttribute("aria-label", `${quota.held} slots ${this.of.textContent} held`);
    this.until = quota.next_slot === null ? null : performance.now() / 1000 + quota.next_slot;
    this.pause = quota.pause > 0 ? performance.now() / 1000 + quota.pause : null;
    this.tick();
    const { at_most, why } = quota.expected;
    const what = { read: "A read", write: "A write", drive: "A call to Drive" }[this.kind];
    this.wait.replaceChildren(`${what} put in now waits `, h("b", {}, at_most === null ? "?" : at_most ? atMost(at_most) : "0 s"), at_most === null ? ` ${why}` : "");
    const refused = quota.refused_user + quota.refused_project + quota.refused_other;
    const waiting = quota.waiting === 1 ? "1 spreadsheet waits" : `${quota.waiting} spreadsheets wait`;
    this.more.textContent = `${waiting} · ${quota.in_the_air} in the air · busy ${Math.round(quota.busy * 100)}\u00a0% of the hour · ${count(refused)} refused`;
  }

  // Counts down between two looks.
  tick() {
    const now = performance.now() / 1000;
    const left = (end) => seconds(Math.ceil(Math.max(0, end - now)));
    const text = this.pause ? `after a pause of ${left(this.pause)}` : this.until === null ? "when Google answers" : this.until <= now ? "now" : `in ${left(this.until)}`;
    if (this.next.textContent !== text) this.next.textContent = text;
  }
}

const requests = (step) => step.reads + step.writes + step.drive;

export class Overview {
  constructor(queue) {
    this.parts = ["history"];
    this.queue = queue;
    this.gauges = { read: new Gauge("read"), write: new Gauge("write"), drive: new Gauge("drive") };
    this.plots = [
      new Plot("Throughput, a minute", [
        { label: "calls", color: "accent", of: (_, minute) => minute.calls },
        { label: "requests", color: "blue", of: (_, minute) => requests(minute) },
        { label: "failed", color: "red", of: (_, minute) => minute.failed },
      ]),
      new Plot("Calls in the queue, at most", [{ label: "calls", color: "amber", of: (step) => step.waiting, fills: true }]),
      new Plot("Merging: calls for a request", [
        { label: "calls", color: "accent", of: (_, minute) => (requests(minute) ? minute.carried / requests(minute) : null) },
      ]),
    ];
    this.problems = h("ul", { className: "problems" });
    this.buttons = h("div", { className: "buttons" });
    this.numbers = h("dl", { className: "numbers" });
    this.servers = h("ul", { className: "lines" });
    this.asked = h("ul", { className: "lines" });
    const wrong = h("section", { className: "card wrong" }, h("h2", {}, "What is wrong"), this.problems, this.buttons);
    const now = h("section", { className: "card" }, h("h2", {}, "Calls"), this.numbers);
    const servers = h("section", { className: "card" }, h("h2", {}, "Servers"), this.servers);
    const asked = h("section", { className: "card" }, h("h2", {}, "Operators have asked"), this.asked);
    this.root = h("div", { className: "overview" }, wrong, this.gauges.read.root, this.gauges.write.root, this.gauges.drive.root, now, ...this.plots.map((plot) => plot.root), servers, asked);
    this.drawProblems = whenNew(([problems, paused]) => this.showProblems(problems, paused));
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
      button("Purge …", { name: "purge", title: "Cancel all calls that wait", verb: "Cancel them", first: "purge-question" }),
    );
  }

  show(seen) {
    this.drawProblems([seen.problems, lasting(seen.paused)]);
    for (const quota of seen.quota) this.gauges[quota.kind]?.show(quota);
    // Drive has a limit only where one was given.
    this.gauges.drive.root.hidden = !seen.quota.some((quota) => quota.kind === "drive" && quota.limit);
    this.showNumbers(seen);
    if (seen.history !== this.history) for (const plot of this.plots) plot.show(seen.history, seen.at);
    this.history = seen.history;
    this.showLines(seen);
  }

  showProblems(problems, paused) {
    const texts = new Set(paused.map((pause) => pause.text));
    const lines = problems.filter((problem) => !texts.has(problem)).map((problem) => h("li", {}, problem));
    const pauses = paused.map(pauseItem);
    fill(this.problems, [...pauses, ...lines]);
    if (!pauses.length && !lines.length) this.problems.replaceChildren(h("li", { className: "fine" }, "Nothing."));
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
      const token = server.has_token ? "" : ", no access token";
      const line = h("li", {}, h("b", {}, serverName(server)), ` ${server.role}, for ${seconds(server.uptime)}, silent ${seconds(server.silent)}${token}`);
      line.dataset.role = server.role;
      return line;
    });
    if (!servers.length) servers.push(h("li", { className: "hint" }, "None has ever worked here."));
    servers.push(h("li", {}, h("a", { href: href(this.queue, "servers") }, "All about servers")));
    fill(this.servers, servers);
    const asked = seen.actions.slice(0, 6).map((each) => h("li", {}, h("span", { className: "hint" }, ago(each.at, seen.at)), ` ${each.what}${each.why ? ` (${each.why})` : ""}, ${each.by}`));
    fill(this.asked, asked.length ? asked : [h("li", { className: "hint" }, "Nothing.")]);
  }
}
