"""A question that stands before a call's gate, and its answer. Neither authorises anything: the gate follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.checkpoint import ASKING, Checkpoint, Ladder

MOST_CHOICES = 10
LONGEST_ANSWER = 2_000
"""Characters of an answer in a person's own words."""
SILENCE = "silence"
"""Who answered where nobody did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One answer to choose. ``arguments`` is the whole changed argument object, None where the call stays as it is.

    ``gate`` is the checkpoint that the call with these arguments meets, judged when the question was opened.
    """

    id: str
    label: str
    arguments: Mapping[str, Any] | None = None
    gate: Checkpoint | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked before anybody decides. ``rule`` names the rule whose words these are, None for the agent's own.

    ``best_guess`` is what the agent would take on silence: the id of a choice, or words of its own. ``on_silence`` is
    the checkpoint that the call meets when nobody answers, ``on_words`` after an answer in a person's own words.
    ``early`` is how many steps of the gate's own ladder are taken as soon as it opens, since nobody else could decide.
    """

    text: str
    choices: tuple[Choice, ...] = ()
    free_text: bool = True
    best_guess: str | None = None
    rule: str | None = None
    ladder: Ladder = ASKING
    on_silence: Checkpoint | None = None
    on_words: Checkpoint | None = None
    early: int = 0

    def choice(self, choice_id: str | None) -> Choice | None:
        """The choice with this id."""
        return next((choice for choice in self.choices if choice.id == choice_id), None)

    @property
    def guessed(self) -> Choice | None:
        """The choice that is the agent's best guess; None where it guesses in words, or not at all."""
        return self.choice(self.best_guess)

    @property
    def guess(self) -> str | None:
        """The agent's best guess in words; None where it has none."""
        return self.guessed.label if self.guessed else self.best_guess


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What was answered: a ``choice`` by its id, or a ``text``. ``by`` is a user id, or ``silence``.

    ``guessed``: nobody answered; what stands is the agent's best guess or, without one, the call as proposed.
    ``changed`` tells that the answer changed the call's arguments.
    """

    by: str
    at: datetime
    name: str | None = None
    choice: str | None = None
    text: str | None = None
    guessed: bool = False
    changed: bool = False


def in_words(question: Question, answer: Answer) -> str | None:
    """What was answered, as people say it: the choice's label or the text; None where nobody answered or guessed."""
    chosen = question.choice(answer.choice)
    return chosen.label if chosen else answer.text
