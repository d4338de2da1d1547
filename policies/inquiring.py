"""Asking the agent, and its answer. The ladder's clock stands still meanwhile; who may decide and the call stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from policies.authority import check_fresh, check_may_stop
from policies.effects import Refresh, TellInquiry
from policies.errors import Conflict, Invalid, NotFound, Refused
from policies.events import Inquired, Outcome, Replied
from policies.inquiry import LONGEST_REPLY, LONGEST_TEXT, MOST, MOST_OPEN, Inquiry
from policies.request import Request
from policies.settling import entry


def inquire(request: Request, event: Inquired, now: datetime) -> Outcome:
    """``request`` with one more inquiry; its clock stands still until the agent has answered, within bounds."""
    check_fresh(event.person, now)
    check_may_stop(request, event.person)
    text = event.text.strip()
    if not 0 < len(text) <= LONGEST_TEXT:
        raise Refused(f"Ask in 1 to {LONGEST_TEXT:,} characters; nothing was asked.")
    check_room(request)
    person = event.person
    inquiry = Inquiry(id=event.inquiry_id, by=person.id, name=person.name, at=now, text=text)
    asked = replace(request, inquiries=(*request.inquiries, inquiry), pause=request.pause.begun(now))
    return _told(asked, inquiry, person.id, now)


def reply(request: Request, event: Replied, now: datetime) -> Outcome:
    """``request`` with the agent's answer; the same answer again changes nothing."""
    found = next((inquiry for inquiry in request.inquiries if inquiry.id == event.inquiry_id), None)
    if found is None:
        raise NotFound("Nobody asked this about the request. Read it again: `inquiries` holds the ids.")
    text = event.text.strip()
    if not 0 < len(text) <= LONGEST_REPLY:
        raise Invalid(f"must have 1 to {LONGEST_REPLY:,} characters besides spaces", where="/text")
    if found.answer is not None and found.answer != text:
        raise Conflict("This was answered already; the first answer stands.", code="already_answered")
    if found.answer is not None:
        return Outcome(request=request)
    answered = replace(found, answer=text, answered_at=now)
    told = replace(request, inquiries=tuple(answered if each is found else each for each in request.inquiries))
    told = told if told.unanswered else replace(told, pause=told.pause.over(now))
    return _told(told, answered, request.requester.id, now)


def check_room(request: Request) -> None:
    """Refuse one more inquiry where there are enough."""
    if len(request.inquiries) >= MOST:
        raise Conflict(f"The agent was asked {MOST} times about this already: decide, or talk with whoever runs it.")
    if len(request.unanswered) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} questions wait for the agent's answer already; wait for one of them.")


def _told(request: Request, inquiry: Inquiry, actor: str, now: datetime) -> Outcome:
    answered = inquiry.answer is not None
    told = TellInquiry(request_id=request.id, inquiry_id=inquiry.id, answered=answered)
    written = entry(request, "replied" if answered else "inquired", actor, now, inquiry=inquiry.id)
    return Outcome(request=request, effects=(Refresh(request_id=request.id), told), entries=(written,))
