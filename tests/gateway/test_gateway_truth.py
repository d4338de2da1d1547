"""Many copies, one truth: channels, direct messages, Home, digests and open forms, whatever Slack does meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from bot.carrier import CarryError
from bot.slack import ids
from tests.gateway.mornings import Json, cleared, clock, digest, monday_at_six, next_monday, retried
from tests.gateway.theatre import Theatre
from tests.sandbox_process import SandboxProcess, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICY = """
version: 1
digest: {at: "09:00"}
reviewers:
  team: {channel: "#approvals", users: [U0ANA, U0BEN]}
  seniors: {users: [U0SAM]}
  finance: {channel: "#finance-approvals", users: [U0FAY]}
ladders:
  long: [{after: 1h, add: seniors}, {after: 2h, add: finance}, {after: 60h, then: expire}]
rules:
  - {name: pair, match: pair, checkpoint: hard, reviewers: team, quorum: 2, ladder: long}
default: {checkpoint: hard, reviewers: team, ladder: long}
"""
READERS = ("U0BEN", "U0SAM", "U0FAY")
DECIDED = "pay was approved by Ana Reyes"


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


async def spread(stage: Theatre) -> str:
    """A request with four copies, a Home, digests and two open forms; its id."""
    asked: Json = await stage.ask("pay")
    await stage.drained()
    await clock(stage, 8, 30)
    await clock(stage, 9)
    places = stage.places(asked["id"])
    assert [channel for channel, _ in places] == ["C0APPROVALS", "C0FINANCE", "D0FAY", "D0SAM"]
    for person in READERS:
        await digest(stage, person, "pay needs your approval")
    assert (await stage.sandbox.people.open_home("U0BEN"))["ok"]
    await home_says(stage, "U0BEN", "pay needs your approval")
    await stage.open("U0BEN", asked["id"])
    return str(asked["id"])


async def home_says(stage: Theatre, person: str, words: str) -> None:
    async def says() -> bool:
        return words in json.dumps(await stage.sandbox.people.home(person))

    await until(says)


async def approve(stage: Theatre, request_id: str) -> None:
    """Ana approves on the card in her channel."""
    (channel, ts) = next(place for place in stage.places(request_id) if place[0] == "C0APPROVALS")
    assert (await stage.sandbox.people.press("U0ANA", channel, ts, ids.APPROVE))["ok"]


async def shown(stage: Theatre, channel: str, ts: str) -> Json:
    """A message as somebody sees it who is there."""
    person = {"C0APPROVALS": "U0BEN", "C0FINANCE": "U0FAY"}.get(channel) or f"U{channel[1:]}"
    (message,) = [one for one in await stage.sandbox.people.history(person, channel) if one["ts"] == ts]
    return dict(message)


async def all_tell(stage: Theatre, request_id: str, places: list[tuple[str, str]]) -> None:
    """Every place says who decided, and none has a button to decide with."""
    assert stage.serving is not None
    await retried(stage)
    for channel, ts in places:
        said = json.dumps(await shown(stage, channel, ts))
        assert DECIDED in said, (channel, said)
        assert ids.APPROVE not in said
        assert ids.REJECT not in said
    await stage.serving.digests.refresh()
    for person in READERS:
        await digest(stage, person, DECIDED, "(all decided)")
    await home_says(stage, "U0BEN", DECIDED)


async def late_submission_is_told(stage: Theatre, request_id: str) -> None:
    """The form that was open all the while decides nothing any more, and says why."""
    answer = await stage.submit("U0BEN", ids.VIEW_FORM)
    said = json.dumps([answer, await stage.sandbox.people.views("U0BEN")])
    assert "Ana Reyes" in said, said
    assert stage.raw('SELECT "by" FROM decisions WHERE request_id = ?', request_id) == [('["U0ANA"]',)]


async def test_what_somebody_is_about_to_approve_stays_and_once_it_is_decided_every_place_says_so(
    stage: Theatre,
) -> None:
    asked: Json = await stage.ask("pair")
    await stage.open("U0BEN", asked["id"])
    await stage.press("U0ANA", asked["id"], ids.MODIFY)
    assert (await stage.submit("U0ANA", ids.MODIFY_FORM, field_0="90"))["ok"]
    changed = await stage.request(asked["id"])
    assert (changed["state"], changed["revision"]) == ("pending", 2)
    await asyncio.sleep(1.2)  # longer than a form waits before it is drawn anew
    assert "amount: 100" in json.dumps(await stage.form("U0BEN"))
    await stage.submit("U0BEN", ids.VIEW_FORM)
    assert (await stage.request(asked["id"]))["state"] == "pending"
    assert (await stage.call("DELETE", f"/v1/requests/{asked['id']}"))[0] == 200
    await stage.close_forms("U0BEN")

    request_id = await spread(stage)
    await approve(stage, request_id)
    await all_tell(stage, request_id, stage.places(request_id))

    async def form_tells() -> bool:
        (form,) = await stage.sandbox.people.views("U0BEN")
        return DECIDED in json.dumps(form) and not form["view"].get("submit")

    await until(form_tells)


OUTAGE = [
    {"method": method, "times": 400, **trouble}
    for method, trouble in {
        "response_url": {"status": 500},
        "chat.update": {"status": 503},
        "views.publish": {"reset": True},
        "views.update": {"status": 500},
    }.items()
]


@pytest.mark.parametrize("killed", [False, True], ids=["an outage", "an outage and a stop in it"])
async def test_after_an_outage_everything_says_the_same_again(stage: Theatre, killed: bool) -> None:
    request_id = await spread(stage)
    await stage.sandbox.control.faults(*OUTAGE)
    await approve(stage, request_id)
    assert stage.serving is not None
    with suppress(CarryError):
        await stage.serving.digests.refresh()
    if killed:
        await stage.stop()
    await stage.sandbox.control.faults({"method": "chat.update", "times": 2, "status": 429, "retry_after": 1})
    if killed:
        await stage.start(settle=False)
    await all_tell(stage, request_id, stage.places(request_id))
    await late_submission_is_told(stage, request_id)  # Slack took no new view for the form either


async def test_a_copy_that_is_gone_does_not_hold_up_the_others(stage: Theatre) -> None:
    request_id = await spread(stage)
    places = stage.places(request_id)
    gone = next(place for place in places if place[0] == "D0SAM")
    lost = await digest(stage, "U0SAM")
    for channel, ts in (gone, (lost["channel"], lost["ts"])):
        deleted = await stage.sandbox.api("chat.delete", {"channel": channel, "ts": ts})
        assert deleted["ok"], deleted
    await stage.sandbox.control.channel("C0FINANCE", members=["U0FAY"], kind="private")  # the bot is thrown out
    await approve(stage, request_id)
    await retried(stage)
    assert stage.serving is not None
    await stage.serving.digests.refresh()
    await stage.serving.digests.refresh()
    assert stage.raw("SELECT count(*) FROM outbox") == [(0,)]
    assert stage.raw("SELECT reader FROM digests WHERE ts IS NULL AND reader = 'U0SAM'") == [("U0SAM",)]
    await digest(stage, "U0BEN", DECIDED)
    await digest(stage, "U0FAY", DECIDED)
    await home_says(stage, "U0BEN", DECIDED)
