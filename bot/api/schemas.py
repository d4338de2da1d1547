"""The JSON Schemas of the API's models, as the OpenAPI document holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from bot.api.parts import Out
from bot.api.problems import FaultOut, Problem

Document = dict[str, Any]
"""JSON."""

REF = "#/components/schemas/{model}"


def schemas_of(models: Iterable[type[BaseModel]]) -> Document:
    """The schemas of ``models`` and of all that they hold, by name.

    Answers may gain members, so theirs admit unknown ones.
    """
    _, found = models_json_schema(
        [(model, "validation") for model in models], ref_template=REF, schema_generator=_Untitled
    )
    answered: tuple[type[BaseModel], ...] = (*_heirs(Out), Problem, FaultOut)
    open_ones = {model.__name__ for model in answered}
    return {name: _tidy(schema, is_open=name in open_ones) for name, schema in found["$defs"].items()}


class _Untitled(GenerateJsonSchema):
    """pydantic's own schemas without the titles that it makes of names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _heirs(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for heir in kind.__subclasses__():
        yield heir
        yield from _heirs(heir)


def _tidy(schema: Document, *, is_open: bool) -> Document:
    """A model's schema without what says nothing, its words as Markdown."""

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(each) for each in value]
        if not isinstance(value, dict):
            return markdown(value) if isinstance(value, str) else value
        return {key: walk(inside) for key, inside in value.items() if (key, inside) != ("default", None)}

    told: Document = walk(schema)
    if is_open:
        told.pop("additionalProperties", None)
    return told


def markdown(text: str) -> str:
    """A docstring's words as Markdown."""
    return text.replace("``", "`")


def without_null(schema: Document) -> Document:
    """The schema of what is left out rather than null."""
    found = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(found) != 1:
        return schema
    return {**{key: value for key, value in schema.items() if key != "anyOf"}, **found[0]}
