"""A function as a tool: its parameters as JSON Schema, a call of it as JSON arguments, and back again."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

SELF = ("self", "cls")


class Signature:
    """What people see of a function's calls. ``local`` parameters (a session, ``self``) are passed on, never shown.

    Raises ``TypeError`` for ``*args`` and ``**kwargs``: reviewers must see each argument under its own name.
    """

    def __init__(self, function: Callable[..., Any], local: Collection[str] = ()) -> None:
        self._signature = inspect.signature(function)
        self._name = function.__name__
        parameters = list(self._signature.parameters.values())
        first = parameters[0].name if parameters else ""
        self._local = frozenset(local) | ({first} & set(SELF))
        hints = typing.get_type_hints(function, include_extras=True)
        fields = {one.name: _field(one, hints, self._name) for one in parameters if one.name not in self._local}
        self._model: type[BaseModel] = create_model(
            self._name, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False), **_safe(fields)
        )
        self.schema: dict[str, Any] = self._model.model_json_schema(by_alias=True)
        self.description = inspect.getdoc(function)

    def arguments(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A call's JSON arguments, and its local values. Raises ``TypeError`` where a value is lost on the way.

        Raises pydantic's ``ValidationError`` where the call breaks its own annotations.
        """
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = {name: value for name, value in bound.arguments.items() if name not in self._local}
        made = self._model.model_validate(given)
        arguments = json.loads(made.model_dump_json(by_alias=True))
        if self._model.model_validate_json(json.dumps(arguments)) != made:
            raise TypeError(f"An argument of {self._name} doesn't survive as JSON, so nobody could approve what it is.")
        return arguments, {name: value for name, value in bound.arguments.items() if name in self._local}

    def call(
        self, function: Callable[..., Any], arguments: Mapping[str, Any], local: Mapping[str, Any]
    ) -> Callable[[], Any]:
        """The call with approved arguments, in the parameters' own types, ready to be made.

        Raises pydantic's ``ValidationError`` for arguments that the function doesn't take.
        """
        made = self._model.model_validate_json(json.dumps(arguments))
        values = {name: getattr(made, _attribute(name)) for name in self._signature.parameters if name not in local}
        bound = self._signature.bind_partial()
        bound.arguments.update({name: {**values, **local}[name] for name in self._signature.parameters})
        return lambda: function(*bound.args, **bound.kwargs)


def _field(parameter: inspect.Parameter, hints: Mapping[str, Any], function: str) -> tuple[Any, Any]:
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        raise TypeError(
            f"{function} takes {parameter}: name each parameter, so that reviewers see what they approve; "
            "a parameter that they need not see is named in local=."
        )
    default = ... if parameter.default is inspect.Parameter.empty else parameter.default
    return (hints.get(parameter.name, Any), default)


def _attribute(name: str) -> str:
    """Names that a pydantic model can't have as fields get another one, and keep theirs as the alias."""
    return f"field_{name}" if name.startswith(("_", "model_")) or hasattr(BaseModel, name) else name


def _safe(fields: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {_attribute(name): (hint, Field(default, alias=name)) for name, (hint, default) in fields.items()}
