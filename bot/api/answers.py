"""What answers have in common: JSON of the API's shapes, kept by nobody on the way."""

from __future__ import annotations

from aiohttp import web

from bot.api.models import RequestOut
from bot.api.parts import Out
from bot.api.problems import ANSWER_HEADERS
from policies.request import Request


def show(shown: Out, *, status: int = 200) -> web.Response:
    """``shown`` as a response."""
    return web.Response(status=status, body=shown.body(), content_type="application/json", headers=ANSWER_HEADERS)


def shown(request: Request) -> web.Response:
    """``request`` as a response."""
    return show(RequestOut.of(request))
