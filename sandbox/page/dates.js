// Times as a person in this browser's time zone reads them.

const DAY = 86_400_000;

const TIME = { hour: "numeric", minute: "2-digit" };
const SECONDS = { hour: "numeric", minute: "2-digit", second: "2-digit" };
const DATE = { month: "long", day: "numeric", year: "numeric" };
const SHORT = { month: "short", day: "numeric", year: "numeric" };
const LONG = { weekday: "long", month: "long", day: "numeric", year: "numeric" };
const WEEKDAY = { weekday: "long", month: "long", day: "numeric" };
const WHOLE = { dateStyle: "full", timeStyle: "medium" };

const formats = new Map();

/** A formatter is dear to make, so each is made once. */
function format(date, options) {
  if (!formats.has(options)) formats.set(options, new Intl.DateTimeFormat(undefined, options));
  return formats.get(options).format(date);
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** Whether two messages were written on the same day. */
export function sameDay(ts, other) {
  return startOfDay(new Date(Number(ts) * 1000)) === startOfDay(new Date(Number(other) * 1000));
}

function relativeDay(date, now) {
  const days = Math.round((startOfDay(date) - startOfDay(now)) / DAY);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? null;
}

/** The clock time of a message, e.g. "14:05". */
export function clock(ts) {
  return format(new Date(Number(ts) * 1000), TIME);
}

/** The whole date and time of a message, for its tooltip. */
export function moment(ts) {
  return format(new Date(Number(ts) * 1000), WHOLE);
}

/** The day a message belongs to: "Today", "Yesterday" or the date. */
export function day(ts, now = new Date()) {
  const date = new Date(Number(ts) * 1000);
  const near = relativeDay(date, now);
  return near
    ? near[0].toUpperCase() + near.slice(1)
    : format(date, WEEKDAY);
}

const PARTS = {
  date_num: (date) =>
    `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`,
  date: (date) => format(date, DATE),
  date_short: (date) => format(date, SHORT),
  date_long: (date) => format(date, LONG),
  date_pretty: (date, now) => relativeDay(date, now) ?? PARTS.date(date),
  date_short_pretty: (date, now) => relativeDay(date, now) ?? format(date, SHORT),
  date_long_pretty: (date, now) => relativeDay(date, now) ?? format(date, LONG),
  time: (date) => format(date, TIME),
  time_secs: (date) => format(date, SECONDS),
  ago: (date, now) => ago(date, now),
};

function ago(date, now) {
  const seconds = (date - now) / 1000;
  const [size, unit] = [
    [86400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ].find(([s]) => Math.abs(seconds) >= s) ?? [1, "second"];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

/**
 * Slack's date formatting: `{date_short} at {time}` and the like.
 * @param {number} seconds since the epoch
 * @param {string} pattern
 * @param {string} fallback shown where the number is no time
 */
export function formatDate(seconds, pattern, fallback, now = new Date()) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(PARTS, name) ? PARTS[name](date, now) : whole));
}
