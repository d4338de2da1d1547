"""What the store promises about groups."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from policies.errors import Conflict
from policies.group import Group
from policies.request import Requester
from storage import groups
from storage.store import Added, GroupProgress, Store, group_topic
from tests.storage.samples import WORKSPACE, decided, opened

TWO = Group(id="batch", size=2)
TILL = "key:till"


async def test_a_group_counts_its_own_and_ends_when_all_of_its_size_are_settled(store: Store) -> None:
    await store.add(opened("r1", group=TWO))
    await store.add(opened("r0"))
    await store.change("r1", decided())
    assert await store.group_progress(TILL, "batch") == GroupProgress(size=2, asked=1, settled=1, inquiries=0)
    await store.add(opened("r2", group=TWO))
    await store.change("r2", decided())
    progress = await store.group_progress(TILL, "batch")
    assert progress is not None
    assert (progress.asked, progress.complete) == (2, True)
    standing = await store.group(TILL, "batch")
    assert standing is not None
    assert [each.id for each in standing.requests] == ["r1", "r2"]


async def test_it_takes_no_more_than_its_size_and_no_other_size_even_where_all_come_at_once(store: Store) -> None:
    asked = [store.add(opened(f"r{n}", group=TWO)) for n in range(5)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [one.code for one in told if isinstance(one, Conflict)] == ["group_full"] * 3
    assert len([one for one in told if isinstance(one, Added)]) == 2
    with pytest.raises(Conflict, match="begun with the size 2, not 3"):
        await store.add(opened("other", group=Group(id="batch", size=3)))
    assert await store.request("other") is None


async def test_another_agent_s_group_of_the_same_name_is_another_group(store: Store) -> None:
    await store.add(opened("r1", group=TWO))
    stranger = Requester(id="key:stranger", name="stranger")
    await store.add(opened("r2", group=Group(id="batch", size=1), requester=stranger))
    assert await store.group_progress(TILL, "batch") == GroupProgress(size=2, asked=1, settled=0, inquiries=0)
    assert await store.group("key:nobody", "batch") is None
    assert await store.group_progress(TILL, "unknown") is None


async def test_each_change_of_a_member_is_told_to_those_who_wait_for_its_group(
    store: Store, topics: list[frozenset[str]]
) -> None:
    await store.add(opened("r1", group=TWO))
    await store.change("r1", decided())
    assert [group_topic(TILL, "batch") in each for each in topics] == [True, True]


@pytest.mark.parametrize("statement", [groups.PROGRESS, groups.ALL, groups.SIZE], ids=["progress", "all", "size"])
async def test_a_group_is_read_by_its_own_index_whatever_else_there_is(
    store: Store, database: Path, statement: groups.Statement
) -> None:
    values = {"workspace": WORKSPACE, "of_requester": TILL, "of_group": "batch"}
    with closing(sqlite3.connect(database)) as raw:
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters(values))]
    assert "(workspace_id=? AND requester=? AND group_id=?)" in plan[0]
    assert not [step for step in plan if step.startswith("SCAN")]
    assert "TEMP B-TREE" not in str(plan)
