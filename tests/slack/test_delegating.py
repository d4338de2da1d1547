"""Somebody else is asked to decide, over the real wires: from View all and by ``/approvals delegate``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.slack import ids
from policies.request import Request, Requester, State, Submission, ToolCall
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import House, house, said
from tests.slack.samples import REFUND

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

POLICY = """
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA, U0BEN], delegates: [U0FRED]}
  seniors: {users: [U0SAM]}
ladders:
  standard: [{after: 30m, add: seniors}, {after: 2h, then: expire}]
  short: [{after: 2h, then: expire}]
rules:
  - {name: pairs, match: pair_up, checkpoint: hard, reviewers: support, quorum: 2, ladder: short}
  - {name: posts, match: run, checkpoint: hard, reviewers: support, ladder: standard}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""

AGENT = Requester(id="key:shop", name="Shop agent", owner="U0NEWT")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(process, Path(tmp_path_factory.mktemp("delegating")), policy=POLICY) as running:
        yield running
    await process.aclose()


async def _send(home: House, person: str, to: str, *, note: str = "", over: bool = False) -> dict[str, Any]:
    """Fill in the form in front and send it."""
    front = (await home.sandbox.people.views(person))[-1]
    values: dict[str, Any] = {ids.PERSON: {"value": to}, ids.REASON: {"value": note}}
    values[ids.HAND_OVER] = {"value": ["yes"] if over else []}
    return dict(await home.sandbox.people.submit(person, front["id"], values))


async def _open(home: House, person: str, request: Request) -> None:
    assert await home.choose(person, request, "view") == {"ok": True}
    await home.press_in_view(person, ids.DELEGATE)


async def _close(home: House, person: str) -> None:
    for view in reversed(await home.sandbox.people.views(person)):
        await home.sandbox.people.close(person, view["id"])


async def _copy_of(home: House, request: Request, to: str) -> tuple[str, str]:
    async def found() -> list[tuple[str, str]]:
        return [(one.channel, one.ts) for one in await home.serving.store.copies(request.id) if one.to == to]

    place: tuple[str, str] = (await until(found))[0]
    return place


async def _thread_says(home: House, person: str, place: tuple[str, str], words: str) -> None:
    async def found() -> bool:
        return any(words in said(one) for one in await home.sandbox.people.history(person, *place))

    await until(found)


async def test_whom_a_reviewer_asks_gets_the_card_and_decides(home: House) -> None:
    request = await home.ask()
    await _open(home, "U0ANA", request)
    assert "support, seniors, support's delegates" in str(await home.front("U0ANA"))
    assert (await _send(home, "U0ANA", "U0SAM", note="You know <!here> best"))["ok"]
    place = await _copy_of(home, request, "U0SAM")
    (shown,) = [one for one in await home.sandbox.people.history("U0SAM", place[0]) if one["ts"] == place[1]]
    assert "Ana Reyes asked Sam Whitlock to decide this" in shown["text"]
    assert "<!here>" not in shown["text"]
    await home.card_says(request, "Ana Reyes asked Sam Whitlock to decide this: “You know <!here> best”")
    await _thread_says(home, "U0ANA", await home.place(request), "<@U0SAM> Ana Reyes asks you to decide this")
    inbox = await home.serving.gateway.inboxes.of(await _person(home, "U0SAM"))
    assert request.id in [one.id for one in inbox.waiting]
    assert await home.sandbox.people.press("U0SAM", *place, ids.APPROVE) == {"ok": True}
    decided = await home.now(request)
    assert (decided.state, decided.decision and decided.decision.by) == (State.APPROVED, ("U0SAM",))
    await home.card_says(request, "was approved by Sam Whitlock")


async def test_what_the_card_cannot_show_comes_to_their_direct_message_and_not_to_a_public_channel(home: House) -> None:
    request = await home.ask({"script": "echo fine & <true>\n" * 700 + "rm -rf /srv"}, tool="run")
    await home.serving.gateway.delegate(request.id, await _person(home, "U0ANA"), await _person(home, "U0SAM"))
    place = await _copy_of(home, request, "U0SAM")

    async def files() -> list[dict[str, Any]]:
        seen = await home.sandbox.people.history("U0SAM", *place)
        return [file for message in seen for file in message.get("files") or ()]

    (file,) = await until(files)
    assert file["name"] == f"{request.id[:12]}-r1.txt"

    async def carried() -> bool:
        return await home.serving.store.next_owed() is None

    await until(carried)
    assert "files" not in str(await home.sandbox.people.history("U0ANA", *await home.place(request)))


async def _person(home: House, who: str) -> Any:
    return await home.serving.gateway._people.person(who)  # type: ignore[union-attr]


async def test_whom_the_policy_does_not_name_is_refused_under_the_field_and_the_form_stays(home: House) -> None:
    request = await home.ask()
    await _open(home, "U0ANA", request)
    for to, words in (
        ("U0FAY", "doesn't name Fay"),
        ("U0NEWT", "on behalf of"),
        ("U0ANA", "else than yourself"),
    ):
        answer = await _send(home, "U0ANA", to)
        assert words in answer["errors"][ids.PERSON]
    assert (await home.now(request)).delegations == ()
    assert (await _send(home, "U0ANA", "U0FRED"))["ok"], "the group's own delegates can be asked"
    await home.press("U0FRED", request, ids.APPROVE)
    assert (await home.now(request)).state is State.APPROVED


async def test_nobody_hands_over_what_then_too_few_could_approve_and_whoever_did_approves_no_more(home: House) -> None:
    pair = await home.ask(tool="pair_up")
    await _open(home, "U0ANA", pair)
    assert "too few are left" in (await _send(home, "U0ANA", "U0BEN", over=True))["errors"][ids.PERSON]
    assert (await _send(home, "U0ANA", "U0FRED", over=True))["ok"]
    await home.press("U0ANA", pair, ids.APPROVE)
    assert "You handed this one over" in await home.whispered("U0ANA")
    for who in ("U0BEN", "U0FRED"):
        await home.press(who, pair, ids.APPROVE)
    assert (await home.now(pair)).state is State.APPROVED


async def test_strangers_and_latecomers_ask_nobody(home: House) -> None:
    request = await home.ask()
    await _open(home, "U0ANA", request)
    await home.press("U0BEN", request, ids.APPROVE)
    answer = await _send(home, "U0ANA", "U0SAM")
    assert answer["response_action"] == "update"
    assert "Ben Okafor approved this" in str(await home.front("U0ANA"))
    await _close(home, "U0ANA")
    other = await home.ask()
    assert await home.choose("U0NEWT", other, "view") == {"ok": True}
    await home.press_in_view("U0NEWT", ids.DELEGATE)

    async def told() -> bool:
        return "on your behalf" in str(await home.front("U0NEWT"))

    await until(told)
    assert (await home.now(other)).delegations == ()


async def _waiting(home: House) -> Request:
    """A request whose card may still be on its way: a channel takes one message a second."""
    call = ToolCall(tool="issue_refund", arguments=dict(REFUND))
    return (await home.serving.gateway.submit(Submission(call=call), AGENT)).request


async def test_the_command_asks_by_mention_id_or_address(home: House) -> None:
    for named in ("<@U0SAM|sam>", "U0SAM", "sam@example.com"):
        request = await _waiting(home)
        await home.sandbox.people.command("U0ANA", "C0GENERAL", f"/approvals delegate {request.id} {named} please look")
        (one,) = (await home.now(request)).delegations
        assert (one.to, one.note, one.hands_over) == ("U0SAM", "please look", False)


async def test_a_name_alone_could_be_anybodys_so_the_form_opens_to_choose_from(home: House) -> None:
    request = await _waiting(home)
    await home.sandbox.people.command("U0ANA", "C0GENERAL", f"/approvals delegate {request.id} @sam please look")
    await until(lambda: home.sandbox.people.views("U0ANA"))
    front = await home.front("U0ANA")
    assert front["callback_id"] == ids.DELEGATE_FORM
    assert "please look" in str(front)
    assert (await home.now(request)).delegations == ()
    await home.sandbox.people.command("U0ANA", "C0GENERAL", f"/approvals delegate {request.id} x@example.com")
    assert "Nobody in this workspace has that e-mail address" in await home.whispered("U0ANA", "C0GENERAL")
