"""Agents' keys: made, listed, given a new secret, revoked. Only hashes are stored; a secret is printed once, alone on
stdout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import typer

from bot.api.auth import AGENT, OPERATOR, PROVISIONER, Kind, mint
from bot.commands.hooks import new_webhook, overlapping
from bot.commands.opening import NOBODY, open_store, workspace_of
from bot.naming import new_id
from bot.retiring import take_back
from policies.allowance import EVERYTHING, Scope
from policies.duration import in_words, parse_duration
from policies.errors import Invalid
from storage.store import Key, Store

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
PERSON = re.compile(r"[UW][A-Z0-9]{2,}", re.ASCII)
TOOL = re.compile(r"[!-~]{1,200}", re.ASCII)

SOON = timedelta(days=14)
"""How long before a key's end people are told of it."""
WHOM: Mapping[Kind, str] = {
    AGENT: "the agent",
    OPERATOR: "what scrapes /metrics",
    PROVISIONER: "what makes the agents' instances",
}
LONGEST_OF_PROVISIONER = 32
"""Characters of a provisioner's name: those of its agents begin with it."""
NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is asked for when a key is made, as it was typed."""

    name: str
    operator: bool = False
    provisioner: bool = False
    owner: str | None = None
    agent: str | None = None
    expires: str | None = None
    may: Sequence[str] = ()
    tools: Sequence[str] = ()
    webhook: str | None = None

    @property
    def kind(self) -> Kind:
        """An agent's key where nothing else is said."""
        return OPERATOR if self.operator else PROVISIONER if self.provisioner else AGENT


async def create_key(asked: Asked) -> None:
    """Make a key; its ``owner`` never counts as an approver of its agent's requests.

    An operator's key reads figures and belongs to nobody; a provisioner's makes agents' keys, of the same owner.
    """
    now = datetime.now(UTC)
    _check(asked)
    expires_at, may = _end(asked.expires, now), _scopes(asked.may)
    secret, secret_hash = mint(asked.kind)
    async with open_store() as (store, settings):
        if await workspace_of(settings) == NOBODY:
            raise Invalid(
                "This database has served no workspace yet. Set SLACK_BOT_TOKEN, or start `signoff serve` once."
            )
        agent, owner = _whose(asked, await store.keys(), now)
        key = Key(
            name=asked.name,
            id=new_id("key"),
            owner=owner,
            kind=asked.kind,
            created_at=now,
            expires_at=expires_at,
            agent=agent,
            may=may,
            tools=tuple(dict.fromkeys(asked.tools)),
        )
        hook = new_webhook(key.id, asked.webhook, settings, now) if asked.webhook is not None else None
        await store.add_key(key, secret_hash, webhook=hook)
    _show(secret, asked.kind)
    if hook is not None:
        typer.echo(f"Its webhook's signing secret, shown only now too: {hook.secret}", err=True)


def _show(secret: str, kind: Kind) -> None:
    typer.echo(secret)
    whom = WHOM[kind]
    typer.echo(f"This key is shown only now. Give it to {whom} as its bearer token.", err=True)


def _check(asked: Asked) -> None:
    for name in filter(None, (asked.name, asked.agent)):
        if not NAME.fullmatch(name):
            raise Invalid(f"{name!r} is no name for a key: use small letters, digits, dot, dash and underscore.")
    if asked.owner is not None and not PERSON.fullmatch(asked.owner):
        raise Invalid(f"{asked.owner!r} is no Slack user id (U…). In Slack: open the profile, then Copy member ID.")
    if asked.operator and asked.provisioner:
        raise Invalid("A key is an operator's or a provisioner's: leave one of --operator and --provisioner out.")
    if asked.kind == PROVISIONER and len(asked.name) > LONGEST_OF_PROVISIONER:
        most = LONGEST_OF_PROVISIONER
        raise Invalid(f"A provisioner's name has at most {most} characters, since those of its agents begin with it.")
    if asked.kind != AGENT:
        _check_asks_nothing(asked)
    for tool in asked.tools:
        if not TOOL.fullmatch(tool):
            raise Invalid(f"{tool!r} is no tool's name or pattern; write names as agents send them, such as git.*.")


def _check_asks_nothing(asked: Asked) -> None:
    if asked.kind == OPERATOR and asked.owner is not None:
        raise Invalid("An operator's key asks for nothing, so it has no owner: leave --owner out.")
    if asked.agent or asked.may or asked.tools or asked.webhook:
        raise Invalid("Only an agent's key asks for anything: leave --agent, --may, --tools and --webhook out.")


def _whose(asked: Asked, known: Sequence[Key], now: datetime) -> tuple[str, str | None]:
    """The agent and the owner. Raises ``Invalid`` where the name, the agent or the owner don't fit what is known."""
    if any(key.name == asked.name and key.revoked_at is None for key in known):
        raise Invalid(f"There is a key named {asked.name} already. Revoke it first, or choose another name.")
    agent, owner = asked.agent or asked.name, asked.owner
    of_agent = [key for key in known if key.agent == agent]
    if agent != asked.name:
        standing = [key for key in of_agent if _stands(key, now)]
        if not standing:
            raise Invalid(f"There is no active key of an agent named {agent}; see `signoff keys list`.")
        owner = owner or standing[-1].owner
    if any(key.owner != owner for key in of_agent):
        raise Invalid(
            f"{agent} was the name of a key with another owner, whose requests it would read. Choose another."
        )
    return agent, owner


def _stands(key: Key, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _scopes(words: Sequence[str]) -> tuple[Scope, ...]:
    """What ``--may`` said, each time it was given; every key may read."""
    named = [word.strip() for each in words for word in each.split(",")]
    if unknown := [word for word in named if word not in set(Scope)]:
        raise Invalid(f"A key may ask, act or read; {unknown[0]!r} is none of them.")
    return tuple(scope for scope in EVERYTHING if not named or scope is Scope.READ or scope.value in named)


def _end(words: str | None, now: datetime) -> datetime | None:
    return now + parse_duration(words) if words is not None and words != NEVER else None


async def list_keys() -> None:
    """One line a key, tab-separated: name, kind, owner, created, expires, state, agent, scopes, tools, rotated, URL.

    What ends soon, and what to do about it, is told on stderr.
    """
    now = datetime.now(UTC)
    async with open_store() as (store, _):
        keys, endpoints = await store.keys(), await store.endpoints()
    urls = {each.webhook.key_id: each.webhook.url for each in endpoints}
    for key in keys:
        typer.echo("\t".join((*_columns(key, now), f"webhook {urls.get(key.id, '-')}")))
    for words in ending(keys, now):
        typer.echo(words, err=True)


def _columns(key: Key, now: datetime) -> tuple[str, ...]:
    state = "active" if _stands(key, now) else "revoked" if key.revoked_at else "expired"
    may = ",".join(scope.value for scope in key.may) if key.kind == "agent" else "-"
    return (
        key.name,
        key.kind,
        key.owner or "-",
        f"created {key.created_at.date()}",
        f"expires {_day(key.expires_at, 'never')}",
        state,
        f"agent {key.agent}" if key.kind == "agent" else "-",
        f"may {may}",
        f"tools {','.join(key.tools) or 'any'}" if key.kind == "agent" else "-",
        f"rotated {_day(key.rotated_at, 'never')}" + _old_secret(key, now),
    )


def _old_secret(key: Key, now: datetime) -> str:
    if key.secret_until is None or key.secret_until <= now or not _stands(key, now):
        return ""
    return f", old secret valid until {key.secret_until:%Y-%m-%d %H:%M} UTC"


def _day(at: datetime | None, otherwise: str) -> str:
    return at.date().isoformat() if at else otherwise


def ending(keys: Iterable[Key], now: datetime) -> tuple[str, ...]:
    """A sentence for each key that ends within two weeks."""
    return tuple(
        f"{key.name} expires in {_left(key.expires_at - now)}: `signoff keys rotate {key.name} --expires 90d` gives it "
        "a new secret and more time."
        for key in keys
        if key.expires_at is not None and _stands(key, now) and key.expires_at - now <= SOON
    )


def _left(span: timedelta) -> str:
    """In days, on the last one to the largest unit: nobody plans by the second."""
    return f"{span.days} days" if span.days > 1 else " ".join(in_words(span).split(" ")[:2])


async def rotate_key(name: str, overlap: str, expires: str | None) -> None:
    """Give the key a new secret; the old one opens the door for ``overlap`` longer, so that agents can change over.

    The end stays as it was unless ``expires`` says another, counted from now.
    """
    now = datetime.now(UTC)
    until = overlapping(overlap, now)
    new_end = _end(expires, now)
    async with open_store() as (store, _):
        standing = [key for key in await store.keys() if key.name == name and key.revoked_at is None]
        if not standing:
            raise Invalid(f"There is no active key named {name}; see `signoff keys list`.")
        key = standing[-1]
        if expires is None and not _stands(key, now):
            raise Invalid(f"{name} has expired. Say how long the new secret is to last: --expires 90d.")
        secret, secret_hash = mint(key.kind)
        end = key.expires_at if expires is None else new_end
        renewed = await store.rotate_key(name, secret_hash, now=now, until=until, expires_at=end)
    _show(secret, key.kind)
    _tell_ends(renewed, now)


def _tell_ends(key: Key, now: datetime) -> None:
    until = key.secret_until
    old = f"is valid until {until:%Y-%m-%d %H:%M} UTC" if until and until > now else "is valid no more"
    new = f"expires on {key.expires_at.date()}" if key.expires_at else "doesn't expire"
    typer.echo(f"The old secret {old}; the new one {new}.", err=True)


async def revoke_key(name: str) -> None:
    """End the key at once, and with it what its agent had asked for: pending is withdrawn, approved and unclaimed
    revoked, and what people approved in advance ends: whoever gets the name later must ask anew.

    A key that could not ask leaves that alone while its agent has another one: it was not this key that asked.
    """
    async with open_store() as (store, _):
        now = datetime.now(UTC)
        keys = await store.keys()
        ended = [key for key in keys if key.name == name and key.revoked_at is None]
        if not ended:
            raise Invalid(f"There is no active key named {name}; see `signoff keys list`.")
        await store.revoke_key(name, now)
        await _tell_left(store, ended, now)
        left = [key for key in keys if key.agent == ended[-1].agent and key not in ended and _stands(key, now)]
        if left and not any(Scope.ASK in key.may for key in ended):
            typer.echo(f"{name} is revoked; what {ended[-1].agent} had asked for stands, with its other keys.")
            return
        taken_back = 0
        for agent in dict.fromkeys(key.agent for key in ended):
            taken_back += await take_back(store, agent, now)
    typer.echo(f"{name} is revoked; {taken_back} of its requests were taken back.")


async def _tell_left(store: Store, ended: Iterable[Key], now: datetime) -> None:
    """Whose keys a provisioner made stand on their own."""
    made = [each for key in ended if key.kind == PROVISIONER for each in await store.instances(key.id)]
    standing = [each.name for each in made if each.deleted_at is None]
    if standing:
        typer.echo(f"Agents that it made keep their keys, until you revoke them too: {', '.join(standing)}.", err=True)
