"""Holds what the API answers against what its own OpenAPI document says that it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web
from jsonschema_rs import Draft202012Validator

from bot.api.openapi import document_of

UNDESCRIBED = {404, 405}
"""What any address can answer: that it isn't there, that it doesn't take the method."""


class Contract:
    """The document of one application's routes, ready to be held against answers."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.components = document["components"]
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations)
            for path, operations in document["paths"].items()
        ]
        self._validators: dict[int, Draft202012Validator] = {}

    def check(self, method: str, path: str, status: int, headers: Mapping[str, str], body: Any) -> None:
        """Fail where the document doesn't say that this call can be answered so."""
        operation = self._operation(method, path.partition("?")[0])
        if operation is None:
            assert status in UNDESCRIBED, f"{method} {path} isn't described, but answers {status}"
            return
        place = f"{operation['operationId']} {status}"
        assert str(status) in operation["responses"], f"{place} isn't described: {body}"
        answer = operation["responses"][str(status)]
        for name, header in answer.get("headers", {}).items():
            assert not header["required"] or name in headers, f"{place} comes without {name}"
        if "content" not in answer:
            return
        media = headers["Content-Type"].partition(";")[0]
        assert media in answer["content"], f"{place} comes as {media}"
        if media.endswith("json"):
            faults = [
                f"{fault.instance_path}: {fault.message}" for fault in self.faults(answer["content"][media], body)
            ]
            assert not faults, f"{place}: {faults}"

    def faults(self, content: Mapping[str, Any], body: Any) -> Iterator[Any]:
        """What doesn't fit the schema of ``content``."""
        if id(content) not in self._validators:
            schema = {**content["schema"], "components": self.components}
            self._validators[id(content)] = Draft202012Validator(schema, validate_formats=True)
        return iter(self._validators[id(content)].iter_errors(body))

    def _operation(self, method: str, path: str) -> Mapping[str, Any] | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path):
                found: Mapping[str, Any] | None = operations.get(method.lower())
                return found
        return None


def contract_of(app: web.Application) -> Contract:
    """The contract of an application; of the same routes the same one, since making it takes a while."""
    routes = tuple((route.method, str(route.resource)) for route in app.router.routes())
    if routes not in _MADE:
        _MADE[routes] = Contract(document_of(app.router.routes()))
    return _MADE[routes]


_MADE: dict[tuple[tuple[str, str], ...], Contract] = {}
