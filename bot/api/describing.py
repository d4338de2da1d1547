"""The API's description, for programs at ``/openapi.json`` and for people at ``/docs``.

It is made when somebody first asks for it, of the routes that are there. It needs no key: it tells no more than this
program's source, and nothing of this gateway's policy, people or requests.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.api.operations import JSON, Operation, describes
from bot.api.problems import ANSWER_HEADERS


class Description:
    """The handlers of both addresses, and what they answer once it is made."""

    def __init__(self) -> None:
        self._made: tuple[bytes, bytes, str] | None = None
        self._making = asyncio.Lock()

    @describes(Operation(id="openapi", tag="description", key=None, stored=False, answers={200: JSON}))
    async def document(self, http: web.Request) -> web.Response:
        """This description, as an OpenAPI 3.1 document."""
        document, _, _ = await self._described(http.app)
        return web.Response(body=document, content_type="application/json", headers=ANSWER_HEADERS)

    @describes(Operation(id="docs", tag="description", key=None, stored=False, answers={200: "text/html"}))
    async def page(self, http: web.Request) -> web.Response:
        """This description, as a page to read."""
        _, page, csp = await self._described(http.app)
        headers = {**ANSWER_HEADERS, "Content-Security-Policy": csp, "Referrer-Policy": "no-referrer"}
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)

    async def _described(self, app: web.Application) -> tuple[bytes, bytes, str]:
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(_make, app)
        return self._made


def _make(app: web.Application) -> tuple[bytes, bytes, str]:
    from bot.api.openapi import document_of, written  # a gateway whose description nobody asks for doesn't pay for it
    from bot.api.page import CSP, page_of

    document = document_of(app.router.routes())
    return written(document), page_of(document).encode(), CSP
