// Interactive elements outside of input blocks: buttons, overflow menus, and selects or pickers that act at once.

import { h } from "./dom.js";
import { field } from "./fields.js";
import { createMenu } from "./menu.js";
import { picture } from "./pictures.js";
import { act, enter, entry, suggest } from "./scope.js";
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
    openElsewhere(one.url);
    act(scope, block, one, node);
  });
  return node;
}

function overflow(block, one, scope) {
  const toggle = h(
    "button",
    {
      type: "button",
      class: "button overflow",
      "aria-label": "More actions",
      data: { actionId: one.action_id, blockId: block.block_id },
    },
    "⋯",
  );
  const offer = (option) => ({
    words: plain(option.text),
    note: option.description && h("span", { class: "hint" }, plain(option.description)),
    data: { value: option.value },
    chosen: () => {
      openElsewhere(option.url);
      act(scope, block, one, toggle, option.value);
    },
  });
  return createMenu(toggle, () => (one.options ?? []).map(offer));
}

function openElsewhere(address) {
  if (/^https?:\/\//i.test(address ?? "")) window.open(address, "_blank", "noopener,noreferrer");
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
    suggest: (typed) => suggest(scope, block, one, typed),
    changed: change,
    attributes: {
      "aria-label": plain(one.placeholder) || one.action_id,
      data: { actionId: one.action_id, blockId: block.block_id },
    },
  });
  return drawn?.node ?? null;
}
