// rich_text blocks: sections, lists, quotes and preformatted text with their styles.

import { h, link } from "./dom.js";
import { dateNode, emojiNode, mention } from "./text.js";

const BULLETS = ["disc", "circle", "square"];
const NUMBERS = ["decimal", "lower-alpha", "lower-roman"];

/** The parts of a rich_text block as nodes. */
export function richText(block, directory) {
  return (block.elements ?? []).map((part) => drawPart(part, directory));
}

function drawPart(part, directory) {
  const children = (part.elements ?? []).map((leaf) => drawLeaf(leaf, directory));
  if (part.type === "rich_text_section") return h("div", { class: "rich-section" }, children);
  if (part.type === "rich_text_preformatted")
    return h("pre", { class: part.border ? "pre bordered" : "pre", tabindex: "0" }, children);
  if (part.type === "rich_text_quote") return h("blockquote", { class: "quote" }, children);
  if (part.type === "rich_text_list") return list(part, directory);
  return h("div", { class: "unsupported" }, `Unsupported text: ${part.type}`);
}

function list(part, directory) {
  const ordered = part.style === "ordered";
  const indent = Math.min(Math.max(Number(part.indent) || 0, 0), 8);
  const items = part.elements.map((item) =>
    h(
      "li",
      {},
      (item.elements ?? []).map((leaf) => drawLeaf(leaf, directory)),
    ),
  );
  const node = h(ordered ? "ol" : "ul", { class: part.border ? "rich-list bordered" : "rich-list" }, items);
  if (ordered && part.offset) node.start = Number(part.offset) + 1;
  node.style.marginInlineStart = `${indent * 24}px`;
  node.style.listStyleType = (ordered ? NUMBERS : BULLETS)[indent % 3];
  return node;
}

const LEAVES = {
  text: (leaf) => document.createTextNode(leaf.text ?? ""),
  link: (leaf) => link(leaf.url ?? "", leaf.text || leaf.url),
  emoji: (leaf) => emojiNode(leaf.name),
  user: (leaf, directory) => mention({ kind: "user", id: leaf.user_id }, directory),
  usergroup: (leaf, directory) => mention({ kind: "usergroup", id: leaf.usergroup_id }, directory),
  channel: (leaf, directory) => mention({ kind: "channel", id: leaf.channel_id }, directory),
  broadcast: (leaf, directory) => mention({ kind: "broadcast", range: leaf.range }, directory),
  date: (leaf) =>
    dateNode({ seconds: leaf.timestamp, format: leaf.format, url: leaf.url, fallback: leaf.fallback ?? "" }),
  color: (leaf) => document.createTextNode(leaf.value ?? ""),
};

const STYLES = { bold: "b", italic: "i", strike: "s", underline: "u", code: "code" };

function drawLeaf(leaf, directory) {
  let node =
    LEAVES[leaf.type]?.(leaf, directory) ?? h("span", { class: "unsupported" }, `Unsupported text: ${leaf.type}`);
  for (const [style, tag] of Object.entries(STYLES)) {
    if (leaf.style?.[style]) node = h(tag, style === "code" ? { class: "code" } : {}, node);
  }
  return node;
}
