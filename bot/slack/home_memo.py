"""Where a person stands in their Home, kept in its ``private_metadata``: what is shown, sought, and which page."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class HomeMemo(BaseModel):
    """``show`` is ``all``, the name of a section, ``agent:ID`` or ``rule:NAME``; ``page`` counts from 0.

    ``turn`` counts how often a button changed what the fields hold: then they need new ids to say so.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    show: str = Field(alias="s", default="all", max_length=140)
    search: str = Field(alias="q", default="", max_length=100)
    page: int = Field(alias="p", default=0, ge=0, lt=1_000)
    turn: int = Field(alias="n", default=0, ge=0, lt=10**6)

    @classmethod
    def read(cls, text: str) -> HomeMemo:
        """The memo that a Home carries; that of a fresh Home where it carries none."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()

    def shown(self, show: str) -> HomeMemo:
        """The first page of something else."""
        return self.model_copy(update={"show": show[:140], "page": 0})

    def sought(self, search: str) -> HomeMemo:
        """The first page of what is found."""
        return self.model_copy(update={"search": search.strip()[:100], "page": 0})

    def turned(self) -> HomeMemo:
        """The same with fields made anew."""
        return self.model_copy(update={"turn": self.turn + 1})

    def text(self) -> str:
        """The memo as it stands in ``private_metadata``."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)
