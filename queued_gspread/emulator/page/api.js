// Requests to the emulator's own routes.

const PATIENCE = 10_000;

// What was asked for is wrong; `field` names what, if it is one of the body's.
export class Refused extends Error {
  constructor(error) {
    super(error.message);
    this.field = error.field;
  }
}

export async function call(method, path, body) {
  const options = { method, signal: AbortSignal.timeout(PATIENCE) };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(`/emulator/${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.error);
  return answer;
}
