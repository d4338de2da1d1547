"""What stands beside each handler of the API: whose key it needs, what it takes, what it answers.

The OpenAPI document is made of the routes and of this, and of nothing else. A handler's docstring is what the document
says of it: the first line as its summary, the rest as its description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from bot.api import codes
from bot.api.codes import CODES, Code
from bot.api.problems import Problem
from policies.allowance import Scope

JSON = "application/json"
PROBLEM = "application/problem+json"
IDEMPOTENCY_KEY = "Idempotency-Key"
LAST_EVENT_ID = "Last-Event-ID"

Shape = type[BaseModel] | str | None
"""A model of a JSON body, the media type of an answer that is none, None for an answer without a body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One call of the API. ``key`` is the kind of key that it needs, None where it needs none.

    An agent's key must have one of ``scopes``. ``bodies`` are the shapes of which a body has one, ``id_pattern`` is
    what the id in the address can be and ``id_words`` whose it is, ``headers`` are those besides ``Authorization`` that
    it reads, ``answers`` the successes by status, ``shapes`` what else they hold, ``codes`` the problems that it can
    have besides those of every key and body. ``stored``: it looks into the database. ``leads_on``: what it answers can
    be acted on. Where what isn't a success has a shape of its own, ``problem`` is that, in ``problem_type``, its code
    stands at ``code_at``, and ``table`` says the status of each code. One that isn't ``refusing`` answers whatever goes
    wrong with a success, in words of its own.
    """

    id: str
    tag: str
    key: Literal["agent", "operator", "provisioner"] | None
    answers: Mapping[int, Shape]
    scopes: tuple[Scope, ...] = (Scope.READ,)
    shapes: tuple[type[BaseModel], ...] = ()
    bodies: tuple[type[BaseModel], ...] = ()
    query: type[BaseModel] | None = None
    id_pattern: str = "[0-9A-Za-z_-]{1,100}"
    id_words: str = "The request's id."
    body_needed: bool = True
    headers: tuple[str, ...] = ()
    headers_needed: bool = False
    codes: tuple[str, ...] = ()
    stored: bool = True
    refusing: bool = True
    leads_on: bool = False
    problem: type[BaseModel] = Problem
    problem_type: str = PROBLEM
    table: Mapping[str, Code] = field(default_factory=lambda: CODES)
    code_at: tuple[str, ...] = ("code",)

    @property
    def limited(self) -> bool:
        """Are there agents' keys that may not do this?"""
        return self.key == "agent" and Scope.READ not in self.scopes

    @property
    def problems(self) -> tuple[str, ...]:
        """Every code that an answer of this call can carry."""
        if not self.refusing:
            return ()
        return (
            *(codes.KEY if self.key is not None else ()),
            *(codes.LIMITED if self.limited else ()),
            *(codes.BODY if self.bodies else ()),
            *(("invalid",) if self.query is not None and not self.bodies else ()),
            *self.codes,
            *(codes.STORED if self.stored else ()),
            "internal",
        )


H = TypeVar("H", bound=Callable[..., Any])
_MARK = "signoff_operation"


def describes(operation: Operation) -> Callable[[H], H]:
    """Say of the decorated handler what ``operation`` says."""

    def mark(handler: H) -> H:
        setattr(handler, _MARK, operation)
        return handler

    return mark


def described(handler: object) -> Operation | None:
    """What is said of ``handler``; None where nothing is."""
    found: Operation | None = getattr(handler, _MARK, None)
    return found
