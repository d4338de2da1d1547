// The markdown block: headings, lists, quotes, fences, tables as text, and the usual inline marks. Nothing nests deeper.

import { h, link } from "./dom.js";

const INLINE =
  /(`[^`\n]+`)|(\*\*[^*\n]+\*\*)|(~~[^~\n]+~~)|(\*[^*\s][^*\n]*\*)|(\b_[^_\n]+_\b)|(\[[^\]\n]+\]\([^)\s]+\))|(https?:\/\/[^\s)<>]+)/;

/** Markdown source as nodes. */
export function markdown(source) {
  return source
    .split(/^```.*\n([\s\S]*?)^```\s*$/m)
    .flatMap((piece, index) => (index % 2 ? [h("pre", { class: "pre" }, piece)] : paragraphs(piece)));
}

function paragraphs(source) {
  return source
    .split(/\n{2,}/)
    .flatMap((paragraph) => paragraph.split(/^(#{1,6} .*)$/m))
    .filter((paragraph) => paragraph.trim())
    .map((paragraph) => drawParagraph(paragraph.replace(/^\n+|\n+$/g, "")));
}

function drawParagraph(paragraph) {
  const rows = paragraph.split("\n");
  const heading = /^(#{1,6}) (.*)$/.exec(paragraph);
  if (heading)
    return h("div", { class: "md-heading", role: "heading", "aria-level": heading[1].length }, inline(heading[2]));
  if (/^(-{3,}|\*{3,})$/.test(paragraph)) return h("hr", { class: "divider" });
  if (rows.every((row) => /^\s*[-*+] /.test(row))) return items("ul", rows, /^\s*[-*+] /);
  if (rows.every((row) => /^\s*\d+[.)] /.test(row))) return items("ol", rows, /^\s*\d+[.)] /);
  if (rows.every((row) => /^>/.test(row)))
    return h("blockquote", { class: "quote" }, inline(rows.map((row) => row.replace(/^> ?/, "")).join("\n")));
  return h("p", { class: "md-paragraph" }, inline(paragraph));
}

function items(tag, rows, bullet) {
  return h(
    tag,
    { class: "rich-list" },
    rows.map((row) => h("li", {}, inline(row.replace(bullet, "")))),
  );
}

function inline(source) {
  return source.split(new RegExp(INLINE.source, "g")).filter(Boolean).map(drawInline);
}

function drawInline(piece) {
  if (/^`[^`\n]+`$/.test(piece)) return h("code", { class: "code" }, piece.slice(1, -1));
  if (/^\*\*[^*\n]+\*\*$/.test(piece)) return h("b", {}, piece.slice(2, -2));
  if (/^~~[^~\n]+~~$/.test(piece)) return h("s", {}, piece.slice(2, -2));
  if (/^(\*[^*\n]+\*|_[^_\n]+_)$/.test(piece)) return h("i", {}, piece.slice(1, -1));
  const named = /^\[([^\]\n]+)\]\(([^)\s]+)\)$/.exec(piece);
  if (named) return link(named[2], named[1]);
  return /^https?:\/\//.test(piece) ? link(piece, piece) : document.createTextNode(piece);
}
