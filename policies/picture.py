"""A line of a file as a terminal can show it, with a caret under the place that is meant."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

WIDEST = 76
"""Cells that a line may take: it stays on one row of a terminal of 80, with a little room around it."""

_BEFORE = 50
"""Cells before the caret that are kept where a line has to be cut."""


def point_at(text: str, where: str) -> str:
    """The line of ``text`` that ``where`` (``file:line:col``) names, and a caret under its column.

    A long line is cut around the place; what a terminal could take for a command is shown as a question mark.
    """
    line, column = (int(part) for part in where.rsplit(":", 2)[1:])
    shown = [_plain(letter) for letter in text.split("\n")[line - 1]]
    before, after = shown[: column - 1], shown[column - 1 :]
    if _cells(shown) > WIDEST:
        before = _last(before, _BEFORE)
        after = _first(after, WIDEST - _cells(before))
    return f"{''.join(before + after)}\n{' ' * _cells(before)}^"


def _plain(letter: str) -> str:
    return letter if letter.isprintable() else " " if letter in "\t\r" else "?"


def _cells(letters: list[str]) -> int:
    return sum(
        0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for letter in letters for one in letter
    )


def _last(letters: list[str], cells: int) -> list[str]:
    kept = list(letters)
    while _cells(kept) > cells:
        kept = kept[1:]
    return kept if len(kept) == len(letters) else ["…", *kept[1:]]


def _first(letters: list[str], cells: int) -> list[str]:
    kept = list(letters)
    while _cells(kept) > cells:
        kept = kept[:-1]
    return kept if len(kept) == len(letters) else [*kept[:-1], "…"]
