"""``python -m tests.client.claude_code /path/to/claude``: the real Claude Code behind its hook, and what came of it.

A scripted model asks for one shell command a scenario, which makes a file; people decide in a local Slack workspace.
Only what was decided may have happened. The program is part of the wheel ``claude-agent-sdk`` (``_bundled/claude``); it
is too large for every run of the tests, which play the same events from a record.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signoff.installing import REPORTS, address, command, with_hook
from tests.gateway.house_policy import channel_of
from tests.gateway.stage import Card, Stage, staged
from tests.sandbox_process import until
from tests.serve_process import ROOT

POLICY = """\
version: 1
reviewers: {g0: {channel: "#lane-0", users: [U0ANA, U0BEN]}}
ladders:
  standard: [{after: 2h, then: expire}]
  quick: [{after: 2s, then: expire}]
rules:
  - name: soon over
    match: Bash
    when: args.command.contains("expired")
    checkpoint: hard
    reviewers: g0
    ladder: quick
default: {checkpoint: hard, reviewers: g0, ladder: standard}
"""
MINUTE = 70
"""Seconds of a wait that outlasts what clients of MCP commonly allow one call."""
SCENARIOS = ("approved", "rejected", "edited", "expired", "down", "restarted", "killed")
EXTRA = {"hook": ("deferred",), "http": ("refused", "slow"), "prompt": ("crashed", "slow"), "ask": ()}
"""The ways to be gated, each with what it alone has to keep: the command hook, the gateway's HTTP hook, the permission
prompt, and the tool ``request_approval`` (where the model keeps to the answer by itself)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where a scenario plays, and by which ``way`` its calls are gated."""

    stage: Stage
    claude: str
    folder: Path
    way: str

    async def start(self, name: str, *words: str, defer: bool = False, key: str = "") -> asyncio.subprocess.Process:
        """Claude Code at work on a scenario."""
        env = {**os.environ, "HOME": str(self.folder), "PYTHONPATH": str(ROOT / "client")}
        env |= {"SIGNOFF_URL": self.stage.serve.url, "SIGNOFF_KEY": key or self.stage.agent.key, "IS_SANDBOX": "1"}
        env |= {"ANTHROPIC_BASE_URL": f"{self.stage.sandbox.url}/anthropic", "ANTHROPIC_API_KEY": "sandbox"}
        env |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        return await asyncio.create_subprocess_exec(
            *(self.claude, "-p", *words, *self._gated(name, defer=defer), "--output-format", "json"),
            *([] if "--resume" in words else [f"Please do errand-{self.way}-{name}"]),
            cwd=self.folder,
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    def _gated(self, name: str, *, defer: bool) -> list[str]:
        """The words of the command line that put this way's gate up; hooks hold though every command is allowed."""
        settings = self.folder / "settings.json"
        if self.way == "hook":
            line = f"{sys.executable} -m signoff hook claude-code{' --defer --deadline 3' if defer else ''} || exit 2"
            settings.write_text(with_hook("", {**command(defer=False), "command": line}, "*"))
        if self.way == "http":
            settings.write_text(with_hook("", address(self.stage.serve.url), "*"))
        if self.way in ("hook", "http"):
            return ["--allowedTools", "Bash", "--settings", str(settings)]
        words = ["-m", "signoff", "mcp", "--run", f"{self.way}-{name}", "--reports"]
        servers = {"signoff": {"command": sys.executable, "args": words}}
        config = ["--mcp-config", json.dumps({"mcpServers": servers}), "--strict-mcp-config"]
        if self.way == "prompt":
            line = f"{sys.executable} -m signoff hook claude-code"
            settings.write_text(with_hook("", {"type": "command", "command": line}, "*", REPORTS))
            return [*config, "--settings", str(settings), "--permission-prompt-tool", "mcp__signoff__approve"]
        return [*config, "--allowedTools", "mcp__signoff__request_approval", "Bash"]

    async def said(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        """How it ended."""
        out, _ = await process.communicate()
        found: dict[str, Any] = json.loads(out.decode().strip().splitlines()[-1])
        return found

    async def card(self, name: str) -> Card:
        """The card of a scenario's command."""

        async def asked() -> list[tuple[Any, ...]]:
            return self.stage.serve.rows("SELECT id FROM requests WHERE document LIKE ?", f"%made-{self.way}-{name}%")

        ((request_id,),) = await until(asked)
        self.stage.where[request_id] = channel_of(0)
        return await self.stage.card(request_id)

    def made(self, name: str) -> bool:
        """Did the command run as it was proposed?"""
        return (self.folder / f"made-{self.way}-{name}").exists()


async def approved(desk: Desk) -> str:
    process = await desk.start("approved")
    card = await desk.card("approved")
    await desk.stage.press("U0ANA", card, "signoff.approve")
    await desk.said(process)
    assert desk.made("approved")
    ended = desk.stage.execution(card.request_id)
    assert ended == ("claimed" if desk.way == "ask" else "succeeded"), ended
    return f"ran once ({ended})"


async def rejected(desk: Desk) -> str:
    process = await desk.start("rejected")
    await desk.stage.press("U0BEN", await desk.card("rejected"), "signoff.reject")
    await desk.stage.fill("U0BEN", {"Why?": "Not on a Monday"})
    said = await desk.said(process)
    assert not desk.made("rejected")
    assert "Not on a Monday" in said["result"], said
    return "did not run; the model read the reviewer's words"


async def edited(desk: Desk) -> str:
    process = await desk.start("edited")
    await desk.stage.press("U0ANA", await desk.card("edited"), "signoff.modify")
    await desk.stage.fill("U0ANA", {"Command": f"touch {desk.folder}/made-{desk.way}-otherwise"})
    await desk.said(process)
    assert desk.made("otherwise")
    assert not desk.made("edited")
    return "ran as the reviewer wrote it"


async def expired(desk: Desk) -> str:
    said = await desk.said(await desk.start("expired"))
    assert not desk.made("expired")
    assert "Nobody decided" in said["result"], said
    return "did not run; the model read that nobody decided"


async def down(desk: Desk) -> str:
    await desk.stage.serve.stop()
    process = await desk.start("down", defer=True)
    said = await desk.said(process)
    await desk.stage.serve.restart()
    if desk.way == "http":
        assert desk.made("down"), "not so any more: mend the README"
        return "RAN, as the warning says: nobody listens, and the settings allow it"
    assert not desk.made("down")
    assert "gave no answer" in said["result"], said
    return "did not run; the model read that the gateway gave no answer"


async def restarted(desk: Desk) -> str:
    process = await desk.start("restarted")
    card = await desk.card("restarted")
    await desk.stage.serve.restart()
    await desk.stage.press("U0ANA", card, "signoff.approve")
    await desk.said(process)
    if desk.way == "http":
        return f"the connection broke, as the warning says: it {'RAN' if desk.made('restarted') else 'did not run'}"
    assert desk.made("restarted")
    return "waited through the gateway's kill, and ran once approved"


async def deferred(desk: Desk) -> str:
    said = await desk.said(await desk.start("deferred", defer=True))
    assert said["stop_reason"] == "tool_deferred", said
    assert not desk.made("deferred")
    await desk.stage.press("U0ANA", await desk.card("deferred"), "signoff.approve")
    await desk.said(await desk.start("deferred", "--resume", said["session_id"]))
    assert desk.made("deferred")
    return "the run ended undecided; resumed after the approval, it ran"


async def killed(desk: Desk) -> str:
    process = await desk.start("killed")
    card = await desk.card("killed")
    process.kill()
    await process.communicate()
    await desk.stage.press("U0ANA", card, "signoff.approve")
    assert not desk.made("killed")
    if desk.way != "prompt":
        return "nothing ran without the agent, whatever was approved"
    await desk.said(await desk.start("killed"))
    assert desk.made("killed")
    assert (await desk.card("killed")).request_id == card.request_id
    return "nothing ran without the agent; started again in the same run, it found its approval"


async def refused(desk: Desk) -> str:
    settings = desk.folder / "settings.json"
    process = await desk.start("refused", key="so_agent_unknown")
    said = await desk.said(process)
    assert not desk.made("refused")
    assert "isn't a key" in said["result"], (said, settings.read_text())
    return "did not run; the model read that the key is none"


async def crashed(desk: Desk) -> str:
    process = await desk.start("crashed")
    card = await desk.card("crashed")
    (pid,) = [int(one) for one in await children(process.pid) if await is_server(int(one))]
    os.kill(pid, signal.SIGKILL)
    said = await desk.said(process)
    await desk.stage.press("U0ANA", card, "signoff.approve")
    assert not desk.made("crashed")
    return f"the server was killed, nothing ran: {said['result'][:90]!r}"


async def slow(desk: Desk) -> str:
    process = await desk.start("slow")
    card = await desk.card("slow")
    await asyncio.sleep(MINUTE)
    await desk.stage.press("U0ANA", card, "signoff.approve")
    await desk.said(process)
    assert desk.made("slow")
    return f"waited {MINUTE} seconds, and ran"


async def children(pid: int) -> list[str]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]


async def is_server(pid: int) -> bool:
    return b"signoff\0mcp" in Path(f"/proc/{pid}/cmdline").read_bytes()


WAYS = tuple(EXTRA)
PLAYS: Mapping[str, Callable[[Desk], Awaitable[str]]] = {
    name: globals()[name] for name in (*SCENARIOS, "deferred", "refused", "crashed", "slow")
}


async def play(claude: str, ways: Sequence[str]) -> int:
    """Every scenario of these ways, a line each; how many went wrong."""
    with tempfile.TemporaryDirectory() as place:
        folder, stories = Path(place), Path(place) / "stories"
        stories.mkdir()
        plays = [(way, name) for way in ways for name in (*SCENARIOS, *EXTRA[way])]
        for way, name in plays:
            (stories / f"{way}-{name}.yml").write_text(story(way, name, folder))
        wrong = 0
        async with staged(lanes=1, policy=POLICY, stories=stories) as stage:
            for way, name in plays:
                desk = Desk(stage=stage, claude=claude, folder=folder, way=way)
                try:
                    print(f"{way:7} {name:10} {await PLAYS[name](desk)}", flush=True)
                except (AssertionError, TimeoutError, LookupError, ValueError) as error:
                    wrong += 1
                    print(f"{way:7} {name:10} WRONG: {error!r}"[:2_000], flush=True)
    return wrong


def story(way: str, name: str, folder: Path) -> str:
    """What the model does in a scenario: run the command, by the way ``ask`` only as it was approved."""
    command = {"command": f"touch {folder}/made-{way}-{name}", "description": "Make a file"}
    run: dict[str, Any] = {"use": [{"tool": "Bash", "input": command}], "next": [{"go": "end"}]}
    steps = {"run": run, "end": {"say": "The end: {{last_result}}"}}
    if way == "ask":
        asked = {"tool": "mcp__signoff__request_approval", "input": {"tool": "Bash", "arguments": command}}
        yes = {"when_result": {"matches": r'"command": ?"(?P<command>[^"]+)"'}, "go": "run"}
        run["use"][0]["input"] = {**command, "command": "{{match.command}}"}
        steps = {"ask": {"use": [asked], "next": [yes, {"go": "end"}]}, **steps}
    return json.dumps({"task": f"Do errand-{way}-{name}.", "match": [f"errand-{way}-{name}"], "steps": steps})


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(play(sys.argv[1], sys.argv[2:] or WAYS)) else 0)
