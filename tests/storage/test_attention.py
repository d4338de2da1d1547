"""What people opened and how they decided: noted once, found by one index, forgotten with what ended."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from policies.attention import Sight
from policies.events import Outcome
from policies.request import Request
from policies.review import Review, Verdict
from storage.attention import LAST, TALLIES
from storage.store import Store
from tests.storage.samples import NOW, WORKSPACE, opened

MINUTE = timedelta(minutes=1)


def reviewed(verdict: Verdict, at: int, by: str = "U0ANA", **more: object):  # type: ignore[no-untyped-def]
    review = Review(by=by, name=by, verdict=verdict, at=NOW + at * MINUTE, revision=1, shown_at=NOW, **more)

    def step(before: Request) -> Outcome:
        return Outcome(request=replace(before, reviews=(*before.reviews, review)))

    return step


async def test_the_first_opening_and_the_first_question_stand_and_are_that_persons_and_revisions_alone(
    store: Store,
) -> None:
    await store.add(opened("r1"))
    for minutes in (1, 2):
        await store.note_opened("r1", 1, "U0ANA", NOW + minutes * MINUTE)
        await store.note_asked_back("r1", 1, "U0ANA", NOW + (minutes + 2) * MINUTE)
    assert await store.sight("r1", 1, "U0ANA") == Sight(opened_at=NOW + MINUTE, asked_at=NOW + 3 * MINUTE)
    assert await store.sight("r1", 2, "U0ANA") == await store.sight("r1", 1, "U0BEN") == Sight()


async def test_each_decision_is_kept_with_what_came_before_it_and_answers_are_none(store: Store) -> None:
    for name in ("r1", "r2", "r3"):
        await store.add(opened(name))
    await store.note_opened("r1", 1, "U0ANA", NOW + MINUTE)
    await store.change("r1", reviewed(Verdict.APPROVE, 2, opened_at=NOW + MINUTE))
    await store.change("r1", reviewed(Verdict.REJECT, 3, opened_at=NOW + MINUTE))  # a person's last word counts
    await store.change("r2", reviewed(Verdict.APPROVE, 5, asked_at=NOW + 4 * MINUTE))
    await store.change("r2", reviewed(Verdict.APPROVE, 6, "U0BEN"))
    await store.change("r3", reviewed(Verdict.ANSWER, 9))
    found = await store.tallies("U0ANA", NOW)
    assert [(one.verdict, one.decided_at - NOW, one.asked_back) for one in found] == [
        (Verdict.APPROVE, 5 * MINUTE, True),
        (Verdict.REJECT, 3 * MINUTE, False),
    ]
    assert found[1].opened_at == NOW + MINUTE
    assert len(await store.tallies("U0ANA", NOW + 4 * MINUTE)) == len(await store.tallies("U0ANA", NOW, limit=1)) == 1
    assert (await store.sight("r3", 1, "U0ANA")).decided_at == NOW + 5 * MINUTE
    await store.purge(NOW + 3 * MINUTE, NOW + 10 * MINUTE)
    assert [one.decided_at for one in await store.tallies("U0ANA", NOW)] == [NOW + 5 * MINUTE]


async def test_an_index_alone_finds_one_persons_decisions(store: Store, database: Path) -> None:
    with sqlite3.connect(database) as raw:
        for statement in (LAST, TALLIES):
            given = {"workspace": WORKSPACE, "who": "U0ANA", "since": NOW, "most": 1}
            values = statement.parameters({name: given[name] for name in given if f":{name}" in statement.sql})
            plan = str(raw.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values).fetchall())
            assert "ix_attention_workspace_id_user_id_decided_at" in plan
            assert "TEMP B-TREE" not in plan
    raw.close()
