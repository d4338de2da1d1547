"""A whole call's arguments as one JSON text, for those who would rather edit that."""

from __future__ import annotations

from policies.arguments import Arguments, intake
from policies.changes import Found
from policies.errors import Fault, Faulty, Invalid
from policies.field_values import pretty, units
from policies.fields import MAX_TEXT, why_garbled
from policies.redaction import redact
from policies.typed import one_kind_of_line_end, read_json


def json_text(arguments: Found, key: bytes) -> str | None:
    """The arguments as JSON; None where they hold a secret, or what one text box can't hold unchanged."""
    if not isinstance(arguments, dict):
        return None
    text = pretty(arguments)
    fits = units(text) <= MAX_TEXT and not why_garbled(text)
    return text if fits and not redact(arguments, key=key).paths else None


def read_arguments(typed: str) -> Arguments:
    """The arguments that somebody typed as JSON. Raises Faulty with the line and the column of what is wrong."""
    try:
        return intake(read_json(one_kind_of_line_end(typed)))
    except Invalid as error:
        raise Faulty((Fault(where=error.where, words=error.words),)) from error
