"""A call's arguments as a form: fields, and what holds them together (objects, lists with entries, choices of a form).

The form is a function of the schema, the arguments and its `Shape`: what a person did to it besides typing. Nothing
else about a half-filled form is kept anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from policies.changes import Found
from policies.fields import Field

NEW = "n"
"""Begins the mark of a list's entry that isn't in the call yet; the others are marked by their position there."""

HEADING = 2
"""Blocks of an entry's heading, with the line above it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What was done to a form besides typing: ids of removed entries, the number of entries ever added to a list and
    the position of the form chosen, each by the id of its place.
    """

    removed: frozenset[str] = frozenset()
    added: Mapping[str, int] = field(default_factory=dict)
    chosen: Mapping[str, int] = field(default_factory=dict)

    def adding(self, rows: str) -> Shape:
        """With one entry more in the list at `rows`."""
        return Shape(removed=self.removed, added={**self.added, rows: self.added.get(rows, 0) + 1}, chosen=self.chosen)

    def removing(self, entry: str) -> Shape:
        """Without the list's entry with this id."""
        return Shape(removed=self.removed | {entry}, added=self.added, chosen=self.chosen)

    def choosing(self, variants: str, position: int) -> Shape:
        """With another form chosen at `variants`."""
        return Shape(removed=self.removed, added=self.added, chosen={**self.chosen, variants: position})

    def without(self, inside: tuple[str, ...]) -> Shape:
        """Without what was done at these places and inside them."""

        def kept(place: str) -> bool:
            return not any(place == one or place.startswith(f"{one}/") for one in inside)

        return Shape(
            removed=frozenset(filter(kept, self.removed)),
            added={place: number for place, number in self.added.items() if kept(place)},
            chosen={place: number for place, number in self.chosen.items() if kept(place)},
        )


AS_IT_IS = Shape()


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """One value in one field."""

    field: Field


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A text too long for one field: parts with the white space between them, which is kept and not shown.

    `between` has one text less than `fields`; `windows` says that its lines end as Windows writes them.
    """

    fields: tuple[Field, ...]
    between: tuple[str, ...]
    required: bool
    nullable: bool
    windows: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """An object: its properties by name, in order; those that go without saying have none here."""

    members: tuple[tuple[str, Node], ...]
    value: Found
    required: bool = True
    nullable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a list. `value` is what it has before anybody types; `new` that the call doesn't have it yet."""

    id: str
    title: str
    node: Node
    value: Found
    new: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """A list whose entries can be removed and added to. `reshaped`: somebody did so. `open`: there is room for more."""

    id: str
    path: tuple[str, ...]
    label: str
    hint: str
    entries: tuple[Entry, ...]
    reshaped: bool
    open: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Variants:
    """A choice between forms, and the chosen one. `switched`: it isn't the one that the call's value has; then
    `value` is what the new one starts with.
    """

    field: Field
    node: Node | None
    value: Found
    switched: bool


Node: TypeAlias = "Leaf | Text | Group | Rows | Variants"


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A call's arguments to fill in. `shape` is the part of the asked shape that the form has a place for. `drafts` are
    the agent's own drafts, below the arguments and no part of them.
    """

    root: Group
    shape: Shape = AS_IT_IS
    drafts: tuple[Field, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, from top to bottom."""
        return (*(part for part in flow(self.root) if isinstance(part, Field)), *self.drafts)

    @property
    def rows(self) -> tuple[Rows, ...]:
        """All lists that have entries to add and remove."""
        return tuple(part for part in flow(self.root) if isinstance(part, Rows))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries of all lists."""
        return tuple(part for part in flow(self.root) if isinstance(part, Entry))


def flow(node: Node | None) -> Iterator[Field | Entry | Rows]:
    """What stands in the form, from top to bottom: an entry before its fields, a list after its entries."""
    match node:
        case Leaf():
            yield node.field
        case Text():
            yield from node.fields
        case Group():
            for _, member in node.members:
                yield from flow(member)
        case Rows():
            for entry in node.entries:
                yield entry
                yield from flow(entry.node)
            yield node
        case Variants():
            yield node.field
            yield from flow(node.node)


def room(node: Node | None) -> int:
    """How many blocks of a screen the node takes: two for an entry's heading with the line above it, and for a field
    that shows a value beside its input.
    """
    return sum(HEADING if isinstance(part, Entry) else 1 + _is_masked(part) for part in flow(node))


def _is_masked(part: Field | Rows) -> bool:
    return isinstance(part, Field) and bool(part.masked)
