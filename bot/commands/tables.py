"""Lines, aligned columns and JSON for a terminal: what others wrote can't hide in them, nor steer the terminal."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from policies.display import display
from policies.visible import HIDDEN

WIDEST = 160


def one_line(text: str, *, limit: int = WIDEST) -> str:
    """``text`` fit for a line of a terminal: no secrets, nothing invisible, no escapes, no line ends."""
    return " ".join(display(text, key=secrets.token_bytes(16), limit=limit).text.split())


def as_json(value: Any, *, indent: int | None = None) -> str:
    """``value`` as JSON that people can read: every character that wouldn't show, or would steer, is escaped."""
    return HIDDEN.sub(_escaped, json.dumps(value, indent=indent, ensure_ascii=False))


def _escaped(hidden: Any) -> str:
    return json.dumps(hidden[0])[1:-1]


def columns(rows: Sequence[Sequence[str]], *, indent: int = 2) -> list[str]:
    """The rows as lines, each column as wide as its widest cell."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max((len(cell) for cell in column), default=0) for column in zip(*cells, strict=True)]
    return [
        " " * indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def counted(number: int, word: str) -> str:
    """``1 request``, ``2 requests``."""
    return f"{number} {word}{'' if number == 1 else 's'}"
