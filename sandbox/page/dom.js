// Building DOM from untrusted data: text only ever becomes a text node, never markup.

/**
 * Create an element.
 * @param {string} tag
 * @param {object} attributes `class`, `data` (dataset), `on` (listeners), booleans and plain attributes;
 *   null, undefined and false are left out.
 * @param {...(Node|string|null|false|Array)} children strings become text nodes.
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") node.className = value;
  else if (name === "data") Object.assign(node.dataset, defined(value));
  else if (name === "on") for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
  else node.setAttribute(name, value === true ? "" : String(value));
}

function defined(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));
}

const SAFE_ADDRESS = /^(https?:\/\/|mailto:)/i;

/** A link that opens elsewhere and tells nothing about this page; an address of another scheme stays text. */
export function link(address, ...children) {
  if (!SAFE_ADDRESS.test(address)) return h("span", { class: "unsafe-link", title: address }, children);
  const attributes = { href: address, title: address, target: "_blank", rel: "noopener noreferrer", class: "link" };
  return h("a", attributes, children);
}

/** Replace a node's children. */
export function fill(node, ...children) {
  node.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return node;
}

let count = 0;

/** A fresh id, for labels that point at inputs. */
export function freshId(stem) {
  count += 1;
  return `${stem}-${count}`;
}
