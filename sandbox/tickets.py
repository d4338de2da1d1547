"""Short-lived permissions: triggers, response URLs, Socket Mode tickets and uploads."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sandbox import limits
from sandbox.clock import Clock


class Refused(Exception):
    """What Slack would answer with `ok: false`; `name` is Slack's error, `rest` stands beside it in the answer."""

    def __init__(self, name: str, **rest: object) -> None:
        super().__init__(name)
        self.name = name
        self.rest = rest


@dataclass(kw_only=True, slots=True)
class Trigger:
    """What lets an app open a view: for one person, once, for three seconds."""

    person: str
    expires_at: float
    view_id: str = ""
    used: bool = False


@dataclass(kw_only=True, slots=True)
class ResponseUrl:
    """Where an app may answer an interaction: five times within thirty minutes."""

    id: str
    channel: str
    person: str
    expires_at: float
    message_ts: str = ""
    uses_left: int = limits.RESPONSE_URL_USES


@dataclass(kw_only=True, slots=True)
class Upload:
    """A file on its way: announced, received, then completed."""

    id: str
    name: str
    length: int
    content: bytes | None = None
    completed: bool = False


@dataclass(kw_only=True, slots=True)
class Tickets:
    """All of them, by id."""

    clock: Clock
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    sockets: set[str] = field(default_factory=set)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def new_trigger(self, person: str, view_id: str = "") -> str:
        """A trigger id, from a message (or Home, or a command) or from inside a modal."""
        name = f"{int(self.clock.now() * 1000)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        expires = self.clock.now() + limits.TRIGGER_SECONDS
        _make_room(self.triggers)
        self.triggers[name] = Trigger(person=person, expires_at=expires, view_id=view_id)
        return name

    def use_trigger(self, name: str) -> Trigger:
        """Take a trigger. Raises Refused when it is unknown, was used, or is older than three seconds."""
        trigger = self.triggers.get(name)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.clock.now() > trigger.expires_at:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger

    def new_response_url(self, channel: str, person: str, message_ts: str = "") -> ResponseUrl:
        """A response URL's record; its id is the last part of the URL."""
        name = secrets.token_hex(12)
        expires = self.clock.now() + limits.RESPONSE_URL_SECONDS
        url = ResponseUrl(id=name, channel=channel, person=person, expires_at=expires, message_ts=message_ts)
        _make_room(self.response_urls)
        self.response_urls[name] = url
        return url

    def use_response_url(self, name: str) -> ResponseUrl:
        """Take one of its uses. Raises Refused when there is none left or it is too old."""
        url = self.response_urls.get(name)
        if url is None:
            raise Refused("invalid_url")
        if self.clock.now() > url.expires_at:
            raise Refused("expired_url")
        if url.uses_left == 0:
            raise Refused("used_url")
        url.uses_left -= 1
        return url

    def new_upload(self, upload: Upload) -> None:
        """Announce a file; the oldest ones are forgotten when all together would be too large."""
        self.uploads[upload.id] = upload
        while len(self.uploads) > 1 and sum(each.length for each in self.uploads.values()) > limits.UPLOADED_BYTES:
            del self.uploads[next(iter(self.uploads))]


def _make_room(tickets: dict[str, Any]) -> None:
    while len(tickets) >= limits.TICKETS:
        del tickets[next(iter(tickets))]
