"""What the store promises about the outbox and the copies of cards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.effects import Announce, Post, PostCard, Refresh, Remind, Summon, TellServed
from policies.errors import NotFound
from policies.events import Outcome
from policies.request import Request
from policies.settling import entry
from storage.columns import EPOCH
from storage.store import Copy, Store
from tests.storage.samples import NOW, noted, opened, run

CARDS = (PostCard(request_id="r1", to="C0APPROVALS"), PostCard(request_id="r1", to="U0SAM"))
COPY = Copy(request_id="r1", channel="C0APPROVALS", ts="1.000001", to="#approvals", shown_version=0, private=False)


def delivered(before: Request) -> Outcome:
    return Outcome(
        request=replace(before, delivered_at=before.delivered_at or NOW),
        effects=(Refresh(request_id=before.id),),
        entries=(entry(before, "delivered", "courier", NOW),),
    )


async def test_every_kind_of_effect_comes_back_as_it_was_oldest_first(store: Store) -> None:
    effects = (
        Announce(request_id="r1"),
        *CARDS,
        Refresh(request_id="r1"),
        Remind(request_id="r1"),
        Summon(request_id="r1", group="seniors"),
        TellServed(request_id="r1"),
        Post(run_id="run1", key="answer", channel="C0AGENTS", thread_ts=None, text="héllo\n“you”"),
    )
    await store.add(opened(effects=effects))
    owed = await store.owed(NOW)
    assert tuple(one.effect for one in owed) == effects
    assert [one.id for one in owed] == sorted(one.id for one in owed)
    assert {(one.attempts, one.started_at, one.due_at) for one in owed} == {(0, None, EPOCH)}
    assert tuple(one.id for one in await store.owed(NOW, limit=2, after=owed[1].id)) == (owed[2].id, owed[3].id)


async def test_an_effect_is_fanned_out_once_however_often_it_is_done(
    store: Store, topics: list[frozenset[str]]
) -> None:
    await store.add(opened())
    (announce,) = await store.owed(NOW)
    for _ in range(2):
        await store.done([announce.id], then=CARDS)
    assert tuple(one.effect for one in await store.owed(NOW)) == CARDS
    assert topics[-1] == frozenset({"outbox"})


async def test_an_id_of_the_outbox_is_never_used_again(store: Store) -> None:
    await store.add(opened())
    (first,) = await store.owed(NOW)
    await store.done([first.id])
    await store.add(opened("r2"))
    await store.done([first.id])
    (second,) = await store.owed(NOW)
    assert second.id > first.id


async def test_a_begun_attempt_is_counted_and_its_first_start_remembered(store: Store) -> None:
    await store.add(opened())
    (owed,) = await store.owed(NOW)
    await store.begin((owed.id,), NOW)
    await store.begin((owed.id,), NOW + timedelta(minutes=1))
    (begun,) = await store.owed(NOW)
    assert (begun.attempts, begun.started_at) == (2, NOW)


async def test_a_retry_waits_for_its_time_and_keeps_what_is_uncertain(store: Store) -> None:
    await store.add(opened())
    (owed,) = await store.owed(NOW)
    later = NOW + timedelta(seconds=30)
    await store.begin((owed.id,), NOW)
    await store.retry((owed.id,), later, "no answer")
    assert await store.owed(later - timedelta(microseconds=1)) == ()
    assert await store.next_owed() == later
    assert (await store.owed(later))[0].started_at == NOW
    await store.retry((owed.id,), later, "ratelimited", certain=True)
    assert (await store.owed(later))[0].started_at is None


async def test_what_was_given_up_is_not_owed_any_more(store: Store) -> None:
    await store.add(opened())
    (owed,) = await store.owed(NOW)
    assert await store.next_owed() == EPOCH
    await store.give_up(owed.id, "channel_not_found")
    assert await store.owed(NOW) == ()
    assert await store.next_owed() is None


async def test_a_posted_card_is_kept_with_the_change_and_struck_off(store: Store) -> None:
    await store.add(opened(effects=CARDS[:1]))
    (owed,) = await store.owed(NOW)
    changed = await store.posted(owed.id, COPY, delivered)
    assert changed.delivered_at == NOW
    assert await store.copies("r1") == (COPY,)
    assert [one.effect for one in await store.owed(NOW)] == [Refresh(request_id="r1")]


async def test_a_posted_card_whose_change_raises_leaves_everything_owed(store: Store) -> None:
    await store.add(opened(effects=CARDS[:1]))
    (owed,) = await store.owed(NOW)

    def fails(before: Request) -> Outcome:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await store.posted(owed.id, COPY, fails)
    with pytest.raises(NotFound):
        await store.posted(owed.id, replace(COPY, request_id="nope"), delivered)
    assert await store.copies("r1") == ()
    assert await store.owed(NOW) == (owed,)


async def test_a_card_found_again_after_a_crash_is_one_copy(store: Store) -> None:
    await store.add(opened(effects=CARDS[:1]))
    (owed,) = await store.owed(NOW)
    await store.posted(owed.id, COPY, noted("once"))
    await store.posted(owed.id, replace(COPY, shown_version=2), noted("twice"))
    assert await store.copies("r1") == (replace(COPY, shown_version=2),)


async def test_a_card_never_counts_as_showing_less_than_it_did(store: Store) -> None:
    await store.add(opened(effects=CARDS[:1]))
    (owed,) = await store.owed(NOW)
    await store.posted(owed.id, COPY, noted("x"))
    for version in (3, 2):
        await store.shown(COPY.channel, COPY.ts, {COPY.request_id: version})
    assert (await store.copies("r1"))[0].shown_version == 3


async def test_copies_come_oldest_first(store: Store) -> None:
    await store.add(opened(effects=CARDS))
    for owed, ts in zip(await store.owed(NOW), ("2.000000", "1.000000"), strict=True):
        await store.posted(owed.id, replace(COPY, ts=ts, private=ts < "2"), noted(ts))
    assert [(copy.ts, copy.private) for copy in await store.copies("r1")] == [("1.000000", True), ("2.000000", False)]


async def test_a_runs_message_opens_its_thread_once(store: Store) -> None:
    await store.add_run(run(), (Post(run_id="run1", key="head", channel="C0AGENTS", thread_ts=None, text="Hello"),))
    (owed,) = await store.owed(NOW)
    await store.run_posted(owed.id, "run1", "head", "C0AGENTS", "1.1", opens_thread=True)
    await store.run_posted(owed.id, "run1", "head", "C0AGENTS", "1.2", opens_thread=True)
    stored = await store.run("run1")
    assert stored is not None
    assert stored.thread_ts == "1.1"
    assert await store.run_message("run1", "head") == ("C0AGENTS", "1.2")
    assert await store.run_message("run1", "other") is None
    assert await store.owed(NOW) == ()
