"""What a form remembers between opening and submission, kept in its ``private_metadata``. Ids only, never arguments."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Memo(BaseModel):
    """The request and revision a form is about, the page it shows, and the message (if any) from which it was opened.

    ``terms`` are those of a grant that the form says in words; ``asks_phrase`` says that it has a field for the typed
    confirmation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_id: str = Field(alias="r", default="", max_length=100)
    revision: int = Field(alias="v", default=0, ge=0, lt=10**9)
    page: int = Field(alias="p", default=0, ge=0, lt=10**9)
    channel: str | None = Field(alias="c", default=None, max_length=100)
    ts: str | None = Field(alias="t", default=None, max_length=100)
    terms: str = Field(alias="g", default="", max_length=100)
    asks_phrase: bool = Field(alias="q", default=False)

    def text(self) -> str:
        """The memo as it stands in ``private_metadata``, far below Slack's 3,000 characters."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)
