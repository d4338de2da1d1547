"""What the courier promises of cards, over the sandbox's Slack with its pace, faults and silence."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.carrier import Uncertain
from policies.checkpoint import Kind
from policies.effects import Post as RunPost
from policies.effects import PostCard
from policies.events import Elapsed, Withdrawn
from policies.request import Request, Requester
from storage.store import Copy
from tests.bot.courier_house import Post, checkpoint
from tests.storage.samples import opened, run

FAR = datetime.max.replace(tzinfo=UTC)


def asked_in(message: Mapping[str, Any]) -> set[str]:
    """The requests that a message shows."""
    return set(re.findall(r"\breq_\w+(?=:\d)", str(message["blocks"])))


async def test_five_hundred_cards_into_one_channel_all_arrive_in_a_minute_and_slack_never_has_to_slow_us(
    post: Post,
) -> None:
    await asyncio.gather(*(post.ask(f"req_{n}") for n in range(500)))
    post.serve()
    await post.drained(60)
    calls = await post.posts()
    assert [call["status"] for call in calls if call["status"] != 200] == []
    assert 40 < post.time.seconds < 60, "a message a second, of ten requests each, in the workspace's own time"
    assert 50 <= len(calls) <= 52, "the first may be alone"
    copies = [await post.store.copies(f"req_{n}") for n in range(500)]
    assert {len(of_one) for of_one in copies} == {1}, "each request stands in one message"
    shown = Counter(of_one[0].ts for of_one in copies)
    assert len(shown) == len(calls)
    assert max(shown.values()) == 10
    times = sorted(map(float, shown))
    assert times[1] - times[0] < 1, "a burst of two goes out at once"
    assert min(late - early for early, late in zip(times, times[10:], strict=False)) > 7


async def test_two_minutes_without_slack_in_the_middle_of_a_flood_lose_and_repeat_nothing(post: Post) -> None:
    faults = [{"status": 503, "effect": "before"}, {"reset": True, "effect": "after"}]
    names = [f"req_{n}" for n in range(60)]
    await asyncio.gather(*map(post.ask, names))
    post.serve()
    await post.once(lambda: post.store.copies(names[15]))
    for fault in faults:  # before Slack did anything, and after it did all but answer
        await post.sandbox.control.faults({"method": "chat.postMessage", "times": 10_000, **fault})
        for _ in range(12):
            await post.pass_time(5)
            await asyncio.sleep(0.02)
    await post.sandbox.control.faults()
    before = len(await post.posts()), len(await post.sandbox.control.calls("conversations.history"))
    await post.drained_in_time()
    messages = {message["ts"]: asked_in(message) for message in await post.cards()}
    assert Counter(name for shown in messages.values() for name in shown) == dict.fromkeys(names, 1)
    assert len(await post.posts()) - before[0] <= 10, "what is left comes in few messages"
    assert len(await post.sandbox.control.calls("conversations.history")) - before[1] <= 15, "looked for together"
    for name in names:
        (copy,) = await post.store.copies(name)
        assert name in messages[copy.ts]


async def test_a_courier_killed_while_it_posts_a_batch_leaves_each_of_its_requests_in_one_message(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "effect": "after", "delay": 1.0})
    for n in range(12):
        await post.store.add(
            opened(
                f"req_{n:02}", created_at=post.time(), effects=(PostCard(request_id=f"req_{n:02}", to="#approvals"),)
            )
        )
    await post.serve_busy()
    await post.once(post.cards)
    await post.kill()
    assert await post.store.copies("req_05") == ()
    await post.approve("req_05")
    post.serve()
    await post.drained_in_time()
    batch, *rest = await post.cards()
    shown = asked_in(batch)
    assert len(shown) == 10
    assert Counter(name for each in (batch, *rest) for name in asked_in(each)) == {f"req_{n:02}": 1 for n in range(12)}
    assert {copy.request_id for copy in await post.store.shown_in("C0APPROVALS", batch["ts"])} == shown
    assert "approved by Ana Reyes" in str(batch["blocks"]), "the batch that was found is brought up to date"


async def test_what_slack_refuses_together_is_posted_one_by_one(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "error": "msg_too_long"})
    for n in range(8):
        await post.store.add(
            opened(f"req_{n}", created_at=post.time(), effects=(PostCard(request_id=f"req_{n}", to="#approvals"),))
        )
    await post.serve_busy()
    await post.drained_in_time()
    assert sorted(map(sorted, map(asked_in, await post.cards()))) == [[f"req_{n}"] for n in range(8)]


async def test_cards_whose_message_failed_come_back_together(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "status": 503, "effect": "before"})
    for n in range(8):
        await post.store.add(
            opened(f"req_{n}", created_at=post.time(), effects=(PostCard(request_id=f"req_{n}", to="#approvals"),))
        )
    await post.serve_busy()

    async def failed() -> bool:
        return all(owed.attempts and owed.due_at > post.time() for owed in await post.store.owed(FAR))

    await post.once(failed)
    assert len({owed.due_at for owed in await post.store.owed(FAR)}) == 1, "the first would go out before the others"
    await post.drained_in_time()
    assert [len(asked_in(message)) for message in await post.cards()] == [8]


async def test_rows_that_end_at_once_cost_one_update_a_message_also_when_slack_is_away_meanwhile(post: Post) -> None:
    names = [f"req_{n:02}" for n in range(40)]
    for name in names:
        await post.store.add(
            opened(name, created_at=post.time(), effects=(PostCard(request_id=name, to="#approvals"),))
        )
    await post.serve_busy()
    await post.drained_in_time()
    began = post.time.seconds
    await asyncio.gather(*(post.change(name, Withdrawn()) for name in names[:30]))
    await post.drained(20)
    assert len(await post.sandbox.control.calls("chat.update")) <= 6, "once each, and once more where it was too early"
    assert post.time.seconds - began < 5, "no turns are used up for nothing"
    await post.sandbox.control.faults({"method": "chat.update", "times": 5, "status": 503, "effect": "before"})
    await asyncio.gather(*(post.change(name, Withdrawn()) for name in names[30:35]), post.approve(names[35]))
    await post.drained_in_time()
    said = [str(message["blocks"]) for message in await post.cards()]
    assert sum(each.count("was withdrawn by the agent") for each in said) == 35
    assert sum(each.count("was approved by Ana Reyes") for each in said) == 1
    assert not await post.sandbox.control.faults()


async def test_a_message_of_many_calls_is_reminded_of_once_and_calls_for_help_once(post: Post) -> None:
    names = [f"req_{n}" for n in range(8)]
    for name in names:
        card = PostCard(request_id=name, to="#approvals")
        await post.store.add(opened(name, checkpoint=checkpoint(), created_at=post.time(), effects=(card,)))
    await post.serve_busy()
    await post.drained_in_time()
    (message,) = await post.cards()
    await post.approve(names[0])
    told = []
    for minutes in (10, 20):
        await post.time.sleep(60 * minutes)
        await asyncio.gather(*(post.change(name, Elapsed()) for name in names[1:]))
        await post.drained_in_time()
        thread = await post.sandbox.people.history("U0ANA", "C0APPROVALS", message["ts"])
        told.append([one["text"] for one in thread[1:]])
    assert [len(each) for each in told] == [1, 2]
    assert "7 of these calls still wait for a decision" in told[0][0]
    assert "7 of these calls still wait, so seniors may decide too" in told[1][1]
    shown = [len(asked_in(each)) for each in await post.dm("U0SAM")]
    assert sum(shown) == 7
    assert len(shown) <= 3, "seniors have them in few messages too"


async def test_whom_many_calls_served_that_expired_at_once_is_told_in_few_messages_of_all(post: Post) -> None:
    shop = Requester(id="key:shop", name="Shop agent", owner="U0NEWT")
    for n in range(40):
        made = opened(f"req_{n}", checkpoint=checkpoint(), requester=shop, created_at=post.time(), effects=())
        await post.store.add(made)
    await post.time.sleep(49 * 3600)
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "status": 503, "effect": "before"})
    await asyncio.gather(*(post.change(f"req_{n}", Elapsed()) for n in range(40)))
    post.serve()
    await post.drained_in_time()
    told = [message["text"] for message in await post.dm("U0NEWT")]
    assert len(told) <= 6
    numbers = [int(words.split()[1]) if "calls that were" in words else 1 for words in told]
    assert sum(numbers) == 40, "each is told of, and once"


@pytest.mark.parametrize("at_stake", [{"impact": "high"}, {"quorum": 2}, {"required_by": "law"}, {"kind": Kind.MANUAL}])
async def test_what_is_at_stake_keeps_its_card_to_itself_in_a_flood(post: Post, at_stake: dict[str, Any]) -> None:
    gate = replace(checkpoint(), **at_stake)
    for n in range(8):
        card = PostCard(request_id=f"req_{n}", to="#approvals")
        await post.store.add(opened(card.request_id, checkpoint=gate, created_at=post.time(), effects=(card,)))
    await post.serve_busy()
    await post.drained_in_time()
    assert [len(asked_in(message)) for message in await post.cards()] == [1] * 8


async def test_looking_at_the_outbox_while_it_is_carried_repeats_nothing(post: Post) -> None:
    people = ("U0ANA", "U0BEN", "U0FAY", "U0FRED", "U0SAM")
    for n in range(105):
        await post.ask(f"req_{n}", checkpoint(channel=None, users=people))
    await post.sandbox.control.pace(enabled=False)
    post.serve()

    async def ring() -> None:
        while True:
            post.waiting.wake(("outbox",))
            await asyncio.sleep(0)

    ringing = asyncio.create_task(ring())
    await post.drained()
    ringing.cancel()
    for person in people:
        seen = Counter(name for message in await post.dm(person) for name in asked_in(message))
        assert seen == {f"req_{n}": 1 for n in range(105)}


async def test_nothing_is_sent_inside_the_time_that_slack_asks_to_wait(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "status": 429, "retry_after": 30, "times": 1})
    for n in range(3):
        await post.ask(f"req_{n}")
    post.serve()
    while not [call for call in await post.posts() if call["status"] == 429]:
        await asyncio.sleep(0.01)
    await post.ask("req_other", checkpoint("#finance-approvals"))
    await post.drained_in_time()
    (refused,) = [call["at"] for call in await post.posts() if call["status"] == 429]
    after = [float(copy.ts) for n in ("0", "1", "2", "other") for copy in await post.store.copies(f"req_{n}")]
    assert len(after) == 4
    assert all(ts - refused >= 29.9 for ts in after), "not in this channel and in no other"


async def test_a_slow_channel_holds_up_no_other(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "delay": 1.5, "times": 1})
    await post.ask("req_slow")
    post.serve()
    await asyncio.sleep(0.2)
    await post.ask("req_quick", checkpoint("#finance-approvals"))
    await post.once(lambda: post.store.copies("req_quick"), 1.0)
    assert await post.store.copies("req_slow") == ()
    await post.drained()
    assert len(await post.store.copies("req_slow")) == 1


async def test_a_post_whose_end_nobody_knows_is_looked_for_before_it_is_repeated(post: Post) -> None:
    faults: list[dict[str, Any]] = [{"status": 500}, {"reset": True}, {"error": "internal_error"}]
    for fault in faults:
        await post.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "effect": "after", **fault})
        name = f"req_{fault}"
        await post.ask(name)
        post.serve()
        await post.drained_in_time()
        await post.kill()
        assert len(await post.store.copies(name)) == 1
    assert len(await post.cards()) == len(faults), "no card stands there twice"


async def test_a_post_that_certainly_failed_is_repeated(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 3, "effect": "before", "status": 503})
    await post.ask("req_1")
    post.serve()
    await post.drained_in_time()
    assert len(await post.cards()) == 1


async def test_what_is_tried_again_is_found_however_much_comes_meanwhile(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "status": 503, "effect": "before"})
    post.serve()
    await post.ask("req_first")
    await post.once(post.posts)
    for n in range(30):
        await post.ask(f"req_{n}", checkpoint(channel=None, users=("U0BEN",)))
        await post.pass_time(0.2)
        await asyncio.sleep(0.01)
    assert len(await post.store.copies("req_first")) == 1


async def test_a_courier_killed_while_it_posts_leaves_one_card_to_its_successor(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "effect": "after", "delay": 1.0})
    await post.ask("req_1")
    post.serve()

    async def there() -> bool:
        return any(owed.started_at for owed in await post.store.owed(post.time(), limit=10))

    await post.once(there)
    await post.once(post.cards)
    await post.kill()
    assert await post.store.copies("req_1") == ()
    await post.approve("req_1")
    post.serve()
    await post.drained()
    (card,) = await post.cards()
    assert [copy.ts for copy in await post.store.copies("req_1")] == [card["ts"]]
    assert "Approved" in str(card["blocks"]), "the card that was found is brought up to date"


async def test_people_are_told_directly_where_their_channel_can_not_be_reached(post: Post) -> None:
    await post.ask("req_1", checkpoint("#no-such-channel"))
    post.serve()
    await post.drained()
    assert {copy.to for copy in await post.store.copies("req_1")} == {"U0ANA", "U0BEN"}
    assert len(await post.dm("U0ANA")) == len(await post.dm("U0BEN")) == 1


async def test_a_token_that_slack_refuses_for_a_while_loses_no_card(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 2, "error": "token_revoked"})
    await post.ask("req_1")
    post.serve()
    await post.drained_in_time()
    assert [copy.to for copy in await post.store.copies("req_1")] == ["#approvals"]


async def test_seniors_are_told_even_where_the_cards_thread_is_gone(post: Post) -> None:
    await post.ask("req_1")
    post.serve()
    await post.drained()
    (copy,) = await post.store.copies("req_1")
    assert (await post.sandbox.api("chat.delete", {"channel": copy.channel, "ts": copy.ts}))["ok"]
    await post.time.sleep(31 * 60)
    await post.change("req_1", Elapsed())
    await post.drained()
    assert len(await post.dm("U0SAM")) == 1


async def test_the_thread_is_told_of_reminder_and_seniors_each_once(post: Post) -> None:
    await post.ask("req_1")
    post.serve()
    await post.drained()
    (card,) = await post.cards()
    for minutes in (11, 20):
        await post.time.sleep(minutes * 60)
        await post.change("req_1", Elapsed())
        await post.drained()
    thread = await post.sandbox.people.history("U0ANA", "C0APPROVALS", card["ts"])
    assert len(thread) == 3
    assert "still waits" in thread[1]["text"]
    assert "seniors may decide too" in thread[2]["text"]
    assert len(await post.dm("U0SAM")) == 1


async def test_a_card_ends_with_the_newest_state_however_changes_overtake_each_other(post: Post) -> None:
    await post.ask("req_1")
    post.serve()
    await post.drained()
    await post.sandbox.control.faults({"method": "chat.update", "delay": 0.3, "times": 1})
    await post.time.sleep(31 * 60)
    await post.change("req_1", Elapsed())
    await asyncio.sleep(0.1)
    await post.approve("req_1")
    await post.change("req_1", Withdrawn())
    await post.drained()
    (card,) = await post.cards()
    standing = await post.store.request("req_1")
    assert standing is not None
    assert all(copy.shown_version == standing.version for copy in await post.store.copies("req_1"))
    assert "by the requester" in str(card["blocks"]) or "withdrawn" in str(card["blocks"]).lower()
    updates = [call for call in await post.sandbox.control.calls("chat.update") if call["body"]["ts"] == card["ts"]]
    assert len(updates) <= 3, "changes that came together are shown together"


async def test_a_copy_at_which_slack_fails_again_and_again_does_not_hold_up_those_behind_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post.ask("req_1", checkpoint(channel=None))
    post.serve()
    await post.drained()
    first, second = await post.store.copies("req_1")
    refresh = post.carrier.refresh

    async def failing(requests: Sequence[Request], copy: Copy) -> None:
        """The sandbox plans its faults by method; here it is one message that Slack fails at."""
        if copy.ts == first.ts:
            raise Uncertain("Slack answered 500 internal_error")
        await refresh(requests, copy)

    monkeypatch.setattr(post.carrier, "refresh", failing)
    await post.approve("req_1")

    async def the_second_tells() -> bool:
        standing = await post.store.request("req_1")
        shown = {copy.ts: copy.shown_version for copy in await post.store.copies("req_1")}
        return standing is not None and shown[second.ts] == standing.version > shown[first.ts]

    await post.once(the_second_tells, 10)
    monkeypatch.undo()
    await post.drained_in_time()
    for person in ("U0ANA", "U0BEN"):
        assert "Approved" in str(await post.dm(person))


async def test_what_was_decided_while_its_card_was_posted_shows_on_the_card(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "delay": 0.3, "times": 1})
    await post.ask("req_1")
    post.serve()
    await asyncio.sleep(0.1)
    await post.approve("req_1")
    await post.drained()
    assert "Approved" in str((await post.cards())[0]["blocks"])


async def test_what_was_over_before_anybody_could_see_it_costs_no_post(post: Post) -> None:
    await post.ask("req_1")
    await post.change("req_1", Withdrawn())
    post.serve()
    await post.drained()
    assert await post.cards() == []


async def test_the_outbox_is_carried_on_once_the_database_answers_again(post: Post, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "signoff.db")) as database:
        database.execute("ALTER TABLE outbox RENAME TO outbox_elsewhere")
        post.serve()
        await asyncio.sleep(0.1)
        database.execute("ALTER TABLE outbox_elsewhere RENAME TO outbox")
    await post.ask("req_1")
    await post.drained()
    assert len(await post.cards()) == 1


# ---- the agent's messages


async def say(post: Post, key: str, text: str, kind: str = "say") -> None:
    effect = RunPost(run_id="run1", key=key, channel="C0AGENTS", thread_ts=None, text=text, kind=kind)
    await post.store.change_run("run1", lambda standing: (standing, (effect,)))


async def began(post: Post, **fields: str) -> None:
    opening = RunPost(run_id="run1", key="opening", channel="C0AGENTS", thread_ts=None, text="go", kind="opening")
    await post.store.add_run(run(**fields), effects=(opening,))


async def thread(post: Post, person: str = "U0ANA") -> list[str]:
    standing = await post.store.run("run1")
    assert standing is not None
    assert standing.thread_ts is not None
    found = await post.sandbox.people.history(person, standing.channel, standing.thread_ts)
    return [message["blocks"][0]["text"]["text"] for message in found]


async def test_a_runs_messages_keep_their_order_when_one_has_to_be_repeated(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 2, "effect": "before", "status": 500})
    await began(post)
    for n in range(4):
        await say(post, f"say-{n}", f"words {n}")
    post.serve()
    await post.drained_in_time()
    assert await thread(post) == ["Working on: go", "words 0", "words 1", "words 2", "words 3"]


async def test_only_the_newest_words_of_one_message_are_sent(post: Post) -> None:
    await began(post)
    for n in range(100):
        await say(post, "progress", f"step {n}", "progress")
    await say(post, "say-1", "Done.")
    post.serve()
    await post.drained()
    assert await thread(post) == ["Working on: go", "step 99", "Done."]
    assert len(await post.posts()) + len(await post.sandbox.control.calls("chat.update")) == 3


async def test_a_progress_message_that_somebody_deleted_is_posted_anew(post: Post) -> None:
    await began(post)
    await say(post, "progress", "one", "progress")
    post.serve()
    await post.drained()
    known = await post.store.run_message("run1", "progress")
    assert known is not None
    await post.sandbox.api("chat.delete", {"channel": known[0], "ts": known[1]})
    await say(post, "progress", "two", "progress")
    await post.drained()
    assert await thread(post) == ["Working on: go", "two"]


async def test_a_run_in_a_place_where_the_app_may_not_speak_goes_on_in_direct_messages(post: Post) -> None:
    await began(post, channel="C0NOWHERE")
    await say(post, "progress", "one", "progress")
    await say(post, "say-1", "Done.")
    post.serve()
    await post.drained()
    assert await thread(post, "U0NEWT") == ["Working on: go", "one", "Done."]
    await say(post, "progress", "two", "ended")
    await post.drained()
    assert await thread(post, "U0NEWT") == ["Working on: go", "two", "Done."]


async def test_a_day_of_absence_is_survived(post: Post) -> None:
    await post.sandbox.control.faults({"method": "chat.postMessage", "times": 30, "effect": "before", "status": 500})
    await post.ask("req_1")
    post.serve()
    await post.drained_in_time()
    assert len(await post.cards()) == 1


async def test_what_cannot_be_read_is_given_up_and_holds_up_nothing(post: Post, tmp_path: Path) -> None:
    await post.ask("req_bad")
    await post.ask("req_good")
    with closing(sqlite3.connect(tmp_path / "signoff.db", isolation_level=None)) as raw:
        raw.execute("UPDATE outbox SET kind = 'FromANewerProgram' WHERE payload LIKE '%req_bad%'")
    post.serve()
    await post.drained()
    assert len(await post.store.copies("req_good")) == 1
    with closing(sqlite3.connect(tmp_path / "signoff.db")) as raw:
        rows = raw.execute("SELECT kind, given_up, error FROM outbox").fetchall()
    assert rows == [("FromANewerProgram", 1, "what stands in the outbox can't be read (FromANewerProgram)")]
