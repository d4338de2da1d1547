"""The parts of Slack's payloads that Signoff reads, as Slack spells them. What it doesn't read may be anything."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

UserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,20}$", strict=True)]
Short = Annotated[str, StringConstraints(max_length=255, strict=True)]
Long = Annotated[str, StringConstraints(max_length=4_000, strict=True)]
Ts = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}\.[0-9]{1,8}$", strict=True)]


class Wire(BaseModel):
    """What all parts share: unknown fields are let be."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class User(Wire):
    """Who acted."""

    id: UserId
    team_id: Short | None = None


class Selected(Wire):
    """A chosen option."""

    value: Short


class Action(Wire):
    """The button that was pressed, or the menu from which an option was chosen."""

    action_id: Short
    block_id: Short = ""
    value: Annotated[str, StringConstraints(max_length=2_000, strict=True)] | None = ""
    selected_option: Selected | None = None


class Container(Wire):
    """Where the button stands."""

    channel_id: Short | None = None
    message_ts: Ts | None = None
    is_ephemeral: bool = False


class View(Wire):
    """A form or a Home, with what was entered."""

    id: Short
    type: Short = "modal"
    hash: Short | None = None
    callback_id: Short = ""
    private_metadata: Annotated[str, StringConstraints(max_length=3_000, strict=True)] = ""
    state: dict[str, Any] | None = None


class Interaction(Wire):
    """What all interactions share."""

    user: User
    trigger_id: Long = ""


class BlockActions(Interaction):
    """A button was pressed."""

    actions: list[Action]
    container: Container = Container()
    response_url: Long | None = None
    view: View | None = None


class ViewSubmission(Interaction):
    """A form was sent."""

    view: View


class Place(Wire):
    """A channel."""

    id: Short


class ChosenMessage(Wire):
    """The message in whose menu the shortcut was chosen."""

    ts: Ts
    thread_ts: Ts | None = None


class MessageAction(Interaction):
    """A shortcut was chosen in a message's menu."""

    channel: Place
    message: ChosenMessage


class SlashCommand(Wire):
    """A slash command, as form fields."""

    user_id: UserId
    channel_id: Short
    command: Short
    text: str = ""
    trigger_id: Long = ""
    response_url: Long | None = None


class SpokenEvent(Wire):
    """A message or a mention."""

    user: UserId
    channel: Short
    ts: Ts
    thread_ts: Ts | None = None
    text: str = ""


class Spoken(Wire):
    """Its envelope."""

    event_id: Short
    event: SpokenEvent


class OpenedEvent(Wire):
    """A tab of the app was opened."""

    user: UserId
    tab: Short = "home"


class Opened(Wire):
    """Its envelope."""

    event: OpenedEvent


class Element(Wire):
    """What one input holds."""

    value: str | None = None
    selected_option: Selected | None = None
    selected_options: list[Selected] | None = None
    selected_user: UserId | None = None
    selected_date: Short | None = None
    selected_time: Short | None = None
    selected_date_time: Annotated[int, Field(strict=True)] | None = None


class Values(Wire):
    """What all inputs hold, by block and action."""

    values: dict[str, dict[str, Element]] = {}
