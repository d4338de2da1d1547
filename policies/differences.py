"""What one policy says otherwise than another, by name: for the journal, and for whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from policies.checkpoint import Ladder
from policies.people import Reviewers
from policies.policy import Policy, Rule


def differences(old: Policy, new: Policy) -> dict[str, list[str]]:
    """Names of what was added, removed and changed, such as ``rule large payment``; empty lists are left out."""
    before, after = _parts(old), _parts(new)
    found = {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(name for name in before.keys() & after.keys() if before[name] != after[name]),
    }
    return {what: names for what, names in found.items() if names}


def _parts(policy: Policy) -> Mapping[str, Any]:
    return {
        **{f"rule {rule.name}": _by_name(rule) for rule in policy.rules},
        **{f"reviewers {name}": _with_deputy_by_name(group) for name, group in policy.reviewers.items()},
        **{f"ladder {name}": _on_its_own(ladder) for name, ladder in policy.ladders.items()},
        **{f"calendar {name}": calendar for name, calendar in policy.calendars.items()},
        **{f"tool {name}": tool for name, tool in policy.catalogue.items()},
        "default": _by_name(policy.default),
        "agents: start": policy.starters,
        "budgets": policy.budgets,
        "digest": policy.mornings,
    }


def _on_its_own(ladder: Ladder) -> tuple[Ladder, str | None]:
    """The ladder with its calendar by name only: a change of that is told once, as the calendar's."""
    return replace(ladder, calendar=None), ladder.calendar.name if ladder.calendar else None


def _with_deputy_by_name(group: Reviewers) -> Reviewers:
    return replace(group, deputy=Reviewers(name=group.deputy.name)) if group.deputy else group


def _by_name(rule: Rule) -> Rule:
    """The rule with its group and ladder by name only: a change of those is told once, as theirs."""
    gate = rule.gate
    places = tuple(replace(place, group=Reviewers(name=place.group.name)) for place in gate.places)
    named = replace(
        gate,
        reviewers=Reviewers(name=gate.reviewers.name),
        places=places,
        ladder=Ladder(name=gate.ladder.name, steps=()),
        clarify=gate.clarify and replace(gate.clarify, ladder=Ladder(name=gate.clarify.ladder.name, steps=())),
    )
    return replace(rule, gate=named)
