// Blocks -> DOM, close to how Slack lays them out.

import { h } from "./dom.js";
import { element } from "./elements.js";
import { input } from "./input_block.js";
import { markdown } from "./markdown.js";
import { picture } from "./pictures.js";
import { richText } from "./rich_text.js";
import { plain, textNodes } from "./text.js";

/** All blocks of a message or view. `scope.errors` are a submitted form's faults by block_id. */
export function drawBlocks(all, scope) {
  return (all ?? []).map((block) => drawBlock(block, scope));
}

function drawBlock(block, scope) {
  const draw = Object.hasOwn(KINDS, block.type) ? KINDS[block.type] : unsupported;
  const node = draw(block, scope);
  node.classList.add("block");
  if (block.block_id) node.dataset.blockId = block.block_id;
  node.dataset.blockType = block.type;
  return node;
}

const KINDS = {
  header: (block) => h("h3", { class: "block-header" }, plain(block.text)),
  divider: () => h("hr", { class: "divider" }),
  section,
  context: (block, scope) =>
    h(
      "div",
      { class: "context" },
      block.elements.map((one) => contextElement(one, scope)),
    ),
  actions: (block, scope) =>
    h(
      "div",
      { class: "actions" },
      block.elements.map((one) => element(block, one, scope)),
    ),
  image: (block, scope) =>
    h(
      "figure",
      { class: "figure" },
      block.title && h("figcaption", {}, textNodes(block.title, scope.page.directory)),
      picture(block.image_url, block.alt_text, "block-image"),
    ),
  rich_text: (block, scope) => h("div", { class: "rich-text" }, richText(block, scope.page.directory)),
  markdown: (block) => h("div", { class: "markdown" }, markdown(block.text ?? "")),
  input,
  table,
  alert: (block, scope) =>
    h(
      "div",
      { class: `alert ${block.level ?? "default"}`, role: "note" },
      h("span", {}, textNodes(block.text, scope.page.directory)),
    ),
  card,
};

function unsupported(block) {
  return h("div", { class: "unsupported" }, `Unsupported block: ${block.type}`);
}

function section(block, scope) {
  const { directory } = scope.page;
  const fields = (block.fields ?? []).map((one) => h("div", { class: "section-field" }, textNodes(one, directory)));
  return h(
    "div",
    { class: block.accessory ? "section with-accessory" : "section" },
    h(
      "div",
      { class: "section-main" },
      block.text && h("div", { class: "section-text" }, textNodes(block.text, directory)),
      fields.length > 0 && h("div", { class: "section-fields" }, fields),
    ),
    block.accessory && h("div", { class: "accessory" }, element(block, block.accessory, scope)),
  );
}

function contextElement(one, scope) {
  if (one.type === "image") return picture(one.image_url, one.alt_text, "context-image");
  return h("span", { class: "context-text" }, textNodes(one, scope.page.directory));
}

function table(block, scope) {
  const settings = block.column_settings ?? [];
  const rows = (block.rows ?? []).map((row, index) =>
    h(
      "tr",
      {},
      row.map((cell, column) => tableCell(cell, index ? "td" : "th", settings[column], scope)),
    ),
  );
  return h(
    "div",
    { class: "table-frame", tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, rows[0] ?? []), h("tbody", {}, rows.slice(1))),
  );
}

function tableCell(cell, tag, setting, scope) {
  const content =
    cell.type === "rich_text"
      ? richText(cell, scope.page.directory)
      : String(cell.text ?? cell.number ?? cell.value ?? "");
  const align = ["center", "right"].includes(setting?.align) ? ` ${setting.align}` : "";
  return h(tag, { class: `cell${align}${setting?.is_wrapped ? " wrapped" : ""}` }, content);
}

function card(block, scope) {
  const { directory } = scope.page;
  const part = (name) => block[name] && h("div", { class: `card-${name}` }, textNodes(block[name], directory));
  return h(
    "div",
    { class: "card" },
    part("title"),
    part("subtitle"),
    part("body"),
    block.actions &&
      h(
        "div",
        { class: "actions" },
        block.actions.map((one) => element(block, one, scope)),
      ),
  );
}
