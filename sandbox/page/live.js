// What happens elsewhere, as it happens: server-sent events, and how their consequences are gathered.

const SETTLE_MS = 25;
const HIDDEN_MS = 250;
const AGAIN_MS = 2000;
const OPENING_MS = 1000;

/**
 * Follow the events of one person, through lost connections, until told to stop.
 * @param {string} person
 * @param {object} told listeners by event name, each given the event's data; `connected(yes)` and `reconnected()`
 * @returns {{opened: Promise<void>, stop: () => void}} `opened` once the first connection stands, or is late
 */
export function follow(person, told) {
  const state = { person, told, source: null, timer: null, lost: false };
  const opened = new Promise((resolve) => {
    state.opened = resolve;
    setTimeout(resolve, OPENING_MS);
  });
  connect(state);
  return { opened, stop: () => (state.source.close(), clearTimeout(state.timer)) };
}

function connect(state) {
  const { told } = state;
  const source = new EventSource(`/people/events?as=${encodeURIComponent(state.person)}`);
  state.source = source;
  for (const [name, listener] of Object.entries(told.events)) {
    source.addEventListener(name, (event) => listener(parsed(event.data)));
  }
  source.addEventListener("error", () => failed(state));
  source.addEventListener("open", () => {
    state.opened();
    told.connected(true);
    if (state.lost) told.reconnected();
    state.lost = false;
  });
}

/** The browser tries again by itself, except after an answer that it takes for final. */
function failed(state) {
  state.lost = true;
  state.told.connected(false);
  if (state.source.readyState === EventSource.CLOSED) state.timer = setTimeout(() => connect(state), AGAIN_MS);
}

function parsed(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}

/** Several calls within a moment become one. @param {number} quiet milliseconds without a call before it is done */
export function settled(work, failed, quiet = 0) {
  let timer = null;
  return () => {
    if (quiet) clearTimeout(timer);
    else if (timer) return;
    timer = setTimeout(() => {
      timer = null;
      Promise.resolve(work()).catch(failed);
    }, quiet || SETTLE_MS);
  };
}

/** Several calls before the next frame become one; a page in the background draws no frames, so it waits a little. */
export function perFrame(work) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    const now = () => ((waiting = false), work());
    if (document.hidden) setTimeout(now, HIDDEN_MS);
    else requestAnimationFrame(now);
  };
}
