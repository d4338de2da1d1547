"""The progress message: what stands in the transcript is told from the transcript, the rest from the open requests."""

from __future__ import annotations

from typing import Any

from bot.agent.outcomes import entered_later, queued
from bot.agent.progress import SHOWN, progress
from bot.agent.transcript import Answer, answers, opening
from policies.agent_run import RunState
from policies.request import Execution, ExecutionState, State
from tests.storage.samples import NOW, request, run


def asked(*names: str, first: int = 0) -> dict[str, Any]:
    uses = [{"type": "tool_use", "id": f"t{first + n}", "name": name, "input": {}} for n, name in enumerate(names)]
    return {"role": "assistant", "content": uses}


def test_each_answered_call_is_a_line_that_says_how_it_went() -> None:
    given = {
        "t0": Answer(text="ok"),
        "t1": Answer(text="Rejected by Ana: no\nIt was not run.", failed=True),
        "t2": Answer(text="A reviewer changed the arguments before this ran.\n- a: 1 → 2\nResult: ok"),
        "t3": Answer(
            text="A reviewer changed the arguments before this ran.\n- a: 1\nIt failed: no funds", failed=True
        ),
    }
    transcript = (opening("x"), asked("read", "pay", "mail", "post"), answers(given))
    assert progress(run(transcript=transcript), {}).splitlines() == [
        "Working on it …",
        "✓ read",
        "✗ pay: Rejected by Ana: no",
        "✓ mail, changed by a reviewer",
        "✗ post: It failed: no funds",
    ]


def test_an_open_call_says_whom_it_waits_for_and_how_far_it_is() -> None:
    executed = Execution(state=ExecutionState.CLAIMED, at=NOW)
    known = {
        "t0": request(),
        "t1": request(state=State.APPROVED, execution=executed),
        "t3": request(state=State.EXPIRED),
    }
    assert progress(run(transcript=(opening("x"), asked("pay", "mail", "read", "post"))), known).splitlines()[1:] == [
        "⏸ pay: waits for support",
        "• mail: running",
        "• read",
        "✗ post: nobody answered in time",
    ]


def test_a_queued_call_reads_the_same_before_and_after_a_restart() -> None:
    waiting = (opening("x"), asked("note"), answers({"t0": queued(request())}))
    assert progress(run(transcript=waiting), {}).splitlines()[1] == "• note"
    assert progress(run(transcript=waiting), {"t0": request()}).splitlines()[1] == "⏸ note: waits for support"
    for answer, line in ((Answer(text="filed"), "✓ note"), (Answer(text="no", failed=True), "✗ note: no")):
        came = {"role": "user", "content": [{"type": "text", "text": entered_later("r1", answer)}]}
        assert progress(run(transcript=(*waiting, came)), {}).splitlines()[1] == line


def test_early_steps_are_counted_when_there_are_many() -> None:
    names = [f"tool{n}" for n in range(SHOWN + 3)]
    lines = progress(run(transcript=(opening("x"), asked(*names))), {}).splitlines()
    assert lines[1] == "… 3 earlier steps"
    assert len(lines) == SHOWN + 2
    assert lines[-1] == f"• tool{SHOWN + 2}"


def test_the_heading_says_how_the_run_ended_and_why() -> None:
    assert progress(run(state=RunState.DONE), {}) == "Done."
    assert progress(run(state=RunState.STOPPED, note="stopped by Nia"), {}) == "This run was stopped by Nia."
    assert progress(run(state=RunState.FAILED, note="No key."), {}) == "This run failed. No key."
