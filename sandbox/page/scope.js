// Where a control stands (a message or a view), what has been entered there, and how a click goes out.

import { post } from "./api.js";
import { held } from "./choices.js";
import { confirmed } from "./confirm.js";
import { fill, h } from "./dom.js";

/**
 * @param {object} page the page of one person
 * @param {object} target `{channel, ts}` or `{view_id}`: what the sandbox calls the container
 * @param {Map} entered `block/action` -> {block, action, value}; only what a person touched
 */
export function createScope(page, target, entered = new Map()) {
  return { page, target, entered, present: new Set(), held: {}, errors: null };
}

const key = (block, element) => `${block.block_id}\u0000${element.action_id}`;

/** Remember what a person entered. */
export function enter(scope, block, element, value) {
  scope.entered.set(key(block, element), { block: block.block_id, action: element.action_id, value });
}

/** What a control stands at: what a person entered, what the workspace holds for it, or undefined (its initial value). */
export function entry(scope, block, element) {
  scope.present.add(key(block, element));
  const mine = scope.entered.get(key(block, element));
  return mine ? mine.value : held(scope.held[block.block_id]?.[element.action_id]);
}

/** Everything touched that is still on the screen, as `{block_id: {action_id: value}}`. */
export function values(scope) {
  const all = {};
  for (const [name, { block, action, value }] of scope.entered) {
    if (scope.present.has(name)) (all[block] ??= {})[action] = value;
  }
  return all;
}

/**
 * Send one action and wait for the app's acknowledgement; the control is busy meanwhile and says so if it failed.
 * @returns {Promise<boolean>} false where the person did not confirm, or the app refused
 */
export async function act(scope, block, element, control, selected) {
  if (control.getAttribute("aria-busy") === "true") return false;
  if (element.confirm && !(await confirmed(element.confirm, scope.page.directory))) return false;
  control.setAttribute("aria-busy", "true");
  complain(control, null);
  try {
    const place = { block_id: block.block_id, action_id: element.action_id };
    await post("/people/click", { as: scope.page.me, ...scope.target, ...place, selected, values: values(scope) });
    return true;
  } catch (error) {
    complain(control, error.message);
    scope.page.toast(error.message);
    return false;
  } finally {
    control.removeAttribute("aria-busy");
  }
}

/** Ask the app what it offers for what was typed into a menu that it fills. @returns {Promise<object[]>} options */
export async function suggest(scope, block, element, typed) {
  const place = { block_id: block.block_id, action_id: element.action_id };
  const body = { as: scope.page.me, ...scope.target, ...place, value: typed };
  const { options = [], option_groups = [] } = await post("/people/suggest", body);
  return [...options, ...option_groups.flatMap((one) => one.options)];
}

/** Say next to a control what went wrong; null takes it back. */
function complain(control, words) {
  const near = control.closest(".block") ?? control.parentElement;
  if (!near) return;
  const old = near.querySelector(":scope > .action-error");
  if (!words) old?.remove();
  else fill(old ?? near.appendChild(h("p", { class: "action-error", role: "alert" })), words);
}
