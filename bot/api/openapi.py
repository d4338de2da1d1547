"""The OpenAPI 3.1 document of the API, made of its routes: their operations, docstrings and models."""

from __future__ import annotations

import inspect
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from importlib import metadata
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from bot.api import examples
from bot.api.asks import ClaimBody
from bot.api.news import NewsOut, webhooks
from bot.api.operations import IDEMPOTENCY_KEY, JSON, LAST_EVENT_ID, Operation, Shape, described
from bot.api.problems import Problem
from bot.api.schemas import REF, Document, markdown, schemas_of, without_null

ABOUT = """\
An agent asks for a sign-off, waits, claims what was approved, runs it, and reports. People decide in Slack:
**no key can decide anything**.

Bodies are JSON, UTF-8, of at most 256 KiB, nested at most 64 levels deep, with each key once in its object, without NUL
characters and without integers beyond ±(2^53 - 1); a member that isn't known is refused. Answers may gain members: skip
those you don't know.

Whatever isn't a success is a problem document (RFC 9457): `detail` tells a person what to do, `code` tells a program,
`errors` names each place. Treat what isn't `approved` as *not approved*, whatever the reason.
"""
TAGS: Mapping[str, str] = {
    "requests": "What agents do, each with a key of its own: `Authorization: Bearer so_agent_…`.",
    "aap": "The same requests by the Agent Approval Protocol, version 1: give its clients this gateway's address with "
    "`/aap`, and an agent's key. What the protocol has no word for, such as an edit, reads as `denied`, with a note.",
    "hooks": "What agent programs send by themselves, in their own words.",
    "operation": "What those ask who keep the gateway running.",
    "description": "What you are reading.",
}
KEYS: Mapping[str, str] = {
    "agent": "An agent's key, made by `signoff keys create NAME`. It sees its own requests and decides nothing.",
    "operator": "An operator's key, made by `signoff keys create NAME --operator`. It reads figures.",
    "provisioner": "A provisioner's key, made by `signoff keys create NAME --provisioner`. It makes agents' keys.",
}
HEADERS: Mapping[str, Document] = {
    IDEMPOTENCY_KEY: {
        "description": "A name of yours for this very call, such as a UUID: the same key with the same body does "
        "nothing twice, for as long as the request exists.",
        "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
    },
    LAST_EVENT_ID: {
        "description": "The id of the last event that you have.",
        "schema": {"type": "string", "pattern": "^[0-9]{0,19}$"},
    },
}
ANSWERED: Mapping[int, tuple[str, str]] = {
    201: ("Location", "Where the request is."),
    401: ("WWW-Authenticate", "How to authenticate."),
    429: ("Retry-After", "In how many seconds to try again."),
    503: ("Retry-After", "In how many seconds to try again."),
}
"""The header that comes with a status, and what it says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One described route."""

    method: str
    path: str
    operation: Operation
    words: str

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return self.words.partition("\n")[0].rstrip(".")

    @property
    def names(self) -> list[str]:
        """The names of what stands in braces in its address."""
        return re.findall(r"\{(\w+)\}", self.path)


def calls_of(routes: Iterable[web.AbstractRoute]) -> Iterator[Call]:
    """The calls that ``routes`` describe. A HEAD is its GET's; Slack's own door is none of the API."""
    for route in routes:
        operation = described(route.handler)
        if operation is not None and route.resource is not None and route.method != "HEAD":
            words = markdown(inspect.getdoc(route.handler) or "")
            yield Call(method=route.method, path=route.resource.canonical, operation=operation, words=words)


def document_of(routes: Iterable[web.AbstractRoute]) -> Document:
    """The document of an application with these routes."""
    return _Writer(calls=tuple(calls_of(routes))).document()


def written(document: Document) -> bytes:
    """``document`` as it is sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, kw_only=True)
class _Writer:
    calls: tuple[Call, ...]

    def document(self) -> Document:
        """The whole document."""
        return {
            "openapi": "3.1.0",
            "info": {"title": "Signoff", "version": metadata.version("signoff-gateway"), "description": ABOUT},
            "servers": [{"url": "/"}],
            "tags": [
                {"name": name, "description": words}
                for name, words in TAGS.items()
                if any(call.operation.tag == name for call in self.calls)
            ],
            "paths": self._paths(),
            "webhooks": webhooks(examples.news()),
            "components": {
                "schemas": self._schemas,
                "examples": {code: {"value": shown} for code, shown in self._refused.items()},
                "securitySchemes": {
                    f"{kind}_key": {"type": "http", "scheme": "bearer", "description": words}
                    for kind, words in KEYS.items()
                },
            },
        }

    @cached_property
    def _schemas(self) -> Document:
        found: Document = {}
        for query in (call.operation.query for call in self.calls if call.operation.query is not None):
            found |= {name: schema for name, schema in schemas_of([query]).items() if name != query.__name__}
        used = (model for call in self.calls for model in _models(call.operation))
        return dict(sorted((found | schemas_of(dict.fromkeys((*used, NewsOut)))).items()))

    @cached_property
    def _bodies(self) -> dict[str, dict[str, Any]]:
        return examples.bodies()

    @cached_property
    def _answers(self) -> dict[str, Any]:
        return examples.answers()

    @cached_property
    def _refused(self) -> dict[str, Any]:
        said = {code for call in self.calls for code in call.operation.problems}
        return {code: shown for code, shown in examples.refusals().items() if code in said}

    def _paths(self) -> Document:
        paths: defaultdict[str, Document] = defaultdict(dict)
        for call in self.calls:
            paths[call.path][call.method.lower()] = self._operation(call)
        return dict(paths)

    def _operation(self, call: Call) -> Document:
        operation = call.operation
        told: Document = {"operationId": operation.id, "tags": [operation.tag], "summary": call.summary}
        more = call.words.partition("\n")[2].strip()
        if more:
            told["description"] = more
        told["security"] = _security(operation)
        parameters = [*self._in_path(call), *self._in_query(operation), *_in_headers(operation)]
        if parameters:
            told["parameters"] = parameters
        if operation.bodies:
            told["requestBody"] = {"required": operation.body_needed, "content": {JSON: self._body(operation)}}
        told["responses"] = {**self._successes(operation), **self._problems(operation)}
        return told

    def _in_path(self, call: Call) -> Iterator[Document]:
        for name in call.names:
            schema = {"type": "string", "pattern": f"^{call.operation.id_pattern}$"}
            words = call.operation.id_words
            yield {"name": name, "in": "path", "required": True, "description": words, "schema": schema}

    def _in_query(self, operation: Operation) -> Iterator[Document]:
        if operation.query is None:
            return
        shape = schemas_of([operation.query])[operation.query.__name__]
        for name, schema in shape["properties"].items():
            told = {key: value for key, value in without_null(schema).items() if key != "description"}
            parameter = {"name": name, "in": "query", "required": name in shape.get("required", ())}
            listed = {"style": "form", "explode": False} if told.get("type") == "array" else {}
            yield {**parameter, "description": schema.get("description", ""), **listed, "schema": told}

    def _body(self, operation: Operation) -> Document:
        shown = self._bodies.get(operation.id, {})
        return {
            "schema": _one_of(operation.bodies),
            "examples": {name: {"value": value} for name, value in shown.items()},
        }

    def _successes(self, operation: Operation) -> Document:
        return {str(status): self._success(operation, status, shape) for status, shape in operation.answers.items()}

    def _success(self, operation: Operation, status: int, shape: Shape) -> Document:
        told: Document = {"description": HTTPStatus(status).phrase, **_headers(status)}
        if shape is None:
            return told
        if isinstance(shape, str):
            told["content"] = {shape: {"schema": {"type": "object" if shape == JSON else "string"}}}
            return told
        content: Document = {"schema": _ref(shape)}
        if operation.id in self._answers:
            content["example"] = self._answers[operation.id]
        told["content"] = {JSON: content}
        if operation.leads_on:
            told["links"] = self._links(shape)
        return told

    def _links(self, shape: type[BaseModel]) -> Document:
        """What can be done next with a request that was answered in this shape, by the operation's id."""
        (base,) = {call.path for call in self.calls if call.operation.answers.get(201) is shape}
        found: Document = {}
        for call in self.calls:
            if call.path.startswith(f"{base}/{{id}}"):
                link: Document = {"operationId": call.operation.id, "parameters": {"id": "$response.body#/id"}}
                if ClaimBody in call.operation.bodies:
                    link["requestBody"] = {"digest": "$response.body#/digest"}
                found[call.operation.id] = link
        return found

    def _problems(self, operation: Operation) -> Document:
        by_status: defaultdict[int, list[str]] = defaultdict(list)
        for code in operation.problems:
            by_status[operation.table[code].status].append(code)
        return {str(status): _refusal(operation, status, names) for status, names in sorted(by_status.items())}


def _refusal(operation: Operation, status: int, names: list[str]) -> Document:
    names = list(dict.fromkeys(names))
    coded: Document = {"enum": names}
    for name in reversed(operation.code_at):
        coded = {"properties": {name: coded}}
    content: Document = {"schema": {"allOf": [_ref(operation.problem), coded]}}
    if operation.problem is Problem:
        content["examples"] = {name: {"$ref": f"#/components/examples/{name}"} for name in names}
    words = " ".join(f"`{name}`: {operation.table[name].words}" for name in names)
    return {"description": words, **_headers(status), "content": {operation.problem_type: content}}


def _security(operation: Operation) -> list[Document]:
    """Whose key, and which of its scopes; one of several is enough."""
    if operation.key is None:
        return []
    scopes = operation.scopes if operation.limited else ()
    return [{f"{operation.key}_key": [scope.value]} for scope in scopes] or [{f"{operation.key}_key": []}]


def _headers(status: int) -> Document:
    if status not in ANSWERED:
        return {}
    name, words = ANSWERED[status]
    schema = {"type": "integer", "minimum": 1} if name == "Retry-After" else {"type": "string"}
    return {"headers": {name: {"description": words, "required": True, "schema": schema}}}


def _in_headers(operation: Operation) -> Iterator[Document]:
    for name in operation.headers:
        yield {"name": name, "in": "header", "required": operation.headers_needed, **HEADERS[name]}


def _models(operation: Operation) -> Iterator[type[BaseModel]]:
    yield from operation.bodies
    yield from operation.shapes
    yield from (shape for shape in operation.answers.values() if isinstance(shape, type))
    yield operation.problem


def _ref(model: type[BaseModel]) -> Document:
    return {"$ref": REF.format(model=model.__name__)}


def _one_of(models: tuple[type[BaseModel], ...]) -> Document:
    return _ref(models[0]) if len(models) == 1 else {"anyOf": [_ref(model) for model in models]}
