"""How a run meets a Messages API that fails: what passes is tried again, what doesn't ends the run with a reason."""

from __future__ import annotations

import time

import pytest

from bot.agent.model import Model, ModelFailed
from policies.agent_run import RunState
from tests.agent.runner_house import House, said
from tests.sandbox_process import SandboxProcess


def asked(words: str) -> list[dict[str, object]]:
    return [{"role": "user", "content": [{"type": "text", "text": words}]}]


def model(stage: SandboxProcess, key: str = "sandbox", path: str = "/anthropic") -> Model:
    return Model(api_key=key, name="m", base_url=f"{stage.url}{path}", pauses=(0.01,))


@pytest.mark.parametrize("trouble", ["overloaded", "truncated", "interrupted", "dropped"])
async def test_overload_and_broken_streams_are_tried_again(home: House, trouble: str) -> None:
    ended = await home.over(await home.start(f"meet {trouble}"))
    assert (ended.state, said(ended)) == (RunState.DONE, "Got through.")
    assert len(ended.transcript) == 2, "a broken turn leaves nothing behind"


async def test_a_rate_limit_is_waited_out_as_long_as_the_server_asks(home: House) -> None:
    before = time.monotonic()
    ended = await home.over(await home.start("meet limited"))
    assert said(ended) == "Got through."
    assert time.monotonic() - before >= 0.6, "twice 0.3 s"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("declined", "The model declined"),
        ("toolong", "longer than its limit"),
        ("locked", "Check ANTHROPIC_API_KEY"),
        ("hopeless", "The model could not be reached: the Messages API answered 529"),
    ],
)
async def test_what_no_try_can_mend_ends_the_run_with_its_reason_in_the_thread(
    home: House, trouble: str, words: str
) -> None:
    run = await home.start(f"meet {trouble}")
    ended = await home.over(run)
    assert ended.state is RunState.FAILED
    assert words in str(ended.note)
    await home.thread_says(run, words)


async def test_a_refused_request_is_told_in_the_apis_own_words(stage: SandboxProcess) -> None:
    at_fault = model(stage)
    with pytest.raises(ModelFailed, match="at least one message is required"):
        await at_fault.turn("", [], [])
    await at_fault.close()


async def test_a_server_that_is_not_there_is_given_up_after_some_tries(stage: SandboxProcess) -> None:
    nowhere = Model(api_key="x", name="m", base_url="http://127.0.0.1:9", pauses=(0.001,))
    with pytest.raises(ModelFailed, match="could not be reached"):
        await nowhere.turn("", asked("anything"), [])
    await nowhere.close()
    elsewhere = model(stage, path="/nothing")
    with pytest.raises(ModelFailed, match="Check SIGNOFF_MODEL"):
        await elsewhere.turn("", asked("anything"), [])
    await elsewhere.close()
