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

// Replaces what is in a node. What had the focus keeps it, by its data-key; if it is gone, the page's
// content has it, for else the keyboard would begin at the top.
export function fill(node, children) {
  const before = node.contains(document.activeElement) ? document.activeElement : null;
  node.replaceChildren(...children);
  if (!before) return;
  const same = [...node.querySelectorAll("[data-key]")].find((one) => one.dataset.key === before.dataset.key);
  (same ?? node.closest("main"))?.focus({ preventScroll: true });
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
