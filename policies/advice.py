"""The conclusions from an insight: what to relax, whose work to look at, whom else to ask. Proposals, never acts.

The thresholds are the ones that people who run such checkpoints go by: above 95 % approved as proposed a checkpoint is
too conservative, above 30 % modified the agent needs work. A few requests prove nothing, so each has its least number,
and relaxing wants the whole of its 95 % interval above the threshold (73 approvals out of 73 are the fewest). Approvals
that came faster than one can read are no evidence: where there are many, nothing is relaxed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.errors import Invalid
from policies.insight import Band, Ending, Insight, Late, Tally
from policies.policy import Policy
from policies.proportion import Proportion
from policies.relaxing import Relaxation, relax
from policies.replay import Change, replay
from policies.request import Request

TOO_CONSERVATIVE = 0.95
OFTEN_MODIFIED = 0.30
OFTEN_UNANSWERED = 0.50
OFTEN_HASTY = 0.20
FEWEST = 10
"""Decisions, or endings, below which nothing else is concluded."""


class Topic(StrEnum):
    """What a piece of advice is about."""

    RELAX = "relax"
    KEEP = "keep"
    AGENT = "the agent needs work"
    HASTY = "approved unread"
    REVIEWERS = "wrong reviewers"
    ONE_PERSON = "always the same person"
    OVERCONFIDENT = "overconfident agent"
    TOO_LATE = "too late"


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """One proposal about ``about`` (a rule, or an agent); ``diff`` is what would carry it out, where that is known."""

    topic: Topic
    about: str
    words: str
    diff: str = ""


def advise(
    found: Insight,
    policy: Policy,
    *,
    past: Sequence[Request] = (),
    since: datetime | None = None,
    environment: str = "",
) -> tuple[Advice, ...]:
    """Everything that ``found`` suggests for ``policy``, rule by rule.

    ``past`` are the requests that it was found in, to tell what a proposal would have done to those made ``since``,
    by a gateway that stands in ``environment``.
    """
    advice: list[Advice] = []
    for tally in found.tallies:
        advice += [
            *_relaxing(tally, policy, past, since, environment),
            *_modified(tally),
            *_hasty(tally),
            *_unanswered(tally),
            *_one_person(tally),
        ]
    advice += [each for band in found.bands for each in _overconfident(band)]
    return (*advice, *(_too_late(late) for late in found.late))


def _relaxing(
    tally: Tally, policy: Policy, past: Sequence[Request], since: datetime | None, environment: str
) -> Iterator[Advice]:
    approved = tally.of_ended(Ending.AS_PROPOSED)
    if approved.interval[0] <= TOO_CONSERVATIVE:
        return
    seen = f"approved as proposed {approved}"
    if _often_hasty(tally):
        yield Advice(
            topic=Topic.KEEP, about=tally.name, words=f"{seen}, but it stays: approvals that nobody read prove nothing."
        )
        return
    try:
        relaxation = relax(policy, tally)
    except Invalid as error:
        yield Advice(topic=Topic.KEEP, about=tally.name, words=f"{seen}, but it stays: {str(error).rstrip('.')}.")
        return
    words = f"{seen}: too conservative. Proposed: {relaxation.words}."
    words += _effect(past, since, relaxation, environment) if since else ""
    yield Advice(topic=Topic.RELAX, about=tally.name, words=words + _unknown(tally, policy), diff=relaxation.diff)


def _unknown(tally: Tally, policy: Policy) -> str:
    tools = sorted(tool for tool in tally.tools if tool not in policy.catalogue)
    return f" Only if a call of {' or '.join(tools[:5])} can be undone: the catalogue doesn't say." if tools else ""


def _effect(past: Sequence[Request], since: datetime, relaxation: Relaxation, environment: str) -> str:
    """What the relaxed policy would have said to the past."""
    again = replay(past, relaxation.policy, since=since, environment=environment).judged
    loosened = [each for each in again if each.change in (Change.WAVED_THROUGH, Change.RELAXED)]
    return f" It would have loosened {len(loosened)} of the {len(again)} requests."


def _modified(tally: Tally) -> Iterator[Advice]:
    modified = Proportion(count=tally.count(Ending.MODIFIED), of=tally.decided)
    if tally.decided >= FEWEST and modified.share > OFTEN_MODIFIED:
        words = f"modified {modified} decisions: look at what people change, and teach the agent to propose that."
        yield Advice(topic=Topic.AGENT, about=tally.name, words=words)


def _often_hasty(tally: Tally) -> bool:
    return tally.decided >= FEWEST and Proportion(count=tally.hasty, of=tally.decided).share > OFTEN_HASTY


def _hasty(tally: Tally) -> Iterator[Advice]:
    if _often_hasty(tally):
        hasty = Proportion(count=tally.hasty, of=tally.decided)
        words = f"approved faster than one can read {hasty}: it asks too much. Have it show less, or stop fewer calls."
        yield Advice(topic=Topic.HASTY, about=tally.name, words=words)


def _unanswered(tally: Tally) -> Iterator[Advice]:
    silent = tally.of_ended(Ending.UNANSWERED)
    if tally.ended < FEWEST or silent.share <= OFTEN_UNANSWERED:
        return
    cause = "name other reviewers, or a nearer step of the ladder that adds some"
    if tally.undelivered:
        cause = f"{tally.undelivered} of them had no card that anybody could see: look at the group's channel first"
    yield Advice(topic=Topic.REVIEWERS, about=tally.name, words=f"never answered {silent}: {cause}.")


def _one_person(tally: Tally) -> Iterator[Advice]:
    for person, count in tally.people.items():
        if tally.decided >= FEWEST and count == tally.decided and len(tally.people) == 1:
            words = (
                f"all {count} decisions are {person}'s: nobody decides when that person is away, and one pair of eyes"
            )
            yield Advice(topic=Topic.ONE_PERSON, about=tally.name, words=f"{words} tires. Ask others as well.")


def _overconfident(band: Band) -> Iterator[Advice]:
    if band.approved.of >= FEWEST and band.approved.interval[1] < band.low:
        words = f"says {band.low:.0%} to {band.high:.0%} sure, but is approved as proposed {band.approved}"
        rule = "don't let its word open anything, and hold more of what it calls certain"
        yield Advice(topic=Topic.OVERCONFIDENT, about=band.agent, words=f"{words}: {rule}.")


def _too_late(late: Late) -> Advice:
    runs = f"{len(late.runs)} run{'s' * (len(late.runs) != 1)} (such as {late.runs[0]})"
    words = (
        f"rejected after {late.tool}, which can't be undone, had already run in {runs}: put a checkpoint before that."
    )
    return Advice(topic=Topic.TOO_LATE, about=late.rule, words=words)
