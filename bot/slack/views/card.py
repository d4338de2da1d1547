"""The card: what will happen, why it was stopped, who decides and until when, in one Slack message.

All texts together stay under ``BUDGET`` escaped characters. What doesn't fit is cut with a notice, and then the card
has no Approve: whoever approves has had the whole action before them (in View all). While a question is open the card
asks it, and offers answers in the place of approvals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.slack import ids
from bot.slack.views import action, question, words
from bot.slack.views.blocks import Block, actions, button, context, header, mrkdwn, named, plain
from bot.slack.views.headline import headline
from bot.slack.views.layout import Laid, lay_out
from bot.slack.views.look import Look, Message, mention, moment
from bot.slack.views.more import more
from bot.slack.views.text import clip, one_line
from policies.checkpoint import Kind
from policies.request import ExecutionState, Request, State

BUDGET = 9_000
"""Escaped characters of all blocks together; Slack refuses messages somewhere above 11,000."""
ARGUMENTS, EDITS, DRAFTS, CLAIMS, OUTCOME = 4_000, 1_000, 1_000, 900, 500
ANSWERED = 1_000
"""What a question and its answer may take, of the room that is the arguments' without one."""
ASKED_ABOUT = 2_000
"""What the arguments may take beside an open question."""
INQUIRIES = 1_000
"""What people asked the agent and its answers may take, of the same room."""
MENTIONS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Whether a card is cut, and how many characters somebody has to read who reads all of the request."""

    cut: bool
    characters: int


def card(request: Request, look: Look, owed_id: int | None = None) -> Message:
    """The card of ``request`` as it stands. ``owed_id`` marks this copy, so that an uncertain post is found again."""
    parts = _parts(request, look)
    cut = any(part.cut for part in parts)
    blocks = [header(words.title(request, look)), _who_asks(request, look)]
    for part in parts:
        blocks.extend(part.blocks)
    if request.question is not None and request.asking and not cut:
        blocks[2 + len(parts[0].blocks) : 2 + len(parts[0].blocks)] = question.answers(request, request.question, look)
    blocks.extend(_remarks(request, parts, cut))
    blocks.extend(told(request, look))
    blocks.extend(_standing(request, look))
    buttons = _buttons(request, cut)
    payload = {"request_id": request.id, **({"owed_id": owed_id} if owed_id is not None else {})}
    return Message(
        text=words.sentence(request, look),
        blocks=tuple(
            named([*blocks, *([actions(buttons)] if buttons else [])], f"r{request.revision}v{request.version}")
        ),
        metadata={"event_type": ids.EVENT_TYPE, "event_payload": payload},
        cut=cut,
    )


def is_cut(request: Request, look: Look) -> bool:
    """Does the card leave something out, so that nobody may approve from it? Depends on request and key alone."""
    return any(part.cut for part in _parts(request, look))


def measured(request: Request, look: Look) -> Measured:
    """As ``is_cut``, and how long the request is, at once: a click waits for it."""
    parts = _parts(request, look)
    return Measured(cut=any(part.cut for part in parts), characters=sum(part.length for part in parts))


def why_form(request: Request, look: Look) -> str | None:
    """Why the request isn't to be approved by a word alone, in mrkdwn; None where a plain card says all there is.

    Whoever types an id has perhaps seen an earlier revision, or none: then the whole call comes first.
    """
    if request.asking:
        return "A question is open before this call."
    if request.checkpoint.kind is Kind.MANUAL:
        return "Approving this takes a typed confirmation."
    if request.checkpoint.kind is not Kind.HARD:
        return "This isn't held for an approval alone."
    if request.revision > 1 or request.answer is not None:
        return "This was changed since the agent proposed it."
    parts = _parts(request, look)
    if any(part.warnings for part in parts):
        return "Something about its texts is suspicious."
    return "This is too long for an answer here." if any(part.cut for part in parts) else None


def _parts(request: Request, look: Look) -> tuple[Laid, ...]:
    if request.question is not None and request.asking:
        first, room = question.asked(request, request.question, look), ASKED_ABOUT
    else:
        found = question.answered(request, look)
        first = lay_out(found, look.key, characters=ANSWERED, most_blocks=2)
        room = ARGUMENTS - ANSWERED if found else ARGUMENTS
    inquiries = lay_out(action.inquiries(request, look), look.key, characters=INQUIRIES, most_blocks=6)
    room -= INQUIRIES if inquiries.blocks else 0
    return (
        first,
        lay_out(action.arguments(request, look), look.key, characters=room, most_blocks=20),
        lay_out(action.edits(request, look), look.key, characters=EDITS, most_blocks=1),
        lay_out(action.drafts(request, look), look.key, characters=DRAFTS, most_blocks=5),
        lay_out(action.claims(request, look), look.key, characters=CLAIMS, most_blocks=2),
        inquiries,
        lay_out(action.outcome(request, look), look.key, characters=OUTCOME, most_blocks=1),
    )


def _who_asks(request: Request, look: Look) -> Block:
    agent = one_line(request.requester.name, look.key, 60)
    owner = request.requester.owner
    served = f" for {one_line(look.name(owner), look.key, 60)}" if owner is not None else ""
    tool = one_line(request.call.tool, look.key, 60)
    runs = f" · runs {tool}" if headline(request, look) != tool else ""
    elements = [mrkdwn(words.stand(request)), plain(f"Asked by {agent}{served}{runs}")]
    if request.on_behalf_of is not None and request.on_behalf_of != owner:
        served = one_line(look.name(request.on_behalf_of), look.key, 60)
        elements.append(plain(f"The agent says it acts for {served} (not checked)"))
    if request.group is not None and request.group.size > 1 and not request.settled:
        elements.append(plain(f"One of {request.group.size} calls that the agent waits for together"))
    return context(*elements)


def facts(request: Request, look: Look) -> Iterator[Block]:
    """Who asks, who decides, until when or how it ended: what a form repeats from the card."""
    yield _who_asks(request, look)
    yield from _standing(request, look)


def alarms(warnings: Sequence[str]) -> Iterator[Block]:
    """What is suspicious about the texts: look-alike letters, hidden characters, turned reading order."""
    if warnings:
        shown = [plain(f"⚠️ {clip(warning, 200)}") for warning in warnings[:3]]
        more = [plain(f"… and {len(warnings) - 3} more warnings")] if len(warnings) > 3 else []
        yield context(*shown, *more)


def _remarks(request: Request, parts: tuple[Laid, ...], cut: bool) -> Iterator[Block]:
    yield from alarms([warning for part in parts for warning in part.warnings])
    if cut:
        did = "answer" if request.asking else "decide"
        pending = f" Open *View all* to read the rest and {did}." if not request.settled else ""
        yield context(mrkdwn(f"✂️ This card doesn't show everything.{pending}"))


def told(request: Request, look: Look) -> Iterator[Block]:
    """The rule that stopped the call and its reason, or what comes after the answer; nothing where no call waits."""
    elements = tuple(_why(request, look))
    if elements:
        yield context(*elements)


def _why(request: Request, look: Look) -> Iterator[Block]:
    checkpoint = request.checkpoint
    rule = one_line(checkpoint.rule, look.key, 60)
    if request.asking:
        yield plain(_afterwards(request, rule))
        return
    if request.bare:
        return
    reason = checkpoint.reason.removeprefix(f"{checkpoint.rule}: ")
    did = "Allowed" if checkpoint.kind is Kind.ALLOW else "Stopped"
    yield plain(f"{did} by the rule “{rule}”: {one_line(reason, look.key, 300)}")
    if checkpoint.required_by:
        yield plain(f"Required by {one_line(checkpoint.required_by, look.key, 60)}")
    if checkpoint.self_approval and checkpoint.kind is not Kind.MANUAL:
        yield plain("The policy lets the person it is for approve it too")


def _afterwards(request: Request, rule: str) -> str:
    """What comes after the answer: the call's own gate."""
    if request.bare:
        return "No call waits behind this question: the answer goes to the agent"
    told = {
        Kind.ALLOW: f"After the answer the policy lets the call run, by its rule “{rule}”",
        Kind.SOFT: f"After the answer the call goes ahead unless someone stops it, by the rule “{rule}”",
    }
    if request.checkpoint.kind not in told:
        return f"After the answer the call still needs approval, by the rule “{rule}”"
    held = request.question is not None and request.question.on_words is not None
    return told[request.checkpoint.kind] + ("; after an answer in words people look at it first" if held else "")


def _standing(request: Request, look: Look) -> Iterator[Block]:
    if not request.settled:
        yield context(*_who_may(request, look))
        if request.stand_ins:
            yield context(*(mrkdwn(f":palm_tree: {words.stood_in(one, look)}.") for one in request.stand_ins[:5]))
        yield from (context(plain(f"🤝 {words.asked(one, request, look)}")) for one in request.delegated[-3:])
        soft = request.checkpoint.kind is Kind.SOFT and not request.asking
        counted = () if soft and not request.approvals else (plain(words.progress(request, look)),)
        yield context(*counted, mrkdwn(_until(request)), *_left(request, look))
        if waited := words.paused(request):
            yield context(mrkdwn(waited))
        if request.snoozed is not None:
            who = one_line(request.snoozed.name, look.key, 60)
            yield context(plain(f"💤 {who} put off the reminders until"), mrkdwn(moment(request.snoozed.until)))
        return
    decided, ran = words.decided(request, look), words.ran(request, look)
    if decided and request.decision:
        yield context(plain(decided), mrkdwn(moment(request.decision.at)))
    if ran and request.execution:
        yield context(plain(ran), mrkdwn(moment(request.execution.at)))
    permit = request.permit_expires_at
    if permit is not None:
        yield context(mrkdwn(f"The agent may run it, once, until {moment(permit)}"))
    if request.audit == "open":
        yield context(mrkdwn(":eyes: Nobody looked at this before it went ahead. Please look now."))
    elif request.audit is not None:
        yield context(plain(words.looked_at(request, look)))


def _until(request: Request) -> str:
    if (request.proceeds or (request.asking and request.waits_for_delivery)) and request.delivered_at is None:
        return words.silence(request)
    latest = " at the latest" if request.pause.since is not None else ""
    end = f" {moment(request.deadline_at)}{latest}" if request.deadline_at else ""
    return f"{words.silence(request)}{end}"


def _left(request: Request, look: Look) -> Iterator[Block]:
    """How long what goes ahead on silence can still be stopped. It was so long when this was drawn, hence "at most"."""
    end, runs = request.deadline_at, request.delivered_at is not None and request.pause.since is None
    if request.proceeds and runs and end is not None and end > look.now:
        yield plain(words.left(end - look.now))


def _who_may(request: Request, look: Look) -> Iterator[Block]:
    """The groups' names and the first few people who may approve; nobody is mentioned twice, nobody who is excluded."""
    served = [one_line(look.name(who), look.key, 60) for who in (request.requester.owner,) if who and request.asking]
    if all(group.empty for group in request.reviewers) and not served:
        yield plain("Nobody may decide this: the policy names no reviewers")
        return
    names = [one_line(group.name, look.key, 40) for group in request.reviewers[:4] if not group.empty]
    yield plain(f"May {'answer' if request.asking else 'decide'}: {', '.join([*names, *served])}")
    able = may_approve(request, look)
    here = [who for who in able if who not in look.away]
    if here:
        more = f" and {len(here) - MENTIONS} more" if len(here) > MENTIONS else ""
        yield mrkdwn(" ".join(_mentioned(who, look) for who in here[:MENTIONS]) + more)
    away = [who for who in able if who in look.away]
    if away:
        more = f" and {len(away) - MENTIONS} more" if len(away) > MENTIONS else ""
        yield plain(", ".join(words.named(who, look, request, _absent(who, look)) for who in away[:MENTIONS]) + more)


def may_approve(request: Request, look: Look) -> tuple[str, ...]:
    """The ids of those who may approve, as far as they are known: nobody whom the request excludes, or who handed it
    over; each once.
    """
    consent = request.checkpoint.self_approval and request.checkpoint.kind is not Kind.MANUAL
    excluded = () if consent else request.excluded
    members = [who for group in request.reviewers for who in look.members.get(group.name, ())]
    members += [one.to for one in request.delegated]
    able = (who for who in dict.fromkeys(members) if who not in excluded and not request.stepped_back(who))
    return tuple(filter(mention, able))


def _absent(who: str, look: Look) -> str:
    outside = look.outsiders.get(who)
    return f"{outside}, away" if outside else "away"


def _mentioned(who: str, look: Look) -> str:
    outside = look.outsiders.get(who)
    return f"{mention(who)} ({outside})" if outside else mention(who)


def _buttons(request: Request, cut: bool) -> list[Block]:
    value = str(ids.Target(request_id=request.id, revision=request.revision))
    buttons = _pending(request, cut) if request.state is State.PENDING else settled_buttons(request)
    if cut:
        buttons.append(("View all", ids.VIEW, "primary" if request.state is State.PENDING else None))
    return [*(button(label, action_id, value, style) for label, action_id, style in buttons), *more(request, cut)]


def _pending(request: Request, cut: bool) -> list[tuple[str, str, str | None]]:
    modify = ("Modify", ids.MODIFY, None)
    if request.asking:
        return [("Decline to answer" if request.bare else "Reject the call", ids.REJECT, "danger")]
    if request.checkpoint.kind is Kind.SOFT:
        return [("Stop", ids.STOP, "danger"), modify]
    approve = "Approve…" if request.checkpoint.kind is Kind.MANUAL else "Approve"
    first = [] if cut else [(approve, ids.APPROVE, "primary")]
    return [*first, modify, ("Reject", ids.REJECT, "danger")]


def settled_buttons(request: Request) -> list[tuple[str, str, str | None]]:
    """What can still be done with a settled request: label, ``action_id`` and style of each button."""
    buttons: list[tuple[str, str, str | None]] = []
    state = request.execution.state if request.execution else None
    if state is ExecutionState.UNCLAIMED:
        buttons.append(("Stop", ids.STOP, "danger"))
    if state is ExecutionState.UNKNOWN:
        buttons += [("It ran", ids.RAN, None), ("It didn't run", ids.DIDNT_RUN, None)]
    if request.audit == "open":
        buttons += [("Seen, it's fine", ids.SEEN, None), ("I object", ids.OBJECT, "danger")]
    return buttons
