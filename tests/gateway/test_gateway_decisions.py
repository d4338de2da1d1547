"""The three main answers over both of Slack's wires: approve, reject with a reason, modify."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.gateway.stage import REFUND, REFUND_SCHEMA, Stage, staged

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["socket", "http"])
async def wired(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """A gateway that Slack reaches by Socket Mode, then one that it reaches by signed HTTP."""
    async with staged(http=request.param == "http") as found:
        yield found


async def test_an_approved_call_is_claimed_once_and_its_card_tells_how_it_went(wired: Stage) -> None:
    asked = await wired.ask("hard")
    card = await wired.card(asked["id"])
    assert (await wired.press("U0ANA", card, "signoff.approve")) == {"ok": True}
    settled = await wired.settled(asked["id"])
    assert (settled["state"], settled["decision"]["by"]) == ("approved", ["U0ANA"])
    assert settled["digest"] == asked["digest"]
    claimed = await wired.agent.claim(asked["id"], asked["digest"])
    assert (claimed.status, claimed.body["arguments"]) == (200, REFUND)
    again = await wired.agent.claim(asked["id"], asked["digest"])
    assert (again.status, again.body["code"]) == (409, "already_claimed")
    assert (await wired.agent.report(asked["id"], "succeeded")).status == 200
    await wired.card_saying(asked["id"], "is done")
    assert wired.decisions(asked["id"]) == [("approved", ["U0ANA"])]


async def test_a_rejection_carries_its_reason_to_the_agent_and_the_call_can_not_be_claimed(wired: Stage) -> None:
    asked = await wired.ask("hard")
    card = await wired.card(asked["id"])
    assert (await wired.press("U0BEN", card, "signoff.reject"))["ok"]
    assert (await wired.fill("U0BEN", {"Why?": "Ask for a photo <first>"}))["ok"]
    settled = await wired.settled(asked["id"])
    assert (settled["state"], settled["decision"]["note"]) == ("rejected", "Ask for a photo <first>")
    refused = await wired.agent.claim(asked["id"], asked["digest"])
    assert (refused.status, refused.body["code"]) == (409, "not_approved")
    shown = await wired.card_saying(asked["id"], "was rejected by Ben Okafor")
    assert "Ask for a photo" in shown.words
    assert shown.buttons == {}


async def test_a_modified_call_has_a_new_digest_and_gives_the_agent_what_the_reviewer_wrote(wired: Stage) -> None:
    asked = await wired.ask("hard", schema=REFUND_SCHEMA)
    card = await wired.card(asked["id"])
    assert (await wired.press("U0ANA", card, "signoff.modify"))["ok"]
    assert (await wired.fill("U0ANA", {"Amount": "40.5"}))["ok"]
    settled = await wired.settled(asked["id"])
    assert settled["state"] == "approved"
    assert (settled["revision"], settled["modified"]) == (2, True)
    assert settled["changes"] == [{"path": "/amount", "before": 140, "after": 40.5}]
    assert settled["digest"] != asked["digest"]
    old = await wired.agent.claim(asked["id"], asked["digest"])
    assert (old.status, old.body["code"]) == (409, "digest_mismatch")
    claimed = await wired.agent.claim(asked["id"], settled["digest"])
    assert claimed.body["arguments"] == {**REFUND, "amount": 40.5}
    assert claimed.body["proposed_arguments"] == REFUND
    shown = await wired.card_saying(asked["id"], "is approved and running")
    assert "140 → 40.5" in shown.words


async def test_an_edit_that_does_not_fit_the_tools_schema_stays_in_the_form_and_changes_nothing(wired: Stage) -> None:
    asked = await wired.ask("hard", schema=REFUND_SCHEMA)
    before = wired.journal(asked["id"])
    await wired.press("U0ANA", await wired.card(asked["id"]), "signoff.modify")
    answer = await wired.fill("U0ANA", {"Amount": "0"})
    assert not answer["ok"]
    assert len(answer["errors"]) == 1
    assert (await wired.request(asked["id"]))["revision"] == 1
    assert wired.journal(asked["id"]) in (before, before + 1)  # the delivery of the card may come in between
    assert (await wired.fill("U0ANA", {"Amount": "1"}))["ok"]
    assert (await wired.settled(asked["id"]))["arguments"]["amount"] == 1
