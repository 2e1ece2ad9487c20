// What the dashboard has seen, once a second: as a stream of events, or by asking where that fails.

import { ask } from "./http.js";

const PAUSE = 1000;
const SILENCE = 8000;
const MOST_FAILURES = 2;

export class Feed {
  // `tell` gets the parts of the snapshot that are there, and what is wrong: an error or "".
  constructor(tell) {
    this.tell = tell;
    this.failures = 0;
    this.run = 0;
    this.path = null;
  }

  start(queue, parts) {
    this.stop();
    this.path = (what) => `api/queues/${encodeURIComponent(queue)}/${what}?parts=${parts.join(",")}`;
    this.again();
  }

  stop() {
    this.run += 1;
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  again() {
    if (this.failures < MOST_FAILURES) this.stream();
    else this.poll();
  }

  stream() {
    const run = this.run;
    const parts = {};
    const source = (this.source = new EventSource(this.path("events")));
    const failed = () => {
      if (run !== this.run) return;
      source.close();
      this.failures += 1;
      if (this.failures >= MOST_FAILURES) this.poll();
      else this.timer = setTimeout(() => this.again(), PAUSE);
    };
    const watch = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(failed, SILENCE);
    };
    source.onmessage = (event) => {
      if (run !== this.run) return;
      this.failures = 0;
      watch();
      const seen = JSON.parse(event.data);
      Object.assign(parts, seen.parts);
      this.tell(parts, seen.error);
    };
    source.onerror = failed;
    watch();
  }

  async poll() {
    const run = this.run;
    try {
      const seen = await ask("GET", this.path("snapshot"));
      if (run !== this.run) return;
      // Once it was away, the stream may work again.
      if (this.isAway) this.failures = MOST_FAILURES - 1;
      this.isAway = false;
      this.tell(seen.parts, seen.error);
    } catch (error) {
      if (run !== this.run) return;
      this.isAway = true;
      this.tell({}, error.status ? error.message : "The dashboard does not answer. Trying again …");
    }
    this.timer = setTimeout(() => this.again(), PAUSE);
  }
}
