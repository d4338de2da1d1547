// A conversation before a person's eyes: its messages as held here, kept up to date by what the workspace tells.

import { get } from "./api.js";
import { countReply, createHistory, drop, PAGE, prepend, put, renew, trim } from "./history.js";
import { perFrame } from "./live.js";
import { createMessageList } from "./message_list.js";

/**
 * @param {object} place `{page, channel, openThread, agent}`; openThread is null inside a thread; `agent(doing)` is
 *   told what the app says it is doing here
 * @param {string} name what a screen reader calls the list
 * @param {string|null} thread the thread's ts, or null for the channel itself
 * @returns {{node: HTMLElement, refresh: Function, take: Function, reach: Function}} `refresh()` fetches the newest;
 *   `take(event, data)` applies what happened; `reach(ts)` brings an older message in
 */
export function createConversation(place, name, thread) {
  const { page, channel } = place;
  const history = createHistory(thread ? inThread(thread) : inChannel);
  const state = { place, history, asked: 0, during: null };
  state.ask = (more) => get("/people/history", { as: page.me, channel, thread_ts: thread, limit: PAGE, ...more });
  const older = () => reachUp(state);
  state.list = createMessageList(place, name, { older, newest: () => refresh(state) });
  state.show = perFrame(() => (trim(history, state.list.atEnd()), state.list.show(history)));
  state.parent = (ts) => get("/people/history", { as: page.me, channel, thread_ts: ts });
  return {
    node: state.list.node,
    refresh: () => refresh(state),
    take: (event, data) => take(state, event, data),
    reach: (ts) => reach(state, ts),
  };
}

const inThread = (thread) => (one) => one.ts === thread || one.thread_ts === thread;
const inChannel = (one) => !one.thread_ts || one.thread_ts === one.ts || one.subtype === "thread_broadcast";

/** Fetch the newest; an older answer never overwrites a newer one, and what happened meanwhile is applied after it. */
async function refresh(state) {
  const turn = (state.asked += 1);
  state.during = [];
  const { messages, has_more, agent } = await state.ask();
  if (turn !== state.asked) return;
  renew(state.history, messages, Boolean(has_more));
  state.place.agent(agent);
  for (const [event, data] of state.during) apply(state, event, data);
  state.during = null;
  state.list.show(state.history);
}

async function reachUp(state) {
  const [oldest] = state.history.messages;
  if (!oldest) return;
  const { messages, has_more } = await state.ask({ before: oldest.ts });
  prepend(state.history, messages, Boolean(has_more));
  state.list.show(state.history);
}

async function reach(state, ts) {
  while (state.history.more && state.history.messages[0]?.ts > ts) await reachUp(state);
}

function take(state, event, data) {
  state.during?.push([event, data]);
  apply(state, event, data);
  state.show();
}

function apply(state, event, { message, ts, thread_ts }) {
  const { history, list } = state;
  const gone = event === "message_deleted" && message?.subtype !== "tombstone";
  if (gone) drop(history, { ts, ephemeral: message?.ephemeral });
  else if (message && put(history, message)) list.arrived();
  if (!thread_ts || !message) return;
  if (gone) recount(state, thread_ts);
  else if (event === "message") countReply(history, message);
}

/** A reply was taken away: only the workspace knows how many, and whose, are left. */
async function recount(state, thread) {
  const { messages } = await state.parent(thread);
  const parent = messages.find((one) => one.ts === thread);
  if (!parent) return;
  put(state.history, parent);
  state.show();
}
