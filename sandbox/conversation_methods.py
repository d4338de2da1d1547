"""conversations.*: channels, who is in them and what was said."""

from sandbox import limits
from sandbox.chat_methods import direct_with
from sandbox.json_types import Json
from sandbox.members import Channel, Message
from sandbox.tickets import Refused
from sandbox.web_call import Call

_SCOPE_KINDS = {"channel": "channels", "private": "groups", "im": "im", "mpim": "mpim"}
_TYPES = {"public_channel": "channel", "private_channel": "private", "im": "im", "mpim": "mpim"}


def _needs(call: Call, channel: Channel, right: str) -> None:
    call.needs(f"{_SCOPE_KINDS[channel.kind]}:{right}")


def _as_conversation(call: Call, channel: Channel) -> Json:
    bot = call.sandbox.workspace.app.bot_user
    if channel.kind == "im":
        return {"id": channel.id, "is_im": True, "user": channel.other(bot), "created": channel.created}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "private",
        "is_private": channel.kind != "channel",
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_archived": channel.is_archived,
        "is_member": bot in channel.members,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "context_team_id": call.sandbox.workspace.team["id"],
        "created": channel.created,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def _open(call: Call) -> Json:
    if call.text("channel"):
        call.needs("im:write", "mpim:write")
        channel = call.channel()
        return {"no_op": True, "already_open": True, "channel": {"id": channel.id}}
    users = list(dict.fromkeys(name for name in _names(call, "users") if name))
    call.needs("mpim:write" if len(users) > 1 else "im:write")
    if not users:
        raise Refused("users_list_not_supplied")
    if len(users) > limits.GROUP_PEOPLE:
        raise Refused("too_many_users")
    for user in users:
        channel = direct_with(call, user)
    if len(users) > 1:
        channel = call.sandbox.workspace.group_direct(users)
    body = _as_conversation(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"no_op": False, "already_open": False, "channel": body}


def _names(call: Call, name: str) -> list[str]:
    given = call.arguments.get(name)
    return list(map(str, given)) if isinstance(given, list) else call.text(name).split(",")


def _join(call: Call) -> Json:
    call.needs("channels:join")
    channel, bot = call.channel(), call.sandbox.workspace.app.bot_user
    if channel.kind != "channel":
        raise Refused("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Refused("is_archived")
    if bot in channel.members:
        warning = "already_in_channel"
        warned = {"warning": warning, "response_metadata": {"warnings": [warning]}}
        return {"channel": _as_conversation(call, channel), **warned}
    channel.members.append(bot)
    call.sandbox.stream.publish("channel", {"channel": channel.id})
    event = {"type": "member_joined_channel", "user": bot, "channel": channel.id, "channel_type": "C"}
    event.update(team=call.team_id, event_ts=call.sandbox.clock.ts())
    call.sandbox.delivery.event("member_joined_channel", call.sandbox.payloads.event(event))
    return {"channel": _as_conversation(call, channel)}


def _info(call: Call) -> Json:
    channel = call.channel()
    _needs(call, channel, "read")
    found = _as_conversation(call, channel)
    return {"channel": found | ({"num_members": len(channel.members)} if call.flag("include_num_members") else {})}


def _list(call: Call) -> Json:
    call.needs_team()
    kinds = [_TYPES.get(name.strip()) for name in call.text("types", "public_channel").split(",")]
    if None in kinds:
        raise Refused("invalid_types")
    for kind in kinds:
        if kind in _SCOPE_KINDS:
            call.needs(f"{_SCOPE_KINDS[kind]}:read")
    bot = call.sandbox.workspace.app.bot_user
    hidden = call.flag("exclude_archived")
    found = [
        channel
        for channel in call.sandbox.workspace.channels.values()
        if channel.kind in kinds
        and (channel.kind == "channel" or bot in channel.members)
        and not (hidden and channel.is_archived)
    ]
    shown, following = call.page(found)
    return {"channels": [_as_conversation(call, channel) for channel in shown], "response_metadata": following}


def _members(call: Call) -> Json:
    channel = call.channel()
    _needs(call, channel, "read")
    shown, following = call.page(channel.members)
    return {"members": shown, "response_metadata": following}


def _readable(call: Call) -> Channel:
    channel = call.channel()
    _needs(call, channel, "history")
    if call.sandbox.workspace.app.bot_user not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _within(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = _moment(call, "oldest", 0.0), _moment(call, "latest", float("inf"))
    if call.flag("inclusive"):
        return [message for message in messages if oldest <= float(message.ts) <= latest]
    return [message for message in messages if oldest < float(message.ts) < latest]


def _moment(call: Call, name: str, default: float) -> float:
    try:
        return float(call.text(name) or default)
    except ValueError:
        raise Refused(f"invalid_ts_{name}") from None


def _history(call: Call) -> Json:
    channel = _readable(call)
    top = [
        message
        for message in channel.messages.values()
        if not message.only_for
        and (not message.thread_ts or message.thread_ts == message.ts or message.reply_broadcast)
    ]
    newest_first = sorted(_within(call, top), key=lambda message: message.ts, reverse=True)
    return _messages(call, channel, newest_first)


def _replies(call: Call) -> Json:
    channel, ts = _readable(call), call.required("ts")
    parent = channel.messages.get(ts)
    if parent is None or parent.only_for:
        raise Refused("thread_not_found")
    return _messages(call, channel, [parent, *_within(call, call.sandbox.workspace.replies(channel, ts))])


def _messages(call: Call, channel: Channel, messages: list[Message]) -> Json:
    shown, following = call.page(messages)
    metadata = call.flag("include_all_metadata")
    found = [call.sandbox.workspace.with_thread(channel, message, metadata=metadata) for message in shown]
    more = bool(following["next_cursor"])
    return {"messages": found, "has_more": more, **({"response_metadata": following} if more else {})}


METHODS = {
    "conversations.join": _join,
    "conversations.open": _open,
    "conversations.info": _info,
    "conversations.list": _list,
    "conversations.members": _members,
    "conversations.history": _history,
    "conversations.replies": _replies,
}
