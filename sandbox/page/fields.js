// Everything a person can fill in or choose from. Each field knows its initial value and tells when it changes.

import { freshId, h } from "./dom.js";
import { choices, initial, MULTIPLE } from "./choices.js";
import { settled } from "./live.js";
import { plain } from "./text.js";

/** So long a person pauses before the app is asked for what fits. */
const ASK_MS = 200;

/**
 * @typedef {object} Field
 * @property {HTMLElement} node what is put on the page
 * @property {HTMLElement} focus what a label points at
 */

/**
 * Draw an input element.
 * @param {object} element a Block Kit element
 * @param {object} options `value` (what was entered before, or undefined), `changed(value)`, `entered()` for Enter,
 *   `suggest(typed)` asks the app for options, `attributes` for the control (id, data, aria)
 * @returns {Field|null} null for a kind that this page does not know
 */
export function field(element, options) {
  const value = options.value === undefined ? initial(element) : options.value;
  return KINDS[element.type]?.(element, { ...options, value }) ?? null;
}

const KINDS = {
  plain_text_input: (element, options) => (element.multiline ? area(element, options) : line("text", element, options)),
  number_input: (element, options) => line("text", element, options, { inputmode: "decimal" }),
  email_text_input: (element, options) => line("email", element, options),
  url_text_input: (element, options) => line("url", element, options),
  datepicker: (element, options) => line("date", element, options),
  timepicker: (element, options) => line("time", element, options),
  datetimepicker: (element, options) => moment(element, options),
  checkboxes: (element, options) => boxes(element, options, "checkbox"),
  radio_buttons: (element, options) => boxes(element, options, "radio"),
  external_select: search,
};
for (const source of ["static", "users", "conversations", "channels"]) {
  KINDS[`${source}_select`] = select;
  KINDS[`multi_${source}_select`] = multiple;
}

function common(element, { attributes }) {
  return {
    ...attributes,
    placeholder: element.placeholder ? plain(element.placeholder) : null,
    maxlength: element.max_length,
    autocomplete: "off",
    autofocus: Boolean(element.focus_on_load),
  };
}

function line(type, element, options, more = {}) {
  const node = h("input", { type, class: `field ${type}`, ...common(element, options), ...more });
  node.value = options.value ?? "";
  listen(node, element, options, () => node.value || null);
  return { node, focus: node };
}

function area(element, options) {
  const node = h("textarea", { class: "field area", rows: "4", ...common(element, options) });
  node.value = options.value ?? "";
  listen(node, element, options, () => node.value || null);
  return { node, focus: node };
}

function listen(node, element, options, read) {
  node.addEventListener("input", () => options.changed(read()));
  node.addEventListener("keydown", (event) => {
    const newline = element.multiline && event.shiftKey;
    if (event.key !== "Enter" || event.isComposing || newline || !options.entered) return;
    event.preventDefault();
    options.entered(read());
  });
}

/** Epoch seconds on the wire, the browser's own time zone on the screen. */
function moment(element, options) {
  const node = h("input", { type: "datetime-local", class: "field date", ...common(element, options) });
  if (options.value) node.value = local(new Date(options.value * 1000));
  node.addEventListener("input", () =>
    options.changed(node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null),
  );
  return { node, focus: node };
}

function local(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function optionNodes(all) {
  const groups = new Map();
  for (const choice of all)
    groups.set(choice.group, [...(groups.get(choice.group) ?? []), h("option", { value: choice.value }, choice.label)]);
  return [...groups].flatMap(([group, nodes]) => (group ? h("optgroup", { label: group }, nodes) : nodes));
}

function select(element, options) {
  const prompt = h("option", { value: "" }, element.placeholder ? plain(element.placeholder) : "Choose one");
  const node = h(
    "select",
    { class: "field select", ...options.attributes },
    prompt,
    optionNodes(choices(element, options.page)),
  );
  node.value = options.value ?? "";
  node.addEventListener("change", () => options.changed(node.value || null));
  return { node, focus: node };
}

/** A menu that its app fills: what is typed is asked for, and what it offers can be chosen. */
function search(element, options) {
  const { page, value } = options;
  const offered = page.offers;
  const known = (all) => all.forEach((one) => offered.set(one.value, plain(one.text)));
  known([element.initial_option].filter(Boolean));
  const list = h("datalist", { id: freshId("offers") });
  const node = h("input", { type: "text", list: list.id, class: "field", ...common(element, options) });
  node.value = offered.get(value) ?? value ?? "";
  const chosen = () => [...offered].find(([, label]) => label === node.value)?.[0] ?? null;
  const ask = async () => {
    const found = await options.suggest(node.value);
    known(found);
    list.replaceChildren(...found.map((one) => h("option", { value: plain(one.text) })));
    if (document.activeElement === node) options.changed(chosen());
  };
  const soon = settled(ask, (error) => page.toast(error.message), ASK_MS);
  node.addEventListener("input", () => (options.changed(chosen()), soon()));
  return { node: h("div", {}, node, list), focus: node };
}

/** Chosen options as chips that can be taken out again, and a list of the others to add from. */
function multiple(element, options) {
  const all = choices(element, options.page);
  const limit = element.max_selected_items ?? Infinity;
  let chosen = [...(options.value ?? [])];
  const chips = h("ul", { class: "chips" });
  const add = h("select", { class: "field select", ...options.attributes });
  const change = (next) => {
    chosen = next;
    draw();
    options.changed(chosen);
  };
  const chip = ({ value, label }) =>
    h(
      "li",
      { class: "chip" },
      label,
      h(
        "button",
        {
          type: "button",
          "aria-label": `Remove ${label}`,
          on: { click: () => change(chosen.filter((one) => one !== value)) },
        },
        "×",
      ),
    );
  const draw = () => {
    chips.replaceChildren(
      ...chosen.map((value) => chip(all.find((one) => one.value === value) ?? { value, label: value })),
    );
    const rest = all.filter((one) => !chosen.includes(one.value));
    add.replaceChildren(
      h("option", { value: "" }, element.placeholder ? plain(element.placeholder) : "Add…"),
      ...optionNodes(rest),
    );
    add.disabled = chosen.length >= limit || rest.length === 0;
  };
  add.addEventListener("change", () => add.value && change([...chosen, add.value]));
  draw();
  return { node: h("div", { class: "multiple" }, chips, add), focus: add };
}

function boxes(element, options, type) {
  const { id, data, ...aria } = options.attributes;
  const many = MULTIPLE.has(element.type);
  const marked = new Set(many ? (options.value ?? []) : [options.value]);
  const inputs = (element.options ?? []).map((option) => {
    const node = h("input", { type, name: id, value: option.value, data });
    node.checked = marked.has(option.value);
    return { node, option };
  });
  const read = () => inputs.filter(({ node }) => node.checked).map(({ option }) => option.value);
  const group = h(
    "div",
    { class: "boxes", role: type === "radio" ? "radiogroup" : "group", id, ...aria },
    inputs.map(({ node, option }) => box(node, option, options)),
  );
  group.addEventListener("change", () => options.changed(many ? read() : (read()[0] ?? null)));
  return { node: group, focus: inputs[0]?.node ?? group };
}

function box(node, option, options) {
  const words = options.words(option.text);
  const note = option.description ? h("span", { class: "hint" }, options.words(option.description)) : null;
  return h("label", { class: "box" }, node, h("span", {}, words, note));
}
