// Elements without HTML: whatever is text goes in as text.

export const byId = (id) => document.getElementById(id);

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name in node) node[name] = value;
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Replaces what is in a node; whoever had the focus by its data-key keeps it.
export function fill(node, children) {
  const key = node.contains(document.activeElement) && document.activeElement.dataset.key;
  node.replaceChildren(...children);
  if (key) [...node.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus();
}

// Returns a function that calls another one only with something new.
export function whenNew(use) {
  let before;
  return (value) => {
    const now = JSON.stringify(value);
    if (now !== before) use(value);
    before = now;
  };
}
