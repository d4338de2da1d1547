"""Agents' keys: made, listed, revoked. Only a hash is stored; the key itself is printed once, alone on stdout."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import typer

from bot.api.auth import mint
from bot.commands.opening import NOBODY, open_store, workspace_of
from bot.gateway import new_id
from policies.duration import parse_duration
from policies.errors import Invalid
from storage.store import Key

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
PERSON = re.compile(r"[UW][A-Z0-9]{2,}", re.ASCII)


async def create_key(name: str, owner: str | None, expires: str | None) -> None:
    """Make a key for the agent ``name``; ``owner`` never counts as an approver of its requests."""
    if not NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no name for a key: use small letters, digits, dot, dash and underscore.")
    if owner is not None and not PERSON.fullmatch(owner):
        raise Invalid(f"{owner!r} is no Slack user id (U…). In Slack: open the profile, then Copy member ID.")
    now = datetime.now(UTC)
    key = Key(
        name=name,
        id=new_id("key"),
        owner=owner,
        kind="agent",
        created_at=now,
        expires_at=now + parse_duration(expires) if expires else None,
        revoked_at=None,
    )
    secret, secret_hash = mint("agent")
    async with open_store() as (store, settings):
        if await workspace_of(settings) == NOBODY:
            raise Invalid(
                "This database has served no workspace yet. Set SLACK_BOT_TOKEN, or start `signoff serve` once."
            )
        if any(each.name == name and each.revoked_at is None for each in await store.keys()):
            raise Invalid(f"There is a key named {name} already. Revoke it first, or choose another name.")
        await store.add_key(key, secret_hash)
    typer.echo(secret)
    typer.echo("This key is shown only now. Give it to the agent as its bearer token.", err=True)


async def list_keys() -> None:
    """One line a key: name, kind, owner, created, expires, state."""
    async with open_store() as (store, _):
        for key in await store.keys():
            ends = key.expires_at.date().isoformat() if key.expires_at else "never"
            state = "revoked" if key.revoked_at else "active"
            created = key.created_at.date()
            typer.echo(f"{key.name}\t{key.kind}\t{key.owner or '-'}\tcreated {created}\texpires {ends}\t{state}")


async def revoke_key(name: str) -> None:
    """End the key at once; its pending requests stay and end by their ladder."""
    async with open_store() as (store, _):
        if not any(key.name == name and key.revoked_at is None for key in await store.keys()):
            raise Invalid(f"There is no active key named {name}; see `signoff keys list`.")
        await store.revoke_key(name, datetime.now(UTC))
    typer.echo(f"{name} is revoked.")
