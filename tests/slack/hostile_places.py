"""Where else the words of a hostile call go in Slack, and what is proven of each place.

A place is made from the call's arguments and from hostile words of its own: what people are called, what they and the
agent say. Nothing in it is live or invisible, no secret stands in it, and any workspace takes it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.slack import answers
from bot.slack.editing import form_of
from bot.slack.memo import Memo
from bot.slack.views.blocks import Block
from bot.slack.views.card import card
from bot.slack.views.delegate_form import delegate_form
from bot.slack.views.home import history, listing
from bot.slack.views.look import Look
from bot.slack.views.modals import (
    answer_form,
    inquiry_form,
    is_last_page,
    object_form,
    reject_form,
    view_form,
)
from bot.slack.views.modify import json_form, modify_form
from bot.slack.views.thread import called_in, inquired, reminder, served
from bot.slack.views.whole import whole_file
from policies.checkpoint import Kind
from policies.edits import apply_edits
from policies.errors import AlreadySettled
from policies.events import (
    Answered,
    AuditMarked,
    Claimed,
    Delegated,
    Delivered,
    Edit,
    Elapsed,
    Inquired,
    Replied,
    Reported,
    Snoozed,
    Stopped,
)
from policies.request import ExecutionState, Request
from policies.review import Verdict
from policies.whole_call import json_text
from tests.slack.hostile_laws import Place, Shown, in_a_form, in_a_message
from tests.slack.hostile_requests import Arguments, a_look, a_person, a_question, a_request, arguments_of
from tests.slack.hostile_words import a_name, a_text, said
from tests.slack.samples import KEY, NOW, ask, checkpoint, verdict
from tests.slack.samples import after as then
from tests.slack.shaped_calls import call as shaped_call

PAGES = 6
"""Pages of View all that are looked at, and the last."""


def _pages(request: Request, look: Look) -> Iterator[Block]:
    page = 0
    while True:
        last = is_last_page(request, look, page)
        if page < PAGES or last:
            yield view_form(request, look, Memo(r=request.id, v=1, p=page))
        if last:
            return
        page += 1


def pages(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """View all, what asks back whoever approved too fast, and all of it as a file."""
    look, request = a_look(dice), a_request(dice, arguments)
    yield from _pages(request, look)
    yield view_form(request, look, Memo(r=request.id, v=1, h=900))
    yield whole_file(request, look)


def drafts(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """A card with all that an agent says beside its call, and an inquiry about it."""
    look, asker = a_look(dice), a_person(dice, "U0ANA")
    request = then(a_request(dice, arguments), Inquired(person=asker, inquiry_id="inq_1", text=said(dice, 1_000)))
    yield inquired(request, request.inquiries[0], look)
    request = then(request, Replied(inquiry_id="inq_1", text=said(dice, 4_000)))
    request = then(request, Snoozed(person=asker, until=NOW + timedelta(hours=1)))
    yield inquired(request, request.inquiries[0], look)
    yield card(request, look)
    yield inquiry_form(request, look, Memo(r=request.id, v=1))


def modified(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """Modify's form, and the card with before and after."""
    look, request = a_look(dice), a_request(dice, arguments)
    memo = Memo(r=request.id, v=1)
    form = form_of(request, memo, KEY)
    view = modify_form(request, form, look, memo)
    yield view
    assert json.dumps(apply_edits(form, {}).arguments) == json.dumps(dict(arguments)), (
        "an untouched form changes nothing"
    )
    text = json_text(form.root.value, KEY)
    if text is not None:
        yield json_form(request, text, look, memo)
    texts = {place: said(dice, 2_000) for place, _ in enumerate(request.preview)}
    edit = Edit(arguments=arguments_of(dice), checkpoint=checkpoint(quorum=2), drafts=texts)
    made = replace(verdict("U0ANA", Verdict.MODIFY, edit=edit), person=a_person(dice, "U0ANA"))
    changed = then(a_request(dice, arguments, checkpoint(quorum=2)), made)
    yield card(changed, look)
    yield from _pages(changed, look)
    lost = [said(dice, 100)]
    yield in_a_form(answers.meanwhile(changed, 1, lost, look))


def shaped(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """A form whose schema deceives too."""
    schema, made = shaped_call(dice.randint(0, 10**6))
    schema = _spoilt(schema, dice)
    request = ask(made, tool=a_name(dice), schema=schema)
    memo = Memo(r=request.id, v=1)
    yield modify_form(request, form_of(request, memo, KEY), a_look(dice), memo)


def _spoilt(part: Any, dice: random.Random) -> Any:
    if isinstance(part, dict):
        words = {name: said(dice, 600) for name in ("title", "description") if "type" in part and dice.random() < 0.5}
        return {**{name: _spoilt(inner, dice) for name, inner in part.items()}, **words}
    return [_spoilt(inner, dice) for inner in part] if isinstance(part, list) else part


def decided(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """What became of it, in people's and the agent's words."""
    look, request = a_look(dice), a_request(dice, arguments)
    note, who = said(dice, 2_000), a_person(dice, "U0ANA")
    rejected = then(request, replace(verdict("U0ANA", Verdict.REJECT, note=note), person=who))
    approved = then(request, replace(verdict("U0ANA", Verdict.APPROVE), person=who))
    claimed = then(approved, Claimed(digest=approved.digest))
    result = {"said": a_text(dice).encode("utf-8", "replace").decode(), **arguments}
    report = Reported(state=dice.choice((ExecutionState.SUCCEEDED, ExecutionState.FAILED)), note=note, result=result)
    done = then(claimed, report)
    for standing in (rejected, done, then(approved, Stopped(person=a_person(dice, "U0BEN"), note=note))):
        yield card(standing, look)
        yield in_a_message(history(standing, look))
        yield in_a_form(answers.sentence(_late(standing), look, standing))
    yield from _pages(done, look)
    yield reject_form(request, look, Memo(r=request.id, v=1))


def _late(request: Request) -> AlreadySettled:
    decision = request.decision
    assert decision is not None
    return AlreadySettled("late", verdict=decision.verdict, by=decision.by, at=decision.at)


def proceeded(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """What went ahead on silence, and an objection to it."""
    look, later = a_look(dice), NOW + timedelta(minutes=2)
    request = then(then(a_request(dice, arguments, checkpoint(Kind.SOFT)), Delivered()), Elapsed(), at=later)
    mark = AuditMarked(
        person=replace(a_person(dice, "U0ANA"), looked_up_at=later), mark="objected", note=said(dice, 2_000)
    )
    objected = then(request, mark, at=later)
    yield card(objected, look)
    yield served((objected,), look)
    yield object_form(request, look, Memo(r=request.id, v=1))


def asked(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """A question before the call, or alone, and its answer."""
    look, bare = a_look(dice), dice.random() < 0.3
    question = a_question(dice, bare=bare)
    request = ask({}, tool="", question=question) if bare else a_request(dice, arguments, question=question)
    yield card(request, look)
    yield answer_form(request, look, Memo(r=request.id, v=1))
    yield reminder(request, look)
    yield from _pages(request, look)
    answered = _answered(dice, request)
    yield card(answered, look)
    yield in_a_message(history(answered, look))


def _answered(dice: random.Random, request: Request) -> Request:
    who = a_person(dice, "U0ANA")
    if request.question is not None and request.question.choices and dice.random() < 0.5:
        return then(request, Answered(person=who, revision=1, choice="0"))
    return then(request, Answered(person=who, revision=1, text=said(dice, 2_000)))


def delegated(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """A reviewer asks another to decide, and hands it over."""
    look, request = a_look(dice), a_request(dice, arguments)
    asker, other = a_person(dice, "U0ANA"), a_person(dice, "U0BEN")
    event = Delegated(person=asker, to=other, note=said(dice, 280), hands_over=dice.random() < 0.5)
    yield delegate_form(request, asker, look, Memo(r=request.id, v=1))
    asked_of = then(request, event)
    yield card(asked_of, look)
    yield called_in(asked_of, asked_of.delegations[-1], look)
    yield reminder(asked_of, look)
    yield in_a_message(history(asked_of, look))
    yield in_a_message(listing("Waiting for you", (asked_of,), look, "Nothing."))


ABOUT_ONE: tuple[Place, ...] = (pages, drafts, modified, shaped, decided, proceeded, asked, delegated)
