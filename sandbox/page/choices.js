// What a select offers, and what an untouched input stands at, in plain values.

import { plain } from "./text.js";

export const MULTIPLE = new Set([
  "checkboxes",
  "multi_static_select",
  "multi_users_select",
  "multi_conversations_select",
  "multi_channels_select",
]);

const value = (option) => option?.value ?? null;

const INITIAL = {
  datepicker: (element) => element.initial_date,
  timepicker: (element) => element.initial_time,
  datetimepicker: (element) => element.initial_date_time,
  static_select: (element) => value(element.initial_option),
  external_select: (element) => value(element.initial_option),
  radio_buttons: (element) => value(element.initial_option),
  checkboxes: (element) => (element.initial_options ?? []).map(value),
  multi_static_select: (element) => (element.initial_options ?? []).map(value),
  users_select: (element) => element.initial_user,
  multi_users_select: (element) => element.initial_users ?? [],
  conversations_select: (element) => element.initial_conversation,
  multi_conversations_select: (element) => element.initial_conversations ?? [],
  channels_select: (element) => element.initial_channel,
  multi_channels_select: (element) => element.initial_channels ?? [],
};

/** The value of an untouched element: string, number, list of strings, or null. */
export function initial(element) {
  return (INITIAL[element.type] ?? ((other) => other.initial_value))(element) ?? null;
}

const HELD = [
  "value",
  "selected_date",
  "selected_time",
  "selected_date_time",
  "selected_user",
  "selected_users",
  "selected_conversation",
  "selected_conversations",
  "selected_channel",
  "selected_channels",
];

/** The value of an entry of `state.values`, or undefined where there is none. */
export function held(state) {
  if (!state) return undefined;
  if ("selected_option" in state) return value(state.selected_option);
  if ("selected_options" in state) return (state.selected_options ?? []).map(value);
  return state[HELD.find((name) => name in state)] ?? null;
}

/** The choices of a select as `{value, label, group}`. */
export function choices(element, page) {
  if (element.type.includes("users")) return people(page);
  if (element.type.includes("conversations") || element.type.includes("channels")) return channels(page);
  const options = (list, group) =>
    (list ?? []).map((option) => ({ value: option.value, label: optionLabel(option), group }));
  return [
    ...options(element.options, ""),
    ...(element.option_groups ?? []).flatMap((one) => options(one.options, plain(one.label))),
  ];
}

function optionLabel(option) {
  return option.description ? `${plain(option.text)} — ${plain(option.description)}` : plain(option.text);
}

function people(page) {
  return page.workspace.people
    .filter((person) => !person.deleted)
    .map((person) => ({ value: person.id, label: person.real_name, group: "" }));
}

function channels(page) {
  return page.workspace.channels
    .filter((channel) => !channel.kind.endsWith("im"))
    .map((channel) => ({ value: channel.id, label: `#${channel.name}`, group: "" }));
}
