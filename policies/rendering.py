"""How an argument reads best: as money, people, a link, prose, code. Only the form changes: nothing is left out.

A policy chooses by tool and argument (``tools: {issue_refund: {show: {amount: money EUR}}}``); where it says nothing
the value and its schema decide. What an agent names its arguments can change how they look, never what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from policies.arguments import canonical
from policies.errors import Invalid


class Style(StrEnum):
    """The forms of an argument. ``plain`` is as it comes; ``prose`` is for people's words, such as a mail's body."""

    PLAIN = "plain"
    PROSE = "prose"
    CODE = "code"
    SQL = "sql"
    SHELL = "shell"
    DIFF = "diff"
    MONEY = "money"
    PEOPLE = "people"
    LINK = "link"
    DATE = "date"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendering:
    """A style; ``unit`` is the currency of ``money``."""

    style: Style
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.style.value} {self.unit}".strip()


PLAIN = Rendering(style=Style.PLAIN)
_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]{0,60})\}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ADDRESS = re.compile(r"[^@\s<>,;:/\\]{1,64}@[^@\s<>,;:/\\]{1,190}")
_WEB = re.compile(r"https?://[^\s\\]+", re.IGNORECASE)
_FORMATS = {"email": Style.PEOPLE, "uri": Style.LINK, "url": Style.LINK, "date": Style.DATE}
_SQL = re.compile(r"\s*(?:select|insert|update|delete|with|alter|drop|create|truncate|grant)\b[\s\S]", re.IGNORECASE)
_DIFF = re.compile(r"(?:diff --git |--- \S[^\n]*\n\+\+\+ |@@ -[0-9])")
_NAMES: tuple[tuple[Style, re.Pattern[str]], ...] = (
    (Style.SHELL, re.compile(r"(?:^|_)(?:command|cmd|shell|bash|script)$")),
    (Style.CODE, re.compile(r"(?:^|_)(?:code|source|snippet|patch|json|yaml|html)$")),
    (Style.PROSE, re.compile(r"(?:^|_)(?:body|message|text|content|letter|note|comment|description|summary|draft)$")),
)
_MAIL = tuple(
    re.compile(names)
    for names in (
        r"(?:from|sender)(?:_.*)?",
        r"(?:to|recipients?)(?:_.*)?",
        r"cc(?:_.*)?",
        r"bcc(?:_.*)?",
        r"reply_to(?:_.*)?",
        r"subject",
    )
)
"""A mail's head, line by line."""
_SUBJECT = len(_MAIL) - 1


def read_rendering(words: str) -> Rendering:
    """What a policy writes: a style, ``money EUR`` with a currency. Raises ``Invalid`` with what is possible."""
    name, _, unit = words.partition(" ")
    known = ", ".join(style.value if style is not Style.MONEY else "money EUR" for style in Style)
    if name not in set(Style):
        raise Invalid(f"{words[:40]!r} is no way to show an argument; write one of {known}.")
    style = Style(name)
    if (style is Style.MONEY) != bool(unit) or (unit and not _CURRENCY.fullmatch(unit)):
        raise Invalid("Money is shown in a currency of three capitals, such as money EUR; other ways take no unit.")
    return Rendering(style=style, unit=unit)


def named_in(title: str) -> tuple[str, ...]:
    """The arguments that a title such as ``Refund {amount} for {order_id}`` names.

    Raises ``Invalid`` for braces around anything else.
    """
    outside = _PLACE.sub("", title)
    if "{" in outside or "}" in outside or not title.isprintable():
        raise Invalid("A title is one line with arguments in braces, such as Refund {amount} for {order_id}.")
    return tuple(_PLACE.findall(title))


def filled(title: str, values: Mapping[str, str]) -> str | None:
    """``title`` with what each of its arguments reads like; None where the call lacks one."""
    names = named_in(title)
    if any(name not in values for name in names):
        return None
    return _PLACE.sub(lambda place: values[place[1]], title)


def in_reading_order(forms: Mapping[str, Rendering]) -> tuple[str, ...]:
    """The names of ``forms`` in the order to show them: the agent's own, but a mail reads as a mail.

    A mail is what goes to addresses, with a subject and a body in prose: its head comes first, in a letter's order,
    and the body last.
    """
    names = tuple(forms)
    places = {name: place for name in names if (place := _place(name)) is not None}
    heads = sorted(places, key=places.__getitem__)
    bodies = [name for name in names if forms[name].style is Style.PROSE and name not in places]
    if not bodies or _SUBJECT not in places.values() or len(heads) < 2:
        return names
    return (*heads, *(name for name in names if name not in (*heads, *bodies)), *bodies)


def _place(name: str) -> int | None:
    """Where a line of a mail's head stands; None for what is none."""
    return next((at for at, names in enumerate(_MAIL) if names.fullmatch(name.lower())), None)


def rendering(name: str, value: Any, schema: Mapping[str, Any] | None, chosen: Mapping[str, Rendering]) -> Rendering:
    """How the argument ``name`` reads best: as the policy chose, else by its format, its value and its name."""
    if name in chosen:
        return chosen[name]
    style = _by_format(name, schema) or _by_value(value) or _by_name(name, value) or Style.PLAIN
    return Rendering(style=style)


def _by_format(name: str, schema: Mapping[str, Any] | None) -> Style | None:
    properties = schema.get("properties") if schema else None
    told = properties.get(name) if isinstance(properties, dict) else None
    found = told.get("format") if isinstance(told, dict) else None
    return _FORMATS.get(found) if isinstance(found, str) else None


def _by_value(value: Any) -> Style | None:
    several = value if isinstance(value, list) else [value]
    if several and all(isinstance(one, str) and _ADDRESS.fullmatch(one) for one in several):
        return Style.PEOPLE
    if not isinstance(value, str):
        return None
    if host_of(value):
        return Style.LINK
    return Style.DIFF if _DIFF.match(value) else Style.SQL if _SQL.match(value) and " " in value.strip() else None


def _by_name(name: str, value: Any) -> Style | None:
    """By the argument's name, for texts; prose only where there are words in a row."""
    if not isinstance(value, str):
        return None
    style = next((style for style, names in _NAMES if names.search(name.lower())), None)
    return None if style is Style.PROSE and value.count(" ") < 3 else style


def host_of(text: str) -> str:
    """Where a plain web address leads, in lower case with its port; empty for anything else.

    Browsers read a backslash as a slash and other programs don't: of such an address nothing is said.
    """
    if not _WEB.fullmatch(text):
        return ""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").lower()
        return f"{host}:{parts.port}" if host and parts.port else host
    except ValueError:
        return ""


def money(amount: Any, unit: str) -> str | None:
    """``1234.5`` as ``1,234.50 EUR``: every digit that is there, at least two decimals; None for what is no number."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        return None
    written = canonical(amount).decode("ascii")
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", written):
        return f"{written} {unit}"
    whole, _, part = written.partition(".")
    return f"{int(whole):,}.{part.ljust(2, '0')} {unit}" if whole != "-0" else f"-0.{part.ljust(2, '0')} {unit}"


def weekday(text: str) -> str | None:
    """``2026-11-30`` with its day of the week; None for what is no date."""
    try:
        return f"{text} ({date.fromisoformat(text):%A})" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None
