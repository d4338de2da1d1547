"""What may stand at one place of a policy file: names, spans of time, patterns; with the words for what isn't one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from policies import duration
from policies.checkpoint import GrantBound
from policies.errors import Invalid
from policies.rendering import named_in, read_rendering


def _span(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("write a duration such as 90s, 10m, 1h30m, 2d or 1w")
    try:
        return duration.parse_duration(value)
    except Invalid as error:
        raise ValueError(error.words) from None


def _fit(read: Callable[[str], str]) -> Callable[[str], str]:
    """``read`` as pydantic wants it: what it refuses is a ``ValueError``."""

    def fitted(value: str) -> str:
        try:
            return read(value)
        except Invalid as error:
            raise ValueError(error.words) from None

    return fitted


def _user(value: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]{2,30}", value) or re.fullmatch(r"[^@\s<>]{1,64}@[^@\s<>]+\.[^@\s<>.]+", value):
        return value
    raise ValueError(
        f"{value[:60]!r} is a handle, which its owner can change; name people by id (U…) or e-mail address"
    )


def _usergroup(value: str) -> str:
    if re.fullmatch(r"S[A-Z0-9]{2,30}", value):
        return value
    raise ValueError(f"{value[:60]!r} is no user group's id; it begins with S, and its page in Slack shows it")


def _delegate(value: str) -> str:
    return value if re.fullmatch(r"S[A-Z0-9]{2,30}", value) else _user(value)


def _private_channel(value: str) -> str:
    if re.fullmatch(r"[CG][A-Z0-9]{2,30}", value):
        return value
    raise ValueError(
        f"{value[:60]!r} is no channel's id; members are those of a private channel, named by id (C… or G…),"
        " since a name can pass to another channel"
    )


def _outsider(value: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]{2,30}", value):
        return value
    raise ValueError(f"{value[:60]!r} is no user id; guests and people of another organisation are named by id (U…)")


def _channel(value: str) -> str:
    if re.fullmatch(r"[CG][A-Z0-9]{2,30}", value) or re.fullmatch(r"#[^\s#@<>&,A-Z]{1,80}", value):
        return value
    raise ValueError(f'{value[:60]!r} is no channel; write "#name" in quotes, or an id (C… or G…)')


def _tool_pattern(value: str) -> str:
    if not value.isprintable() or not 0 < len(value) <= 200 or re.search(r"[\s\[\]]", value):
        raise ValueError("a tool's name or a pattern with * and ? is one word without spaces and brackets")
    return value


def _agent_pattern(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9._*?-]{1,64}", value):
        raise ValueError(
            f"{value[:60]!r} names no agent; write a key's name, runner for Signoff's own agent,"
            " or a pattern with * and ?"
        )
    return value


def _title(value: str) -> str:
    if not value.isprintable() or value != value.strip() or not 0 < len(value) <= 80:
        raise ValueError("a name is one line of 1 to 80 characters without spaces around it")
    return value


def how_it_asks(value: object) -> str:
    """In which of its three forms ``clarify`` is written, as pydantic's tag."""
    return "[asked]" if isinstance(value, dict) else "[words]" if isinstance(value, str) else "[yes]"


def listed(value: object) -> object:
    """One text as a list of one."""
    return [value] if isinstance(value, str) else value


def _headline(value: str) -> str:
    named_in(value)
    return value


def _shown(value: str) -> str:
    return str(read_rendering(value))


Span = Annotated[timedelta, BeforeValidator(_span), WithJsonSchema({"type": "string", "pattern": duration.PATTERN})]
User = Annotated[str, AfterValidator(_user)]
Usergroup = Annotated[str, AfterValidator(_usergroup)]
Delegate = Annotated[str, AfterValidator(_delegate)]
Channel = Annotated[str, AfterValidator(_channel)]
PrivateChannel = Annotated[str, AfterValidator(_private_channel)]
Outsider = Annotated[str, AfterValidator(_outsider)]
Title = Annotated[str, AfterValidator(_title)]
Pattern = Annotated[str, AfterValidator(_tool_pattern)]
Patterns = Annotated[
    list[Pattern],
    Field(min_length=1, max_length=200),
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
Agents = Annotated[
    list[Annotated[str, AfterValidator(_agent_pattern)]],
    Field(min_length=1, max_length=200),
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
Quorum = Annotated[int, Field(ge=1, le=20)]
Places = Annotated[dict[Title, Quorum], Field(min_length=1, max_length=10)]
QuorumOrPlaces = Annotated[
    Annotated[Quorum, Tag("[number]")] | Annotated[Places, Tag("[places]")],
    Discriminator(lambda value: "[places]" if isinstance(value, dict) else "[number]"),
]
Groups = Annotated[
    list[str],
    Field(min_length=1, max_length=10),
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""One group, or several of which anybody may decide."""
Line = Annotated[str, Field(min_length=1, max_length=200)]
Headline = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_fit(_headline))]
Shown = Annotated[str, AfterValidator(_fit(_shown))]


def short_enough(value: timedelta) -> timedelta:
    """No longer than any grant may last."""
    if value > GrantBound().longest:
        raise ValueError("a grant lasts at most 8 hours")
    return value


def _within_a_week(value: timedelta) -> timedelta:
    if value > timedelta(weeks=1):
        raise ValueError("a budget looks back, and keeps an agent waiting, for at most 1w")
    return value


Brief = Annotated[Span, AfterValidator(_within_a_week)]
Label = Annotated[str, Field(min_length=1, max_length=150)]
