"""What the API takes of a question, and what bodies have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.api.problems import moved
from policies.arguments import intake
from policies.errors import Fault, Faulty, Invalid
from policies.question import MOST_CHOICES, Choice, Question

Words = Annotated[str, Field(max_length=8_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


def whole(sent: Any) -> Any:
    """``sent``, as an integer where it is a number without a fraction: in JSON 5.0 is the same as 5."""
    return int(sent) if isinstance(sent, float) and sent.is_integer() else sent


Whole = Annotated[int, BeforeValidator(whole)]
"""A whole number of a body."""


class Body(BaseModel):
    """A JSON body: types are taken as they come, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class ChoiceBody(Body):
    """One answer to choose from. ``arguments`` is the whole changed argument object."""

    id: Name = Field(description="Your name for this answer; it comes back as `answer.choice`.", examples=["lamp"])
    label: Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")] = Field(
        description="What people read on the button.", examples=["HG-1042, the lamp"]
    )
    arguments: dict[str, Any] | None = Field(
        default=None, description="The whole argument object that the call has with this answer, where it changes it."
    )


class QuestionBody(Body):
    """A question that people answer before anybody decides; it authorises nothing."""

    text: Annotated[str, Field(min_length=1, max_length=3_000, pattern=r"\S")] = Field(
        description="The question.", examples=["Which order arrived broken?"]
    )
    choices: Annotated[list[ChoiceBody], Field(min_length=1, max_length=MOST_CHOICES)] | None = Field(
        default=None, description="Answers to choose from, each with an id of its own."
    )
    free_text: bool = Field(default=True, description="May people answer in words of their own?")
    best_guess: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")] | None = Field(
        default=None,
        description="What stands where nobody answers: the id of a choice, or words where `free_text` is left on.",
    )

    def question(self, *, bare: bool) -> Question:
        """The question after intake. Raises ``Faulty`` with all that is wrong, places within the body."""
        faults = tuple(self._faults(bare=bare))
        if faults:
            raise Faulty(faults, code="invalid")
        choices = tuple(_choice(place, choice) for place, choice in enumerate(self.choices or ()))
        return Question(text=self.text, choices=choices, free_text=self.free_text, best_guess=self.best_guess)

    def _faults(self, *, bare: bool) -> Iterator[Fault]:
        known: set[str] = set()
        for place, choice in enumerate(self.choices or ()):
            if choice.id in known:
                yield Fault(
                    where=f"/question/choices/{place}/id", words="stands twice; give each choice an id of its own"
                )
            if bare and choice.arguments is not None:
                words = "there is no call to change; send `tool` and `arguments` too, or leave this out"
                yield Fault(where=f"/question/choices/{place}/arguments", words=words)
            known.add(choice.id)
        if not known and not self.free_text:
            yield Fault(where="/question", words="nobody could answer it; send choices, or leave `free_text` out")
        if self.best_guess is not None and not self.free_text and self.best_guess not in known:
            yield Fault(where="/question/best_guess", words="must be the id of a choice, or leave `free_text` out")


def _choice(place: int, choice: ChoiceBody) -> Choice:
    arguments = choice.arguments
    if arguments is not None:
        arguments = at_place(f"/question/choices/{place}/arguments", intake, arguments)
    return Choice(id=choice.id, label=choice.label, arguments=arguments)


def at_place(prefix: str, check: Any, value: Any) -> Any:
    """``check(value)``, with the places of what is wrong counted from the whole body."""
    try:
        return check(value)
    except Invalid as error:
        raise moved(error, prefix) from error
