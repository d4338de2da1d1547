"""The one path of untrusted text on its way to a screen: redact, make visible, escape, measure, cut with a notice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from policies.arguments import canonical
from policies.display import Shown, display
from policies.redaction import redact
from policies.rendering import Rendering, Style, host_of, in_reading_order, money, rendering, weekday
from policies.visible import escape, escaped_length, in_quotes

WHOLE = 10_000_000
"""A limit that nothing reaches: arguments hold 64 kB at most."""

NOTHING_CHOSEN: Mapping[str, Rendering] = {}
NO_DRAFTS: Mapping[str, str] = {}
_BLOCKS = frozenset({Style.PROSE, Style.CODE, Style.SQL, Style.SHELL, Style.DIFF})
"""Forms that get a block of their own, however short the text."""
_TITLES = {Style.SQL: "SQL", Style.SHELL: "shell command", Style.DIFF: "changes"}

_LIVE = str.maketrans({"*": "∗", "`": "ˋ", "~": "∼"})
_EDGES = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_CODES = re.compile(r":(?=\S)")
BREAKS = str.maketrans({"\n": "⏎", "\t": " "})
"""What stands on one line for a line's end."""
_PLAIN_NAME = re.compile(r"[^\s:()“”→•·⟨⏎]+")
"""A name that can't be taken for words of Signoff's own, nor for a name and its value."""
_OWN_FORM = re.compile(r"^→|^[0-9]{4}-[0-9]{2}-[0-9]{2} \(", re.MULTILINE)
"""What Signoff adds to a link and to a date: a text that has it of its own says so by its quotation marks."""


def shown(text: str, key: bytes, limit: int = WHOLE) -> Shown:
    """``text`` as people may see it, at most ``limit`` escaped characters long."""
    return display(text, key=key, limit=limit)


def one_line(text: str, key: bytes, limit: int = 80) -> str:
    """``text`` on one line, for plain text."""
    return clip(shown(text, key).text.translate(BREAKS), limit)


def clip(line: str, limit: int) -> str:
    """A line that was made fit to be shown, at most ``limit`` escaped characters of it; a cut shows as an ellipsis."""
    if escaped_length(line) <= limit:
        return line
    kept = line[: limit - 1]
    while escaped_length(kept) > limit - 1:
        kept = kept[:-1]
    return kept + "…"


def inline(text: str, key: bytes, limit: int = 80) -> str:
    """``text`` inside one of Signoff's own mrkdwn sentences."""
    return inert(one_line(text, key, limit))


def inert(line: str) -> str:
    """A line that was made fit to be shown, escaped, with the marks replaced that Slack would format.

    Underscores inside words stay: Slack formats them only at the edges of words. A colon before a letter becomes the
    sign of a ratio, which looks alike: else ``:white_check_mark:`` would be a picture, and an address a link.
    """
    return _CODES.sub("∶", _EDGES.sub("＿", escape(line).translate(_LIVE)))


def name_of(name: str, key: bytes, limit: int = 80) -> str:
    """What an argument is called, on one line: as it is, or in quotation marks where it is more than a plain word."""
    line = one_line(name, key, limit)
    return line if _PLAIN_NAME.fullmatch(line) else in_quotes(line)


def duration(span: timedelta) -> str:
    """``span`` in words, in the largest unit that fits: "2 minutes", "1 day"."""
    seconds = max(1, round(span.total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return _count(seconds // size, unit)
    return _count(seconds, "second") if seconds < 120 else _count(round(seconds / 60), "minute")


def roughly(span: timedelta) -> str:
    """``span`` in words, rounded to the largest unit of which there are two: "40 seconds", "3 hours", "2 days"."""
    seconds = max(1.0, span.total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return _count(round(seconds / size), unit)
    return _count(round(seconds), "second")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


DOTS = frozenset("·•∙⋅‧・")
"""What looks like the dot between two arguments on a line."""
LINE = 20
"""Characters that a line end counts for: a card of many short lines is as long as one of few long ones."""
SHORT = 60
FEW = 4
"""So many people stand in a field, one below the other."""
LABEL = 60
TITLE = 60
"""Escaped characters of a draft's title."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One thing to show: a short ``label`` (already shown), the ``raw`` text (not yet), ``whole``: all of it, shown.

    ``short`` stands beside others on a line; ``prose`` is people's words, which are quoted rather than preformatted.
    """

    label: str
    raw: str
    whole: Shown
    short: bool = False
    prose: bool = False

    @property
    def length(self) -> int:
        """How many characters there are to read."""
        return len(self.label) + len(self.whole.text)

    @property
    def need(self) -> int:
        """The room that all of it takes: its escaped characters, and what its lines take of the screen."""
        return escaped_length(self.label) + 2 + escaped_length(self.whole.text) + LINE * self.whole.text.count("\n")


def item(label: str, raw: str, key: bytes, *, prose: bool = False) -> Item:
    """A long item under one of Signoff's own labels."""
    return Item(label=label, raw=raw, whole=shown(raw, key), prose=prose)


def items_of(
    arguments: Mapping[str, Any],
    key: bytes,
    *,
    chosen: Mapping[str, Rendering] = NOTHING_CHOSEN,
    schema: Mapping[str, Any] | None = None,
    drafts: Mapping[str, str] = NO_DRAFTS,
) -> tuple[Item, ...]:
    """One item for each argument, in the order that reads best; names too long for a label stand inside the text.

    ``chosen`` is how the policy wants arguments shown, ``schema`` the JSON Schema of all of them. ``drafts`` are titles
    by the names of those arguments that are drafts: each is shown as a text of its own.
    """
    redacted = cast(dict[str, Any], redact(dict(arguments), key=key).value)
    forms = {name: rendering(name, arguments.get(name), schema, chosen) for name in redacted}
    return tuple(_item(name, redacted[name], key, forms[name], drafts.get(name)) for name in in_reading_order(forms))


def _item(name: str, value: Any, key: bytes, form: Rendering, draft: str | None) -> Item:
    label = name_of(name, key, WHOLE)
    if escaped_length(label) > LABEL or not name.strip():
        return item("An argument with an unusual name", _pretty({name: value}), key)
    raw = formed(value, form)
    whole = shown(raw, key)
    block = form.style in _BLOCKS
    flat = not isinstance(value, (list, dict)) and "\n" not in whole.text and not block
    few = form.style is Style.PEOPLE and isinstance(value, list) and len(value) <= FEW
    kind = f"draft: {one_line(draft, key, TITLE)}" if draft is not None else _TITLES.get(form.style)
    return Item(
        label=f"{label} ({kind})" if kind else label,
        raw=raw,
        whole=whole,
        short=(flat or few) and draft is None and escaped_length(whole.text) <= SHORT,
        prose=form.style is Style.PROSE,
    )


def formed(value: Any, form: Rendering) -> str:
    """A JSON value in the form that its rendering asks for; as ``readable`` where it doesn't fit that form."""
    if form.style is Style.MONEY:
        return money(value, form.unit) or readable(value)
    if isinstance(value, str) and value.strip() == value != "":
        if form.style is Style.LINK and (host := host_of(value)):
            return f"{value}\n→ leads to {host}"
        if form.style is Style.DATE:
            return weekday(value) or readable(value)
        if form.style in _BLOCKS:
            return value
    return readable(value)


def readable(value: Any) -> str:
    """A JSON value in a form that people read: texts as they are, lists of short things by lines, the rest as JSON.

    A text that could be taken for another value (``"5"``, an empty one, one with spaces at its ends) keeps its
    quotation marks.
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if _mistakable(value) else value
    if isinstance(value, list) and value and all(map(_fits_a_line, value)):
        return "\n".join(f"• {readable(entry)}" for entry in value)
    if isinstance(value, float):
        return canonical(value).decode("ascii")  # 140.0 is 140: the same digest, and what people write
    return _pretty(value)


def _fits_a_line(value: Any) -> bool:
    return not isinstance(value, (list, dict)) and (
        not isinstance(value, str) or ("\n" not in value and len(value) < 200)
    )


def _mistakable(text: str) -> bool:
    if text != text.strip() or not text or text[0] in '"[{•' or _OWN_FORM.search(text):
        return True
    try:
        json.loads(text)
    except ValueError:
        return False
    except RecursionError:
        return True
    return True


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
