"""Agents' accounts in the store: counted by the transaction that stores a request, each apart, over restarts."""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.budget import Asks, Budget, CoolOff, Spent, over, wanted
from policies.cooling import begins
from policies.errors import OverBudget
from policies.request import Requester, State
from storage import budgets
from storage.store import Guard, Idempotency, Store, Watch
from tests.storage.samples import NOW, WORKSPACE, decided, opened

BUDGET = Budget(
    agents=("*",),
    waiting=3,
    asks=Asks(most=5, per=timedelta(hours=1)),
    cool_off=CoolOff(rejections=2, within=timedelta(minutes=10), length=timedelta(minutes=20)),
)
AGENTS = {name: Requester(id=f"key:{name}", name=name, owner="U0NEWT") for name in ("till", "mail")}
WATCH = Watch(wanted=lambda request: wanted([BUDGET]), follows=lambda request, spent: begins([BUDGET], spent, request))


def guard(now: datetime = NOW, budget: Budget = BUDGET) -> Guard:
    """Admits what the budget has room for."""

    def admit(spent: Spent) -> None:
        if (found := over([budget], spent, now)) is not None:
            raise OverBudget(found.words, budget=found.budget, code="x", retry_after=1)

    return Guard(wanted=wanted([budget]), admit=admit)


async def ask(store: Store, request_id: str, agent: str = "till", now: datetime = NOW, **fields: Any) -> str | None:
    """Ask once; the budget that refused, None where the request is stored."""
    outcome = opened(request_id, created_at=now, requester=AGENTS[agent], **fields)
    try:
        await store.add(outcome, guard=guard(now))
    except OverBudget as refused:
        return refused.budget
    return None


async def reject(store: Store, request_id: str, now: datetime = NOW) -> None:
    await store.change(request_id, decided("U0ANA", State.REJECTED, now), watch=WATCH)


async def test_of_many_that_ask_at_once_no_more_get_through_than_there_is_room_for(store: Store) -> None:
    told = await asyncio.gather(*(ask(store, f"r{number}") for number in range(40)))
    assert (told.count(None), told.count("waiting")) == (3, 37)


def test_that_law_goes_red_where_the_count_is_taken_before_the_transaction(url: str) -> None:
    async def late() -> list[str | None]:
        store = await Store.open(url, workspace_id=WORKSPACE)

        async def early(request_id: str) -> str | None:
            outcome = opened(request_id, requester=AGENTS["till"])
            spent = await store.spent(outcome.request, wanted([BUDGET]), NOW)
            if (found := over([BUDGET], spent, NOW)) is not None:
                return found.budget
            await store.add(outcome)
            return None

        told = await asyncio.gather(*(early(f"r{number}") for number in range(20)))
        await store.close()
        return told

    assert asyncio.run(late()).count(None) > 3


Act = tuple[str, str, int]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "reject", "approve"]),
        st.sampled_from(list(AGENTS)),
        st.sampled_from([0, 0, 1, 4, 15, 40]),
    ),
    max_size=25,
)


class Played:
    """What was done so far, kept apart from the store: for each agent when it asked, and how that ended."""

    def __init__(self, store: Store) -> None:
        self.store, self.now, self.made = store, NOW, 0
        self.asked: dict[str, list[datetime]] = {name: [] for name in AGENTS}
        self.rejected: dict[str, list[datetime]] = {name: [] for name in AGENTS}
        self.waiting: dict[str, list[str]] = {name: [] for name in AGENTS}

    def expected(self, agent: str) -> bool:
        """Is there room? In words of its own: none of the code under test is asked."""
        late = [at for at in self.asked[agent] if self.now - at < timedelta(hours=1)]
        cools = any(
            second - first <= timedelta(minutes=10) and self.now < second + timedelta(minutes=20)
            for first, second in zip(self.rejected[agent], self.rejected[agent][1:], strict=False)
        )
        return len(self.waiting[agent]) < 3 and len(late) < 5 and not cools

    async def play(self, what: str, agent: str, minutes: int) -> None:
        """One act, and whether it went as it had to."""
        self.now += timedelta(minutes=minutes)
        if what == "ask":
            self.made += 1
            room, told = self.expected(agent), await ask(self.store, f"r{self.made}", agent, self.now)
            assert (told is None) == room, (told, self.asked[agent], self.rejected[agent], self.waiting[agent])
            if told is None:
                self.waiting[agent].append(f"r{self.made}")
                self.asked[agent].append(self.now)
        elif self.waiting[agent]:
            request_id = self.waiting[agent].pop()
            if what == "reject":
                await reject(self.store, request_id, self.now)
                self.rejected[agent].append(self.now)
            else:
                await self.store.change(request_id, decided("U0ANA", State.APPROVED, self.now), watch=WATCH)


def play(acts: list[Act]) -> None:
    async def played() -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = await Store.open(f"sqlite:///{folder}/signoff.db", workspace_id=WORKSPACE)
            try:
                game = Played(store)
                for act in acts:
                    await game.play(*act)
            finally:
                await store.close()

    asyncio.run(played())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS)
def test_an_agent_is_refused_exactly_when_its_own_account_is_used_up(acts: list[Act]) -> None:
    play(acts)


FLOOD: list[Act] = [("ask", "till", 0)] * 4
BETWEEN: list[Act] = [*[("ask", "till", 0)] * 3, ("ask", "mail", 0)]
TIRED: list[Act] = [*[("ask", "till", 0)] * 2, *[("reject", "till", 1)] * 2, ("ask", "till", 1)]
OVER_AGAIN: list[Act] = [*TIRED, ("ask", "till", 40)]


def _forget_rejections(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(budgets, "enter_rejection", lambda transaction, request: None)


def _forget_asks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(budgets, "enter", lambda transaction, request, guard: None)


def _one_account_for_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(budgets, "account_of", lambda requester: "key:all")
    patch.setattr(budgets, "WAITING", _of_everybody())


def _of_everybody() -> Any:
    from sqlalchemy import func, select

    from storage.statement import Statement

    return Statement(select(func.count()).select_from(budgets.ASKED))


def _never_again(patch: pytest.MonkeyPatch) -> None:
    real = budgets.spent

    def spent(*told: Any) -> Spent:
        found = real(*told)
        return Spent(waiting=found.waiting, asked=found.asked, rejected=(told[-1],) * 9 if found.rejected else ())

    patch.setattr(budgets, "spent", spent)


@pytest.mark.parametrize(
    ("acts", "plant"),
    [
        (FLOOD, _forget_asks),
        (TIRED, _forget_rejections),
        (BETWEEN, _one_account_for_all),
        ([*OVER_AGAIN[:4], ("ask", "till", 11)], _forget_rejections),
        ([*TIRED[:3], ("ask", "till", 0)], _never_again),
    ],
)
def test_each_law_of_the_account_goes_red_with_its_bug_planted(
    acts: list[Act], plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    play(acts)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        play(acts)


async def test_the_same_submission_again_gets_its_request_however_much_is_used_up(store: Store) -> None:
    again = Idempotency(requester="key:till", key="k", body="b")
    first = await store.add(opened("r0", requester=AGENTS["till"]), idempotency=again, guard=guard())
    await asyncio.gather(*(ask(store, f"r{number}") for number in range(1, 9)))
    second = await store.add(opened("r9", requester=AGENTS["till"]), idempotency=again, guard=guard())
    assert (second.request.id, second.created) == (first.request.id, False)


async def test_what_the_policy_settles_at_once_takes_nobody_s_attention(store: Store) -> None:
    for number in range(9):
        outcome = opened(f"r{number}", requester=AGENTS["till"], effects=())
        settled = decided("policy", State.REJECTED)(outcome.request)
        assert (await store.add(outcome.then(settled), guard=guard())).created
    assert await ask(store, "asked") is None


async def test_a_cooling_off_is_told_once_and_stands_in_the_journal_once(store: Store) -> None:
    for number in range(3):
        assert await ask(store, f"r{number}") is None
    for number in range(3):
        await reject(store, f"r{number}", NOW + timedelta(minutes=number))
    lines = [line for line in await store.journal() if line.what == "cooling_off"]
    assert [(line.subject, line.detail["request"], line.detail["rejections"]) for line in lines] == [
        ("key:till", "r1", 2)
    ]
    owed = [each.effect for each in await store.owed(NOW)]
    assert [effect.request_id for effect in owed if type(effect).__name__ == "TellOfCoolOff"] == ["r1"]


async def test_rejections_are_remembered_over_a_restart(url: str) -> None:
    store = await Store.open(url, workspace_id=WORKSPACE)
    for request_id in ("r1", "r2"):
        await ask(store, request_id)
        await reject(store, request_id)
    await store.close()
    store = await Store.open(url, workspace_id=WORKSPACE)
    assert await ask(store, "r3", now=NOW + timedelta(minutes=19)) == "cool_off"
    assert await ask(store, "r3", now=NOW + timedelta(minutes=20)) is None
    await store.close()


async def test_the_very_call_that_people_rejected_is_found_again_and_no_other(store: Store) -> None:
    again = guard(budget=Budget(agents=("*",), same_again=timedelta(minutes=30)))
    await store.add(opened("r1", requester=AGENTS["till"], digest="sha256:pay"))
    await reject(store, "r1")
    await store.add(opened("other", requester=AGENTS["till"], digest="sha256:else"), guard=again)
    await store.add(opened("another's", requester=AGENTS["mail"], digest="sha256:pay"), guard=again)
    with pytest.raises(OverBudget):
        await store.add(opened("same", requester=AGENTS["till"], digest="sha256:pay"), guard=again)
    assert await store.request("same") is None


async def test_what_the_policy_rejects_after_an_answer_is_no_rejection_by_people(store: Store) -> None:
    for request_id in ("r1", "r2"):
        assert await ask(store, request_id) is None
        await store.change(request_id, decided("policy", State.REJECTED), watch=WATCH)
    assert await ask(store, "r3") is None
    assert not [line for line in await store.journal() if line.what == "cooling_off"]


async def test_what_waits_when_the_schema_comes_up_to_date_counts_as_well(url: str, database: Path) -> None:
    store = await Store.open(url, workspace_id=WORKSPACE)
    await store.add(opened("r1", requester=AGENTS["till"]))
    await store.add(opened("r2", requester=Requester(id="runner", name="Signoff agent", owner="U0ANA")))
    await store.add(opened("r3", requester=AGENTS["till"]))
    await reject(store, "r3")
    await store.close()
    revision = importlib.import_module("storage.migrations.versions.0006_budgets")
    with closing(sqlite3.connect(database)) as raw:
        waiting = "SELECT request_id, account, call, at FROM asked WHERE rejected_at IS NULL"
        before = raw.execute(waiting).fetchall()
        raw.execute("DELETE FROM asked")
        raw.execute(revision.WAITING)
        assert raw.execute("SELECT request_id, account, call, at FROM asked").fetchall() == before
    assert [row[1] for row in before] == ["key:till", "runner:U0ANA"]
