"""The workspace: people, channels and what was said in them. Read from a YAML file, kept in memory."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from sandbox import limits
from sandbox.clock import Clock
from sandbox.json_types import Json
from sandbox.members import AppProfile, Channel, Group, Message, Person
from sandbox.stream import Stream

DEFAULT = Path(__file__).with_name("workspace.yml")


@dataclass(kw_only=True, slots=True)
class Workspace:
    """One team with one app installed. Changes are told to the page through the stream."""

    team: Json
    app: AppProfile
    people: dict[str, Person]
    channels: dict[str, Channel]
    groups: dict[str, Group]
    clock: Clock
    stream: Stream
    base_url: str = ""
    """Where the sandbox listens, without a slash at the end; known when it does."""

    def channel_named(self, name: str) -> Channel | None:
        """A channel by id or by its (#)name."""
        plain = name.removeprefix("#")
        direct = ("im", "mpim")
        found = (channel for channel in self.channels.values() if channel.name == plain and channel.kind not in direct)
        return self.channels.get(name) or next(found, None)

    def direct(self, person: str) -> Channel:
        """The direct message between the app and a person, opened when there is none yet."""
        name = f"D{person[1:]}"
        if name not in self.channels:
            members = [person, self.app.bot_user]
            self.channels[name] = Channel(id=name, name="directmessage", kind="im", members=members)
            self.stream.publish("channel", {"channel": name}, [person])
        return self.channels[name]

    def group_direct(self, people: list[str]) -> Channel:
        """The direct message between the app and several people, opened when there is none yet."""
        members = {*people, self.app.bot_user}
        for channel in self.channels.values():
            if channel.kind == "mpim" and set(channel.members) == members:
                return channel
        number = sum(channel.kind == "mpim" for channel in self.channels.values()) + 1
        names = "--".join(self.people[person].name for person in (*people, self.app.bot_user))
        channel = Channel(
            id=f"G0GROUP{number}", name=f"mpdm-{names}-1", kind="mpim", members=[*people, self.app.bot_user]
        )
        self.channels[channel.id] = channel
        self.stream.publish("channel", {"channel": channel.id}, people)
        return channel

    def post(self, channel: Channel, message: Message) -> Message:
        """Put a new message into a channel and tell those who see it; a full channel forgets its oldest."""
        while len(channel.messages) >= limits.CHANNEL_MESSAGES:
            self._forget(channel, next(iter(channel.messages)))
        channel.messages[message.ts] = message
        if message.bot_id and channel.agent.get(message.thread_ts, {}).get("until_reply"):
            del channel.agent[message.thread_ts]
        if message.thread_ts and message.thread_ts != message.ts and not message.only_for:
            channel.threads.setdefault(message.thread_ts, []).append(message.ts)
        if not message.only_for:
            channel.last_read[message.user] = message.ts
        event = "ephemeral" if message.only_for else "message"
        self._tell(event, channel, message)
        return message

    def changed(self, channel: Channel, message: Message) -> None:
        """Tell those who see a message that it reads differently now."""
        self._tell("ephemeral" if message.only_for else "message_changed", channel, message)

    def remove(self, channel: Channel, message: Message) -> None:
        """Take a message away; one with replies leaves a tombstone, as Slack does."""
        if channel.threads.get(message.ts):
            message.subtype, message.text, message.blocks = "tombstone", "This message was deleted.", None
        else:
            del channel.messages[message.ts]
            if message.ts in (below := channel.threads.get(message.thread_ts, [])):
                below.remove(message.ts)
        self._tell("message_deleted", channel, message)

    def _forget(self, channel: Channel, ts: str) -> None:
        message = channel.messages.pop(ts)
        if ts in (below := channel.threads.get(message.thread_ts, [])):
            below.remove(ts)

    def replies(self, channel: Channel, ts: str) -> list[Message]:
        """The replies below a message, oldest first."""
        return [channel.messages[name] for name in channel.threads.get(ts, [])]

    def with_thread(self, channel: Channel, message: Message, *, metadata: bool = False) -> Json:
        """A message in Slack's form, with the counts of its thread when it has one."""
        found = message.as_slack(metadata=metadata)
        replies = self.replies(channel, message.ts)
        if replies:
            users = list(dict.fromkeys(reply.user for reply in replies))
            found.update(thread_ts=message.ts, reply_count=len(replies), reply_users=users)
            found.update(reply_users_count=len(users), latest_reply=replies[-1].ts)
        elif message.thread_ts and message.thread_ts != message.ts and message.thread_ts in channel.messages:
            found["parent_user_id"] = channel.messages[message.thread_ts].user
        return found

    def listens_at(self, address: str) -> None:
        """Say where the workspace is; files that were kept from an earlier run are found there too."""
        self.base_url = address
        kept = (message for channel in self.channels.values() for message in channel.messages.values())
        for entry in (entry for message in kept for entry in message.files if entry["url_private"].startswith("/")):
            entry["url_private"] = f"{address}{entry['url_private']}"

    def _tell(self, event: str, channel: Channel, message: Message) -> None:
        people = [message.only_for] if message.only_for else channel.members
        body = self.with_thread(channel, message) | ({"ephemeral": True} if message.only_for else {})
        data: Json = {"channel": channel.id, "ts": message.ts, "message": body}
        if message.thread_ts and message.thread_ts != message.ts:
            data["thread_ts"] = message.thread_ts
        self.stream.publish(event, data, people)


def load(path: Path, clock: Clock, stream: Stream) -> Workspace:
    """Read a workspace file. Raises ValueError with words about what is missing in it."""
    try:
        return _build(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")), clock, stream)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a workspace file ({error}); compare it with {DEFAULT}") from error


def _build(found: Json, clock: Clock, stream: Stream) -> Workspace:
    lists = {name: tuple(found["app"][name]) for name in ("scopes", "events", "commands")}
    lists["shortcuts"] = tuple(found["app"].get("shortcuts", ()))
    app = AppProfile(**{**found["app"], **lists})
    team = found["team"]
    bot = Person(id=app.bot_user, name=app.bot_name, real_name=app.name, is_bot=True, team_id=team["id"])
    people = {person.id: person for person in [*(_person(entry, team["id"]) for entry in found["people"]), bot]}
    present = [person.id for person in people.values() if not person.deleted]
    channels = [_channel(entry, present, app.bot_user) for entry in found["channels"]]
    groups = [Group(**{**entry, "users": tuple(entry["users"])}) for entry in found.get("usergroups", [])]
    workspace = Workspace(
        team=team,
        app=app,
        people=people,
        channels={channel.id: channel for channel in channels},
        groups={group.id: group for group in groups},
        clock=clock,
        stream=stream,
    )
    for name in present:
        if not people[name].is_bot and not people[name].is_stranger:
            workspace.direct(name)
    return workspace


def _person(entry: Json, team: str) -> Person:
    person = Person(**{"email": f"{entry['name']}@example.com", "team_id": team, **entry})
    try:
        ZoneInfo(person.tz)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{person.id}: there is no time zone {person.tz!r}; write one like Europe/London") from error
    return person


def _channel(entry: Json, present: list[str], bot: str) -> Channel:
    members = [*entry.get("members", present)]
    return Channel(**{**entry, "members": list(dict.fromkeys([*members, bot]))})


def known_fields(kind: type[Any], changes: Json) -> Json:
    """The changes whose names a value has. Raises ValueError naming the ones it has not."""
    names = {entry.name for entry in fields(kind)}
    if unknown := sorted(set(changes) - names):
        raise ValueError(f"unknown fields: {', '.join(unknown)}; known are {', '.join(sorted(names))}")
    return changes
