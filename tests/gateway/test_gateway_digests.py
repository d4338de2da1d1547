"""Digests over the gateway's real wires, with days that pass as the test says: who gets one, when, and never two."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.slack import ids
from tests.gateway.mornings import (
    NEW_YORK,
    Json,
    cleared,
    clock,
    counts,
    digest,
    digests,
    monday_at_six,
    next_monday,
    press,
    retried,
)
from tests.gateway.theatre import Theatre
from tests.sandbox_process import SandboxProcess, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICY = """
version: 1
digest: {at: "09:00", days: [mon, tue, wed, thu, fri]}
reviewers:
  team: {channel: "#approvals", users: [U0ANA, ben@example.com, U0DEL, U0SIGNOFF], usergroups: [S0FINANCE]}
  seniors: {users: [U0SAM], outsiders: [U0GUS]}
ladders:
  long: [{after: 30h, add: seniors}, {after: 300h, then: expire}]
  queue: [{after: 300h, then: expire}]
  brief: [{after: 2h, then: expire}]
  pause: [{after: 2h, then: proceed}]
rules:
  - {name: inbox, match: tidy, checkpoint: inbox, reviewers: team, ladder: queue}
  - {name: brief, match: brief, checkpoint: hard, reviewers: team, ladder: brief}
  - {name: soft, match: soft, checkpoint: soft, reviewers: team, ladder: pause}
default: {checkpoint: hard, reviewers: team, ladder: long}
"""
SCOPES = ("chat:write", "commands", "im:write", "users:read", "users:read.email", "usergroups:read", "channels:read")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    with SandboxProcess() as sandbox:
        async with monday_at_six(sandbox, tmp_path_factory.mktemp("gateway"), POLICY) as found:
            yield found


@pytest_asyncio.fixture(loop_scope="module")
async def stage(gateway: Theatre) -> AsyncIterator[Theatre]:
    """The one gateway of this module, at six on a Monday morning in London, with nothing to do."""
    yield gateway
    await cleared(gateway)
    await next_monday(gateway)


async def test_each_reviewer_gets_one_on_working_days_at_nine_where_they_live_if_there_is_anything(
    stage: Theatre,
) -> None:
    everybody = ("U0ANA", "U0BEN", "U0FAY", "U0FRED", "U0SAM", "U0GUS", "U0NEWT")
    await clock(stage, 8)
    await clock(stage, 9)
    assert await counts(stage, *everybody) == [0] * 7  # nothing waits
    asked, tidy = await stage.ask("pay"), await stage.ask("tidy")
    await clock(stage, 9, days=1)
    assert await counts(stage, *everybody) == [1, 1, 1, 0, 0, 0, 0]
    await digest(stage, "U0BEN", "Today: 2 waiting for you", "When you have time", asked["id"][:12], tidy["id"][:12])
    await clock(stage, 9, zone=NEW_YORK)
    assert await counts(stage, *everybody) == [1, 1, 1, 1, 0, 0, 0]
    await clock(stage, 9, days=1)
    assert await counts(stage, *everybody) == [2, 2, 2, 1, 1, 1, 0]  # by now the seniors have joined
    await digest(stage, "U0GUS", "Today: 1 waiting for you", "Escalated to you", asked["id"][:12])
    told = {reader for (reader,) in stage.raw("SELECT reader FROM digests WHERE channel IS NOT NULL")}
    assert told == set(everybody) - {"U0NEWT"}  # nobody who left, and no bot
    await clock(stage, 9, days=2)
    assert (await counts(stage, "U0ANA"))[0] == 3  # on Friday; Thursday's was nobody there for
    await clock(stage, 10, days=1)
    await clock(stage, 10, days=1)
    assert (await counts(stage, "U0ANA"))[0] == 3


async def test_what_ended_or_went_ahead_without_anybody_is_told_the_next_morning_and_who_is_away_is_left_alone(
    stage: Theatre,
) -> None:
    await clock(stage, 9)
    await stage.ask("brief")
    await stage.ask("soft")
    await stage.drained()
    await clock(stage, 15)
    await stage.sandbox.control.person("U0BEN", status_text="Out of office", status_emoji=":palm_tree:")
    await clock(stage, 9, days=1)
    said = await digest(
        stage, "U0ANA", "Today: nothing waits for you", "Went ahead on silence", "Ended without anybody"
    )
    assert said["text"].startswith("1 went ahead on silence and nobody has looked. 1 ended without anybody deciding")
    assert await counts(stage, "U0BEN") == [0]
    await clock(stage, 9, days=1)
    await digest(stage, "U0ANA", "Went ahead on silence")
    assert "Ended without" not in json.dumps((await digests(stage, "U0ANA"))[-1])  # that was told
    await stage.sandbox.control.person("U0BEN", status_text="", status_emoji="")


async def test_a_stop_is_made_up_for_until_noon_and_no_restart_and_no_clock_makes_it_two(stage: Theatre) -> None:
    await stage.ask("pay")
    await stage.stop()
    await clock(stage, 11)
    await stage.start()
    await clock(stage, 11)
    assert await counts(stage, "U0ANA") == [1]
    await stage.stop()
    await stage.start()
    await clock(stage, 11, 30)
    await clock(stage, 8)  # the machine's clock is set back
    await clock(stage, 9)
    await clock(stage, 9, 30)
    assert await counts(stage, "U0ANA") == [1]
    await stage.stop()
    await clock(stage, 12, 1, days=1)
    await stage.start()
    await clock(stage, 12, 2)
    assert await counts(stage, "U0ANA") == [1]
    await clock(stage, 9, days=1)
    assert await counts(stage, "U0ANA") == [2]


async def test_from_a_digest_one_opens_decides_and_finds_the_rest_and_it_says_what_became_of_all(
    stage: Theatre,
) -> None:
    first, second = await stage.ask("pay"), await stage.ask("tidy")
    await clock(stage, 9)
    message = await digest(stage, "U0ANA")
    await press(stage, "U0ANA", message, ids.LISTED, first["id"])
    assert (await stage.submit("U0ANA", ids.VIEW_FORM))["ok"]
    assert (await stage.request(first["id"]))["state"] == "approved"
    await press(stage, "U0ANA", message, ids.INBOX)
    shown = await stage.form("U0ANA")
    assert second["id"][:12] in json.dumps(shown)
    for action_id, form in ((ids.VIEW, ids.VIEW_FORM), (ids.MODIFY, ids.MODIFY_FORM), (ids.AS_JSON, ids.JSON_FORM)):
        await stage.press_in_form("U0ANA", action_id)
        await stage.form("U0ANA", form)
    assert len(await stage.sandbox.people.views("U0ANA")) == 3  # the fourth form took the third's place
    await stage.close_forms("U0ANA")
    await stage.drained()
    assert len(stage.places(first["id"])) == 1  # the digest has not become a card
    assert stage.serving is not None
    await stage.serving.digests.refresh()
    for person in ("U0ANA", "U0BEN"):
        await digest(
            stage, person, "pay was approved by Ana Reyes", "Waiting for you* (all decided)", "tidy needs your"
        )
    updates = len(await stage.sandbox.control.calls("chat.update"))
    await stage.serving.digests.refresh()
    assert len(await stage.sandbox.control.calls("chat.update")) == updates
    await clock(stage, 0, 1, days=1)
    await stage.press("U0BEN", second["id"], ids.REJECT)
    assert (await stage.submit("U0BEN", ids.REJECT_FORM))["ok"]
    await stage.serving.digests.refresh()
    await digest(stage, "U0ANA", "tidy needs your")  # yesterday's rests


async def test_whoever_wants_none_gets_none_over_restarts_until_they_want_them_again(stage: Theatre) -> None:
    async def say(words: str) -> str:
        assert (await stage.sandbox.people.command("U0ANA", "C0APPROVALS", f"/approvals digest {words}"))["ok"]
        said = await stage.sandbox.people.history("U0ANA", "C0APPROVALS")
        return str([one["text"] for one in said if one.get("ephemeral")][-1])

    await stage.ask("pay")
    assert "You get no digest any more" in await say("off")
    await stage.stop()
    await stage.start()
    await clock(stage, 9)
    assert await counts(stage, "U0ANA", "U0BEN") == [0, 1]
    assert "At 09:00 by your clock" in await say("on")
    await clock(stage, 9, days=1)
    assert await counts(stage, "U0ANA", "U0BEN") == [1, 2]
    assert "/approvals digest off" in await say("maybe")


async def test_what_slack_fails_at_arrives_once_each_or_in_the_afternoon_not_at_all(stage: Theatre) -> None:
    team = ("U0ANA", "U0BEN", "U0FAY")
    await stage.sandbox.control.app(scopes=[*SCOPES, "im:history"])
    await stage.ask("tidy")
    await stage.drained()
    troubles: tuple[Json, ...] = ({"status": 500, "effect": "after"}, {"reset": True}, {"status": 429})
    await stage.sandbox.control.faults(*({"method": "chat.postMessage", **trouble} for trouble in troubles))
    await clock(stage, 9, settle=False)
    await retried(stage)
    assert await counts(stage, *team, "U0FRED") == [1, 1, 1, 0]

    # Whoever takes no messages holds up nobody and leaves nothing behind.
    await stage.sandbox.control.faults({"method": "chat.postMessage", "error": "messages_tab_disabled"})
    await clock(stage, 9, days=1)
    assert sum(await counts(stage, *team)) == 5

    # What Slack was gone for until noon is not said in the afternoon.
    await stage.sandbox.control.faults({"method": "chat.postMessage", "times": 100, "status": 503})
    await clock(stage, 9, days=1, settle=False)

    async def all_failed() -> bool:
        return stage.raw("SELECT kind FROM outbox WHERE error IS NOT NULL") == [("PostDigest",)] * 3

    await until(all_failed)
    await clock(stage, 12)
    await stage.sandbox.control.faults()
    assert sum(await counts(stage, *team)) == 5
