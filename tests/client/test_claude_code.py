"""Claude Code's command hook: the events as the real program writes them, a real gateway, people in Slack."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from signoff.claude_code import Event, Hook
from signoff.client import Signoff
from signoff.errors import StillPending
from signoff.memory import Memory
from signoff.models import Request
from tests.gateway.stage import Card, Stage, staged
from tests.sandbox_process import until
from tests.serve_process import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(lanes=8, kinds=("hard", "quick")) as found:
        yield found


class Session:
    """One session of Claude Code that calls one tool, its hooks run as the program runs them."""

    def __init__(self, stage: Stage, folder: Path, kind: str = "hard") -> None:
        self.stage, self.folder, self.lane = stage, folder, stage.lane()
        self.tool = f"{kind}_{self.lane}"
        self.call = {"command": "touch made", "description": "Make it"}

    def event(self, name: str = "PreToolUse", use: str = "toolu_1", **more: Any) -> dict[str, Any]:
        """As recorded from 2.1.330."""
        return {
            "session_id": f"6eabbdfc-{self.lane}",
            "transcript_path": "/home/x/.claude/projects/x/t.jsonl",
            "cwd": "/srv/shop",
            "permission_mode": "default",
            "hook_event_name": name,
            "tool_name": self.tool,
            "tool_input": self.call,
            "tool_use_id": use,
            **more,
        }

    async def hook(self, event: dict[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "XDG_STATE_HOME": str(self.folder)}
        env |= {"SIGNOFF_URL": self.stage.serve.url, "SIGNOFF_KEY": self.stage.agent.key}
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "signoff", "hook", "claude-code", *words],
            input=json.dumps(event),
            env=env,
            capture_output=True,
            text=True,
        )

    async def card(self) -> Card:
        return await self.stage.card_naming(self.tool, self.lane)


def decision(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)["hookSpecificOutput"]
    return said


async def test_an_approved_call_is_allowed_and_its_end_is_told_on_the_card(stage: Stage, tmp_path: Path) -> None:
    session = Session(stage, tmp_path)
    hook = asyncio.create_task(session.hook(session.event()))
    card = await session.card()
    assert "Claude Code in /srv/shop" in card.words
    await stage.press("U0ANA", card, "signoff.approve")
    said = decision(await hook)
    assert (said["hookEventName"], said["permissionDecision"]) == ("PreToolUse", "allow")
    assert "updatedInput" not in said
    assert "Ana Reyes" in said["permissionDecisionReason"]
    after = session.event("PostToolUse", tool_response={"stdout": "", "stderr": "", "interrupted": False})
    done = await session.hook(after)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stage.execution(card.request_id) == "succeeded"
    assert list((tmp_path / "signoff").iterdir()) == [], "nothing is left behind"


async def test_a_rejected_call_is_denied_in_the_reviewer_s_words(stage: Stage, tmp_path: Path) -> None:
    session = Session(stage, tmp_path)
    hook = asyncio.create_task(session.hook(session.event()))
    await stage.press("U0BEN", await session.card(), "signoff.reject")
    await stage.fill("U0BEN", {"Why?": "Not on a Monday"})
    said = decision(await hook)
    assert said["permissionDecision"] == "deny"
    assert "Ben Okafor rejected" in said["permissionDecisionReason"]
    assert "“Not on a Monday”" in said["permissionDecisionReason"]


async def test_an_edited_call_runs_as_edited(stage: Stage, tmp_path: Path) -> None:
    session = Session(stage, tmp_path)
    hook = asyncio.create_task(session.hook(session.event()))
    await stage.press("U0ANA", await session.card(), "signoff.modify")
    await stage.fill("U0ANA", {"Command": "touch other"})
    assert decision(await hook)["updatedInput"] == {**session.call, "command": "touch other"}


async def test_silence_is_a_no(stage: Stage, tmp_path: Path) -> None:
    session = Session(stage, tmp_path, "quick")
    said = decision(await session.hook(session.event()))
    assert (said["permissionDecision"], "Nobody decided" in said["permissionDecisionReason"]) == ("deny", True)


async def test_after_the_deadline_it_blocks_or_defers_and_the_next_try_finds_the_same_request(
    stage: Stage, tmp_path: Path
) -> None:
    session = Session(stage, tmp_path)
    blocked = await session.hook(session.event(), "--deadline", "0")
    assert (blocked.returncode, blocked.stdout) == (2, "")
    assert "waits for people still" in blocked.stderr
    deferred = await session.hook(session.event(use="toolu_2"), "--deadline", "0", "--defer")
    assert decision(deferred)["permissionDecision"] == "defer"
    await stage.press("U0ANA", await session.card(), "signoff.approve")
    assert decision(await session.hook(session.event(use="toolu_2")))["permissionDecision"] == "allow"
    assert len(stage.serve.rows("SELECT id FROM requests WHERE tool = ?", session.tool)) == 1
    again = await session.hook(session.event(use="toolu_3"), "--deadline", "0")
    assert again.returncode == 2, "the next use of the tool is a request of its own"
    elsewhere = session.event(use="toolu_3", cwd="/srv")
    assert (await session.hook(elsewhere, "--deadline", "0")).returncode == 2, "in another folder it is another call"
    assert len(stage.serve.rows("SELECT id FROM requests WHERE tool = ?", session.tool)) == 3


class Abreast(Signoff):
    """A client that goes on only when its twin has heard of the approval as well."""

    both = threading.Barrier(2, timeout=20)

    def wait(self, request: Request, timeout: float | None = None) -> Request:
        settled = super().wait(request, timeout)
        self.both.wait()
        return settled


async def test_two_calls_at_a_time_that_are_alike_share_no_approval(stage: Stage, tmp_path: Path) -> None:
    session, memory = Session(stage, tmp_path), Memory(folder=tmp_path)
    events = [Event.model_validate(session.event(use=use)) for use in ("toolu_1", "toolu_2")]
    with Abreast(stage.serve.url, stage.agent.key) as client:
        hook = Hook(client=client, memory=memory, deadline=60)
        first = asyncio.create_task(asyncio.to_thread(hook.answer, events[0]))
        card = await session.card()
        await until(lambda: kept(memory, events[0]))
        second = asyncio.create_task(asyncio.to_thread(hook.answer, events[1]))
        await stage.press("U0ANA", card, "signoff.approve")
        said = [
            dict(answer or {})["hookSpecificOutput"]["permissionDecision"] for answer in (await first, await second)
        ]
    assert sorted(said) == ["allow", "deny"]


async def kept(memory: Memory, event: Event) -> bool:
    return memory.recall(event.call) is not None


async def test_a_request_that_the_memory_names_counts_only_for_its_own_call(stage: Stage, tmp_path: Path) -> None:
    session, memory = Session(stage, tmp_path), Memory(folder=tmp_path)
    event = Event.model_validate(session.event())
    with Signoff(stage.serve.url, stage.agent.key) as client:
        harmless = client.submit(session.tool, {"command": "ls"})
        memory.keep(event.call, harmless.id)
        await stage.press("U0ANA", await session.card(), "signoff.approve")
        with pytest.raises(StillPending) as waits:
            await asyncio.to_thread(Hook(client=client, memory=memory, deadline=0).answer, event)
        assert waits.value.request.arguments == session.call
        once, always = ({**session.call, "dangerously": flag} for flag in (0, False))
        alike = client.submit(session.tool, once)
        event = Event.model_validate(session.event(use="toolu_2", tool_input=always))
        memory.keep(event.call, alike.id)
        with pytest.raises(StillPending) as waits:
            await asyncio.to_thread(Hook(client=client, memory=memory, deadline=0).answer, event)
        assert waits.value.request.id != alike.id


async def test_a_permission_prompt_is_answered_in_its_own_shape(stage: Stage, tmp_path: Path) -> None:
    session = Session(stage, tmp_path)
    event = session.event("PermissionRequest", permission_suggestions=[])
    del event["tool_use_id"]
    hook = asyncio.create_task(session.hook(event))
    await stage.press("U0ANA", await session.card(), "signoff.approve")
    assert decision(await hook) == {"hookEventName": "PermissionRequest", "decision": {"behavior": "allow"}}
