"""What the store promises about grants: used up exactly, never after their end, revoked once, forgotten by a purge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import policies
from policies.effects import TellOfGrant
from policies.errors import Conflict, NotAllowed, NotFound
from policies.events import Outcome
from policies.grant import Grant
from policies.granting import revoke
from policies.loader import load
from policies.request import Requester, State
from policies.settling import settle
from storage import migrations
from storage.rows import GRANT
from storage.store import Chance, Idempotency, Store
from tests.storage.samples import NOW, WORKSPACE, decided, opened

HOUR = timedelta(hours=1)


def a_grant(grant_id: str = "grant_1", request_id: str = "r0", **fields: Any) -> Grant:
    """An active grant of the agent ``key:till``."""
    origin = opened(request_id).request
    return Grant(
        **{
            "id": grant_id,
            "workspace_id": WORKSPACE,
            "request_id": request_id,
            "requester": Requester(id="key:till", name="till", owner="U0NEWT"),
            "tool": "issue_refund",
            "arguments": {"order": 7, "amount": 12.5, "n": 1.0},
            "loose": ("/amount",),
            "checkpoint": origin.checkpoint,
            "policy_digest": "sha256:policy",
            "by": "U0ANA",
            "by_name": "Ana Reyes",
            "created_at": NOW,
            "expires_at": NOW + HOUR,
            "most": 3,
            **fields,
        }
    )


async def made(store: Store, grant: Grant) -> Grant:
    """``grant``, stored with the approval of the request that it came from."""
    await store.add(opened(grant.request_id))
    approve = decided("U0ANA")
    await store.change(grant.request_id, lambda before: replace(approve(before), grant=grant))
    return grant


def chance(request_id: str, grant_id: str = "grant_1", now: datetime = NOW) -> tuple[Outcome, Chance]:
    """A new request, and what comes of it under the grant."""
    asked = opened(request_id)

    def go_ahead(standing: Grant) -> Outcome:
        settled = settle(asked.request, State.APPROVED, (f"grant:{standing.id}",), now, str(standing.used), show=False)
        return replace(asked, effects=()).then(settled)

    return asked, Chance(grant_id=grant_id, go_ahead=go_ahead)


async def ask(store: Store, request_id: str, *grant_ids: str, now: datetime = NOW) -> State:
    """What is stored of a new request that may go ahead under these grants."""
    found = [chance(request_id, grant_id, now) for grant_id in grant_ids or ("grant_1",)]
    added = await store.add(found[0][0], chances=[each for _, each in found])
    stored = await store.request(request_id)
    assert stored == added.request
    return added.request.state


async def test_a_grant_is_stored_with_the_approval_and_read_back_whole(store: Store) -> None:
    grant = await made(store, a_grant())
    assert await store.grant("grant_1") == grant
    assert await store.grants(since=NOW - HOUR) == (grant,)
    assert await store.standing_grants("key:till", "issue_refund", "sha256:policy", NOW) == (grant,)


async def test_a_change_that_is_refused_stores_no_grant(store: Store) -> None:
    await store.add(opened("r0"))
    await store.change("r0", decided())
    with pytest.raises(Conflict):
        await store.change("r0", lambda before: replace(decided()(before), grant=a_grant()))
    assert await store.grant("grant_1") is None


async def test_only_what_is_active_for_that_agent_tool_and_policy_stands(store: Store) -> None:
    await made(store, a_grant())
    for requester, tool, policy, now in (
        ("key:other", "issue_refund", "sha256:policy", NOW),
        ("key:till", "send_refund", "sha256:policy", NOW),
        ("key:till", "issue_refund", "sha256:other", NOW),
        ("key:till", "issue_refund", "sha256:policy", NOW + HOUR),
    ):
        assert await store.standing_grants(requester, tool, policy, now) == ()


async def test_of_many_at_once_as_many_go_ahead_as_there_are_uses(store: Store) -> None:
    await made(store, a_grant())
    found = await asyncio.gather(*(ask(store, f"r{number}") for number in range(1, 30)))
    assert found.count(State.APPROVED) == 3
    assert found.count(State.PENDING) == 26
    standing = await store.grant("grant_1")
    assert standing is not None
    assert standing.used == 3


async def test_two_processes_together_use_no_more_than_there_is(store: Store, url: str) -> None:
    await made(store, a_grant())
    beside = await Store.open(url, workspace_id=WORKSPACE)
    found = await asyncio.gather(*(ask((store, beside)[number % 2], f"r{number}") for number in range(1, 13)))
    await beside.close()
    assert found.count(State.APPROVED) == 3


async def test_where_one_grant_is_used_up_the_next_is_tried(store: Store) -> None:
    await made(store, a_grant(most=1))
    await made(store, a_grant("grant_2", "r00", most=1))
    found = [await ask(store, f"r{number}", "grant_1", "grant_2", "grant_3") for number in (1, 2, 3)]
    assert found == [State.APPROVED, State.APPROVED, State.PENDING]


async def test_nothing_goes_ahead_at_or_after_the_end(store: Store) -> None:
    await made(store, a_grant())
    assert await ask(store, "r1", now=NOW + HOUR) is State.PENDING
    assert await ask(store, "r2", now=NOW + HOUR - timedelta(microseconds=1)) is State.APPROVED


async def test_what_the_grant_refuses_is_asked_about_and_uses_nothing(store: Store) -> None:
    await made(store, a_grant())

    def refuse(standing: Grant) -> Outcome:
        raise NotAllowed("no longer a member")

    added = await store.add(opened("r1"), chances=[Chance(grant_id="grant_1", go_ahead=refuse)])
    assert added.request.state is State.PENDING
    standing = await store.grant("grant_1")
    assert standing is not None
    assert standing.used == 0


async def test_the_same_submission_again_uses_nothing(store: Store) -> None:
    await made(store, a_grant())
    asked, under = chance("r1")
    key = Idempotency(requester="key:till", key="k", body="b")
    first = await store.add(asked, idempotency=key, chances=[under])
    again = await store.add(chance("r2")[0], idempotency=key, chances=[under])
    assert (first.created, again.created, again.request) == (True, False, first.request)
    standing = await store.grant("grant_1")
    assert standing is not None
    assert standing.used == 1


def by(who: str) -> Callable[[Grant], Any]:
    return lambda standing: revoke(standing, who, NOW)


async def test_a_grant_is_revoked_once_with_its_line_and_what_is_owed(store: Store) -> None:
    await made(store, a_grant())
    found = await asyncio.gather(
        *(store.revoke_grant("grant_1", by(f"U{n}")) for n in range(3)), return_exceptions=True
    )
    assert len([one for one in found if isinstance(one, Conflict)]) == 2
    assert len([row for row in await store.journal() if (row.what, row.subject) == ("revoked", "grant_1")]) == 1
    owed = [one.effect for one in await store.owed(NOW)]
    assert owed.count(TellOfGrant(request_id="r0", grant_id="grant_1", what="ended")) == 1
    assert await ask(store, "r1") is State.PENDING
    assert (await store.verify_journal()).ok
    with pytest.raises(NotFound):
        await store.revoke_grant("nope", by("U1"))


async def test_another_policy_ends_the_active_grants_of_all_others(store: Store) -> None:
    await made(store, a_grant())
    await made(store, a_grant("grant_2", "r00", policy_digest="sha256:new"))
    assert await store.end_grants_of_other_policies("sha256:new", NOW, by("policy")) == 1
    assert await store.end_grants_of_other_policies("sha256:new", NOW, by("policy")) == 0
    assert [grant.revoked_by for grant in await store.grants(since=NOW - HOUR)] == ["policy", None]


async def test_an_agent_that_is_shut_out_loses_what_was_granted_to_it(store: Store) -> None:
    await made(store, a_grant())
    assert await store.end_grants_of_agent("key:other", NOW, by("operator")) == 0
    assert await store.end_grants_of_agent("key:till", NOW, by("operator")) == 1
    assert await ask(store, "r1") is State.PENDING


async def test_a_purge_forgets_grants_that_had_expired_and_keeps_their_lines(store: Store) -> None:
    await made(store, a_grant())
    await store.purge(NOW + HOUR, NOW + HOUR)
    assert await store.grant("grant_1") is not None
    await store.purge(NOW + 2 * HOUR, NOW + 2 * HOUR)
    assert await store.grant("grant_1") is None


async def test_a_database_without_grants_is_brought_up_to_date_and_keeps_what_it_holds(
    url: str, database: Path, tmp_path: Path
) -> None:
    migrations.run(database, "0002")
    store = await Store.open(url, workspace_id=WORKSPACE, exclusive=True)
    grant = await made(store, a_grant())
    assert await ask(store, "r1") is State.APPROVED
    await store.close()
    again = await Store.open(url, workspace_id=WORKSPACE, exclusive=True)
    assert await again.grant("grant_1") == replace(grant, used=1)
    await again.close()


@pytest.mark.parametrize("example", ["everything", "support", "finance", "devops"])
def test_every_checkpoint_of_a_policy_reads_back_equal_else_no_grant_would_ever_hold(example: str) -> None:
    file = Path(policies.__file__).parent / "examples" / f"{example}.yml"
    policy = load(file.read_text(encoding="utf-8"), source=file.name)
    for rule in (*policy.rules, policy.default):
        grant = a_grant(checkpoint=rule.gate)
        assert GRANT.load(GRANT.dump(grant)) == grant
