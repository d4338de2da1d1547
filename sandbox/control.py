"""`/control/*`: what a test turns and reads: faults, time, connections, people; and the record of everything."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from sandbox.json_types import Json
from sandbox.members import AppProfile, Channel, Group, Person
from sandbox.parts import Sandbox
from sandbox.reply import Reply
from sandbox.workspace import known_fields

_ENVELOPES = {"slash_commands": "slash_commands", "events_api": "events_api", "event_callback": "events_api"}

_LISTS = ("scopes", "events", "commands", "shortcuts")
_TEAM = ("name", "domain", "enterprise_id", "enterprise_name")


class Control:
    """The handlers. Wrong input is answered 400 with words."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def add_to(self, app: web.Application) -> None:
        """Mount everything."""
        acts: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "app": self._app,
            "team": self._team,
            "faults": self._faults,
            "clock": self._clock,
            "disconnect": self._disconnect,
            "person": self._person,
            "channel": self._channel,
            "usergroup": self._group,
            "pace": self._pace,
            "deliver": self._deliver,
            "reset": self._reset,
        }
        for name, act in acts.items():
            app.router.add_post(f"/control/{name}", _serving(act))
        app.router.add_get("/control/record", self._record)
        app.router.add_get("/control/ready", self._ready)

    async def _record(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdigit():
            return _wrong("`since` must be a number")
        return web.json_response(self._sandbox.record.since(int(since)))

    async def _ready(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "sockets": len(self._sandbox.sockets)})

    async def _app(self, body: Json) -> Json:
        """Change how the app is reached, its scopes or its subscriptions; a request URL is verified first."""
        workspace = self._sandbox.workspace
        lists: Json = {name: tuple(body[name]) for name in _LISTS if name in body}
        before = workspace.app
        workspace.app = replace(before, **known_fields(AppProfile, {**body, **lists}))
        if workspace.app.is_enterprise_install and not workspace.team.get("enterprise_id"):
            workspace.app = before
            raise ValueError("only the team of an organisation can be installed so; give it an enterprise_id first")
        if workspace.app.mode == "http" and len(self._sandbox.sockets):
            await self._sandbox.sockets.disconnect("link_disabled")
        if body.get("request_url") and not await self._sandbox.delivery.verify_url(body["request_url"]):
            workspace.app = replace(workspace.app, request_url=before.request_url)
            raise ValueError("the request URL did not answer the challenge")
        return {"mode": workspace.app.mode, "request_url": workspace.app.request_url}

    async def _team(self, body: Json) -> Json:
        """Change the team, for example into one of an organisation: `enterprise_id` and `enterprise_name`."""
        if unknown := sorted(set(body) - set(_TEAM)):
            raise ValueError(f"unknown fields: {', '.join(unknown)}; known are {', '.join(_TEAM)}")
        self._sandbox.workspace.team.update(body)
        return {"team": self._sandbox.workspace.team}

    async def _faults(self, body: Json) -> Json:
        self._sandbox.faults.plan(body["faults"])
        return {}

    async def _clock(self, body: Json) -> Json:
        self._sandbox.clock.advance(float(body["advance"]))
        return {"now": self._sandbox.clock.now()}

    async def _disconnect(self, body: Json) -> Json:
        return {"told": await self._sandbox.sockets.disconnect(body.get("reason", "refresh_requested"))}

    async def _person(self, body: Json) -> Json:
        """Change a person, or add one with a new id."""
        people, team = self._sandbox.workspace.people, self._sandbox.workspace.team["id"]
        found = people.get(body["id"])
        changes = known_fields(Person, body)
        new = {"name": body["id"].lower(), "real_name": body["id"], "team_id": team}
        people[body["id"]] = Person(**{**new, **changes}) if found is None else replace(found, **changes)
        return {"person": people[body["id"]].as_page()}

    async def _channel(self, body: Json) -> Json:
        """Change a channel, or add one with a new id."""
        channels = self._sandbox.workspace.channels
        changes = known_fields(Channel, body)
        if body["id"] not in channels:
            bot = self._sandbox.workspace.app.bot_user
            channels[body["id"]] = Channel(**{"name": body["id"].lower(), "members": [bot], **changes})
        for name, value in changes.items():
            setattr(channels[body["id"]], name, value)
        self._sandbox.stream.publish("channel", {"channel": body["id"]})
        return {}

    async def _group(self, body: Json) -> Json:
        """Change a user group, or add one; the app hears of its members when it has subscribed."""
        groups = self._sandbox.workspace.groups
        changes = known_fields(Group, {**body, "users": tuple(body.get("users", ()))} if "users" in body else body)
        new = {"handle": body["id"].lower(), "name": body["id"], "users": ()}
        before = groups.get(body["id"])
        group = Group(**{**new, **changes}) if before is None else replace(before, **changes)
        groups[group.id] = group
        event = {"type": "subteam_members_changed", "subteam_id": group.id, "event_ts": self._sandbox.clock.ts()}
        self._sandbox.delivery.event("subteam_members_changed", self._sandbox.payloads.event(event))
        return {}

    async def _pace(self, body: Json) -> Json:
        self._sandbox.pace.enabled = bool(body["enabled"])
        return {}

    async def _reset(self, body: Json) -> Json:
        await self._sandbox.reset()
        return {}

    async def _deliver(self, body: Json) -> Json:
        """Deliver a payload as it is, with headers of one's own over HTTP (None leaves a header out)."""
        payload = body.get("payload") or {}
        if self._sandbox.workspace.app.mode == "socket":
            kind = _ENVELOPES.get(body.get("kind", ""), "interactive")
            reply = await self._sandbox.sockets.send(kind, payload, accepts=kind != "events_api")
        else:
            reply = await self._post(body, payload)
        return _said(reply)

    async def _post(self, body: Json, payload: Json) -> Reply:
        form = "application/x-www-form-urlencoded"
        if _ENVELOPES.get(body.get("kind", "")) == "events_api":
            sent, kind = json.dumps(payload), "application/json"
        elif body.get("kind") == "slash_commands":
            sent, kind = urlencode(payload), form
        else:
            sent, kind = urlencode({"payload": json.dumps(payload)}), form
        raw: str = body.get("raw", sent)
        return await self._sandbox.delivery.post(
            raw.encode(), kind, method=body.get("kind"), headers=body.get("headers") or {}
        )


def _said(reply: Reply) -> Json:
    return {"outcome": reply.outcome, "status": reply.status, "body": reply.body, "error": reply.error}


def _serving(act: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        try:
            body: Any = json.loads(await request.read() or b"{}")
            return web.json_response({"ok": True, **await act(body)})
        except KeyError as error:
            return _wrong(f"the field {error} is missing")
        except (ValueError, TypeError, AttributeError) as error:
            return _wrong(str(error))

    return serve


def _wrong(words: str) -> web.Response:
    return web.json_response({"ok": False, "error": words}, status=400)
