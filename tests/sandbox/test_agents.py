"""What an agent says it is doing: session statuses, assistant statuses, titles and prompts."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox_process import SandboxProcess

ROOM = "C0AGENTS"


async def agent(sandbox: SandboxProcess, thread: str = "") -> dict[str, Any] | None:
    query = {"as": "U0ANA", "channel": ROOM} | ({"thread_ts": thread} if thread else {})
    return (await sandbox.people.get("history", **query)).get("agent")


@pytest.fixture
async def thread(fresh: SandboxProcess) -> str:
    await fresh.control.app(scopes=["chat:write", "assistant:write"])
    return str((await fresh.api("chat.postMessage", {"channel": ROOM, "text": "tidy up"}))["ts"])


async def test_a_stock_client_sets_a_session_and_renames_it(fresh: SandboxProcess, thread: str) -> None:
    client = AsyncWebClient(token=fresh.bot_token, base_url=fresh.api_url)
    await client.agents_sessions_setStatus(channel_id=ROOM, thread_ts=thread, status="suspended", title="Waits for Ana")
    found = await agent(fresh, thread)
    assert found is not None
    assert (found["status"], found["title"]) == ("suspended", "Waits for Ana")
    await client.agents_sessions_rename(channel_id=ROOM, thread_ts=thread, title="Goes on")
    found = await agent(fresh, thread)
    assert found is not None
    assert (found["status"], found["title"]) == ("suspended", "Goes on")


async def test_an_assistants_status_ends_with_its_answer_or_after_two_minutes(
    fresh: SandboxProcess, thread: str
) -> None:
    client = AsyncWebClient(token=fresh.bot_token, base_url=fresh.api_url)
    await client.assistant_threads_setStatus(channel_id=ROOM, thread_ts=thread, status="is reading")
    assert (await agent(fresh, thread) or {})["status"] == "is reading"
    await fresh.api("chat.postMessage", {"channel": ROOM, "thread_ts": thread, "text": "Done."})
    assert await agent(fresh, thread) is None
    await client.assistant_threads_setStatus(channel_id=ROOM, thread_ts=thread, status="is writing")
    await fresh.control.advance(121)
    assert await agent(fresh, thread) is None
    await client.assistant_threads_setStatus(channel_id=ROOM, thread_ts=thread, status="again")
    await client.assistant_threads_setStatus(channel_id=ROOM, thread_ts=thread, status="")
    assert await agent(fresh, thread) is None


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("agents.sessions.setStatus", {"status": "thinking"}, "invalid_arguments"),
        ("agents.sessions.setStatus", {}, "invalid_arguments"),
        ("agents.sessions.setStatus", {"status": "active", "title": "t" * 201}, "invalid_arguments"),
        ("agents.sessions.setStatus", {"status": "active", "thread_ts": "1.000001"}, "thread_not_found"),
        ("agents.sessions.setStatus", {"status": "active", "channel_id": "C0NONE"}, "channel_not_found"),
        ("agents.sessions.rename", {"title": "t"}, "session_not_found"),
        ("assistant.threads.setStatus", {"status": "x"}, "invalid_arguments"),
        ("assistant.threads.setSuggestedPrompts", {"prompts": [{"title": "t"}]}, "invalid_arguments"),
    ],
    ids=range(8),
)
async def test_what_slack_would_refuse_is_refused(
    fresh: SandboxProcess, thread: str, method: str, arguments: dict[str, Any], expected: str
) -> None:
    assert (await fresh.api(method, {"channel_id": ROOM, **arguments}))["error"] == expected


async def test_only_the_status_in_words_goes_without_the_assistants_scope(fresh: SandboxProcess, thread: str) -> None:
    await fresh.control.app(scopes=["chat:write"])
    place = {"channel_id": ROOM, "thread_ts": thread}
    refused = await fresh.api("agents.sessions.setStatus", {**place, "status": "active"})
    assert (refused["error"], refused["needed"]) == ("missing_scope", "assistant:write")
    assert (await fresh.api("assistant.threads.setStatus", {**place, "status": "is reading"}))["ok"]
