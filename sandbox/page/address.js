// The page's address: who acts and where they are, so that a link can point there.

/** @returns {{as: string|null, channel: string|null, thread: string|null, ts: string|null}} */
export function readAddress(hash = window.location.hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  return {
    as: parameters.get("as"),
    channel: parameters.get("channel"),
    thread: parameters.get("thread"),
    ts: parameters.get("ts"),
  };
}

/** Put a place into the address without reloading. */
export function writeAddress({ as, channel, thread }) {
  const parameters = new URLSearchParams({ as, channel, ...(thread ? { thread } : {}) });
  const hash = `#${parameters}`;
  if (hash !== window.location.hash) window.history.pushState(null, "", hash);
}
