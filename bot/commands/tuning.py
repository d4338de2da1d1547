"""``signoff policy tune``: what the past says of the policy in force, and what to do about it. It applies nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from bot.commands.opening import open_store
from bot.commands.past import read_past
from bot.commands.tables import columns, counted, one_line
from bot.reloading import read_policy
from policies.advice import Advice, advise
from policies.duration import parse_duration
from policies.insight import Ending, Insight, Tally, insight
from policies.proportion import Proportion
from policies.replay import replay

SHOWN = (Ending.AS_PROPOSED, Ending.MODIFIED, Ending.REJECTED, Ending.UNANSWERED, Ending.SHORT)
HEADINGS = ("rule", "checkpoint", "requests", "ended", *(ending.value for ending in SHOWN), "besides")


async def tune(since: str) -> None:
    """Print what the requests of the last ``since`` (such as ``30d``) say of the policy in force."""
    async with open_store() as (store, settings):
        policy = read_policy(settings.signoff_policy)
        past = await read_past(store, policy, datetime.now(UTC) - parse_duration(since))
    where = settings.signoff_environment
    again = replay(past.requests, policy, since=past.since, earlier=past.earlier, environment=where)
    found = insight(again, policy)
    lines = [f"{counted(found.total, 'request')} of the last {since} under {policy.source}.", *numbers(found)]
    advice = advise(found, policy, past=past.requests, since=past.since, environment=where)
    typer.echo("\n".join([*lines, *proposals(advice)]))


def numbers(found: Insight) -> list[str]:
    """How each rule's requests ended, shares with their 95 % intervals, and how well the agents knew themselves."""
    lines = [f"  {counted(found.asked_nobody, 'request')} asked nobody (allow or deny)."]
    if found.outdated:
        lines.append(
            f"  {counted(found.outdated, 'request')} met another checkpoint than this policy gives: not counted."
        )
    if found.unreadable:
        lines.append(f"  {counted(found.unreadable, 'request')} left out: the arguments are no longer stored.")
    if found.tallies:
        lines += columns([HEADINGS, *(_row(tally) for tally in found.tallies)])
    if found.bands:
        lines.append("Approved as proposed, by the confidence that the agent stated:")
        rows = [(band.agent, f"{band.low:g} to {band.high:g}", str(band.approved)) for band in found.bands]
        lines += columns(rows)
    return lines


def proposals(advice: tuple[Advice, ...]) -> list[str]:
    """The advice, each with the diff that carries it out."""
    if not advice:
        return ["Nothing to propose."]
    lines = ["Proposals. None is applied; review a diff, then apply it with: patch FILE < DIFF"]
    for each in advice:
        lines.append(f"* {each.topic.value}: {one_line(each.about)}: {one_line(each.words, limit=1_000)}")
        lines += each.diff.splitlines()
    return lines


def _row(tally: Tally) -> tuple[str, ...]:
    shares = (_share(tally.of_ended(ending)) for ending in SHOWN)
    rest = [(ending, tally.count(ending)) for ending in Ending if ending not in SHOWN and tally.count(ending)]
    besides = ", ".join(f"{count} {ending.value}" for ending, count in rest) or "-"
    return (tally.name, tally.kind.value, str(tally.total), str(tally.ended), *shares, besides)


def _share(proportion: Proportion) -> str:
    if not proportion.count:
        return "-"
    low, high = proportion.interval
    return f"{proportion.share:.0%} ({low:.0%}-{high:.0%})"
