"""Who and what is in the workspace: frozen values, replaced as a whole when something changes."""

from dataclasses import dataclass, field

from sandbox.json_types import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody with an account, a guest, somebody from another organisation, or the app's bot user."""

    id: str
    name: str
    real_name: str
    email: str = ""
    title: str = ""
    team_id: str = ""
    tz: str = "Europe/London"
    avatar_color: str = "#616061"
    is_bot: bool = False
    deleted: bool = False
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    enterprise_id: str = ""
    status_text: str = ""
    status_emoji: str = ""
    status_expiration: int = 0
    """Epoch seconds at which the status ends; 0 for one that stays."""

    def as_page(self) -> Json:
        """The fields that the page and the tests read."""
        names = (
            "id name real_name email title team_id tz avatar_color is_bot deleted is_admin is_restricted is_stranger"
        )
        return {name: getattr(self, name) for name in (*names.split(), "status_text", "status_emoji")}


@dataclass(kw_only=True, slots=True)
class Channel:
    """A conversation; `kind` is `channel`, `private`, `im` (with one person) or `mpim` (with several)."""

    id: str
    name: str
    members: list[str]
    kind: str = "channel"
    topic: str = ""
    is_archived: bool = False
    is_ext_shared: bool = False
    created: int = 1_700_000_000
    messages: dict[str, "Message"] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    """The replies below a message, by its ts; ephemeral ones do not count."""
    last_read: dict[str, str] = field(default_factory=dict)
    agent: dict[str, Json] = field(default_factory=dict)
    """What the app says it is doing: `{status, title, since}` by the thread's ts ("" for the channel itself)."""

    def other(self, person: str) -> str:
        """The person at the other end of a direct message."""
        return next((member for member in self.members if member != person), person)

    @property
    def type_name(self) -> str:
        """The channel's kind as events call it."""
        return {"private": "group"}.get(self.kind, self.kind)


@dataclass(kw_only=True, slots=True)
class Message:
    """A message as it stands now; `only_for` names the one person who sees an ephemeral one."""

    ts: str
    user: str
    text: str
    bot_id: str = ""
    app_id: str = ""
    team: str = ""
    client_msg_id: str = ""
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    thread_ts: str = ""
    reply_broadcast: bool = False
    metadata: Json | None = None
    edited: Json | None = None
    files: list[Json] = field(default_factory=list)
    reactions: list[Json] = field(default_factory=list)
    only_for: str = ""
    subtype: str = ""
    offered: dict[tuple[str, str, str], list[Json]] = field(default_factory=dict)
    """What the app has offered in menus that it fills, by person, block and action id."""

    def as_slack(self, *, metadata: bool = False) -> Json:
        """The message in Slack's form; its metadata only when asked for."""
        names = "user bot_id app_id team client_msg_id subtype thread_ts edited files reactions blocks attachments"
        found: Json = {"type": "message", "text": self.text, "ts": self.ts}
        found.update({name: value for name in names.split() if (value := getattr(self, name))})
        if self.reply_broadcast:
            found["subtype"] = "thread_broadcast"
        if metadata and self.metadata:
            found["metadata"] = self.metadata
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A user group."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]
    disabled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AppProfile:
    """The installed app: its tokens, scopes, subscriptions, commands and how it is reached."""

    id: str
    name: str
    bot_user: str
    bot_id: str
    bot_name: str
    bot_token: str
    app_token: str
    signing_secret: str
    scopes: tuple[str, ...]
    events: tuple[str, ...]
    commands: tuple[Json, ...]
    shortcuts: tuple[Json, ...] = ()
    """Each `{callback_id, name, type}` with the type `message` or `global`."""
    is_enterprise_install: bool = False
    """Whether the app is installed on the whole organisation; the team then needs an `enterprise_id`."""
    mode: str = "socket"
    request_url: str = ""
