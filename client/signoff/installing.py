"""Writes the hook into Claude Code's settings: shows the difference first, keeps everything else, loses nothing."""

from __future__ import annotations

import difflib
import json
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REPORTS = ("PostToolUse", "PostToolUseFailure")
EVENTS = ("PreToolUse", *REPORTS)
TIMEOUT = 600
"""Seconds that Claude Code gives the hook; its own deadline lies below."""


ADDRESS = "/v1/hooks/claude-code"
WARNING = """\
WARNING: an HTTP hook does not hold. Where the gateway is down, out of reach or restarted, where its address or path
is wrong, or the connection breaks, Claude Code goes on as if there were no hook, and runs what its settings allow.
Without --http the hook is a command, which blocks in all of these.
"""


def install(settings: str, *, matcher: str, hook: Mapping[str, Any], yes: bool, events: Sequence[str] = EVENTS) -> int:
    """Show and write; the exit status. Nothing is written where the file isn't what Claude Code reads."""
    path = Path(settings)
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = with_hook(before, hook, matcher, events)
    except (ValueError, OSError) as error:
        print(f"{path}: {error}; mend it by hand first. Nothing was written.", file=sys.stderr)
        return 1
    if after == before:
        print(f"{path} has the hook already.")
        return 0
    sys.stdout.writelines(
        difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(path), f"{path} (with the hook)")
    )
    if not yes and input("Write this? [y/N] ").strip().lower() not in ("y", "yes"):
        print("Nothing was written.")
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".signoff")
    fresh.write_text(after, encoding="utf-8")
    fresh.replace(path)
    proves = hook["type"] == "command" and "PreToolUse" in events
    print("Written. Now run: signoff-agent prove" if proves else "Written.")
    return 0


def command(*, defer: bool) -> dict[str, Any]:
    """The hook as a command, with the program's whole path: a hook that isn't found would let calls pass."""
    found = shutil.which("signoff-agent") or str(Path(sys.executable).with_name("signoff-agent"))
    line = f"{shlex.quote(found)} hook claude-code{' --defer' if defer else ''} || exit 2"
    return {"type": "command", "command": line, "timeout": TIMEOUT}


def address(url: str) -> dict[str, Any]:
    """The hook as the gateway's address, second best; the key stays in the environment, as ``SIGNOFF_KEY``."""
    headers = {"Authorization": "Bearer $SIGNOFF_KEY"}
    place = url.rstrip("/") + ADDRESS
    return {"type": "http", "url": place, "timeout": TIMEOUT, "headers": headers, "allowedEnvVars": ["SIGNOFF_KEY"]}


def with_hook(text: str, hook: Mapping[str, Any], matcher: str, events: Sequence[str] = EVENTS) -> str:
    """Settings with the hook in them for ``events``, in place of an earlier one of ours for any.

    Raises ``ValueError`` for broken settings.
    """
    settings = json.loads(text) if text.strip() else {}
    hooks = settings.setdefault("hooks", {}) if isinstance(settings, dict) else None
    if not isinstance(hooks, dict):
        raise ValueError("the settings are no JSON object with hooks in an object")
    for event in EVENTS:
        groups = hooks.get(event, [])
        if not isinstance(groups, list):
            raise ValueError(f"hooks.{event} is no list")
        kept = [group for group in groups if not _ours(group)]
        ours = [{"matcher": matcher, "hooks": [dict(hook)]}] if event in events else []
        if event in hooks or ours:
            hooks[event] = [*kept, *ours]
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"


def _ours(group: Any) -> bool:
    told = json.dumps(group)
    return ("signoff-agent" in told and "hook claude-code" in told) or ADDRESS in told
