// Short notices in a corner, above everything, for a few seconds.

import { h } from "./dom.js";

const SHOWN_MS = 6000;

/** @returns {(words: string) => void} */
export function createToasts() {
  const shelf = h("div", { class: "toasts", role: "status", "aria-live": "polite", popover: "manual" });
  document.body.append(shelf);
  return (words) => {
    if ([...shelf.children].some((old) => old.textContent === words)) return;
    const note = h("div", { class: "toast" }, words);
    shelf.append(note);
    // Shown anew each time: the newest popover lies above an open modal.
    if (shelf.matches(":popover-open")) shelf.hidePopover();
    shelf.showPopover();
    setTimeout(() => {
      note.remove();
      if (!shelf.children.length && shelf.matches(":popover-open")) shelf.hidePopover();
    }, SHOWN_MS);
  };
}
