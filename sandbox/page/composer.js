// Where a person types: Enter sends, Shift and Enter starts a new line, "/" and "@" complete.

import { post } from "./api.js";
import { h } from "./dom.js";
import { createCompletion } from "./completion.js";
import { createMenu } from "./menu.js";
import { globalActions } from "./shortcuts.js";

const ROOMY = "(min-width: 761px)";

/**
 * @param {object} page the page of one person
 * @param {object} place `{channel, thread}`; thread is null in the channel itself
 * @param {string} prompt what the empty field says
 */
export function createComposer(page, { channel, thread }, prompt) {
  const key = `${channel}/${thread ?? ""}`;
  const field = h("textarea", {
    class: "composer-field",
    rows: "1",
    placeholder: prompt,
    "aria-label": prompt,
    data: { composer: thread ? "thread" : "channel" },
  });
  const send = h(
    "button",
    { type: "submit", class: "button primary send", "aria-label": "Send" },
    h("span", { class: "button-text" }, "Send"),
  );
  const form = h("form", { class: "composer" }, shortcuts(page), field, send);
  const completion = createCompletion(page, field, form);
  const place = { page, channel, thread, field, send, key };
  field.value = page.drafts.get(key) ?? "";
  field.addEventListener("input", () => typed(place));
  field.addEventListener("keydown", (event) => pressed(event, completion, form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(place);
  });
  typed(place);
  // On a narrow screen the keyboard would cover what was just opened.
  return { node: form, focus: () => window.matchMedia(ROOMY).matches && field.focus() };
}

/** The app's global shortcuts, where it has any. */
function shortcuts(page) {
  if (!globalActions(page).length) return null;
  const toggle = h("button", { type: "button", class: "icon-button", "aria-label": "Shortcuts" }, "⚡");
  return createMenu(toggle, () => globalActions(page));
}

function typed({ page, field, send, key }) {
  page.drafts.set(key, field.value);
  send.disabled = !field.value.trim();
  if (!field.isConnected) return;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
}

function pressed(event, completion, form) {
  if (event.isComposing || completion.took(event)) return;
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  form.requestSubmit();
}

async function submit(place) {
  const { page, channel, thread, field, send } = place;
  const text = field.value.trim();
  if (!text || send.getAttribute("aria-busy") === "true") return;
  send.setAttribute("aria-busy", "true");
  const command = text.startsWith("/");
  const body = command ? { text } : { text: addressed(text, page.workspace), thread_ts: thread ?? undefined };
  try {
    await post(command ? "/people/command" : "/people/say", { as: page.me, channel, ...body });
    // What was typed while the message was on its way stays.
    if (field.value.trim() === text) field.value = "";
    typed(place);
  } catch (error) {
    page.toast(error.message);
  } finally {
    send.removeAttribute("aria-busy");
  }
}

/** "@Name" becomes a mention, longest names first, for people and apps; the workspace escapes the rest. */
function addressed(text, workspace) {
  const apps = (workspace.apps ?? []).map((app) => ({ id: app.bot_user, real_name: app.name, name: app.name }));
  const names = [...apps, ...workspace.people]
    .flatMap(({ id, real_name, name }) => [
      [real_name, id],
      [name, id],
    ])
    .filter(([name]) => name);
  const known = new Map(names.map(([name, id]) => [name.toLowerCase(), id]));
  const pattern = [...known.keys()]
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"))
    .join("|");
  if (!pattern) return text;
  return text.replace(
    new RegExp(`(^|[\\s(])@(${pattern})(?![\\p{L}\\p{N}_])`, "giu"),
    (_, before, name) => `${before}<@${known.get(name.toLowerCase())}>`,
  );
}
