// A list of messages that is patched, not redrawn: what has not changed keeps its node, its focus and its place.

import { key } from "./history.js";
import { drawMessage, placing } from "./message.js";
import { h } from "./dom.js";

const NEAR_END = 80;
const NEAR_START = 600;

/**
 * @param {object} place what {@link drawMessage} needs: `{page, channel, openThread}`
 * @param {string} name what a screen reader calls the list
 * @param {{older: () => Promise<void>, newest: () => Promise<void>}} reach fetch what is not held
 * @returns {{node: HTMLElement, show: Function, atEnd: () => boolean, arrived: () => void}} `show(history)` brings the
 *   list up to date; `arrived()` tells of something new at the end
 */
export function createMessageList(place, name, reach) {
  const rows = h("div", { class: "rows", role: "list" });
  const older = edge("Show older messages", "more");
  const jump = edge("New messages ↓", "jump");
  const node = h(
    "div",
    { class: "messages", role: "log", "aria-live": "polite", "aria-label": name, tabindex: "0" },
    older,
    rows,
    jump,
  );
  const list = { node, rows, older, jump, drawn: new Map(), place, reach, atEnd: true, behind: false, busy: false };
  keepAtEnd(list);
  older.addEventListener("click", () => reachUp(list));
  jump.addEventListener("click", () => toEnd(list));
  node.addEventListener("keydown", (event) => walk(event, list));
  const arrived = () => (jump.hidden = list.atEnd);
  return { node, show: (history) => show(list, history), atEnd: () => list.atEnd, arrived };
}

function edge(words, kind) {
  return h("button", { type: "button", class: `edge ${kind}`, hidden: true }, words);
}

/** Whoever reads the newest message goes on reading the newest, whatever grows or shrinks; others are left in peace. */
function keepAtEnd(list) {
  const { node, rows } = list;
  const follow = () => list.atEnd && (node.scrollTop = node.scrollHeight);
  node.addEventListener("scroll", () => scrolled(list), { passive: true });
  const sizes = new ResizeObserver(follow);
  sizes.observe(node);
  sizes.observe(rows);
}

function scrolled(list) {
  const { node, jump, older } = list;
  list.atEnd = !list.behind && node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END;
  if (list.atEnd) jump.hidden = true;
  else if (node.scrollTop < NEAR_START && !older.hidden) reachUp(list);
}

async function reachUp(list) {
  if (list.busy) return;
  list.busy = true;
  try {
    await list.reach.older();
  } catch (error) {
    list.place.page.toast(error.message);
  } finally {
    list.busy = false;
  }
}

async function toEnd(list) {
  try {
    if (list.behind) await list.reach.newest();
    list.node.scrollTop = list.node.scrollHeight;
  } catch (error) {
    list.place.page.toast(error.message);
  }
}

/** Arrow keys go from message to message; where a control has the keyboard, they are its own. */
function walk(event, { rows, node }) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const here = event.target.closest(".message");
  if (!step || (event.target !== node && event.target !== here)) return;
  const all = [...rows.querySelectorAll(".message")];
  const next = here ? all[all.indexOf(here) + step] : all.at(-1);
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function show(list, history) {
  const { node, older, jump } = list;
  const seen = list.atEnd ? null : firstSeen(list);
  patch(list, history.messages);
  older.hidden = !history.more;
  list.behind = history.behind;
  if (history.behind) jump.hidden = false;
  const again = seen && list.drawn.get(seen.name);
  if (again) node.scrollTop += top(again.row) - seen.top;
  else if (list.atEnd) node.scrollTop = node.scrollHeight;
}

/** The first message in sight, and where it stands: what is put in or taken out above must not move it. */
function firstSeen({ rows, node }) {
  const edge = node.getBoundingClientRect().top;
  for (const row of rows.children) {
    if (row.getBoundingClientRect().bottom > edge + 1) return { name: row.dataset.key, top: top(row) };
  }
  return null;
}

function top(row) {
  return row.querySelector(".message").getBoundingClientRect().top;
}

function patch(list, messages) {
  const { rows, drawn } = list;
  const wanted = messages.map((message, index) => row(list, message, messages[index - 1]));
  const keep = new Set(wanted);
  for (const [name, { row: old }] of drawn) {
    if (keep.has(old)) continue;
    old.remove();
    drawn.delete(name);
  }
  let next = rows.firstElementChild;
  for (const one of wanted) {
    if (one === next) next = next.nextElementSibling;
    else rows.insertBefore(one, next);
  }
}

function row(list, message, previous) {
  const name = key(message);
  const old = list.drawn.get(name);
  if (old && old.message === message && old.previous === previous) return old.row;
  const placed = placing(message, previous);
  const signature = `${placed.newDay} ${placed.continued}`;
  const kept = old && old.message === message && old.signature === signature;
  const one = kept ? old.row : drawMessage(message, { ...list.place, ...placed });
  if (old && !kept) replace(old.row, one);
  one.dataset.key = name;
  list.drawn.set(name, { row: one, message, previous, signature });
  return one;
}

/** A message that its app changed keeps the keyboard where it was, as far as the control still exists. */
function replace(old, fresh) {
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(fresh);
  if (!active) return;
  const action = active.dataset.actionId;
  const controls = [...fresh.querySelectorAll("[data-action-id]")];
  const again = action && controls.find((one) => one.dataset.actionId === action);
  (again || fresh.querySelector(".message")).focus({ preventScroll: true });
}
