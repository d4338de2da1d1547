// The traffic between the workspace and the app as it was recorded, for those who want to see it raw.

import { get } from "./api.js";
import { fill, h } from "./dom.js";

const KEPT = 100;
const EVERY_MS = 1000;

/**
 * @returns {{node: HTMLElement, toggle: HTMLElement, dispose: Function}} the drawer, the button that opens it
 */
export function createInspector() {
  const list = h("div", { class: "inspector-list", tabindex: "0", "aria-label": "Recorded traffic", role: "region" });
  const note = h("p", { class: "hint" }, "What the workspace and the app say to each other, newest first.");
  const node = h("section", { class: "inspector", hidden: true, "aria-label": "Inspector" }, note, list);
  const toggle = h("button", { type: "button", class: "footer-button", "aria-expanded": "false" }, "Inspector");
  const state = { list, rows: new Map(), next: 0, timer: null, open: false };
  toggle.addEventListener("click", () => {
    state.open = node.hidden;
    node.hidden = !state.open;
    toggle.setAttribute("aria-expanded", String(state.open));
    clearTimeout(state.timer);
    if (state.open) follow(state);
  });
  return { node, toggle, dispose: () => ((state.open = false), clearTimeout(state.timer)) };
}

async function follow(state) {
  try {
    const { calls, next } = await get("/control/record", { since: state.next });
    for (const call of calls.slice(-KEPT)) put(state, call);
    // An entry gets its answer later: ask again from the oldest one that still lacks it.
    state.next = calls.find((call) => call.status === null && !call.acked_at && next - call.n < KEPT)?.n ?? next;
    while (state.list.children.length > KEPT) state.list.lastElementChild.remove();
  } catch (error) {
    fill(state.list, h("p", { class: "hint" }, error.message));
  }
  if (state.open) state.timer = setTimeout(() => follow(state), EVERY_MS);
}

function put(state, call) {
  const signature = JSON.stringify(call);
  const old = state.rows.get(call.n);
  if (old?.signature === signature) return;
  const node = row(call);
  node.open = old?.node.open ?? false;
  if (old) old.node.replaceWith(node);
  else state.list.prepend(node);
  state.rows.set(call.n, { node, signature });
}

function row(call) {
  const outward = call.direction === "out";
  const details = h(
    "details",
    { class: "traffic" },
    h(
      "summary",
      {},
      h("span", { class: "traffic-time" }, new Date(call.at * 1000).toLocaleTimeString()),
      h("span", { class: outward ? "traffic-out" : "traffic-in" }, outward ? "→ app" : "← app"),
      h("span", { class: "traffic-method" }, `${call.kind} ${call.method ?? ""}`),
      h("span", { class: "hint" }, verdict(call)),
    ),
  );
  const show = () =>
    details.open &&
    details.children.length === 1 &&
    details.append(h("pre", { class: "pre", tabindex: "0" }, JSON.stringify(call, null, 2)));
  details.addEventListener("toggle", show);
  return details;
}

function verdict({ status, answer, acked_at, at }) {
  if (answer?.error) return String(answer.error);
  if (acked_at) return `acknowledged after ${Math.round((acked_at - at) * 1000)} ms`;
  return status ? String(status) : "";
}
