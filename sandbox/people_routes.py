"""`/people/*`: what people see and do, for the page, tests and demos."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox import limits
from sandbox.json_types import Json
from sandbox.members import Channel, Message
from sandbox.parts import Sandbox
from sandbox.people import People
from sandbox.reply import Reply
from sandbox.suggestions import suggest
from sandbox.tickets import Refused


class PeopleRoutes:
    """The handlers; each answers JSON with `ok`, and `error` when it is false."""

    def __init__(self, sandbox: Sandbox, welcome: Json | None) -> None:
        self._sandbox = sandbox
        self._people = People(sandbox)
        self._welcome = welcome

    def add_to(self, app: web.Application) -> None:
        """Mount everything."""
        seen: dict[str, Callable[[web.Request], Json]] = {
            "workspace": self._workspace,
            "history": self._history,
            "home": self._home,
            "views": self._views,
        }
        done: dict[str, Callable[[str, Json], Awaitable[Json]]] = {
            "open_home": self._open_home,
            "say": self._say,
            "command": self._command,
            "click": self._click,
            "submit": self._submit,
            "close": self._close,
            "shortcut": self._shortcut,
            "suggest": self._suggest,
        }
        for name, look in seen.items():
            app.router.add_get(f"/people/{name}", _looking(look))
        for name, act in done.items():
            app.router.add_post(f"/people/{name}", self._acting(act))
        app.router.add_get("/people/events", self._events)

    def _acting(self, act: Callable[[str, Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            try:
                body = await _body(request)
                return web.json_response(await act(self._people.person(str(body.get("as"))).id, body))
            except Refused as refused:
                return _refusal(refused)

        return serve

    def _me(self, request: web.Request) -> str:
        return self._people.person(request.query.get("as", "")).id

    def _somebody(self, request: web.Request) -> str:
        """Who asks; without a name the first person of the workspace who can act."""
        people = self._sandbox.workspace.people.values()
        able = (person.id for person in people if not (person.is_bot or person.deleted))
        return self._me(request) if "as" in request.query else next(able, "")

    def _workspace(self, request: web.Request) -> Json:
        me, workspace = self._somebody(request), self._sandbox.workspace
        seen = [channel for channel in workspace.channels.values() if me in channel.members]
        app = workspace.app
        found: Json = {
            "ok": True,
            "team": workspace.team,
            "me": workspace.people[me].as_page(),
            "people": [person.as_page() for person in workspace.people.values()],
            "channels": [self._as_page(channel, me) for channel in seen],
            "apps": [{"bot_user": app.bot_user, "name": app.name, "app_id": app.id}],
            "commands": list(app.commands),
            "shortcuts": list(app.shortcuts),
            "usergroups": [
                {"id": group.id, "handle": group.handle, "name": group.name, "users": list(group.users)}
                for group in workspace.groups.values()
            ],
        }
        return found | ({"welcome": self._welcome} if self._welcome else {})

    def _as_page(self, channel: Channel, me: str) -> Json:
        last = channel.last_read.get(me, "")
        unread = [message for message in _seen_by(channel, me) if message.ts > last and message.user != me]
        found: Json = {"id": channel.id, "name": channel.name, "kind": channel.kind, "topic": channel.topic}
        found["unread"] = len(unread)
        return found | ({"with": channel.other(me)} if channel.kind == "im" else {})

    def _history(self, request: web.Request) -> Json:
        me = self._me(request)
        channel = self._people.channel(me, request.query.get("channel", ""))
        thread = request.query.get("thread_ts", "")
        seen = _seen_by(channel, me)
        found = [message for message in seen if _belongs(message, thread)]
        if found and not thread:
            channel.last_read[me] = seen[-1].ts
        page, more = _newest(found, request.query.get("limit", ""), request.query.get("before", ""))
        answer = {"ok": True, "messages": [self._message(channel, message) for message in page]}
        return answer | ({"has_more": True} if more else {}) | self._agent(channel, thread)

    def _agent(self, channel: Channel, thread: str) -> Json:
        """What the app says it is doing here; an assistant's status disappears after two minutes."""
        found = channel.agent.get(thread)
        old = self._sandbox.clock.now() - limits.AGENT_STATUS_SECONDS
        gone = found is None or (found.get("until_reply") and found["since"] <= old)
        return {} if gone else {"agent": found}

    def _message(self, channel: Channel, message: Message) -> Json:
        found = self._sandbox.workspace.with_thread(channel, message, metadata=True)
        return found | ({"ephemeral": True} if message.only_for else {})

    def _home(self, request: web.Request) -> Json:
        view = self._sandbox.views.home(self._me(request))
        return {"ok": True, "view": None if view is None else self._sandbox.payloads.view(view)}

    def _views(self, request: web.Request) -> Json:
        shown = self._sandbox.payloads.view
        stack = self._sandbox.views.stack(self._me(request))
        views = [
            {"id": view.id, "hash": view.hash, "view": shown(view)} | ({"errors": view.errors} if view.errors else {})
            for view in stack
        ]
        return {"ok": True, "views": views}

    async def _open_home(self, me: str, body: Json) -> Json:
        self._people.open_home(me)
        return {"ok": True}

    async def _say(self, me: str, body: Json) -> Json:
        message = self._people.say(me, _text(body, "channel"), _text(body, "text"), _text(body, "thread_ts"))
        return {"ok": True, "ts": message.ts}

    async def _command(self, me: str, body: Json) -> Json:
        reply = await self._people.command(me, _text(body, "channel"), _text(body, "text"))
        return self._told(me, reply)

    async def _click(self, me: str, body: Json) -> Json:
        place = _text(body, "block_id"), _text(body, "action_id"), body.get("selected")
        if _text(body, "view_id"):
            values = body.get("values") or {}
            reply = await self._people.click_view(me, _text(body, "view_id"), *place, values)
        else:
            reply = await self._people.click(me, _text(body, "channel"), _text(body, "ts"), *place)
        return self._told(me, reply)

    def _told(self, me: str, reply: Reply) -> Json:
        if not reply.error:
            return {"ok": True}
        self._sandbox.stream.publish("toast", {"error": reply.error}, [me])
        return {"ok": False, "error": reply.error}

    async def _submit(self, me: str, body: Json) -> Json:
        return await self._people.submit(me, _text(body, "view_id"), body.get("values") or {})

    async def _close(self, me: str, body: Json) -> Json:
        await self._people.close(me, _text(body, "view_id"), clear=bool(body.get("clear")))
        return {"ok": True}

    async def _shortcut(self, me: str, body: Json) -> Json:
        place = _text(body, "channel"), _text(body, "ts")
        return self._told(me, await self._people.shortcut(me, _text(body, "callback_id"), *place))

    async def _suggest(self, me: str, body: Json) -> Json:
        return await suggest(self._sandbox, me, body)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        try:
            me = self._me(request)
        except Refused as refused:
            return _refusal(refused)
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        try:
            async for line in self._sandbox.stream.listen(me):
                await response.write(line)
        except ConnectionError:
            return response
        return response


def _looking(look: Callable[[web.Request], Json]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        try:
            return web.json_response(look(request))
        except Refused as refused:
            return _refusal(refused)

    return serve


def _refusal(refused: Refused) -> web.Response:
    return web.json_response({"ok": False, "error": refused.name, **refused.rest})


async def _body(request: web.Request) -> Json:
    try:
        found = json.loads(await request.read())
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(found, dict):
        raise Refused("json_not_object")
    return found


def _text(body: Json, name: str) -> str:
    value: Any = body.get(name)
    return "" if value is None else str(value)


def _seen_by(channel: Channel, person: str) -> list[Message]:
    """In the order of their ts, which is the order in which they came."""
    return [message for message in channel.messages.values() if message.only_for in ("", person)]


def _newest(messages: list[Message], limit: str, before: str) -> tuple[list[Message], bool]:
    """The newest messages (all without a limit) before a ts, oldest first; and whether there are older ones."""
    earlier = [message for message in messages if message.ts < before] if before else messages
    most = int(limit) if limit.isdigit() and int(limit) > 0 else len(earlier)
    return earlier[-most:] if earlier else [], len(earlier) > most


def _belongs(message: Message, thread: str) -> bool:
    top = not message.thread_ts or message.thread_ts == message.ts
    if thread:
        return thread in (message.ts, message.thread_ts)
    return top or message.reply_broadcast
