"""The short messages around the cards: reminders, calls for help in the thread, and the agent's own messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.slack import ids
from bot.slack.views import words
from bot.slack.views.agents import whole_name
from bot.slack.views.blocks import Block, actions, button, mrkdwn, named, pieces, plain, section
from bot.slack.views.card import alarms, may_approve
from bot.slack.views.look import Look, Message, mention, moment
from bot.slack.views.text import clip, inert, inline, shown
from policies.budget import account_of, agent_of
from policies.delegation import Delegation
from policies.duration import in_words
from policies.effects import Post, TellOfCoolOff
from policies.inquiry import Inquiry
from policies.request import Request
from policies.visible import in_quotes

MENTIONS = 10
NAMED, SUBJECT = 10, 100
"""Calls that one message about many names, and escaped characters of each."""
TEXT = 8_500
"""Escaped characters of a run's message."""
STOPPABLE = "progress"
"""The kind of run message under which the run can be stopped."""


def _calls(request: Request, members: tuple[str, ...], look: Look) -> str:
    """Mentions of those who may still approve: nobody who is excluded, is away, has approved or asked somebody else."""
    done = {review.by for review in request.approvals} | words.passed_on(request)
    able = [who for who in may_approve(request, look) if who in members and who not in done and who not in look.away]
    return " ".join(mention(who) for who in able[:MENTIONS])


def reminder(request: Request, look: Look, waiting: int = 1) -> Message:
    """Still waiting: for whom, and until when. ``waiting`` is how many calls of the message do."""
    members = (
        *(who for group in request.reviewers for who in look.members.get(group.name, ())),
        *(one.to for one in request.delegated),
    )
    until = f" {words.silence(request)} {moment(request.deadline_at)}." if request.deadline_at else ""
    if waiting > 1:
        called = _calls(request, members, look)
        return _said(request, f"{called} {waiting} of these calls still wait for a decision.".strip())
    waits = "waits for an answer" if request.asking else "waits for a decision"
    about = inert(words.title(request, look) if request.asking else words.subject(request, look))
    return _said(request, f"{_calls(request, members, look)} {about} still {waits}.{until}".strip())


def summons(request: Request, group: str, look: Look, waiting: int = 1) -> Message:
    """A further group may decide from now on: since nobody has decided, or since others are out of office.

    ``waiting`` is how many calls of the message wait.
    """
    called = _calls(request, look.members.get(group, ()), look)
    name = inline(group, look.key, 40)
    until = f" {words.silence(request)} {moment(request.deadline_at)}." if request.deadline_at else ""
    why = next((words.stood_in(one, look) for one in request.stand_ins if one.group.name == group), None)
    if waiting > 1 and why is None:
        return _said(request, f"{called} {waiting} of these calls still wait, so {name} may decide too.".strip())
    did, may = ("answered", "answer") if request.asking else ("decided", "decide")
    return _said(request, f"{called} {why or f'Nobody has {did} yet, so {name} may {may} too'}.{until}".strip())


def absences(request: Request, look: Look) -> Message:
    """Who was asked in the place of whom, with those who are called."""
    asked = [who for one in request.stand_ins for who in look.members.get(one.group.name, ())]
    said = [f"{words.stood_in(one, look)}." for one in request.stand_ins[:5]]
    return _said(request, " ".join([_calls(request, tuple(asked), look), *said]).strip())


def called_in(request: Request, delegation: Delegation, look: Look) -> Message:
    """Somebody asks somebody else to decide: told to whom they asked, where the others see it."""
    by = inline(delegation.by_name, look.key, 60)
    note = f" {in_quotes(inline(delegation.note, look.key, 300))}" if delegation.note else ""
    did = "answer" if request.asking else "decide"
    over = f" {by} handed it over to you." if delegation.hands_over else ""
    until = f" {words.silence(request)} {moment(request.deadline_at)}." if request.deadline_at else ""
    about = inert(words.title(request, look))
    return _said(request, f"{mention(delegation.to)} {by} asks you to {did} this: {about}.{over}{note}{until}".strip())


def inquired(request: Request, inquiry: Inquiry, look: Look) -> Message:
    """What somebody asked the agent; with the answer, that: its own words, which nobody checked."""
    who = inline(inquiry.name, look.key, 60)
    agent = inline(request.requester.name, look.key, 60)
    lead = f":speech_balloon: {who} asks {agent}:"
    if inquiry.answer is not None:
        lead = f"{mention(inquiry.by)} {agent} answers, in its own words (not checked):"
    said = inquiry.text if inquiry.answer is None else inquiry.answer
    whole = shown(said, look.key, TEXT)
    blocks = [section(mrkdwn(lead)), *(section(plain(piece)) for piece in pieces(whole.text)), *alarms(whole.warnings)]
    payload = {"event_type": "signoff_note", "event_payload": {"request_id": request.id}}
    text = f"{lead} {inline(said, look.key, 300)}"
    return Message(text=text, blocks=tuple(named(blocks, f"n{request.version}")), metadata=payload)


def cooled_off(request: Request, effect: TellOfCoolOff, look: Look) -> Message:
    """The agent cools off: why, until when, and who may let it go on; or somebody did."""
    agent = whole_name(request, look)
    if effect.what == "ended":
        return _said(request, f":arrow_forward: {inline(look.name(effect.by), look.key, 60)} lets {agent} ask again.")
    name = inline(agent_of(account_of(request.requester)), look.key, 60)
    count = "1 of its calls was" if effect.rejections == 1 else f"{effect.rejections} of its calls were"
    within = "" if effect.rejections == 1 else f" within {in_words(timedelta(seconds=effect.seconds))}"
    why = f"{count} rejected{within}"
    return _said(
        request,
        f":pause_button: {agent} asks nothing new until {moment(effect.until)}: {why}. What waits already can still be"
        f" decided; each further rejection makes it longer. */approvals resume {name}* ends it at once.",
    )


def served(requests: Sequence[Request], look: Look) -> Message:
    """How requests ended that were asked on the reader's behalf."""
    return _served(requests[0], look) if len(requests) == 1 else _all_served(requests, look)


def _all_served(requests: Sequence[Request], look: Look) -> Message:
    """Of many the first by name: the rest stands on their cards and in Home."""
    number = f"{len(requests)} calls that were asked on your behalf"
    if requests[0].audit == "objected":
        ended = f":eyes: {number} went ahead, since nobody stopped them; then somebody objected."
    else:
        ended = f":clock1: {number} expired: nobody decided in time. Ask the agent again for what is still needed."
    lines = [f"• {inert(clip(words.subject(request, look), SUBJECT))}" for request in requests[:NAMED]]
    more = [f"and {len(requests) - NAMED} more"] if len(requests) > NAMED else []
    return _said(requests[0], "\n".join([ended, *lines, *more]))


def _served(request: Request, look: Look) -> Message:
    tool = inert(words.subject(request, look))
    agent = inline(request.requester.name, look.key, 60)
    if request.audit == "objected":
        went = f":eyes: {tool} went ahead on your behalf, since nobody stopped it."
        return _said(request, f"{went} {inert(words.looked_at(request, look))}")
    if request.question is not None and request.answer is None:
        return _said(
            request,
            f":clock1: {tool} expired: nobody answered in time, so {agent} went without. "
            "Ask the agent again if it is still needed.",
        )
    return _said(
        request,
        f":clock1: {tool} expired: nobody decided in time, so {agent} did not run it on your behalf. "
        "Ask the agent again if it is still needed.",
    )


def _said(request: Request, text: str) -> Message:
    blocks = [section(mrkdwn(text))]
    payload = {"event_type": "signoff_note", "event_payload": {"request_id": request.id}}
    return Message(text=text, blocks=tuple(named(blocks, f"n{request.version}")), metadata=payload)


def run_message(post: Post, look: Look, owed_id: int | None = None) -> Message:
    """A message of the agent's run. Its text is the agent's (or quotes a person): nothing in it is live."""
    lead = "Working on: " if post.kind == "opening" else ""
    whole = lead + shown(post.text, look.key, TEXT).text
    blocks: list[Block] = [section(plain(piece)) for piece in pieces(whole)]
    if post.kind == STOPPABLE:
        blocks.append(actions([button("Stop the agent", ids.STOP_RUN, post.run_id, "danger")]))
    payload = {"run_id": post.run_id, **({"owed_id": owed_id} if owed_id is not None else {})}
    return Message(
        text=lead + inline(post.text, look.key, 300),
        blocks=tuple(named(blocks, f"run.{post.key}"[:200])),
        metadata={"event_type": ids.RUN_TYPE, "event_payload": payload},
    )
