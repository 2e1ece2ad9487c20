// Forms made of the fields that the emulator tells of.

import { call } from "./api.js";
import { byId, h } from "./dom.js";

const SPAN = /^([\d.]+)\s*(?:-|–|,|to)\s*([\d.]+)$/;

const LABELS = { applied: "Applied all the same", to: "Requests to", path: "Path holds", skip: "Let off first", api: "API", html: "HTML" };

const words = (name) => {
  const text = name.replaceAll("_", " ");
  return LABELS[name] ?? text[0].toUpperCase() + text.slice(1);
};

const number = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : text);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function span(text) {
  const pair = SPAN.exec(text.replace(/^\[|\]$/g, ""));
  return pair ? [number(pair[1]), number(pair[2])] : number(text);
}

const READ = { number, seconds: span, value: parsed, text: String, choice: String };

function written(value) {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(" to ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

// One labelled field; `optional` lets a choice be left open.
class Input {
  constructor(name, about, id, optional) {
    this.name = name;
    this.form = about.form;
    this.problem = h("span", { className: "problem", id: `${id}-problem`, role: "alert" });
    this.input = this.made(about, id, optional);
    const label = h("label", { htmlFor: id, title: about.about }, words(name));
    const parts = this.form === "flag" ? [this.input, label] : [label, this.input];
    this.node = h("div", { className: `field ${this.form}` }, ...parts, this.problem);
  }

  made(about, id, optional) {
    const placeholder = about.default || (about.example && `e.g. ${about.example}`);
    const told = { id, name: this.name, title: about.about, placeholder, "aria-describedby": `${id}-problem` };
    if (this.form === "flag") return h("input", { ...told, type: "checkbox", placeholder: "" });
    if (this.form !== "choice") {
      const mode = this.form === "number" ? "decimal" : "text";
      return h("input", { ...told, type: "text", inputMode: mode, autocomplete: "off", spellcheck: false });
    }
    const choices = optional ? ["", ...about.choices] : about.choices;
    return h("select", told, ...choices.map((word) => h("option", { value: word }, word ? words(word) : "any")));
  }

  get value() {
    if (this.form === "flag") return this.input.checked;
    const text = this.input.value.trim();
    return text === "" ? null : READ[this.form](text);
  }

  set value(value) {
    if (this.form === "flag") this.input.checked = value === true;
    else this.input.value = written(value);
  }

  tell(message) {
    this.problem.textContent = message;
    this.input.setAttribute("aria-invalid", message ? "true" : "false");
  }
}

class Fields {
  constructor(form, send, button) {
    this.form = form;
    this.inputs = [];
    this.holder = h("div", { className: "fields" });
    this.said = h("span", { className: "said", role: "status" });
    form.replaceChildren(this.holder, h("div", { className: "actions" }, h("button", {}, button), this.said));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(send);
    });
  }

  async submit(send) {
    this.inputs.forEach((input) => input.tell(""));
    this.said.textContent = "";
    try {
      this.said.textContent = await send();
    } catch (error) {
      const wrong = this.inputs.find((input) => input.name === error.field);
      if (wrong) wrong.tell(error.message);
      else this.said.textContent = error.message;
      wrong?.input.focus();
    }
  }
}

// A form of values that are there: it sends those that were changed, and keeps to what others set.
export class Settings extends Fields {
  constructor(path, fields) {
    super(byId(path), () => this.send(), "Apply");
    this.path = path;
    this.known = {};
    this.inputs = Object.entries(fields).map(([name, about]) => new Input(name, about, `${path}-${name}`));
    this.holder.replaceChildren(...this.inputs.map((input) => input.node));
  }

  changed(input) {
    return input.name in this.known && JSON.stringify(input.value) !== JSON.stringify(this.known[input.name]);
  }

  show(values) {
    for (const input of this.inputs) {
      const untouched = !this.changed(input) && document.activeElement !== input.input;
      if (untouched || !(input.name in this.known)) input.value = values[input.name];
      if (untouched || !this.changed(input)) this.known[input.name] = values[input.name];
    }
  }

  async send() {
    const changed = this.inputs.filter((input) => this.changed(input));
    if (!changed.length) return "Nothing was changed.";
    const body = Object.fromEntries(changed.map((input) => [input.name, input.value]));
    const values = await call("PUT", this.path, body);
    this.inputs.forEach((input) => (input.value = values[input.name]));
    this.known = values;
    return "Applied.";
  }
}

// The form for a new fault: each kind has fields of its own.
export class FaultForm extends Fields {
  constructor(fields, onAdded) {
    super(byId("fault"), () => this.send(onAdded), "Add fault");
    this.fields = fields;
    const make = ([name, about]) => new Input(name, about, `fault-${name}`, !["kind", "to"].includes(name));
    this.rule = Object.entries(fields.rule).map(make);
    this.kind = this.rule.find((input) => input.name === "kind");
    this.kind.input.addEventListener("change", () => this.choose());
    this.choose();
  }

  choose() {
    const own = Object.entries(this.fields.faults[this.kind.value]);
    const [kind, ...others] = this.rule;
    const inputs = own.map(([name, about]) => new Input(name, about, `fault-${name}`, true));
    this.inputs = [kind, ...inputs, ...others];
    this.holder.replaceChildren(...this.inputs.map((input) => input.node));
    const to = others.find((input) => input.name === "to");
    to.value = this.kind.value === "oauth_refusal" ? "token" : "api";
  }

  async send(onAdded) {
    const given = this.inputs.filter((input) => input.value !== null && input.value !== false);
    const rule = await call("POST", "faults", Object.fromEntries(given.map((input) => [input.name, input.value])));
    onAdded();
    return `Added as fault ${rule.number}.`;
  }
}
