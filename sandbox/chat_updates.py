"""chat.update, chat.delete and reactions: what happens to messages that stand already."""

from sandbox import limits
from sandbox.content import Content, read_content
from sandbox.json_types import Json
from sandbox.members import Channel, Message
from sandbox.tickets import Refused
from sandbox.web_call import Call


def _own(call: Call, channel: Channel, refusal: str) -> Message:
    message = channel.messages.get(call.required("ts"))
    if message is None or message.only_for or message.subtype == "tombstone":
        raise Refused("message_not_found")
    if message.bot_id != call.sandbox.workspace.app.bot_id:
        raise Refused(refusal)
    return message


def rewrite(message: Message, content: Content) -> None:
    """Slack's rules: text without blocks removes blocks; what the call does not say stays, metadata too."""
    if content.text is not None:
        message.text = content.text
    if content.blocks is not None or content.text is not None:
        message.blocks = content.blocks or None
    if content.attachments is not None or (content.text is not None and content.blocks is None):
        message.attachments = content.attachments or None
    if content.metadata is not None:
        message.metadata = content.metadata or None


def _update(call: Call) -> Json:
    call.needs("chat:write")
    channel = call.channel()
    content = read_content(call)
    if content.text is not None and len(content.text) > limits.UPDATE_TEXT:
        raise Refused("msg_too_long")
    if content == Content(text=None, blocks=None, attachments=None, metadata=None):
        raise Refused("no_text")
    message = _own(call, channel, "cant_update_message")
    if content.text == "" and not (content.blocks or content.attachments):
        raise Refused("no_text")
    rewrite(message, content)
    if not content.blocks and content.text is not None:
        message.edited = {"user": message.user, "ts": call.sandbox.clock.ts()}
    call.sandbox.workspace.changed(channel, message)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message.as_slack(metadata=True),
    }


def _delete(call: Call) -> Json:
    call.needs("chat:write")
    channel = call.channel()
    message = _own(call, channel, "cant_delete_message")
    call.sandbox.workspace.remove(channel, message)
    return {"channel": channel.id, "ts": message.ts}


def _reacted(call: Call) -> tuple[Channel, Message, str]:
    call.needs("reactions:write")
    channel, name = call.channel(), call.required("name").strip(":")
    message = channel.messages.get(call.required("timestamp"))
    if message is None or message.only_for:
        raise Refused("message_not_found")
    return channel, message, name


def _react(call: Call) -> Json:
    channel, message, name = _reacted(call)
    bot = call.sandbox.workspace.app.bot_user
    found = next((entry for entry in message.reactions if entry["name"] == name), None)
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        message.reactions.append(found)
    if bot in found["users"]:
        raise Refused("already_reacted")
    found["users"].append(bot)
    found["count"] += 1
    call.sandbox.workspace.changed(channel, message)
    return {}


def _unreact(call: Call) -> Json:
    channel, message, name = _reacted(call)
    bot = call.sandbox.workspace.app.bot_user
    found = next((entry for entry in message.reactions if entry["name"] == name and bot in entry["users"]), None)
    if found is None:
        raise Refused("no_reaction")
    found["users"].remove(bot)
    found["count"] -= 1
    if not found["users"]:
        message.reactions.remove(found)
    call.sandbox.workspace.changed(channel, message)
    return {}


METHODS = {
    "chat.update": _update,
    "chat.delete": _delete,
    "reactions.add": _react,
    "reactions.remove": _unreact,
}
