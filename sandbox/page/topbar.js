// The bar at the top: whose workspace this is, and as whom one acts.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { avatar, standing } from "./people.js";

/**
 * @param {object} page the page of one person
 * @param {(id: string) => void} become called with the person chosen
 * @param {HTMLElement} drawer the button that opens the sidebar on a narrow screen
 */
export function createTopbar(page, become, drawer) {
  const { team, me, people } = page.workspace;
  const select = h(
    "select",
    { class: "field select", id: "acting-as", data: { switcher: "person" } },
    people.filter((one) => !one.is_bot).map((one) => personOption(one)),
  );
  select.value = me.id;
  select.addEventListener("change", () => become(select.value));
  const team_mark = h("span", { class: "team-mark", "aria-hidden": "true" }, team.name[0]);
  return h(
    "header",
    { class: "topbar" },
    drawer,
    h("span", { class: "team" }, team_mark, h("span", { class: "team-name" }, team.name)),
    h(
      "span",
      { class: "acting" },
      h("label", { for: "acting-as" }, "Acting as"),
      avatar(me.id, page.directory, "small"),
      select,
    ),
  );
}

function personOption(person) {
  const status = [emoji(person.status_emoji?.replaceAll(":", "") ?? ""), person.status_text].filter(Boolean).join(" ");
  const notes = [person.title, standing(person), status].filter(Boolean).join(", ");
  const words = notes ? `${person.real_name} · ${notes}` : person.real_name;
  return h("option", { value: person.id, disabled: person.deleted }, words);
}
