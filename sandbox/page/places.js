// What a conversation is called, and the mark before its name.

import { h } from "./dom.js";
import { avatar } from "./people.js";

/** A conversation's name for this person. @param {string} hash what stands before a channel's name */
export function nameOf(page, channel, hash = "#") {
  if (channel.kind === "im") return page.directory.user(channel.with);
  if (channel.kind === "mpim") return others(page, channel).map(page.directory.user).join(", ");
  return `${hash}${channel.name}`;
}

/** The sign before the name: a face, how many there are, a lock or a hash. */
export function mark(page, channel) {
  if (channel.kind === "im") return avatar(channel.with, page.directory, "small");
  if (channel.kind === "mpim") return sign("avatar small several", String(others(page, channel).length));
  return sign("hash", channel.kind === "private" ? "🔒︎" : "#");
}

function sign(kind, words) {
  return h("span", { class: kind, "aria-hidden": "true" }, words);
}

/** A group's members stand in its name, as in Slack: mpdm-ana--ben--signoff-1. */
function others(page, channel) {
  const handles = /^mpdm-(.*)-\d+$/.exec(channel.name)?.[1].split("--") ?? [];
  const found = page.workspace.people.filter((one) => handles.includes(one.name));
  return found.map((one) => one.id).filter((id) => id !== page.me);
}
