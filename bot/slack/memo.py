"""What a form remembers between opening and submission, kept in its ``private_metadata``. Ids only, never arguments."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from policies.errors import Refused
from policies.form import Shape

LONGEST = 2_900
"""Characters of ``private_metadata`` that are used; Slack takes 3,000."""

PlaceId = Annotated[str, StringConstraints(pattern=r"^[0-9npv/]{1,80}$")]
RequestId = Annotated[str, StringConstraints(max_length=100)]
Revision = Annotated[int, Field(ge=0, lt=10**9)]
Small = Annotated[int, Field(ge=0, le=1_000)]


class Memo(BaseModel):
    """The request and revision a form is about, the page it shows, and the message (if any) from which it was opened.

    ``together`` are the requests, each with its revision, that are decided in one go. ``terms`` are those of a grant
    that the form says in words; ``asks_phrase`` says that it has a field for the typed confirmation. ``removed``,
    ``added`` and ``chosen`` are what was done to the form besides typing; ``turn`` counts how often its fields were
    given new ids. ``had`` are the milliseconds in which somebody approved who was asked back by this form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    request_id: str = Field(alias="r", default="", max_length=100)
    revision: int = Field(alias="v", default=0, ge=0, lt=10**9)
    page: int = Field(alias="p", default=0, ge=0, lt=10**9)
    channel: str | None = Field(alias="c", default=None, max_length=100)
    ts: str | None = Field(alias="t", default=None, max_length=100)
    together: dict[RequestId, Revision] = Field(alias="b", default_factory=dict, max_length=10)
    terms: str = Field(alias="g", default="", max_length=100)
    asks_phrase: bool = Field(alias="q", default=False)
    removed: tuple[PlaceId, ...] = Field(alias="x", default=(), max_length=1_000)
    added: dict[PlaceId, Small] = Field(alias="a", default_factory=dict)
    chosen: dict[PlaceId, Small] = Field(alias="u", default_factory=dict)
    turn: int = Field(alias="n", default=0, ge=0, lt=10**6)
    had: int | None = Field(alias="h", default=None, ge=0, lt=10**6)

    @property
    def shape(self) -> Shape:
        """What was done to the form besides typing."""
        return Shape(removed=frozenset(self.removed), added=self.added, chosen=self.chosen)

    def shaped(self, shape: Shape) -> Memo:
        """The memo of a form of this shape. Raises ``Refused`` where that is more than a form can remember."""
        told = {"removed": tuple(sorted(shape.removed)), "added": dict(shape.added), "chosen": dict(shape.chosen)}
        made = self.model_copy(update=told)
        if len(made.text()) > LONGEST:
            raise Refused("A form can't remember more changes to lists; save these first, then change the rest.")
        return made

    def text(self) -> str:
        """The memo as it stands in ``private_metadata``."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)
