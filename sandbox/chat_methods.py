"""chat.postMessage, postEphemeral and getPermalink."""

from sandbox import limits
from sandbox.content import Content, read_content
from sandbox.json_types import Json
from sandbox.members import Channel, Message
from sandbox.tickets import Refused
from sandbox.web_call import Call


def new_message(call: Call, content: Content) -> Message:
    """A message of the app, not yet posted."""
    app = call.sandbox.workspace.app
    return Message(
        ts=call.sandbox.clock.ts(),
        user=app.bot_user,
        text=content.fallback,
        bot_id=app.bot_id,
        app_id=app.id,
        team=call.sandbox.workspace.team["id"],
        blocks=content.blocks or None,
        attachments=content.attachments or None,
        thread_ts=call.text("thread_ts"),
        metadata=content.metadata or None,
    )


def target(call: Call) -> Channel:
    """Where a message goes: a channel by id or name, or a person, whose direct message is opened.

    Raises Refused with `channel_not_found`, `user_disabled`, `not_in_channel` or `is_archived`.
    """
    workspace, name = call.sandbox.workspace, call.text("channel")
    if name in workspace.people:
        return direct_with(call, name)
    channel = workspace.channel_named(name) if name else None
    if channel is not None and channel.id != name and workspace.app.is_enterprise_install:
        raise Refused("team_not_found")  # a name means nothing where several teams are
    if channel is None:
        raise Refused("channel_not_found")
    inside = workspace.app.bot_user in channel.members
    if not inside and channel.kind != "channel":
        raise Refused("channel_not_found")
    if not inside and "chat:write.public" not in workspace.app.scopes:
        raise Refused("not_in_channel")
    if channel.is_archived:
        raise Refused("is_archived")
    return channel


def direct_with(call: Call, name: str) -> Channel:
    """The direct message with a person. Raises Refused when the app cannot have one."""
    person = call.sandbox.workspace.people.get(name)
    if person is None:
        raise Refused("user_not_found")
    if person.deleted:
        raise Refused("user_disabled")
    if person.is_bot:
        raise Refused("cannot_dm_bot")
    if person.is_stranger:
        raise Refused("user_not_visible")
    return call.sandbox.workspace.direct(name)


def _check_thread(call: Call, channel: Channel) -> None:
    ts = call.text("thread_ts")
    if not ts:
        return
    parent = channel.messages.get(ts)
    if parent is None or parent.only_for:
        raise Refused("thread_not_found")
    if parent.thread_ts and parent.thread_ts != ts:
        raise Refused("cannot_reply_to_message")


def _cut(content: Content) -> tuple[Content, Json]:
    """Text above Slack's limit is cut off, with a warning in the answer."""
    if content.text is None or len(content.text) <= limits.POST_TEXT:
        return content, {}
    shorter = Content(
        text=content.text[: limits.POST_TEXT],
        blocks=content.blocks,
        attachments=content.attachments,
        metadata=content.metadata,
    )
    warning = "message_truncated"
    return shorter, {"warning": warning, "response_metadata": {"warnings": [warning]}}


def _something(content: Content) -> None:
    if not (content.text or content.blocks or content.attachments):
        raise Refused("no_text")


def _post_message(call: Call) -> Json:
    call.needs("chat:write")
    if any(call.text(name) for name in ("username", "icon_emoji", "icon_url")):
        call.needs("chat:write.customize")
    channel = target(call)
    content, warning = _cut(read_content(call))
    _something(content)
    _check_thread(call, channel)
    message = new_message(call, content)
    message.reply_broadcast = bool(message.thread_ts) and call.flag("reply_broadcast")
    call.sandbox.workspace.post(channel, message)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_slack(metadata=True), **warning}


def _post_ephemeral(call: Call) -> Json:
    call.needs("chat:write")
    channel, person = target(call), call.required("user")
    if person not in channel.members:
        raise Refused("user_not_in_channel")
    content, _ = _cut(read_content(call))
    _something(content)
    message = new_message(call, content)
    message.only_for = person
    call.sandbox.workspace.post(channel, message)
    return {"message_ts": message.ts}


def _permalink(call: Call) -> Json:
    channel, ts = call.channel(), call.required("message_ts")
    message = channel.messages.get(ts)
    if message is None or message.only_for:
        raise Refused("message_not_found")
    link = f"{call.sandbox.workspace.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": _post_message,
    "chat.postEphemeral": _post_ephemeral,
    "chat.getPermalink": _permalink,
}
