"""What an MCP server says of its tools, made into the runner's tools. All of it is a stranger's word.

A tool is offered only under a plain name and with a schema that can be checked safely; whatever the server hints about
it (``readOnlyHint`` and the like) loosens nothing, since the policy alone says whether people are asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.agent.signature import ArgumentsRefused
from bot.agent.tools import Offered
from policies.arguments import intake
from policies.errors import Invalid
from policies.redaction import shortened
from policies.tool_schema import check_schema, validate

LONGEST_DESCRIPTION = 4_000
"""Characters of a tool's description that the model and the card are given."""

_NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")
_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")  # what the Messages API takes
_RESERVED = "signoff_"
_VALUES = ("default", "enum", "const", "examples")
_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


class NotOffered(Exception):
    """This tool can't be offered; the words say why."""


def offered(server: str, name: object, description: object, schema: object) -> Offered:
    """The tool that ``server`` lists as ``name``. Raises NotOffered."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise NotOffered(f"{shortened(repr(name), 80)} is no name for a tool")
    checked = _schema(name, schema)

    def check(arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            faults = validate(checked, intake(dict(arguments)))
        except Invalid as error:
            raise ArgumentsRefused(error.words) from None
        if faults:
            raise ArgumentsRefused("; ".join(str(fault) for fault in faults))
        return dict(arguments)

    said = description if isinstance(description, str) else ""
    words = shortened(said.encode("utf-8", "replace").decode().strip(), LONGEST_DESCRIPTION) or f"{name} of {server}"
    return Offered(name=f"{server}.{name}", description=words, schema=checked, check=check)


def _schema(name: str, schema: object) -> dict[str, Any]:
    """The schema as it is; without its patterns where those can't be checked, since the server checks them again."""
    try:
        checked = check_schema(schema)
    except Invalid:
        try:
            checked = check_schema(_without_patterns(schema))
        except Invalid as error:
            raise NotOffered(f"{name}: its schema can't be used ({error.words})") from None
    properties = checked.get("properties")
    named = properties if isinstance(properties, dict) else {}
    unfit = [each for each in named if not _PROPERTY.fullmatch(each) or each.startswith(_RESERVED)]
    if unfit:
        raise NotOffered(f"{name}: its argument {shortened(unfit[0], 80)!r} can't be called so")
    return {**checked, "type": "object"}


def _without_patterns(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_patterns(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _part(key, value) for key, value in schema.items() if key not in ("pattern", "patternProperties")}


def _part(key: str, value: Any) -> Any:
    if key in _VALUES:
        return value
    if key in _BY_NAME and isinstance(value, dict):
        return {name: _without_patterns(one) for name, one in value.items()}
    return _without_patterns(value)
