"""What a person typed into a form as arguments again.

Two laws: what nobody touched keeps its stored value, byte for byte; and nothing typed is repaired or rounded, a fault
names its field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from policies.arguments import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, Arguments, JsonValue, intake, parse
from policies.errors import Fault, Faulty, Invalid
from policies.fields import CHOOSING, Field, field_at
from policies.form_schema import Kind

Submitted: TypeAlias = str | tuple[int, ...] | None
"""A text, the positions of what was chosen, or None for a field that was left empty."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_LONGEST_NUMBER = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class _Removed:
    """The argument is to be left out of the call."""


def apply_edits(fields: tuple[Field, ...], original: Arguments, submitted: Mapping[str, Submitted]) -> Arguments:
    """`original` with what was submitted. Fields that are missing from `submitted`, locked or unchanged keep their
    value.

    Raises Faulty with one fault for each wrong field, `where` its name (empty for the whole). Says nothing about the
    tool's schema.
    """
    edited: Arguments = dict(original)
    faults: list[Fault] = []
    for field in fields:
        if field.locked or field.name not in submitted or _untouched(field, submitted[field.name]):
            continue
        try:
            _put(edited, field, _read(field, original, submitted[field.name]))
        except Invalid as error:
            faults.append(Fault(where=field.name, words=error.words))
    if faults:
        raise Faulty(tuple(faults))
    try:
        return intake(edited)
    except Invalid as error:
        raise Faulty((Fault(where=field_at(fields, error.where), words=error.words),)) from error


def _untouched(field: Field, given: Submitted) -> bool:
    """Text boxes write every line end as one character and may drop white space at both ends; None is an empty box."""
    if field.kind in CHOOSING:
        return not isinstance(given, str) and sorted(given or ()) == sorted(field.selected)
    if not isinstance(given, str | None):
        return False
    typed, start = _one_kind_of_line_end(given or ""), _one_kind_of_line_end(field.shown)
    return typed in (start, start.strip())


def _read(field: Field, original: Arguments, given: Submitted) -> JsonValue | _Removed:
    if not given:
        return _cleared(field)
    if field.kind in CHOOSING:
        return _chosen(field, given)
    if not isinstance(given, str):
        raise Invalid("send text for this field")
    typed = _one_kind_of_line_end(given)
    if field.kind in (Kind.TEXT, Kind.LONG_TEXT):
        return typed.replace("\n", "\r\n") if "\r\n" in field.shown else typed
    if not typed.strip():
        return _cleared(field)
    if field.kind in (Kind.NUMBER, Kind.INTEGER):
        return _number(typed.strip(), whole=field.kind is Kind.INTEGER)
    if field.kind is Kind.LIST:
        return [line for line in typed.split("\n") if line.strip()]
    return typed.strip() if field.kind is Kind.DATE else _json(field, typed)


def _cleared(field: Field) -> JsonValue | _Removed:
    if not field.required:
        return _Removed()
    if field.nullable:
        return None
    if field.kind in (Kind.TEXT, Kind.LONG_TEXT):
        return ""
    if field.kind in (Kind.LIST, Kind.MULTI_ENUM):
        return []
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


def _json(field: Field, typed: str) -> JsonValue:
    value = parse(typed.encode("utf-8", "surrogatepass"), max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)
    if field.covers and not isinstance(value, dict):
        raise Invalid("write a JSON object with the other arguments")
    return value


def _put(edited: Arguments, field: Field, value: JsonValue | _Removed) -> None:
    if field.covers:
        _put_rest(edited, field, value)
    elif isinstance(value, _Removed):
        edited.pop(field.name, None)
    else:
        edited[field.name] = value


def _put_rest(edited: Arguments, field: Field, value: JsonValue | _Removed) -> None:
    given = value if isinstance(value, dict) else {}
    foreign = [name for name in given if name not in field.covers]
    if foreign:
        raise Invalid(f"{foreign[0][:80]!a} has a field of its own or isn't known; change it there")
    for name in field.covers:
        edited.pop(name, None)
    edited.update(given)


def _one_kind_of_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
