"""How much a form holds: which of its lists may grow, and what of its shape it has a place for."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from policies.form import HEADING, Form, Group, Node, Rows, Shape, Variants, room

MAX_ENTRIES = 30
"""Entries of one list that get fields."""
_NEW_ENTRY = 4
"""Blocks that an entry is taken to need where the list has none to go by."""


def with_room(root: Group, left: int) -> Group:
    """The form's root; its lists are open only where one more entry fits into what is ``left``."""
    return cast(Group, _opened(root, left))


def _opened(node: Node | None, left: int) -> Node | None:
    match node:
        case Group():
            return replace(node, members=tuple((name, cast(Node, _opened(one, left))) for name, one in node.members))
        case Rows():
            entries = tuple(replace(one, node=cast(Node, _opened(one.node, left))) for one in node.entries)
            needs = HEADING + max((room(one.node) for one in node.entries), default=_NEW_ENTRY)
            return replace(node, entries=entries, open=needs <= left and len(entries) < MAX_ENTRIES)
        case Variants():
            return replace(node, node=_opened(node.node, left))
    return node


def fitting(form: Form, shape: Shape) -> Shape:
    """What of `shape` this form has a place for."""
    rows = {one.id for one in form.rows}
    chosen = {one.id for one in form.fields if one.redraws}
    return Shape(
        removed=frozenset(entry for entry in shape.removed if entry.rpartition("/")[0] in rows),
        added={place: number for place, number in shape.added.items() if place in rows},
        chosen={place: number for place, number in shape.chosen.items() if place in chosen},
    )
