// Text objects and mrkdwn nodes -> DOM, with people, channels and groups by name.

import { formatDate } from "./dates.js";
import { h, link } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { parse } from "./mrkdwn.js";

/** @typedef {{user: Function, channel: Function, usergroup: Function, me: string}} Directory */

const TAGS = { bold: "b", italic: "i", strike: "s", code: "code", pre: "pre", quote: "blockquote" };

/** A text object (`mrkdwn` or `plain_text`) as nodes. */
export function textNodes(object, directory) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text ?? "", directory, { verbatim: object.verbatim });
  return [plain(object)];
}

/** A plain_text object as a string; `emoji: false` keeps short names as written. */
export function plain(object) {
  const text = typeof object === "string" ? object : (object?.text ?? "");
  return object?.emoji === false ? text : withEmoji(text);
}

/** mrkdwn source as nodes. */
export function mrkdwn(source, directory, options = {}) {
  return parse(source, options).map((node) => draw(node, directory));
}

function draw(node, directory) {
  if (node.kind === "text") return document.createTextNode(node.text);
  if (node.kind === "emoji") return emojiNode(node.name);
  if (node.kind === "link") return link(node.url, node.label || node.url);
  if (node.kind === "date") return dateNode(node);
  if (TAGS[node.kind])
    return h(
      TAGS[node.kind],
      { class: node.kind },
      node.children.map((child) => draw(child, directory)),
    );
  return mention(node, directory);
}

/** A person, channel, group or everybody, as a mark with the name of today. */
export function mention(node, directory) {
  if (node.kind === "user")
    return h("span", { class: node.id === directory.me ? "mention me" : "mention" }, `@${directory.user(node.id)}`);
  if (node.kind === "channel")
    return h("span", { class: "mention" }, `#${directory.channel(node.id) ?? node.label ?? node.id}`);
  if (node.kind === "usergroup")
    return h("span", { class: "mention" }, `@${directory.usergroup(node.id) ?? node.label ?? node.id}`);
  return h("span", { class: "mention me" }, `@${node.range}`);
}

export function emojiNode(name) {
  const character = emoji(name);
  return character
    ? h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, character)
    : document.createTextNode(`:${name}:`);
}

export function dateNode({ seconds, format, url, fallback }) {
  const shown = h(
    "time",
    { title: formatDate(seconds, "{date_long} {time_secs}", fallback) },
    formatDate(seconds, format, fallback),
  );
  return url ? link(url, shown) : shown;
}
