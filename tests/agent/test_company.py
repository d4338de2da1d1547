"""The demo's company: its tools act on real local things, and the stories about it fit what it answers."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from bot.agent.tools import ToolBox, ToolFailed
from sandbox.playing import Move, next_move
from sandbox.story import Story, load_stories
from sandbox.transcript import MessageRequest, OfferedTool, Turn

BOX = ToolBox.load("bot.demo.company")
STORIES = load_stories(Path(__file__).parents[2] / "sandbox" / "stories")


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The company's directory, not there yet."""
    root = tmp_path / "company"
    monkeypatch.setenv("SIGNOFF_COMPANY", str(root))
    return root


def effects(company: Path) -> list[dict[str, Any]]:
    log = company / "effects.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def rows(company: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(company / "company.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_every_tool_has_words_and_a_form_for_every_argument() -> None:
    assert [each.name for each in BOX] == [
        "search_orders", "read_order", "read_customer", "draft_email", "send_email", "publish_post", "issue_refund",
        "execute_payment", "delete_customer",
    ]  # fmt: skip
    for each in BOX:
        jsonschema_rs.meta.validate(dict(each.schema))
        for name, argument in each.schema["properties"].items():
            assert argument["title"], (each.name, name)
            assert argument["description"], (each.name, name)
            if argument["type"] == "string" and "enum" not in argument and "format" not in argument:
                assert "pattern" in argument or argument["maxLength"] <= 2_500, (each.name, name)


async def test_the_books_are_there_on_first_use_and_reading_leaves_no_effect(company: Path) -> None:
    found = await BOX.run("search_orders", {"customer": "mara"})
    assert [order["order_id"] for order in found] == ["HG-1046", "HG-1042"]
    assert await BOX.run("search_orders", {"customer": "C-201"}) == found
    assert await BOX.run("search_orders", {"customer": "%"}) == []
    order = await BOX.run("read_order", {"order_id": "HG-1042"})
    assert (order["total"], order["refunded"], order["customer"]["name"]) == (140.0, 0.0, "Mara Holm")
    assert order["customer"] == await BOX.run("read_customer", {"customer_id": "C-201"})
    assert effects(company) == []


async def test_a_refund_is_booked_and_never_exceeds_what_is_left(company: Path) -> None:
    refund = {"order_id": "HG-1042", "amount": 40, "reason": "Cracked"}
    ran = await BOX.run("issue_refund", refund)
    assert ran == {"order_id": "HG-1042", "refunded": "40.00 EUR", "left": "100.00 EUR"}
    with pytest.raises(ToolFailed, match=r"HG-1042 has 100\.00 EUR left to refund; 100\.01 EUR is more"):
        await BOX.run("issue_refund", {**refund, "amount": 100.01})
    await BOX.run("issue_refund", {**refund, "amount": 100})
    assert rows(company, "SELECT order_id, cents FROM refunds") == [("HG-1042", 4000), ("HG-1042", 10000)]
    assert [(each["sequence"], each["arguments"]["amount"]) for each in effects(company)] == [(1, 40.0), (2, 100.0)]


@pytest.mark.parametrize(
    ("name", "arguments", "fault"),
    [
        ("issue_refund", {"order_id": "HG-1042", "amount": 140.005, "reason": "x"}, "more than two decimals"),
        ("issue_refund", {"order_id": "HG-1042", "amount": 0, "reason": "x"}, "greater than 0"),
        ("issue_refund", {"order_id": "HG-9999", "amount": 1, "reason": "x"}, "There is no order HG-9999"),
        ("issue_refund", {"order_id": "HG-1042\n", "amount": 1, "reason": "x"}, "order_id: String should match"),
        ("read_customer", {"customer_id": "C-999"}, "There is no customer C-999"),
        ("send_email", {"to": [], "subject": "x", "body": "x"}, "to: "),
        ("send_email", {"to": ["a@b"], "subject": "x", "body": "x"}, "to.0: "),
        ("send_email", {"to": ["a@example.com\nBcc: x@example.com"], "subject": "x", "body": "x"}, "to.0: "),
        ("send_email", {"to": ["a@example.com"], "subject": "x\r\nBcc: x@example.com", "body": "x"}, "subject: "),
        (
            "execute_payment",
            {"payee": "N", "amount": 1, "currency": "SEK", "due": "2026-12-01", "memo": "m"},
            "currency: ",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_happens(
    company: Path, name: str, arguments: dict[str, Any], fault: str
) -> None:
    await BOX.run("read_order", {"order_id": "HG-1042"})
    before = sorted(company.iterdir())
    with pytest.raises(ToolFailed, match=fault):
        await BOX.run(name, arguments)
    assert sorted(company.iterdir()) == before
    assert effects(company) == []


async def test_a_sent_mail_is_a_real_message_and_a_draft_stays_in_the_drafts(company: Path) -> None:
    body = "Dear Mara,\n\nGrüße vom Hafen.\n"
    mail = {"to": ["mara.holm@example.com", "ben@example.com"], "subject": "Ihre Erstattung – 40 €", "body": body}
    assert (await BOX.run("send_email", mail))["sent"] == "0001.eml"
    sent = message_from_bytes((company / "outbox" / "0001.eml").read_bytes(), policy=policy.default)
    assert (sent["to"], sent["subject"]) == ("mara.holm@example.com, ben@example.com", "Ihre Erstattung – 40 €")
    assert sent.get_content().replace("\r\n", "\n") == body

    await BOX.run("draft_email", {**mail, "to": "mara.holm@example.com"})
    assert [path.name for path in (company / "drafts").iterdir()] == ["0002.eml"]
    assert len(list((company / "outbox").iterdir())) == 1


async def test_a_post_a_payment_and_a_deletion_leave_their_traces(company: Path) -> None:
    await BOX.run("publish_post", {"title": "Winter hours!", "body": "10 to 17"})
    assert (company / "posts" / "0001-winter-hours.md").read_text() == "# Winter hours!\n\n10 to 17\n"
    payment = {"payee": "Nordkai", "amount": 4200, "currency": "EUR", "due": "2026-12-15", "memo": "NK-1"}
    assert (await BOX.run("execute_payment", payment))["paid"] == "4,200.00 EUR"
    assert rows(company, "SELECT payee, cents, due FROM payments") == [("Nordkai", 420_000, "2026-12-15")]
    await BOX.run("delete_customer", {"customer_id": "C-206", "reason": "old", "delete_orders": True})
    assert rows(company, "SELECT count(*) FROM customers WHERE id = 'C-206'") == [(0,)]
    assert rows(company, "SELECT count(*) FROM orders WHERE customer_id = 'C-206'") == [(0,)]
    assert [each["tool"] for each in effects(company)] == ["publish_post", "execute_payment", "delete_customer"]
    assert effects(company)[1]["arguments"] == payment


async def test_effects_of_calls_at_the_same_time_are_numbered_without_gaps_in_their_order(company: Path) -> None:
    post = {"title": "Hello", "body": "x"}
    await asyncio.gather(*(BOX.run("publish_post", post) for _ in range(12)))
    assert [each["sequence"] for each in effects(company)] == list(range(1, 13))


async def test_a_tool_that_fails_half_way_leaves_no_line(company: Path) -> None:
    await BOX.run("read_order", {"order_id": "HG-1042"})
    (company / "outbox").write_text("in the way")
    with pytest.raises(ToolFailed):
        await BOX.run("send_email", {"to": ["a@example.com"], "subject": "x", "body": "x"})
    assert effects(company) == []
    await BOX.run("publish_post", {"title": "x", "body": "x"})
    assert [each["sequence"] for each in effects(company)] == [1]


GATED = {"send_email", "publish_post", "issue_refund", "execute_payment", "delete_customer"}
VERDICTS = {
    "approved": "",
    "modified": "",
    "failed": "A reviewer changed the arguments before this ran.\n- a: 1 → 2\nIt failed: the printer is on fire",
    "rejected": "Rejected by Ana Reyes: soften it: please\nIt was not run. Do not try the same call again.",
    "expired": "Nobody answered in time, so this was not run. That is not a no: nobody has decided.",
    "denied": "The policy refuses this call: never on Sundays. It was not run.",
    "stopped": "Stopped by Sam J. Whitlock before it ran. It was not run.",
    "queued": "Queued for review (req_1). Go on with other work; the result follows when it is there.",
}


async def play(story: Story, verdict: str) -> list[Move]:
    """Run the story to its end; each gated call meets the verdict, the first of a changed mail a smaller refund."""
    offered = [OfferedTool(name=each.name, input_schema=dict(each.schema)) for each in BOX]
    turns, moves = [Turn(role="user", content=story.task)], []
    while True:
        request = MessageRequest(model="m", max_tokens=9, messages=turns, tools=offered)
        moves.append(move := next_move(STORIES, request, date(2026, 11, 23)))
        if not move.calls:
            return moves
        assert len(moves) < 9, "the story goes round in circles"
        used, results = [], []
        for number, call in enumerate(move.calls):
            text, failed = await answer(call.tool, dict(call.input), verdict)
            key = f"toolu_{len(moves)}_{number}"
            used.append({"type": "tool_use", "id": key, "name": call.tool, "input": dict(call.input)})
            results.append({"type": "tool_result", "tool_use_id": key, "content": text, "is_error": failed})
        turns += [
            Turn.model_validate({"role": "assistant", "content": used}),
            Turn.model_validate({"role": "user", "content": results}),
        ]


async def answer(name: str, arguments: dict[str, Any], verdict: str) -> tuple[str, bool]:
    BOX.check(name, arguments)
    if name in GATED and VERDICTS[verdict]:
        return VERDICTS[verdict], verdict != "queued"
    if name == "issue_refund" and verdict == "modified":
        arguments["amount"] = 40.0
    result = json.dumps(await BOX.run(name, arguments))
    if name in GATED and verdict == "modified":
        return f'A reviewer changed the arguments before this ran.\n- to: [] → ["Result: x"]\nResult: {result}', False
    return result, False


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_every_story_ends_in_words_that_fit_what_happened(company: Path, story: Story, verdict: str) -> None:
    moves = await play(story, verdict)
    assert moves[-1].story == story.name
    ran = [each["tool"] for each in effects(company) if each["tool"] in GATED]
    said = "\n".join(move.say for move in moves)
    assert "{{" not in said
    assert bool(ran) == (verdict in ("approved", "modified"))
    reflects = {
        "modified": "changed",
        "failed": "on fire",
        "rejected": "“soften it: please”",
        "expired": "Nobody",
        "denied": "on Sundays",
        "stopped": "Stopped by Sam J. Whitlock" if story.name != "newsletter" else "Sam J. Whitlock stopped it, so",
    }
    assert reflects.get(verdict, "") in said
    if verdict == "rejected":
        assert "Do not try" not in said, "what the gateway tells the model is not among the reviewer's words"
    if verdict == "queued":
        assert not any(word in moves[-1].say for word in ("Sent", "Published", "Paid", "Deleted", "Done"))


async def test_the_refund_storys_mail_names_the_amount_that_really_ran(company: Path) -> None:
    story = next(each for each in STORIES if each.name == "refund")
    await play(story, "modified")
    mail = (company / "outbox").glob("*.eml")
    text = message_from_bytes(next(mail).read_bytes(), policy=policy.default).get_content()
    assert "refunded 40.00 EUR" in text
    assert "140" not in text
    assert rows(company, "SELECT cents FROM refunds") == [(4000,)]
