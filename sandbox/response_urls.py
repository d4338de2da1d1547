"""response_url: how an app answers an interaction without a token."""

import json
from typing import Any

from aiohttp import web

from sandbox.chat_updates import rewrite
from sandbox.content import Content, checked_blocks
from sandbox.json_types import Json
from sandbox.members import Message
from sandbox.parts import Sandbox
from sandbox.tickets import Refused, ResponseUrl


async def receive_response(sandbox: Sandbox, request: web.Request) -> web.Response:
    """One use of a response URL; 404 when it has none left, 400 for content that Slack refuses."""
    entry = sandbox.record.add("in", "response_url", method=request.match_info["id"])
    fault = sandbox.faults.next_for("response_url")
    try:
        body = json.loads(await request.read())
        entry["body"] = body
        if fault is None or fault.effect == "after" or not fault.fails:
            respond(sandbox, sandbox.tickets.use_response_url(request.match_info["id"]), body)
        if fault is not None:
            await sandbox.faults.hold_up(fault.delay)
        if fault is not None and fault.fails:
            return _answer(entry, fault.status or 500, fault.error or "internal_error")
    except ValueError:
        return _answer(entry, 400, "invalid_payload")
    except Refused as refused:
        return _answer(entry, 404 if refused.name.endswith("_url") else 400, refused.name)
    return _answer(entry, 200, "")


def _answer(entry: Json, status: int, error: str) -> web.Response:
    entry.update(status=status, answer=error or "ok")
    if not error:
        return web.Response(text="ok")
    return web.json_response({"ok": False, "error": error}, status=status)


def respond(sandbox: Sandbox, url: ResponseUrl, body: Any) -> None:
    """Do what a body says: a new message (ephemeral unless `in_channel`), or replace or delete the one clicked.

    Raises Refused for content that Slack refuses.
    """
    workspace = sandbox.workspace
    channel = workspace.channels[url.channel]
    said = {"text": body} if isinstance(body, str) else body
    if not isinstance(said, dict):
        raise Refused("invalid_payload")
    original = channel.messages.get(url.message_ts)
    if said.get("delete_original"):
        if original is not None:
            workspace.remove(channel, original)
        return
    content = Content(text=said.get("text"), blocks=checked_blocks(said.get("blocks")), attachments=None, metadata=None)
    if not (content.text or content.blocks):
        raise Refused("no_text")
    if said.get("replace_original") and original is not None:
        rewrite(original, content)
        workspace.changed(channel, original)
        return
    app = workspace.app
    message = Message(
        ts=sandbox.clock.ts(),
        user=app.bot_user,
        text=content.fallback,
        bot_id=app.bot_id,
        app_id=app.id,
        blocks=content.blocks or None,
        thread_ts=_thread(said, original),
        only_for="" if said.get("response_type") == "in_channel" else url.person,
    )
    workspace.post(channel, message)


def _thread(said: Json, original: Message | None) -> str:
    given = said.get("thread_ts")
    return str(given) if given else original.thread_ts if original is not None and original.only_for else ""
