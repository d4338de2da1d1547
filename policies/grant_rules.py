"""What a rule says of grants: how far calls like one that it held may be approved in advance."""

from __future__ import annotations

from typing import Literal

from policies.checkpoint import Checkpoint, GrantBound, Kind
from policies.document import Path, Sheet
from policies.shapes import GrantsShape

Said = GrantsShape | Literal[False] | None


def grants_bound(said: Said, unsaid: GrantBound | None) -> GrantBound | None:
    """As the rule says, else as the default does (``unsaid``); None where nothing may be granted."""
    if said is None or said is False:
        return unsaid if said is None else None
    widest = GrantBound()
    return GrantBound(longest=said.longest or widest.longest, most=said.most or widest.most)


def check_grants(sheet: Sheet, path: Path, gate: Checkpoint, said: Said, *, grave: bool = False) -> None:
    """Note where nothing can be granted anyway, so that nobody takes the key for what forbids it.

    ``grave``: the rule is about tools only which the catalogue calls irreversible with a high impact.
    """
    if said is None:
        return
    place = (*path, "grants")
    if said is not False and not said.model_fields_set:
        sheet.fault(place, "Say how far: longest, most or both, such as grants: {longest: 4h, most: 20}.")
    never = _never(gate, grave)
    if never:
        sheet.fault(
            place, f"No calls are approved in advance {never}, so grants means nothing here; remove it.", key=True
        )


def _never(gate: Checkpoint, grave: bool) -> str:
    """Where nothing is granted, as the end of a sentence; empty where something may be."""
    if gate.kind is not Kind.HARD:
        return f"behind a {gate.kind.value} checkpoint"
    if gate.quorum > 1 or gate.shares:
        return "where more than one person must approve"
    if gate.required_by:
        return "where a regulation asks for a person's look"
    return "that are irreversible with a high impact" if grave else ""
