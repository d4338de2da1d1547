"""The digest: one message in the morning with what waits for its reader, kept true for the rest of the day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.slack import ids
from bot.slack.views.blocks import Block, actions, button, context, header, mrkdwn, named, section
from bot.slack.views.figures import figures
from bot.slack.views.home import row
from bot.slack.views.look import Look, Message, moment
from policies.digest import OPEN, Page, Part
from policies.visible import escaped_length

TITLES = {
    "waiting": "Waiting for you",
    "escalated": "Escalated to you",
    "questions": "Questions you may answer",
    "when_you_can": "When you have time: nobody waits",
    "audits": "Went ahead on silence: have a look",
    "expired": "Ended without anybody",
}
ROOM = 7_500
"""Escaped characters of all rows: what Slack takes of one message has no published bound, and cards keep to 9,000."""
MUTE = "Until midnight this list keeps itself up to date. */approvals digest off* ends these messages."


def digest(page: Page, look: Look, owed_id: int | None = None) -> Message:
    """The message as ``page`` stands; ``owed_id`` marks it, so that an uncertain post can be found again."""
    text = sentence(page)
    blocks = [header(_title(page)), *_parts(page, look)]
    if page.numbers.decided:
        blocks.append(context(mrkdwn(next(figures(page.numbers)))))
    blocks += [actions([button("Open inbox", ids.INBOX, "inbox")]), context(mrkdwn(MUTE))]
    version = sum(request.version for request in page.requests)
    payload = {} if owed_id is None else {"owed_id": owed_id}
    return Message(
        text=text,
        blocks=tuple(named(blocks, f"d{version}")),
        metadata={"event_type": ids.DIGEST_TYPE, "event_payload": payload},
    )


def _title(page: Page) -> str:
    waiting = len(page.waiting) + page.more_waiting
    if waiting:
        return f"Today: {waiting} waiting for you"
    if any(part.name in OPEN for part in page.parts):
        return "Today: nothing of this waits any more"
    return "Today: nothing waits for you"


def sentence(page: Page) -> str:
    """What the notification says: numbers and times alone, so nothing in it is anybody's words; mrkdwn."""
    waiting = page.waiting
    said = []
    if count := len(waiting) + page.more_waiting:
        ends = sorted(one.deadline_at for one in waiting if one.deadline_at is not None)
        first = f", the first until {moment(ends[0])}" if ends else ""
        said.append(f"{count} {'waits' if count == 1 else 'wait'} for you{first}")
    for part in page.parts:
        if part.name == "audits" and (unseen := _unseen(part)):
            said.append(f"{unseen} went ahead on silence and nobody has looked")
        if part.name == "expired":
            said.append(f"{len(part.requests) + part.more} ended without anybody deciding")
    return f"{'. '.join(said) or 'Nothing of this morning waits for you any more'}."


def _unseen(part: Part) -> int:
    return sum(request.audit == "open" for request in part.requests) + part.more


def _parts(page: Page, look: Look) -> Iterator[Block]:
    """Each part under its title, with as many rows as the message has room for."""
    room = ROOM
    for part in page.parts:
        rows: list[Block] = []
        fitting = 0
        for request in part.requests:
            drawn = list(row(request, look, opens=ids.LISTED))
            room -= sum(escaped_length(text) for text in _texts(drawn))
            if room < 0:
                break
            rows += drawn
            fitting += 1
        yield section(mrkdwn(f"*{TITLES[part.name]}* ({_left(part)}){_shown(part, fitting)}"))
        yield from rows


def _shown(part: Part, fitting: int) -> str:
    """That not all of a part is listed; the rest stands in the inbox."""
    number = len(part.requests) + part.more
    if fitting == number:
        return ""
    return f" · the first {fitting} here, all in your inbox" if fitting else " · see your inbox"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _left(part: Part) -> str:
    """How many of a part are still what its title says: "3", "2 of 3 left", "all decided"."""
    number, left = len(part.requests) + part.more, part.more
    if part.name == "audits":
        left += sum(request.audit == "open" for request in part.requests)
    else:
        left += sum(part.name not in OPEN or not request.settled for request in part.requests)
    if left == number:
        return str(number)
    return f"{left} of {number} left" if left else "all decided" if part.name in OPEN else "all seen"
