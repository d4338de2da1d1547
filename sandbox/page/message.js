// One message: who, when, what, and what hangs on it.

import { drawBlocks } from "./blocks.js";
import { clock, day, moment, sameDay } from "./dates.js";
import { h } from "./dom.js";
import { createMenu } from "./menu.js";
import { avatar, statusMark } from "./people.js";
import { createScope } from "./scope.js";
import { messageActions } from "./shortcuts.js";
import { emojiNode, mrkdwn } from "./text.js";

const GROUPED_SECONDS = 300;

/** How a message stands to the one before it: a new day, or a continuation by the same author. */
export function placing(message, previous) {
  const newDay = !previous || !sameDay(previous.ts, message.ts);
  const near = previous && message.ts - previous.ts < GROUPED_SECONDS;
  const plain = (one) => (!one.blocks?.length || one.client_msg_id) && !one.ephemeral && !one.reply_count;
  const continued = !newDay && near && previous.user === message.user && plain(message) && plain(previous);
  return { newDay, continued: Boolean(continued) };
}

/**
 * Draw a message.
 * @param {object} message as /people/history gives it
 * @param {object} place `{page, channel, newDay, continued, openThread}`; openThread is null inside a thread
 */
export function drawMessage(message, place) {
  const { page, newDay, continued } = place;
  const author = page.directory.user(message.user);
  const classes = ["message", continued && "continued", message.ephemeral && "ephemeral"].filter(Boolean).join(" ");
  const deleted = message.subtype === "tombstone";
  const attributes = {
    class: deleted ? `${classes} deleted` : classes,
    tabindex: "-1",
    data: { ts: message.ts, user: message.user },
    "aria-label": `${author}, ${clock(message.ts)}`,
  };
  return h(
    "div",
    { class: "message-row", role: "listitem" },
    newDay && h("div", { class: "day", role: "separator" }, h("span", {}, day(message.ts))),
    h(
      "article",
      attributes,
      h("div", { class: "gutter" }, continued ? time(message, "side-time") : avatar(message.user, page.directory)),
      h(
        "div",
        { class: "message-main" },
        message.ephemeral && h("div", { class: "only-you" }, "Only visible to you"),
        !continued && byline(message, author, page),
        body(message, place),
        files(message),
        reactions(message),
        replies(message, place),
      ),
      tools(message, place),
    ),
  );
}

function byline(message, author, page) {
  const app = message.bot_id || page.directory.isApp(message.user);
  return h(
    "div",
    { class: "byline" },
    h("span", { class: "author" }, author),
    app ? h("span", { class: "badge" }, "APP") : statusMark(page.directory.person(message.user)),
    time(message, "time"),
  );
}

function time(message, kind) {
  return h("time", { class: kind, title: moment(message.ts) }, clock(message.ts));
}

function body(message, { page, channel }) {
  const edited = message.edited ? h("span", { class: "edited" }, " (edited)") : null;
  // What a person typed is shown from its text, which keeps the marks (*bold*) that the block beside it spells out.
  if (!message.blocks?.length || (message.client_msg_id && message.text))
    return h("div", { class: "text" }, mrkdwn(message.text ?? "", page.directory), edited);
  const scope = createScope(page, { channel, ts: message.ts }, page.entered(`${channel}/${message.ts}`));
  return h("div", { class: "blocks" }, drawBlocks(message.blocks, scope), edited);
}

function files(message) {
  return (message.files ?? []).map((file) => {
    const address = file.url_private ?? file.permalink;
    const name = file.title || file.name || "file";
    const size = file.size ? `${Math.max(1, Math.round(file.size / 1024))} kB` : "";
    const words = [
      h("span", { class: "file-name" }, name),
      h("span", { class: "hint" }, [file.filetype ?? file.mimetype, size].filter(Boolean).join(" · ")),
    ];
    const here = address && new URL(address, window.location.href).origin === window.location.origin;
    return here
      ? h("a", { class: "file", href: address, target: "_blank", rel: "noopener" }, words)
      : h("div", { class: "file" }, words);
  });
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h(
    "div",
    { class: "reactions" },
    message.reactions.map((one) =>
      h("span", { class: "reaction" }, emojiNode(one.name), ` ${one.count ?? one.users?.length ?? 1}`),
    ),
  );
}

function replies(message, { page, openThread }) {
  if (!message.reply_count || !openThread) return null;
  const faces = (message.reply_users ?? []).slice(0, 4).map((id) => avatar(id, page.directory, "small"));
  const words = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  return h(
    "button",
    { type: "button", class: "replies", data: { thread: message.ts }, on: { click: () => openThread(message.ts) } },
    faces,
    h("span", {}, words),
  );
}

function tools(message, { page, channel, openThread }) {
  if (message.ephemeral) return null;
  const reply = () => openThread(message.thread_ts ?? message.ts);
  const more = h("button", { type: "button", class: "tool", "aria-label": "Message actions" }, "⋯");
  return h(
    "div",
    { class: "tools" },
    openThread && h("button", { type: "button", class: "tool", on: { click: reply } }, "Reply in thread"),
    createMenu(more, () => messageActions(page, channel, message)),
  );
}
