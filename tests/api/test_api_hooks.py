"""Claude Code's HTTP hook: people decide what it is told, and whatever goes wrong is a denied call, with status 200."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.api import hook_routes
from bot.api.auth import mint
from policies.allowance import Scope
from policies.request import Request, State
from policies.review import Verdict
from tests.api.house import Answer, House, open_house, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOOK = "/v1/hooks/claude-code"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


def event(session: str, name: str = "PreToolUse", use: str = "toolu_1", **more: Any) -> dict[str, Any]:
    """As recorded from Claude Code 2.1.330."""
    return {
        "session_id": session,
        "transcript_path": "/home/x/.claude/projects/x/t.jsonl",
        "cwd": "/srv/shop",
        "prompt_id": "prompt_1",
        "permission_mode": "default",
        "effort": {"level": "high"},
        "hook_event_name": name,
        "tool_name": "Bash",
        "tool_input": {"command": "touch made", "description": "Make it"},
        "tool_use_id": use,
        **more,
    }


def hook(house: House, sent: Any, *, wait: int = 20, **more: Any) -> asyncio.Task[Answer]:
    return asyncio.create_task(house.call("POST", f"{HOOK}?wait={wait}", json=sent, **more))


def said(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.body["hookSpecificOutput"]
    return found


async def requests(house: House, session: str) -> list[Request]:
    page = await house.store.requests(limit=200)
    return [one for one in page.requests if one.run == session]


async def pending(house: House, session: str) -> Request:
    async with asyncio.timeout(20):
        while not (found := [one for one in await requests(house, session) if one.state is State.PENDING]):
            await asyncio.sleep(0.01)
    return found[0]


async def decide(house: House, session: str, verdict: Verdict, **more: Any) -> Request:
    request = await pending(house, session)
    return await house.gateway.review(request.id, house.person("U0ANA"), verdict, request.revision, **more)


async def test_an_approved_call_is_allowed_and_its_end_reported(house: House) -> None:
    asked = hook(house, event("a"))
    request = await decide(house, "a", Verdict.APPROVE)
    assert request.context == "Claude Code in /srv/shop"
    assert said(await asked) == {
        "hookEventName": "PreToolUse",
        "permissionDecision": "allow",
        "permissionDecisionReason": f"Approved by U0Ana ({request.id}).",
    }
    for state in ("claimed", "succeeded"):
        again = said(await hook(house, event("a")))
        assert again["permissionDecision"] == "deny", "a resumed session's call may have run"
        assert f"it is {state}" in again["permissionDecisionReason"]
        after = event("a", "PostToolUse", tool_response={"stdout": "made", "stderr": ""})
        assert (await hook(house, after)).body == {}
    execution = (await house.gateway.request(request.id)).execution
    assert execution is not None
    assert (execution.state, execution.result) == ("succeeded", {"stdout": "made", "stderr": ""})
    assert execution.note is None
    assert (await hook(house, event("a", "PostToolUseFailure", error="no"))).body == {}, "what is reported stands"
    late = said(await hook(house, event("a")))
    assert late["permissionDecision"] == "deny", "what has run already may not run a second time"
    assert "succeeded" in late["permissionDecisionReason"]


async def test_a_rejected_call_is_denied_in_the_reviewer_s_words_and_an_edited_one_runs_as_edited(house: House) -> None:
    asked = hook(house, event("b"))
    await decide(house, "b", Verdict.REJECT, note="Not on a Monday")
    denied = said(await asked)
    assert denied["permissionDecision"] == "deny"
    assert "U0Ana rejected Bash; it did not run. They said: “Not on a Monday”" in denied["permissionDecisionReason"]
    asked = hook(house, event("b", use="toolu_2"))
    edited = {"command": "touch other", "description": "Make it"}
    request = await decide(house, "b", Verdict.MODIFY, arguments=edited)
    assert said(await asked)["updatedInput"] == edited
    assert (await hook(house, event("b", "PostToolUse", use="toolu_2", tool_response="made"))).body == {}
    execution = (await house.gateway.request(request.id)).execution
    assert execution is not None
    assert "other input than was approved" in (execution.note or ""), "another hook had the last word"


async def test_a_permission_prompt_is_answered_in_its_own_shape(house: House) -> None:
    prompt = event("c", "PermissionRequest", permission_suggestions=[])
    del prompt["tool_use_id"]
    asked = hook(house, prompt)
    await decide(house, "c", Verdict.APPROVE)
    assert said(await asked) == {"hookEventName": "PermissionRequest", "decision": {"behavior": "allow"}}
    asked = hook(house, prompt)
    await decide(house, "c", Verdict.REJECT, note="No")
    assert said(await asked)["decision"]["behavior"] == "deny"


async def test_after_its_deadline_it_denies_and_the_next_try_finds_the_same_request(house: House) -> None:
    first = said(await hook(house, event("d"), wait=0))
    assert (first["permissionDecision"], "again" in first["permissionDecisionReason"]) == ("deny", True)
    other = event("d", use="toolu_2", tool_input={"command": "touch made", "description": True})
    assert said(await hook(house, other, wait=0))["permissionDecision"] == "deny"
    assert len(await requests(house, "d")) == 2, "another call is another request"
    standing = [one for one in await requests(house, "d") if one.proposed["description"] == "Make it"]
    await house.gateway.review(standing[0].id, house.person("U0ANA"), Verdict.APPROVE, 1)
    elsewhere = said(await hook(house, event("d", use="toolu_3", cwd="/srv"), wait=0))
    assert elsewhere["permissionDecision"] == "deny", "in another folder it is another call"
    assert said(await hook(house, event("d", use="toolu_4"), wait=0))["permissionDecision"] == "allow"
    assert said(await hook(house, event("d", use="toolu_5"), wait=0))["permissionDecision"] == "deny"
    assert len(await requests(house, "d")) == 4, "an approval counts once"


async def test_two_uses_that_wait_for_one_request_share_no_approval(house: House) -> None:
    first = hook(house, event("e"))
    request = await pending(house, "e")
    second = hook(house, event("e", use="toolu_2"))
    await until(lambda: len(house.gateway.waiting._watchers.get(request.id, ())) == 2)
    await decide(house, "e", Verdict.APPROVE)
    told = [said(await one)["permissionDecision"] for one in (first, second)]
    assert sorted(told) == ["allow", "deny"]


async def test_a_long_wait_keeps_the_connection_and_its_answer_is_json_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_routes, "ALIVE", 0.01)
    headers = {"Authorization": f"Bearer {house.agent}"}
    async with house.session.post(house.address(HOOK), json=event("f"), headers=headers) as answer:
        assert await answer.content.readexactly(2) == b"  "
        await decide(house, "f", Verdict.APPROVE)
        assert (await answer.json())["hookSpecificOutput"]["permissionDecision"] == "allow"


async def test_a_client_that_went_away_takes_no_permit(house: House) -> None:
    host, port = house.runner.addresses[0][:2]
    _, writer = await asyncio.open_connection(host, port)
    body = json.dumps(event("g")).encode()
    head = f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.agent}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await pending(house, "g")
    assert house.runner.server is not None
    connected = len(house.runner.server.connections)
    writer.transport.abort()
    await until(lambda: len(house.runner.server.connections) < connected)  # sooner than the next look for such clients
    await decide(house, "g", Verdict.APPROVE)
    again = said(await hook(house, event("g", use="toolu_2"), wait=0))
    assert again["permissionDecision"] == "allow", "the approval was left for the next try"


async def test_a_key_that_ended_while_people_were_waited_for_takes_no_permit(house: House) -> None:
    brief = await house.key("brief", owner="U0OWNER", agent="mailer")
    asked = hook(house, event("i"), key=brief)
    request = await pending(house, "i")
    await house.store.revoke_key("brief", house.clock())
    await house.gateway.review(request.id, house.person("U0ANA"), Verdict.APPROVE, 1)
    told = said(await asked)
    assert (told["permissionDecision"], "revoked" in told["permissionDecisionReason"]) == ("deny", True)
    assert said(await hook(house, event("i", use="toolu_2"), wait=0))["permissionDecision"] == "allow"


async def test_a_report_is_for_the_tool_that_the_key_is_for_and_a_large_one_is_cut(house: House) -> None:
    asked = hook(house, event("j"))
    request = await decide(house, "j", Verdict.APPROVE)
    assert said(await asked)["permissionDecision"] == "allow"
    reader = await house.key("reads", owner="U0OWNER", agent="mailer", tools=("Read",))
    foreign = event("j", "PostToolUse", tool_name="Read", tool_response="x")
    assert (await hook(house, foreign, key=reader)).body == {}
    assert (await house.gateway.request(request.id)).execution.state == "claimed"  # type: ignore[union-attr]
    assert (await hook(house, event("j", "PostToolUse", tool_response="€" * 30_000))).body == {}
    execution = (await house.gateway.request(request.id)).execution
    assert execution is not None
    assert (execution.state, execution.result, len(execution.note or "")) == ("succeeded", None, hook_routes.NOTE)


async def test_whatever_goes_wrong_is_a_denied_call(house: House) -> None:
    limited = await house.key("limited", tools=("Read",))
    unclaiming = await house.key("unclaiming", may=(Scope.ASK, Scope.READ))
    for sent, more, words in (
        ({"json": event("h")}, {"key": ""}, "Send a key"),
        ({"json": event("h")}, {"key": mint("agent")[0]}, "isn't known"),
        ({"json": event("h")}, {"key": await house.key("boss", kind="operator")}, "operator's key"),
        ({"json": event("h")}, {"key": limited}, "only for Read"),
        ({"json": event("h")}, {"key": unclaiming}, "not act"),
        ({"data": b"{"}, {}, "JSON"),
        ({"data": b""}, {}, "empty"),
        ({"json": [1]}, {}, "must be a JSON object"),
        ({"json": event("h", tool_input="rm")}, {}, "tool_input"),
        ({"json": event("h", tool_input={"n": 2**60})}, {}, "Integers beyond"),
        ({"json": event("h", tool_name="Ba sh")}, {}, "tool"),
        ({"json": event("h", tool_input={"text": "x" * 300_000})}, {}, "256 KiB"),
        ({"json": event("h", "UserPromptSubmit")}, {}, "mend the settings"),
    ):
        answer = await house.call("POST", f"{HOOK}?wait=0", **sent, **more)
        told = said(answer)
        assert told["permissionDecision"] == "deny", (sent, answer)
        assert words in told["permissionDecisionReason"], (words, told)
    assert said(await house.call("POST", f"{HOOK}?wait=x", json=event("h")))["permissionDecision"] == "deny"
    lost = await house.call("POST", HOOK, json=event("h", "PostToolUse", tool_response="x"), key=limited)
    assert "could not note" in lost.body["systemMessage"]
    assert await requests(house, "h") == []
