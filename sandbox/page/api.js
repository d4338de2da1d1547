// The wire to the sandbox: JSON over the same origin, nothing else.

const WORDS = {
  operation_timeout: "The app did not answer in time. Try again in a moment.",
  app_error: "The app ran into an error and did nothing with this.",
  no_connection: "The app is not connected, so nobody received this.",
  unknown_action: "This control is no longer part of the message.",
  unknown_command: "No app answers to that command.",
  not_in_channel: "You are not a member of this conversation.",
  not_found: "This is no longer there.",
  user_not_found: "Nobody in this workspace has that id.",
  account_inactive: "This person has left the workspace.",
  channel_not_found: "There is no such conversation for this person.",
  message_not_found: "This message is no longer there.",
  unreachable: "The workspace is not reachable. Is it still running?",
};

/** What a refusal's code means, in one sentence for the person in front of the page. */
export function words(code) {
  return WORDS[code] ?? `That did not work: ${String(code).replaceAll("_", " ")}.`;
}

/** A refusal of the sandbox or the app; `message` is fit to be shown. */
export class Refused extends Error {
  constructor(code) {
    super(words(code));
    this.code = code;
  }
}

/** GET a path with parameters; answers the parsed JSON, throws {@link Refused}. */
export async function get(path, parameters = {}) {
  const query = new URLSearchParams(
    Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null),
  );
  return answer(fetch(`${path}?${query}`, { headers: { Accept: "application/json" } }));
}

/** POST JSON; answers the parsed JSON. `errors` of a form are an answer, every other refusal throws. */
export async function post(path, body) {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return answer(fetch(path, request));
}

async function answer(pending) {
  let reply;
  try {
    reply = await (await pending).json();
  } catch {
    throw new Refused("unreachable");
  }
  if (reply.ok === false && !reply.errors) throw new Refused(reply.error ?? "unknown error");
  return reply;
}
