"""Where the words of hostile calls stand beside others: threads, lists, shared messages, grants, refusals."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.slack import answers
from bot.slack.home_memo import HomeMemo
from bot.slack.memo import Memo
from bot.slack.views.agents import cooling, resumed
from bot.slack.views.batch import batch
from bot.slack.views.blocks import Block, plain, section
from bot.slack.views.digest import digest
from bot.slack.views.grant_form import grant_form, usual_terms
from bot.slack.views.grants import grant_news, grants_list
from bot.slack.views.home import listing, unknown_word
from bot.slack.views.inbox import home, inbox_form
from bot.slack.views.look import Look, Message
from bot.slack.views.modals import (
    modal,
)
from bot.slack.views.thread import absences, cooled_off, reminder, run_message, served, summons
from bot.slack.views.together import together_form
from policies.checkpoint import GrantBound, Kind
from policies.digest import Page, Part
from policies.effects import Post, TellOfCoolOff, TellOfGrant
from policies.errors import Fault, Faulty, Invalid, Stale
from policies.events import (
    Elapsed,
    Granted,
)
from policies.gathering import Plan
from policies.grant import Grant, leaves
from policies.granting import why_never
from policies.inbox import Inbox
from policies.lifecycle import apply
from policies.people import StandIn
from policies.request import Request
from policies.review import Verdict
from tests.slack.hostile_laws import Place, Shown, in_a_form, in_a_message
from tests.slack.hostile_requests import Arguments, a_look, a_person, a_question, a_request
from tests.slack.hostile_words import SECRET_PARTS, a_name, said
from tests.slack.samples import DEPUTIES, KEY, NOW, ask, checkpoint, verdict
from tests.slack.samples import after as then


def threads(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """Reminders, calls for help, who stands in, and the messages of an agent's own run."""
    look, request = a_look(dice), a_request(dice, arguments)
    away = replace(request, stand_ins=(StandIn(of="support", group=DEPUTIES, until=NOW + timedelta(days=3)),))
    yield reminder(request, look)
    yield summons(request, "seniors", look)
    yield summons(away, "deputies", look)
    yield absences(away, look)
    late = NOW + timedelta(hours=3)
    expired = then(request, Elapsed(), at=late), then(ask(arguments, tool=a_name(dice)), Elapsed(), at=late)
    yield served(expired[:1], look)
    yield served(expired, look)
    for kind in ("opening", "progress", "say"):
        told = Post(run_id="run_1", key="k", channel="C1", thread_ts=None, text=said(dice, 20_000), kind=kind)
        yield run_message(told, look)


def lists(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """Home, its rows, its search, and the lists of ``/approvals``."""
    look, request = a_look(dice), a_request(dice, arguments)
    question = ask({}, tool="", question=a_question(dice, bare=True))
    rejected = then(request, verdict("U0BEN", Verdict.REJECT, note=said(dice, 2_000)))
    inbox = Inbox(waiting=(request,), questions=(question,), mine=(request,), recent=(rejected,))
    yield home(inbox, look)
    yield inbox_form(inbox, look)
    yield in_a_message(listing("Waiting for you", (request, question, rejected), look, "Nothing."))
    for secret in dice.sample(SECRET_PARTS, 3):
        found = home(inbox, look, HomeMemo(q=secret[:90]))
        assert "Found (0)" in json.dumps(found), "nobody finds a secret by guessing at it"
    yield in_a_form(unknown_word(*(" ".join(said(dice, 200).split()) for _ in range(2)), look))


def floods(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
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
    yield in_a_form(cooling([(asker, NOW)], look))
    yield in_a_form(resumed(asker, look))


def grants(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
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
    yield in_a_message(grants_list((made, replace(made, used=made.most)), look))


def _told(grant: Grant, what: Any, used_by: Request | None, look: Look) -> Message:
    effect = TellOfGrant(request_id=grant.request_id, grant_id=grant.id, what=what, number=1, used_by=None)
    return grant_news(effect, grant, used_by, look)


def refusals(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """What people are told when something doesn't work, in words that quote what was sent."""
    look = a_look(dice)
    faults = tuple(Fault(where=f"/{name}", words=said(dice, 400)) for name in arguments)
    if faults:
        yield in_a_form(answers.sentence(Faulty(faults), look))
        yield _under(answers.at_text(Faulty(faults), KEY))
        yield _under(answers.at_field(faults[0], KEY))
    yield in_a_form(answers.sentence(Invalid(said(dice, 3_000)), look))
    yield in_a_form(answers.sentence(Stale(said(dice, 3_000)), look))


def _under(fault: str) -> Block:
    """A fault under its field."""
    return modal("x", "x", Memo(), [section(plain(fault))])


def together(dice: random.Random, arguments: Arguments) -> Iterator[Shown]:
    """Several calls approved in one go, and the morning's digest."""
    look, mine = a_look(dice), replace(a_request(dice, arguments), preview=())
    stays = tuple((replace(mine, id=f"req_{number}"), said(dice, 300)) for number in range(9))
    plan = Plan(approves=(mine, ask(arguments)), stays=stays, others=2)
    yield together_form(plan, mine, look, Memo(r=mine.id, v=1))
    rejected = then(mine, verdict("U0BEN", Verdict.REJECT, note=said(dice, 2_000)))
    parts = [
        Part(name=name, requests=(mine, rejected), more=1) for name in ("waiting", "escalated", "audits", "expired")
    ]
    yield digest(Page(parts=tuple(parts)), look)


ABOUT_MANY: tuple[Place, ...] = (threads, lists, floods, together, grants, refusals)
