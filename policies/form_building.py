"""Builds the form of a call from its tool's schema: how deep and how wide it may grow, and what stays JSON text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from policies.arguments import Arguments, JsonValue
from policies.changes import ABSENT, Found
from policies.display import display
from policies.field_words import MAX_CHOICE_LABEL, MAX_STEP, is_cut, label_of, words_below
from policies.fields import MAX_TEXT, Choice, Field, Place, leaf
from policies.form import AS_IT_IS, HEADING, NEW, Entry, Form, Group, Leaf, Node, Rows, Shape, Text, Variants, room
from policies.form_parts import (
    Variant,
    are_objects,
    constants,
    matching,
    needs_boxes,
    needs_fields,
    properties,
    seed,
    variants,
)
from policies.form_rest import rest_of, unread, unused
from policies.form_room import MAX_ENTRIES, fitting, with_room
from policies.form_schema import COMPOUND, Described, Kind, describe
from policies.long_text import in_parts
from policies.schema_limits import Part

MAX_FIELDS = 40
"""Arguments that get fields of their own."""
MAX_ROOM = 80
"""Fields, headings and list ends in one form; Slack's own limit is 100 blocks."""
MAX_DEPTH = 5
"""Steps from the arguments to a field: objects, lists and choices count one each, and so do entries."""
NOTHING: frozenset[str] = frozenset()
FREE = frozenset({None, Kind.JSON, Kind.PAIRS})
"""Where these are objects, the call names their properties itself, and may name others."""
MAX_WORK = 800
WORK_OF_FORMS = 20
MAX_CHOICES_ROOM = 90_000
"""Bytes of all choices together: Slack takes views of 250 kB."""
_PER_CHOICE = 80


def build_form(
    schema: dict[str, JsonValue] | None, arguments: Arguments, *, key: bytes, shape: Shape = AS_IT_IS
) -> Form:
    """The form for all that the schema knows or the call has, in the schema's order.

    Without a schema the kinds follow the values, and every argument counts as required. `key` is the installation's
    redaction key. What `shape` says of places that the form hasn't is left out of it.
    """
    whole = _Builder(schema=schema or {}, key=key, shape=shape)
    root = whole.root(arguments, all_required=schema is None)
    if whole.squeezed:
        spare = _Builder(schema=schema or {}, key=key, shape=shape, spare=True)
        root = min(root, spare.root(arguments, all_required=schema is None), key=unread)
    form = Form(root=with_room(root, MAX_ROOM - room(root)))
    return replace(form, shape=fitting(form, shape))


@dataclass(slots=True)
class _Builder:
    """The schema, and how much was already done and drawn: a hostile schema must not cost more than a large one.

    `spare` leaves what an object could have besides to one field, so that there is room for what the call has.
    """

    schema: Part
    key: bytes
    shape: Shape
    spare: bool = False
    work: int = 0
    choices: int = 0
    squeezed: bool = False
    known: dict[int, tuple[Part, tuple[Variant, ...]]] = field(default_factory=dict)

    def root(self, arguments: Arguments, *, all_required: bool) -> Group:
        """The arguments themselves."""
        told = describe(self.schema, self.schema, required=True)
        parts = properties(self.schema, told.part, arguments)
        parts = {name: (part, all_required or required) for name, (part, required) in parts.items()}
        own, others = parts, {}
        if len(parts) > MAX_FIELDS:
            names = sorted(parts, key=lambda name: (name not in arguments, not parts[name][1]))
            own = {name: parts[name] for name in names[:MAX_FIELDS]}
            others = {name: parts[name] for name in names[MAX_FIELDS:]}
        members = self.members(own, arguments, Place(), MAX_ROOM, frozenset())
        if others:
            rest = rest_of(tuple(others), parts, arguments, Place(), MAX_FIELDS, self.key)
            members.append((rest.name, Leaf(field=rest)))
        return Group(members=tuple(members), value=arguments)

    def members(
        self,
        parts: Mapping[str, tuple[JsonValue, bool]],
        value: Found,
        place: Place,
        space: int,
        unsaid: frozenset[str],
    ) -> list[tuple[str, Node]]:
        """The properties of an object: those that the call has or must have, then the others.

        Each may take the space that the ones before it left and those after it need.
        """
        found: list[tuple[str, Node]] = []
        named = value if isinstance(value, dict) else {}
        places = sorted(enumerate(parts.items()), key=lambda one: not (one[1][1][1] or one[1][0] in named))
        for before, (number, (name, (part, required))) in enumerate(places):
            if name in unsaid:
                continue
            told = describe(self.schema, part, required=required)
            after = len(parts) - before - 1
            node = self.node(name, told, named.get(name, ABSENT), place.inside(str(number), name), space - after)
            space -= room(node)
            found.append((name, node))
        return found

    def node(self, name: str, told: Described, value: Found, place: Place, space: int) -> Node:
        """One value; as fields where it has parts and there is space for them, else in one field."""
        self.work += 1
        made: Node | None = None
        if self.work < MAX_WORK and place.depth <= MAX_DEPTH:
            match told.kind:
                case Kind.OBJECT:
                    made = self.group(name, told, value, place, space)
                case Kind.ROWS:
                    made = self.rows(name, told, value, place, space)
                case Kind.LIST if needs_boxes(told, value):
                    made = self.rows(name, told, value, place, space)
                case Kind.PAIRS if needs_fields(told, value):
                    made = self.group(name, told, value, place, space)
                case None | Kind.JSON if not told.options and not place.is_secret:
                    made = self.free(name, told, value, place, space)
                case Kind.VARIANTS:
                    made = self.variants(name, told, value, place, space)
        if made is None and isinstance(value, str):
            made = self.long_text(name, told, value, place, space)
        return made if made is not None and room(made) <= space else self.leaf(name, told, value, place)

    def leaf(self, name: str, told: Described, value: Found, place: Place) -> Leaf:
        note = ""
        self.squeezed |= told.kind in COMPOUND and value is not ABSENT
        if told.kind is Kind.VARIANTS:
            note = f"one of: {'; '.join(form.title for form in self.forms(told))}"
        self.choices += sum(_PER_CHOICE + len(option.title.encode(errors="replace")) for option in told.options)
        if self.choices > MAX_CHOICES_ROOM and told.options:
            note = f"one of: {', '.join(option.title for option in told.options)}"
            told = replace(told, kind=Kind.JSON, options=())
        return Leaf(field=leaf(name, told, value, place, self.key, note=note))

    def forms(self, told: Described) -> tuple[Variant, ...]:
        """The forms of a value, found out once for each part of the schema (which is kept, so that its id stays)."""
        if id(told.part) not in self.known:
            self.work += WORK_OF_FORMS
            self.known[id(told.part)] = (told.part, variants(self.schema, told) if self.work < MAX_WORK else ())
        return self.known[id(told.part)][1]

    def group(
        self, name: str, told: Described, value: Found, place: Place, space: int, unsaid: frozenset[str] = NOTHING
    ) -> Group | None:
        if value is not ABSENT and not isinstance(value, dict) and not (value is None and told.nullable):
            return None
        parts = properties(self.schema, told.part, value)
        others = unused(parts, value) if self.spare else ()
        known, parts = parts, {name: one for name, one in parts.items() if name not in others}
        adds = told.kind in FREE
        space -= bool(others) or adds
        if not len(unsaid) <= len(parts) <= space + len(unsaid):
            return None
        inner = replace(place, way=(*place.way, *_step(place, name, told, self.key)))
        inner = replace(inner, fresh=place.fresh and (told.required or value is not ABSENT))
        members = self.members(parts, value, inner, space, unsaid)
        if others or adds:
            rest = rest_of(others, known, value, inner, len(known), self.key)
            members.append((rest.name, Leaf(field=rest)))
        if not members and not unsaid:
            return None
        return Group(members=tuple(members), value=value, required=told.required, nullable=told.nullable)

    def free(self, name: str, told: Described, value: Found, place: Place, space: int) -> Node | None:
        """What the schema leaves open, as the call has it."""
        if value and isinstance(value, dict):
            return self.group(name, told, value, place, space)
        return self.rows(name, told, value, place, space) if are_objects(value) else None

    def rows(self, name: str, told: Described, value: Found, place: Place, space: int) -> Rows | None:
        given = [] if value is ABSENT or (value is None and told.nullable) else value
        items = told.part.get("items")
        one = describe(self.schema, items, required=True)
        least = HEADING + max(1, len(properties(self.schema, one.part)))
        if not isinstance(given, list) or len(given) > MAX_ENTRIES or len(given) * least >= space:
            return None
        marks = [*map(str, range(len(given))), *(f"{NEW}{one}" for one in range(self.added(place)))]
        marks = [mark for mark in marks if f"{place.id}/{mark}" not in self.shape.removed]
        label = " › ".join((*place.under, *place.way, label_of(name, told, self.key, MAX_STEP)))
        entries: list[Entry] = []
        for number, mark in enumerate(marks, 1):
            new = mark.startswith(NEW)
            inner = replace(place.inside(mark, f"#{mark}", key=False), way=(), under=(f"{label} {number}",))
            inner = replace(inner, fresh=place.fresh or new)
            start = seed(self.schema, items) if new else given[int(mark)]
            node = self.node(name, one, start, inner, space)
            title = f"{label} {number} of {len(marks)}"
            entries.append(Entry(id=inner.id, title=title, node=node, value=start, new=new))
            space -= HEADING + room(node)
            if space < 1:
                return None
        hint = words_below(told.limits, told.description, self.key)
        reshaped = len(marks) != len(given) or any(mark.startswith(NEW) for mark in marks)
        return Rows(id=place.id, path=place.path, label=label, hint=hint, entries=tuple(entries), reshaped=reshaped)

    def added(self, place: Place) -> int:
        return min(self.shape.added.get(place.id, 0), MAX_ENTRIES)

    def variants(self, name: str, told: Described, value: Found, place: Place, space: int) -> Variants | None:
        forms = self.forms(told)
        if not forms or any(is_cut(form.title) for form in forms):
            return None
        given = value is not ABSENT and not (value is None and told.nullable)
        found = matching(self.schema, forms, cast(JsonValue, value)) if given else None
        chosen = self.shape.chosen.get(place.id, found)
        if (given and found is None) or (chosen is not None and not 0 <= chosen < len(forms)):
            return None
        switched = chosen != found
        start = value if not switched or chosen is None else seed(self.schema, forms[chosen].part)
        node = (
            None
            if chosen is None
            else self.chosen(
                name, forms[chosen], chosen, start, replace(place, fresh=place.fresh or switched), space - 1
            )
        )
        select = self.select(name, told, forms, chosen, place, present=given)
        return Variants(field=select, node=node, value=start, switched=switched)

    def chosen(self, name: str, form: Variant, position: int, value: Found, place: Place, space: int) -> Node | None:
        inner = place.inside(f"v{position}", f"~{position}", key=False)
        told = replace(form.told, required=True, title="")
        if told.kind is Kind.ENUM and len(told.options) == 1:
            return None  # the choice has said it
        if told.kind is Kind.OBJECT and place.depth < MAX_DEPTH:
            unsaid = constants(self.schema, told, value)
            made = self.group(name, told, value, inner, space, unsaid)
            if made is not None and room(made) <= space:
                return made
        return self.node(name, told, value, inner, space)

    def select(
        self, name: str, told: Described, forms: tuple[Variant, ...], chosen: int | None, place: Place, *, present: bool
    ) -> Field:
        limit = MAX_CHOICE_LABEL
        choices = [Choice(label=display(form.title, key=self.key, limit=limit).text, value=None) for form in forms]
        plain = replace(told, kind=Kind.JSON)
        made = leaf(name, plain, ABSENT, place, self.key)
        return replace(
            made,
            kind=Kind.ENUM,
            hint=words_below("which of its forms it has", told.description, self.key),
            choices=tuple(choices),
            selected=() if chosen is None else (chosen,),
            present=present,
            sensitive=False,
            max_length=None,
            redraws=True,
        )

    def long_text(self, name: str, told: Described, value: str, place: Place, space: int) -> Text | None:
        whole = leaf(name, replace(told, kind=Kind.LONG_TEXT), value, place, self.key)
        parts = in_parts(value) if not whole.masked else None
        if parts is None or len(parts[0]) > space:
            return None
        texts, between = parts
        made = tuple(
            replace(
                whole,
                id=f"{place.id}/p{number}",
                path=(*place.path, f"p{number}"),
                label=f"{whole.label}, part {number} of {len(texts)}",
                hint=whole.hint if number == 1 else "",
                required=False,
                shown=text,
                locked="",
                min_length=None,
                max_length=MAX_TEXT,
            )
            for number, text in enumerate(texts, 1)
        )
        return Text(
            fields=made, between=between, required=told.required, nullable=told.nullable, windows="\r\n" in value
        )


def _step(place: Place, name: str, told: Described, key: bytes) -> tuple[str, ...]:
    """The name of a value on the way to its parts; an entry's heading has said it already."""
    nearest = next((step for step in reversed(place.path) if not step.startswith("~")), "")
    return () if nearest.startswith("#") else (label_of(name, told, key, MAX_STEP),)
