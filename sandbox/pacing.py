"""Rate limits: so many calls of a method a minute, and about one message a second and channel, bursts tolerated."""

from sandbox.clock import Clock

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute that Slack promises for each tier."""
METHOD_TIERS = {
    "chat.update": 3,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.getPermalink": 4,
    "conversations.open": 3,
    "conversations.info": 3,
    "conversations.history": 3,
    "conversations.replies": 3,
    "conversations.list": 2,
    "conversations.members": 4,
    "users.info": 4,
    "users.list": 2,
    "users.lookupByEmail": 3,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "views.open": 4,
    "views.update": 4,
    "views.push": 4,
    "views.publish": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
    "reactions.add": 3,
    "reactions.remove": 2,
    "team.info": 3,
    "bots.info": 3,
    "conversations.join": 3,
    "assistant.threads.setTitle": 3,
    "assistant.threads.setSuggestedPrompts": 3,
}
_CONNECTIONS = ("apps.connections.open", 10 / 60, 20.0)
"""Tier 1 promises one a minute, but ten sockets may be opened at once."""
_WORKSPACE = ("chat.postMessage", 300 / 60, 300.0)
_CHANNEL_RATE, _CHANNEL_BURST = 1.0, 3.0


class Pace:
    """Counts calls in buckets that refill with time; off, it lets everything through."""

    def __init__(self, clock: Clock, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_for(self, method: str, channel: str = "") -> int:
        """0 when the call may go on, otherwise the whole seconds to wait (the value of Retry-After)."""
        if not self.enabled:
            return 0
        if method == "chat.postMessage":
            return self._take(f"{method} {channel}", _CHANNEL_RATE, _CHANNEL_BURST) or self._take(*_WORKSPACE)
        if method == _CONNECTIONS[0]:
            return self._take(*_CONNECTIONS)
        if method in METHOD_TIERS:
            calls = TIERS[METHOD_TIERS[method]]
            return self._take(method, calls / 60, float(calls))
        return 0

    def _take(self, name: str, rate: float, burst: float) -> int:
        now = self._clock.now()
        level, since = self._buckets.get(name, (burst, now))
        level = min(burst, level + (now - since) * rate)
        if level < 1:
            self._buckets[name] = (level, now)
            return max(1, -int(-(1 - level) // rate))
        self._buckets[name] = (level - 1, now)
        return 0
