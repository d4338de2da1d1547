"""What was typed into one field, or chosen in it, as a JSON value; nothing is repaired or rounded."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias

from policies.arguments import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, JsonValue, parse
from policies.changes import ABSENT, Found
from policies.errors import Invalid
from policies.field_values import CHOOSING, EARLIEST, LATEST, moment, read_pairs
from policies.field_words import TEXTS
from policies.fields import Field
from policies.form_schema import Kind
from policies.redaction import has_mask

Submitted: TypeAlias = str | tuple[int, ...] | None
"""A text (of a moment: unix seconds), the positions of what was chosen, or None for a field that was left empty."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_LONGEST_NUMBER = 400


class Kept(Enum):
    """Nobody touched it."""

    KEPT = "kept"


KEPT: Final = Kept.KEPT


def untouched(field: Field, given: Submitted) -> bool:
    """Text boxes write every line end as one character and may drop white space at both ends; None is an empty box."""
    if field.kind in CHOOSING:
        return not isinstance(given, str) and sorted(given or ()) == sorted(field.selected)
    if not isinstance(given, str | None):
        return False
    typed, start = one_kind_of_line_end(given or ""), one_kind_of_line_end(field.shown)
    if field.kind is Kind.MOMENT and _is_moment(typed) and field.shown:
        return int(typed) // 60 == int(field.shown) // 60  # pickers know no seconds
    return typed in (start, start.strip())


def read(field: Field, given: Submitted) -> Found:
    """The value of a field that somebody touched; ABSENT where it is to be left out. Raises Invalid."""
    if not given:
        return cleared(field)
    if field.kind in CHOOSING:
        return _chosen(field, given)
    if not isinstance(given, str):
        raise Invalid("send text for this field")
    if field.masked and has_mask(given):
        raise Invalid("this is what stands in the place of the secret; type the secret itself, or leave this empty")
    typed = one_kind_of_line_end(given)
    if field.kind in TEXTS:
        return typed.replace("\n", "\r\n") if "\r\n" in field.shown else typed
    return _read_line(field, typed) if typed.strip() else cleared(field)


def _read_line(field: Field, typed: str) -> JsonValue:
    match field.kind:
        case Kind.NUMBER | Kind.INTEGER:
            return _number(typed.strip(), whole=field.kind is Kind.INTEGER)
        case Kind.LIST:
            return [line for line in typed.split("\n") if line.strip()]
        case Kind.NUMBERS:
            return [_number(line.strip(), whole=False) for line in typed.split("\n") if line.strip()]
        case Kind.PAIRS:
            return _pairs(typed)
        case Kind.TIME:
            return typed.strip() + field.style
        case Kind.MOMENT:
            return _moment(field, typed.strip())
        case Kind.DATE | Kind.EMAIL | Kind.LINK:
            return typed.strip()
    return _json(field, typed)


def cleared(field: Field) -> Found:
    """The value of a field that somebody emptied; ABSENT where the tool can do without it. Raises Invalid."""
    if not field.required:
        return ABSENT
    if field.nullable:
        return None
    if field.kind in TEXTS:
        return ""
    if field.kind in (Kind.LIST, Kind.NUMBERS, Kind.MULTI_ENUM):
        return []
    if field.kind is Kind.PAIRS:
        return {}
    raise Invalid("this is required; fill it in")


def _chosen(field: Field, given: Submitted) -> JsonValue:
    positions = _positions(given)
    if any(not 0 <= position < len(field.choices) for position in positions):
        raise Invalid("choose from the list")
    values = [field.choices[position].value for position in positions]
    if field.kind is Kind.MULTI_ENUM:
        return values
    if len(values) != 1:
        raise Invalid("choose one")
    return values[0]


def _positions(given: Submitted) -> tuple[int, ...]:
    if not given:
        return ()
    if isinstance(given, str):
        raise Invalid("choose from the list")
    return given


def _is_moment(typed: str) -> bool:
    return typed.isascii() and typed.isdigit() and len(typed) <= 10 and EARLIEST <= int(typed) <= LATEST


def _moment(field: Field, typed: str) -> str:
    if not _is_moment(typed):
        raise Invalid("choose a date and a time")
    return moment(int(typed), field.style)


def _number(typed: str, *, whole: bool) -> int | float:
    """The number that was typed, exactly: what a JSON number can't hold is refused instead of rounded."""
    if len(typed) > _LONGEST_NUMBER or not _NUMBER.fullmatch(typed):
        raise Invalid(
            f"write a {'whole ' if whole else ''}number such as {'1000' if whole else '1000.50'}, without separators"
        )
    exact = Decimal(typed)
    if not exact:
        return 0 if whole or typed.strip("+-").isdigit() else 0.0
    if exact.adjusted() > 307 or exact.adjusted() < -300:
        raise Invalid("this number is too large or too small; write one of ordinary size")
    if whole or typed.lstrip("+-").isdigit():
        return _integer(exact)
    number = float(exact)
    if Decimal(repr(number)) != exact:
        raise Invalid("this number has more digits than can be kept exactly; use at most 15")
    return number


def _integer(exact: Decimal) -> int:
    if exact.adjusted() > 20 or abs(exact) > MAX_INTEGER:
        raise Invalid("this number is too large to be kept exactly; the largest is 9007199254740991")
    if exact != exact.to_integral_value():
        raise Invalid("write a whole number, without a fraction")
    return int(exact)


def _pairs(typed: str) -> JsonValue:
    found = read_pairs(typed)
    if found is None:
        raise Invalid("write each line as a name, a colon and a space, and its text; each name once")
    return found


def _json(field: Field, typed: str) -> JsonValue:
    value = read_json(typed)
    if field.is_rest and not isinstance(value, dict):
        raise Invalid("write a JSON object, with a name for each value")
    return value


def read_json(typed: str) -> JsonValue:
    """JSON text as a person typed it, within the bounds of every call's arguments. Raises Invalid with line and
    column.
    """
    return parse(typed.encode("utf-8", "surrogatepass"), max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)


def one_kind_of_line_end(text: str) -> str:
    """`text` with every line end as one character, as text boxes send it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
