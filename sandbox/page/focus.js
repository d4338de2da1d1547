// Where the keyboard was, and how it gets back there: what it was on may have been drawn anew meanwhile.

/**
 * The control that has the keyboard now.
 * @returns {{node: Element, ts: string|undefined, thread: boolean, block: string, action: string}} to be given to goBack
 */
export function whereFrom() {
  const node = document.activeElement;
  const ts = node.closest(".message")?.dataset.ts;
  return { node, ts, thread: Boolean(node.closest(".thread")), block: node.dataset.blockId, action: node.dataset.actionId };
}

/** To the same control; where it is gone, to the message or the page that it stood in. */
export function goBack({ node, ts, thread, block, action }) {
  if (node.isConnected && node !== document.body) return node.focus();
  const place = ts ? messageOf(ts, thread) : document.querySelector(".home-scroll");
  return (place && (again(place, block, action) ?? place))?.focus({ preventScroll: true });
}

/** The control of the same block and action, or else of the same action. */
export function again(place, block, action) {
  const all = [...place.querySelectorAll("[data-action-id]")].filter((one) => one.dataset.actionId === action);
  return all.find((one) => one.dataset.blockId === block) ?? all[0];
}

function messageOf(ts, thread) {
  const all = [...document.querySelectorAll(".message")].filter((one) => one.dataset.ts === ts);
  return all.find((one) => Boolean(one.closest(".thread")) === thread) ?? all[0];
}
