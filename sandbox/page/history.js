// The part of a conversation that a page holds: newest at the end, patched by what happens, never more than a bound.
//
// No DOM and no wire here. A conversation may hold thousands of messages; the page keeps a window of them.

/** How many messages are asked for at a time. */
export const PAGE = 100;
/** How many are kept while a person reads the newest, and while they read further up. */
const KEPT_AT_END = 2 * PAGE;
const KEPT = 4 * PAGE;

/**
 * @param {(message: object) => boolean} belongs which messages stand in this conversation
 * @returns {{messages: object[], more: boolean, behind: boolean, belongs: Function}} `more`: there are older ones;
 *   `behind`: newer ones arrived that are not held, since a person was reading far above
 */
export function createHistory(belongs) {
  return { messages: [], more: false, behind: false, belongs };
}

/** The newest messages as the workspace gave them; what reaches further up stays where the two meet. */
export function renew(history, found, more) {
  const fresh = found.filter(history.belongs).map(bare);
  const known = new Map(history.messages.map((one) => [key(one), one]));
  const first = fresh[0];
  const older = first ? history.messages.filter((one) => before(one, first)) : [];
  const meets = older.length > 0 && older.length < history.messages.length;
  const kept = meets && !history.behind ? older : [];
  history.more = kept.length ? history.more : more;
  history.messages = [...kept, ...fresh.map((one) => same(known.get(key(one)), one))];
  history.behind = false;
}

/** Messages before the oldest one held; newest are given up when that becomes too many. */
export function prepend(history, found, more) {
  const [oldest] = history.messages;
  const older = found.filter((one) => history.belongs(one) && (!oldest || before(one, oldest)));
  history.more = more;
  history.messages = [...older.map(bare), ...history.messages];
  giveUpNewest(history);
}

/** A message that is new or reads differently. @returns {boolean} whether it is newer than all that were known */
export function put(history, given) {
  const message = bare(given);
  if (!history.belongs(message)) return false;
  const { messages } = history;
  const at = place(messages, message);
  const newest = at === messages.length;
  if (!newest && key(messages[at]) === key(message)) messages[at] = same(messages[at], message);
  // What is older than the window is fetched when it is looked at; what is newer than a window left behind, too.
  else if (newest ? !history.behind : at > 0 || !history.more) messages.splice(at, 0, message);
  return newest;
}

/** Take a message away. */
export function drop(history, message) {
  history.messages = history.messages.filter((one) => key(one) !== key(message));
}

/** A reply was written: the message it hangs on counts it, once. */
export function countReply(history, reply) {
  const at = history.messages.findIndex((one) => one.ts === reply.thread_ts && !one.ephemeral);
  const parent = history.messages[at];
  if (!parent || reply.ephemeral || reply.ts <= (parent.latest_reply ?? "")) return;
  const reply_users = [...new Set([...(parent.reply_users ?? []), reply.user])];
  const reply_count = (parent.reply_count ?? 0) + 1;
  history.messages[at] = { ...parent, thread_ts: parent.ts, reply_count, reply_users, latest_reply: reply.ts };
}

/** Keep the bound. @param {boolean} atEnd whether the person reads the newest: then the oldest go */
export function trim(history, atEnd) {
  if (!atEnd) giveUpNewest(history);
  else if (history.messages.length > KEPT_AT_END) {
    history.messages = history.messages.slice(-PAGE);
    history.more = true;
  }
}

function giveUpNewest(history) {
  if (history.messages.length <= KEPT) return;
  history.messages = history.messages.slice(0, KEPT);
  history.behind = true;
}

/** What tells messages apart: an ephemeral one may carry the ts of another. */
export function key(message) {
  return `${message.ts}/${message.ephemeral ? "only-you" : "all"}`;
}

function before(one, other) {
  return key(one) < key(other);
}

/** Where a message stands or would stand, found from the end, since most are new. */
function place(messages, message) {
  let at = messages.length;
  while (at > 0 && !before(messages[at - 1], message)) at -= 1;
  return at;
}

/** Metadata is for apps: it is not shown, so it is not kept. */
function bare({ metadata: _, ...message }) {
  return message;
}

/** The object already held where nothing changed: whoever draws it can tell by identity. */
function same(old, fresh) {
  return old && JSON.stringify(old) === JSON.stringify(fresh) ? old : fresh;
}
