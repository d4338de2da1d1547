"""What a JSON Schema says of one value, in a few words for a reader."""

from __future__ import annotations

from html import escape

from bot.api.schemas import Document

BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
}
NAMES = {"string": "text", "boolean": "true or false", "array": "list", "integer": "whole number", "null": "null"}


def kind_of(schema: Document) -> str:
    """HTML: the type with its bounds, the shape's name as a link."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(kind_of(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"<code>{escape(str(each))}</code>" for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {kind_of(schema['items'])}{_bounds(schema)}"
    if schema.get("format") == "date-time":
        return "time (RFC 3339)"
    kind = str(schema.get("type", "any JSON"))
    return escape(NAMES.get(kind, kind)) + _bounds(schema)


def _bounds(schema: Document) -> str:
    """The bounds that say something: at least one character goes without saying."""
    found = [words.format(f"{schema[name]:,}") for name, words in BOUNDS.items() if schema.get(name, 1) != 1]
    found += [f"up to {schema['maximum']}"] if schema.get("maximum") == 1 else []
    default = schema.get("default")
    found += [f"{default!s} where left out".lower()] if default is not None else []
    return "".join(f", {escape(words)}" for words in found)
