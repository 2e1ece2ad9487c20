// What is paused, each with a button that ends it.

import { act, isReadOnly } from "./actions.js";
import { h } from "./dom.js";

export function pauseItem(pause) {
  const body = { what: pause.what, lane: pause.lane };
  const action = { name: "resume", title: "Resume", verb: "Resume", body, question: `${pause.text}.` };
  const button = h("button", { type: "button", click: () => act(action) }, "Resume …");
  button.dataset.key = `${pause.what}:${pause.lane}`;
  return h("li", {}, h("span", {}, pause.text), ...(isReadOnly() ? [] : [button]));
}

// How long one lasts changes with every look: the rest identifies it.
export const lasting = (paused) => paused.map(({ since, ...kept }) => kept);
