"""Durations as people write them in a policy: ``90s``, ``10m``, ``1h30m``, ``2d``, ``1w``."""

from __future__ import annotations

import re
from datetime import timedelta

from policies.errors import Invalid

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=366)

PATTERN = r"^([0-9]+[smhdw])+$"
_LONGEST_TEXT = 32
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


def parse_duration(text: str) -> timedelta:
    """The duration that ``text`` says, from one second to 366 days. Raises ``Invalid``."""
    if len(text) > _LONGEST_TEXT or not re.fullmatch(PATTERN, text):
        raise Invalid(f"{text[:_LONGEST_TEXT]!r} is no duration; write 90s, 10m, 1h30m, 2d or 1w.")
    seconds = sum(_seconds(int(number), unit) for number, unit in re.findall(r"([0-9]+)([smhdw])", text))
    if not SHORTEST.total_seconds() <= seconds <= LONGEST.total_seconds():
        raise Invalid(f"{text!r} is out of bounds; a duration lasts from 1s to 366d.")
    return timedelta(seconds=seconds)


def _seconds(number: int, unit: str) -> int:
    return number * int(timedelta(**{_UNITS[unit]: 1}).total_seconds())


def in_words(span: timedelta) -> str:
    """``span`` for people, to the second: ``1 hour 30 minutes``. Less than a second reads ``0 seconds``."""
    left, parts = int(span.total_seconds()), []
    for unit, length in _SECONDS.items():
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}" + ("s" if count > 1 else ""))
    return " ".join(parts) or "0 seconds"
