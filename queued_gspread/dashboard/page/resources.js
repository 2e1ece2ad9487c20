// What the server has besides its first account's quota: further accounts, and what it remembers.
// Each is there only where it is used.

import { h } from "./dom.js";
import { count, KINDS, seconds, size } from "./format.js";
import { Table } from "./table.js";

const STEP = 10;

const quotaOf = (account, kind) => account.quota.find((quota) => quota.kind === kind);
const requestsOf = (account) => account.quota.reduce((sum, quota) => sum + quota.requests, 0);

// The slots that an account holds of a kind.
function slots(account, kind) {
  const quota = quotaOf(account, kind);
  if (!quota) return "–";
  return { text: quota.limit ? `${quota.held} of ${quota.limit}` : `${quota.held}, no limit`, mark: quota.limit && quota.held >= quota.limit ? "full" : "" };
}

function stateOf(account) {
  if (account.is_out) return { text: `out: ${account.why}`, mark: "bad" };
  const pauses = account.quota.filter((quota) => quota.pause > 0).map((quota) => `, ${KINDS[quota.kind]} pause ${seconds(quota.pause)}`);
  return { text: `${account.is_first ? "first" : "lends"}${pauses.join("")}`, mark: pauses.length ? "again" : "" };
}

class Accounts {
  constructor() {
    const held = (kind) => (account) => quotaOf(account, kind)?.held ?? 0;
    this.table = new Table({
      label: "Accounts",
      key: (account) => account.account,
      empty: "",
      canFilter: false,
      columns: [
        { name: "account", title: "Account", value: (one) => one.account, wide: true },
        { name: "project", title: "Project", tight: true, value: (one) => one.project },
        { name: "reads", title: "Slots of reads", number: true, value: held("read"), show: (one) => slots(one, "read") },
        { name: "writes", title: "Slots of writes", number: true, value: held("write"), show: (one) => slots(one, "write") },
        { name: "requests", title: "Requests", number: true, value: requestsOf, show: (one) => count(requestsOf(one)) },
        { name: "state", title: "State", value: (one) => one.why, show: stateOf, wide: true },
      ],
    });
    const about = "The quota above, and what a call waits at most, are of the first account alone.";
    this.root = h("section", { className: "card accounts" }, h("h2", {}, "Accounts"), this.table.root, h("p", { className: "hint" }, about));
  }

  show({ accounts }) {
    this.root.hidden = accounts.length < 2;
    this.table.show(accounts);
  }
}

class Memory {
  constructor() {
    this.numbers = h("dl", { className: "numbers" });
    this.values = ["from memory in the last hour", "from memory since the beginning", "share from memory", "answers in memory", "their size", "room for them"].map((name) => {
      const dd = h("dd");
      this.numbers.append(h("div", {}, h("dt", {}, name), dd));
      return dd;
    });
    this.root = h("section", { className: "card memory" }, h("h2", {}, "Reads that may be some seconds old"), this.numbers);
  }

  show({ cache, history }) {
    const asked = cache.hits + cache.misses;
    this.root.hidden = !asked;
    if (!asked) return;
    const lately = history.filter((step) => step.seconds === STEP).reduce((sum, step) => sum + step.hits, 0);
    const known = (value, show) => (value === null ? "?" : show(value));
    const told = [
      count(lately),
      count(cache.hits),
      `${Math.floor((100 * cache.hits) / asked)}\u00a0%`,
      known(cache.answers, count),
      known(cache.bytes, size),
      known(cache.limit, (limit) => (limit ? size(limit) : "none")),
    ];
    this.values.forEach((dd, place) => {
      if (dd.textContent !== told[place]) dd.textContent = told[place];
    });
  }
}

export class Resources {
  constructor() {
    this.cards = [new Accounts(), new Memory()];
    this.root = h("div", { className: "resources", hidden: true }, ...this.cards.map((card) => card.root));
  }

  show(seen) {
    for (const card of this.cards) card.show(seen);
    this.root.hidden = this.cards.every((card) => card.root.hidden);
  }
}
