// Names and faces: who an id is, as the workspace knows it today.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";

const COLORS = ["#2f6f7e", "#8a5a2b", "#5b5ea6", "#3f7d4e", "#9b3d5f", "#6b5b95", "#4b6584", "#a0522d"];

/**
 * Names by id for one viewer.
 * @param {object} workspace the answer of /people/workspace
 */
export function createDirectory(workspace) {
  const people = new Map(workspace.people.map((person) => [person.id, person]));
  const apps = new Map((workspace.apps ?? []).map((app) => [app.bot_user, app]));
  const channels = new Map(workspace.channels.filter((one) => !one.kind.endsWith("im")).map((one) => [one.id, one]));
  const groups = new Map((workspace.usergroups ?? []).map((group) => [group.id, group]));
  const user = (id) => apps.get(id)?.name ?? people.get(id)?.real_name ?? people.get(id)?.name ?? id ?? "Unknown";
  return {
    me: workspace.me.id,
    user,
    person: (id) => people.get(id) ?? null,
    isApp: (id) => apps.has(id) || Boolean(people.get(id)?.is_bot),
    channel: (id) => channels.get(id)?.name ?? null,
    usergroup: (id) => groups.get(id)?.handle ?? groups.get(id)?.name ?? null,
  };
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

function colorOf(id, given) {
  if (given && CSS.supports("color", given)) return given;
  return COLORS[[...String(id)].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % COLORS.length];
}

/** A person's initials on their color; decoration, so not read aloud. */
export function avatar(id, directory, size = "") {
  const app = directory.isApp(id);
  const node = h(
    "span",
    { class: `avatar ${size} ${app ? "app" : ""}`.trim(), "aria-hidden": "true" },
    initials(directory.user(id)),
  );
  if (!app) node.style.backgroundColor = colorOf(id, directory.person(id)?.avatar_color);
  return node;
}

/** What else to know of a person: guest, deactivated, from another company, admin. */
export function standing(person) {
  if (!person) return "";
  if (person.deleted) return "deactivated";
  if (person.is_stranger) return "other organisation";
  if (person.is_restricted) return "guest";
  return person.is_admin ? "admin" : "";
}

/** A person's status beside the name: its emoji, or with `long` its words too. Nothing where there is none. */
export function statusMark(person, length = "short") {
  if (!person?.status_text && !person?.status_emoji) return null;
  const sign = emoji(person.status_emoji?.replaceAll(":", "") ?? "") ?? "💬";
  const words = person.status_text || person.status_emoji.replaceAll(":", "").replaceAll("_", " ");
  if (length === "long") return h("span", { class: "status" }, `${sign} ${words}`);
  return h("span", { class: "status", role: "img", title: words, "aria-label": `status: ${words}` }, sign);
}
