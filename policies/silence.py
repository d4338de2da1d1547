"""What a policy file says of silence and of mornings: its calendars, ladders and digest, from their shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from policies.calendar import Calendar
from policies.checkpoint import Act, Ladder, Step
from policies.digest import USUAL, Rhythm
from policies.document import Path, Sheet
from policies.duration import in_words
from policies.nearest import did_you_mean
from policies.people import Reviewers
from policies.shapes import CalendarShape, DigestShape, LadderShape, StepShape, shaped

MOST_STEPS = 100
"""How many steps a ladder may have, each reminder of an ``every`` counted."""

Groups = Mapping[str, Reviewers | None]
Calendars = Mapping[str, Calendar | None]


def read_calendar(sheet: Sheet, name: str, raw: object) -> Calendar | None:
    """The calendar that stands at ``name``; None where it doesn't fit, which the sheet has noted."""
    shape = shaped(CalendarShape, raw)
    if shape is None:
        return None
    hours = tuple(sorted(shape.hours, key=lambda each: each.opens))
    for earlier, later in pairwise(hours):
        if later.opens < earlier.closes:
            sheet.fault(("calendars", name, "hours"), f"{earlier} and {later} overlap; write them as one.")
    calendar = Calendar(
        name=name,
        zone=shape.zone,
        days=tuple(sorted(set(shape.days))),
        hours=hours,
        holidays=tuple(sorted(set(shape.holidays))),
    )
    if not calendar.least_in_a_year:
        words = "This calendar may never open in a whole year: name days and hours, and fewer holidays."
        sheet.fault(("calendars", name), words, key=True)
    return calendar


def read_ladder(sheet: Sheet, name: str, raw: object, groups: Groups, calendars: Calendars) -> Ladder | None:
    """The ladder that stands at ``name``, short or with its hours; None where it doesn't fit, which was noted."""
    if isinstance(raw, dict):
        shape = shaped(LadderShape, raw)
        calendar = _find(sheet, ("ladders", name, "hours"), shape.hours, calendars) if shape else None
        steps = _steps(sheet, ("ladders", name, "steps"), raw.get("steps"), groups)
        if steps and calendar and steps[-1].after > calendar.least_in_a_year:
            words = f"In the hours of {calendar.name} this ladder may take more than 366 days; shorten it."
            sheet.fault(("ladders", name), words, key=True)
        return Ladder(name=name, steps=steps, calendar=calendar) if steps and calendar else None
    steps = _steps(sheet, ("ladders", name), raw, groups)
    return Ladder(name=name, steps=steps) if steps else None


def read_digest(sheet: Sheet, raw: object, calendars: Calendars) -> Rhythm | None:
    """When digests come; None for never, and where it doesn't fit, which the sheet has noted."""
    shape = shaped(DigestShape, raw)
    if shape is None:
        return None
    calendar = _find(sheet, ("digest", "calendar"), shape.calendar, calendars) if shape.calendar else None
    usual = calendar.days if calendar else USUAL.days
    days = usual if shape.days is None else tuple(sorted(set(shape.days)))
    return Rhythm(at=shape.at, days=days, holidays=calendar.holidays if calendar else ())


def _find(sheet: Sheet, path: Path, name: str, calendars: Calendars) -> Calendar | None:
    if name not in calendars:
        sheet.fault(path, f"There is no calendar called {name[:60]!r}{did_you_mean(name, calendars)}")
    return calendars.get(name)


def _steps(sheet: Sheet, path: Path, raw: object, groups: Groups) -> tuple[Step, ...] | None:
    shapes = [shaped(StepShape, step) for step in raw] if isinstance(raw, list) else []
    fitting = [shape for shape in shapes if shape is not None]
    steps = [_step(sheet, (*path, index), shape, groups) for index, shape in enumerate(shapes) if shape]
    whole = [step for step in steps if step is not None]
    if not shapes or len(whole) < len(shapes):
        return None
    _check_steps(sheet, path, whole)
    return _with_repeats(sheet, path, fitting, whole)


def _step(sheet: Sheet, path: Path, shape: StepShape, groups: Groups) -> Step | None:
    if [shape.remind, shape.add, shape.then].count(None) != 2:
        sheet.fault(path, "A step does exactly one thing: remind: true, add: GROUP, then: expire or then: proceed.")
        return None
    if shape.every is not None and shape.remind is None:
        sheet.fault((*path, "every"), "Only a reminder comes again; write every beside remind: true.", key=True)
    if shape.add is None:
        return Step(after=shape.after, act=Act(shape.then) if shape.then else Act.REMIND)
    if shape.add not in groups:
        words = f"There is no group of reviewers called {shape.add[:60]!r}{did_you_mean(shape.add, groups)}"
        sheet.fault((*path, "add"), words)
    group = groups.get(shape.add)
    return Step(after=shape.after, act=Act.ADD, add=group) if group else None


def _check_steps(sheet: Sheet, path: Path, steps: Sequence[Step]) -> None:
    before = timedelta(0)
    for index, step in enumerate(steps):
        if step.after <= before:
            words = f"A step must come later than the one before it, which is at {in_words(before)}."
            sheet.fault((*path, index, "after"), words)
        if step.act.ends and index < len(steps) - 1:
            sheet.fault((*path, index), "The ladder ends here, so nothing may follow; move this step to the end.")
        before = step.after
    if not steps[-1].act.ends:
        sheet.fault((*path, len(steps) - 1), "Every ladder ends: add a last step such as {after: 2h, then: expire}.")


def _with_repeats(
    sheet: Sheet, path: Path, shapes: Sequence[StepShape], steps: Sequence[Step]
) -> tuple[Step, ...] | None:
    """The steps with each reminder that comes again written out, until just before the next step is due."""
    again = [0] * len(steps)
    for index, (shape, step, after) in enumerate(zip(shapes, steps, steps[1:], strict=False)):
        if shape.every is not None and step.act is Act.REMIND and after.after > step.after:
            again[index] = -((step.after - after.after) // shape.every) - 1
    if (total := len(steps) + sum(again)) > MOST_STEPS:
        worst = max(range(len(steps)), key=lambda index: again[index])
        words = (
            f"With its reminders this ladder has {total} steps, and {MOST_STEPS} are possible; write a longer every."
        )
        sheet.fault((*path, worst, "every"), words)
        return None
    return tuple(
        Step(after=step.after + (shape.every or timedelta(0)) * turn, act=step.act, add=step.add)
        for shape, step, turns in zip(shapes, steps, again, strict=True)
        for turn in range(turns + 1)
    )
