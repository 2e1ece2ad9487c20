// Requests for JSON.

const PATIENCE = 15_000;

// What was asked for is wrong; `field` names what, if it is one of the body's.
export class Refused extends Error {
  constructor(error, status) {
    super(error.message);
    this.field = error.field;
    this.status = status;
  }
}

export async function ask(method, path, body, { headers = {}, patience = PATIENCE } = {}) {
  const options = { method, headers, signal: AbortSignal.timeout(patience) };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { ...headers, "Content-Type": "application/json" };
  }
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.error, response.status);
  return answer;
}
