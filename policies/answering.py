"""What an answer does: the call, changed if the answer changes it, meets its gate as a new revision. No more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from policies.arguments import canonical, digest
from policies.authority import check_fresh, check_may_answer
from policies.checkpoint import Act, Checkpoint, Kind
from policies.effects import Announce, AttachAgain, Refresh
from policies.errors import Conflict, Refused, Stale
from policies.events import Answered, Outcome
from policies.joining import join_early, with_their_deputies
from policies.preview import followed
from policies.question import LONGEST_ANSWER, SILENCE, Answer, Choice, Question, in_words
from policies.request import Request, State
from policies.review import Review, Verdict
from policies.settling import entry, settle


def answer(request: Request, event: Answered, now: datetime) -> Outcome:
    """A person's answer: once, final, and no approval of anything."""
    check_fresh(event.person, now)
    question = _open_question(request)
    if event.revision != request.revision:
        raise Stale(f"This is revision {request.revision} by now; look at it again before you answer.")
    check_may_answer(request, event.person)
    choice, text = _said(question, event)
    given = Answer(by=event.person.id, name=event.person.name, at=now, choice=choice, text=text)
    review = Review(
        by=given.by,
        name=event.person.name,
        verdict=Verdict.ANSWER,
        at=now,
        revision=request.revision,
        note=in_words(question, given),
        groups=request.groups_of(event.person),
    )
    chosen = question.choice(given.choice)
    gate = (chosen.gate if chosen else question.on_words) or request.checkpoint
    return _go_on(replace(request, reviews=(*request.reviews, review)), given, chosen, gate, now)


def guess(request: Request, now: datetime) -> Outcome:
    """Nobody answered: the agent's best guess stands, or the call as proposed; marked as a guess."""
    question = _open_question(request)
    chosen = question.guessed
    text = None if chosen else question.best_guess
    given = Answer(by=SILENCE, at=now, choice=chosen.id if chosen else None, text=text, guessed=True)
    return _go_on(request, given, chosen, question.on_silence or request.checkpoint, now)


def refuse_while_open(request: Request) -> None:
    """Refuse a decision on a call about which a question is open."""
    if request.asking:
        raise Conflict("A question about this call is still open: answer it first, or reject.", code="question_open")


def refuse_second(request: Request) -> None:
    """Refuse one more answer where there is one already, and say whose."""
    if request.answer is not None:
        who = "Nobody answered in time, so the best guess stands" if request.answer.guessed else None
        words = who or f"{request.answer.name} answered this already"
        raise Conflict(f"{words}; nothing was changed.", code="already_answered")


def _open_question(request: Request) -> Question:
    refuse_second(request)
    if request.question is None:
        raise Conflict("There is no question here; nothing was changed.", code="no_question")
    return request.question


def _said(question: Question, event: Answered) -> tuple[str | None, str | None]:
    if event.choice is not None:
        if question.choice(event.choice) is None:
            raise Refused("This isn't one of the answers to choose from; nothing was changed.")
        return event.choice, None
    text = (event.text or "").strip()
    if not question.free_text:
        raise Refused("Choose one of the answers; this question takes no others.")
    if not 0 < len(text) <= LONGEST_ANSWER:
        raise Refused(f"Write an answer of 1 to {LONGEST_ANSWER:,} characters.")
    return None, text


def _go_on(request: Request, given: Answer, chosen: Choice | None, gate: Checkpoint, now: datetime) -> Outcome:
    ids = [choice.id for choice in request.question.choices] if request.question else []
    place = ids.index(given.choice) + 1 if given.choice in ids else None  # its id is the agent's word
    answered = entry(request, "answered", given.by, now, choice=place, guessed=given.guessed, revision=request.revision)
    told = Outcome(request=replace(request, answer=given), entries=(answered,))
    if request.bare:
        return told.then(settle(told.request, State.ANSWERED, (given.by,), now, None))
    revised = _revised(request, given, chosen, gate)
    written = entry(revised, "revised", given.by, now, revision=revised.revision, digest=revised.digest)
    outcome = told.then(Outcome(request=revised, entries=(written,)))
    if gate.kind in (Kind.ALLOW, Kind.DENY):
        state = State.APPROVED if gate.kind is Kind.ALLOW else State.REJECTED
        return outcome.then(settle(revised, state, ("policy",), now, gate.reason))
    again = AttachAgain(request_id=request.id, revision=revised.revision)
    shown = (Refresh(request_id=request.id), Announce(request_id=request.id), again)
    return outcome.then(_with_early(request, Outcome(request=revised, effects=shown), now))


def _revised(request: Request, given: Answer, chosen: Choice | None, gate: Checkpoint) -> Request:
    """The new revision behind ``gate``, whose clock starts at the answer.

    Whoever joined to answer doesn't decide. Where silence will let the call go, its card must be seen once more first.
    """
    arguments = chosen.arguments if chosen and chosen.arguments is not None else request.call.arguments
    revision = request.revision + 1
    proceeds = gate.ladder.steps[-1].act is Act.PROCEED
    revised = replace(
        request,
        call=replace(request.call, arguments=arguments),
        former=request.call.arguments,
        revision=revision,
        digest=digest(tool=request.call.tool, arguments=arguments, revision=revision, requester=request.requester.id),
        checkpoint=gate,
        answer=replace(given, changed=canonical(arguments) != canonical(request.call.arguments)),
        steps_done=0,
        joined=(),
        delivered_at=None if proceeds else request.delivered_at,
        snoozed=None,
        pause=request.pause.restarted(given.at),
        preview=followed(request.preview, arguments),
    )
    return with_their_deputies(revised)


def _with_early(asked: Request, opened: Outcome, now: datetime) -> Outcome:
    """The gate with those who join at once, since nobody else could decide; only on the ladder that was looked at."""
    early = asked.question.early if asked.question else 0
    if not early or opened.request.checkpoint.ladder != asked.checkpoint.ladder:
        return opened
    return opened.then(join_early(opened.request, early, now))
