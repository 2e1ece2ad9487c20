// What is looked at is in the address: #/queue/page/detail?filter=…&sort=…

// Anybody can have written a link.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [queue, page, detail] = path.split("/").map(decoded);
  return { queue, page: page || "overview", detail, query: new URLSearchParams(query) };
}

export function href(queue, page, detail) {
  const parts = [queue, page, ...(detail === undefined ? [] : [detail])];
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

// Changes the query without a step in the history; '' removes a name.
export function keep(name, value) {
  const { queue, page, detail, query } = read();
  if (value) query.set(name, value);
  else query.delete(name);
  const text = query.toString();
  history.replaceState(null, "", href(queue, page, detail) + (text ? `?${text}` : ""));
}
