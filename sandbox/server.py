"""One process, one port: every route of the sandbox, and its start and end."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.control import Control
from sandbox.file_methods import receive_upload, send_file
from sandbox.guard import own_page_only
from sandbox.json_types import Json
from sandbox.model import add_routes
from sandbox.model_witness import model_witness
from sandbox.parts import Sandbox
from sandbox.people_routes import PeopleRoutes
from sandbox.response_urls import receive_response
from sandbox.slack_api import SlackApi

_HERE = Path(__file__).parent
_PAGE = _HERE / "page"
STORIES = _HERE / "stories"
_LARGEST_BODY = 64 * 1024 * 1024
_CSP = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def build_app(
    sandbox: Sandbox,
    *,
    host: str = "127.0.0.1",
    stories: Path = STORIES,
    welcome: Json | None = None,
    also: Sequence[Middleware] = (),
) -> web.Application:
    """The web application, for a server that will listen on `host`. Nothing is started yet."""
    middlewares = [own_page_only(host), model_witness(sandbox), *also]
    app = web.Application(client_max_size=_LARGEST_BODY, middlewares=middlewares)
    api = SlackApi(sandbox)

    async def upload(request: web.Request) -> web.Response:
        return await receive_upload(sandbox, request)

    async def download(request: web.Request) -> web.Response:
        return send_file(sandbox, request)

    async def response(request: web.Request) -> web.Response:
        return await receive_response(sandbox, request)

    async def link(request: web.Request) -> web.StreamResponse:
        return await sandbox.sockets.serve(request)

    app.router.add_route("*", "/api/{method}", api.serve)
    app.router.add_get("/link", link)
    app.router.add_post("/response/{id}", response)
    app.router.add_post("/upload/{id}", upload)
    app.router.add_get("/files/{id}", download)
    PeopleRoutes(sandbox, welcome).add_to(app)
    Control(sandbox).add_to(app)
    _add_page(app)
    add_routes(app, stories)
    app.on_shutdown.append(_closing(sandbox))
    return app


def _closing(sandbox: Sandbox) -> Callable[[web.Application], Awaitable[None]]:
    async def close(app: web.Application) -> None:
        await sandbox.close()

    return close


def _add_page(app: web.Application) -> None:
    headers = {"Content-Security-Policy": _CSP, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}

    async def page(request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        file = (_PAGE / name).resolve()
        if not file.is_relative_to(_PAGE) or not file.is_file():
            raise web.HTTPNotFound(text="There is no such page.")
        return web.FileResponse(file, headers=headers)

    async def permalink(request: web.Request) -> web.StreamResponse:
        stamp = request.match_info["stamp"]
        raise web.HTTPFound(f"/#channel={request.match_info['channel']}&ts={stamp[:-6]}.{stamp[-6:]}")

    app.router.add_get("/", page)
    app.router.add_get("/page/{name:.+}", page)
    app.router.add_get(r"/archives/{channel:\w+}/p{stamp:\d+}", permalink)
