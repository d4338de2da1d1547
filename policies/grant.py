"""A grant: what a person lets go ahead unasked because it is like a call that they approved, and whether a call is.

A pattern is the approved call's arguments and the places (JSON pointers) that may differ. Everything else must be equal
as canonical JSON (RFC 8785: 1 and 1.0 are one number; 1, true and "1" are three values), and no key may be added or
missing. Where a number may differ it is never larger than the approved one, nor below zero; anything else keeps its
JSON type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from policies.arguments import canonical, pointer
from policies.checkpoint import Checkpoint, GrantBound
from policies.request import Requester

SPANS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(hours=8))
COUNTS = (5, 10, 20, 50)
"""How long a grant may last and how many calls it may let through, where the policy doesn't bound it further."""
USUAL_SPAN, USUAL_COUNT = SPANS[1], COUNTS[1]


class Sort(StrEnum):
    """The type of a JSON value, as people call it."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "true or false"
    LIST = "list"
    OBJECT = "object"
    NULL = "null"


class Standing(StrEnum):
    """Where a grant stands: only an active one lets anything through."""

    ACTIVE = "active"
    USED_UP = "used up"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a person grants: the places that may differ, how long it holds, and how many calls more."""

    loose: tuple[str, ...]
    lasts: timedelta
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """One value of a call's arguments that isn't an object of others, with the keys that lead to it."""

    path: tuple[str, ...]
    value: Any

    @property
    def pointer(self) -> str:
        """Its JSON pointer."""
        return pointer(*self.path)

    @property
    def may_differ(self) -> bool:
        """Is there another value that it could be allowed to have? Not for null, ``{}``, zero and negative numbers."""
        sort = sort_of(self.value)
        return sort not in (Sort.NULL, Sort.OBJECT) and not (sort is Sort.NUMBER and self.value <= 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """Calls like that of ``request_id`` may go ahead without asking: at most ``most``, until ``expires_at`` (UTC).

    ``arguments`` and ``loose`` are the pattern; ``checkpoint`` is what the policy ``policy_digest`` said of that call,
    and must say again word for word. ``by`` is the granter's user id. ``used`` counts the calls let through.
    ``revoked_by`` is a user id, ``operator``, or ``policy`` where another policy came into force.
    """

    id: str
    workspace_id: str
    request_id: str
    requester: Requester
    tool: str
    arguments: Mapping[str, Any]
    loose: tuple[str, ...]
    checkpoint: Checkpoint
    policy_digest: str
    by: str
    by_name: str
    created_at: datetime
    expires_at: datetime
    most: int
    used: int = 0
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def standing(self, now: datetime) -> Standing:
        """Where it stands at ``now`` (UTC)."""
        if self.revoked_at is not None:
            return Standing.REVOKED
        if self.used >= self.most:
            return Standing.USED_UP
        return Standing.EXPIRED if self.expires_at <= now else Standing.ACTIVE

    @property
    def lasts(self) -> timedelta:
        """How long it holds in all."""
        return self.expires_at - self.created_at


def spans(bound: GrantBound) -> tuple[timedelta, ...]:
    """How long a grant may last, to choose from."""
    return tuple(span for span in SPANS if span <= bound.longest) or (bound.longest,)


def counts(bound: GrantBound) -> tuple[int, ...]:
    """How many calls a grant may let through, to choose from."""
    return tuple(count for count in COUNTS if count <= bound.most) or (bound.most,)


def leaves(arguments: Mapping[str, Any]) -> tuple[Leaf, ...]:
    """The single values of ``arguments``, in their order. A list is one value; so is an empty object."""
    return tuple(_leaves(arguments, ()))


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[Leaf]:
    if isinstance(value, Mapping) and (value or not path):
        for key, child in value.items():
            yield from _leaves(child, (*path, key))
    else:
        yield Leaf(path=path, value=value)


def fits(grant: Grant, arguments: Mapping[str, Any]) -> bool:
    """Are ``arguments`` like those of the approved call, as far as the grant wants it?"""
    return _fits(grant.arguments, arguments, frozenset(grant.loose), ())


def _fits(seen: Any, value: Any, loose: frozenset[str], path: tuple[str, ...]) -> bool:
    if isinstance(seen, Mapping) and seen:
        same_keys = isinstance(value, Mapping) and seen.keys() == value.keys()
        return same_keys and all(_fits(child, value[key], loose, (*path, key)) for key, child in seen.items())
    if pointer(*path) not in loose:
        return canonical(seen) == canonical(value)
    return sort_of(seen) is sort_of(value) and (sort_of(seen) is not Sort.NUMBER or min(0, seen) <= value <= seen)


def sort_of(value: Any) -> Sort:
    """The type of a JSON value. True is no number."""
    if value is None or isinstance(value, bool):
        return Sort.NULL if value is None else Sort.FLAG
    if isinstance(value, (int, float)):
        return Sort.NUMBER
    if isinstance(value, str):
        return Sort.TEXT
    return Sort.LIST if isinstance(value, list) else Sort.OBJECT
