"""Who may do what to a request. Each check refuses with a sentence for the person who pressed."""

from __future__ import annotations

from datetime import datetime

from policies.checkpoint import Checkpoint, Kind
from policies.errors import NotAllowed, PhraseWrong
from policies.people import FRESHNESS, Person, Standing
from policies.request import Request


def check_fresh(person: Person, now: datetime) -> None:
    """Refuse a person whose look-up is older than ``FRESHNESS``, or lies in the future."""
    if abs(now - person.looked_up_at) > FRESHNESS:
        raise NotAllowed("Signoff could not confirm with Slack who you are just now. Please press again.")


def check_may_approve(request: Request, person: Person) -> None:
    """Refuse whoever may not approve or modify: not named, not a member, the one who asked, or who handed it over."""
    _check_member(request, person)
    allowed = request.checkpoint.self_approval and request.checkpoint.kind is not Kind.MANUAL
    if request.serves(person) and not allowed:
        raise NotAllowed("You can't approve this one: it was asked on your behalf. You may reject it.")
    _check_named(request, person)
    if request.stepped_back(person.id):
        raise NotAllowed("You handed this one over, so you can't approve it any more. You may still reject it.")


def check_may_stop(request: Request, person: Person) -> None:
    """Refuse whoever may neither review the request nor is served by it. Stopping needs no more than that."""
    _check_member(request, person)
    if not request.serves(person):
        _check_named(request, person)


def check_may_answer(request: Request, person: Person) -> None:
    """Refuse whoever may neither review the request nor is served by it. An answer approves nothing."""
    check_may_stop(request, person)


def _check_member(request: Request, person: Person) -> None:
    if person.standing is not Standing.MEMBER and not request.groups_of(person):
        raise NotAllowed(f"Only members of this workspace may decide; your account is {person.standing.words}.")


def _check_named(request: Request, person: Person) -> None:
    if all(group.empty for group in request.reviewers):
        raise NotAllowed(
            "Nobody may decide this: the policy names no reviewers. Whoever runs Signoff can add them to the policy."
        )
    if not request.groups_of(person):
        names = " or ".join(group.name for group in request.reviewers)
        raise NotAllowed(f"You are not among the reviewers of this request ({names}), so nothing was changed.")


def check_phrase(checkpoint: Checkpoint, typed: str | None) -> None:
    """Refuse an approval of a ``manual`` checkpoint without its phrase, typed exactly (outer spaces don't count)."""
    if checkpoint.kind is Kind.MANUAL and (typed or "").strip() != (checkpoint.phrase or "CONFIRM").strip():
        raise PhraseWrong(f"Type {checkpoint.phrase or 'CONFIRM'} exactly as it stands to approve.")
