"""``python -m tests.client.claude_code /path/to/claude``: the real Claude Code behind its hook, and what came of it.

A scripted model asks for one shell command a scenario, which makes a file; people decide in a local Slack workspace.
Only what was decided may have happened. The program is part of the wheel ``claude-agent-sdk`` (``_bundled/claude``); it
is too large for every run of the tests, which play the same events from a record.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signoff.installing import with_hook
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
SCENARIOS = ("approved", "rejected", "edited", "expired", "down", "restarted", "deferred", "killed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where a scenario plays."""

    stage: Stage
    claude: str
    folder: Path

    async def start(self, name: str, *words: str, defer: bool = False) -> asyncio.subprocess.Process:
        """Claude Code at work on a scenario, its settings allowing every shell command."""
        hook = f"{sys.executable} -m signoff hook claude-code{' --defer --deadline 3' if defer else ''} || exit 2"
        (self.folder / "settings.json").write_text(with_hook("", hook, "*"))
        env = {**os.environ, "HOME": str(self.folder), "PYTHONPATH": str(ROOT / "client")}
        env |= {"SIGNOFF_URL": self.stage.serve.url, "SIGNOFF_KEY": self.stage.agent.key, "IS_SANDBOX": "1"}
        env |= {"ANTHROPIC_BASE_URL": f"{self.stage.sandbox.url}/anthropic", "ANTHROPIC_API_KEY": "sandbox"}
        env |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        return await asyncio.create_subprocess_exec(
            *(self.claude, "-p", *words, "--allowedTools", "Bash", "--output-format", "json"),
            *("--settings", str(self.folder / "settings.json")),
            *([] if "--resume" in words else [f"Please do errand-{name}"]),
            cwd=self.folder,
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def said(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        """How it ended."""
        out, _ = await process.communicate()
        found: dict[str, Any] = json.loads(out.decode().strip().splitlines()[-1])
        return found

    async def card(self, name: str) -> Card:
        """The card of a scenario's command."""

        async def asked() -> list[tuple[Any, ...]]:
            return self.stage.serve.rows("SELECT id FROM requests WHERE document LIKE ?", f"%made-{name}%")

        ((request_id,),) = await until(asked)
        self.stage.where[request_id] = channel_of(0)
        return await self.stage.card(request_id)

    def made(self, name: str) -> bool:
        """Did the command run as it was proposed?"""
        return (self.folder / f"made-{name}").exists()


async def approved(desk: Desk) -> str:
    process = await desk.start("approved")
    card = await desk.card("approved")
    await desk.stage.press("U0ANA", card, "signoff.approve")
    await desk.said(process)
    assert desk.made("approved")
    assert desk.stage.execution(card.request_id) == "succeeded"
    return "ran once, and the card says that it is done"


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
    await desk.stage.fill("U0ANA", {"Command": f"touch {desk.folder}/made-otherwise"})
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
    assert not desk.made("down")
    assert "Signoff blocked this call" in said["result"], said
    return "did not run, though the settings allow every shell command"


async def restarted(desk: Desk) -> str:
    process = await desk.start("restarted")
    card = await desk.card("restarted")
    await desk.stage.serve.restart()
    await desk.stage.press("U0ANA", card, "signoff.approve")
    await desk.said(process)
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
    return "nothing ran without the agent, whatever was approved"


PLAYS: Mapping[str, Callable[[Desk], Awaitable[str]]] = {name: globals()[name] for name in SCENARIOS}


async def play(claude: str) -> int:
    """Every scenario, a line each; how many went wrong."""
    with tempfile.TemporaryDirectory() as place:
        folder, stories = Path(place), Path(place) / "stories"
        stories.mkdir()
        for name in SCENARIOS:
            (stories / f"{name}.yml").write_text(story(name, folder))
        wrong = 0
        async with staged(lanes=1, policy=POLICY, stories=stories) as stage:
            for name, scenario in PLAYS.items():
                try:
                    print(f"{name:10} {await scenario(Desk(stage=stage, claude=claude, folder=folder))}", flush=True)
                except (AssertionError, TimeoutError, LookupError, ValueError) as error:
                    wrong += 1
                    print(f"{name:10} WRONG: {error!r}"[:2_000], flush=True)
    return wrong


def story(name: str, folder: Path) -> str:
    """What the model does in a scenario."""
    use = {"tool": "Bash", "input": {"command": f"touch {folder}/made-{name}", "description": "Make a file"}}
    steps = {"ask": {"use": [use], "next": [{"go": "end"}]}, "end": {"say": "The end: {{last_result}}"}}
    return json.dumps({"task": f"Do errand-{name}.", "match": [f"errand-{name}"], "steps": steps})


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(play(sys.argv[1])) else 0)
