// The last hour as curves. uPlot draws them on canvases, in the page's colours.

import { h } from "./dom.js";
import uPlot from "./uPlot.esm.js";

const HEIGHT = 150;
const STEP = 10;
const [MINUTE, SLOTS] = [6, 360];
const NOTHING = { calls: 0, failed: 0, waiting: 0, reads: 0, writes: 0, drive: 0, carried: 0 };
const DARK = matchMedia("(prefers-color-scheme: dark)");

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const clock = (at) => new Date(at * 1000).toISOString().slice(11, 16);
const short = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en", { maximumFractionDigits: 1 }));

// A plot of { label, color, of(step, minute) } for each series.
export class Plot {
  constructor(title, series) {
    this.title = title;
    this.series = series;
    this.canvas = h("div", { className: "canvas", role: "img" });
    this.legend = h("p", { className: "legend" });
    this.root = h("section", { className: "card plot" }, h("h2", {}, title), this.legend, this.canvas);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.canvas);
    this.recolor = () => this.make();
    DARK.addEventListener("change", this.recolor);
  }

  leave() {
    this.observer.disconnect();
    DARK.removeEventListener("change", this.recolor);
    this.plot?.destroy();
  }

  show(history, now) {
    const slots = slotsOf(history, now);
    const of = (one, { step, minute }) => (step ? one.of(step, minute) : null);
    this.data = [slots.map(({ at }) => at), ...this.series.map((one) => slots.map((slot) => of(one, slot)))];
    const latest = slots.findLast(({ step }) => step);
    this.legend.replaceChildren(...this.series.map((one) => {
      const value = latest ? short(of(one, latest)) : "–";
      const mark = h("span", { className: "mark" });
      mark.dataset.color = one.color;
      return h("span", {}, mark, `${one.label} `, h("b", {}, value));
    }));
    this.canvas.setAttribute("aria-label", `${this.title}, the last hour: now ${this.legend.textContent}`);
    if (this.plot) this.plot.setData(this.data);
    else this.make();
  }

  fit() {
    if (!this.data || !this.canvas.clientWidth) return;
    if (this.plot) this.plot.setSize({ width: this.canvas.clientWidth, height: HEIGHT });
    else this.make();
  }

  make() {
    if (!this.data || !this.canvas.clientWidth) return;
    this.plot?.destroy();
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const options = {
      width: this.canvas.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(high * 1.1, 1)] } },
      axes: [
        { ...axis, grid: { show: false }, values: (_, marks) => marks.map(clock), space: 70, incrs: [300, 600, 900, 1200, 1800], size: 26 },
        { ...axis, values: (_, marks) => marks.map(short), size: 46, space: 34 },
      ],
      series: [{}, ...this.series.map((one) => ({
        stroke: color(`--${one.color}`), width: 1.6, points: { show: false }, fill: one.fills ? color(`--${one.color}-soft`) : undefined, spanGaps: false,
      }))],
    };
    this.plot = new uPlot(options, this.data, this.canvas);
  }
}

// The hour as { at, step, minute }: a step, and the sum of the minute that ends with it. A step that
// nobody has counted is one in which nothing happened; before the first, nothing is known.
function slotsOf(history, now) {
  const steps = history.filter((step) => step.seconds === STEP);
  const by = new Map(steps.map((step) => [Math.floor(step.at / STEP) * STEP, step]));
  const end = Math.floor(now / STEP) * STEP;
  const first = Math.min(end, ...by.keys());
  const times = Array.from({ length: SLOTS }, (_, place) => end - (SLOTS - 1 - place) * STEP);
  return times.map((at) => {
    // Of the last one servers may have more to tell.
    if (at < first || (at === end && !by.has(at))) return { at, step: null, minute: null };
    const last = Array.from({ length: MINUTE }, (_, place) => by.get(at - place * STEP)).filter(Boolean);
    return { at, step: by.get(at) ?? NOTHING, minute: last.reduce(added, NOTHING) };
  });
}

const added = (sum, step) => Object.fromEntries(Object.keys(NOTHING).map((name) => [name, sum[name] + step[name]]));
