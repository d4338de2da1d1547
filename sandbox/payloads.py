"""Interactions and events as Slack writes them: the same field names, the same nesting."""

import secrets
from typing import Any

from sandbox.forms import holding, initial, stateful
from sandbox.json_types import Json
from sandbox.members import Channel, Message
from sandbox.open_views import OpenViews, View
from sandbox.tickets import Tickets
from sandbox.workspace import Workspace

VERIFICATION_TOKEN = "sandbox-verification-token"  # noqa: S105 - Slack's deprecated field, no secret


class Payloads:
    """Builds payloads from the state of the workspace."""

    def __init__(self, workspace: Workspace, tickets: Tickets, views: OpenViews) -> None:
        self._workspace = workspace
        self._tickets = tickets
        self._views = views

    def view(self, view: View) -> Json:
        """A view as it stands in payloads and in answers of views.*."""
        team, app, shown = self._workspace.team["id"], self._workspace.app, view.definition
        found: Json = {
            "id": view.id,
            "team_id": team,
            "type": view.kind,
            "blocks": shown["blocks"],
            "private_metadata": shown.get("private_metadata", ""),
            "callback_id": shown.get("callback_id", ""),
            "state": {"values": view.state()},
            "hash": view.hash,
            "clear_on_close": shown.get("clear_on_close", False),
            "notify_on_close": shown.get("notify_on_close", False),
            "previous_view_id": view.previous_id,
            "root_view_id": view.root_id,
            "app_id": app.id,
            "external_id": shown.get("external_id", ""),
            "app_installed_team_id": team,
            "bot_id": app.bot_id,
        }
        empty = {"type": "plain_text", "text": "", "emoji": True}
        words = {name: shown[name] for name in ("title", "close", "submit") if name in shown}
        return found | {"title": empty, "close": None, "submit": None} | words

    def message_actions(self, person: str, channel: Channel, message: Message, action: Json) -> Json:
        """`block_actions` from a message; an ephemeral one carries no message."""
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": bool(message.only_for),
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        answer_to = self._tickets.new_response_url(channel.id, person, message.ts)
        found = self._interaction("block_actions", person) | {
            "container": container,
            "trigger_id": self._tickets.new_trigger(person),
            "channel": self._channel(channel),
            "state": {"values": _message_state(message.blocks or [], action)},
            "response_url": f"{self._workspace.base_url}/response/{answer_to.id}",
            "actions": [action],
        }
        return found if message.only_for else found | {"message": self._workspace.with_thread(channel, message)}

    def view_actions(self, view: View, action: Json) -> Json:
        """`block_actions` from inside a modal or Home."""
        inside = view.id if view.kind == "modal" else ""
        return self._interaction("block_actions", view.person) | {
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self._tickets.new_trigger(view.person, inside),
            "view": self.view(view),
            "actions": [action],
        }

    def suggestion(self, person: str, place: Json, block_id: str, action_id: str, value: str) -> Json:
        """`block_suggestion`: what somebody has typed into a menu that the app fills. It has no trigger."""
        asked = {"block_id": block_id, "action_id": action_id, "value": value}
        return self._interaction("block_suggestion", person) | place | asked

    def in_view(self, view: View) -> Json:
        """The place of something inside a view."""
        return {"container": {"type": "view", "view_id": view.id}, "view": self.view(view)}

    def in_message(self, channel: Channel, message: Message) -> Json:
        """The place of something inside a message; an ephemeral one is not shown to the app."""
        container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
        container["is_ephemeral"] = bool(message.only_for)
        place: Json = {"container": container, "channel": self._channel(channel)}
        return place if message.only_for else place | {"message": self._workspace.with_thread(channel, message)}

    def shortcut(self, person: str, callback_id: str) -> Json:
        """A global shortcut: no channel and no response URL."""
        return self._interaction("shortcut", person) | self._shortcut(person, callback_id)

    def message_shortcut(self, person: str, callback_id: str, channel: Channel, message: Message) -> Json:
        """A message shortcut, with the message it was used on."""
        answer_to = self._tickets.new_response_url(channel.id, person, message.ts)
        return self._interaction("message_action", person) | {
            **self._shortcut(person, callback_id),
            "channel": self._channel(channel),
            "message_ts": message.ts,
            "message": self._workspace.with_thread(channel, message),
            "response_url": f"{self._workspace.base_url}/response/{answer_to.id}",
        }

    def _shortcut(self, person: str, callback_id: str) -> Json:
        trigger = self._tickets.new_trigger(person)
        return {"callback_id": callback_id, "trigger_id": trigger, "action_ts": self._workspace.clock.ts()}

    def view_submission(self, view: View) -> Json:
        """`view_submission` with all values, untouched ones included."""
        trigger = self._tickets.new_trigger(view.person, view.id)
        return self._interaction("view_submission", view.person) | {
            "trigger_id": trigger,
            "view": self.view(view),
            "response_urls": [],
        }

    def view_closed(self, view: View, *, is_cleared: bool) -> Json:
        """`view_closed`; `is_cleared` when the whole stack was closed."""
        return self._interaction("view_closed", view.person) | {"view": self.view(view), "is_cleared": is_cleared}

    def command(self, person: str, channel: Channel, command: str, text: str) -> Json:
        """A slash command: flat, all strings."""
        team, app = self._workspace.team, self._workspace.app
        answer_to = self._tickets.new_response_url(channel.id, person)
        organisation = self._organisation()
        grid = {"enterprise_id": organisation["id"], "enterprise_name": organisation["name"]} if organisation else {}
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": team["id"],
            "team_domain": team["domain"],
            **grid,
            "channel_id": channel.id,
            "channel_name": self._channel(channel)["name"],
            "user_id": person,
            "user_name": self._workspace.people[person].name,
            "command": command,
            "text": text,
            "api_app_id": app.id,
            "is_enterprise_install": "true" if app.is_enterprise_install else "false",
            "response_url": f"{self._workspace.base_url}/response/{answer_to.id}",
            "trigger_id": self._tickets.new_trigger(person),
        }

    def event(self, event: Json) -> Json:
        """An event in its envelope of the Events API."""
        team, app = self._workspace.team["id"], self._workspace.app
        enterprise = self._workspace.team.get("enterprise_id")
        authorization = {
            "enterprise_id": enterprise,
            "team_id": None if app.is_enterprise_install else team,
            "user_id": app.bot_user,
            "is_bot": True,
            "is_enterprise_install": app.is_enterprise_install,
        }
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": team,
            **({"enterprise_id": enterprise} if enterprise else {}),
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(6).upper()}",
            "event_time": int(self._workspace.clock.now()),
            "authorizations": [authorization],
            "is_ext_shared_channel": False,
            "event_context": f"4-{secrets.token_hex(12)}",
        }

    def message_event(self, kind: str, channel: Channel, message: Message) -> Json:
        """A `message` or `app_mention` event about what a person said."""
        names = ("client_msg_id", "user", "text", "ts", "team", "blocks", "thread_ts", "parent_user_id")
        said = self._workspace.with_thread(channel, message)
        event: Json = {"type": kind, **{name: said[name] for name in names if name in said}}
        event.update(channel=channel.id, event_ts=message.ts)
        return self.event(event if kind == "app_mention" else event | {"channel_type": channel.type_name})

    def home_opened(self, person: str) -> Json:
        """`app_home_opened` for the Home tab, with the view that is there already."""
        event: Json = {
            "type": "app_home_opened",
            "user": person,
            "channel": self._workspace.direct(person).id,
            "tab": "home",
            "event_ts": self._workspace.clock.ts(),
        }
        home = self._views.home(person)
        return self.event(event if home is None else event | {"view": self.view(home)})

    def _interaction(self, kind: str, person: str) -> Json:
        who = self._workspace.people[person]
        return {
            "type": kind,
            "user": {"id": person, "username": who.name, "name": who.name, "team_id": who.team_id},
            "api_app_id": self._workspace.app.id,
            "token": VERIFICATION_TOKEN,
            "team": self._team(),
            "enterprise": self._organisation(),
            "is_enterprise_install": self._workspace.app.is_enterprise_install,
        }

    def _team(self) -> Json | None:
        """The team of an interaction; null for an app that a whole organisation has installed."""
        team, organisation = self._workspace.team, self._organisation()
        if self._workspace.app.is_enterprise_install:
            return None
        grid = {"enterprise_id": organisation["id"], "enterprise_name": organisation["name"]} if organisation else {}
        return {"id": team["id"], "domain": team["domain"], **grid}

    def _organisation(self) -> Json | None:
        team = self._workspace.team
        if not team.get("enterprise_id"):
            return None
        return {"id": team["enterprise_id"], "name": team.get("enterprise_name", team["name"])}

    def _channel(self, channel: Channel) -> Json:
        names = {"im": "directmessage", "private": "privategroup"}
        return {"id": channel.id, "name": names.get(channel.kind, channel.name)}


def _message_state(blocks: list[Json], action: Json) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for block, element in stateful(blocks):
        entry = initial(element)
        if (block["block_id"], element["action_id"]) == (action["block_id"], action["action_id"]):
            name = next(name for name in entry if name != "type")
            entry = holding(element, action.get(name))
        found.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return found
