// The last hour as curves. uPlot draws them on canvases, in the page's colours.

import { h } from "./dom.js";
import uPlot from "./uPlot.esm.js";

const HEIGHT = 150;
const STEP = 10;
const DARK = matchMedia("(prefers-color-scheme: dark)");

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const clock = (at) => new Date(at * 1000).toTimeString().slice(0, 5);
const short = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en", { maximumFractionDigits: 1 }));

// A plot of { label, color, of(step) } for each series.
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
    const steps = history.filter((step) => step.seconds === STEP).sort((a, b) => a.at - b.at);
    this.data = filled(steps, this.series, now);
    const latest = steps.at(-1);
    this.legend.replaceChildren(...this.series.map((one) => {
      const value = latest ? short(one.of(latest)) : "–";
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

// A step that nobody has counted is one in which nothing happened; before the first, nothing is known.
function filled(steps, series, now) {
  const end = Math.floor(now / STEP) * STEP;
  const by = new Map(steps.map((step) => [Math.floor(step.at / STEP) * STEP, step]));
  const first = steps.length ? Math.floor(steps[0].at / STEP) * STEP : end;
  const times = Array.from({ length: 360 }, (_, place) => end - (359 - place) * STEP);
  const of = (one, at) => (by.has(at) ? one.of(by.get(at)) : at < first || at === end ? null : one.gap);
  return [times, ...series.map((one) => times.map((at) => of(one, at) ?? null))];
}
