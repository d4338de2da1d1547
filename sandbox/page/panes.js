// The middle and the right of the page: a conversation, a thread, an app's Home tab.

import { get, post } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { createComposer } from "./composer.js";
import { fill, h } from "./dom.js";
import { createMessageList } from "./message_list.js";
import { avatar } from "./people.js";
import { createScope } from "./scope.js";
import { createWelcome } from "./welcome.js";

/**
 * @typedef {object} Pane
 * @property {HTMLElement} node
 * @property {() => Promise<void>} refresh bring it up to date; an older answer never overwrites a newer one
 */

/** Fetch, and show only the answer to the newest question. */
function newest(fetch, show) {
  let asked = 0;
  return async () => {
    const turn = (asked += 1);
    const answer = await fetch();
    if (turn === asked) show(answer);
  };
}

/** @returns {Pane} a channel or a direct message */
export function channelPane(page, channel) {
  const openThread = (ts) => page.go(channel.id, ts);
  const list = createMessageList({ page, channel: channel.id, openThread }, `Messages in ${titleWords(page, channel)}`);
  const composer = createComposer(page, { channel: channel.id, thread: null }, `Message ${titleWords(page, channel)}`);
  const node = h(
    "main",
    { class: "pane", data: { pane: channel.id } },
    paneHeader(title(page, channel), channel.topic),
    createWelcome(page),
    list.node,
    composer.node,
  );
  const inChannel = (one) => !one.thread_ts || one.thread_ts === one.ts || one.subtype === "thread_broadcast";
  const fetch = () => get("/people/history", { as: page.me, channel: channel.id });
  return {
    node,
    refresh: newest(fetch, ({ messages }) => list.show(messages.filter(inChannel))),
    focus: composer.focus,
  };
}

/** @returns {Pane} one thread, at the right */
export function threadPane(page, channel, thread) {
  const list = createMessageList({ page, channel: channel.id, openThread: null }, "Thread");
  const composer = createComposer(page, { channel: channel.id, thread }, "Reply…");
  const close = h(
    "button",
    { type: "button", class: "icon-button", "aria-label": "Close thread", on: { click: () => page.go(channel.id) } },
    "×",
  );
  const node = h(
    "aside",
    { class: "pane thread", "aria-label": "Thread", data: { thread } },
    paneHeader(["Thread"], titleWords(page, channel), close),
    list.node,
    composer.node,
  );
  const inThread = (one) => one.ts === thread || one.thread_ts === thread;
  const fetch = () => get("/people/history", { as: page.me, channel: channel.id, thread_ts: thread });
  return {
    node,
    refresh: newest(fetch, ({ messages }) => list.show(messages.filter(inThread))),
    focus: composer.focus,
  };
}

/** @returns {Pane} the Home tab of an app */
export function homePane(page) {
  const app = page.workspace.apps[0];
  const body = h("div", { class: "home-body" });
  const node = h(
    "main",
    { class: "pane home", data: { pane: "home" } },
    paneHeader([avatar(app.bot_user, page.directory, "small"), app.name], "Home"),
    h("div", { class: "home-scroll", tabindex: "0", role: "region", "aria-label": `${app.name} Home` }, body),
  );
  let shown = null;
  const show = ({ view }) => {
    const signature = JSON.stringify(view);
    if (signature === shown) return;
    shown = signature;
    const scope = view && createScope(page, { view_id: view.id }, page.entered(`view/${view.id}`));
    if (scope) scope.held = view.state?.values ?? {};
    fill(
      body,
      view
        ? drawBlocks(view.blocks, scope)
        : h("p", { class: "empty" }, `${app.name} has not published its Home tab yet.`),
    );
  };
  const refresh = newest(() => get("/people/home", { as: page.me }), show);
  post("/people/open_home", { as: page.me }).catch((error) => page.toast(error.message));
  return { node, refresh, focus: () => {} };
}

function paneHeader(heading, note, close = null) {
  return h(
    "header",
    { class: "pane-header" },
    h("h1", {}, heading),
    note && h("span", { class: "topic" }, note),
    close,
  );
}

function title(page, channel) {
  if (channel.kind === "im") return [avatar(channel.with, page.directory, "small"), page.directory.user(channel.with)];
  return [h("span", { class: "hash", "aria-hidden": "true" }, "#"), channel.name];
}

function titleWords(page, channel) {
  return channel.kind === "im" ? page.directory.user(channel.with) : `#${channel.name}`;
}
