"""Slack's own shapes: which fields stand in what it sends, and of what sort they are.

A shape is a table of fields. `str`, `int`, `bool`, `list` and `dict` are sorts of values; a nested table is a nested
object; `maybe(...)` may be null; a field whose name ends with `?` may be missing. What a table does not name must not
be there.
"""

from typing import Any

Json = dict[str, Any]
Shape = Any


def maybe(shape: Shape) -> tuple[str, Shape]:
    """Null, or this shape."""
    return ("maybe", shape)


GRID: Json = {"enterprise_id?": str, "enterprise_name?": str}
TEAM: Json = {"id": str, "domain": str, **GRID}
ORGANISATION: Json = {"id": str, "name": str}
USER: Json = {"id": str, "username": str, "name": str, "team_id": str}
CHANNEL: Json = {"id": str, "name": str}
TEXT: Json = {"type": str, "text": str, "emoji?": bool, "verbatim?": bool}
STATE: Json = {"values": dict}
VIEW: Json = {
    **{"id": str, "team_id": str, "type": str, "blocks": list, "private_metadata": str, "callback_id": str},
    **{"state": STATE, "hash": str, "title": TEXT, "clear_on_close": bool, "notify_on_close": bool},
    **{"close": maybe(TEXT), "submit": maybe(TEXT), "previous_view_id": maybe(str), "root_view_id": str},
    **{"app_id": str, "external_id": str, "app_installed_team_id": str, "bot_id": str},
}
MESSAGE: Json = {
    **{"type": str, "text": str, "ts": str, "user": str, "team?": str, "blocks?": list, "bot_id?": str, "app_id?": str},
    **{"client_msg_id?": str, "thread_ts?": str, "reply_count?": int, "reply_users?": list, "edited?": dict},
}
BUTTON: Json = {
    **{"action_id": str, "block_id": str, "type": str, "action_ts": str, "text": TEXT, "value?": str, "style?": str},
}
INTERACTION: Json = {
    **{"type": str, "user": USER, "api_app_id": str, "token": str, "team": maybe(TEAM)},
    **{"enterprise": maybe(ORGANISATION), "is_enterprise_install": bool},
}
IN_MESSAGE: Json = {
    **{"type": str, "message_ts": str, "channel_id": str, "is_ephemeral": bool, "thread_ts?": str},
}
IN_VIEW: Json = {"type": str, "view_id": str}

SHAPES: dict[str, Shape] = {
    "block_actions of a message": {
        **INTERACTION,
        **{"container": IN_MESSAGE, "trigger_id": str, "channel": CHANNEL, "state": STATE, "response_url": str},
        **{"actions": [BUTTON], "message": MESSAGE},
    },
    "block_actions of an ephemeral message": {
        **INTERACTION,
        **{"container": IN_MESSAGE, "trigger_id": str, "channel": CHANNEL, "state": STATE, "response_url": str},
        "actions": [BUTTON],
    },
    "block_actions of a view": {
        **INTERACTION,
        **{"container": IN_VIEW, "trigger_id": str, "view": VIEW, "actions": [BUTTON]},
    },
    "view_submission": {**INTERACTION, "trigger_id": str, "view": VIEW, "response_urls": list},
    "view_closed": {**INTERACTION, "view": VIEW, "is_cleared": bool},
    "block_suggestion": {
        **INTERACTION,
        **{"container": IN_VIEW, "action_id": str, "block_id": str, "value": str, "view": VIEW},
    },
    "shortcut": {**INTERACTION, "action_ts": str, "callback_id": str, "trigger_id": str},
    "message_action": {
        **INTERACTION,
        **{"action_ts": str, "callback_id": str, "trigger_id": str, "channel": CHANNEL, "message_ts": str},
        **{"message": MESSAGE, "response_url": str},
    },
    "slash command": {
        **{"token": str, "team_id": str, "team_domain": str, **GRID, "channel_id": str, "channel_name": str},
        **{"user_id": str, "user_name": str, "command": str, "text": str, "api_app_id": str},
        **{"is_enterprise_install": str, "response_url": str, "trigger_id": str},
    },
    "event": {
        **{"token": str, "team_id": str, "enterprise_id?": str, "api_app_id": str, "event": dict, "type": str},
        **{"event_id": str, "event_time": int, "is_ext_shared_channel": bool, "event_context": str},
        "authorizations": [
            {
                **{"enterprise_id": maybe(str), "team_id": maybe(str), "user_id": str, "is_bot": bool},
                "is_enterprise_install": bool,
            }
        ],
    },
    "app_mention": {
        **{"client_msg_id": str, "type": str, "text": str, "user": str, "ts": str, "team": str, "channel": str},
        **{"event_ts": str, "blocks": list, "thread_ts?": str, "parent_user_id?": str},
    },
    "message event": {
        **{"client_msg_id": str, "type": str, "text": str, "user": str, "ts": str, "team": str, "channel": str},
        **{"event_ts": str, "blocks": list, "channel_type": str, "thread_ts?": str, "parent_user_id?": str},
    },
    "app_home_opened": {"type": str, "user": str, "channel": str, "tab": str, "event_ts": str, "view?": VIEW},
    "member_joined_channel": {
        **{"type": str, "user": str, "channel": str, "channel_type": str, "team": str, "event_ts": str},
        "inviter?": str,
    },
    "hello": {
        **{"type": str, "num_connections": int, "connection_info": {"app_id": str}},
        "debug_info": {"host": str, "started": str, "build_number": int, "approximate_connection_time": int},
    },
    "interactive envelope": {"envelope_id": str, "payload": dict, "type": str, "accepts_response_payload": bool},
    "events_api envelope": {
        **{"envelope_id": str, "payload": dict, "type": str, "accepts_response_payload": bool},
        **{"retry_attempt": int, "retry_reason": str},
    },
    "disconnect": {"type": str, "reason": str, "debug_info": {"host": str}},
    "url_verification": {"token": str, "challenge": str, "type": str},
}


def differences(found: Any, shape: Shape, at: str = "") -> list[str]:
    """Everything in which a payload differs from a shape, with the place."""
    if isinstance(shape, tuple):
        return [] if found is None else differences(found, shape[1], at)
    if isinstance(shape, list):
        if not isinstance(found, list) or not found:
            return [f"{at}: no list with something in it"]
        return [line for number, entry in enumerate(found) for line in differences(entry, shape[0], f"{at}/{number}")]
    if isinstance(shape, type):
        right = isinstance(found, shape) and (shape is bool or not isinstance(found, bool))
        return [] if right else [f"{at}: {type(found).__name__} instead of {shape.__name__}"]
    return _fields(found, shape, at)


def _fields(found: Any, shape: Json, at: str) -> list[str]:
    if not isinstance(found, dict):
        return [f"{at}: no object"]
    known = {name.removesuffix("?"): inner for name, inner in shape.items()}
    missing = [f"{at}/{name}: missing" for name in shape if not name.endswith("?") and name not in found]
    more = [f"{at}/{name}: not Slack's" for name in found if name not in known]
    inside = [line for name in found if name in known for line in differences(found[name], known[name], f"{at}/{name}")]
    return [*missing, *more, *inside]
