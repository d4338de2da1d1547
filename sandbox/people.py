"""What a person can do in Slack's client: say, command, click, fill in, submit, close. Each acts as one person."""

import secrets
from typing import Any

from sandbox.blocks import flat, interactive
from sandbox.forms import chosen_option, complaint, filled, held, stateful
from sandbox.json_types import Json
from sandbox.members import Channel, Message, Person
from sandbox.open_views import View
from sandbox.parts import Sandbox
from sandbox.reply import Reply
from sandbox.response_urls import respond
from sandbox.submission import follow
from sandbox.tickets import Refused
from sandbox.typed_text import escaped, typed


class People:
    """Acts on the sandbox for people. Raises Refused where the client would not let them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def person(self, name: str) -> Person:
        """Somebody who can use Slack: no bot, not deactivated."""
        person = self._sandbox.workspace.people.get(name)
        if person is None or person.is_bot:
            raise Refused("user_not_found")
        if person.deleted:
            raise Refused("account_inactive")
        return person

    def channel(self, person: str, name: str) -> Channel:
        """A channel that the person is in."""
        channel = self._sandbox.workspace.channels.get(name)
        if channel is None or person not in channel.members:
            raise Refused("channel_not_found")
        return channel

    def say(self, person: str, name: str, text: str, thread_ts: str = "") -> Message:
        """Post as a person. In a direct message the app hears it; in a channel when its bot user is mentioned."""
        workspace, channel = self._sandbox.workspace, self.channel(person, name)
        if not text.strip():
            raise Refused("no_text")
        if channel.is_archived:
            raise Refused("is_archived")
        if thread_ts and thread_ts not in channel.messages:
            raise Refused("thread_not_found")
        message = Message(
            ts=self._sandbox.clock.ts(),
            user=person,
            text=escaped(text),
            team=workspace.people[person].team_id,
            client_msg_id=secrets.token_hex(16),
            blocks=[typed(text)],
            thread_ts=thread_ts,
        )
        workspace.post(channel, message)
        self._tell_app(channel, message)
        return message

    def _tell_app(self, channel: Channel, message: Message) -> None:
        app = self._sandbox.workspace.app
        if app.bot_user not in channel.members:
            return
        kinds = {"im": "message.im", "private": "message.groups", "mpim": "message.mpim"}
        payloads, delivery = self._sandbox.payloads, self._sandbox.delivery
        rights = {"im": "im:history", "private": "groups:history", "mpim": "mpim:history"}
        right = rights.get(channel.kind, "channels:history")
        if right in app.scopes:
            told = payloads.message_event("message", channel, message)
            delivery.event(kinds.get(channel.kind, "message.channels"), told)
        if channel.kind != "im" and f"<@{app.bot_user}" in message.text and "app_mentions:read" in app.scopes:
            delivery.event("app_mention", payloads.message_event("app_mention", channel, message))

    async def command(self, person: str, name: str, line: str) -> Reply:
        """Type a slash command. What the app acknowledges with appears as a message."""
        channel = self.channel(person, name)
        command, _, text = line.strip().partition(" ")
        if command not in [entry["command"] for entry in self._sandbox.workspace.app.commands]:
            raise Refused("unknown_command")
        payload = self._sandbox.payloads.command(person, channel, command, escaped(text.strip()))
        reply = await self._sandbox.delivery.interaction(payload)
        if reply.outcome == "acked" and reply.body:
            name = payload["response_url"].rsplit("/", 1)[1]
            respond(self._sandbox, self._sandbox.tickets.response_urls[name], reply.body)
        return reply

    async def click(self, person: str, name: str, ts: str, block_id: str, action_id: str, selected: Any) -> Reply:
        """Use an element of a message."""
        channel, message = self.message(person, name, ts)
        offered = message.offered.get((person, block_id, action_id))
        action = self._action(person, message.blocks or [], block_id, action_id, selected, offered)
        payload = self._sandbox.payloads.message_actions(person, channel, message, action)
        return await self._sandbox.delivery.interaction(payload)

    async def click_view(
        self, person: str, view_id: str, block_id: str, action_id: str, selected: Any, values: Json
    ) -> Reply:
        """Use an element of a modal or Home; what was filled in so far goes along."""
        view = self.view(person, view_id)
        _fill(view, values)
        blocks = view.definition["blocks"]
        known = {(block["block_id"], element["action_id"]): element for block, element in stateful(blocks)}
        element = known.get((block_id, action_id))
        if element is not None and selected is not None:
            _fill(view, {block_id: {action_id: selected}})
        if element is not None:
            selected = _plain(held(view.state()[block_id][action_id]))
        offered = view.offered.get((block_id, action_id))
        action = self._action(person, blocks, block_id, action_id, selected, offered)
        return await self._sandbox.delivery.interaction(self._sandbox.payloads.view_actions(view, action))

    async def shortcut(self, person: str, callback_id: str, name: str = "", ts: str = "") -> Reply:
        """Use a shortcut of the app: a global one, or with a channel and a message's ts one for messages."""
        kind = "message" if ts else "global"
        known = [entry["callback_id"] for entry in self._sandbox.workspace.app.shortcuts if entry["type"] == kind]
        if callback_id not in known:
            raise Refused("unknown_shortcut")
        payloads = self._sandbox.payloads
        if not ts:
            return await self._sandbox.delivery.interaction(payloads.shortcut(person, callback_id))
        channel, message = self.message(person, name, ts)
        told = payloads.message_shortcut(person, callback_id, channel, message)
        return await self._sandbox.delivery.interaction(told)

    def message(self, person: str, name: str, ts: str) -> tuple[Channel, Message]:
        """A message that this person sees, and where it stands."""
        channel = self.channel(person, name)
        message = channel.messages.get(ts)
        if message is None or message.only_for not in ("", person):
            raise Refused("message_not_found")
        return channel, message

    def view(self, person: str, view_id: str) -> View:
        """A view that this person has before them."""
        view = self._sandbox.views.find(view_id)
        if view.person != person:
            raise Refused("not_found")
        return view

    def _action(
        self,
        person: str,
        blocks: list[Json],
        block_id: str,
        action_id: str,
        selected: Any,
        offered: list[Json] | None,
    ) -> Json:
        block, element = element_of(person, blocks, block_id, action_id)
        seen = element if offered is None else {**element, "options": offered}
        return _action_of(block, seen, selected) | {"action_ts": self._sandbox.clock.ts()}

    async def submit(self, person: str, view_id: str, values: Json) -> Json:
        """Press a modal's submit button. Fields that Slack's client itself refuses never reach the app."""
        view = self.view(person, view_id)
        _fill(view, values)
        view.errors = _complaints(view)
        if view.errors:
            return {"ok": False, "errors": view.errors}
        reply = await self._sandbox.delivery.interaction(self._sandbox.payloads.view_submission(view))
        if reply.outcome != "acked":
            return {"ok": False, "error": reply.error}
        answer = follow(self._sandbox, view, reply.body)
        self._sandbox.stream.publish("view", {"view_id": view_id}, [person])
        return answer

    async def close(self, person: str, view_id: str, *, clear: bool) -> None:
        """Close a modal, or with `clear` the whole stack; the app is told where it asked to be."""
        view = self.view(person, view_id)
        stack = self._sandbox.views.stack(person)
        clear = clear or bool(view.definition.get("clear_on_close"))
        closing = stack if clear else [each for each in stack if each.id == view_id]
        told = [
            self._sandbox.payloads.view_closed(each, is_cleared=clear)
            for each in closing
            if each.definition.get("notify_on_close")
        ]
        self._sandbox.views.close(stack[0] if clear and stack else view)
        self._sandbox.stream.publish("view", {"view_id": view_id}, [person])
        for payload in reversed(told):
            await self._sandbox.delivery.interaction(payload)

    def open_home(self, person: str) -> None:
        """Open the app's Home tab."""
        self._sandbox.delivery.event("app_home_opened", self._sandbox.payloads.home_opened(person))


def element_of(person: str, blocks: list[Json], block_id: str, action_id: str) -> tuple[Json, Json]:
    """The block and the element that these ids name. Raises Refused when this person does not see it."""
    for block in flat(blocks):
        for element in interactive(block):
            if (block["block_id"], element["action_id"]) == (block_id, action_id):
                if person not in element.get("visible_to_user_ids", [person]):
                    raise Refused("unknown_action")
                return block, element
    raise Refused("unknown_action")


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value["value"] if isinstance(value, dict) else value


def _fill(view: View, values: Json) -> None:
    try:
        view.fill(values)
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused("invalid_value", words=str(error)) from error


def _complaints(view: View) -> dict[str, str]:
    state = view.state()
    inputs = [(block, element) for block, element in stateful(view.definition["blocks"]) if block["type"] == "input"]
    found = {
        block["block_id"]: complaint(block, state[block["block_id"]][element["action_id"]]) for block, element in inputs
    }
    return {name: words for name, words in found.items() if words}


def _feedback(element: Json, selected: Any) -> str:
    offered = {name: element[f"{name}_button"]["value"] for name in ("positive", "negative")}
    value = offered.get(selected, selected)
    if value not in offered.values():
        raise Refused("invalid_value", words=f"feedback is one of {', '.join(offered)}")
    return str(value)


def _action_of(block: Json, element: Json, selected: Any) -> Json:
    kind = element["type"]
    action: Json = {"type": kind, "action_id": element["action_id"], "block_id": block["block_id"]}
    if kind in ("button", "icon_button", "workflow_button"):
        return action | {name: element[name] for name in ("text", "value", "style", "url") if name in element}
    if kind == "feedback_buttons":
        return action | {"value": _feedback(element, selected)}
    try:
        if kind == "overflow":
            option = chosen_option(element, selected)
            return action | {"selected_option": {name: option[name] for name in ("text", "value")}}
        if block["type"] == "input" and not block.get("dispatch_action"):
            raise Refused("unknown_action", words="this input sends nothing before it is submitted")
        return action | filled(element, selected)
    except (ValueError, TypeError) as error:
        raise Refused("invalid_value", words=str(error)) from error
