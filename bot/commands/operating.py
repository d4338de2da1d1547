"""Looking after the database: migrate, list and show requests, verify and export the journal, forget contents."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import typer

from bot.commands.opening import open_store
from bot.commands.tables import as_json, one_line
from bot.settings import load_settings
from policies.duration import parse_duration
from policies.errors import Invalid, NotFound, SignoffError
from policies.redaction import redact
from policies.request import Request, State
from storage.store import Head, JournalRow, Store, migrate


async def migrate_database() -> None:
    """Bring the database of ``DATABASE_URL`` to the newest schema."""
    settings = load_settings()
    revision = await asyncio.to_thread(migrate, settings.database_url)
    typer.echo(f"{_plain(settings.database_url)} is up to date (schema {revision}).")


async def list_requests(state: str, limit: int) -> None:
    """One line a request: id, state, checkpoint, tool, who asked, when."""
    states = _states(state)
    async with open_store() as (store, _):
        page = await store.requests(states=states, limit=limit)
    if not page.requests:
        typer.echo("No such requests.", err=True)
    for request in page.requests:
        typer.echo("\t".join(one_line(cell) for cell in _columns(request)))


async def show_request(request_id: str) -> None:
    """The request as JSON, redacted as on the card."""
    async with open_store() as (store, settings):
        request = await _found(store, request_id)
    typer.echo(as_json(redact(_shown(request), key=settings.secret_key).value, indent=2))


async def verify_journal(anchor: str | None) -> None:
    """Say whether the journal's chain is whole, up to a line that was noted earlier too; exit 1 where it isn't."""
    known = _head(anchor) if anchor is not None else None
    async with open_store() as (store, _):
        report = await store.verify_journal(anchor=known)
    if not report.ok:
        raise SignoffError(report.words)
    typer.echo(report.words)
    if report.head is not None:
        typer.echo(f"Keep this elsewhere, to prove it another day with --anchor: {report.head.seq}:{report.head.hash}")


async def export_journal(after: int) -> None:
    """The journal as JSON, one line each, with the hashes that chain them."""
    async with open_store() as (store, _):
        while lines := await store.journal(after=after):
            for line in lines:
                typer.echo(as_json(_exported(line)))
            after = lines[-1].seq


async def purge(older: str) -> None:
    """Blank the contents of what ended longer ago than ``older``."""
    now = datetime.now(UTC)
    before = now - parse_duration(older)
    async with open_store() as (store, _):
        requests, runs = await store.purge(before, now)
    typer.echo(f"Blanked {requests} requests and {runs} runs that ended before {before:%Y-%m-%d %H:%M} UTC.")
    typer.echo(
        "Decisions, digests and the journal stay. Messages in Slack are kept as long as your workspace keeps them."
    )


def _head(text: str) -> Head:
    seq, _, hashed = text.partition(":")
    if not seq.isdigit() or not re.fullmatch(r"[0-9a-f]{64}", hashed):
        raise Invalid("An anchor is what `signoff audit verify` printed: a line's number, a colon, its hash.")
    return Head(seq=int(seq), hash=hashed)


def _exported(line: JournalRow) -> dict[str, Any]:
    return {
        "seq": line.seq,
        "at": line.at.isoformat(),
        "what": line.what,
        "actor": line.actor,
        "subject": line.subject,
        "detail": line.detail,
        "hash": line.hash,
    }


def _states(word: str) -> tuple[State, ...]:
    if word == "all":
        return ()
    try:
        return (State(word),)
    except ValueError:
        known = ", ".join([*(state.value for state in State), "all"])
        raise Invalid(f"There is no state {word!r}; known are {known}.") from None


def _columns(request: Request) -> tuple[str, ...]:
    state = request.state.value
    if request.execution is not None:
        state = f"{state}/{request.execution.state.value}"
    asked = request.created_at.isoformat(timespec="seconds")
    return (
        request.id,
        state,
        request.checkpoint.kind.value,
        request.call.tool or "(a question)",
        request.requester.name,
        asked,
    )


async def _found(store: Store, request_id: str) -> Request:
    request = await store.request(request_id)
    if request is None:
        raise NotFound(f"There is no request {request_id}; see `signoff requests list --state all`.")
    return request


def _shown(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "state": request.state.value,
        "tool": request.call.tool,
        "arguments": dict(request.call.arguments),
        "requester": request.requester.name,
        "owner": request.requester.owner,
        "checkpoint": {
            "kind": request.checkpoint.kind.value,
            "rule": request.checkpoint.rule,
            "reason": request.checkpoint.reason,
        },
        "digest": request.digest,
        "revision": request.revision,
        "created_at": request.created_at.isoformat(),
        "deadline_at": request.deadline_at.isoformat() if request.deadline_at else None,
        "snoozed_until": request.snoozed.until.isoformat() if request.snoozed and not request.settled else None,
        "reviews": [
            {"by": review.by, "name": review.name, "verdict": review.verdict.value, "at": review.at.isoformat()}
            for review in request.reviews
        ],
        "delegations": [
            {"by": one.by, "to": one.to, "hands_over": one.hands_over, "at": one.at.isoformat()}
            for one in request.delegations
        ],
        "decision": {"verdict": request.decision.verdict, "by": request.decision.by} if request.decision else None,
        "execution": request.execution.state.value if request.execution else None,
    }


def _plain(url: str) -> str:
    """The database's address without a password in it."""
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)
