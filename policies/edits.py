"""What a person did to a form as arguments again.

Two laws: what nobody touched keeps its stored value, byte for byte; and nothing typed is repaired or rounded, a fault
names its field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from policies.arguments import Arguments, intake, pointer
from policies.changes import ABSENT, Found
from policies.errors import Fault, Faulty, Invalid
from policies.fields import Field
from policies.form import Entry, Form, Group, Leaf, Node, Rows, Text, Variants, flow
from policies.typed import KEPT, Kept, Submitted, cleared, one_kind_of_line_end, read, untouched


@dataclass(frozen=True, kw_only=True, slots=True)
class Edited:
    """`arguments` as the form says, and the ids of its fields by the JSON pointer that each has in them."""

    arguments: Arguments
    places: Mapping[str, str]

    def field_at(self, path: str) -> str:
        """The id of the field that a fault at the JSON pointer `path` belongs to: of the value itself, of what it
        stands in, or of the first one inside it; empty when it belongs to none.
        """
        here = path
        while here:
            if here in self.places:
                return self.places[here]
            here = here.rpartition("/")[0]
        inside = f"{path}/" if path else ""
        return next((found for place, found in self.places.items() if inside and place.startswith(inside)), "")


def apply_edits(form: Form, submitted: Mapping[str, Submitted]) -> Edited:
    """The form's arguments with what was submitted, by the fields' ids. Fields that are missing from `submitted`,
    locked or unchanged keep their value.

    Raises Faulty with one fault for each wrong field, `where` its id (empty for the whole). Says nothing about the
    tool's schema.
    """
    reading = _Reading(submitted=submitted, places={}, faults=[])
    found = reading.node(form.root, ())
    if reading.faults:
        raise Faulty(tuple(reading.faults))
    edited = Edited(arguments={}, places=reading.places)
    try:
        arguments = intake(form.root.value if isinstance(found, Kept) else found)
    except Invalid as error:
        raise Faulty((Fault(where=edited.field_at(error.where), words=error.words),)) from error
    return Edited(arguments=arguments, places=reading.places)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """One pass over the form. ABSENT is a value that is to be left out, KEPT one that nobody touched."""

    submitted: Mapping[str, Submitted]
    places: dict[str, str]
    faults: list[Fault]

    def node(self, node: Node, path: tuple[str | int, ...]) -> Found | Kept:
        match node:
            case Leaf():
                return self.leaf(node.field, path)
            case Text():
                return self.text(node, path)
            case Group():
                return self.group(node, path)
            case Rows():
                return self.rows(node, path)
            case Variants():
                return self.variants(node, path)

    def leaf(self, field: Field, path: tuple[str | int, ...]) -> Found | Kept:
        covered = [path[:-1]] if field.adds else [(*path[:-1], name) for name in field.covers]
        for place in covered or [path]:
            self.places.setdefault(pointer(*place), field.id)
        if field.locked or field.id not in self.submitted or untouched(field, self.submitted[field.id]):
            return KEPT
        try:
            return read(field, self.submitted[field.id])
        except Invalid as error:
            self.faults.append(Fault(where=field.id, words=error.words))
            return KEPT

    def text(self, text: Text, path: tuple[str | int, ...]) -> Found | Kept:
        """The parts again as one; with an emptied part goes the white space after it."""
        self.places[pointer(*path)] = text.fields[0].id
        given = [(one, self.submitted.get(one.id, one.shown)) for one in text.fields]
        if all(one.locked or untouched(one, typed) for one, typed in given):
            return KEPT
        whole = ""
        for (one, typed), gap in zip(given, (*text.between, ""), strict=True):
            same = one.locked or untouched(one, typed)
            part = one.shown if same else one_kind_of_line_end(typed if isinstance(typed, str) else "")
            whole += (part if same or not text.windows else part.replace("\n", "\r\n")) + (gap if part else "")
        return whole or self.emptied(text)

    def emptied(self, text: Text) -> Found:
        return ABSENT if not text.required else None if text.nullable else ""

    def group(self, group: Group, path: tuple[str | int, ...]) -> Found | Kept:
        found = {name: self.node(one, (*path, name)) for name, one in group.members}
        nearest = next((part.id for part in flow(group) if isinstance(part, Field)), "")
        if path and nearest:  # for what is missing in it and has no field, as a list without entries
            self.places.setdefault(pointer(*path), nearest)
        if all(isinstance(one, Kept) for one in found.values()):
            return KEPT
        if path and not group.required and self.is_emptied(group):
            return ABSENT
        if path and group.nullable and self.is_emptied(group):
            return None
        made: Arguments = dict(group.value) if isinstance(group.value, dict) else {}
        for (name, member), value in zip(group.members, found.values(), strict=True):
            if _is_rest(member) and not isinstance(value, Kept):
                self.put_rest(made, group, cast(Leaf, member).field, value)
            elif not isinstance(value, Kept):
                self.put(made, name, value)
        return made

    def put(self, made: Arguments, name: str, value: Found) -> None:
        if value is ABSENT:
            made.pop(name, None)
        else:
            made[name] = value

    def put_rest(self, made: Arguments, group: Group, field: Field, value: Found) -> None:
        given = value if isinstance(value, dict) else {}
        own = {name for name, member in group.members if not _is_rest(member)}
        foreign = [name for name in given if (name in own if field.adds else name not in field.covers)]
        if foreign:
            words = f"{foreign[0][:80]!a} has a field of its own or isn't known; change it there"
            self.faults.append(Fault(where=field.id, words=words))
        for name in field.covers:
            made.pop(name, None)
        made.update(given)

    def is_emptied(self, node: Node) -> bool:
        """Was every field in it left or made empty? Then the object itself goes, where the tool can do without."""
        fields = [part for part in flow(node) if isinstance(part, Field)]
        rows = any(isinstance(part, Entry) for part in flow(node))
        return not rows and all(self.is_empty(field) for field in fields)

    def is_empty(self, field: Field) -> bool:
        unseen = field.locked or field.masked or field.id not in self.submitted
        return not unseen and not self.submitted[field.id]

    def rows(self, rows: Rows, path: tuple[str | int, ...]) -> Found | Kept:
        found = [self.entry(entry, (*path, number)) for number, entry in enumerate(rows.entries)]
        if not rows.reshaped and all(isinstance(one, Kept) for one in found):
            return KEPT
        pairs = zip(found, rows.entries, strict=True)
        values = (entry.value if isinstance(one, Kept) else one for one, entry in pairs)
        return [value for value in values if value is not ABSENT]

    def entry(self, entry: Entry, path: tuple[str | int, ...]) -> Found | Kept:
        found = self.node(entry.node, path)
        value = entry.value if isinstance(found, Kept) else found
        if value is ABSENT:
            first = next(part.id for part in flow(entry.node) if isinstance(part, Field))
            self.faults.append(Fault(where=first, words="fill this entry in, or remove it"))
        return found

    def variants(self, variants: Variants, path: tuple[str | int, ...]) -> Found | Kept:
        select = variants.field
        given = self.submitted.get(select.id, select.selected)
        found = self.node(variants.node, path) if variants.node else KEPT
        self.places.setdefault(pointer(*path), select.id)
        if select.selected and not given:
            return self.unchosen(select)
        if tuple(given or ()) != select.selected:
            self.faults.append(Fault(where=select.id, words="look at the fields of what you chose, then save"))
        return variants.value if isinstance(found, Kept) and variants.switched else found

    def unchosen(self, select: Field) -> Found | Kept:
        try:
            return cleared(select)
        except Invalid as error:
            self.faults.append(Fault(where=select.id, words=error.words))
            return KEPT


def _is_rest(node: Node) -> bool:
    return isinstance(node, Leaf) and node.field.is_rest
