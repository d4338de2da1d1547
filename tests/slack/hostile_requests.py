"""Requests made to deceive in all that an agent says beside its call, and people whose own names deceive."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.slack.views.look import Look
from policies.arguments import intake
from policies.checkpoint import Checkpoint
from policies.errors import Invalid
from policies.people import Person
from policies.preview import Preview
from policies.question import Choice, Question
from policies.request import Request
from tests.slack.hostile_words import a_call, a_name, said
from tests.slack.samples import LOOK, ask, checkpoint, person

Arguments = Mapping[str, Any]


def a_look(dice: random.Random) -> Look:
    """People whose own names deceive."""
    return replace(LOOK, names={who: said(dice, 80) for who in ("U0ANA", "U0BEN", "U0NEWT", "U0SAM", "U0FAY")})


def a_question(dice: random.Random, *, bare: bool = False) -> Question:
    """A question in the agent's words; one that is ``bare`` stands before no call."""
    choices = tuple(
        Choice(
            id=str(number),
            label=said(dice, 300),
            arguments=None if bare or dice.random() < 0.5 else arguments_of(dice),
            gate=checkpoint(),
        )
        for number in range(dice.randint(0, 4))
    )
    guess = dice.choice((None, said(dice, 2_000), "0"))
    return Question(text=said(dice, 3_000), choices=choices, best_guess=guess, on_silence=checkpoint())


def arguments_of(dice: random.Random) -> dict[str, Any]:
    """The arguments of a call that intake takes."""
    while True:
        try:
            return dict(intake(a_call(dice)))
        except Invalid:
            continue


def a_request(dice: random.Random, arguments: Arguments, gate: Checkpoint | None = None, **words: Any) -> Request:
    """A call with everything that an agent may say beside it."""
    drafts = tuple(
        Preview(title=said(dice, 100), media_type="text/html", text=said(dice, 9_000))
        for _ in range(dice.randint(0, 2))
    )
    return ask(
        arguments,
        gate or checkpoint(title="Refund {amount} for {to}: {note}", show=(("amount", "money EUR"), ("due", "date"))),
        tool=a_name(dice),
        reason=said(dice, 8_000),
        context=said(dice, 8_000),
        on_behalf_of=said(dice, 200),
        preview=drafts,
        **words,
    )


def a_person(dice: random.Random, who: str) -> Person:
    """A person who calls themselves what they like."""
    return replace(person(who), name=said(dice, 80))
