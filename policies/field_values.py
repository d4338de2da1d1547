"""How a JSON value stands in an input, and whether it comes back from there unchanged."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import cast
from urllib.parse import urlsplit

from policies.arguments import JsonValue, canonical
from policies.form_schema import Described, Kind, Option

CHOOSING = frozenset({Kind.BOOLEAN, Kind.ENUM, Kind.MULTI_ENUM})
EARLIEST, LATEST = 10**9, 10**10 - 1
"""Unix seconds that a picker of moments takes."""
NEW_STYLES = {Kind.TIME: ":00Z", Kind.MOMENT: "Z"}
"""How times are written that nobody wrote before: in UTC."""

_TIME = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])((?::00(?:\.0{1,6})?)?(?:Z|z|[+-][0-9]{2}:[0-9]{2})?)", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}", re.ASCII)


def holds(kind: Kind, told: Described, value: JsonValue) -> bool:
    """Can a field of this kind hold `value` so that reading it back gives the same?"""
    if value is None and told.nullable and not any(option.value is None for option in told.options):
        return kind is not Kind.JSON
    if kind is Kind.BOOLEAN:
        return isinstance(value, bool)
    if kind in (Kind.NUMBER, Kind.INTEGER):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (kind is Kind.NUMBER or float(cast(float, value)).is_integer())
    if kind is Kind.ENUM:
        return bool(positions(kind, told.options, value))
    if kind is Kind.MULTI_ENUM:
        return isinstance(value, list) and len(set(positions(kind, told.options, value))) == len(value)
    if kind is Kind.LIST:
        return isinstance(value, list) and all(isinstance(one, str) and one.splitlines() == [one] for one in value)
    if kind is Kind.NUMBERS:
        return isinstance(value, list) and all(type(one) is int or _is_broken(one) for one in value)
    if kind is Kind.PAIRS:
        return isinstance(value, dict) and _are_pairs(value)
    return kind is Kind.JSON or (isinstance(value, str) and _is_written_so(kind, value))


def _is_broken(value: JsonValue) -> bool:
    """A number that is read back as it was written: `2.0` would become 2."""
    return isinstance(value, float) and not value.is_integer()


def _are_pairs(value: dict[str, JsonValue]) -> bool:
    if not all(isinstance(one, str) for one in value.values()):
        return False
    text = as_input(Kind.PAIRS, value)
    return len(text.splitlines()) == len(value) and read_pairs(text) == value


def read_pairs(text: str) -> dict[str, JsonValue] | None:
    """Names with their texts, `name: text` on each line (`name:` for an empty text); None where a line isn't that, or
    a name comes twice.
    """
    found: dict[str, JsonValue] = {}
    for line in filter(None, map(str.strip, text.split("\n"))):
        name, divider, one = f"{line} ".partition(": ")
        name = name.strip()
        if not name or not divider or name in found:
            return None
        found[name] = one.strip()
    return found


def _is_written_so(kind: Kind, text: str) -> bool:
    if kind is Kind.DATE:
        return _is_date(text)
    if kind is Kind.TIME:
        return _TIME.fullmatch(text) is not None
    if kind is Kind.MOMENT:
        return _is_moment(text)
    if kind is Kind.EMAIL:
        return _EMAIL.fullmatch(text) is not None
    return kind is not Kind.LINK or _is_link(text)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    written = _MOMENT.fullmatch(text)
    try:
        seconds = int(datetime.fromisoformat(text).timestamp()) if written else 0
    except (ValueError, OverflowError):
        return False
    return written is not None and EARLIEST <= seconds <= LATEST and moment(seconds, written[1]) == text


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and text.isascii() and not set(text) & set(' "<>')


def moment(seconds: int, style: str) -> str:
    """Unix seconds as RFC 3339 text in the time zone that `style` (`Z`, `+02:00`) names."""
    zone = UTC if style == "Z" else datetime.fromisoformat(f"2000-01-01T00:00:00{style}").tzinfo
    return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%dT%H:%M:%S}{style}"


def style_of(kind: Kind, value: JsonValue) -> str:
    """What a picker doesn't show of a time but must come back: seconds and time zone, as they are written."""
    if isinstance(value, str) and kind is Kind.TIME and (found := _TIME.fullmatch(value)):
        return found[2]
    if isinstance(value, str) and kind is Kind.MOMENT and (found := _MOMENT.fullmatch(value)):
        return found[1]
    return NEW_STYLES.get(kind, "")


def positions(kind: Kind, options: tuple[Option, ...], value: JsonValue) -> tuple[int, ...]:
    """Positions of the chosen options. Compared as typed JSON: 1, 1.0 and true are three values."""
    if kind not in CHOOSING:
        return ()
    chosen = value if kind is Kind.MULTI_ENUM and isinstance(value, list) else [value]
    places = {_exact(option.value): place for place, option in reversed(list(enumerate(options)))}
    return tuple(places[_exact(one)] for one in chosen if _exact(one) in places)


def _exact(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True)


def as_input(kind: Kind, value: JsonValue) -> str:
    """The text that an input of this kind starts with; for a moment unix seconds."""
    if kind in CHOOSING or (value is None and kind is not Kind.JSON):
        return ""
    if kind is Kind.LIST:
        return "\n".join(cast("list[str]", value))
    if kind is Kind.NUMBERS:
        return "\n".join(canonical(one).decode("ascii") for one in cast("list[float]", value))
    if kind is Kind.PAIRS:
        return "\n".join(f"{name}: {one}".rstrip(" ") for name, one in cast("dict[str, str]", value).items())
    if kind is Kind.TIME:
        return cast(str, value)[:5]
    if kind is Kind.MOMENT:
        return str(int(datetime.fromisoformat(cast(str, value)).timestamp()))
    if isinstance(value, str) and kind is not Kind.JSON:
        return value
    if isinstance(value, float) and kind is Kind.NUMBER:
        return canonical(value).decode("ascii")
    return pretty(value)


def pretty(value: JsonValue) -> str:
    """A value as JSON text that people can read and change."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def units(text: str) -> int:
    """Length as Slack and browsers count it, in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
