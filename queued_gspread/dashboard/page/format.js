// Numbers and times in words.

// A number and its unit stay on one line.
const SPACE = "\u00a0";
const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];
const [KIB, MIB] = [2 ** 10, 2 ** 20];
const SECONDS_OF_DATE = 19;

export const count = (number) => Math.round(number).toLocaleString("en");
export const calls = (number) => (number === 1 ? "1 call" : `${count(number)} calls`);

// A number of bytes.
export const size = (bytes) => (bytes < MIB ? `${(bytes / KIB).toFixed(1)}${SPACE}KiB` : `${(bytes / MIB).toFixed(1)}${SPACE}MiB`);

// Whole seconds, as `queued-gspread status` says them.
export function seconds(value, whole = Math.round) {
  if (value === null || value === undefined) return "?";
  if (value < 1.5 * MINUTE) return `${Math.ceil(value)}${SPACE}s`;
  if (value < 1.5 * HOUR) return `${whole(value / MINUTE)}${SPACE}min`;
  if (value < 1.5 * DAY) return `${whole(value / HOUR)}${SPACE}h`;
  return `${whole(value / DAY)}${SPACE}d`;
}

// Never rounded down.
export const atMost = (value) => `at most ${value < 10 ? `${(Math.ceil(value * 10) / 10).toFixed(1)}${SPACE}s` : seconds(value, Math.ceil)}`;
export const expected = ({ at_most, why }) => (at_most === null ? `? ${why}` : at_most ? atMost(at_most) : seconds(0));
export const ago = (at, now) => `${seconds(Math.max(0, now - at))} ago`;
// In UTC, as pauses and the command line have it: whoever compares them may sit elsewhere.
export const clock = (at) => `${new Date(at * 1000).toISOString().slice(0, SECONDS_OF_DATE).replace("T", " ")}${SPACE}UTC`;

export const KINDS = { read: "reads", write: "writes", drive: "Drive" };
const STATES = { sent: "waits for Google", again: "waits to retry", quota: "waits for a slot", paused: "paused", locked: "locked by" };

export function laneState(lane) {
  if (lane.paused) return lane.paused;
  const state = STATES[lane.state] ?? "";
  if (lane.state === "locked") return `${state} ${lane.locked_by}`;
  if (lane.state === "quota") return `${state}: ${KINDS[lane.kind] ?? lane.kind}`;
  if (lane.state === "again") return `${state}: ${seconds(lane.seconds)}`;
  return state;
}

export const serverName = (server) => (server.host ? `${server.host}:${server.process}` : server.about || server.id);
// A lock's holder has a lane of its own beside the spreadsheet's.
export const spreadsheetOf = (lane) => lane.split("!")[0];
