// Interactive elements outside of input blocks: buttons, overflow menus, and selects or pickers that act at once.

import { h } from "./dom.js";
import { field } from "./fields.js";
import { picture } from "./pictures.js";
import { act, enter, entry } from "./scope.js";
import { plain, textNodes } from "./text.js";

/** An element of an actions block, or a section's accessory. */
export function element(block, one, scope) {
  if (one.type === "button") return button(block, one, scope);
  if (one.type === "overflow") return overflow(block, one, scope);
  if (one.type === "image") return picture(one.image_url, one.alt_text, "accessory-image");
  return picker(block, one, scope) ?? h("span", { class: "unsupported" }, `Unsupported element: ${one.type}`);
}

function button(block, one, scope) {
  const kind = ["primary", "danger"].includes(one.style) ? ` ${one.style}` : "";
  const attributes = {
    type: "button",
    class: `button${kind}`,
    data: { actionId: one.action_id, blockId: block.block_id },
    "aria-label": one.accessibility_label,
  };
  const node = h("button", attributes, h("span", { class: "button-text" }, plain(one.text)));
  node.addEventListener("click", () => {
    if (/^https?:\/\//i.test(one.url ?? "")) window.open(one.url, "_blank", "noopener,noreferrer");
    act(scope, block, one, node);
  });
  return node;
}

/** A menu button; arrow keys move, Escape closes. */
function overflow(block, one, scope) {
  const menu = h("div", { class: "menu", role: "menu", hidden: true });
  const toggle = h(
    "button",
    {
      type: "button",
      class: "button overflow",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": "More actions",
      data: { actionId: one.action_id, blockId: block.block_id },
    },
    "⋯",
  );
  const show = (open) => {
    menu.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    if (open) menu.firstElementChild?.focus();
  };
  menu.append(
    ...(one.options ?? []).map((option) =>
      menuItem(option, () => {
        show(false);
        if (/^https?:\/\//i.test(option.url ?? "")) window.open(option.url, "_blank", "noopener,noreferrer");
        act(scope, block, one, toggle, option.value);
      }),
    ),
  );
  toggle.addEventListener("click", () => show(menu.hidden));
  menu.addEventListener("keydown", (event) => steer(event, menu, () => (show(false), toggle.focus())));
  const node = h("span", { class: "overflow-anchor" }, toggle, menu);
  node.addEventListener("focusout", (event) => node.contains(event.relatedTarget) || show(false));
  return node;
}

function menuItem(option, chosen) {
  const note = option.description ? h("span", { class: "hint" }, plain(option.description)) : null;
  return h(
    "button",
    { type: "button", role: "menuitem", class: "menu-item", data: { value: option.value }, on: { click: chosen } },
    plain(option.text),
    note,
  );
}

function steer(event, menu, close) {
  const items = [...menu.children];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function picker(block, one, scope) {
  const change = (value) => {
    enter(scope, block, one, value);
    if (value !== null) act(scope, block, one, drawn.focus, value);
  };
  const drawn = field(one, {
    page: scope.page,
    value: entry(scope, block, one),
    words: (text) => textNodes(text, scope.page.directory),
    changed: change,
    attributes: {
      "aria-label": plain(one.placeholder) || one.action_id,
      data: { actionId: one.action_id, blockId: block.block_id },
    },
  });
  return drawn?.node ?? null;
}
