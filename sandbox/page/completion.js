// The list above the composer: slash commands at the start, people after "@".

import { fill, freshId, h } from "./dom.js";

const SHOWN = 8;

/**
 * @param {object} page the page of one person
 * @param {HTMLTextAreaElement} field
 * @param {HTMLElement} frame where the list is put
 * @returns {{took: (event: KeyboardEvent) => boolean}} whether a key was meant for the list
 */
export function createCompletion(page, field, frame) {
  const id = freshId("completion");
  const list = h("ul", { class: "completion", role: "listbox", id, hidden: true, "aria-label": "Suggestions" });
  const state = { page, field, list, offers: [], at: 0 };
  frame.prepend(list);
  field.setAttribute("aria-controls", id);
  field.setAttribute("aria-autocomplete", "list");
  field.addEventListener("input", () => offer(state));
  field.addEventListener("blur", () => hide(state));
  return { took: (event) => took(state, event) };
}

function offer(state) {
  const before = state.field.value.slice(0, state.field.selectionStart);
  state.offers = /^\/\S*$/.test(before) ? commands(state.page, before) : people(state.page, before);
  state.at = 0;
  draw(state);
}

function commands(page, typed) {
  const all = (page.workspace.commands ?? []).filter(
    (one) => one.command.startsWith(typed.toLowerCase()) && one.command !== typed,
  );
  return all.map((one) => ({
    from: 0,
    text: `${one.command} `,
    title: `${one.command} ${one.usage_hint ?? ""}`.trim(),
    note: one.description,
  }));
}

function people(page, before) {
  const found = /(?:^|\s)@([\p{L}\p{N}._-]*)$/u.exec(before);
  if (!found) return [];
  const apps = (page.workspace.apps ?? []).map((app) => ({ real_name: app.name, title: "App" }));
  const everybody = [...apps, ...page.workspace.people.filter((one) => !one.deleted && !one.is_bot)];
  const close = everybody.filter((one) =>
    one.real_name
      .toLowerCase()
      .split(" ")
      .some((part) => part.startsWith(found[1].toLowerCase())),
  );
  return close
    .slice(0, SHOWN)
    .map((one) => ({
      from: before.length - found[1].length - 1,
      text: `@${one.real_name} `,
      title: one.real_name,
      note: one.title,
    }));
}

function draw(state) {
  const { list, offers, field } = state;
  list.hidden = offers.length === 0;
  fill(
    list,
    offers.map((one, index) => item(state, one, index)),
  );
  if (offers.length) field.setAttribute("aria-activedescendant", `${list.id}-${state.at}`);
  else field.removeAttribute("aria-activedescendant");
}

function item(state, one, index) {
  const chosen = (event) => {
    event.preventDefault();
    choose(state, index);
  };
  const attributes = {
    role: "option",
    id: `${state.list.id}-${index}`,
    "aria-selected": String(index === state.at),
    on: { mousedown: chosen },
  };
  return h(
    "li",
    attributes,
    h("span", { class: "completion-title" }, one.title),
    h("span", { class: "hint" }, one.note ?? ""),
  );
}

function hide(state) {
  state.offers = [];
  draw(state);
}

function choose(state, index) {
  const { field, offers } = state;
  field.setRangeText(offers[index].text, offers[index].from, field.selectionStart, "end");
  hide(state);
  field.dispatchEvent(new Event("input"));
}

function took(state, event) {
  if (!state.offers.length) return false;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) state.at = (state.at + step + state.offers.length) % state.offers.length;
  else if (event.key === "Enter" || event.key === "Tab") choose(state, state.at);
  else if (event.key === "Escape") hide(state);
  else return false;
  if (step) draw(state);
  event.preventDefault();
  return true;
}
