"""The Web API's front: who calls, may they, how fast, with which planned fault; then the method itself."""

import asyncio
import json
from collections.abc import Callable, Mapping

from aiohttp import web

from sandbox import (
    agent_methods,
    chat_methods,
    chat_updates,
    conversation_methods,
    file_methods,
    people_methods,
    view_methods,
)
from sandbox.faults import PlannedFault
from sandbox.json_types import Json
from sandbox.parts import Sandbox
from sandbox.tickets import Refused
from sandbox.web_call import Call, read_arguments

Method = Callable[[Call], Json]


def _open_connection(call: Call) -> Json:
    ticket = call.sandbox.sockets.new_ticket()
    address = call.sandbox.workspace.base_url.replace("http", "ws", 1)
    return {"url": f"{address}/link?ticket={ticket}&app_id={call.sandbox.workspace.app.id}"}


METHODS: Mapping[str, Method] = {
    "apps.connections.open": _open_connection,
    **people_methods.METHODS,
    **chat_methods.METHODS,
    **chat_updates.METHODS,
    **conversation_methods.METHODS,
    **view_methods.METHODS,
    **file_methods.METHODS,
    **agent_methods.METHODS,
}
_APP_TOKEN_METHODS = ("apps.connections.open",)
_NO_TOKEN = ("api.test",)


class SlackApi:
    """Answers `/api/<method>`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One call, recorded with its true answer."""
        method = request.match_info["method"]
        entry = self._sandbox.record.add("in", "api", method=method)
        try:
            arguments = await read_arguments(request)
        except Refused as refused:
            return _answer(entry, {"ok": False, "error": refused.name})
        token = _token(request, arguments)
        entry.update(token=token, body=arguments)
        call = Call(method=method, arguments=arguments, sandbox=self._sandbox)
        fault = self._sandbox.faults.next_for(method)
        warning = _charset_warning(request)
        if fault is not None:
            return await self._with_fault(request, call, token, entry, fault)
        return self._paced(call, token, entry, warning)

    def _paced(self, call: Call, token: str, entry: Json, warning: str) -> web.Response:
        seconds = self._sandbox.pace.wait_for(call.method, _pace_key(call))
        if seconds:
            body = {"ok": False, "error": "ratelimited"}
            return _answer(entry, body, status=429, headers={"Retry-After": str(seconds)})
        return _answer(entry, _warned(self._run(call, token), warning), headers=self._scopes())

    def _run(self, call: Call, token: str) -> Json:
        try:
            self._check_token(call.method, token)
            if call.method not in METHODS:
                raise Refused("unknown_method", req_method=call.method)
            return {"ok": True, **METHODS[call.method](call)}
        except Refused as refused:
            return {"ok": False, "error": refused.name, **refused.rest}

    def _check_token(self, method: str, token: str) -> None:
        app = self._sandbox.workspace.app
        if method in _NO_TOKEN:
            return
        if not token:
            raise Refused("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise Refused("invalid_auth")
        if (token == app.app_token) != (method in _APP_TOKEN_METHODS):
            raise Refused("not_allowed_token_type")

    async def _with_fault(
        self, request: web.Request, call: Call, token: str, entry: Json, fault: PlannedFault
    ) -> web.StreamResponse:
        done = self._run(call, token) if fault.effect == "after" or not fault.fails else None
        await self._sandbox.faults.hold_up(fault.delay)
        if fault.reset:
            entry.update(status="reset", answer=done)
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault.slow_body:
            failed = {"ok": False, "error": fault.error or "internal_error"}
            return await _slowly(request, entry, failed if done is None or fault.fails else done, fault)
        if not fault.fails and done is not None:
            return _answer(entry, done)
        names = {429: "ratelimited"}
        body = {"ok": False, "error": fault.error or names.get(fault.status, "internal_error")}
        headers = {"Retry-After": str(fault.retry_after)} if fault.status == 429 else {}
        return _answer(entry, body, status=fault.status or 200, headers=headers)

    def _scopes(self) -> dict[str, str]:
        return {"x-oauth-scopes": ",".join(self._sandbox.workspace.app.scopes)}


def _answer(entry: Json, body: Json, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    entry.update(status=status, answer=body)
    return web.json_response(body, status=status, headers=headers)


async def _slowly(request: web.Request, entry: Json, body: Json, fault: PlannedFault) -> web.StreamResponse:
    """The answer in two halves, with some seconds between them."""
    text = json.dumps(body).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(text))}
    response = web.StreamResponse(status=fault.status or 200, headers=headers)
    entry.update(status=response.status, answer=body)
    await response.prepare(request)
    await response.write(text[: len(text) // 2])
    await asyncio.sleep(fault.slow_body)
    await response.write(text[len(text) // 2 :])
    return response


def _charset_warning(request: web.Request) -> str:
    """Slack warns of a JSON body without a charset, and of a form with one."""
    if request.method != "POST" or not request.body_exists:
        return ""
    is_form = request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")
    if is_form == (request.charset is None):
        return ""
    return "superfluous_charset" if is_form else "missing_charset"


def _warned(body: Json, warning: str) -> Json:
    """The answer with one more warning, as Slack writes them: together in one string, and as a list."""
    if not warning:
        return body
    metadata = body.get("response_metadata", {})
    warnings = [*metadata.get("warnings", []), warning]
    return {**body, "warning": ",".join(warnings), "response_metadata": {**metadata, "warnings": warnings}}


def _token(request: web.Request, arguments: Json) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    sent = arguments.pop("token", "")
    return token if kind == "Bearer" else str(sent)


def _pace_key(call: Call) -> str:
    name = call.text("channel")
    if name in call.sandbox.workspace.people:
        return f"D{name[1:]}"
    found = call.sandbox.workspace.channel_named(name) if name else None
    return found.id if found else ""
