"""Where else the words of a hostile call go in Slack, and what is proven of each place.

A place is made from the call's arguments and from hostile words of its own: what people are called, what they and the
agent say. Nothing in it is live or invisible, no secret stands in it, and any workspace takes it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.slack import answers
from bot.slack.editing import form_of
from bot.slack.home_memo import HomeMemo
from bot.slack.memo import Memo
from bot.slack.views.agents import cooling, resumed
from bot.slack.views.batch import batch
from bot.slack.views.blocks import Block, plain, section
from bot.slack.views.card import card
from bot.slack.views.digest import digest
from bot.slack.views.grant_form import grant_form, usual_terms
from bot.slack.views.grants import grant_news, grants_list
from bot.slack.views.home import history, listing, unknown_word
from bot.slack.views.inbox import home, inbox_form
from bot.slack.views.look import Look, Message
from bot.slack.views.modals import (
    answer_form,
    inquiry_form,
    is_last_page,
    modal,
    notice,
    object_form,
    reject_form,
    view_form,
)
from bot.slack.views.modify import json_form, modify_form
from bot.slack.views.thread import absences, cooled_off, inquired, reminder, run_message, served, summons
from policies.checkpoint import GrantBound, Kind
from policies.digest import Page, Part
from policies.edits import apply_edits
from policies.effects import Post, TellOfCoolOff, TellOfGrant
from policies.errors import AlreadySettled, Fault, Faulty, Invalid, Stale
from policies.events import (
    Answered,
    AuditMarked,
    Claimed,
    Delivered,
    Edit,
    Elapsed,
    Granted,
    Inquired,
    Replied,
    Reported,
    Snoozed,
    Stopped,
)
from policies.grant import Grant, leaves
from policies.granting import why_never
from policies.inbox import Inbox
from policies.lifecycle import apply
from policies.people import StandIn
from policies.request import ExecutionState, Request
from policies.review import Verdict
from policies.whole_call import json_text
from tests.slack.hostile_requests import Arguments, a_look, a_person, a_question, a_request, arguments_of
from tests.slack.hostile_words import SECRET_PARTS, a_name, a_text, said
from tests.slack.judging import check_form, check_message, everything, texts
from tests.slack.samples import DEPUTIES, KEY, NOW, ask, checkpoint, verdict
from tests.slack.samples import after as then
from tests.slack.shaped_calls import call as shaped_call

Place = Callable[[random.Random, Arguments], Iterator[Message | Block]]
FORMATTING = ("*Agreed*", "_by_", "~Ana~", "`ok`", "```", ":white_check_mark: Approved", "\n>")
PAGES = 6
"""Pages of View all that are looked at, and the last."""


def check(shown: Message | Block) -> None:
    """One message, form or Home."""
    if isinstance(shown, Message):
        check_message(shown)
        whole: Any = [shown.text, shown.blocks, shown.metadata]
        marked = [shown.text]
    else:
        check_form(shown)
        whole, marked = shown, []
    marked += [text for kind, text in texts(whole) if kind == "mrkdwn"]
    for text in (*everything(whole), str(shown.get("private_metadata", "")) if isinstance(shown, dict) else ""):
        for secret in SECRET_PARTS:
            assert secret not in text, secret
    for text in marked:
        for live in FORMATTING:
            assert live not in text, text


def _texts_of(blocks: list[Block]) -> Message:
    """Blocks that ``/approvals`` answers with."""
    return Message(text="", blocks=tuple(blocks), metadata={})


def _own(sentence: str) -> Block:
    return notice("Nothing was changed", sentence)


def _pages(request: Request, look: Look) -> Iterator[Block]:
    page = 0
    while True:
        last = is_last_page(request, look, page)
        if page < PAGES or last:
            yield view_form(request, look, Memo(r=request.id, v=1, p=page))
        if last:
            return
        page += 1


def pages(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
    """View all, and what asks back whoever approved too fast."""
    request, look = a_request(dice, arguments), a_look(dice)
    yield from _pages(request, look)
    yield view_form(request, look, Memo(r=request.id, v=1, h=900))


def drafts(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
    """A card with all that an agent says beside its call, and an inquiry about it."""
    look, asker = a_look(dice), a_person(dice, "U0ANA")
    request = then(a_request(dice, arguments), Inquired(person=asker, inquiry_id="inq_1", text=said(dice, 1_000)))
    yield inquired(request, request.inquiries[0], look)
    request = then(request, Replied(inquiry_id="inq_1", text=said(dice, 4_000)))
    request = then(request, Snoozed(person=asker, until=NOW + timedelta(hours=1)))
    yield inquired(request, request.inquiries[0], look)
    yield card(request, look)
    yield inquiry_form(request, look, Memo(r=request.id, v=1))


def modified(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
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
    yield _own(answers.meanwhile(changed, 1, lost, look))


def shaped(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
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


def decided(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
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
        yield _texts_of(history(standing, look))
        yield _own(answers.sentence(_late(standing), look, standing))
    yield from _pages(done, look)
    yield reject_form(request, look, Memo(r=request.id, v=1))


def _late(request: Request) -> AlreadySettled:
    decision = request.decision
    assert decision is not None
    return AlreadySettled("late", verdict=decision.verdict, by=decision.by, at=decision.at)


def proceeded(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
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


def asked(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
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
    yield _texts_of(history(answered, look))


def _answered(dice: random.Random, request: Request) -> Request:
    who = a_person(dice, "U0ANA")
    if request.question is not None and request.question.choices and dice.random() < 0.5:
        return then(request, Answered(person=who, revision=1, choice="0"))
    return then(request, Answered(person=who, revision=1, text=said(dice, 2_000)))


def threads(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
    """Reminders, calls for help, who stands in, and the messages of an agent's own run."""
    look, request = a_look(dice), a_request(dice, arguments)
    away = replace(request, stand_ins=(StandIn(of="support", group=DEPUTIES, until=NOW + timedelta(days=3)),))
    yield reminder(request, look)
    yield summons(request, "seniors", look)
    yield summons(away, "deputies", look)
    yield absences(away, look)
    yield served((then(request, Elapsed(), at=NOW + timedelta(hours=3)),), look)
    for kind in ("opening", "progress", "say"):
        told = Post(run_id="run_1", key="k", channel="C1", thread_ts=None, text=said(dice, 20_000), kind=kind)
        yield run_message(told, look)


def lists(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
    """Home, its rows, its search, the digest, and the lists of ``/approvals``."""
    look, request = a_look(dice), a_request(dice, arguments)
    question = ask({}, tool="", question=a_question(dice, bare=True))
    rejected = then(request, verdict("U0BEN", Verdict.REJECT, note=said(dice, 2_000)))
    inbox = Inbox(waiting=(request,), questions=(question,), mine=(request,), recent=(rejected,))
    yield home(inbox, look)
    yield inbox_form(inbox, look)
    yield digest(Page(parts=(Part(name="waiting", requests=(request, question, rejected), more=3),)), look, 7)
    yield _texts_of(listing("Waiting for you", (request, question, rejected), look, "Nothing."))
    for secret in dice.sample(SECRET_PARTS, 3):
        found = home(inbox, look, HomeMemo(q=secret[:90]))
        assert "Found (0)" in json.dumps(found), "nobody finds a secret by guessing at it"
    yield _own(unknown_word(*(" ".join(said(dice, 200).split()) for _ in range(2)), look))


def floods(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
    """Several calls in one message, and an agent that cools off after rejections."""
    look, request = a_look(dice), a_request(dice, arguments)
    other = ask(arguments, checkpoint(Kind.SOFT), tool=a_name(dice), reason=said(dice, 300))
    rejected = then(request, verdict("U0BEN", Verdict.REJECT, note=said(dice, 2_000)))
    yield batch((request, other, ask(arguments), rejected), look, range(1, 5))
    asker = replace(rejected, requester=replace(request.requester, name=said(dice, 80)))
    for what in ("begun", "ended"):
        effect = TellOfCoolOff(
            request_id=request.id, what=what, by="U0ANA", until=NOW + timedelta(hours=1), rejections=3, seconds=600
        )
        yield cooled_off(asker, effect, look)
    yield _own(cooling([(asker, NOW)], look))
    yield _own(resumed(asker, look))


def grants(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
    """The form for calls like this one, its notes and its list."""
    gate = checkpoint(grants=GrantBound())
    request, look = replace(a_request(dice, arguments, gate), preview=()), a_look(dice)
    if why_never(request) is not None:
        return
    free = [leaf.pointer for leaf in leaves(request.call.arguments) if leaf.may_differ and dice.random() < 0.5]
    terms = replace(usual_terms(request), loose=tuple(free))
    yield grant_form(request, terms, look, Memo(r=request.id, v=1))
    event = Granted(person=a_person(dice, "U0ANA"), revision=1, terms=terms, grant_id="grant_0011")
    made = apply(request, event, NOW).grant
    assert made is not None
    yield _told(made, "made", None, look)
    yield _told(made, "used", request, look)
    yield _texts_of(grants_list((made, replace(made, used=made.most)), look))


def _told(grant: Grant, what: Any, used_by: Request | None, look: Look) -> Message:
    effect = TellOfGrant(request_id=grant.request_id, grant_id=grant.id, what=what, number=1, used_by=None)
    return grant_news(effect, grant, used_by, look)


def refusals(dice: random.Random, arguments: Arguments) -> Iterator[Message | Block]:
    """What people are told when something doesn't work, in words that quote what was sent."""
    look = a_look(dice)
    faults = tuple(Fault(where=f"/{name}", words=said(dice, 400)) for name in arguments)
    if faults:
        yield _own(answers.sentence(Faulty(faults), look))
        yield _under(answers.at_text(Faulty(faults), KEY))
        yield _under(answers.at_field(faults[0], KEY))
    yield _own(answers.sentence(Invalid(said(dice, 3_000)), look))
    yield _own(answers.sentence(Stale(said(dice, 3_000)), look))


def _under(fault: str) -> Block:
    """A fault under its field."""
    return modal("x", "x", Memo(), [section(plain(fault))])


PLACES: tuple[Place, ...] = (
    pages, drafts, modified, shaped, decided, proceeded, asked, threads, lists, floods, grants, refusals,
)  # fmt: skip


def look_around(dice: random.Random, arguments: Arguments) -> str:
    """One of the places, chosen by ``dice``: its name. Raises ``AssertionError`` at a broken promise."""
    place = dice.choice(PLACES)
    for shown in place(dice, arguments):
        check(shown)
    return place.__name__
