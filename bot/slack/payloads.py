"""What Slack sends, as values. With ``wire`` the only place that indexes Slack's payloads.

Strict about what Signoff needs, tolerant of the rest. Everything here raises ``Invalid`` with words for the person in
front of the screen, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.slack import ids, wire
from bot.slack.memo import Memo
from policies.errors import Invalid

_MENTION = re.compile(r"<@[UW][A-Z0-9]{1,20}(\|[^>]*)?>")


Entered = str | tuple[str, ...] | None
"""What a form's field holds: a text, a person's id, the value of an option, the values of several, or nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Click:
    """A button was pressed, or an option of a menu was chosen: then ``value`` is the option's.

    ``channel`` and ``ts`` name the message, ``view_id`` and ``memo`` the form, ``block_id`` where in it. ``values`` is
    what the form's fields hold by their ``block_id``. A click in the Home has neither a message nor a memo,
    but ``home_state``: what the Home carries.
    """

    user_id: str
    team_id: str | None
    action_id: str
    value: str
    trigger_id: str
    response_url: str | None = None
    channel: str | None = None
    ts: str | None = None
    ephemeral: bool = False
    view_id: str | None = None
    view_hash: str | None = None
    memo: Memo | None = None
    home_state: str | None = None
    block_id: str = ""
    values: Mapping[str, Entered] = field(default_factory=dict)

    @property
    def in_batch(self) -> bool:
        """Was it pressed in a row of a message that shows several requests?"""
        return self.action_id.startswith(ids.ROW)

    @property
    def in_modal(self) -> bool:
        """Was it pressed in a form (rather than in a message or the Home)?"""
        return self.memo is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """A form was sent. ``values`` maps the fields' ``block_id`` to what they hold."""

    user_id: str
    team_id: str | None
    callback_id: str
    memo: Memo
    view_id: str
    values: Mapping[str, Entered] = field(default_factory=dict)

    def text(self, block_id: str) -> str | None:
        """The text in a field, or None where it is empty or isn't one."""
        value = self.values.get(block_id)
        return value if isinstance(value, str) and value else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A slash command; ``text`` is what follows it, trimmed."""

    user_id: str
    channel: str
    command: str
    text: str
    trigger_id: str
    response_url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortcut:
    """The shortcut was chosen in the menu of the message ``ts``, which may stand in the thread of ``thread_ts``."""

    user_id: str
    channel: str
    ts: str
    thread_ts: str | None
    trigger_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """Somebody spoke to the app. ``text`` is without mentions; ``thread_ts`` is where an answer belongs."""

    event_id: str
    user_id: str
    channel: str
    thread_ts: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HomeOpened:
    """Somebody opened the app's Home."""

    user_id: str


Model = TypeVar("Model", bound=BaseModel)


def _read(model: type[Model], body: object) -> Model:
    try:
        return model.model_validate(body)
    except (ValidationError, RecursionError):
        raise Invalid("Slack sent something that Signoff doesn't understand; nothing was changed.") from None


def click(body: object) -> Click:
    """The press of a button in a message, a form or the Home."""
    read = _read(wire.BlockActions, body)
    if not read.actions:
        raise Invalid("Slack sent a click without a button; nothing was changed.")
    view, action = read.view, read.actions[0]
    return Click(
        user_id=read.user.id,
        team_id=read.user.team_id,
        action_id=action.action_id,
        value=action.selected_option.value if action.selected_option else action.value or "",
        trigger_id=read.trigger_id,
        response_url=read.response_url,
        channel=read.container.channel_id,
        ts=read.container.message_ts,
        ephemeral=read.container.is_ephemeral,
        view_id=view.id if view else None,
        view_hash=view.hash if view else None,
        memo=_memo(view) if view is not None and view.type == "modal" else None,
        home_state=view.private_metadata if view is not None and view.type == "home" else None,
        block_id=action.block_id,
        values=_values(view) if view is not None else {},
    )


def _memo(view: wire.View) -> Memo:
    try:
        return Memo.model_validate_json(view.private_metadata or "{}")
    except ValidationError:
        raise Invalid("This form isn't one that Signoff opened; close it and open the request again.") from None


def submitted(body: object) -> Submitted:
    """A form that was sent."""
    read = _read(wire.ViewSubmission, body)
    return Submitted(
        user_id=read.user.id,
        team_id=read.user.team_id,
        callback_id=read.view.callback_id,
        memo=_memo(read.view),
        view_id=read.view.id,
        values=_values(read.view),
    )


def _values(view: wire.View) -> dict[str, Entered]:
    state = _read(wire.Values, view.state or {})
    return {block: _entered(next(iter(found.values()))) for block, found in state.values.items() if found}


def _entered(element: wire.Element) -> Entered:
    if element.selected_options is not None:
        return tuple(option.value for option in element.selected_options)
    if element.selected_option is not None:
        return element.selected_option.value
    if element.selected_date_time is not None:
        return str(element.selected_date_time)
    texts = (element.value, element.selected_user, element.selected_date, element.selected_time)
    return next((text for text in texts if text is not None), None)


def command(body: object) -> Command:
    """A slash command."""
    read = _read(wire.SlashCommand, body)
    return Command(
        user_id=read.user_id,
        channel=read.channel_id,
        command=read.command,
        text=_unescaped(read.text).strip(),
        trigger_id=read.trigger_id,
        response_url=read.response_url,
    )


def shortcut(body: object) -> Shortcut:
    """A shortcut in a message's menu."""
    read = _read(wire.MessageAction, body)
    return Shortcut(
        user_id=read.user.id,
        channel=read.channel.id,
        ts=read.message.ts,
        thread_ts=read.message.thread_ts,
        trigger_id=read.trigger_id,
    )


def mention(body: object) -> Mention:
    """A mention of the app in a channel, or a direct message to it."""
    read = _read(wire.Spoken, body)
    return Mention(
        event_id=read.event_id,
        user_id=read.event.user,
        channel=read.event.channel,
        thread_ts=read.event.thread_ts or read.event.ts,
        text=_unescaped(_MENTION.sub(" ", read.event.text)).strip(),
    )


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def home_opened(body: object) -> HomeOpened | None:
    """The app's Home was opened; None for its other tabs."""
    read = _read(wire.Opened, body)
    return HomeOpened(user_id=read.event.user) if read.event.tab == "home" else None


def event_id(body: Mapping[str, Any]) -> str | None:
    """The id by which repeated deliveries of one event are known; None for anything but an event."""
    found = body.get("event_id")
    return found if isinstance(found, str) and 0 < len(found) <= 255 else None


def challenge(body: Mapping[str, Any]) -> str | None:
    """What Slack wants to hear back when it checks the address; None for everything else."""
    found = body.get("challenge")
    return found if body.get("type") == "url_verification" and isinstance(found, str) else None


def is_direct(body: Mapping[str, Any]) -> bool:
    """Is this message event a person's new message in their conversation with the app?"""
    event = body.get("event")
    return isinstance(event, dict) and event.get("channel_type") == "im" and not event.keys() & {"subtype", "bot_id"}
