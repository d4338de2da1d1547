// The bar at the top: whose workspace this is, and as whom one acts.

import { h } from "./dom.js";
import { avatar, standing } from "./people.js";

/** @param {object} page the page of one person @param {(id: string) => void} become called with the person chosen */
export function createTopbar(page, become) {
  const { team, me, people } = page.workspace;
  const select = h(
    "select",
    { class: "field select", id: "acting-as", data: { switcher: "person" } },
    people.filter((one) => !one.is_bot).map((one) => personOption(one)),
  );
  select.value = me.id;
  select.addEventListener("change", () => become(select.value));
  return h(
    "header",
    { class: "topbar" },
    h("span", { class: "team" }, h("span", { class: "team-mark", "aria-hidden": "true" }, team.name[0]), team.name),
    h("span", { class: "lost", role: "status" }),
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
  const notes = [person.title, standing(person)].filter(Boolean).join(", ");
  return h(
    "option",
    { value: person.id, disabled: person.deleted },
    notes ? `${person.real_name} · ${notes}` : person.real_name,
  );
}
