"""What a policy says before there is any call: who may start the agent, and whether a tool's calls may need people."""

from __future__ import annotations

from policies.checkpoint import Kind
from policies.people import Person, Standing
from policies.policy import Policy


def may_start(policy: Policy, person: Person) -> bool:
    """May this person use ``/agent``? Only members of the workspace in a group that ``agents: start`` names."""
    groups = (policy.group(name) for name in policy.starters)
    return person.standing is Standing.MEMBER and any(group.include(person) for group in groups)


def may_ask(policy: Policy, tool: str) -> bool:
    """False only where every call of ``tool`` is ``allow``, whatever its arguments and whatever the agent says."""
    rules = [rule for rule in policy.rules if rule.names(tool)]
    if any(rule.gate.kind is not Kind.ALLOW or rule.gate.clarify for rule in rules):
        return True
    certain = any(rule.when is None and not rule.believes and not rule.only_asks for rule in rules)
    return not certain and policy.fallback(tool).kind is not Kind.ALLOW
