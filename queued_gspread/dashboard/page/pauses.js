// What is paused, each with a button that ends it.

import { act, isReadOnly } from "./actions.js";
import { h } from "./dom.js";

// `more` stands before it, such as a link.
export function pauseItem(pause, ...more) {
  const body = { what: pause.what, lane: pause.lane };
  const action = { name: "resume", title: "Resume", verb: "Resume", body, question: `${pause.text}.` };
  const button = h("button", { type: "button", click: () => act(action) }, "Resume …");
  button.dataset.key = `${pause.what}:${pause.lane}`;
  return h("li", {}, ...more, h("span", {}, pause.text), ...(isReadOnly() ? [] : [button]));
}

// How long one lasts changes with every look: the rest identifies it.
export const lasting = (paused) => paused.map(({ since, ...kept }) => kept);
