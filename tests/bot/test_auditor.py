"""What was damaged behind the gateway's back is found and repaired, once; a sound gateway gives nothing to find."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.auditor import Auditor
from bot.gateway import Gateway
from bot.metrics import Metrics
from bot.shelf import PolicyShelf
from policies.checkpoint import Act, Ladder, Step
from policies.effects import Refresh
from policies.events import Claimed, Reported, Withdrawn
from policies.loader import load
from policies.request import ExecutionState, State
from tests.bot.courier_house import Post, checkpoint
from tests.storage.samples import WORKSPACE, run

POLICY = """
version: 1
reviewers: {support: {users: [U0ANA]}}
ladders: {standard: [{after: 2h, then: expire}]}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""


@dataclass(kw_only=True)
class Audited:
    """A gateway with its courier, an auditor that a test drives by hand, and the database's back door."""

    post: Post
    gateway: Gateway
    auditor: Auditor
    metrics: Metrics
    database: Path
    looks: int = 0

    async def look(self) -> None:
        """One look now, and whatever it made owed carried out."""
        await self.auditor.look(self.post.time())
        self.post.waiting.wake(("outbox",))
        await self.post.drained_in_time()

    def damage(self, statement: str, *values: object) -> None:
        """Change the database as no part of Signoff would."""
        with closing(sqlite3.connect(self.database, timeout=10)) as raw, raw:
            assert raw.execute(statement, values).rowcount > 0

    def row(self, statement: str, *values: object) -> tuple[Any, ...]:
        with closing(sqlite3.connect(self.database, timeout=10)) as raw:
            found: tuple[Any, ...] = raw.execute(statement, values).fetchone()
        return found

    def found(self) -> dict[str, float]:
        """All repairs and troubles that the metrics tell of, by kind, without those of which there are none."""
        return {
            sample.labels["kind"]: sample.value
            for family in text_string_to_metric_families(self.metrics.text().decode())
            for sample in family.samples
            if sample.name in ("signoff_repaired_total", "signoff_troubles") and sample.value
        }

    async def repairs(self, request_id: str = "r1") -> list[Any]:
        """What the journal says was repaired of a request."""
        lines = await self.post.store.journal()
        return [dict(line.detail) for line in lines if (line.what, line.subject) == ("repaired", request_id)]


async def _keep_looking(audited: Audited) -> None:
    """A ticker that is never late, and the auditor close behind it."""
    while True:
        now = audited.post.time()
        await audited.gateway.advance(now)
        await audited.auditor.look(now)
        audited.looks += 1
        await asyncio.sleep(0)


@pytest.fixture
async def audited(post: Post, tmp_path: Path) -> Audited:
    metrics = Metrics()
    shelf = PolicyShelf(post.store, load(POLICY, source="policy.yml"))
    gateway = Gateway(post.store, shelf, post.time, post.waiting, workspace_id=WORKSPACE)
    post.serve()
    return Audited(
        post=post,
        gateway=gateway,
        auditor=Auditor(gateway, post.time, metrics),
        metrics=metrics,
        database=tmp_path / "signoff.db",
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [("next_action_at", None), ("next_action_at", 4_000_000_000_000_000), ("state", "approved"), ("version", 7)],
)
async def test_a_column_that_says_another_thing_than_the_request_is_put_right_once(
    audited: Audited, column: str, value: object
) -> None:
    await audited.post.ask("r1")
    await audited.post.drained_in_time()
    before = audited.row(f"SELECT {column} FROM requests")
    audited.damage(f"UPDATE requests SET {column} = ?", value)
    for _ in range(3):
        await audited.look()
    assert audited.row(f"SELECT {column} FROM requests") == before
    assert audited.found() == {"misfiled": 1}
    (repaired,) = await audited.repairs()
    assert (repaired["kind"], list(repaired["stored"])) == ("misfiled", [column])
    assert (await audited.post.approve("r1")).state is State.APPROVED
    assert (await audited.post.store.verify_journal()).ok


async def test_a_card_that_was_never_posted_is_posted_once(audited: Audited) -> None:
    await audited.post.kill()
    await audited.post.ask("r1")
    audited.damage("DELETE FROM outbox")
    audited.post.serve()
    for _ in range(3):
        await audited.look()
    assert len(await audited.post.cards()) == 1
    assert audited.found() == {"unannounced": 1}
    assert await audited.repairs() == [{"kind": "unannounced", "owed": "Announce"}]


async def test_a_card_that_tells_an_older_state_is_brought_up_to_date_once(audited: Audited) -> None:
    await audited.post.ask("r1")
    await audited.post.drained_in_time()
    await audited.post.kill()
    await audited.post.approve("r1")
    audited.damage("DELETE FROM outbox")
    audited.post.serve()
    for _ in range(3):
        await audited.look()
    (card,) = await audited.post.cards()
    assert "was approved by Ana Reyes" in str(card)
    assert audited.found() == {"outdated": 1}
    assert len(await audited.post.sandbox.control.calls("chat.update")) == 1


async def test_what_the_ticker_missed_happens_once(audited: Audited) -> None:
    await audited.post.ask("r1")
    await audited.post.drained_in_time()
    due = (await audited.gateway.request("r1")).next_action_at
    assert due is not None
    await audited.post.time.sleep((due - audited.post.time()).total_seconds() + 2)
    await audited.look()
    assert audited.found() == {}  # two seconds late is the ticker's own business
    audited.damage("UPDATE requests SET next_action_at = 1")
    await audited.post.time.sleep(4)
    for _ in range(2):
        await audited.look()
    assert (await audited.gateway.request("r1")).steps_done == 1
    assert len([line for line in await audited.post.store.journal() if line.what == "step"]) == 1
    assert audited.found() == {"misfiled": 1, "overdue": 1}


async def test_what_slack_refused_is_told_and_not_repeated(audited: Audited) -> None:
    await audited.post.sandbox.control.channel("C0GONE", name="gone", members=[], is_archived=True)
    await audited.post.ask("r1", checkpoint(channel="C0GONE", users=()))
    await audited.post.drained_in_time()
    for _ in range(3):
        await audited.look()
    assert audited.found() == {"given_up": 1, "untold": 1}
    assert len(await audited.post.posts()) == 1
    assert await audited.repairs() == []


async def test_a_request_that_nobody_can_be_told_of_is_announced_once_more_and_then_told(audited: Audited) -> None:
    await audited.post.ask("r1", checkpoint(channel=None, users=("nobody@example.com",)))
    await audited.post.drained_in_time()
    for _ in range(3):
        await audited.look()
    assert audited.found() == {"unannounced": 1, "untold": 1}
    await audited.post.change("r1", Withdrawn())
    await audited.look()
    assert audited.found() == {"unannounced": 1}


async def test_an_effect_that_waits_for_minutes_is_told(audited: Audited) -> None:
    await audited.post.kill()
    await audited.post.ask("r1")
    await audited.auditor.look(audited.post.time())
    assert audited.found() == {}
    await audited.post.time.sleep(601)
    await audited.auditor.look(audited.post.time())
    assert audited.found() == {"stuck": 1}
    audited.post.serve()
    await audited.look()
    await audited.look()
    assert audited.found() == {}


async def test_a_request_that_cannot_be_read_is_told_and_holds_up_nothing(audited: Audited) -> None:
    for name in ("r1", "r2"):
        await audited.post.ask(name)
    await audited.post.drained_in_time()
    audited.damage("UPDATE requests SET document = '{' WHERE id = 'r1'")
    audited.damage("UPDATE requests SET next_action_at = NULL WHERE id = 'r2'")
    await audited.look()
    await audited.look()
    assert audited.found() == {"unreadable": 1, "misfiled": 1}


async def test_active_runs_without_a_runner_are_told(audited: Audited) -> None:
    await audited.post.store.add_run(run())
    alone = Auditor(audited.gateway, audited.post.time, audited.metrics, runs_driven=False)
    await audited.look()
    assert audited.found() == {}
    await alone.look(audited.post.time())
    assert audited.found() == {"idle_run": 1}


async def test_a_busy_sound_gateway_gives_nothing_to_find(audited: Audited) -> None:
    """Looks between and beside everything that happens: posts, reminders, seniors, decisions, claims, reports."""
    post, steps = audited.post, (Step(after=timedelta(minutes=5), act=Act.PROCEED),)
    looking = asyncio.create_task(_keep_looking(audited))
    for n in range(12):
        gate = checkpoint(channel=("#approvals", "#finance-approvals")[n % 2])
        await post.ask(f"r{n}", gate if n % 3 else replace(gate, ladder=Ladder(name="pause", steps=steps)))
    for n in range(12):
        await post.pass_time(160)
        await post.drained_in_time()
        if (await audited.gateway.request(f"r{n}")).settled:
            continue
        approved = await post.approve(f"r{n}")
        await post.change(approved.id, Claimed(digest=approved.digest))
        await post.change(approved.id, Reported(state=ExecutionState.SUCCEEDED))
    await post.drained_in_time()
    await audited.look()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert audited.looks > 20
    assert audited.found() == {}


async def test_a_reminder_and_a_first_delivery_leave_the_card_as_it_should_be(audited: Audited) -> None:
    await audited.post.ask("r1")
    await audited.post.drained_in_time()
    await audited.post.pass_time(601)
    await audited.gateway.advance(audited.post.time())
    await audited.post.drained_in_time()
    shown, version = audited.row("SELECT shown_version, version FROM copies JOIN requests ON id = request_id")
    assert shown < version
    await audited.look()
    assert audited.found() == {}
    owed = (Refresh(request_id="r1"),)
    await audited.post.store.done((), then=owed)
    await audited.look()
    assert audited.found() == {}
