"""Several requests in one message, a row each: what a channel gets when more arrive than Slack lets through singly.

A row has an Approve only where it shows the whole call, as short as that is; any other is opened first. Identical calls
share a row. What became of a request takes the place of its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack import ids
from bot.slack.views import action, words
from bot.slack.views.blocks import Block, actions, button, context, divider, header, mrkdwn, named, plain, section
from bot.slack.views.card import MENTIONS, may_approve, settled_buttons
from bot.slack.views.headline import headline
from bot.slack.views.look import Look, Message, mention, moment
from bot.slack.views.text import DOTS, SHORT, WHOLE, Item, clip, inert, inline, one_line
from policies.checkpoint import Kind
from policies.gathering import alike, may_be_approved_in_one_go
from policies.request import Request
from policies.visible import escaped_length, in_quotes

GIST = 200
"""Escaped characters of a row's arguments; ten rows of this stay below what Slack takes."""
CLAIM = 100
"""Escaped characters of the agent's reason."""
NAME = 40
GROUPS = 2
RULE = 30


def batch(requests: Sequence[Request], look: Look, owed_ids: Sequence[int] = ()) -> Message:
    """One message for all of ``requests``, oldest first. ``owed_ids``, one for each, mark it so that it's found again.

    At most ten requests: each takes up to four of Slack's fifty blocks.
    """
    rows = sorted(requests, key=lambda request: (request.created_at, request.id))
    blocks = [header(_title(rows, look)), *_who_may(rows, look)]
    for several in _grouped(rows):
        blocks += [divider(), *_row(several, look)]
    blocks += _in_one_go(rows, look)
    payload = {"request_ids": [request.id for request in requests]}
    marks = {"owed_ids": list(owed_ids)} if owed_ids else {}
    suffix = f"v{sum(request.version for request in rows)}"
    return Message(
        text=_title(rows, look),
        blocks=tuple(named(blocks, suffix)),
        metadata={"event_type": ids.EVENT_TYPE, "event_payload": {**payload, **marks}},
        cut=any(row_is_cut(request, look) for request in rows),
    )


def row_is_cut(request: Request, look: Look) -> bool:
    """Does the row leave something out, so that nobody may approve from it? Depends on request and key alone."""
    items, claims = action.arguments(request, look), action.claims(request, look)
    served = request.on_behalf_of is not None and request.on_behalf_of != request.requester.owner
    beside = (request.context, request.preview, request.inquiries, request.modified, request.checkpoint.self_approval)
    doubtful = any(item.whole.warnings for item in (*items, *claims))
    short = all(map(_on_a_line, items)) and escaped_length(gist(request, look)) <= GIST
    return served or any(beside) or doubtful or not short or escaped_length(_claim(request, look)) > CLAIM


def _title(rows: Sequence[Request], look: Look) -> str:
    waiting = [request for request in rows if not request.settled]
    names = list(dict.fromkeys(group.name for request in rows for group in request.checkpoint.groups))
    said = " and ".join(one_line(name, look.key, NAME) for name in names) if 0 < len(names) <= GROUPS else "people"
    if not waiting:
        return f"{len(rows)} calls for {said}: all decided"
    if len(waiting) == len(rows):
        return f"{len(rows)} calls wait for {said}"
    verb = "waits" if len(waiting) == 1 else "wait"
    return f"{len(waiting)} of {len(rows)} calls still {verb} for {said}"


def _who_may(rows: Sequence[Request], look: Look) -> Iterator[Block]:
    """Who is asked, as long as somebody is: those who may approve at least one of the calls."""
    waiting = [request for request in rows if not request.settled]
    able = dict.fromkeys(who for request in waiting for who in may_approve(request, look) if who not in look.away)
    elements = [mrkdwn(":inbox_tray: Many calls came at once, so they share a message. Each is decided alone.")]
    if able:
        more = f" and {len(able) - MENTIONS} more" if len(able) > MENTIONS else ""
        elements.append(mrkdwn(" ".join(mention(who) for who in list(able)[:MENTIONS]) + more))
    if waiting:
        yield context(*elements)


def _grouped(rows: Sequence[Request]) -> list[tuple[Request, ...]]:
    """What shares a row: identical calls that wait for an approval."""
    waiting = [request for request in rows if not request.settled and request.checkpoint.kind is Kind.HARD]
    first = {several[0].id: several for several in alike(waiting)}
    alone = [request for request in rows if request not in waiting]
    return [first.get(request.id, (request,)) for request in rows if request.id in first or request in alone]


def _row(several: Sequence[Request], look: Look) -> Iterator[Block]:
    request = several[0]
    if request.settled:
        yield from _decided(request, look)
        return
    name = inert(headline(request, look)) + (f"* ×{len(several)}" if len(several) > 1 else "*")
    said = inert(clip(gist(request, look), GIST))
    yield section(mrkdwn(f"*{name}\n{said}" if said else f"*{name}"))
    if len(several) > 1:
        yield context(plain(f"⚠️ The very same call {len(several)} times: each that is approved may run"))
    yield context(*_about(request, look))
    yield actions(_buttons(several, look))


def _decided(request: Request, look: Look) -> Iterator[Block]:
    """One line that says what became of it, and what can still be done."""
    came_to = words.CAME_TO.get(request.execution.state, "") if request.execution else ""
    mark, name = came_to.split(" ")[0] or words.EMOJI[request.state], inert(headline(request, look))
    became = f"{mark} *{name}* {inert(words.fate(request, look))}"
    value = _value(request)
    yield section(mrkdwn(became), button("Open", ids.ROW_VIEW, value))
    left = [button(label, action_id, value) for label, action_id, _ in settled_buttons(request)]
    if left:
        yield actions(left)


def _about(request: Request, look: Look) -> Iterator[Block]:
    soft = request.checkpoint.kind is Kind.SOFT
    owner = request.requester.owner
    served = f" for {inline(look.name(owner), look.key, NAME)}" if owner is not None else ""
    tool = one_line(request.call.tool, look.key, action.TOOL)
    runs = f" to run {inert(tool)}" if headline(request, look) != tool else ""
    yield mrkdwn(f"{inline(request.requester.name, look.key, NAME)} asks{served}{runs}")
    claim = _claim(request, look)
    if claim:
        yield plain(f"The agent says (not checked): {clip(claim, CLAIM)}")
    until = f" {moment(request.deadline_at)}" if request.deadline_at and (request.delivered_at or not soft) else ""
    yield mrkdwn(f"{words.silence(request)}{until}{words.stakes(request)}")
    if row_is_cut(request, look):
        yield plain("✂️ This row doesn't show everything: open it to decide")
    if request.snoozed is not None:
        yield mrkdwn(f"💤 until {moment(request.snoozed.until)}")


def _in_one_go(rows: Sequence[Request], look: Look) -> Iterator[Block]:
    """A button for each rule that lets several of its calls be approved together."""
    by_rule: dict[str, list[Request]] = {}
    for request in filter(may_be_approved_in_one_go, rows):
        by_rule.setdefault(request.checkpoint.rule, []).append(request)
    buttons = [
        button(
            f"Approve several of “{one_line(rule, look.key, RULE)}”…",
            f"{ids.TOGETHER}.{place}",
            _value(several[0]),
        )
        for place, (rule, several) in enumerate(by_rule.items())
        if len(several) > 1
    ]
    if buttons:
        yield divider()
        yield actions(buttons)


def _value(request: Request) -> str:
    return str(ids.Target(request_id=request.id, revision=request.revision))


def _buttons(several: Sequence[Request], look: Look) -> list[Block]:
    request, value = several[0], _value(several[0])
    opening = button("Open", ids.ROW_VIEW, value)
    if request.checkpoint.kind is Kind.SOFT:
        return [button("Stop", ids.ROW_STOP, value, "danger"), opening]
    if len(several) > 1:
        return [*_of_several(several, look), opening]
    return [opening] if row_is_cut(request, look) else [button("Approve", ids.ROW_APPROVE, value, "primary"), opening]


def _of_several(several: Sequence[Request], look: Look) -> Iterator[Block]:
    """What can be done with identical calls: to reject them all takes no leave, to approve them does."""
    number, value = len(several), _value(several[0])
    if not row_is_cut(several[0], look):
        if may_be_approved_in_one_go(several[0]):
            yield button(f"Approve all {number}…", ids.IDENTICAL, value, "primary")
        yield button("Approve one", ids.ROW_APPROVE, value)
    yield button(f"Reject all {number}…", ids.REJECT_IDENTICAL, value, "danger")


def gist(request: Request, look: Look) -> str:
    """The arguments on one line, fit to be shown; of long ones the beginning."""
    return " · ".join(_said(item, look) for item in action.arguments(request, look))


def _said(item: Item, look: Look) -> str:
    return f"{item.label}: {item.whole.text if _on_a_line(item) else one_line(item.raw, look.key, SHORT)}"


def _on_a_line(item: Item) -> bool:
    """Does all of it stand on one line, and nobody can take a part of it for another argument?"""
    return item.short and DOTS.isdisjoint(item.label + item.whole.text) and "\n" not in item.whole.text


def _claim(request: Request, look: Look) -> str:
    """The agent's own words about the call, on one line, fit to be shown."""
    sure = f"{request.confidence:.0%} sure" if request.confidence is not None else ""
    reason = one_line(request.reason, look.key, WHOLE) if request.reason else ""
    return " · ".join(filter(None, (in_quotes(reason) if reason else "", sure)))
