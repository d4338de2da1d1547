// What happens elsewhere, as it happens: server-sent events that say what to fetch anew.

const SETTLE_MS = 25;

/**
 * Follow the events of one person.
 * @param {string} person
 * @param {object} told listeners by event name, each given the event's data, and `reconnected()`
 * @returns {() => void} stops following
 */
export function follow(person, told) {
  const source = new EventSource(`/people/events?as=${encodeURIComponent(person)}`);
  for (const [name, listener] of Object.entries(told.events)) {
    source.addEventListener(name, (event) => listener(parsed(event.data)));
  }
  let lost = false;
  source.addEventListener("error", () => {
    lost = true;
    told.connected(false);
  });
  source.addEventListener("open", () => {
    told.connected(true);
    if (lost) told.reconnected();
    lost = false;
  });
  return () => source.close();
}

function parsed(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}

/** Several calls within a moment become one. */
export function settled(work, failed) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      Promise.resolve(work()).catch(failed);
    }, SETTLE_MS);
  };
}
