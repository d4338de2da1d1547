"""Memory stays bounded: the record, triggers, channels and unread streams forget what is old, and say so honestly."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from sandbox import limits
from sandbox.clock import Clock
from sandbox.members import Message
from sandbox.record import Record
from sandbox.stream import Stream
from sandbox.tickets import Tickets
from sandbox.workspace import DEFAULT, load
from tests.sandbox.stock_app import actions, button
from tests.sandbox_process import SandboxProcess

CARDS = 1_200
"""Twenty a second for a minute."""
MEGABYTES = 60
ROOM = "C0APPROVALS"


def test_the_record_forgets_its_oldest_calls_but_goes_on_counting() -> None:
    record = Record(most=50, loose=5)
    for number in range(120):
        record.add("in", "api", method=f"m{number}").update(status=200, answer={"ok": True})
    found = record.since(0)
    assert (found["first"], found["next"], len(found["calls"])) == (70, 120, 50)
    assert [call["n"] for call in found["calls"]] == list(range(70, 120))
    assert [call["method"] for call in record.since(117)["calls"]] == ["m117", "m118", "m119"]
    assert record.since(500)["calls"] == []


def test_a_call_that_is_under_way_can_still_be_completed_when_many_came_after_it() -> None:
    record = Record(most=50, loose=5)
    early = record.add("out", "socket", method="block_actions")
    for _ in range(20):
        record.add("in", "api").update(status=200)
    early.update(status="acked", answer={"late": True})
    assert record.since(0)["calls"][0]["answer"] == {"late": True}


def test_a_packed_call_reads_as_it_was_written() -> None:
    record = Record(most=50, loose=1)
    entry = record.add("in", "api", method="x", body={"text": "grüße <&>", "n": [1, None, True]})
    entry.update(status=200, answer={"ok": True})
    for _ in range(3):
        record.add("in", "api").update(status=200)
    assert record.since(0)["calls"][0] == entry


def test_triggers_and_response_urls_are_bounded() -> None:
    tickets = Tickets(clock=Clock())
    names = [tickets.new_trigger("U0ANA") for _ in range(limits.TICKETS + 10)]
    assert len(tickets.triggers) == limits.TICKETS
    assert tickets.use_trigger(names[-1]).person == "U0ANA"


def test_a_channel_forgets_its_oldest_messages_and_their_place_in_threads() -> None:
    workspace = load(DEFAULT, Clock(), Stream())
    channel = workspace.channels[ROOM]
    parent = workspace.post(channel, Message(ts=workspace.clock.ts(), user="U0ANA", text="parent"))
    workspace.post(channel, Message(ts=workspace.clock.ts(), user="U0BEN", text="reply", thread_ts=parent.ts))
    for _ in range(limits.CHANNEL_MESSAGES):
        workspace.post(channel, Message(ts=workspace.clock.ts(), user="U0BEN", text="x"))
    assert len(channel.messages) == limits.CHANNEL_MESSAGES
    assert parent.ts not in channel.messages
    assert workspace.replies(channel, parent.ts) == []


async def test_a_page_that_does_not_read_loses_its_stream_not_our_memory() -> None:
    stream = Stream()
    listening = stream.listen("U0ANA")
    assert await anext(listening) == b": connected\n\n"
    waiting = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(0)
    for number in range(limits.UNREAD_EVENTS * 2):
        stream.publish("message", {"n": number})
    async with asyncio.timeout(5):
        heard = [await waiting, *[line async for line in listening]]
    assert len(heard) <= limits.UNREAD_EVENTS + 1


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def test_a_minute_of_twenty_cards_a_second_costs_little_memory(fresh: SandboxProcess) -> None:
    before = _resident(fresh.pid)
    content = {"channel": ROOM, "text": "card", "blocks": [*[_section(number) for number in range(4)], _buttons()]}
    headers = {"Authorization": f"Bearer {fresh.bot_token}"}
    numbers = iter(range(CARDS))

    async def post(session: aiohttp.ClientSession) -> None:
        for _ in numbers:
            async with session.post(f"{fresh.api_url}chat.postMessage", json=content) as response:
                assert (await response.json())["ok"]

    async with aiohttp.ClientSession(headers=headers) as session:
        await asyncio.gather(*(post(session) for _ in range(8)))
    assert len(await fresh.people.history("U0ANA", ROOM)) == CARDS
    assert _resident(fresh.pid) - before < MEGABYTES


def _section(number: int) -> dict[str, Any]:
    return {"type": "section", "block_id": f"b{number}", "text": {"type": "mrkdwn", "text": f"{number} " * 100}}


def _buttons() -> dict[str, Any]:
    return actions(button("approve", value="r1"), button("reject", value="r1"))
