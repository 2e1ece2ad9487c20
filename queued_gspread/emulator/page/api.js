// Requests to the emulator's own routes.

import { ask } from "./http.js";

export { Refused } from "./http.js";

export const call = (method, path, body) => ask(method, `/emulator/${path}`, body);
