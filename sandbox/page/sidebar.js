// The left column: channels, direct messages and the apps' Home tabs. On a narrow screen it is a drawer.

import { fill, h } from "./dom.js";
import { avatar, statusMark } from "./people.js";
import { mark, nameOf } from "./places.js";

/**
 * @param {object} page the page of one person
 * @returns {{node: HTMLElement, show: Function}}
 */
export function createSidebar(page) {
  const lists = h("div", { class: "sidebar-lists" });
  const node = h("nav", { class: "sidebar", id: "sidebar", "aria-label": "Conversations" }, lists);
  let shown = null;
  const show = () => {
    const signature = JSON.stringify([page.workspace, [...page.unread], page.place.channel]);
    if (signature === shown) return;
    shown = signature;
    const { channel, home } = lists.contains(document.activeElement) ? document.activeElement.dataset : {};
    fill(lists, ...groups(page));
    const wanted = channel ? `[data-channel="${channel}"]` : home && `[data-home="${home}"]`;
    if (wanted) lists.querySelector(wanted)?.focus();
  };
  return { node, show };
}

function groups(page) {
  const { channels, apps = [] } = page.workspace;
  const direct = (one) => one.kind === "im" || one.kind === "mpim";
  const rooms = (wanted) => channels.filter((one) => direct(one) === wanted).map((one) => room(page, one));
  return [
    group("Channels", rooms(false)),
    group("Direct messages", rooms(true)),
    group(
      "Apps",
      apps.map((app) => home(page, app)),
    ),
  ];
}

function group(title, entries) {
  return entries.length > 0 && h("section", { class: "sidebar-group" }, h("h2", {}, title), h("ul", {}, entries));
}

function room(page, channel) {
  const unread = page.unread.has(channel.id);
  const words = [
    mark(page, channel),
    h("span", { class: "name" }, nameOf(page, channel, "")),
    channel.kind === "im" && statusMark(page.directory.person(channel.with)),
    unread && h("span", { class: "dot", role: "img", "aria-label": "unread" }),
  ];
  return entry(page.place.channel === channel.id, unread, { channel: channel.id }, () => page.go(channel.id), words);
}

function home(page, app) {
  const words = [avatar(app.bot_user, page.directory, "small"), h("span", { class: "name" }, `${app.name} Home`)];
  return entry(page.place.channel === "home", false, { home: app.app_id }, () => page.go("home"), words);
}

function entry(here, unread, data, open, words) {
  const classes = ["place", here && "here", unread && "unread"].filter(Boolean).join(" ");
  const attributes = { type: "button", class: classes, data, "aria-current": here ? "page" : null };
  return h("li", {}, h("button", { ...attributes, on: { click: open } }, words));
}

/**
 * What makes the sidebar a drawer where the screen is narrow. A choice, Escape and a press beside it close it.
 * @param {HTMLElement} frame gets the class that shows it
 * @param {HTMLElement} sidebar
 */
export function createDrawer(frame, sidebar) {
  const words = { "aria-label": "Conversations", "aria-controls": sidebar.id, title: "Conversations" };
  const toggle = h("button", { type: "button", class: "drawer-button", ...words }, "☰");
  const scrim = h("div", { class: "scrim" });
  const set = (open) => {
    frame.classList.toggle("drawer-open", open);
    toggle.setAttribute("aria-expanded", String(open));
  };
  const isOpen = () => frame.classList.contains("drawer-open");
  const escape = (event) => event.key === "Escape" && isOpen() && (set(false), toggle.focus());
  set(false);
  toggle.addEventListener("click", () => {
    set(!isOpen());
    if (isOpen()) sidebar.querySelector(".place.here")?.focus();
  });
  for (const node of [toggle, sidebar]) node.addEventListener("keydown", escape);
  scrim.addEventListener("click", () => set(false));
  return { toggle, scrim, close: () => set(false) };
}
