"""``python -m tests.client.claude_sdk /path/to/python``: the real Claude Agent SDK behind the gate.

The Python named must have ``claude-agent-sdk``, ``httpx2`` and ``pydantic``. The scenarios are those of Claude Code's
own hook, and what becomes of a hook that fails; the SDK brings all of Claude Code along, which is too large for every
run of the tests: they play the same events from a record.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.client import claude_code
from tests.gateway.stage import staged
from tests.serve_process import ROOT


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk(claude_code.Desk):
    """Where a scenario plays; ``claude`` is the Python that has the SDK, the ways are ``hooks`` and ``prompts``."""

    async def start(self, name: str, *words: str, defer: bool = False, key: str = "") -> asyncio.subprocess.Process:
        """An agent at work on a scenario."""
        env = {**os.environ, "HOME": str(self.folder), "PYTHONPATH": str(ROOT / "client")}
        env |= {"SIGNOFF_URL": self.stage.serve.url, "SIGNOFF_KEY": key or self.stage.agent.key, "IS_SANDBOX": "1"}
        env |= {"ANTHROPIC_BASE_URL": f"{self.stage.sandbox.url}/anthropic", "ANTHROPIC_API_KEY": "sandbox"}
        env |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "RUN": f"run of {self.way} {name}"}
        env |= {"PATIENCE": "1"} if name == "down" else {}
        agent = str(ROOT / "tests" / "client" / "claude_sdk_agent.py")
        return await asyncio.create_subprocess_exec(
            *(self.claude, agent, self.way, f"Please do errand-{self.way}-{name}", *words),
            cwd=self.folder,
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )


async def down(desk: claude_code.Desk) -> str:
    await desk.stage.serve.stop()
    said = await desk.said(await desk.start("down"))
    await desk.stage.serve.restart()
    assert not desk.made("down")
    assert "nothing ran" in said["result"], said
    return "did not run, though the options allow every shell command; the model read why"


async def again(desk: claude_code.Desk) -> str:
    process = await desk.start("again")
    card = await desk.card("again")
    process.kill()
    await process.communicate()
    await desk.stage.press("U0ANA", card, "signoff.approve")
    assert not desk.made("again")
    await desk.said(await desk.start("again"))
    assert desk.made("again")
    assert len(desk.stage.serve.rows("SELECT id FROM requests WHERE document LIKE ?", f"%made-{desk.way}-again%")) == 1
    return "started again after its kill, it found the approval, and ran once"


async def mad(desk: claude_code.Desk) -> str:
    said = await desk.said(await desk.start("mad", "--mad"))
    assert not desk.made("mad"), said
    return f"a hook that raises: did not run ({said['result'][:90]})"


async def slow(desk: claude_code.Desk) -> str:
    said = await desk.said(await desk.start("slow", "--slow"))
    assert not desk.made("slow"), said
    return f"a hook beyond its time: did not run ({said['result'][:90]})"


HOOKS: Mapping[str, Callable[[claude_code.Desk], Awaitable[str]]] = {
    **{name: claude_code.PLAYS[name] for name in ("approved", "rejected", "edited", "expired", "restarted")},
    **{"down": down, "again": again, "mad": mad, "slow": slow},
}
PROMPTS = {name: HOOKS[name] for name in ("approved", "rejected", "edited", "expired", "down")}


async def play(python: str, way: str, plays: Mapping[str, Callable[[claude_code.Desk], Awaitable[str]]]) -> int:
    """Every scenario, a line each; how many went wrong."""
    with tempfile.TemporaryDirectory() as place:
        folder, stories = Path(place), Path(place) / "stories"
        stories.mkdir()
        for name in plays:
            (stories / f"{name}.yml").write_text(claude_code.story(way, name, folder))
        wrong = 0
        async with staged(lanes=1, policy=claude_code.POLICY, stories=stories) as stage:
            for name, scenario in plays.items():
                desk = Desk(stage=stage, claude=python, folder=folder, way=way)
                try:
                    print(f"{way:8} {name:10} {await scenario(desk)}", flush=True)
                except (AssertionError, TimeoutError, LookupError, ValueError) as error:
                    wrong += 1
                    print(f"{way:8} {name:10} WRONG: {error!r}"[:2_000], flush=True)
    return wrong


async def all_of(python: str) -> int:
    """Both ways to be asked."""
    return await play(python, "hooks", HOOKS) + await play(python, "prompts", PROMPTS)


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(all_of(sys.argv[1])) else 0)
