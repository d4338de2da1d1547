// The confirmation that an app may ask for before an action is sent.

import { h } from "./dom.js";
import { plain, textNodes } from "./text.js";

/**
 * Ask, and wait for the answer. Escape means no.
 * @param {object} question a Slack confirm object
 * @returns {Promise<boolean>}
 */
export function confirmed(question, directory) {
  return new Promise((resolve) => {
    const kind = question.style === "danger" ? "button danger" : "button primary";
    const dialog = h(
      "dialog",
      { class: "confirm", role: "alertdialog", "aria-label": plain(question.title), data: { confirm: "open" } },
      h("h2", {}, plain(question.title)),
      h("div", { class: "confirm-text" }, textNodes(question.text, directory)),
      h(
        "div",
        { class: "dialog-actions" },
        h(
          "button",
          { type: "button", class: "button", data: { confirm: "deny" }, on: { click: () => dialog.close("no") } },
          plain(question.deny) || "Cancel",
        ),
        h(
          "button",
          { type: "button", class: kind, data: { confirm: "accept" }, on: { click: () => dialog.close("yes") } },
          plain(question.confirm) || "Yes",
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
