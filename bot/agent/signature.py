"""A Python function's signature and docstring, read as what a model and a reviewer need: words, a JSON Schema, a check.

The schema is what pydantic says of the parameters (JSON Schema draft 2020-12), closed at every level: an argument that
nobody declared would be approved by a person and then dropped in silence.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any, get_type_hints

_RESERVED = "signoff_"
_VALUES = ("default", "enum", "const", "examples")  # schema keywords that hold values, not schemas
_PARAGRAPH_END = re.compile(r"\n\s*\n|\n\s*(?:Args|Arguments|Returns|Raises|Yields|Examples?):\s*\n")
_OPEN_KINDS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)


class UnfitForTool(TypeError):
    """The function cannot be described as a tool; the words say what to change in its definition."""


class ArgumentsRefused(ValueError):
    """Arguments that do not fit the signature; the words name each argument and what is expected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """What was read from one function.

    `check` takes JSON arguments and gives the keyword arguments to call the function with (dates, nested models,
    defaults filled in); it raises ArgumentsRefused. Nothing is converted loosely: "40" is no number, so what a person
    approved is what runs.
    """

    description: str
    schema: Mapping[str, Any]
    check: Callable[[Mapping[str, Any]], dict[str, Any]]


def read_signature(function: Callable[..., Any], description: str | None = None) -> Signature:
    """Read a function; `description` replaces the docstring's first paragraph. Raises UnfitForTool."""
    from docstring_parser.google import parse

    doc = parse(inspect.getdoc(function) or "")
    words = description or _first_paragraph(inspect.getdoc(function) or "")
    if not words:
        raise UnfitForTool(f"{function.__name__} needs a docstring: models and reviewers read its first paragraph.")
    adapter = _adapter(function)
    schema = _closed(adapter.json_schema())
    schema.pop("title", None)
    for parameter in doc.params:
        if parameter.arg_name in schema.get("properties", {}) and parameter.description:
            schema["properties"][parameter.arg_name].setdefault("description", _one_line(parameter.description))
    return Signature(description=words, schema=schema, check=lambda arguments: _checked(adapter, arguments))


def _adapter(function: Callable[..., Any]) -> Any:
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError

    # A dataclass rather than a pydantic model: its fields may be called `copy` or `schema` without shadowing methods.
    parameters = make_dataclass(
        function.__name__,
        list(_parameters(function)),
        kw_only=True,
        namespace={"__pydantic_config__": ConfigDict(extra="forbid")},
    )
    try:
        return TypeAdapter(parameters)
    except PydanticUserError as error:
        raise UnfitForTool(f"{function.__name__} cannot be described as JSON: {_one_line(str(error))}") from error


def _parameters(function: Callable[..., Any]) -> Iterator[tuple[str, Any, Any]]:
    hints = _hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in _OPEN_KINDS:
            raise UnfitForTool(f"{function.__name__}: name each parameter; *args, **kwargs and `/` do not work here.")
        if name not in hints:
            raise UnfitForTool(f"{function.__name__}: give the parameter {name} a type, such as {name}: str.")
        if name.startswith(_RESERVED):
            raise UnfitForTool(f"{function.__name__}: rename {name}; names in {_RESERVED} belong to the gateway.")
        yield name, hints[name], _default(parameter.default)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise UnfitForTool(f"{function.__name__}: {error}; import the type at the top of its module.") from error


def _default(value: Any) -> Any:
    """A dataclass field with this default; a factory copies mutable ones, which dataclasses refuse to share."""
    if value is inspect.Parameter.empty:
        return field()
    if isinstance(value, list | dict | set):
        return field(default_factory=value.copy)
    return field(default=value)


def _checked(adapter: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    try:
        text = json.dumps(dict(arguments), allow_nan=False)
        # Through JSON, so that strict mode still reads a date from its text; `extra` also closes nested models.
        bound = adapter.validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}" for fault in error.errors())
        raise ArgumentsRefused("; ".join(faults)) from None
    except (TypeError, ValueError) as error:
        raise ArgumentsRefused(f"the arguments are not JSON: {error}") from None
    return {each.name: getattr(bound, each.name) for each in fields(bound)}


def _closed(schema: Any) -> Any:
    """The schema with `additionalProperties: false` on every object that lists its properties."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: value if key in _VALUES else _closed(value) for key, value in schema.items()}
    if closed.get("type") == "object" and ("properties" in closed or "additionalProperties" not in closed):
        closed.setdefault("properties", {})
        closed["additionalProperties"] = False
    return closed


def _first_paragraph(doc: str) -> str:
    return _one_line(_PARAGRAPH_END.split(doc, maxsplit=1)[0])


def _one_line(text: str) -> str:
    return " ".join(text.split())
