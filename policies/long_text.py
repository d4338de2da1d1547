"""A long text in parts that text boxes can hold, cut where the white space between them needs no box."""

from __future__ import annotations

import re

from policies.field_values import units
from policies.fields import MAX_TEXT, why_garbled

MAX_PARTS = 8
PART = 2_600
"""UTF-16 units of a part: a box takes 3,000, so that there is room to write more."""
_BREAKS = tuple(re.compile(rf"(?<=\S){gap}(?=\S)") for gap in (r"(?:\r?\n){2}", r"\r?\n", r" "))


def in_parts(text: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The parts and what stands between them, so that both in turn are `text` again; None where one box will do, or
    where boxes can't hold it.
    """
    if units(text) <= MAX_TEXT or units(text) > PART * MAX_PARTS or why_garbled(text):
        return None
    parts: list[str] = []
    between: list[str] = []
    while units(text) > PART:
        start, end = _cut(text)
        parts.append(text[:start])
        between.append(text[start:end])
        text = text[end:]
    return ((*parts, text), tuple(between)) if len(parts) < MAX_PARTS else None


def _cut(text: str) -> tuple[int, int]:
    """Where the first part ends and the next begins: at the last paragraph, line or word that fits, or anywhere."""
    fits = _fitting(text)
    for gap in _BREAKS:
        found = [match.span() for match in gap.finditer(text, 0, fits + 1) if match.start() >= fits // 2]
        if found:
            return found[-1]
    return fits, fits


def _fitting(text: str) -> int:
    """Characters that a part holds; a Windows line end isn't divided."""
    count, size = 0, 0
    for character in text:
        size += 1 if character <= "\uffff" else 2
        if size > PART:
            break
        count += 1
    return count - (text[count - 1 : count + 1] == "\r\n")
