"""What a policy says of one call, in words: every rule, the winner, who could decide, and what silence would do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.commands.policy import read_policy
from bot.commands.tables import columns, counted, one_line
from policies.arguments import parse
from policies.asking import GO_ON, PLAIN
from policies.budget import budget_in_words
from policies.calendar import DAYS, Calendar
from policies.checkpoint import Act, Checkpoint, Clarify, Kind, Ladder, Step
from policies.duration import in_words
from policies.errors import Invalid
from policies.granting import grantable
from policies.judgement import Explanation, Finding, Standing, explain
from policies.people import Reviewers, deputies
from policies.policy import Policy
from policies.written_call import WrittenCall, read_call

STANDINGS = {
    Standing.MATCHED: "matched",
    Standing.ERRED: "error",
    Standing.OTHER_TOOL: "not",
    Standing.CONDITION_FALSE: "not",
    Standing.UNSAID: "not",
}


def explain_call(path: Path, call: Path, environment: str = "") -> str:
    """What the policy at ``path`` says of the call in the JSON file ``call``, for a person to read.

    ``environment`` is where the gateway stands, unless the call says it.
    """
    policy = read_policy(path)
    asked = _read_call(call, policy, environment)
    explanation = explain(policy, asked.submission, asked.facts)
    lines = [*_of_call(asked), "rules", *findings_in_words(explanation), winner_in_words(policy, explanation)]
    gate = explanation.checkpoint
    lines += _question(gate.clarify) if gate.clarify else ()
    if gate.kind not in (Kind.ALLOW, Kind.DENY):
        lines += [*_who(gate), *_when(gate, asked.facts.now), *_budgets(policy, asked.facts.agent)]
    elif gate.kind is Kind.ALLOW:
        lines.append(
            "  then nobody is asked: the call goes on"
            if gate.clarify
            else "  nobody is asked: the call goes on at once"
        )
    else:
        lines.append("  nobody is asked: the call is refused at once")
    return "\n".join(lines)


def findings_in_words(explanation: Explanation) -> list[str]:
    """One line a rule: matched, not or error; what it asks for; and why."""
    if not explanation.findings:
        return ["  the policy has none"]
    return columns([_finding(finding) for finding in explanation.findings])


def winner_in_words(policy: Policy, explanation: Explanation) -> str:
    """The checkpoint, the rule that gave it, and why that one."""
    gate = explanation.checkpoint
    asked = [finding for finding in explanation.findings if finding.gate is not None]
    if gate.rule == "default":
        why = "no other rule decides"
    elif gate.rule == "catalogue":
        why = "no rule matches, so the catalogue decides"
    else:
        others = counted(len(asked), "rule")
        why = "the only rule that asks for something" if len(asked) == 1 else f"the strictest of {others}"
        why = "stricter than what stands without it" if _raised(policy, explanation) else why
    return one_line(f"=> {gate.kind.value} by {gate.rule} ({gate.reason}): {why}", limit=600)


def _raised(policy: Policy, explanation: Explanation) -> bool:
    """Did a rule win that reads the agent's own words, over the default or the catalogue alone?"""
    asked = [finding.rule for finding in explanation.findings if finding.gate is not None]
    return bool(asked) and all(rule.believes for rule in asked)


def _read_call(path: Path, policy: Policy, environment: str) -> WrittenCall:
    try:
        return read_call(parse(path.read_bytes()), policy, now=datetime.now(UTC), environment=environment)
    except Invalid as error:
        where = f"{error.where}: " if error.where else ""
        raise Invalid(f"{path}: {where}{error.words}") from None


def _of_call(asked: WrittenCall) -> list[str]:
    call, facts = asked.submission, asked.facts
    sure = "says nothing of its confidence" if call.confidence is None else f"{call.confidence:g} sure"
    said = [f"{call.call.tool}, asked for by {facts.agent}, {sure}, at {clock(facts.now)}"]
    if facts.environment:
        said.append(f"in the environment {facts.environment}")
    if call.on_behalf_of:
        said.append(f"on behalf of {call.on_behalf_of}, as the agent says")
    if any(facts.recent.values()):
        said.append("asked for of late: " + ", ".join(f"{name} {count}" for name, count in facts.recent.items()))
    return [one_line(line) for line in said]


def _finding(finding: Finding) -> tuple[str, str, str, str]:
    asked = [finding.gate.kind.value] if finding.gate else []
    asks = " and ".join([*asked, *(["clarify"] if finding.clarify else [])])
    why = finding.why
    if finding.rule.believes and finding.asks:
        why += " (the agent's own words: it can only raise the gate)"
    return (STANDINGS[finding.standing], finding.rule.name, asks, why)


def _question(asked: Clarify) -> list[str]:
    """What is asked first, and what silence does to it."""
    words = f"{asked.question or PLAIN} ({', '.join(asked.choices or (GO_ON,))}, or in words)"
    rows = [("asked first", f"by {asked.rule}: {one_line(words, limit=300)}")]
    ends = {Act.PROCEED: "the best guess stands", Act.EXPIRE: "it expires"}[asked.ladder.steps[-1].act]
    rows.append(("on silence", f"ladder {asked.ladder.name}, after {in_words(asked.ladder.length)}: {ends}"))
    return columns(rows)


def _who(gate: Checkpoint) -> list[str]:
    served = "even the person served, by self_approval" if gate.self_approval else "never the person served"
    rows = [
        ("who decides", f"{counted(gate.quorum, 'approval')} of {gate.reviewers.name}: {people_of(gate.reviewers)}")
    ]
    rows += [("", f"{place.count} of {place.group.name}: {people_of(place.group)}") for place in gate.shares]
    for group in gate.groups:
        names = [f"{each.name}: {people_of(each)}" for each in deputies(group)]
        rows += [("", f"while {group.name} are out of office, {'; then '.join(names)}")] if names else []
        asked = people_of(group.delegates) if group.delegates else None
        rows += [("", f"where somebody of {group.name} asks them: {asked}")] if asked else []
    rows.append(("", f"{served} (the key's owner, or whom the agent acts for)"))
    if gate.kind is Kind.MANUAL:
        rows.append(("phrase", f"each types: {gate.phrase or 'CONFIRM'}"))
    if gate.required_by:
        rows.append(("required by", gate.required_by))
    if gate.batch:
        rows.append(("together", "with other calls of this rule, in one go, where each was seen whole"))
    bound = grantable(gate)
    if bound is not None:
        rows.append(("in advance", f"calls like it, for up to {in_words(bound.longest)}, at most {bound.most} of them"))
    return columns(rows)


def _budgets(policy: Policy, agent: str) -> list[str]:
    """What holds this agent back from asking too much."""
    holding = [budget for budget in policy.budgets if budget.about(agent)]
    return columns([("" if place else "budget", budget_in_words(budget)) for place, budget in enumerate(holding)])


def people_of(group: Reviewers) -> str:
    """The people of a group as the policy names them."""
    named = [
        *group.users,
        *(f"members of the user group {each}" for each in group.usergroups),
        *(f"members of the private channel {each}" for each in group.members),
        *(f"{each} from outside" for each in group.outsiders),
    ]
    return ", ".join(named) or "nobody is named"


def _when(gate: Checkpoint, now: datetime) -> list[str]:
    proceeds = gate.ladder.steps[-1].act is Act.PROCEED
    start = "if a card were delivered at" if proceeds else "counted from"
    calendar = gate.ladder.calendar
    zone = calendar.zone if calendar else "UTC"
    head = one_line(f"on silence, ladder {gate.ladder.name}, {start} {clock(now, zone)}")
    if calendar:
        head += one_line(f"; only the hours of {calendar.name} count: {hours_of(calendar)}")
    rows = [
        (clock(gate.ladder.falls_due(step, now), zone), f"after {in_words(step.after)}", words)
        for step, words in steps_in_words(gate.ladder)
    ]
    permit = (
        f"an approval may be claimed for {in_words(gate.permit)}, a claimed call reported for {in_words(gate.report)}"
    )
    return [f"  {head}", *columns(rows, indent=4), f"  {permit}"]


def steps_in_words(ladder: Ladder) -> Iterator[tuple[Step, str]]:
    """The steps, each with what it does; reminders that come again and again stand as one."""
    steps = ladder.steps
    index = 0
    while index < len(steps):
        last = _last_alike(steps, index)
        words = _step(steps[index])
        if last - index > 1:
            every = re.sub(r"^1 (\w+)$", r"\1", in_words(steps[index + 1].after - steps[index].after))
            words += f", then every {every} until the next step ({last - index} more)"
        yield steps[index], words
        index = last + 1 if last - index > 1 else index + 1


def _last_alike(steps: Sequence[Step], first: int) -> int:
    """The last of the reminders that follow ``first`` at one and the same distance; ``first`` where none does."""
    last = first
    while last + 1 < len(steps) and steps[last + 1].act is steps[first].act is Act.REMIND:
        if steps[last + 1].after - steps[last].after != steps[first + 1].after - steps[first].after:
            break
        last += 1
    return last


def hours_of(calendar: Calendar) -> str:
    """``mon tue wed 09:00-17:00 Europe/Berlin, 2 holidays``."""
    days, hours = " ".join(DAYS[day] for day in calendar.days), ", ".join(map(str, calendar.hours))
    closed = f", {counted(len(calendar.holidays), 'holiday')}" if calendar.holidays else ""
    return f"{days} {hours} {calendar.zone}{closed}"


def _step(step: Step) -> str:
    if step.act is Act.ADD and step.add is not None:
        return f"{step.add.name} may decide too: {people_of(step.add)}"
    return {
        Act.REMIND: "a reminder",
        Act.EXPIRE: "it expires: not approved",
        Act.PROCEED: "it goes ahead, and stands as an item to look at",
    }.get(step.act, step.act.value)


def clock(moment: datetime, zone: str = "UTC") -> str:
    """``Mon 23 Nov 2026 09:30 UTC``, by the clocks of ``zone``, to the second where there are seconds to tell."""
    whole = moment.astimezone(ZoneInfo(zone)).replace(microsecond=0)
    return whole.strftime("%a %d %b %Y %H:%M:%S %Z" if whole.second else "%a %d %b %Y %H:%M %Z")
