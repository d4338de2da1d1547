"""A reviewer puts off the reminders and the groups that would join; the end stays where it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from policies.authority import check_fresh, check_may_approve
from policies.effects import Refresh
from policies.errors import Conflict, Invalid
from policies.events import Outcome, Snoozed
from policies.people import Person
from policies.request import Request, Snooze
from policies.settling import entry

LONGEST = timedelta(hours=24)
"""How far ahead a snooze may reach."""
MORNING = time(9, 0)
"""When the morning begins until which a request may be snoozed."""


def snooze(request: Request, event: Snoozed, now: datetime) -> Outcome:
    """``request`` with its steps put off until ``event.until``; a time that isn't ahead wakes it."""
    check_fresh(event.person, now)
    check_may_approve(request, event.person)
    if event.until <= now:
        return _awake(request, event, now)
    _check(request, event.until, now)
    person = event.person
    put_off = replace(request, snoozed=Snooze(by=person.id, name=person.name, until=event.until))
    return _noted(put_off, event, now)


def next_morning(now: datetime, person: Person) -> datetime:
    """The next ``MORNING`` (UTC) by the clocks of ``person``, at most ``LONGEST`` after ``now``.

    Raises ``Invalid`` where it isn't known where that is.
    """
    there = now.astimezone(_zone(person))
    morning = datetime.combine(there.date(), MORNING, there.tzinfo)
    if morning <= there:
        morning = datetime.combine(there.date() + timedelta(days=1), MORNING, there.tzinfo)
    return min(morning.astimezone(UTC), now + LONGEST)


def _zone(person: Person) -> ZoneInfo:
    try:
        return ZoneInfo(person.zone or "")
    except (KeyError, ValueError, OSError):
        raise Invalid("Slack doesn't say in which time zone you are; choose Snooze 1 hour.") from None


def _check(request: Request, until: datetime, now: datetime) -> None:
    if until > now + LONGEST:
        raise Invalid("A snooze lasts 24 hours at most; choose a nearer time.")
    if request.waits_for_delivery:
        raise Conflict("Silence lets this one go ahead, so it can't be snoozed: stop it, or let it be.")
    if not request.can_be_put_off:
        raise Conflict("There is nothing left to put off: no reminder comes, and nobody else will be asked.")
    if until >= request.soonest_end:
        raise Conflict("It ends before that, and a snooze moves no end: decide now, or choose a nearer time.")


def _awake(request: Request, event: Snoozed, now: datetime) -> Outcome:
    if request.snoozed is None:
        raise Conflict("It isn't snoozed: reminders come when they are due.")
    return _noted(replace(request, snoozed=None), event, now)


def _noted(request: Request, event: Snoozed, now: datetime) -> Outcome:
    written = entry(request, "snoozed", event.person.id, now, until=max(event.until, now).isoformat())
    return Outcome(request=request, effects=(Refresh(request_id=request.id),), entries=(written,))
