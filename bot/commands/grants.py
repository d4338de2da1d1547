"""What people approved in advance: listed, and ended by whoever runs Signoff, also while serve runs."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from bot.commands.opening import open_store
from bot.commands.tables import one_line
from bot.grants import SHOWN_FOR
from policies.grant import Grant
from policies.granting import revoke


async def list_grants() -> None:
    """One line a grant of the last day: id, state, agent, tool, granter, uses, end. What it lets differ comes last."""
    now = datetime.now(UTC)
    async with open_store() as (store, _):
        found = await store.grants(since=now - SHOWN_FOR)
    if not found:
        typer.echo("Nothing was approved in advance within the last day.", err=True)
    for grant in found:
        typer.echo("\t".join(one_line(cell) for cell in _columns(grant, now)))


async def revoke_grant(grant_id: str) -> None:
    """End a grant at once; the serving gateway says so in the thread of its card."""
    async with open_store() as (store, _):
        ended = await store.revoke_grant(grant_id, lambda standing: revoke(standing, "operator", datetime.now(UTC)))
    typer.echo(f"{ended.id} is revoked after {ended.used} of {ended.most} calls.")


def _columns(grant: Grant, now: datetime) -> tuple[str, ...]:
    loose = ", ".join(grant.loose) or "nothing"
    return (
        grant.id,
        grant.standing(now).value,
        grant.requester.name,
        grant.tool,
        f"by {grant.by_name} ({grant.by})",
        f"{grant.used} of {grant.most} used",
        f"until {grant.expires_at.isoformat(timespec='seconds')}",
        f"may differ: {loose}",
    )
