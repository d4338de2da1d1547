"""Lines and aligned columns for a terminal. What others wrote stands in them redacted, visible and on one line."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from policies.display import display

WIDEST = 160


def one_line(text: str, *, limit: int = WIDEST) -> str:
    """``text`` fit for a line of a terminal: no secrets, nothing invisible, no escapes, no line ends."""
    return " ".join(display(text, key=secrets.token_bytes(16), limit=limit).text.split())


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
