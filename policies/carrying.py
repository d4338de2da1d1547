"""Two people edit at once: what the second one typed, put over what the first one saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from policies.arguments import Arguments, JsonValue
from policies.fields import Field
from policies.form import NEW, Form
from policies.form_building import build_form
from policies.typed import Submitted, untouched


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """The form of the arguments that stand now, with what was `typed` into the older one, by the fields' ids. `lost`
    are the labels of fields whose entry can't be carried over: it has to be made again.
    """

    form: Form
    typed: Mapping[str, Submitted]
    lost: tuple[str, ...]


def touched(form: Form, typed: Mapping[str, Submitted]) -> tuple[Field, ...]:
    """The fields that somebody changed."""
    given = (field for field in form.fields if field.id in typed and not field.locked)
    return tuple(field for field in given if not untouched(field, typed[field.id]))


def carry_over(
    old: Form,
    typed: Mapping[str, Submitted],
    schema: dict[str, JsonValue] | None,
    arguments: Arguments,
    *,
    key: bytes,
    drafts: tuple[Field, ...] = (),
) -> Carried:
    """`typed` into `old`, put over the form of `arguments` and of the `drafts` that stand now.

    A list that has got longer or shorter has other entries at its positions, so nothing is carried into it; nor is a
    secret, which is never shown back.
    """
    before = old.root.value if isinstance(old.root.value, dict) else {}
    moved = tuple(one.id for one in old.rows if _length(one.path, before) != _length(one.path, arguments))
    form = replace(build_form(schema, arguments, key=key, shape=old.shape.without(moved)), drafts=drafts)
    now = {field.id: field for field in form.fields}
    wanted = touched(old, typed)
    fits = {
        field.id
        for field in wanted
        if not field.sensitive
        and not any(field.id.startswith(f"{place}/") for place in moved)
        and _is_same(field, now.get(field.id), before, arguments)
    }
    lost = [field.label for field in wanted if field.id not in fits]
    lost += [one.label for one in old.rows if one.id in moved and one.reshaped]
    return Carried(form=form, typed={name: typed[name] for name in typed if name in fits}, lost=tuple(lost))


def _is_same(old: Field, new: Field | None, before: Arguments, after: Arguments) -> bool:
    """Is it the same field of the same value? A part of a long text is, where nobody changed the text."""
    if new is None or new.locked or (new.path, new.kind, new.choices) != (old.path, old.kind, old.choices):
        return False
    is_part = old.id.rpartition("/")[2].startswith("p")
    return not is_part or _at(old.path[:-1], before) == _at(old.path[:-1], after)


def _length(path: tuple[str, ...], arguments: Arguments) -> int:
    found = _at(path, arguments)
    return len(found) if isinstance(found, list) else 0


def _at(path: tuple[str, ...], value: JsonValue) -> JsonValue:
    """The value at a field's path; None where there is none, as in an entry that nobody has saved yet."""
    for step in path:
        if isinstance(value, dict) and (step in value or not step.startswith("~")):
            value = value.get(step)
        elif isinstance(value, list) and step.startswith("#"):
            mark = step.removeprefix("#")
            value = None if mark.startswith(NEW) or int(mark) >= len(value) else value[int(mark)]
    return value
