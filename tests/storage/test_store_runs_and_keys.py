"""What the store promises about runs, API keys, policies and events."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from policies.agent_run import AgentRun, RunState
from policies.allowance import EVERYTHING, Scope
from policies.effects import Effect, Post
from policies.errors import Conflict, NotFound
from storage import migrations
from storage.columns import micros
from storage.store import Key, Store
from tests.storage.samples import NOW, WORKSPACE, run

POST = Post(run_id="run1", key="answer", channel="C0AGENTS", thread_ts="1.1", text="Done")
KEY = Key(id="k1", name="till", owner="U0NEWT", kind="agent", created_at=NOW)
DAY = NOW + timedelta(days=1)


async def test_a_run_is_stored_whole_after_each_step(store: Store, topics: list[frozenset[str]]) -> None:
    await store.add_run(run())
    step = {"role": "assistant", "content": [{"type": "tool_use", "input": {"amount": 1.0}}]}

    def think(before: AgentRun) -> tuple[AgentRun, tuple[Effect, ...]]:
        return replace(before, transcript=(*before.transcript, step), calls={"t1": "r1"}), (POST,)

    changed = await store.change_run("run1", think)
    assert await store.run("run1") == changed
    assert (changed.transcript, changed.version) == ((step,), 1)
    assert [one.effect for one in await store.owed(NOW)] == [POST]
    assert topics == [frozenset({"run:run1"}), frozenset({"run:run1", "outbox"})]


async def test_a_run_that_does_not_exist_is_not_found_and_an_id_is_given_once(store: Store) -> None:
    assert await store.run("nope") is None
    with pytest.raises(NotFound):
        await store.change_run("nope", lambda before: (before, ()))
    await store.add_run(run())
    with pytest.raises(Conflict):
        await store.add_run(run(), (POST,))
    assert await store.owed(NOW) == ()


async def test_runs_are_found_by_state_oldest_first(store: Store) -> None:
    await store.add_run(run("new", created_at=NOW + timedelta(seconds=1)))
    await store.add_run(run("old"))
    await store.add_run(run("over", state=RunState.DONE))
    assert [one.id for one in await store.runs()] == ["old", "new"]
    assert [one.id for one in await store.runs(RunState.DONE)] == ["over"]
    assert {one.id for one in await store.runs(None)} == {"old", "new", "over"}


async def test_a_key_is_found_by_the_hash_of_its_secret(store: Store) -> None:
    expiring = replace(KEY, id="k2", name="ops", owner=None, kind="operator", expires_at=NOW + timedelta(days=90))
    await store.add_key(KEY, "hash1")
    await store.add_key(expiring, "hash2")
    assert await store.key_by_hash("hash1") == KEY
    assert await store.key_by_hash("hash2") == expiring
    assert await store.key_by_hash("hash3") is None
    assert set(await store.keys()) == {KEY, expiring}


async def test_a_name_belongs_to_one_valid_key_at_a_time(store: Store) -> None:
    await store.add_key(KEY, "hash1")
    with pytest.raises(Conflict) as refused:
        await store.add_key(replace(KEY, id="k2"), "hash2")
    assert refused.value.code == "key_exists"
    await store.revoke_key("till", NOW)
    await store.add_key(replace(KEY, id="k2"), "hash2")
    revoked = await store.key_by_hash("hash1")
    assert revoked is not None
    assert revoked.revoked_at == NOW
    assert await store.key_by_hash("hash2") == replace(KEY, id="k2")


async def test_an_expired_key_leaves_its_name_to_the_next(store: Store) -> None:
    await store.add_key(replace(KEY, expires_at=NOW + timedelta(days=1)), "hash1")
    await store.add_key(replace(KEY, id="k2", created_at=NOW + timedelta(days=1)), "hash2")


async def test_revoking_is_done_once_and_keeps_its_time(store: Store) -> None:
    await store.add_key(KEY, "hash1")
    await store.revoke_key("till", NOW)
    with pytest.raises(NotFound):
        await store.revoke_key("till", NOW + timedelta(days=1))
    assert [key.revoked_at for key in await store.keys()] == [NOW]


async def test_what_a_key_may_do_is_stored_with_it(store: Store) -> None:
    limited = replace(KEY, id="k2", name="runner", agent="till", may=(Scope.ACT, Scope.READ), tools=("pay", "git.*"))
    await store.add_key(KEY, "hash1")
    await store.add_key(limited, "hash2")
    assert await store.key_by_hash("hash1") == KEY
    assert (KEY.agent, KEY.may, KEY.tools) == ("till", EVERYTHING, ())
    assert await store.key_by_hash("hash2") == limited


def test_a_key_from_before_may_do_all_that_it_could(url: str, database: Path) -> None:
    migrations.run(database, "0009")
    with closing(sqlite3.connect(database)) as raw:
        raw.execute(
            "INSERT INTO api_keys (id, workspace_id, name, owner, kind, secret_hash, created_at) "
            "VALUES ('k1', ?, 'till', 'U0NEWT', 'agent', 'hash1', ?)",
            (WORKSPACE, micros(NOW)),
        )
        raw.commit()
    migrations.run(database)

    async def look() -> Key | None:
        store = await Store.open(url, workspace_id=WORKSPACE)
        try:
            return await store.key_by_hash("hash1")
        finally:
            await store.close()

    assert asyncio.run(look()) == KEY


async def test_a_rotated_key_has_two_secrets_until_the_old_one_ends(store: Store) -> None:
    await store.add_key(replace(KEY, expires_at=DAY), "hash1")
    until = NOW + timedelta(hours=1)
    renewed = await store.rotate_key("till", "hash2", now=NOW, until=until, expires_at=DAY)
    assert renewed == replace(KEY, expires_at=DAY, rotated_at=NOW, secret_until=until)
    assert await store.key_by_hash("hash2") == replace(renewed, secret_until=None)
    assert await store.key_by_hash("hash1") == renewed
    assert await store.keys() == (renewed,)


async def test_no_earlier_secret_outlives_the_one_that_was_replaced_last(store: Store) -> None:
    await store.add_key(KEY, "hash1")
    hour = NOW + timedelta(hours=1)
    for secret, until in (("hash2", hour), ("hash3", DAY), ("hash4", DAY - timedelta(hours=1))):
        await store.rotate_key("till", secret, now=NOW, until=until, expires_at=None)
    found = [await store.key_by_hash(each) for each in ("hash1", "hash2", "hash3", "hash4")]
    assert [key.secret_until if key else KEY for key in found] == [hour, *[DAY - timedelta(hours=1)] * 2, None]
    await store.purge(DAY, DAY)
    assert [await store.key_by_hash(each) for each in ("hash1", "hash2", "hash3")] == [None] * 3
    await store.rotate_key("till", "hash5", now=DAY, until=DAY, expires_at=None)
    former = await store.key_by_hash("hash4")
    assert former is not None
    assert former.secret_until == DAY


async def test_an_old_secret_lives_no_longer_than_its_key_would_have(store: Store) -> None:
    await store.add_key(replace(KEY, expires_at=NOW + timedelta(hours=2)), "hash1")
    await store.rotate_key("till", "hash2", now=NOW, until=DAY, expires_at=None)
    former = await store.key_by_hash("hash1")
    assert former is not None
    assert former.secret_until == NOW + timedelta(hours=2)


async def test_revoking_ends_every_secret_of_a_key(store: Store) -> None:
    await store.add_key(KEY, "hash1")
    await store.rotate_key("till", "hash2", now=NOW, until=DAY, expires_at=None)
    await store.revoke_key("till", NOW)
    for each in ("hash1", "hash2"):
        key = await store.key_by_hash(each)
        assert key is not None
        assert key.revoked_at == NOW
    with pytest.raises(NotFound):
        await store.rotate_key("till", "hash3", now=NOW, until=DAY, expires_at=None)


async def test_the_journal_says_what_each_key_could_do_and_when(store: Store) -> None:
    part = replace(KEY, id="k2", name="till-2", agent="till", may=(Scope.ASK, Scope.READ), tools=("git.*",))
    await store.add_key(KEY, "hash1")
    await store.add_key(replace(part, expires_at=DAY), "hash2")
    await store.rotate_key("till-2", "hash3", now=NOW, until=NOW, expires_at=None)
    await store.revoke_key("till", NOW, by="key:fleet")
    with pytest.raises(Conflict):
        await store.add_key(part, "hash4")
    at, owner = NOW.isoformat(), {"owner": "U0NEWT"}
    limits = {"may": ["ask", "read"], "tools": ["git.*"], "expires_at": DAY.isoformat()}
    assert [(line.what, line.actor, line.subject, line.detail) for line in await store.journal()] == [
        ("provisioned", "operator", "k1", {"name": "till", "kind": "agent", "agent": "till", **owner}),
        ("provisioned", "operator", "k2", {"name": "till-2", "kind": "agent", "agent": "till", **owner, **limits}),
        ("rotated", "operator", "k2", {"name": "till-2", "until": at}),
        ("retired", "key:fleet", "k1", {"name": "till"}),
    ]


async def test_a_policy_is_kept_under_its_digest(store: Store) -> None:
    for _ in range(2):
        await store.keep_policy("sha256:p", "version: 1\n# ünïcode\n")
    assert await store.policy_text("sha256:p") == "version: 1\n# ünïcode\n"
    assert await store.policy_text("sha256:q") is None


async def test_an_event_is_new_once_an_hour(store: Store) -> None:
    assert await store.first_sight("Ev1", NOW)
    assert not await store.first_sight("Ev1", NOW + timedelta(minutes=59))
    assert await store.first_sight("Ev2", NOW)
    assert await store.first_sight("Ev1", NOW + timedelta(hours=1))
