// The page: what is looked at, what was seen last, and the keys.

import { isReadOnly, lead, prepare } from "./actions.js";
import { byId, fill, h } from "./dom.js";
import { Feed } from "./feed.js";
import { ask } from "./http.js";
import { Lane, Lanes } from "./lanes.js";
import { Callers, Outcomes, Servers } from "./others.js";
import { clock } from "./format.js";
import { Overview, kept } from "./overview.js";
import { href, read } from "./route.js";

const PAGES = { overview: ["Overview", Overview], lanes: ["Lanes", Lanes], callers: ["Callers", Callers], outcomes: ["Outcomes", Outcomes], servers: ["Servers", Servers] };
const VIEWS = { ...PAGES, lane: ["Lane", Lane] };
const PAUSE = 1000;

let about = null;
let view = null;
let seen = null;
let isHeld = false;
const feed = new Feed(tell);

function connection(state, text) {
  const node = byId("connection");
  if (node.dataset.state === state && node.textContent === text) return;
  node.dataset.state = state;
  node.textContent = text;
}

function trouble(text) {
  byId("trouble").hidden = !text;
  if (byId("trouble").textContent !== text) byId("trouble").textContent = text;
  document.body.classList.toggle("away", Boolean(text));
}

function tell(parts, error) {
  if (isHeld) return;
  trouble(error && seen ? `The page shows ${clock(seen.at)}. ${error}` : error);
  connection(error ? "away" : "live", error ? "away" : feed.failures ? "live, by asking" : "live");
  if (error) return;
  // Of what a page asks for, all is there with the first answer.
  seen = parts;
  const wrong = parts.problems.length + kept(parts).length;
  document.title = `${wrong ? `(${wrong}) ` : ""}${read().queue} – queue`;
  view.show(seen);
}

function showPages(queue, page) {
  const active = page === "lane" ? "lanes" : page;
  fill(byId("pages"), Object.entries(PAGES).map(([name, [title]]) => {
    const link = h("a", { href: href(queue, name) }, title);
    link.dataset.key = name;
    if (name === active) link.setAttribute("aria-current", "page");
    return link;
  }));
}

function look() {
  feed.stop();
  if (view && !isHeld && !document.hidden) feed.start(read().queue, view.parts);
}

function go() {
  const { queue, page, detail } = read();
  const known = about.queues.find((one) => one.namespace === queue);
  if (!known || !Object.hasOwn(VIEWS, page)) {
    history.replaceState(null, "", href(known ? queue : about.queues[0].namespace, "overview"));
    return go();
  }
  lead(queue);
  byId("queue").value = queue;
  byId("place").textContent = `${known.place}${isReadOnly() ? ", only to look at" : ""}. Times are UTC.`;
  showPages(queue, page);
  view?.leave?.();
  seen = null;
  view = new VIEWS[page][1](queue, detail, about);
  byId("view").replaceChildren(view.root);
  hold(false);
}

function hold(held) {
  isHeld = held;
  byId("hold").setAttribute("aria-pressed", String(held));
  byId("hold").textContent = held ? "Go on" : "Pause view";
  connection("waiting", held ? "view paused" : "connecting");
  look();
}

function key(event) {
  const isTyping = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" && isTyping?.classList.contains("filter")) {
    // The browser would empty it.
    event.preventDefault();
    return isTyping.blur();
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const table = view?.table;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key === "p") hold(!isHeld);
  else if (event.key === "/" && table?.filter.isConnected) table.filter.focus();
  else if (event.key in steps && table) table.move(steps[event.key]);
  else if (event.key === "Enter" && table && !event.target.closest("a, button")) table.open();
  else return;
  event.preventDefault();
}

async function begin() {
  try {
    about = await ask("GET", "api/queues");
  } catch (error) {
    connection("away", "away");
    trouble(error.status ? error.message : "The dashboard does not answer. Trying again …");
    setTimeout(begin, PAUSE);
    return;
  }
  trouble("");
  prepare(about.may_act);
  byId("queue-label").hidden = about.queues.length < 2;
  byId("queue").append(...about.queues.map(({ namespace }) => h("option", { value: namespace }, namespace)));
  go();
}

byId("queue").addEventListener("change", (event) => { location.hash = href(event.target.value, read().page === "lane" ? "lanes" : read().page); });
byId("hold").addEventListener("click", () => hold(!isHeld));
document.addEventListener("visibilitychange", look);
document.addEventListener("keydown", key);
addEventListener("hashchange", go);
begin();
