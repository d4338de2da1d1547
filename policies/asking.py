"""Which question comes before a call: the agent's own, else the policy's; each outcome judged before it is asked.

The agent's question is always asked first, whatever the rules say. What each answer leads to is judged when the
question is opened and frozen with it, so that an answer never finds an easier gate than its call had when it was asked
for (time has gone by, and the call counts as a recent one by then).
"""

from __future__ import annotations

from dataclasses import replace

from policies.checkpoint import Checkpoint, Clarify, Kind
from policies.judgement import Facts, held_for_people, judge
from policies.policy import Policy, proceeds
from policies.question import Choice, Question
from policies.request import Submission

PLAIN = "Is this what was meant?"
GO_ON = "Go on as proposed"
NO_ANSWER = "it can't be undone, and nobody answered"
IN_WORDS = "it was answered in words, and those may say no"


def question_before(policy: Policy, submission: Submission, facts: Facts, gate: Checkpoint) -> Question | None:
    """The question that comes before ``gate``, with the gate that each answer leads to; None where nothing is asked."""
    asked = submission.question or (_of_policy(gate.clarify) if gate.clarify else None)
    if asked is None or gate.kind is Kind.DENY:
        return None
    asked = replace(asked, ladder=gate.clarify.ladder if gate.clarify else policy.asking)
    if submission.bare:
        return asked
    asked = replace(asked, choices=tuple(_judged(policy, submission, facts, choice) for choice in asked.choices))
    guessed = asked.guessed.gate if asked.guessed else None
    on_silence = _on_silence(policy, submission.call.tool, guessed or gate)
    return replace(asked, on_silence=on_silence, on_words=_on_words(policy, gate) if asked.free_text else None)


def bare_gate(policy: Policy) -> Checkpoint:
    """Who may answer a question without a call: the people of the policy's default. Nothing waits behind it."""
    return replace(
        policy.default.gate,
        kind=Kind.HARD,
        rule="question",
        reason="question: the agent asks, and no call waits for the answer",
        quorum=1,
        phrase=None,
    )


def _of_policy(clarify: Clarify) -> Question:
    labels = clarify.choices or (GO_ON,)
    choices = tuple(Choice(id=str(number), label=label) for number, label in enumerate(labels, 1))
    return Question(text=clarify.question or PLAIN, choices=choices, rule=clarify.rule)


def _judged(policy: Policy, submission: Submission, facts: Facts, choice: Choice) -> Choice:
    if choice.arguments is None:
        return choice
    call = replace(submission.call, arguments=choice.arguments)
    return replace(choice, gate=judge(policy, replace(submission, call=call), facts))


def _on_silence(policy: Policy, tool: str, gate: Checkpoint) -> Checkpoint:
    """The gate of what nobody answered: people look at it where it can't be undone."""
    return held_for_people(gate, policy, NO_ANSWER) if policy.irreversible(tool) else gate


def _on_words(policy: Policy, gate: Checkpoint) -> Checkpoint:
    """The gate after an answer in words: nothing tells "yes" from "no, the other one", so nothing goes by itself."""
    goes = gate.kind is Kind.ALLOW or proceeds(gate.ladder)
    return held_for_people(gate, policy, IN_WORDS) if goes else gate
