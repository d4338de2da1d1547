"""``signoff-agent``: the agent's side on the command line. Everything it can't do for sure, it blocks."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

BLOCK = 2
"""The exit status that blocks a tool call in Claude Code; any other failure there means "no opinion"."""
DEADLINE = 570.0
"""Seconds that a hook waits for people: below the 600 that the installed settings give it."""
PROMPT = 3_600.0
"""Seconds that a permission prompt waits for people; Claude Code sets no limit of its own."""
PORT = 4392
RUN = "a name for work that survives a restart: the same calls find their requests again"
DAY = 86_400.0
GRACE = 15.0
"""Seconds after the deadline at which the program ends, whatever it is doing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    parsed = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = parsed.command
    return command(parsed)


def program() -> None:
    """The installed program."""
    sys.exit(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="signoff-agent",
        description="Gate an agent's tool calls by a Signoff gateway. SIGNOFF_URL and SIGNOFF_KEY say which.",
        epilog="Example: signoff-agent install claude-code, then signoff-agent prove",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    hook = commands.add_parser("hook", help="answer one hook of an agent program, from standard input")
    hook.add_argument("program", choices=["claude-code"])
    hook.add_argument("--deadline", type=_seconds, default=DEADLINE, help="seconds to wait for people (%(default)g)")
    hook.add_argument("--defer", action="store_true", help="after the deadline end the run, to be resumed later")
    hook.set_defaults(command=_hook)
    install = commands.add_parser("install", help="write the hook into an agent program's settings, after showing how")
    install.add_argument("program", choices=["claude-code"])
    install.add_argument("--settings", default=".claude/settings.json", help="the file (%(default)s)")
    install.add_argument("--matcher", default="*", help="which tools, in Claude Code's words (%(default)s: all)")
    install.add_argument("--defer", action="store_true", help="as for hook: for runs without a person at the terminal")
    install.add_argument("--http", action="store_true", help="the gateway's address instead of a command: second best")
    install.add_argument("--reports", action="store_true", help="tell only how calls went, beside mcp --reports")
    install.add_argument("--yes", action="store_true", help="write without asking")
    install.set_defaults(command=_install)
    proxy = commands.add_parser("proxy", help="gate the tools of an MCP server: signoff-agent proxy -- COMMAND ...")
    proxy.add_argument("--name", required=True, help="what the policy knows the server's tools by: NAME.tool")
    proxy.add_argument("--hold", type=_seconds, default=45.0, help="seconds that a call waits for people (%(default)g)")
    proxy.add_argument("--url", help="a server over streamable HTTP, instead of a command")
    proxy.add_argument("--run", help=RUN)
    proxy.add_argument("server", nargs="*", metavar="COMMAND", help="the server's command line")
    proxy.set_defaults(command=_proxy)
    mcp = commands.add_parser("mcp", help="serve MCP: tools to ask people, and Claude Code's permission prompt")
    mcp.add_argument("--hold", type=_seconds, default=45.0, help="seconds that a call waits for people (%(default)g)")
    mcp.add_argument(
        "--deadline", type=_seconds, default=PROMPT, help="seconds that a permission prompt waits (%(default)g)"
    )
    mcp.add_argument(
        "--reports", action="store_true", help="note approved prompts for the hook that install --reports puts there"
    )
    mcp.add_argument("--run", help=RUN)
    mcp.add_argument("--http", action="store_true", help="over HTTP, for clients on this machine, instead of stdio")
    mcp.add_argument("--port", type=int, default=PORT, help="of --http (%(default)d)")
    mcp.set_defaults(command=_mcp)
    prove = commands.add_parser("prove", help="show that the hook blocks when the gateway is gone, mute or mad")
    prove.set_defaults(command=_prove)
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= DAY:
        raise argparse.ArgumentTypeError("must be seconds, at most a day")
    return seconds


def _hook(parsed: argparse.Namespace) -> int:
    """Whatever happens in here, also a program that hangs, ends with an answer or with ``BLOCK``."""
    watchdog = threading.Timer(parsed.deadline + GRACE, os._exit, [BLOCK])
    watchdog.daemon = True
    watchdog.start()
    try:
        _say(_answer(parsed, sys.stdin.read()))
    except BaseException as error:
        with contextlib.suppress(OSError):  # nobody reads it, and it blocks all the same
            print(f"Signoff blocked this call: {_words(error)}", file=sys.stderr, flush=True)
        return BLOCK
    finally:
        watchdog.cancel()
    return 0


def _answer(parsed: argparse.Namespace, text: str) -> Any:
    from signoff.claude_code import Event, Hook
    from signoff.client import Signoff
    from signoff.memory import Memory

    try:
        event = Event.model_validate_json(text)
    except ValueError as error:
        raise ValueError("what came on standard input is no hook event of Claude Code.") from error
    with Signoff(run=event.session_id, patience=min(parsed.deadline, 60.0), allow_http=_own_network()) as client:
        hook = Hook(client=client, memory=Memory.default(), deadline=parsed.deadline, defer=parsed.defer)
        return hook.answer(event)


def _own_network() -> bool:
    return os.environ.get("SIGNOFF_ALLOW_HTTP") == "1"


def _say(answer: Any) -> None:
    if answer is not None:
        print(json.dumps(answer), flush=True)


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _install(parsed: argparse.Namespace) -> int:
    from signoff import installing
    from signoff.connection import checked

    hook = installing.command(defer=parsed.defer)
    if parsed.http:
        print(installing.WARNING, file=sys.stderr, flush=True)
        if parsed.defer or parsed.reports:
            print("--defer and --reports are the command hook's alone; leave --http out.", file=sys.stderr)
            return BLOCK
        try:
            hook = installing.address(checked(os.environ.get("SIGNOFF_URL", ""), allow_http=_own_network()))
        except ValueError as error:
            print(f"Set SIGNOFF_URL: {_words(error)}", file=sys.stderr)
            return BLOCK
    events = installing.REPORTS if parsed.reports else installing.EVENTS
    return installing.install(parsed.settings, matcher=parsed.matcher, hook=hook, yes=parsed.yes, events=events)


def _proxy(parsed: argparse.Namespace) -> int:
    if bool(parsed.url) == bool(parsed.server):
        print("Say which server: signoff-agent proxy -- COMMAND ..., or --url URL.", file=sys.stderr)
        return BLOCK
    try:
        from mcp import StdioServerParameters

        from signoff.mcp_proxy import serve
    except ImportError:
        print("The proxy needs MCP's library: pip install 'signoff[mcp]'", file=sys.stderr)
        return BLOCK
    command, *words = parsed.server or [""]
    upstream = parsed.url or StdioServerParameters(command=command, args=words, env=dict(os.environ))
    server = serve(upstream, name=parsed.name, hold=parsed.hold, run=parsed.run, allow_http=_own_network())
    return _serving(server, f"The proxy can't start {parsed.url or parsed.server[0]}")


def _mcp(parsed: argparse.Namespace) -> int:
    try:
        from signoff.mcp_server import serve
        from signoff.memory import Memory
    except ImportError:
        print("The server needs MCP's library: pip install 'signoff[mcp]'", file=sys.stderr)
        return BLOCK
    port = parsed.port if parsed.http else None
    words = {"hold": parsed.hold, "deadline": parsed.deadline, "run": parsed.run, "port": port}
    words["memory"] = Memory.default() if parsed.reports else None
    return _serving(serve(**words, allow_http=_own_network()), "Signoff's MCP server can't start")


def _serving(server: Coroutine[Any, Any, None], what: str) -> int:
    try:
        asyncio.run(server)
    except Exception as error:  # no address, no key, a port in use, a server that isn't there
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        print(f"{what}: {_words(first)}", file=sys.stderr)
        return BLOCK
    return 0


def _prove(parsed: argparse.Namespace) -> int:
    from signoff.proving import prove

    return prove()
