// Pictures: only those that this machine serves are loaded; another address is named, not fetched.

import { h } from "./dom.js";

/** An image, or a box that says what it would show and from where. */
export function picture(address, words, kind) {
  const url = parsed(address);
  if (url?.origin === window.location.origin)
    return h("img", { class: kind, src: url.href, alt: words ?? "", loading: "lazy" });
  const place = url ? url.host : "Slack";
  return h(
    "span",
    {
      class: `${kind} picture-box`,
      role: "img",
      "aria-label": words ?? "image",
      title: `${words ?? "image"} (from ${place}; not loaded here)`,
    },
    h(
      "span",
      { class: "picture-words" },
      kind === "block-image" ? `${words ?? "image"} · ${place}` : (words ?? "?").slice(0, 1).toUpperCase(),
    ),
  );
}

function parsed(address) {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}
