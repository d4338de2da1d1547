"""Days, hours, dates and time zones as people write them in a policy."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, WithJsonSchema

from policies.calendar import DAYS, Hours
from policies.nearest import nearest

_CLOCK = r"([01][0-9]|2[0-4]):([0-5][0-9])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_HOURS = rf"{_CLOCK}-{_CLOCK}"
_MIDNIGHT = 24 * 60
_SHOWN = 40


def _hours(value: object) -> Hours:
    found = re.fullmatch(_HOURS, value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('write hours such as "09:00-17:00", in quotes')
    numbers = [int(number) for number in found.groups()]
    opens, closes = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if opens >= closes:
        words = f"{value} runs backwards; hours over midnight are two ranges, such as 22:00-24:00 and 00:00-06:00"
        raise ValueError(words)
    if closes > _MIDNIGHT:
        raise ValueError(f"{value} is longer than the day; it ends at 24:00")
    return Hours(opens=opens, closes=closes)


def _time(value: object) -> time:
    if isinstance(value, str) and re.fullmatch(_TIME, value):
        return time.fromisoformat(value)
    raise ValueError('write a time of day such as "09:00", in quotes')


def _day(value: object) -> int:
    if not isinstance(value, str) or value not in DAYS:
        meant = str(value)[:3].lower()
        close = f"; did you mean {meant}?" if meant in DAYS else f"; write {', '.join(DAYS)}"
        raise ValueError(f"{str(value)[:_SHOWN]!r} is no day{close}")
    return DAYS.index(value)


def _holiday(value: object) -> date:
    try:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{str(value)[:_SHOWN]!r} is no date; write it as 2026-12-25")


def _zone(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("write a time zone such as Europe/Berlin")
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, OSError):
        close = nearest(value, available_timezones()) or "; write one such as Europe/Berlin"
        raise ValueError(f"{value[:_SHOWN]!r} is no time zone{close}") from None


HoursOfDay = Annotated[Hours, BeforeValidator(_hours), WithJsonSchema({"type": "string", "pattern": f"^{_HOURS}$"})]
TimeOfDay = Annotated[time, BeforeValidator(_time), WithJsonSchema({"type": "string", "pattern": f"^{_TIME}$"})]
Weekday = Annotated[int, BeforeValidator(_day), WithJsonSchema({"type": "string", "enum": list(DAYS)})]
Holiday = Annotated[date, BeforeValidator(_holiday), WithJsonSchema({"type": "string", "format": "date"})]
Zone = Annotated[str, BeforeValidator(_zone), WithJsonSchema({"type": "string"})]
