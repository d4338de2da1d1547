"""What agents ask of the scripted Messages API stands in the record, beside what the app says in Slack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lazily import Lazily
from tests.sandbox_process import SandboxProcess

anthropic = Lazily("anthropic")

TOOLS = [{"name": "read_order", "description": "Read an order.", "input_schema": {"type": "object"}}]
ASK = [{"role": "user", "content": "Refund order 1042, please."}]


def client(sandbox: SandboxProcess) -> Any:
    return anthropic.AsyncAnthropic(base_url=f"{sandbox.url}/anthropic", api_key="sandbox", max_retries=0)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_call_is_recorded_with_its_whole_answer_but_without_its_key(
    fresh: SandboxProcess, stream: bool
) -> None:
    asked: dict[str, Any] = {"model": "claude-test", "max_tokens": 100, "messages": ASK, "tools": TOOLS}
    async with client(fresh) as asking:
        if stream:
            async with asking.messages.stream(**asked) as streaming:
                said = await streaming.get_final_message()
        else:
            said = await asking.messages.create(**asked)
    (call,) = [call for call in await fresh.control.record() if call["kind"] == "model"]
    assert (call["direction"], call["method"], call["status"]) == ("in", "v1/messages", 200)
    assert call["body"]["messages"] == ASK
    assert call["answer"]["id"] == said.id
    assert [block["type"] for block in call["answer"]["content"]] == [block.type for block in said.content]
    assert "sandbox" not in str({name: value for name, value in call.items() if name != "answer"})


async def test_a_refused_call_is_recorded_too(fresh: SandboxProcess) -> None:
    async with client(fresh) as asking:
        with pytest.raises(anthropic.BadRequestError):
            await asking.messages.create(model="claude-test", max_tokens=100, messages=[])
    (call,) = [call for call in await fresh.control.record() if call["kind"] == "model"]
    assert (call["status"], call["answer"]["error"]["type"]) == (400, "invalid_request_error")
