// Times as a person in this browser's time zone reads them.

const DAY = 86_400_000;

function format(date, options) {
  return new Intl.DateTimeFormat(undefined, options).format(date);
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function relativeDay(date, now) {
  const days = Math.round((startOfDay(date) - startOfDay(now)) / DAY);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? null;
}

/** The clock time of a message, e.g. "14:05". */
export function clock(ts) {
  return format(new Date(Number(ts) * 1000), { hour: "numeric", minute: "2-digit" });
}

/** The whole date and time of a message, for its tooltip. */
export function moment(ts) {
  return format(new Date(Number(ts) * 1000), { dateStyle: "full", timeStyle: "medium" });
}

/** The day a message belongs to: "Today", "Yesterday" or the date. */
export function day(ts, now = new Date()) {
  const date = new Date(Number(ts) * 1000);
  const near = relativeDay(date, now);
  return near
    ? near[0].toUpperCase() + near.slice(1)
    : format(date, { weekday: "long", month: "long", day: "numeric" });
}

const SHORT = { month: "short", day: "numeric", year: "numeric" };
const LONG = { weekday: "long", month: "long", day: "numeric", year: "numeric" };
const PARTS = {
  date_num: (date) =>
    `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`,
  date: (date) => format(date, { month: "long", day: "numeric", year: "numeric" }),
  date_short: (date) => format(date, SHORT),
  date_long: (date) => format(date, LONG),
  date_pretty: (date, now) => relativeDay(date, now) ?? PARTS.date(date),
  date_short_pretty: (date, now) => relativeDay(date, now) ?? format(date, SHORT),
  date_long_pretty: (date, now) => relativeDay(date, now) ?? format(date, LONG),
  time: (date) => format(date, { hour: "numeric", minute: "2-digit" }),
  time_secs: (date) => format(date, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
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
