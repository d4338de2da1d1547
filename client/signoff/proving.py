"""Shows that the gate stays shut: the hook as a real process, before gateways that are gone, mute, mad or forged."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

BLOCK = 2
EVENT = {
    "hook_event_name": "PreToolUse",
    "session_id": "prove",
    "tool_use_id": "toolu_prove",
    "tool_name": "Bash",
    "tool_input": {"command": "true"},
}
YES = json.dumps({"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "allow"}})
ANSWERS = {
    "answers 500": (500, b""),
    "answers 503 for ever": (503, b"{}"),
    "is something else": (200, b"<html>Welcome!</html>"),
    "answers nothing": (200, b""),
    "says allow in the hook's own words": (200, YES.encode()),
    "sends us elsewhere": (302, b""),
    "refuses the key": (401, b"{}"),
}


def prove() -> int:
    """Try every failure, print what came of it; 0 if each was blocked."""
    with ThreadPoolExecutor() as together:
        results = {name: together.submit(tried) for name, tried in _tries().items()}
        shut = [_told(name, result.result()) for name, result in results.items()]
    if all(shut):
        print("The gate stays shut, as long as Claude Code finds the hook where its settings name it.")
        return 0
    print("The gate is open: don't rely on this hook.", file=sys.stderr)
    return 1


def _tries() -> dict[str, Callable[[], bool]]:
    return {
        "is stopped": lambda: _blocked("http://127.0.0.1:9"),
        "hangs": _hanging,
        **{name: partial(_answered, status, body) for name, (status, body) in ANSWERS.items()},
        "has no address set": lambda: _blocked(""),
        "gets a broken event": lambda: _blocked("http://127.0.0.1:9", event="{"),
    }


def _told(name: str, blocked: bool) -> bool:
    print(f"{'blocked' if blocked else 'RUNS   '}  when the gateway {name}", flush=True)
    return blocked


def _answered(status: int, body: bytes) -> bool:
    with _server(status, body) as url:
        return _blocked(url)


def _blocked(url: str, *, event: str | None = None) -> bool:
    with tempfile.TemporaryDirectory() as state:
        env = {**os.environ, "SIGNOFF_URL": url, "SIGNOFF_KEY": "prove", "XDG_STATE_HOME": state}
        words = [sys.executable, "-m", "signoff", "hook", "claude-code", "--deadline", "1"]
        done = subprocess.run(words, input=event or json.dumps(EVENT), env=env, capture_output=True, text=True)  # noqa: S603
    return done.returncode == BLOCK and not done.stdout


def _hanging() -> bool:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return _blocked(f"http://127.0.0.1:{listening.getsockname()[1]}")


@contextmanager
def _server(status: int, body: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == http.HTTPStatus.FOUND:
                self.send_header("Location", "/v1/requests")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *words: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
