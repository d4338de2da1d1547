// The input block: label, field, hint, fault, and the action it sends where the app asked for one.

import { freshId, h } from "./dom.js";
import { field } from "./fields.js";
import { act, enter, entry, suggest } from "./scope.js";
import { plain, textNodes } from "./text.js";

/** Draw an input block; its fault (from the last submit) stands under the field. */
export function input(block, scope) {
  const id = freshId("input");
  const fault = scope.errors?.[block.block_id];
  const drawn = drawField(block, scope, id, fault);
  const optional = block.optional ? h("span", { class: "optional" }, " (optional)") : null;
  const choice = ["checkboxes", "radio_buttons"].includes(block.element.type);
  const label = choice
    ? h("div", { class: "label", id: `${id}-label` }, plain(block.label), optional)
    : h("label", { class: "label", for: id }, plain(block.label), optional);
  return h(
    "div",
    { class: fault ? "input faulty" : "input" },
    label,
    drawn?.node ?? h("div", { class: "unsupported" }, `Unsupported input: ${block.element.type}`),
    block.hint && h("div", { class: "hint", id: `${id}-hint` }, plain(block.hint)),
    fault && h("div", { class: "fault", id: `${id}-fault`, role: "alert" }, fault),
  );
}

function drawField(block, scope, id, fault) {
  const one = block.element;
  const described = [block.hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  const choice = ["checkboxes", "radio_buttons"].includes(one.type);
  const send = (value) => act(scope, block, one, drawn.focus, value);
  const drawn = field(one, {
    page: scope.page,
    value: entry(scope, block, one),
    words: (text) => textNodes(text, scope.page.directory),
    suggest: (typed) => suggest(scope, block, one, typed),
    changed: (value) => {
      enter(scope, block, one, value);
      if (block.dispatch_action && sendsOn(one, "change")) send(value);
    },
    entered: block.dispatch_action && sendsOn(one, "on_enter_pressed") ? send : null,
    attributes: {
      id,
      data: { blockId: block.block_id, actionId: one.action_id },
      "aria-describedby": described || null,
      "aria-invalid": fault ? "true" : null,
      "aria-required": block.optional ? null : "true",
      "aria-labelledby": choice ? `${id}-label` : null,
    },
  });
  return drawn;
}

const TYPED = new Set(["plain_text_input", "number_input", "email_text_input", "url_text_input"]);

/** Typed fields send on Enter unless their app asked for every character; the others when they change. */
function sendsOn(one, trigger) {
  if (!TYPED.has(one.type)) return trigger === "change";
  const on = one.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  return on.includes(trigger === "change" ? "on_character_entered" : trigger);
}
