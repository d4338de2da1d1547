"""Finding what became of requests: the policy's own decisions are passed over, and an index alone answers."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from policies.events import Outcome
from policies.request import Request, State
from storage.finding import RECENT, UNSEEN
from storage.store import Store
from tests.storage.samples import NOW, decided, opened

MINUTE = timedelta(minutes=1)


def gone_by_silence(before: Request) -> Outcome:
    settled = decided("silence", now=NOW + 3 * MINUTE)(before)
    return replace(settled, request=replace(settled.request, audit="open"))


async def test_what_people_and_silence_decided_is_found_newest_first_and_what_the_policy_did_is_not(
    store: Store, database: Path
) -> None:
    for name in ("r1", "r2", "r3", "r4"):
        await store.add(opened(name))
    await store.change("r1", decided("policy"))
    await store.change("r2", decided("U0ANA", now=NOW + 2 * MINUTE))
    await store.change("r3", gone_by_silence)
    await store.change("r4", decided("U0ANA", State.REJECTED, now=NOW + 5 * MINUTE))
    assert [one.id for one in await store.decided_lately(NOW)] == ["r4", "r3", "r2"]
    assert [one.id for one in await store.decided_lately(NOW + 4 * MINUTE)] == ["r4"]
    assert [one.id for one in await store.decided_lately(NOW, limit=1)] == ["r4"]
    assert [one.id for one in await store.unseen(NOW)] == ["r3"]
    _uses_the_index(database)


def _uses_the_index(database: Path) -> None:
    with sqlite3.connect(database) as raw:
        for statement in (RECENT, UNSEEN):
            values = statement.parameters({"workspace": "T", "since": NOW, "most": 1})
            plan = str(raw.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values).fetchall())
            assert "ix_decisions_at" in plan
            assert "TEMP B-TREE" not in plan
    raw.close()


async def test_an_id_is_found_by_its_beginning_and_a_sign_that_patterns_know_is_only_a_sign(store: Store) -> None:
    for name in ("req_a1", "req_a2", "req_b1", "reqxa3"):
        await store.add(opened(name))
    assert [one.id for one in await store.beginning_with("req_a")] == ["req_a1", "req_a2"]
    assert [one.id for one in await store.beginning_with("req_a", limit=1)] == ["req_a1"]
    assert await store.beginning_with("req%") == ()
    assert await store.beginning_with("REQ_A") == ()
