// The left column: channels, direct messages and the apps' Home tabs.

import { fill, h } from "./dom.js";
import { avatar } from "./people.js";

/**
 * @param {object} page the page of one person
 * @returns {{node: HTMLElement, show: Function}}
 */
export function createSidebar(page) {
  const lists = h("div", { class: "sidebar-lists" });
  const node = h("nav", { class: "sidebar", "aria-label": "Conversations" }, lists);
  return { node, show: () => fill(lists, ...groups(page)) };
}

function groups(page) {
  const { channels, apps = [] } = page.workspace;
  const rooms = channels.filter((one) => one.kind !== "im");
  const direct = channels.filter((one) => one.kind === "im");
  return [
    group(
      "Channels",
      rooms.map((one) => room(page, one, h("span", { class: "hash", "aria-hidden": "true" }, "#"), one.name)),
    ),
    group(
      "Direct messages",
      direct.map((one) => room(page, one, avatar(one.with, page.directory, "small"), page.directory.user(one.with))),
    ),
    group(
      "Apps",
      apps.map((app) => home(page, app)),
    ),
  ];
}

function group(title, entries) {
  return entries.length > 0 && h("section", { class: "sidebar-group" }, h("h2", {}, title), h("ul", {}, entries));
}

function room(page, channel, mark, name) {
  const unread = page.unread.has(channel.id);
  const here = page.place.channel === channel.id;
  const words = [
    mark,
    h("span", { class: "name" }, name),
    unread && h("span", { class: "dot", role: "img", "aria-label": "unread" }),
  ];
  return entry(here, unread, { channel: channel.id }, () => page.go(channel.id), words);
}

function home(page, app) {
  const words = [avatar(app.bot_user, page.directory, "small"), h("span", { class: "name" }, `${app.name} Home`)];
  return entry(page.place.channel === "home", false, { home: app.app_id }, () => page.go("home"), words);
}

function entry(here, unread, data, open, words) {
  const classes = ["place", here && "here", unread && "unread"].filter(Boolean).join(" ");
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: classes, data, "aria-current": here ? "page" : null, on: { click: open } },
      words,
    ),
  );
}
