"""``signoff policy replay``: the stored past under another policy. It reads, and changes nothing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import typer

from bot.commands.opening import open_store
from bot.commands.past import read_past
from bot.commands.policy import read_policy
from bot.commands.tables import columns, counted
from policies.checkpoint import Checkpoint, Kind
from policies.duration import parse_duration
from policies.errors import Invalid
from policies.insight import Ending, ending
from policies.policy import Policy
from policies.replay import Change, Replay, Replayed, replay

WARNED = {Ending.REJECTED: "rejected", Ending.MODIFIED: "modified"}
HEADINGS = ("change", "requests", "tool", "then", "now", "people had", "such as")


async def replay_past(file: Path, since: str, environment: str | None = None) -> None:
    """Print what the policy at ``file`` would have said to the requests of the last ``since`` (such as ``30d``).

    ``environment`` None: the gateway stands where the settings say.
    """
    policy = _read(file)
    async with open_store() as (store, settings):
        past = await read_past(store, policy, datetime.now(UTC) - parse_duration(since))
    where = settings.signoff_environment if environment is None else environment
    found = replay(past.requests, policy, since=past.since, earlier=past.earlier, environment=where)
    typer.echo("\n".join(in_words(found, policy, since)))


def in_words(found: Replay, policy: Policy, since: str) -> list[str]:
    """The counts of every change, then the changed ones as a table."""
    total = counted(len(found.judged), "request")
    lines = [f"{total} of the last {since} under {policy.source}; nothing was changed."]
    counts = Counter(each.change for each in found.judged)
    lines += columns([(str(counts[change]), change.value) for change in Change if counts[change]])
    if found.unreadable:
        lines.append(f"  {counted(len(found.unreadable), 'request')} left out: their arguments are no longer stored.")
    changed = [each for each in found.judged if each.change is not Change.SAME]
    return [*lines, *(columns([HEADINGS, *_rows(changed)]) if changed else ())]


def _read(file: Path) -> Policy:
    try:
        return read_policy(file)
    except OSError as error:
        raise Invalid(f"{file}: {error.strerror}") from None


def _rows(changed: list[Replayed]) -> list[tuple[str, ...]]:
    groups: dict[tuple[str, ...], list[Replayed]] = {}
    for each in changed:
        place = (each.change.value, each.request.call.tool, _gate(each.before), _gate(each.after))
        groups.setdefault(place, []).append(each)
    order = [change.value for change in Change]
    ranked = sorted(groups.items(), key=lambda item: (order.index(item[0][0]), -len(item[1])))
    return [
        (change, str(len(group)), tool, then, now, _warnings(group), group[-1].request.id)
        for (change, tool, then, now), group in ranked
    ]


def _gate(gate: Checkpoint) -> str:
    if gate.kind in (Kind.ALLOW, Kind.DENY):
        return f"{gate.kind.value} by {gate.rule}"
    return f"{gate.kind.value} by {gate.rule}, {gate.quorum} of {gate.reviewers.name}"


def _warnings(group: list[Replayed]) -> str:
    """What people had made of these calls, where it speaks against letting them go."""
    ends = Counter(ending(each.request) for each in group)
    return ", ".join(f"{word} {ends[end]}" for end, word in WARNED.items() if ends[end]) or "-"
