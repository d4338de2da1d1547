"""Messages that show several requests: what their rows say, from which of them one may approve, and the clicks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from bot.slack import ids
from bot.slack.attention import READ_FIRST
from bot.slack.memo import Memo
from bot.slack.views import action
from bot.slack.views.batch import batch, row_is_cut
from bot.slack.views.haste import too_fast
from bot.slack.views.look import Message
from bot.slack.views.modals import reject_form
from bot.slack.views.text import inert
from bot.slack.views.together import together_form
from policies.checkpoint import Kind
from policies.events import Elapsed, Event, Withdrawn
from policies.gathering import plan
from policies.preview import Preview
from policies.request import Request, Requester, State, Submission, ToolCall
from policies.review import Verdict
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import House, house
from tests.slack.judging import check_form, check_message, compare, texts
from tests.slack.samples import LOOK, NOW, PLACES, after, ask, checkpoint, person, verdict
from tests.slack.test_display_laws import requests

REFUND = {"order_id": "HG-1042", "amount": 140.5, "currency": "EUR"}


def several() -> list[Request]:
    """Pending, soft, cut, at stake, and decided in some ways."""
    gate = checkpoint(reversible=False, title="Refund {amount} {currency} for {order_id}")
    found = [
        ask(REFUND, gate, reason="Arrived cracked", confidence=0.9),
        ask({**REFUND, "order_id": "HG-1043"}, gate),
        ask(tool="send_email"),
        ask({"page": "spring-sale"}, checkpoint(Kind.SOFT), tool="publish_post"),
        after(ask(REFUND, gate), verdict("U0ANA", Verdict.APPROVE)),
        after(ask(REFUND, gate), verdict("U0BEN", Verdict.REJECT, note="Too late")),
        PLACES["succeeded"],
        PLACES["expired"],
        PLACES["unknown"],
    ]
    return numbered(found)


def tickets() -> list[Request]:
    """Of a rule that lets its calls be approved in one go: whole rows, a cut one, a call asked three times."""
    gate = checkpoint(batch=True, rule="tickets", title="Close {ticket}")
    calls = [*({"ticket": f"T-{n}"} for n in range(3)), {"ticket": "T-3", "note": "x" * 300}, *[{"ticket": "T-4"}] * 3]
    found = [ask(call, gate, tool="close_ticket", reason="Answered") for call in calls]
    return numbered([*found, ask({"folder": "2019"}, checkpoint(), tool="archive")])


def numbered(found: list[Request]) -> list[Request]:
    return [replace(one, id=f"req_{n:032}", created_at=NOW + timedelta(seconds=n)) for n, one in enumerate(found)]


def decided() -> list[Request]:
    """The tickets after a while: some approved, one rejected, one taken back, the rest expired."""
    verdicts = [verdict("U0ANA", Verdict.APPROVE), verdict("U0BEN", Verdict.REJECT, note="Still open"), Withdrawn()]
    events: list[Event] = [*verdicts, Elapsed(), Elapsed(), verdict("U0ANA", Verdict.APPROVE), Elapsed(), Elapsed()]
    return [
        after(one, event, at=NOW + timedelta(hours=3) if event == Elapsed() else NOW)
        for one, event in zip(tickets(), events, strict=True)
    ]


def full() -> list[Request]:
    """As many as a message holds, the last of three such messages."""
    return numbered([ask({**REFUND, "order_id": f"HG-{n}"}, reason="Arrived cracked") for n in range(10)])


BATCHES = {
    "batch": batch(several(), LOOK, range(1, 10)),
    "batch_same": batch(tickets(), LOOK),
    "batch_partly": batch([*decided()[:3], *tickets()[3:]], LOOK),
    "batch_decided": batch(decided(), LOOK),
    "batch_full": batch(full(), LOOK),
}
PLAN = plan(tickets(), tickets()[0], replace(person("U0ANA"), looked_up_at=NOW), lambda one: one.id[-1] != "3")
SEEN = plan(tickets(), tickets()[0], replace(person("U0ANA"), looked_up_at=NOW), lambda one: True)
HASTY = f"{too_fast(2_310, timedelta(seconds=0.9))} {READ_FIRST}"
FORMS = {
    "form_together": together_form(PLAN, tickets()[0], LOOK, Memo()),
    "form_reject_same": reject_form(tickets()[4], LOOK, Memo(b={"req_4": 1, "req_5": 1, "req_6": 1})),
    "form_together_opened": together_form(SEEN, tickets()[0], LOOK, Memo()),
    "form_together_hasty": together_form(PLAN, tickets()[0], LOOK, Memo(h=900), HASTY),
}


@pytest.mark.parametrize("name", BATCHES)
def test_each_batch_is_the_golden_one_and_any_workspace_takes_it(name: str) -> None:
    message = BATCHES[name]
    check_message(message)
    compare(name, {"text": message.text, "metadata": message.metadata, "blocks": message.blocks})


@pytest.mark.parametrize("name", FORMS)
def test_each_form_for_several_is_the_golden_one(name: str) -> None:
    check_form(FORMS[name])
    compare(name, FORMS[name])


def test_a_batch_looks_the_same_whatever_order_its_requests_come_in() -> None:
    for some in (several(), tickets(), decided()):
        assert batch(some[::-1], LOOK).blocks == batch(some, LOOK).blocks


def shown(some: list[Request]) -> Message:
    message = batch(some, LOOK, range(1, len(some) + 1))
    check_message(message)
    return message


def words(message: Message) -> str:
    return "\n".join(text for _, text in texts(list(message.blocks)))


def pressable(message: Any, action_id: str) -> list[str]:
    """The values of the buttons with this id, from the top."""
    blocks = message.blocks if isinstance(message, Message) else message["blocks"]
    found = [each for block in blocks for each in (*block.get("elements", ()), block.get("accessory") or {})]
    return [each["value"] for each in found if each.get("action_id") == action_id]


def test_the_headline_counts_what_still_waits() -> None:
    rows = several()
    assert shown(rows[:2]).text == "2 calls wait for support"
    assert shown(rows).text == "4 of 9 calls still wait for support"
    assert shown(rows[3:5]).text == "1 of 2 calls still waits for support"
    assert shown(rows[4:]).text == "5 calls for support: all decided"


def test_a_row_has_an_approve_only_where_it_shows_the_whole_call() -> None:
    whole = ask(REFUND, reason="Arrived cracked")
    assert not row_is_cut(whole, LOOK)
    draft = Preview(title="Mail", media_type="text/plain", text="Dear Ms Tran")
    cut = (
        ask({**REFUND, "note": "x" * 61}),
        ask({**REFUND, "note": "two\nlines"}),
        ask({**REFUND, "note": "ok · amount: 5"}),
        ask({**REFUND, "note: ok · amount": 5}),
        ask({**REFUND, "recipients": ["tran@example.com", "desk@example.com"]}),
        ask({**REFUND, "payee": "п\u0430ypal"}),
        ask({f"field_{n}": n * 10**9 for n in range(20)}),
        ask(REFUND, reason="x" * 200),
        ask(REFUND, reason="short", context="an errand"),
        ask(REFUND, on_behalf_of="U0SAM"),
        ask(REFUND, checkpoint(self_approval=True)),
        replace(whole, preview=(draft,)),
        PLACES["pending_modified"],
    )
    for request in cut:
        assert row_is_cut(request, LOOK), request.call.arguments
        message = shown([request, replace(whole, id="req_2")])
        assert pressable(message, ids.ROW_APPROVE) == ["req_2:1"]
        assert len(pressable(message, ids.ROW_VIEW)) == 2


@settings(max_examples=10, deadline=None)
@given(requests())
def test_ten_requests_of_any_agent_fit_a_message_and_whoever_may_approve_has_read_each_argument(
    request: Request,
) -> None:
    some = [replace(request, id=f"req_{n:032}", run=f"run_{n}") for n in range(10)]
    message = shown(some)
    may = {value.split(":")[0] for value in pressable(message, ids.ROW_APPROVE)}
    said = words(message)
    for one in some:
        if one.id in may:
            assert all(inert(f"{item.label}: {item.whole.text}") in said for item in action.arguments(one, LOOK))


# ---- clicks


@pytest.fixture
async def home(sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[House]:
    """A gateway that gathers what a channel can't take one by one."""
    async with house(sandbox, tmp_path, batch_from=4) as running:
        yield running


async def flood(home: House, number: int = 13, **arguments: Any) -> list[dict[str, Any]]:
    """So many calls at once, posted; the messages that show several, oldest first."""
    submissions = [
        Submission(call=ToolCall(tool="close_ticket", arguments={"ticket": f"T-{n}", **arguments}))
        for n in range(number)
    ]
    agent = Requester(id="key:shop", name="Shop agent", owner="U0NEWT")
    added = await asyncio.gather(*(home.serving.gateway.submit(each, agent) for each in submissions))

    async def posted() -> bool:
        return all([await home.serving.store.copies(each.request.id) for each in added])

    await until(posted)
    return [each for each in await messages(home) if "calls wait" in each["text"]]


async def messages(home: House) -> list[dict[str, Any]]:
    return await home.sandbox.people.history("U0ANA", "C0APPROVALS")


async def press(home: House, person: str, message: dict[str, Any], action_id: str, value: str) -> dict[str, Any]:
    """Press the row's button that has this value."""
    for block in message["blocks"]:
        for each in (*block.get("elements", ()), block.get("accessory") or {}):
            if (each.get("action_id"), each.get("value")) == (action_id, value):
                place = {"channel": "C0APPROVALS", "ts": message["ts"], "block_id": block["block_id"]}
                return await home.sandbox.people.click(person, action_id=action_id, **place)
    raise LookupError(f"no {action_id} with {value}")


async def saying(home: House, ts: str, words: str) -> dict[str, Any]:
    """The message at ``ts``, once it says ``words``."""

    async def found() -> dict[str, Any] | None:
        return next((one for one in await messages(home) if one["ts"] == ts and words in str(one)), None)

    return dict(await until(found))


async def test_each_row_is_decided_alone_and_the_message_says_what_became_of_it(home: House) -> None:
    (message, *_) = await flood(home)
    first, second, third, *_ = pressable(message, ids.ROW_APPROVE)
    total = len(pressable(message, ids.ROW_APPROVE))
    assert await press(home, "U0ANA", message, ids.ROW_APPROVE, first) == {"ok": True}
    message = await saying(home, message["ts"], f"{total - 1} of {total} calls still wait")
    assert "was approved by Ana Reyes" in str(message["blocks"])
    assert await press(home, "U0ANA", message, ids.ROW_VIEW, second) == {"ok": True}
    assert (await home.submit("U0ANA"))["ok"]
    message = await saying(home, message["ts"], f"{total - 2} of {total} calls still wait")
    assert await press(home, "U0BEN", message, ids.ROW_VIEW, third) == {"ok": True}
    assert (await home.press_in_view("U0BEN", ids.REJECT)) == {"ok": True}
    assert (await home.submit("U0BEN", reason="no"))["ok"]
    message = await saying(home, message["ts"], "was rejected by Ben Okafor")
    states = [(await home.serving.gateway.request(value.split(":")[0])).state for value in (first, second, third)]
    assert states == [State.APPROVED, State.APPROVED, State.REJECTED]
    assert len(pressable(message, ids.ROW_APPROVE)) == total - 3


async def test_nobody_whom_the_policy_does_not_name_decides_a_row(home: House) -> None:
    (message, *_) = await flood(home)
    first = pressable(message, ids.ROW_APPROVE)[0]
    await home.sandbox.control.channel("C0APPROVALS", members=["U0ANA", "U0FRED", "U0SIGNOFF"])
    await press(home, "U0FRED", message, ids.ROW_APPROVE, first)
    assert "not among the reviewers" in await home.whispered("U0FRED")
    assert (await home.serving.gateway.request(first.split(":")[0])).state is State.PENDING
    now = await saying(home, message["ts"], "calls wait for support")
    assert pressable(now, ids.ROW_APPROVE) == pressable(message, ids.ROW_APPROVE), "the other rows are still there"


async def test_the_shortcut_on_a_message_of_several_calls_says_where_each_is_opened(home: House) -> None:
    (message, *_) = await flood(home)
    assert (await home.sandbox.people.shortcut("U0ANA", ids.OPEN, "C0APPROVALS", message["ts"]))["ok"]
    (view,) = await until(lambda: home.sandbox.people.views("U0ANA"))
    assert "This message shows several calls" in str(view)


async def test_an_approve_that_a_cut_row_never_had_is_refused(home: House) -> None:
    (message, *_) = await flood(home, 8, note="x" * 300)
    assert pressable(message, ids.ROW_APPROVE) == []
    value = pressable(message, ids.ROW_VIEW)[0]
    payload = {
        "type": "block_actions",
        "user": {"id": "U0ANA", "team_id": "T0SANDBOX"},
        "trigger_id": "1.1.1",
        "container": {"type": "message", "channel_id": "C0APPROVALS", "message_ts": message["ts"]},
        "channel": {"id": "C0APPROVALS"},
        "actions": [{"action_id": ids.ROW_APPROVE, "block_id": "b", "value": value, "type": "button"}],
    }
    await home.sandbox.control.deliver("block_actions", payload)
    assert "doesn't show the whole call" in await home.whispered("U0ANA")
    assert (await home.serving.gateway.request(value.split(":")[0])).state is State.PENDING


@pytest.mark.parametrize("length", [41, 54, 55, 60, 61, 200])
def test_no_row_offers_to_approve_a_tool_whose_name_it_cuts(length: int) -> None:
    made = ask({"ticket": "T-1"})
    call = replace(made.call, tool=f"close_{'x' * (length - 11)}_hard")
    long = replace(made, call=call, checkpoint=replace(made.checkpoint, title="Close a ticket"))
    message = batch([long, replace(made, id="req_2")], LOOK)
    assert row_is_cut(long, LOOK) or call.tool in str(message.blocks)
