"""Who may talk to the sandbox from a browser: its own page alone.

Other web pages that are open on the same machine could otherwise click buttons here, by a cross-site request or by
pointing a name of theirs at this address.
"""

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def own_page_only(host: str) -> Middleware:
    """A middleware that refuses foreign origins and, when the sandbox listens on this machine only, foreign names."""
    local = host in _LOOPBACK

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="Only the sandbox's own page may do this.")
        if local and urlsplit(f"//{request.host}").hostname not in _LOOPBACK:
            raise web.HTTPForbidden(text="The sandbox listens on this machine only; open it as 127.0.0.1.")
        return await handler(request)

    return guard
