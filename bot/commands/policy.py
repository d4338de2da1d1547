"""Checking a policy file and explaining what it says of one call."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from policies.arguments import intake, parse
from policies.errors import Invalid
from policies.judgement import RECENT, Explanation, Facts, explain
from policies.loader import load
from policies.policy import Policy
from policies.request import Submission, ToolCall
from policies.shapes import json_schema


def read_policy(path: Path) -> Policy:
    """Load a policy file. Raises ``Faulty`` with every fault, ``OSError`` where it can't be read."""
    return load(path.read_text(encoding="utf-8"), source=str(path))


def check(path: Path) -> str:
    """What a good policy holds, with its warnings; a bad one raises."""
    policy = read_policy(path)
    lines = [f"{path}: good: {len(policy.rules)} rules, {len(policy.reviewers)} groups of reviewers."]
    return "\n".join([*lines, *(f"warning: {warning}" for warning in policy.warnings)])


def schema_text() -> str:
    """The JSON Schema of a policy file: an editor that knows it completes keys and marks faults as they are typed."""
    return json.dumps(json_schema(), indent=2)


def explain_call(path: Path, call: Path) -> str:
    """Which rules matched the call, why the others didn't, and what came of it."""
    facts = Facts(agent="explain", now=datetime.now(UTC), recent=dict.fromkeys(RECENT, 0))
    return _in_words(explain(read_policy(path), _submission(call), facts))


def _in_words(explanation: Explanation) -> str:
    gate = explanation.checkpoint
    lines = [f"{finding.rule.name}: {finding.standing.value}: {finding.why}" for finding in explanation.findings]
    who = f"{gate.quorum} of {gate.reviewers.name}"
    return "\n".join([*lines, f"=> {gate.kind.value} by {gate.rule} ({gate.reason}); {who}"])


def _submission(path: Path) -> Submission:
    body: Any = parse(path.read_bytes())
    if not isinstance(body, dict) or not isinstance(body.get("tool"), str):
        raise Invalid(f'{path}: write {{"tool": "name", "arguments": {{…}}}}, with confidence and context if you like.')
    return Submission(
        call=ToolCall(tool=body["tool"], arguments=intake(body.get("arguments", {}))),
        confidence=body.get("confidence"),
        context=body.get("context"),
        on_behalf_of=body.get("on_behalf_of"),
    )
