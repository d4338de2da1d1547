"""A question on its way to an answer: what is asked, what each choice would change, who answered what."""

from __future__ import annotations

from collections.abc import Iterator

from bot.slack import ids
from bot.slack.views.action import compared
from bot.slack.views.blocks import Block, actions, button, context, plain, quoted, section
from bot.slack.views.layout import Laid
from bot.slack.views.look import Look
from bot.slack.views.text import Item, item, one_line, shown
from policies.checkpoint import Kind
from policies.question import Choice, Question, in_words
from policies.request import Request

TEXT = 1_500
"""Escaped characters of a question that a card shows."""
ROOM = 2_000
"""Escaped characters that all choices together may take on a card."""
BUTTON = 75
"""Characters of a button's label, Slack's own limit."""
IN_A_ROW = 5
ANSWER_IN_WORDS = "Answer in words…"


def asked(request: Request, question: Question, look: Look) -> Laid:
    """The question, and what each choice would change; ``cut`` where a card has no room for all of it."""
    text = shown(question.text, look.key, TEXT)
    blocks, cut, warnings = [quoted(asks(request, look), text.text)], text.cut, [*text.warnings]
    explained = [_explained(request, question, choice, look) for choice in _to_explain(request, question, look)]
    for raw in explained:
        part = shown(raw, look.key, ROOM // len(explained))
        blocks.append(section(plain(part.text)))
        cut = cut or part.cut
        warnings += part.warnings
    return Laid(blocks=(*blocks, *_guessed_in_words(question, look)), cut=cut, warnings=tuple(warnings))


def items(request: Request, question: Question, look: Look) -> tuple[Item, ...]:
    """The open question in full, for the form that shows everything."""
    choices = "\n\n".join(_explained(request, question, choice, look) for choice in question.choices)
    found = [item(asks(request, look), question.text, look.key)]
    found += [item("The answers to choose from", choices, look.key)] if choices else []
    if question.best_guess is not None and question.guessed is None:
        found.append(item("The agent's best guess", question.best_guess, look.key))
    return tuple(found)


def answers(request: Request, question: Question, look: Look) -> Iterator[Block]:
    """A button for each choice, all alike (the agent's guess must not look like the right one), and one for words."""
    found = [
        button(_label(choice, look), f"{ids.ANSWER}.{place}", _value(request, place))
        for place, choice in enumerate(question.choices)
    ]
    if question.free_text:
        found.append(button(ANSWER_IN_WORDS, ids.ANSWER_WORDS, _value(request)))
    for start in range(0, len(found), IN_A_ROW):
        yield actions(found[start : start + IN_A_ROW])
    if not request.bare:
        yield context(plain("The call as the agent proposes it:"))


def answered(request: Request, look: Look) -> tuple[Item, ...]:
    """Who answered what, or that nobody did; nothing while it is open."""
    question, answer = request.question, request.answer
    if question is None or answer is None:
        return ()
    words = in_words(question, answer)
    if not words:
        return (item(_by_whom(request, look), question.text, look.key),)
    return (item(asks(request, look), question.text, look.key), item(_by_whom(request, look), words, look.key))


def asks(request: Request, look: Look) -> str:
    """Whose words the question is."""
    if request.question is not None and request.question.rule is not None:
        return f"The policy asks, by its rule “{one_line(request.question.rule, look.key, 60)}”"
    return f"{one_line(request.requester.name, look.key, 60)} asks, in its own words"


def _by_whom(request: Request, look: Look) -> str:
    answer = request.answer
    if answer is not None and not answer.guessed:
        return f"Answered by {one_line(answer.name or answer.by, look.key, 60)}"
    guess = request.question.guess if request.question else None
    stands = "this is the agent's best guess" if guess else "the call stands as proposed"
    return f"Nobody answered; {stands}"


def _to_explain(request: Request, question: Question, look: Look) -> tuple[Choice, ...]:
    """All choices where a button can't say all there is to know about one of them."""
    said = all(
        choice.arguments is None and choice.id != question.best_guess and _label(choice, look) == _whole(choice, look)
        for choice in question.choices
    )
    return () if said else question.choices


def _explained(request: Request, question: Question, choice: Choice, look: Look) -> str:
    """A choice's label with what it would change, not yet made fit to be shown."""
    guessed = " (the agent's best guess)" if choice.id == question.best_guess else ""
    refused = ["The policy refuses the call then."] if choice.gate and choice.gate.kind is Kind.DENY else []
    return "\n".join([f"▸ {' '.join(choice.label.split())}{guessed}", *_changed(request, choice, look), *refused])


def _changed(request: Request, choice: Choice, look: Look) -> list[str]:
    if choice.arguments is None:
        return []
    return compared(request.call.arguments, choice.arguments, look) or ["Changes nothing in the call."]


def _guessed_in_words(question: Question, look: Look) -> Iterator[Block]:
    if question.best_guess is not None and question.guessed is None:
        yield section(plain(f"The agent's best guess: {one_line(question.best_guess, look.key, 300)}"))


def _label(choice: Choice, look: Look) -> str:
    return one_line(choice.label, look.key, BUTTON)


def _whole(choice: Choice, look: Look) -> str:
    return one_line(choice.label, look.key, 10 * BUTTON)


def _value(request: Request, place: int = 0) -> str:
    return str(ids.Target(request_id=request.id, revision=request.revision, page=place))
