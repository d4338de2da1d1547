// The first screen: what this is and what to try, given by whoever started the workspace; gone once dismissed.
//
// It stands beside the messages where there is room and folds to one line above them where there is not: what it
// talks about must stay in sight.

import { h } from "./dom.js";
import { mrkdwn } from "./text.js";

const KEY = "welcome-dismissed";
const ROOMY = "(min-width: 1180px)";

/** The panel, or null where there is none or it was dismissed. Its texts are mrkdwn. */
export function createWelcome(page) {
  const { welcome } = page.workspace;
  if (!welcome || window.sessionStorage.getItem(KEY) === welcome.title) return null;
  const words = (text) => mrkdwn(text, page.directory);
  const panel = h("section", { class: "welcome", "aria-label": welcome.title, data: { welcome: "open" } });
  const dismiss = () => {
    window.sessionStorage.setItem(KEY, welcome.title);
    panel.remove();
  };
  panel.append(
    h(
      "details",
      { open: window.matchMedia(ROOMY).matches },
      h("summary", {}, h("h2", {}, welcome.title)),
      ...(welcome.paragraphs ?? []).map((text) => h("p", {}, words(text))),
      h("ol", {}, ...(welcome.steps ?? []).map((text) => h("li", {}, words(text)))),
    ),
    h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", on: { click: dismiss } }, "×"),
  );
  return panel;
}
