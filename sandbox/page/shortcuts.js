// What a person can start: an app's shortcuts, on one message or anywhere, and copying a message's address.

import { post } from "./api.js";

const ofKind = (page, kind) => (page.workspace.shortcuts ?? []).filter((one) => one.type === kind);

/** What the menu of a message offers. */
export function messageActions(page, channel, message) {
  const run = (one) => ({ words: one.name, chosen: () => start(page, one, { channel, ts: message.ts }) });
  return [
    { words: "Copy link", chosen: () => copyLink(page, channel, message) },
    ...ofKind(page, "message").map(run),
  ];
}

/** The shortcuts that need no message. */
export function globalActions(page) {
  return ofKind(page, "global").map((one) => ({ words: one.name, chosen: () => start(page, one, {}) }));
}

async function start(page, { callback_id }, place) {
  try {
    await post("/people/shortcut", { as: page.me, callback_id, ...place });
  } catch (error) {
    page.toast(error.message);
  }
}

async function copyLink(page, channel, { ts, thread_ts }) {
  const address = new URL(`/archives/${channel}/p${ts.replace(".", "")}`, window.location.href);
  if (thread_ts && thread_ts !== ts) address.search = new URLSearchParams({ thread_ts, cid: channel });
  try {
    await navigator.clipboard.writeText(address.href);
    page.toast("Link copied.");
  } catch {
    page.toast(`The browser does not let this page copy. The link is ${address.href}`);
  }
}
