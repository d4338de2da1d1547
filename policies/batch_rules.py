"""What a rule says of batches: whether calls that it held may be approved together, each seen by whoever does."""

from __future__ import annotations

from collections.abc import Sequence

from policies.checkpoint import Checkpoint, Kind
from policies.document import Path, Sheet
from policies.policy import Tool


def check_batch(sheet: Sheet, path: Path, gate: Checkpoint, tools: Sequence[Tool | None]) -> None:
    """Note where calls are never approved together, so that nobody takes the key for what allows it.

    ``tools`` are those that the rule names, None for what the catalogue doesn't know or a pattern.
    """
    never = _never(gate, tools) if gate.batch else ""
    if never:
        words = f"Calls are never approved together {never}; remove batch."
        sheet.fault((*path, "batch"), words, key=True)


def weighty(tool: Tool) -> bool:
    """Does a call of this tool want a look and a decision of its own, by what the catalogue says?"""
    return not tool.reversible or tool.impact == "high"


def _never(gate: Checkpoint, tools: Sequence[Tool | None]) -> str:
    """Where calls aren't approved together, as the end of a sentence; empty where they may be."""
    if gate.kind is Kind.SOFT:
        return "behind a soft checkpoint, which lets them go ahead by itself"
    if gate.kind is Kind.INBOX:
        return "behind an inbox checkpoint, whose calls share no message"
    if gate.kind is not Kind.HARD:
        return f"behind a {gate.kind.value} checkpoint"
    if gate.quorum > 1 or gate.shares:
        return "where more than one person must approve"
    if gate.required_by:
        return "where a regulation asks for a person's look"
    grave = bool(tools) and all(tool is not None and weighty(tool) for tool in tools)
    return "that are irreversible or have a high impact" if grave else ""
