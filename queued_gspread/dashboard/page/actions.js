// What is done to a queue: each asks first, and takes the token.

import { byId } from "./dom.js";
import { ask } from "./http.js";

const [TOKEN, BY] = ["queued-gspread-token", "queued-gspread-by"];
// A purge of many calls takes its time.
const PATIENCE = 600_000;
const dialog = byId("action");
const signIn = byId("sign-in");
let mayAct = false;
let queue = "";
let after = null;
let doing = null;

export const isReadOnly = () => !mayAct;

export function prepare(may) {
  mayAct = may;
  byId("sign").hidden = !may;
  showSigned();
}

export function lead(name) {
  queue = name;
}

function showSigned() {
  byId("sign").textContent = sessionStorage.getItem(TOKEN) ? "Sign out" : "Sign in";
}

const headersOf = (token) => ({ "Queued-Gspread-Token": token });

function post(name, body) {
  const by = localStorage.getItem(BY) ?? "";
  const path = `api/queues/${encodeURIComponent(queue)}/${name}`;
  return ask("POST", path, { by, ...body }, { headers: headersOf(sessionStorage.getItem(TOKEN) ?? ""), patience: PATIENCE });
}

export function say(text) {
  const node = byId("told");
  node.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { node.textContent = ""; }, 12_000);
}

function askToSignIn(next = null) {
  after = next;
  byId("sign-in-problem").textContent = "";
  byId("sign-in-by").value = localStorage.getItem(BY) ?? "";
  byId("sign-in-token").value = "";
  signIn.showModal();
  byId(byId("sign-in-by").value ? "sign-in-token" : "sign-in-by").focus();
}

signIn.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = byId("sign-in-token").value.trim();
  try {
    // What no header can hold is no token.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("The token is one word of plain letters, digits and signs.");
    await ask("POST", "api/token", {}, { headers: headersOf(token) });
  } catch (error) {
    byId("sign-in-problem").textContent = error.message;
    return;
  }
  sessionStorage.setItem(TOKEN, token);
  localStorage.setItem(BY, byId("sign-in-by").value.trim());
  showSigned();
  signIn.close();
  const next = after;
  after = null;
  next?.();
});
byId("sign-in-cancel").addEventListener("click", () => signIn.close());
byId("sign").addEventListener("click", () => {
  if (!sessionStorage.getItem(TOKEN)) return askToSignIn();
  sessionStorage.removeItem(TOKEN);
  showSigned();
});

// Asks, and does it: { name, title, question, verb, body, what } of an action, and what to do then.
export function act(action, then = () => {}) {
  if (!sessionStorage.getItem(TOKEN)) return askToSignIn(() => act(action, then));
  doing = { action, then };
  byId("action-title").textContent = action.title;
  byId("action-where").textContent = [`queue ${queue}`, action.where].filter(Boolean).join(", ");
  byId("action-question").textContent = action.question ?? "";
  byId("action-what").hidden = !action.what;
  byId("action-kind").value = "all";
  byId("action-reason").value = "";
  byId("action-problem").textContent = "";
  byId("action-do").textContent = action.verb;
  byId("action-do").classList.toggle("danger", Boolean(action.isFinal));
  byId("action-do").disabled = Boolean(action.first);
  dialog.showModal();
  byId("action-reason").focus();
  if (action.first) prepareQuestion(doing);
}

// What is asked depends on the queue, as how many callers are told.
async function prepareQuestion(mine) {
  const { action } = mine;
  byId("action-question").textContent = "Counting …";
  try {
    const found = await post(action.first, action.body ?? {});
    if (doing !== mine) return;
    byId("action-question").textContent = found.calls ? found.question : "No calls wait there.";
    mine.more = { last: found.last };
    byId("action-do").disabled = !found.calls;
  } catch (error) {
    if (doing === mine) failed(error);
  }
}

function failed(error) {
  byId("action-problem").textContent = error.message;
  if (error.status === 401) {
    sessionStorage.removeItem(TOKEN);
    showSigned();
  }
}

dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { action, then, more } = doing;
  const body = { reason: byId("action-reason").value.trim(), ...action.body, ...more };
  if (action.what) body.what = byId("action-kind").value;
  byId("action-do").disabled = true;
  try {
    const { told } = await post(action.name, body);
    dialog.close();
    say(told);  // behind the dialog nobody would hear it
    then();
  } catch (error) {
    failed(error);
  } finally {
    byId("action-do").disabled = false;
  }
});
byId("action-cancel").addEventListener("click", () => dialog.close());

// The focus goes back to what has opened a dialog, unless that is gone meanwhile.
for (const one of [dialog, signIn]) {
  one.addEventListener("close", () => {
    if (!document.activeElement.closest("header, main")) byId("view").focus({ preventScroll: true });
  });
}
