// The middle and the right of the page: a conversation, and a thread beside it.

import { createComposer } from "./composer.js";
import { createConversation } from "./conversation.js";
import { fill, h } from "./dom.js";
import { mark, nameOf } from "./places.js";
import { statusMark } from "./people.js";
import { createWelcome } from "./welcome.js";

/**
 * @typedef {object} Pane
 * @property {HTMLElement} node
 * @property {() => Promise<void>} refresh bring it up to date; an older answer never overwrites a newer one
 * @property {(event: string, data: object) => void} take apply what happened, as far as it belongs here
 * @property {() => void} focus put the keyboard where a person writes
 */

/** @returns {Pane} a channel or a direct message; `reach(ts)` fetches as far up as that message */
export function channelPane(page, channel) {
  const name = nameOf(page, channel);
  const openThread = (ts) => page.go(channel.id, ts);
  const doing = doingLine(page);
  const place = { page, channel: channel.id, openThread, agent: doing.show };
  const conversation = createConversation(place, `Messages in ${name}`, null);
  const composer = createComposer(page, { channel: channel.id, thread: null }, `Message ${name}`);
  const about = channel.kind === "im" && statusMark(page.directory.person(channel.with), "long");
  const node = h(
    "main",
    { class: "pane", data: { pane: channel.id } },
    paneHeader([mark(page, channel), nameOf(page, channel, "")], about || channel.topic),
    h("div", { class: "pane-body" }, createWelcome(page), conversation.node),
    doing.node,
    composer.node,
  );
  return { ...conversation, node, focus: composer.focus, take: taking(conversation, doing, channel.id, null) };
}

/** @returns {Pane} one thread, at the right */
export function threadPane(page, channel, thread) {
  const doing = doingLine(page);
  const place = { page, channel: channel.id, openThread: null, agent: doing.show };
  const conversation = createConversation(place, "Messages in thread", thread);
  const composer = createComposer(page, { channel: channel.id, thread }, "Reply…");
  const leave = { click: () => page.go(channel.id) };
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close thread", on: leave }, "×");
  const node = h(
    "aside",
    { class: "pane thread", "aria-label": "Thread", data: { thread } },
    paneHeader(["Thread"], nameOf(page, channel), close),
    h("div", { class: "pane-body" }, conversation.node),
    doing.node,
    composer.node,
  );
  node.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && page.go(channel.id));
  return { ...conversation, node, focus: composer.focus, take: taking(conversation, doing, channel.id, thread) };
}

function taking(conversation, doing, channel, thread) {
  return (event, data) => {
    if (data.channel !== channel) return;
    if (event !== "agent") conversation.take(event, data);
    const said = event === "agent" && (data.thread_ts || null) === thread;
    if (said || (event === "message" && doing.ends(data, thread))) doing.show(data.agent);
  };
}

/** What the app says it is doing, above the composer; its next words here end it. */
function doingLine(page) {
  const node = h("p", { class: "doing", role: "status" });
  const [app] = page.workspace.apps;
  const show = (agent) => fill(node, agent?.status ? words(app.name, agent) : null);
  const ends = ({ message, thread_ts }, thread) => (thread_ts ?? null) === thread && message?.user === app.bot_user;
  return { node, show, ends };
}

const SESSION = { processing: "is working…", active: "", suspended: "waits for a person.", closed: "" };

function words(name, { status }) {
  const said = Object.hasOwn(SESSION, status) ? SESSION[status] : status;
  return said ? `${name} ${said}` : null;
}

/** The line at the top of a pane. */
export function paneHeader(heading, note, close = null) {
  return h(
    "header",
    { class: "pane-header" },
    h("h1", {}, heading),
    note && h("span", { class: "topic" }, note),
    close,
  );
}
