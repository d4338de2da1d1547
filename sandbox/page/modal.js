// The open modals of a person: the topmost is shown, those below keep what was entered.

import { get, post } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { fill, h } from "./dom.js";
import { goBack, whereFrom } from "./focus.js";
import { createScope, values } from "./scope.js";
import { plain } from "./text.js";

/**
 * @param {object} page the page of one person
 * @returns {{refresh: Function, dispose: Function}}
 */
export function createModals(page) {
  const modals = { page, scopes: new Map(), places: new Map(), dialog: null, shown: null, from: null, asked: 0 };
  return { refresh: () => refresh(modals), dispose: () => close(modals) };
}

async function refresh(modals) {
  const turn = (modals.asked += 1);
  const { views } = await get("/people/views", { as: modals.page.me });
  if (turn !== modals.asked) return;
  const known = new Set(views.map((one) => one.id));
  for (const kept of [modals.scopes, modals.places])
    for (const id of kept.keys()) if (!known.has(id)) kept.delete(id);
  if (views.length) show(modals, views.at(-1), views.length);
  else close(modals);
}

function close(modals) {
  const { dialog, from } = modals;
  Object.assign(modals, { dialog: null, shown: null, from: null });
  dialog?.remove();
  if (from) goBack(from);
}

function scopeOf(modals, entry) {
  if (!modals.scopes.has(entry.id)) modals.scopes.set(entry.id, createScope(modals.page, { view_id: entry.id }));
  const scope = modals.scopes.get(entry.id);
  return Object.assign(scope, { held: entry.view.state?.values ?? {}, errors: entry.errors ?? null });
}

function show(modals, entry, depth) {
  const scope = scopeOf(modals, entry);
  const signature = JSON.stringify([entry.id, entry.hash, scope.errors, depth]);
  if (signature === modals.shown) return;
  if (modals.dialog) modals.places.set(modals.dialog.dataset.viewId, remember(modals.dialog));
  const place = modals.places.get(entry.id);
  modals.shown = signature;
  modals.from ??= whereFrom();
  modals.dialog ??= open(modals);
  modals.dialog.dataset.viewId = entry.id;
  fill(modals.dialog, content(modals, entry, scope, depth));
  if (place) restore(modals.dialog, place);
  else focusFirst(modals.dialog);
}

function open(modals) {
  const dialog = h("dialog", {
    class: "modal",
    role: "dialog",
    "aria-modal": "true",
    "aria-labelledby": "modal-title",
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave(modals, false);
  });
  // A browser may close a dialog on its own (Escape twice): the app hears of it all the same.
  dialog.addEventListener("close", () => dialog === modals.dialog && leave(modals, false));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function content(modals, entry, scope, depth) {
  const { view } = entry;
  scope.present.clear();
  const form = h("form", { class: "modal-form", novalidate: true });
  const submit =
    view.submit &&
    h(
      "button",
      { type: "submit", class: "button primary", data: { modal: "submit" } },
      h("span", { class: "button-text" }, plain(view.submit)),
    );
  const dismiss = h(
    "button",
    { type: "button", class: "button", data: { modal: "close" }, on: { click: () => leave(modals, false) } },
    plain(view.close) || "Close",
  );
  form.append(
    h("div", { class: "modal-body", tabindex: "-1", data: { modal: "body" } }, drawBlocks(view.blocks, scope)),
    h("p", { class: "modal-fault", role: "alert" }),
    h("footer", { class: "modal-footer" }, dismiss, submit || null),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (submit) send(modals, entry, scope, submit, form);
  });
  form.addEventListener("keydown", (event) => enterKey(event, form));
  return [modalHeader(modals, view, depth), form];
}

function modalHeader(modals, view, depth) {
  const back =
    depth > 1 &&
    h(
      "button",
      { type: "button", class: "icon-button", "aria-label": "Back", on: { click: () => leave(modals, false) } },
      "‹",
    );
  return h(
    "header",
    { class: "modal-header" },
    back,
    h("h2", { id: "modal-title" }, plain(view.title)),
    h(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": "Close",
        data: { modal: "clear" },
        on: { click: () => leave(modals, true) },
      },
      "×",
    ),
  );
}

/** A stray Enter in a one-line field decides nothing; Control (or Command) and Enter submits. */
function enterKey(event, form) {
  if (event.key !== "Enter" || event.isComposing) return;
  if (event.ctrlKey || event.metaKey) form.requestSubmit();
  else if (event.target.matches("input")) event.preventDefault();
}

async function send(modals, entry, scope, submit, form) {
  if (submit.getAttribute("aria-busy") === "true") return;
  submit.setAttribute("aria-busy", "true");
  const fault = form.querySelector(".modal-fault");
  fill(fault);
  try {
    await post("/people/submit", { as: modals.page.me, view_id: entry.id, values: values(scope) });
    await refresh(modals);
    modals.dialog?.querySelector(".faulty")?.scrollIntoView({ block: "nearest" });
  } catch (error) {
    fill(fault, error.message);
  } finally {
    submit.removeAttribute("aria-busy");
  }
}

async function leave(modals, clear) {
  const view_id = modals.dialog?.dataset.viewId;
  if (!view_id) return;
  if (!modals.dialog.open) close(modals);
  try {
    await post("/people/close", { as: modals.page.me, view_id, clear });
  } catch (error) {
    modals.page.toast(error.message);
  }
  await refresh(modals);
}

/** What is asked for comes first; where nothing is, the keyboard begins where a person reads. */
function focusFirst(dialog) {
  const asked = dialog.querySelector(".modal-body [autofocus]");
  const first = asked ?? dialog.querySelector(".modal-body :is(input, textarea, select):not([disabled])");
  (first ?? dialog.querySelector("[data-modal=body]"))?.focus();
}

/** Where a person was in a modal that its app updates under their hands. */
function remember(dialog) {
  const active = dialog.contains(document.activeElement) ? document.activeElement : null;
  return {
    scroll: dialog.querySelector(".modal-body")?.scrollTop ?? 0,
    block: active?.dataset.blockId,
    action: active?.dataset.actionId,
    box: active?.matches("[type=checkbox], [type=radio]") ? active.value : null,
    caret: typeof active?.selectionStart === "number" ? [active.selectionStart, active.selectionEnd] : null,
  };
}

function restore(dialog, { scroll, block, action, box, caret }) {
  dialog.querySelector(".modal-body").scrollTop = scroll;
  const same = [...dialog.querySelectorAll("[data-action-id]")].filter(
    (one) => one.dataset.blockId === block && one.dataset.actionId === action,
  );
  const again = same.find((one) => one.value === box) ?? same[0];
  if (!again) return focusFirst(dialog);
  again.focus();
  if (caret && again.setSelectionRange && again.type !== "email") again.setSelectionRange(...caret);
  return undefined;
}
