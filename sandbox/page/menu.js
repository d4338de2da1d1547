// A button that opens a menu. The menu lies above everything, so that no edge of a list or dialog cuts it off.

import { h } from "./dom.js";

const GAP = 4;

/**
 * @param {HTMLButtonElement} toggle
 * @param {() => {words: string|Node, note?: Node, data?: object, chosen: () => void}[]} offers asked each time it opens
 * @returns {HTMLElement} the button with its menu
 */
export function createMenu(toggle, offers) {
  const menu = h("div", { class: "menu", role: "menu", popover: "auto" });
  toggle.setAttribute("aria-haspopup", "menu");
  toggle.setAttribute("aria-expanded", "false");
  // A press on the button while the menu is open closes it by itself; opening it again at once would undo that.
  let open = false;
  toggle.addEventListener("pointerdown", () => (open = menu.matches(":popover-open")));
  toggle.addEventListener("click", () => {
    if (open) menu.hidePopover();
    else show(menu, toggle, offers());
    open = false;
  });
  menu.addEventListener("toggle", ({ newState }) => toggle.setAttribute("aria-expanded", String(newState === "open")));
  menu.addEventListener("keydown", (event) => steer(event, menu, toggle));
  return h("span", { class: "menu-anchor" }, toggle, menu);
}

function show(menu, toggle, offers) {
  const item = ({ words, note, data, chosen }) => {
    const click = () => (menu.hidePopover(), toggle.focus(), chosen());
    return h("button", { type: "button", role: "menuitem", class: "menu-item", data, on: { click } }, words, note);
  };
  menu.replaceChildren(...offers.map(item));
  menu.showPopover();
  place(menu, toggle.getBoundingClientRect());
  menu.firstElementChild?.focus();
}

/** Below the button and to its left edge; above, or to its right edge, where there is no room. */
function place(menu, button) {
  const { width, height } = menu.getBoundingClientRect();
  const below = button.bottom + GAP + height < window.innerHeight;
  const left = Math.min(button.left, window.innerWidth - width - GAP);
  menu.style.top = `${Math.max(GAP, below ? button.bottom + GAP : button.top - height - GAP)}px`;
  menu.style.left = `${Math.max(GAP, left)}px`;
}

function steer(event, menu, toggle) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (next !== undefined) items.at(next % items.length).focus();
  else if (event.key === "Escape" || event.key === "Tab") (menu.hidePopover(), toggle.focus());
  else return;
  event.preventDefault();
  event.stopPropagation();
}
