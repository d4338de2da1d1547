"""People approve a call and, in advance, calls like it; what isn't like it, or no longer granted, is asked about."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.slack import ids
from policies.errors import Conflict, NotAllowed, NotFound
from policies.grant import Grant, Standing, Terms
from policies.loader import load
from policies.people import Person
from policies.people import Standing as Account
from policies.question import Question
from policies.request import Request, Requester, State, Submission, ToolCall
from policies.review import Verdict
from storage.store import Idempotency
from tests import warm
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import POLICY, House, house, said

REFUND = {"order_id": "HG-1042", "amount": 140, "reason": "Arrived cracked"}
HOUR = timedelta(hours=1)
LOOSE = Terms(loose=("/order_id", "/amount"), lasts=HOUR, most=10)


def person(home: House, user_id: str, name: str = "Ana Reyes") -> Person:
    """A member, looked up just now."""
    email = "ben@example.com" if user_id == "U0BEN" else None
    return Person(id=user_id, name=name, standing=Account.MEMBER, looked_up_at=home.clock(), email=email)


async def granted(home: House, terms: Terms = LOOSE, user_id: str = "U0ANA") -> tuple[Request, Grant]:
    """A request that was approved together with calls like it."""
    request = await home.ask(REFUND)
    await home.serving.gateway.grants.make(request.id, person(home, user_id), 1, terms)
    return request, (await home.serving.gateway.grants.shown_to(person(home, user_id)))[0]


async def ask(home: House, arguments: dict[str, Any] = REFUND, *, owner: str = "U0NEWT", **more: Any) -> Request:
    """One more call, as it stands once it is stored."""
    idempotency = more.pop("idempotency", None)
    tool, agent = more.pop("tool", "issue_refund"), more.pop("agent", "shop")
    requester = Requester(id=f"key:{agent}", name="Shop agent", owner=owner)
    call = ToolCall(tool=tool, arguments=dict(arguments))
    submission = Submission(call=call, **more)
    return (await home.serving.gateway.submit(submission, requester, idempotency=idempotency)).request


async def change(home: House, user_id: str, block_id: str, entered: object) -> None:
    """Change a field of the form in front, which sends what it holds."""
    front = (await home.sandbox.people.views(user_id))[-1]
    place = {"view_id": front["id"], "block_id": block_id, "action_id": ids.TERMS, "selected": entered}
    assert (await home.sandbox.people.click(user_id, **place))["ok"]


async def send(home: House, user_id: str, **entered: object) -> dict[str, Any]:
    """Send the form in front; names are block ids (``same_0`` for ``same:0``)."""
    front = (await home.sandbox.people.views(user_id))[-1]
    values = {name.replace("_", ":"): {ids.TERMS: value} for name, value in entered.items()}
    return await home.sandbox.people.submit(user_id, front["id"], values)


async def thread_says(home: House, request: Request, *words: str) -> None:
    """Wait until the thread of the card says all of this."""
    channel, ts = await home.place(request)

    async def found() -> bool:
        thread = "\n".join([said(one) for one in await home.sandbox.people.history("U0BEN", channel, ts)])
        return all(each in thread for each in words)

    await until(found)


async def test_a_reviewer_approves_a_call_and_calls_like_it_and_reads_what_that_allows(home: House) -> None:
    request = await home.ask(REFUND)
    await home.choose("U0ANA", request, "grant")
    assert "order_id is “HG-1042”" in said(await home.front("U0ANA"))
    await change(home, "U0ANA", "same:0", ["2"])
    form = said(await home.front("U0ANA"))
    for words in ("order_id may be any text", "amount may be between 0 and 140", "reason is “Arrived cracked”"):
        assert words in form
    assert "may then call issue_refund again without asking, at most 10 times within 1 hour, where" in form
    assert (await send(home, "U0ANA"))["ok"]
    assert (await home.now(request)).state is State.APPROVED
    await thread_says(home, request, "Ana Reyes lets calls like this one go ahead without asking, at most 10 times")
    used = await ask(home, {**REFUND, "order_id": "HG-7", "amount": 12.5})
    assert used.decision is not None
    assert used.decision.by[0].startswith("grant:grant_")
    assert used.decision.note == "Under Ana Reyes's grant, 1 of 10"
    assert used.permit_expires_at is not None
    await thread_says(home, request, "issue_refund went ahead under Ana Reyes's grant, 1 of 10", "amount: 12.5")
    assert await home.serving.store.copies(used.id) == ()
    lines = [row for row in await home.serving.store.journal() if row.what in ("granted", "settled")]
    assert [(row.what, row.actor) for row in lines] == [
        ("settled", "U0ANA"),
        ("granted", "U0ANA"),
        ("settled", used.decision.by[0]),
    ]
    assert "cracked" not in str(lines)


async def test_what_is_granted_is_what_the_form_said_even_where_a_change_was_not_drawn(home: House) -> None:
    request = await home.ask(REFUND)
    await home.choose("U0ANA", request, "grant")
    sent = await send(home, "U0ANA", same_0=[], most="50")
    assert sent["response_action"] == "update"
    assert (await home.now(request)).state is State.PENDING
    form = said(await home.front("U0ANA"))
    assert "Read what you allow now" in form
    assert "at most 50 times within 1 hour" in form
    assert (await send(home, "U0ANA"))["ok"]
    (grant,) = await home.serving.store.grants(since=request.created_at - HOUR)
    assert (grant.most, grant.loose) == (50, ("/order_id", "/amount", "/reason"))


async def test_what_is_not_like_the_approved_call_is_asked_about(home: House) -> None:
    await granted(home)
    for arguments in (
        {**REFUND, "amount": 140.01},
        {**REFUND, "reason": "Arrived cracked."},
        {**REFUND, "order_id": 7},
        {**REFUND, "note": "hello"},
        {"order_id": "HG-1", "amount": 1},
    ):
        assert (await ask(home, arguments)).state is State.PENDING, arguments
    assert (await ask(home, tool="send_refund")).state is State.PENDING
    assert (await ask(home, agent="other")).state is State.PENDING
    assert (await ask(home, owner="U0FRED")).state is State.PENDING
    assert (await ask(home, {**REFUND, "amount": 140.0})).state is State.APPROVED


async def test_of_a_hundred_calls_at_once_exactly_ten_go_ahead_under_ten_uses(home: House) -> None:
    _, grant = await granted(home)
    found = await asyncio.gather(*(ask(home, {**REFUND, "amount": number}) for number in range(100)))
    assert Counter(request.state for request in found) == {State.APPROVED: 10, State.PENDING: 90}
    notes = {request.decision.note for request in found if request.decision}
    assert notes == {f"Under Ana Reyes's grant, {number} of 10" for number in range(1, 11)}
    standing = await home.serving.store.grant(grant.id)
    assert standing is not None
    assert (standing.used, standing.standing(home.clock())) == (10, Standing.USED_UP)


async def test_the_same_submission_again_uses_the_grant_once(home: House) -> None:
    _, grant = await granted(home)
    again = Idempotency(requester="key:shop", key="once", body="same")
    found = await asyncio.gather(*(ask(home, idempotency=again) for _ in range(8)))
    assert len({request.id for request in found}) == 1
    standing = await home.serving.store.grant(grant.id)
    assert standing is not None
    assert standing.used == 1


async def test_a_grant_ends_with_its_time(home: House) -> None:
    await granted(home)
    home.clock.ahead = HOUR - timedelta(minutes=1)
    assert (await ask(home)).state is State.APPROVED
    home.clock.ahead = HOUR
    assert (await ask(home)).state is State.PENDING


@pytest.mark.parametrize(
    "become", [{"deleted": True}, {"is_restricted": True}, {"is_bot": True}], ids=["deactivated", "guest", "bot"]
)
async def test_a_granter_who_could_not_approve_now_lets_nothing_through(home: House, become: dict[str, bool]) -> None:
    await granted(home)
    await home.sandbox.control.person("U0ANA", **become)
    home.clock.ahead = timedelta(seconds=50)
    assert (await ask(home)).state is State.PENDING


async def test_nothing_goes_ahead_on_behalf_of_the_granter_nor_where_slack_does_not_say_who_that_is(
    home: House,
) -> None:
    await granted(home)
    assert (await ask(home, on_behalf_of="U0ANA")).state is State.PENDING
    assert (await ask(home, on_behalf_of="ana@example.com")).state is State.PENDING
    home.clock.ahead = timedelta(seconds=50)
    await home.sandbox.control.faults({"method": "users.info", "times": 99, "status": 500, "effect": "before"})
    assert (await ask(home)).state is State.PENDING


async def test_a_further_rule_that_matches_asks_and_an_unsure_agent_is_asked_about(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    unsure = "rules:\n  - {name: unsure, when: confidence < 0.7, checkpoint: hard}\n"
    async with house(sandbox, tmp_path, policy=POLICY.replace("rules:\n", unsure)) as home:
        await granted(home)
        assert (await ask(home, confidence=0.6)).state is State.PENDING
        assert (await ask(home, confidence=0.9, context="They all agree.")).state is State.APPROVED


async def test_a_call_that_brings_a_question_is_asked_about(home: House) -> None:
    await granted(home)
    asked = await ask(home, question=Question(text="Which customer is meant?"))
    assert (asked.state, asked.asking) == (State.PENDING, True)
    assert (await ask(home)).state is State.APPROVED


async def test_another_policy_ends_a_grant_for_good_even_where_the_first_comes_back(home: House) -> None:
    request, _ = await granted(home)
    shelf = home.serving.gateway.shelf
    first, second = shelf.current, load(f"{POLICY}# another\n", source="policy.yml")
    await shelf.replace(second, "test", home.clock())
    assert (await ask(home)).state is State.PENDING
    await thread_says(home, request, "The policy changed, so this grant ended after 0 of 10 calls")
    await shelf.replace(first, "test", home.clock())
    assert (await ask(home)).state is State.PENDING
    rows = await home.serving.store.journal()
    assert [row.actor for row in rows if row.what == "revoked"] == ["policy"]


async def test_nothing_is_granted_under_a_policy_that_is_no_longer_in_force(home: House) -> None:
    shelf = home.serving.gateway.shelf
    first, second = shelf.current, load(f"{POLICY}# another\n", source="policy.yml")
    request = await home.ask(REFUND)
    await shelf.replace(second, "test", home.clock())
    with pytest.raises(Conflict, match="policy has changed"):
        await home.serving.gateway.grants.make(request.id, person(home, "U0ANA"), 1, LOOSE)
    assert (await home.now(request)).state is State.PENDING
    await shelf.replace(first, "test", home.clock())
    assert (await ask(home)).state is State.PENDING


async def test_a_grant_outlives_a_restart_and_not_a_restart_with_another_policy(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    async with house(sandbox, tmp_path) as home:
        await granted(home)
    async with house(sandbox, tmp_path) as home:
        assert (await ask(home)).state is State.APPROVED
    async with house(sandbox, tmp_path, policy=f"{POLICY}# another\n") as home:
        assert (await ask(home)).state is State.PENDING
    async with house(sandbox, tmp_path) as home:
        assert (await ask(home)).state is State.PENDING


async def test_the_command_lists_grants_and_any_reviewer_revokes_one_for_good(home: House) -> None:
    request, grant = await granted(home)
    people = home.sandbox.people
    await people.command("U0FRED", "C0GENERAL", "/approvals grants")
    assert "Nothing is approved in advance now" in await home.whispered("U0FRED", "C0GENERAL")
    await people.command("U0BEN", "C0GENERAL", "/approvals grants")
    listed = await home.whispered("U0BEN", "C0GENERAL")
    for words in ("Approved in advance (1)", "Shop agent may call issue_refund", "0 of 10", "Granted by Ana Reyes"):
        assert words in listed
    (message,) = [one for one in await people.history("U0BEN", "C0GENERAL") if one.get("ephemeral")]
    assert (await people.press("U0BEN", "C0GENERAL", message["ts"], ids.REVOKE))["ok"]
    assert (await ask(home)).state is State.PENDING
    await thread_says(home, request, "Ben Okafor ended this grant after 0 of 10 calls")

    async def redrawn() -> bool:
        return "Ben Okafor ended this grant" in await home.whispered("U0BEN", "C0GENERAL")

    await until(redrawn)
    with pytest.raises(NotFound):
        await home.serving.gateway.grants.revoke(grant.id, person(home, "U0FRED"))


async def test_whoever_runs_signoff_lists_and_ends_grants_beside_the_serving_gateway(
    home: House, tmp_path: Path
) -> None:
    _, grant = await granted(home)
    assert f"{grant.id}\tactive\tShop agent\tissue_refund" in await signoff(tmp_path, "list")
    assert "is revoked after 0 of 10 calls" in await signoff(tmp_path, "revoke", grant.id)
    assert (await ask(home)).state is State.PENDING
    ended = await home.serving.store.grant(grant.id)
    assert ended is not None
    assert ended.revoked_by == "operator"


async def signoff(folder: Path, *words: str) -> str:
    """What ``signoff grants`` says, run as a process of its own on the house's database."""
    environ = {"PATH": "/usr/bin", "DATABASE_URL": f"sqlite:///{folder}/signoff.db"}
    done = await asyncio.to_thread(warm.run, "bot", "grants", *words, cwd=folder, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_revocation_and_uses_at_once_leave_no_use_after_the_revocation(home: House) -> None:
    _, grant = await granted(home, Terms(loose=(), lasts=HOUR, most=50))
    revoking = home.serving.gateway.grants.revoke(grant.id, person(home, "U0BEN", "Ben Okafor"))
    before = [ask(home) for _ in range(10)]
    *found, revoked = await asyncio.gather(*before, revoking)
    approved = [one for one in found if isinstance(one, Request) and one.state is State.APPROVED]
    assert isinstance(revoked, Grant)
    assert revoked.used == len(approved)
    order = [row for row in await home.serving.store.journal() if row.actor == f"grant:{grant.id}"]
    (end,) = [row for row in await home.serving.store.journal() if row.what == "revoked"]
    assert len(order) == len(approved)
    assert all(row.seq < end.seq for row in order)
    assert (await ask(home)).state is State.PENDING


async def test_who_may_not_approve_may_not_grant_and_nothing_is_approved(home: House) -> None:
    request = await home.ask(REFUND)
    for user_id in ("U0NEWT", "U0FRED"):
        with pytest.raises(NotAllowed):
            await home.serving.gateway.grants.make(request.id, person(home, user_id), 1, LOOSE)
    assert (await home.now(request)).state is State.PENDING
    assert await home.serving.store.grants(since=request.created_at - HOUR) == ()


async def test_a_late_grant_is_told_who_decided_and_grants_nothing(home: House) -> None:
    request = await home.ask(REFUND)
    await home.choose("U0ANA", request, "grant")
    await home.serving.gateway.review(request.id, person(home, "U0BEN"), Verdict.REJECT, 1)
    await send(home, "U0ANA")
    assert "rejected this" in said(await home.front("U0ANA"))
    assert await home.serving.store.grants(since=request.created_at - HOUR) == ()
