"""Which requests may share one message when more arrive than a channel takes one by one, and be approved in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from policies.authority import check_may_approve
from policies.checkpoint import Checkpoint, Kind
from policies.errors import NotAllowed
from policies.people import Person
from policies.request import Request


def may_share(request: Request) -> bool:
    """May this request be one row among others?

    Not where much is at stake, several people must agree, something is asked first or somebody stands in for another:
    such a call has its card to itself, so that nobody looks at it in passing.
    """
    gate = request.checkpoint
    if request.settled or gate.kind not in (Kind.SOFT, Kind.HARD) or request.stand_ins or request.question:
        return False
    return gate.impact != "high" and gate.required_by is None and gate.quorum == 1


def may_batch(gate: Checkpoint) -> bool:
    """May calls behind such a gate be approved together, where their rule says so?

    Never where one person's look isn't enough or a law asks for it, nor what can't be undone or has a high impact:
    whoever decides many at once looks at each for a shorter time.
    """
    light = gate.reversible is not False and gate.impact != "high"
    return gate.kind is Kind.HARD and gate.quorum == 1 and not gate.shares and gate.required_by is None and light


def may_be_approved_in_one_go(request: Request) -> bool:
    """Does its rule, as it was frozen into the request, let it be approved beside others of that rule?"""
    return may_share(request) and request.checkpoint.batch and may_batch(request.checkpoint)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a person would approve in one go, what of the same rule stays and why (the end of a sentence), and how many
    calls of other rules stay."""

    approves: tuple[Request, ...]
    stays: tuple[tuple[Request, str], ...]
    others: int


def plan(shown: Iterable[Request], chosen: Request, person: Person, saw: Callable[[Request], bool]) -> Plan:
    """Sort out which of the calls ``shown`` this person may approve in one go: those of the rule that held ``chosen``.

    ``saw`` says whether the person has seen a call whole, on its row or opened; one that was seen stands for those
    that are identical to it. What is settled already is no part of it.
    """
    waiting = sorted((each for each in shown if not each.settled), key=lambda each: (each.created_at, each.id))
    ours = [each for each in waiting if each.checkpoint.rule == chosen.checkpoint.rule]
    seen = [each for each in ours if saw(each)]
    why = {each.id: _why_not(each, person, seen) for each in ours}
    return Plan(
        approves=tuple(each for each in ours if not why[each.id]),
        stays=tuple((each, why[each.id]) for each in ours if why[each.id]),
        others=len(waiting) - len(ours),
    )


def _why_not(request: Request, person: Person, seen: Sequence[Request]) -> str:
    """Why this person can't approve the request in one go with others; empty where they can."""
    if not may_be_approved_in_one_go(request):
        return "its rule wants it decided alone"
    try:
        check_may_approve(request, person)
    except NotAllowed as refusal:
        return refusal.words.rstrip(".")
    if not any(each is request or identical(each, request) for each in seen):
        return "you haven't seen all of it: its row leaves something out, so open it first"
    return ""


def identical(one: Request, other: Request) -> bool:
    """Are these the very same call, asked for by the same agent with the same words and behind the same gate?

    Then whoever has seen one of them has seen both.
    """
    return _content(one) == _content(other)


def alike(requests: Iterable[Request]) -> list[tuple[Request, ...]]:
    """Those that are identical together, in the order of the first of each."""
    found: list[list[Request]] = []
    for request in requests:
        same = next((several for several in found if identical(several[0], request)), None)
        if same is None:
            found.append([request])
        else:
            same.append(request)
    return [tuple(several) for several in found]


def _content(request: Request) -> tuple[object, ...]:
    """All that a person can be shown of a pending request, but for its times."""
    return (
        (request.digest, request.revision),
        request.requester,
        request.call,
        request.proposed,
        request.answer,
        request.checkpoint,
        request.policy_digest,
        request.reviewers,
        request.excluded,
        (request.reason, request.confidence, request.context, request.on_behalf_of, request.run),
        (request.preview, request.inquiries, request.reviews, request.delegations, request.snoozed),
    )
