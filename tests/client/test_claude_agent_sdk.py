"""The Claude Agent SDK's hooks: what Claude Code 2.1.330 sent them is played again, against a real gateway.

The SDK itself, with all of Claude Code, is driven by ``python -m tests.client.claude_sdk``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from policies.request import State
from policies.review import Verdict
from signoff import AsyncSignoff
from signoff.claude_agent_sdk import Gate
from tests.api.house import House, open_house

RECORDED: dict[str, Any] = {
    "session_id": "1520d9be-7e65-4f76-b71c-d2f49ad402b1",
    "transcript_path": "/home/ada/.claude/projects/-home-ada/1520d9be-7e65-4f76-b71c-d2f49ad402b1.jsonl",
    "cwd": "/home/ada",
    "prompt_id": "5e0055cb-532d-4de5-bf00-aebb1fd48fed",
    "permission_mode": "default",
    "effort": {"level": "medium"},
    "tool_name": "Bash",
    "tool_input": {"command": "touch made", "description": "Make a file"},
    "tool_use_id": "toolu_df042e629d3c64cb4ee506ed",
}
BEFORE = {**RECORDED, "hook_event_name": "PreToolUse"}
RAN = {
    **{**RECORDED, "hook_event_name": "PostToolUse", "duration_ms": 35},
    "tool_response": {"stdout": "", "stderr": "", "interrupted": False, "isImage": False, "noOutputExpected": True},
}
FAILED = {
    **{**RECORDED, "hook_event_name": "PostToolUseFailure", "is_interrupt": False, "duration_ms": 40},
    "error": "Exit code 2\nls: cannot access '/nonexistent/x': No such file or directory",
}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as found:
        yield found


def client_of(house: House) -> AsyncSignoff:
    return AsyncSignoff(house.address(""), house.agent)


async def decided(house: House, verdict: Verdict, **more: Any) -> str:
    """Ana says this to the request that waits; its id."""
    while not (waits := (await house.store.requests(states=(State.PENDING,), limit=1)).requests):
        await asyncio.sleep(0.005)
    await house.gateway.review(waits[0].id, house.person("U0ANA"), verdict, 1, **more)
    return waits[0].id


async def asked(gate: Gate, event: dict[str, Any] = BEFORE) -> tuple[str, str, Any]:
    """What the hook answers: its decision, its words, and the input to run with instead."""
    said = (await gate.before(event, event.get("tool_use_id"), {"signal": None}))["hookSpecificOutput"]
    assert said["hookEventName"] == "PreToolUse"
    return said["permissionDecision"], said["permissionDecisionReason"], said.get("updatedInput")


@pytest.mark.parametrize(("after", "state"), [(RAN, "succeeded"), (FAILED, "failed")])
async def test_an_approved_call_is_allowed_and_its_end_is_reported(house: House, after: Any, state: str) -> None:
    async with client_of(house) as client:
        gate = Gate(client)
        answer = asyncio.create_task(asked(gate))
        request_id = await decided(house, Verdict.APPROVE)
        assert (await answer)[::2] == ("allow", None)
        assert await gate.after(after, RECORDED["tool_use_id"], {"signal": None}) == {}
        assert await gate.after(after, RECORDED["tool_use_id"], {"signal": None}) == {}
        execution = (await client.read(request_id)).execution
    assert execution is not None
    assert execution.state == state


async def test_what_another_hook_made_of_an_approved_call_stands_on_the_record(house: House) -> None:
    async with client_of(house) as client:
        gate = Gate(client)
        answer = asyncio.create_task(asked(gate))
        request_id = await decided(house, Verdict.APPROVE)
        assert (await answer)[0] == "allow"
        await gate.after({**RAN, "tool_input": {"command": "rm -rf made"}}, RECORDED["tool_use_id"], {"signal": None})
        execution = (await client.read(request_id)).execution
    assert execution is not None
    assert execution.note == 'It ran with other input than was approved: {"command": "rm -rf made"}'


async def test_an_edited_call_is_allowed_with_what_people_made_of_it(house: House) -> None:
    edited = {"command": "touch other", "description": "Make a file"}
    async with client_of(house) as client:
        answer = asyncio.create_task(asked(Gate(client)))
        await decided(house, Verdict.MODIFY, arguments=edited)
        assert (await answer)[::2] == ("allow", edited)


async def test_a_rejection_and_what_fails_are_denied_in_words(house: House) -> None:
    async with client_of(house) as client:
        answer = asyncio.create_task(asked(Gate(client)))
        await decided(house, Verdict.REJECT, note="Not on a Monday")
        decision, said, _ = await answer
        assert (decision, "Not on a Monday" in said) == ("deny", True)
        decision, said, _ = await asked(Gate(client), {"session_id": "1", "tool_use_id": "2"})
        assert (decision, said) == ("deny", "Signoff blocked this call, for its gate failed: KeyError.")
    async with AsyncSignoff("http://localhost:1", "k", patience=0.0) as nowhere:
        decision, said, _ = await asked(Gate(nowhere))
        assert (decision, "nothing ran" in said) == ("deny", True)


async def test_what_waits_still_for_one_session_or_folder_is_not_taken_up_by_another(house: House) -> None:
    async with client_of(house) as client:
        gate = Gate(client, timeout=0.0)
        assert (await asked(gate))[0] == "deny"
        await decided(house, Verdict.APPROVE)
        for other in ({"session_id": "another"}, {"cwd": "/home/ada/elsewhere"}):
            decision, said, _ = await asked(gate, {**BEFORE, **other})
            assert (decision, "waits for people still" in said) == ("deny", True)
        assert (await asked(gate))[0] == "allow"


async def test_after_its_time_a_call_is_denied_and_the_same_call_goes_on_waiting_for_its_request(house: House) -> None:
    async with client_of(house) as client:
        gate = Gate(client, timeout=0.0)
        decision, said, _ = await asked(gate)
        assert (decision, "waits for people still" in said) == ("deny", True)
        await decided(house, Verdict.APPROVE)
        assert (await asked(gate, {**BEFORE, "tool_use_id": "toolu_2"}))[0] == "allow"
        assert (await asked(gate, {**BEFORE, "tool_use_id": "toolu_3"}))[0] == "deny", "one approval counts once"
