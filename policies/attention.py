"""Whether somebody can have read what they approve, and what is known of how they came to decide.

Where the rule comes from: adults read prose silently at about 240 words a minute, some 25 characters a second, and
beyond twice that speed they no longer understand what they read. So nobody is asked back who took a quarter of that
time, nor anybody after ``ENOUGH``: who looks at templates all day knows where to look, and a question that comes to
those who did read would soon be clicked away like the first one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from policies.checkpoint import Act
from policies.people import Person
from policies.request import Request
from policies.review import Review, Verdict

AT_A_GLANCE = 600
"""Characters up to which nobody is asked back: such a card is taken in at a glance."""
FASTEST = 100
"""Characters a second above which nobody reads, four times the usual speed."""
ENOUGH = timedelta(seconds=30)
"""Time after which nobody is asked back, however long the call is."""
SAME_PRESS = timedelta(seconds=2)
"""A press so soon after somebody was asked back is still the same one: a double click must not answer the question."""
BEGINS, ENDS = time(7), time(19)
"""The hours of a working day, Monday to Friday, outside of which a decision counts as after hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What one person did with one revision of a request, as far as it is known; all times UTC.

    ``opened_at`` is when they first opened the whole of it, ``asked_at`` when they were asked back. ``decided_at`` is
    when they last decided anything, on this request or another.
    """

    opened_at: datetime | None = None
    asked_at: datetime | None = None
    decided_at: datetime | None = None


def shown_at(request: Request, person: Person) -> datetime:
    """Since when ``person`` could see the standing revision: its card's delivery, the step that asked them, the edit.

    The time of the opening stands in for a delivery that nobody has reported yet.
    """
    delivered = request.delivered_at or request.created_at
    edits = [review.at for review in request.reviews if review.verdict is Verdict.MODIFY]
    answered = [request.answer.at] if request.answer is not None else []
    return max(delivered, _asked_at(request, person), *edits, *answered)


def _asked_at(request: Request, person: Person) -> datetime:
    """When somebody handed it to this person, or the ladder asked them; at opening where the gate itself names them."""
    if any(group.include(person) for group in request.checkpoint.groups):
        return request.created_at
    delegated = [one.at for one in request.delegated if one.admits(person)]
    if delegated:
        return delegated[0]
    taken = request.ladder.steps[: request.steps_done]
    joined = (step for step in taken if step.act is Act.ADD and step.add is not None and step.add.include(person))
    return next((request.ladder.falls_due(step, request.clock_from) for step in joined), request.created_at)


def time_had(request: Request, person: Person, sight: Sight, now: datetime, *, cut: bool) -> timedelta:
    """The time this person had to read the standing revision, since they last decided anything.

    What the card cuts can be read only once it is opened.
    """
    seen = now if cut else shown_at(request, person)
    begun = min(seen, sight.opened_at or seen)
    return max(now - max(begun, sight.decided_at or begun), timedelta(0))


def too_fast(characters: int, had: timedelta) -> bool:
    """Is it implausible that somebody read ``characters`` (as shown) in this time?"""
    return characters > AT_A_GLANCE and had < min(timedelta(seconds=characters / FASTEST), ENOUGH)


def asks_back(characters: int, had: timedelta, sight: Sight, now: datetime) -> bool:
    """Is an approval asked back before it counts? Once for each person and revision, and never anything else."""
    asked = sight.asked_at is not None and now - sight.asked_at >= SAME_PRESS
    return not asked and too_fast(characters, had)


@dataclass(frozen=True, kw_only=True, slots=True)
class Haste:
    """How much somebody approved, in characters as shown, and in what time."""

    characters: int
    had: timedelta


def asks_back_together(parts: Sequence[tuple[Haste, Sight]], now: datetime) -> Haste | None:
    """What several approvals in one go are asked back about, if anything, once for each person and revision.

    Each counts by itself, and those that were asked about nothing yet together: in the longest time that one of them
    was in view. A call that comes several times counts once.
    """
    alone = [each for each, sight in parts if asks_back(each.characters, each.had, sight, now)]
    if alone:
        return max(alone, key=lambda each: each.characters)
    fresh = [each for each, sight in parts if sight.asked_at is None]
    longest = max((each.had for each in fresh), default=ENOUGH)
    total = Haste(characters=sum(each.characters for each in fresh), had=longest)
    return total if too_fast(total.characters, total.had) else None


def told(review: Review) -> Mapping[str, Any]:
    """What the journal says of the attention behind a review: milliseconds, as far as they are known."""
    spans = {"shown_ms": review.shown_at, "opened_ms": review.opened_at}
    known = {name: max(0, round((review.at - at) / timedelta(milliseconds=1))) for name, at in spans.items() if at}
    return {**known, "asked_back": True} if review.asked_at is not None else known


def after_hours(at: datetime, zone: str | None) -> bool | None:
    """Was ``at`` outside of working hours in this IANA time zone? None where the zone isn't known."""
    try:
        there = at.astimezone(ZoneInfo(zone or ""))
    except (KeyError, ValueError, OSError):
        return None
    return there.weekday() >= 5 or not BEGINS <= there.time() < ENDS
