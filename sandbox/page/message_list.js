// A list of messages that is patched, not redrawn: what has not changed keeps its node, its focus and its place.

import { drawMessage, placing } from "./message.js";
import { h } from "./dom.js";

const NEAR_END = 80;

/**
 * @param {object} place what {@link drawMessage} needs: `{page, channel, openThread}`
 * @param {string} name what a screen reader calls the list
 * @returns {{node: HTMLElement, show: Function}} `show(messages)` brings the list up to date
 */
export function createMessageList(place, name) {
  const rows = h("div", { class: "rows", role: "list" });
  const node = h(
    "div",
    { class: "messages", role: "log", "aria-live": "polite", "aria-label": name, tabindex: "0" },
    rows,
  );
  const list = { node, rows, drawn: new Map(), place };
  keepAtEnd(node, rows);
  return { node, show: (messages) => show(list, messages) };
}

/** Whoever reads the newest message goes on reading the newest, whatever grows or shrinks; others are left in peace. */
function keepAtEnd(node, rows) {
  let atEnd = true;
  const follow = () => atEnd && (node.scrollTop = node.scrollHeight);
  node.addEventListener("scroll", () => (atEnd = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END));
  const sizes = new ResizeObserver(follow);
  sizes.observe(node);
  sizes.observe(rows);
}

function show(list, messages) {
  const { rows, drawn } = list;
  const wanted = messages.map((message, index) => row(list, message, messages[index - 1]));
  const keep = new Set(wanted);
  for (const [key, { row: old }] of drawn) if (!keep.has(old)) drawn.delete(key);
  for (const old of [...rows.children]) if (!keep.has(old)) old.remove();
  wanted.forEach((one, index) => rows.children[index] !== one && rows.insertBefore(one, rows.children[index] ?? null));
}

function row(list, message, previous) {
  const key = `${message.ephemeral ? "only-you" : "all"}/${message.ts}`;
  const placed = placing(message, previous);
  const signature = JSON.stringify([message, placed]);
  const old = list.drawn.get(key);
  if (old?.signature === signature) return old.row;
  const fresh = drawMessage(message, { ...list.place, ...placed });
  if (old) replace(old.row, fresh);
  list.drawn.set(key, { row: fresh, signature });
  return fresh;
}

/** A message that its app changed keeps the keyboard where it was, as far as the control still exists. */
function replace(old, fresh) {
  const action = old.contains(document.activeElement) ? document.activeElement.dataset.actionId : null;
  old.replaceWith(fresh);
  if (action === null) return;
  const again = [...fresh.querySelectorAll("[data-action-id]")].find((one) => one.dataset.actionId === action);
  (again ?? fresh.querySelector(".message")).focus({ preventScroll: true });
}
