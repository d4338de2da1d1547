"""Purging blanks contents that ended long ago; what was decided, by whom and about which digest, stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from policies.agent_run import RunState
from policies.checkpoint import Kind
from policies.errors import Conflict
from policies.events import Outcome
from policies.question import Answer, Choice, Question
from policies.request import ExecutionState, Request, State
from policies.settling import execute
from storage.store import Store
from tests.storage.samples import NOW, decided, opened, run

LATER = NOW + timedelta(days=100)
LONG_AGO = NOW + timedelta(days=10)


def _ran(state: ExecutionState):  # type: ignore[no-untyped-def]
    def step(before: Request) -> Outcome:
        return execute(before, state, "key:till", NOW, note="for Mara Holm", result={"iban": "DE00"})

    return step


async def test_contents_go_and_the_decision_stays(store: Store) -> None:
    await store.add(opened("r1", reason="Mara Holm asked", context="her letter"))
    await store.change("r1", decided())
    before = await store.change("r1", _ran(ExecutionState.SUCCEEDED))
    assert await store.purge(LONG_AGO, LATER) == (1, 0)
    after = await store.request("r1")
    assert after is not None
    assert after.purged_at == LATER
    assert (after.call.arguments, after.proposed, after.reason, after.context) == ({}, {}, None, None)
    assert after.execution is not None
    assert (after.execution.note, after.execution.result) == (None, None)
    assert (after.digest, after.decision, after.state) == (before.digest, before.decision, before.state)
    assert "Mara" not in repr(after)
    assert "iban" not in repr(after)
    lines = await store.journal()
    assert [line.what for line in lines][-1] == "purged"
    assert (await store.verify_journal()).ok
    assert await store.purge(LONG_AGO, LATER) == (0, 0)


async def test_a_question_loses_its_words_and_those_of_its_answer(store: Store) -> None:
    choice = Choice(id="Mara Holm", label="Mara Holm", arguments={"payee": "Mara Holm"})
    asked = Question(text="Is it Mara Holm?", choices=(choice,), best_guess="Mara Holm")
    answer = Answer(by="U0ANA", at=NOW, choice="Mara Holm", text="Mara Holm")
    new = opened("r1")
    typed = replace(new.request.checkpoint, kind=Kind.MANUAL, phrase="Mara Holm")
    asked = replace(asked, on_silence=typed, on_words=typed)
    await store.add(replace(new, request=replace(new.request, question=asked, answer=answer, checkpoint=typed)))
    await store.change("r1", decided())
    await store.change("r1", _ran(ExecutionState.SUCCEEDED))
    assert await store.purge(LONG_AGO, LATER) == (1, 0)
    after = await store.request("r1")
    assert after is not None
    assert after.answer is not None
    assert after.answer.by == "U0ANA"
    assert "Mara" not in repr(after)


@pytest.mark.parametrize("state", [ExecutionState.UNCLAIMED, ExecutionState.CLAIMED, ExecutionState.UNKNOWN])
async def test_what_may_still_run_or_is_in_doubt_keeps_its_contents(store: Store, state: ExecutionState) -> None:
    await store.add(opened("r1"))
    await store.change("r1", decided())
    if state is not ExecutionState.UNCLAIMED:
        await store.change("r1", _ran(state))
    assert await store.purge(LONG_AGO, LATER) == (0, 0)


async def test_what_is_pending_unaudited_or_ended_lately_keeps_its_contents(store: Store) -> None:
    await store.add(opened("pending"))
    await store.add(opened("lately"))
    await store.change("lately", decided(state=State.REJECTED, now=LONG_AGO))
    await store.add(opened("unaudited", audit="open"))
    await store.change("unaudited", decided(state=State.REJECTED))
    assert await store.purge(LONG_AGO, LATER) == (0, 0)


async def test_many_rows_of_the_same_instant_are_all_found(store: Store) -> None:
    ids = [f"r{number}" for number in range(450)]
    await asyncio.gather(*(store.add(opened(request_id)) for request_id in ids))
    await asyncio.gather(*(store.change(request_id, decided(state=State.REJECTED)) for request_id in ids))
    assert await store.purge(LONG_AGO, LATER) == (450, 0)


async def test_an_ended_run_loses_its_errand_and_transcript(store: Store) -> None:
    said = ({"role": "user", "content": "refund Mara"},)
    await store.add_run(run("ended", transcript=said, state=RunState.DONE))
    await store.add_run(run("active", transcript=said))
    assert await store.purge(LONG_AGO, LATER) == (0, 1)
    ended, active = await store.run("ended"), await store.run("active")
    assert ended is not None
    assert ended.transcript == ()
    assert "Mara" not in repr(ended)
    assert active is not None
    assert active.transcript == said


async def test_a_decision_can_lose_its_note_but_not_change(store: Store) -> None:
    await store.add(opened("r1"))
    await store.change("r1", decided())

    def another(before: Request) -> Outcome:
        assert before.decision is not None
        return Outcome(request=replace(before, decision=replace(before.decision, by=("U0BEN",), note=None)))

    with pytest.raises(Conflict):
        await store.change("r1", another)
