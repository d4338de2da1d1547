"""The one path of untrusted text to a screen: redact, make visible, measure, truncate with a notice.

The result is not escaped: put it where no markup is read (plain text, preformatted), or through `visible.escape`. Its
escaped length keeps the limit, because Slack stores text escaped and refuses it by that length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from policies.redaction import redact_text
from policies.visible import escaped_length, hidden_characters, make_visible, warnings

SHORTEST_WITH_NOTICE = 160
"""Below this limit (titles, buttons, options) a cut shows as a bare ellipsis."""

# What a cut must not divide: marks, masks, and what readers see as one character.
_WHOLE = regex.compile(r"\[redacted [^\[\]\n]{1,80}\]|⟨[^⟨⟩\n]{1,40}⟩|\X")
_LONGEST_WHOLE = 120
_MASKED = regex.compile(r"\[redacted [a-z0-9 -]{1,30}, ([0-9]{1,6}) characters, #[0-9a-f]{8}\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """Text fit for a screen. `hidden_*` say what the cut left out; `invisible` counts characters that were marked."""

    text: str
    cut: bool
    hidden_characters: int
    hidden_lines: int
    invisible: int
    warnings: tuple[str, ...]


def display(text: str, *, key: bytes, limit: int) -> Shown:
    """`text` made fit to be shown in at most `limit` characters of escaped length (1 or more).

    Too long text keeps its head and its tail (a fifth of the room or more) around a notice of what is hidden between
    them. `key` is the installation's key for the hashes of redacted secrets.
    """
    if limit < 1:
        raise ValueError("a display limit must be at least 1")
    redacted = redact_text(text, key=key)
    visible = make_visible(redacted)
    shown, middle = _fit(visible, limit)
    return Shown(
        text=shown,
        cut=bool(middle),
        hidden_characters=len(middle),
        hidden_lines=middle.count("\n") + 1 if middle else 0,
        invisible=hidden_characters(redacted),
        warnings=(*_unread(redacted), *warnings(redacted)),
    )


def _unread(text: str) -> list[str]:
    """A secret inside a text may be anything, also a part of a command: whoever decides must know that it isn't read.

    A value that is masked as a whole says so by itself.
    """
    hidden = 0 if _MASKED.fullmatch(text) else sum(map(int, _MASKED.findall(text)))
    return [f"{hidden} characters inside it are hidden as secrets: nobody can read what they do"] if hidden else []


def _fit(text: str, limit: int) -> tuple[str, str]:
    """What is shown of `text`, and what is left out."""
    if escaped_length(text) <= limit:
        return text, ""
    noticed = limit >= SHORTEST_WITH_NOTICE
    room = limit - (len(_notice(text)) if noticed else 1)
    pieces = _pieces(text, limit)
    tail = _count(reversed(pieces), room // 4)
    head = _count(iter(pieces), room - sum(map(escaped_length, pieces[len(pieces) - tail :])))
    middle = "".join(pieces[head : len(pieces) - tail])
    notice = _notice(middle) if noticed else "…"
    return "".join(pieces[:head]) + notice + "".join(pieces[len(pieces) - tail :]), middle


def _notice(middle: str) -> str:
    """Never longer for a part of a text than for all of it, so the whole text's notice reserves the room."""
    lines = middle.count("\n") + 1
    return f"\n… {len(middle)} more characters in {lines} more line{'s' if lines > 1 else ' '} …\n"


def _pieces(text: str, limit: int) -> list[str]:
    """Whole characters, marks and masks; those that alone would take much of the room fall apart into code points."""
    longest = min(_LONGEST_WHOLE, max(1, limit // 2))
    pieces: list[str] = []
    for piece in _WHOLE.findall(text):
        pieces.extend([piece] if len(piece) <= longest else piece)
    return pieces


def _count(pieces: Iterator[str], room: int) -> int:
    """How many of `pieces`, from the first on, fit into `room`."""
    count = 0
    for piece in pieces:
        room -= escaped_length(piece)
        if room < 0:
            break
        count += 1
    return count
