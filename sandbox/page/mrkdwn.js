// Slack's mrkdwn as a tree of plain values: no DOM here, and nothing that can become markup.
//
// A node is {kind, ...}: text{text} emoji{name} code{children} pre{children} quote{children} bold|italic|strike{children}
// link{url, label} user{id} usergroup{id, label} channel{id, label} broadcast{range} date{seconds, format, url, fallback}.

const MARKS = { "*": "bold", _: "italic", "~": "strike" };
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const WORD = /[\p{L}\p{N}_]/u;
const ANGLE = /<([^<>\n]+)>/y;
const ENTITY = /&(?:amp|lt|gt);/y;
const EMOJI = /:([a-z0-9_+-]+):/y;
const BARE_LINK = /https?:\/\/[^\s<>|`]*[^\s<>|`.,;:!?)'"*_~]/y;
const ADDRESS = /^(https?:\/\/|mailto:)/i;

/** Undo the three escapes that Slack knows; everything else is text already. */
function unescape(text) {
  return text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);
}

/**
 * @param {string} source mrkdwn as stored
 * @param {{verbatim?: boolean}} options verbatim: bare addresses stay text
 * @returns {Array<object>} nodes
 */
export function parse(source, { verbatim = false } = {}) {
  const nodes = [];
  const pieces = source.split(/```([\s\S]+?)```/);
  pieces.forEach((piece, index) => {
    if (index % 2) nodes.push({ kind: "pre", children: inCode(piece.replace(/^\n/, "")) });
    else nodes.push(...lines(index ? piece.replace(/^\n/, "") : piece, verbatim));
  });
  return nodes;
}

/** Quotes are lines that start with `>`, escaped or not: Slack stores either. */
function lines(source, verbatim) {
  const nodes = [];
  for (const part of source.split(/((?:^(?:>|&gt;).*(?:\n|$))+)/m)) {
    if (!part) continue;
    if (!/^(?:>|&gt;)/.test(part)) nodes.push(...inline(part, verbatim));
    else
      nodes.push({ kind: "quote", children: inline(part.replace(/^(?:>|&gt;) ?/gm, "").replace(/\n$/, ""), verbatim) });
  }
  return nodes;
}

function inline(source, verbatim, active = "") {
  const reader = { source, verbatim, active, at: 0, text: "", nodes: [], unclosed: {} };
  while (reader.at < source.length) {
    if (!(
      takeAngle(reader) ||
      takeEntity(reader) ||
      takeEmoji(reader) ||
      takeCode(reader) ||
      takeMark(reader) ||
      takeLink(reader)
    )) {
      reader.text += source[reader.at];
      reader.at += 1;
    }
  }
  flush(reader);
  return reader.nodes;
}

function flush(reader) {
  if (reader.text) reader.nodes.push({ kind: "text", text: reader.text });
  reader.text = "";
}

function push(reader, node, length) {
  flush(reader);
  reader.nodes.push(node);
  reader.at += length;
  return true;
}

function match(pattern, reader) {
  pattern.lastIndex = reader.at;
  return pattern.exec(reader.source);
}

function takeAngle(reader) {
  const found = reader.source[reader.at] === "<" && match(ANGLE, reader);
  const node = found && angle(found[1]);
  return Boolean(node) && push(reader, node, found[0].length);
}

function takeEntity(reader) {
  const found = reader.source[reader.at] === "&" && match(ENTITY, reader);
  if (!found) return false;
  reader.text += ENTITIES[found[0]];
  reader.at += found[0].length;
  return true;
}

function takeEmoji(reader) {
  const found = reader.source[reader.at] === ":" && match(EMOJI, reader);
  return Boolean(found) && push(reader, { kind: "emoji", name: found[1] }, found[0].length);
}

function takeCode(reader) {
  if (reader.source[reader.at] !== "`") return false;
  const end = reader.source.indexOf("`", reader.at + 1);
  const inner = reader.source.slice(reader.at + 1, end);
  if (end < 0 || !inner || inner.includes("\n")) return false;
  return push(reader, { kind: "code", children: inCode(inner) }, inner.length + 2);
}

function takeLink(reader) {
  if (reader.verbatim || reader.source[reader.at] !== "h" || WORD.test(reader.source[reader.at - 1] ?? " "))
    return false;
  const found = match(BARE_LINK, reader);
  if (!found) return false;
  const url = unescape(found[0]);
  return push(reader, { kind: "link", url, label: url }, found[0].length);
}

/** A mark opens at a word's start and closes at a word's end on the same line, never within its own kind. */
function takeMark(reader) {
  const { source, at, active, unclosed } = reader;
  const mark = source[at];
  if (!MARKS[mark] || active.includes(mark) || at < (unclosed[mark] ?? 0)) return false;
  if (WORD.test(source[at - 1] ?? " ") || /[\s]/.test(source[at + 1] ?? " ") || source[at + 1] === mark) return false;
  const end = closing(source, at, mark);
  if (end < 0) {
    // No closer from here means none for any later opener of this line: keeps the reading linear.
    const newline = source.indexOf("\n", at);
    unclosed[mark] = newline < 0 ? source.length : newline;
    return false;
  }
  const inner = source.slice(at + 1, end);
  return push(reader, { kind: MARKS[mark], children: inline(inner, reader.verbatim, active + mark) }, inner.length + 2);
}

function closing(source, start, mark) {
  for (let at = start + 1; at < source.length && source[at] !== "\n"; at += 1) {
    if (source[at] === "<") at = skip(source, at, ">");
    else if (source[at] === "`") at = skip(source, at, "`");
    else if (source[at] === mark && at > start + 1 && !/\s/.test(source[at - 1]) && !WORD.test(source[at + 1] ?? " "))
      return at;
  }
  return -1;
}

function skip(source, at, until) {
  const newline = source.indexOf("\n", at);
  const end = source.indexOf(until, at + 1);
  return end < 0 || (newline >= 0 && newline < end) ? at : end;
}

/** Within code only what stands in angle brackets is special. */
function inCode(source) {
  return source
    .split(/(<[^<>\n]+>)/)
    .filter(Boolean)
    .map((part) => (/^<[^<>\n]+>$/.test(part) && angle(part.slice(1, -1))) || { kind: "text", text: unescape(part) });
}

/** What stands between `<` and `>`: a person, a group, a channel, a date, everybody, or a link. */
function angle(inner) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? null : unescape(inner.slice(bar + 1));
  if (/^@[UW][A-Z0-9]+$/.test(target)) return { kind: "user", id: target.slice(1), label };
  if (/^#[CG][A-Z0-9]+$/.test(target)) return { kind: "channel", id: target.slice(1), label };
  if (target.startsWith("!")) return special(target.slice(1), label);
  if (ADDRESS.test(target)) return { kind: "link", url: unescape(target), label: label ?? unescape(target) };
  return null;
}

function special(target, label) {
  if (["here", "channel", "everyone"].includes(target)) return { kind: "broadcast", range: target };
  if (target.startsWith("subteam^")) return { kind: "usergroup", id: target.slice(8), label };
  const date = /^date\^(\d{1,12})\^([^^]+)(?:\^(.+))?$/.exec(target);
  if (date)
    return { kind: "date", seconds: Number(date[1]), format: unescape(date[2]), url: date[3], fallback: label ?? "" };
  return { kind: "text", text: label ?? `<${target}>` };
}
