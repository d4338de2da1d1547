"""What agents ask of the scripted Messages API stands in the record beside the Slack traffic, without their keys."""

import json
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.model import TOLD
from sandbox.parts import Sandbox

_PREFIX = "/anthropic/"


def model_witness(sandbox: Sandbox) -> Middleware:
    """A middleware that records every call below `/anthropic/` as kind `model`."""

    @web.middleware
    async def witness(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(_PREFIX):
            return await handler(request)
        entry = sandbox.record.add("in", "model", method=request.path.removeprefix(_PREFIX))
        response: web.StreamResponse | None = None
        try:
            response = await handler(request)
        finally:
            whole = response.body if isinstance(response, web.Response) else None
            entry.update(body=await _asked(request), answer=request.get(TOLD) or _read(whole))
            entry["status"] = response.status if response is not None else "broken"
        return response

    return witness


async def _asked(request: web.Request) -> Any:
    try:
        return _read(await request.read())
    except (web.HTTPException, OSError):  # too large, or the caller has gone
        return None


def _read(body: Any) -> Any:
    try:
        return json.loads(body)
    except (ValueError, TypeError):
        return None
