"""`python -m sandbox`: a Slack workspace on this machine."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from sandbox.json_types import Json
from sandbox.keeping import Keeper
from sandbox.model import API_KEY
from sandbox.parts import Sandbox, build
from sandbox.server import STORIES, build_app
from sandbox.workspace import DEFAULT

_ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not listened on

_PARENT_SECONDS = 0.5


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A Slack workspace on this machine; point any Slack app at it. Nothing leaves the machine.",
        epilog="example: python -m sandbox --port 4390",
    )
    parser.add_argument("--port", type=int, default=4390, help="where to listen; 0 for any free port (default 4390)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
    parser.add_argument("--workspace", type=Path, default=DEFAULT, help="a workspace of your own, as YAML")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep what was said in this file")
    parser.add_argument("--mode", choices=("socket", "http"), help="how the app hears of clicks and events")
    parser.add_argument("--request-url", help="the app's URL for --mode http")
    parser.add_argument("--signing-secret", help="the secret that requests are signed with")
    parser.add_argument("--port-file", type=Path, help="write the port here as soon as it listens")
    parser.add_argument("--ready-fd", type=int, help="write the port to this file descriptor as soon as it listens")
    parser.add_argument("--stories", type=Path, default=STORIES, help="what the scripted Messages API plays")
    parser.add_argument("--welcome", type=Path, help="JSON for the page's first screen")
    parser.add_argument("--no-pace", action="store_true", help="no rate limits")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the program that started this ends")
    return parser.parse_args()


def main() -> int:
    """Run until SIGTERM or SIGINT. Exit 1, with a sentence, when it cannot start."""
    options = _arguments()
    try:
        sandbox = _configured(options)
        welcome = json.loads(options.welcome.read_text(encoding="utf-8")) if options.welcome else None
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(sandbox, options, welcome))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


def _configured(options: argparse.Namespace) -> Sandbox:
    given = {"mode": options.mode, "request_url": options.request_url, "signing_secret": options.signing_secret}
    changes = {name: value for name, value in given.items() if value}
    return build(options.workspace, pace=not options.no_pace, **changes)


async def _serve(sandbox: Sandbox, options: argparse.Namespace, welcome: Json | None) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):  # before anybody hears that it listens, and may end it
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    keeper = Keeper(sandbox, options.keep) if options.keep else None
    also = [keeper.middleware()] if keeper else []
    if keeper:
        keeper.restore()
    app = build_app(sandbox, host=options.host, stories=options.stories, welcome=welcome, also=also)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port)
    await site.start()
    port = runner.addresses[0][1]
    host = "127.0.0.1" if options.host in _ANYWHERE else options.host
    sandbox.workspace.listens_at(f"http://{host}:{port}")
    if keeper:
        keeper.save()  # a file that cannot be written is told at once, not at the end
    _announce(sandbox, options, port)
    beside = [asyncio.ensure_future(_parent_gone(stop))] if options.die_with_parent else []
    beside += [asyncio.ensure_future(keeper.run())] if keeper else []
    await stop.wait()
    for each in beside:
        each.cancel()
    await runner.cleanup()
    if keeper:
        keeper.save()


def _announce(sandbox: Sandbox, options: argparse.Namespace, port: int) -> None:
    if options.port_file:
        fresh = options.port_file.with_suffix(".new")
        fresh.write_text(str(port))
        fresh.replace(options.port_file)
    if options.ready_fd is not None:
        os.write(options.ready_fd, f"{port}\n".encode())
        os.close(options.ready_fd)
    if not options.quiet:
        sys.stdout.write(greeting(sandbox, options.keep))
        sys.stdout.flush()


def greeting(sandbox: Sandbox, kept: Path | None) -> str:
    """What a stranger has to know: where to look, what to set, where everything goes."""
    workspace, app = sandbox.workspace, sandbox.workspace.app
    url = workspace.base_url
    modes = {
        "socket": f"  SLACK_APP_TOKEN={app.app_token}\n",
        "http": f"  SLACK_SIGNING_SECRET={app.signing_secret}\n"
        f"The app's request URL: {app.request_url or f'none yet; set it with POST {url}/control/app'}\n",
    }
    return (
        f"{workspace.team['name']}, a Slack workspace on this machine. Open it and be anybody: {url}/\n\n"
        f"Point an app at it with:\n  SLACK_API_URL={url}/api/\n  SLACK_BOT_TOKEN={app.bot_token}\n{modes[app.mode]}"
        f'An app that does not read SLACK_API_URL: AsyncWebClient(base_url="{url}/api/"), likewise in other SDKs.\n\n'
        f"A scripted Messages API for its agents:\n"
        f"  ANTHROPIC_BASE_URL={url}/anthropic\n  ANTHROPIC_API_KEY={API_KEY}\n\n"
        f"What is said here is {f'kept in {kept}' if kept else 'forgotten when this ends (--keep FILE keeps it)'}.\n"
    )


async def _parent_gone(stop: asyncio.Event) -> None:
    """Stop when the process that started this one has ended; then another process becomes the parent."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of a parent's end
        await asyncio.sleep(_PARENT_SECONDS)
    stop.set()


if __name__ == "__main__":
    raise SystemExit(main())
