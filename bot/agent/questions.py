"""The model's own way to ask people: a question alone. What is answered comes back as the tool's result.

It decides nothing and runs nothing, so it stands beside the tools without being one of them: a tool of the same name in
the module of ``SIGNOFF_TOOLS`` goes before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.agent.tools import ToolFailed
from policies.question import MOST_CHOICES, Choice, Question

NAME = "ask_people"

DESCRIPTION = """\
Ask the people whom this errand concerns a question, and wait for the answer. Use it where the errand is ambiguous and a
wrong guess would matter, never to ask for permission: calls that need it are shown to people anyway. Give choices where
there are a few, and always your best guess: when nobody answers in time, it stands."""

Text = Annotated[str, Field(min_length=1, max_length=3_000, pattern=r"\S")]
Label = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]


class Asked(BaseModel):
    """What the model says to ask."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Text = Field(description="The question, so that it can be answered without knowing the conversation.")
    choices: Annotated[list[Label], Field(max_length=MOST_CHOICES)] = Field(
        default_factory=list, description="Answers to choose from; people may always answer in their own words instead."
    )
    best_guess: Annotated[str, Field(max_length=2_000)] | None = Field(
        default=None, description="What you would take without an answer: one of the choices, or words of your own."
    )


SCHEMA: Mapping[str, Any] = Asked.model_json_schema()


def question_of(arguments: Mapping[str, Any]) -> Question:
    """The question that the model asks. Raises ``ToolFailed`` with what to send instead."""
    try:
        asked = Asked.model_validate(dict(arguments))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
        raise ToolFailed(f"{NAME} was called with unfit arguments: {faults}") from None
    labels = list(dict.fromkeys(asked.choices))
    choices = tuple(Choice(id=str(number), label=label) for number, label in enumerate(labels, 1))
    guess = (asked.best_guess or "").strip() or None
    chosen = next((choice.id for choice in choices if choice.label == guess), guess)
    return Question(text=asked.question, choices=choices, best_guess=chosen)
