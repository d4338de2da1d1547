"""An agent's own drafts as fields of the form in which its call is edited, and what was typed there as texts again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies.arguments import intake
from policies.display import display
from policies.errors import Fault, Faulty, Invalid
from policies.fields import MAX_TEXT, Field, Place, guarded
from policies.form_schema import Kind
from policies.preview import Preview
from policies.typed import Submitted, read, untouched
from policies.visible import in_quotes

PREFIX = "draft:"
"""Begins the id of a draft's field; its place among the agent's own drafts follows."""
TITLE = 60
NOTE = "The agent shows this beside the call; it is no part of it. Your text goes back to the agent."


def draft_fields(drafts: Sequence[Preview], key: bytes) -> tuple[Field, ...]:
    """A field for each of the agent's own drafts; one that a text box can't hold is locked, a secret in it masked."""
    return tuple(_field(place, draft, key) for place, draft in enumerate(drafts))


def _field(place: int, draft: Preview, key: bytes) -> Field:
    field_id = f"{PREFIX}{place}"
    title = display(" ".join(draft.title.split()), key=key, limit=TITLE).text
    made = Field(
        id=field_id,
        name=field_id,
        kind=Kind.LONG_TEXT,
        label=f"Draft {in_quotes(title)}",
        hint=NOTE,
        required=True,
        present=True,
        shown=draft.text,
        max_length=MAX_TEXT,
    )
    return guarded(made, Place(id=field_id), draft.text, key)


def redrafted(fields: Sequence[Field], submitted: Mapping[str, Submitted]) -> dict[int, str]:
    """The texts that somebody changed, by their places among the agent's own drafts.

    Raises ``Faulty`` with one fault for each wrong field, ``where`` its id.
    """
    found: dict[int, str] = {}
    faults: list[Fault] = []
    for place, field in enumerate(fields):
        if field.locked or field.id not in submitted or untouched(field, submitted[field.id]):
            continue
        try:
            found[place] = _text(field, submitted[field.id])
        except Invalid as error:
            faults.append(Fault(where=field.id, words=error.words))
    if faults:
        raise Faulty(tuple(faults))
    return found


def _text(field: Field, given: Submitted) -> str:
    text = read(field, given)
    return str(intake({"text": text})["text"]) if isinstance(text, str) else ""
