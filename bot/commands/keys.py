"""Agents' keys: made, listed, revoked. Only a hash is stored; the key itself is printed once, alone on stdout."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

import typer

from bot.api.auth import mint
from bot.commands.opening import NOBODY, open_store, workspace_of
from bot.naming import new_id
from policies.duration import parse_duration
from policies.errors import Invalid
from policies.events import Withdrawn
from policies.granting import revoke
from policies.lifecycle import apply
from policies.request import ExecutionState, State
from storage.store import Key, Store

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
PERSON = re.compile(r"[UW][A-Z0-9]{2,}", re.ASCII)


async def create_key(name: str, owner: str | None, expires: str | None, kind: Literal["agent", "operator"]) -> None:
    """Make a key for the agent ``name``; ``owner`` never counts as an approver of its requests.

    An operator's key reads figures and belongs to nobody.
    """
    if not NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no name for a key: use small letters, digits, dot, dash and underscore.")
    if owner is not None and not PERSON.fullmatch(owner):
        raise Invalid(f"{owner!r} is no Slack user id (U…). In Slack: open the profile, then Copy member ID.")
    if kind == "operator" and owner is not None:
        raise Invalid("An operator's key asks for nothing, so it has no owner: leave --owner out.")
    now = datetime.now(UTC)
    key = Key(
        name=name,
        id=new_id("key"),
        owner=owner,
        kind=kind,
        created_at=now,
        expires_at=now + parse_duration(expires) if expires else None,
        revoked_at=None,
    )
    secret, secret_hash = mint(kind)
    async with open_store() as (store, settings):
        if await workspace_of(settings) == NOBODY:
            raise Invalid(
                "This database has served no workspace yet. Set SLACK_BOT_TOKEN, or start `signoff serve` once."
            )
        earlier = [each for each in await store.keys() if each.name == name]
        if any(each.revoked_at is None for each in earlier):
            raise Invalid(f"There is a key named {name} already. Revoke it first, or choose another name.")
        if any(each.owner != owner for each in earlier):
            raise Invalid(
                f"{name} was the name of a key with another owner, whose requests it would read. Choose another."
            )
        await store.add_key(key, secret_hash)
    typer.echo(secret)
    whom = "the agent" if kind == "agent" else "what scrapes /metrics"
    typer.echo(f"This key is shown only now. Give it to {whom} as its bearer token.", err=True)


async def list_keys() -> None:
    """One line a key: name, kind, owner, created, expires, state."""
    async with open_store() as (store, _):
        for key in await store.keys():
            ends = key.expires_at.date().isoformat() if key.expires_at else "never"
            state = "revoked" if key.revoked_at else "active"
            created = key.created_at.date()
            typer.echo(f"{key.name}\t{key.kind}\t{key.owner or '-'}\tcreated {created}\texpires {ends}\t{state}")


async def revoke_key(name: str) -> None:
    """End the key at once, and with it what it had asked for: pending is withdrawn, approved and unclaimed revoked.

    What people approved in advance ends too: whoever gets the name later must ask anew.
    """
    async with open_store() as (store, _):
        if not any(key.name == name and key.revoked_at is None for key in await store.keys()):
            raise Invalid(f"There is no active key named {name}; see `signoff keys list`.")
        now = datetime.now(UTC)
        await store.revoke_key(name, now)
        await store.end_grants_of_agent(f"key:{name}", now, lambda standing: revoke(standing, "operator", now))
        taken_back = await _take_back(store, f"key:{name}", now)
    typer.echo(f"{name} is revoked; {taken_back} of its requests were taken back.")


async def _take_back(store: Store, requester: str, now: datetime) -> int:
    """Withdraw all that could still come to something, so that nobody can claim it who gets the name later."""
    count = 0
    for states, execution in (((State.PENDING,), ()), ((), (ExecutionState.UNCLAIMED,))):
        while page := (await store.requests(requester=requester, states=states, execution=execution)).requests:
            for request in page:
                await store.change(request.id, lambda standing: apply(standing, Withdrawn(), now))
            count += len(page)
    return count
