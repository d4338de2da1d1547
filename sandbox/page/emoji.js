// Slack's short names for the emoji that approval apps use; an unknown name stays as it was written.

const NAMES = {
  "+1": "👍", "-1": "👎", alarm_clock: "⏰", arrow_right: "➡️", arrow_up: "⬆️", arrows_counterclockwise: "🔄",
  ballot_box_with_check: "☑️", bank: "🏦", bar_chart: "📊", bell: "🔔", bulb: "💡", bust_in_silhouette: "👤",
  busts_in_silhouette: "👥", calendar: "📆", chart_with_upwards_trend: "📈", clap: "👏", clipboard: "📋",
  clock3: "🕒", closed_lock_with_key: "🔐", construction: "🚧", credit_card: "💳", email: "✉️", envelope: "✉️",
  exclamation: "❗", eyes: "👀", fast_forward: "⏩", file_folder: "📁", fire: "🔥", gear: "⚙️", grey_question: "❔",
  heavy_check_mark: "✔️", heavy_multiplication_x: "✖️", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  inbox_tray: "📥", incoming_envelope: "📨", information_source: "ℹ️", key: "🔑", large_blue_circle: "🔵",
  large_green_circle: "🟢", large_orange_circle: "🟠", large_yellow_circle: "🟡", link: "🔗", lock: "🔒", mag: "🔍",
  mega: "📣", memo: "📝", moneybag: "💰", no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", ok_hand: "👌",
  outbox_tray: "📤", package: "📦", page_facing_up: "📄", pause_button: "⏸️", pencil: "📝", pencil2: "✏️",
  point_right: "👉", pray: "🙏", question: "❓", raised_hand: "✋", red_circle: "🔴", repeat: "🔁", robot_face: "🤖",
  rocket: "🚀", rotating_light: "🚨", scroll: "📜", shield: "🛡️", ship: "🚢", slightly_smiling_face: "🙂", smile: "😄",
  sparkles: "✨", speech_balloon: "💬", star: "⭐", stop_sign: "🛑", stopwatch: "⏱️", tada: "🎉", thinking_face: "🤔",
  thought_balloon: "💭", thumbsdown: "👎", thumbsup: "👍", timer_clock: "⏲️", triangular_flag_on_post: "🚩",
  unlock: "🔓", warning: "⚠️", wastebasket: "🗑️", wave: "👋", white_check_mark: "✅", white_circle: "⚪",
  wrench: "🔧", x: "❌", zap: "⚡",
};

/** @returns {string|null} the character for a short name without its colons */
export function emoji(name) {
  return Object.hasOwn(NAMES, name) ? NAMES[name] : null;
}

/** Replace the known `:short_names:` in a plain_text object's text. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => emoji(name) ?? whole);
}
