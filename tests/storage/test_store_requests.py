"""What the store promises about requests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from policies.effects import Announce, Refresh
from policies.errors import Conflict, Invalid, NotFound
from policies.events import Outcome
from policies.request import ExecutionState, Request, State
from storage.requests import add, change
from storage.store import Changed, Idempotency, Store
from storage.transaction import Transaction
from tests.storage.samples import NOW, WORKSPACE, decided, noted, opened, request

KEY = Idempotency(requester="key:till", key="k1", body="sha256:body")


async def test_a_stored_request_comes_back_as_it_was(store: Store) -> None:
    added = await store.add(opened())
    assert added.created
    assert await store.request("r1") == request()
    assert await store.request("nope") is None


async def test_what_is_another_requesters_is_as_unknown_as_what_there_is_not(store: Store) -> None:
    await store.add(opened())
    owner = request().requester.id
    assert await store.request("r1", requester=owner) == request()
    assert await store.request("r1", requester="key:other") is None
    read: list[Request] = []

    def reading(before: Request) -> Outcome:
        read.append(before)
        return noted("x")(before)

    for request_id, requester in (("r1", "key:other"), ("nope", owner)):
        with pytest.raises(NotFound):
            await store.change(request_id, reading, requester=requester)
    assert read == []  # not even looked at, so that it takes no longer either
    await store.change("r1", reading, requester=owner)
    assert read == [request()]


async def test_the_topics_name_what_a_commit_touched(store: Store, topics: list[frozenset[str]]) -> None:
    await store.add(opened())
    await store.change("r1", noted("x"))
    assert topics == [frozenset({"r1", "outbox", "deadline"}), frozenset({"r1"})]


async def test_an_earlier_deadline_is_told_and_a_later_one_is_not(store: Store, topics: list[frozenset[str]]) -> None:
    await store.add(opened(effects=()))
    earlier = replace(request(), expires_at=NOW + timedelta(seconds=5))
    later = replace(request(), expires_at=None, steps_done=1)
    for changed in (earlier, later):
        outcome = Outcome(request=changed, entries=noted("")(changed).entries)
        await store.change("r1", lambda before, outcome=outcome: outcome)  # type: ignore[misc]
    assert topics[1:] == [frozenset({"r1", "deadline"}), frozenset({"r1"})]


async def test_the_same_idempotency_key_gives_the_same_request(store: Store) -> None:
    await store.add(opened("r1"), idempotency=KEY)
    again = await store.add(opened("r2"), idempotency=KEY)
    assert (again.created, again.request.id) == (False, "r1")
    assert await store.request("r2") is None
    assert len(await store.owed(NOW)) == 1


async def test_an_idempotency_key_with_another_body_is_refused(store: Store) -> None:
    await store.add(opened("r1"), idempotency=KEY)
    with pytest.raises(Conflict) as refused:
        await store.add(opened("r2"), idempotency=replace(KEY, body="sha256:other"))
    assert refused.value.code == "idempotency_conflict"
    assert await store.request("r2") is None


async def test_an_idempotency_key_belongs_to_its_requester(store: Store) -> None:
    await store.add(opened("r1"), idempotency=KEY)
    other = await store.add(opened("r2"), idempotency=replace(KEY, requester="key:other"))
    assert other.created


async def test_many_of_the_same_key_at_once_make_one_request(store: Store) -> None:
    added = await asyncio.gather(*(store.add(opened(f"r{n}"), idempotency=KEY) for n in range(50)))
    assert sum(one.created for one in added) == 1
    assert len({one.request.id for one in added}) == 1


async def test_an_id_is_given_once(store: Store) -> None:
    await store.add(opened())
    with pytest.raises(Conflict):
        await store.add(opened())
    assert len(await store.owed(NOW)) == 1


async def test_a_request_of_another_workspace_is_neither_stored_nor_seen(store: Store, url: str) -> None:
    with pytest.raises(ValueError, match="another workspace"):
        await store.add(opened(workspace_id="T0OTHER"))
    await store.add(opened())
    other = await Store.open(url, workspace_id="T0OTHER")
    try:
        assert await other.request("r1") is None
        assert (await other.requests()).requests == ()
        assert await other.owed(NOW) == ()
        assert await other.next_due() is None
        with pytest.raises(NotFound):
            await other.change("r1", decided())
    finally:
        await other.close()


async def test_a_change_stores_row_decision_journal_and_outbox_together(store: Store) -> None:
    await store.add(opened())
    changed = await store.change("r1", decided())
    assert (changed.state, changed.version) == (State.APPROVED, 1)
    assert await store.request("r1") == changed
    assert [line.what for line in await store.journal()] == ["opened", "settled"]
    assert [one.effect for one in await store.owed(NOW)] == [Announce(request_id="r1"), Refresh(request_id="r1")]


async def test_a_change_that_changes_nothing_writes_nothing(store: Store, topics: list[frozenset[str]]) -> None:
    await store.add(opened())
    same = await store.change("r1", lambda before: Outcome(request=before))
    assert same.version == 0
    assert len(topics) == 1


async def test_a_change_that_raises_changes_nothing(store: Store) -> None:
    await store.add(opened())
    await store.change("r1", decided())
    with pytest.raises(Conflict, match="decided already"):
        await store.change("r1", decided("U0BEN"))
    with pytest.raises(NotFound):
        await store.change("nope", decided())
    assert len(await store.journal()) == 2


async def test_a_second_decision_is_refused_even_where_the_change_allows_it(store: Store) -> None:
    await store.add(opened())
    await store.change("r1", decided())
    with pytest.raises(Conflict) as refused:
        await store.change("r1", lambda before: decided("U0BEN")(replace(before, state=State.PENDING, decision=None)))
    assert refused.value.code == "already_settled"
    standing = await store.request("r1")
    assert standing is not None
    assert standing.decision is not None
    assert standing.decision.by == ("U0ANA",)


async def test_a_comparison_lost_to_another_change_is_tried_again_with_what_stands(store: Store) -> None:
    await store.add(opened())
    seen: list[int] = []

    def overtaken(transaction: Transaction) -> Request:
        def fn(before: Request) -> Outcome:
            seen.append(before.version)
            if len(seen) == 1:  # somebody else's change comes between our load and our update
                change("r1", noted("theirs"), transaction)
            return noted(f"{before.context} and ours")(before)

        return change("r1", fn, transaction)

    changed = await store._write(overtaken)
    assert seen == [0, 1]
    assert (changed.context, changed.version) == ("theirs and ours", 2)


async def test_pages_are_newest_first_and_lose_nothing_between_them(store: Store) -> None:
    made = [opened(f"r{n:02}", created_at=NOW + timedelta(seconds=n // 3)) for n in range(25)]
    await asyncio.gather(*(store.add(one) for one in made))
    found, cursor = [], None
    while True:
        page = await store.requests(cursor=cursor, limit=7)
        found += [one.id for one in page.requests]
        if (cursor := page.cursor) is None:
            break
    assert found == sorted((one.request.id for one in made), reverse=True)


async def test_a_list_meets_every_condition(store: Store) -> None:
    for name in ("r1", "r2", "r3"):
        await store.add(opened(name))
    await store.change("r1", decided())
    await store.change("r2", decided(state=State.REJECTED))

    async def ids(**conditions: object) -> list[str]:
        return [one.id for one in (await store.requests(**conditions)).requests]  # type: ignore[arg-type]

    assert await ids(states=[State.PENDING]) == ["r3"]
    assert await ids(states=[State.APPROVED, State.REJECTED]) == ["r2", "r1"]
    assert await ids(execution=[ExecutionState.UNCLAIMED]) == ["r1"]
    assert await ids(requester="key:till", ids=["r1", "r3", "r9"]) == ["r3", "r1"]
    assert await ids(requester="key:other") == []


async def test_a_foreign_cursor_is_refused(store: Store) -> None:
    for cursor in ("", "x", "1e9.r1", "9" * 40 + ".r1"):
        with pytest.raises(Invalid):
            await store.requests(cursor=cursor)


async def test_counts_are_of_one_requester_since_then(store: Store) -> None:
    await store.add(opened("r1", created_at=NOW - timedelta(hours=2)))
    await store.add(opened("r2"))
    assert await store.counts("key:till", None, NOW - timedelta(hours=1)) == 1
    assert await store.counts("key:till", "issue_refund", NOW - timedelta(hours=2)) == 2
    assert await store.counts("key:till", "other_tool", NOW - timedelta(hours=2)) == 0
    assert await store.counts("key:other", None, NOW - timedelta(hours=2)) == 0


async def test_add_of_an_allowed_call_stores_its_decision(store: Store) -> None:
    settled = decided("policy")(request())
    await store.add(settled)
    with pytest.raises(Conflict):
        await store.change("r1", lambda before: decided()(request(version=before.version)))


async def test_the_workspace_of_the_store_is_the_one_it_was_opened_for(store: Store) -> None:
    added = await store._write(lambda transaction: add(opened("r7"), None, (), transaction))
    assert added.request.workspace_id == WORKSPACE


async def test_each_committed_change_is_told_once_and_what_was_refused_never(url: str) -> None:
    told: list[Changed] = []
    store = await Store.open(url, workspace_id=WORKSPACE, exclusive=True, on_changed=told.extend)
    await store.add(opened("r1"))
    results = await asyncio.gather(
        *(store.change("r1", decided(by)) for by in ("U0ANA", "U0BEN")),
        store.add(opened("r1")),
        store._write(_change_and_fail),
        store.change("r1", noted("late")),
        return_exceptions=True,
    )
    await store.close()
    assert [type(each).__name__ for each in results] == ["Request", "Conflict", "Conflict", "KeyError", "Request"]
    assert [(each.before and each.before.version, each.after.version) for each in told] == [(None, 0), (0, 1), (1, 2)]
    assert [entry.what for each in told for entry in each.entries] == ["opened", "settled", "noted"]


def _change_and_fail(transaction: Transaction) -> None:
    change("r1", noted("undone"), transaction)
    raise KeyError("after the change")
