"""What AAP's clients send comes back JSON-equal from the store, digit by digit, or is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from agentapprovalprotocol._wire import loads, matches, parse_request
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.api.aap.asks import SubmissionBody
from bot.api.aap.bodies import answer
from bot.api.aap.shows import shown
from bot.api.bodies import body_as
from bot.naming import new_id
from policies.arguments import parse
from policies.errors import Invalid
from policies.events import Edit, Reviewed
from policies.lifecycle import apply, open_request
from policies.people import Person, Standing
from policies.purging import blanked
from policies.request import Request
from policies.review import Verdict
from storage.rows import REQUEST
from tests.storage.samples import NOW, WORKSPACE, request

AT_ALL = {
    "tool": "t",
    "server": "s",
    "arguments": {"iban": "DE00"},
    "timeout": "1h",
    "agent_reasoning": "Mara Holm",
    "context": {"call_id": "Mara Holm"},
}


def test_what_was_purged_is_still_a_request_of_the_protocol_without_anybodys_words() -> None:
    opened = opened_by(json.dumps(AT_ALL))
    edit = Edit(arguments={"iban": "DE01"}, checkpoint=opened.checkpoint)
    for event in (reviewed(Verdict.REJECT, note="Mara"), reviewed(Verdict.MODIFY, edit=edit)):
        over = apply(opened, event, NOW).request
        assert "Mara" in json.dumps(shown(over))
        purged = json.dumps(shown(blanked(over, NOW + timedelta(days=1), NOW + timedelta(days=1)).request))
        assert parse_request(loads(purged)).status == "denied"
        assert "Mara" not in purged
        assert "DE0" not in purged


def reviewed(verdict: Verdict, **more: Any) -> Reviewed:
    ana = Person(id="U0ANA", name="Ana", standing=Standing.MEMBER, looked_up_at=NOW)
    return Reviewed(person=ana, verdict=verdict, revision=1, **more)


numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def opened_by(text: str) -> Request:
    """The request that a submission of this text makes. Raises ``Invalid`` where it isn't taken."""
    like = request()
    submission = body_as(SubmissionBody, parse(text.encode(), exact=True)).submission()
    opened = open_request(
        submission,
        like.checkpoint,
        request_id=new_id("req"),
        workspace_id=WORKSPACE,
        requester=like.requester,
        policy_digest=like.policy_digest,
        now=NOW,
    )
    return opened.request


def stored_and_shown(text: str) -> bytes:
    """What AAP shows of a submission once it has been in the store. Raises ``Invalid`` where it isn't taken."""
    body = answer(shown(REQUEST.load(REQUEST.dump(opened_by(text))))).body
    assert isinstance(body, bytes)
    return body


@settings(max_examples=50)
@given(arguments=st.dictionaries(texts, values, max_size=5), context=st.dictionaries(texts, values, max_size=3))
def test_arguments_and_context_come_back_json_equal(arguments: dict[str, Any], context: dict[str, Any]) -> None:
    sent = json.dumps({"tool": "t", "arguments": arguments, "timeout": "1h", "context": context})
    assert matches(parse_request(loads(stored_and_shown(sent))), loads(sent))


literals = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)


@settings(max_examples=80)
@given(literal=literals)
@example(literal="0.1")
@example(literal="1.10")
@example(literal="0.1000000000000000055511151231257827")
@example(literal="1e-400")
@example(literal="9007199254740993")
@example(literal="9007199254740993.0")
def test_a_number_comes_back_with_its_digits_or_not_at_all(literal: str) -> None:
    try:
        shown = stored_and_shown(f'{{"tool": "t", "arguments": {{"n": {literal}}}, "timeout": "1h"}}')
    except Invalid:
        return
    found = loads(shown)["arguments"]["n"]
    assert Decimal(found) == Decimal(literal)


@pytest.mark.parametrize("literal", ["0.1", "1.10", "49.90", "1e3", "-0.0", "0.30000000000000004", "5e-324", "100"])
def test_numbers_as_programs_write_them_are_taken(literal: str) -> None:
    assert stored_and_shown(f'{{"tool": "t", "arguments": {{"n": {literal}}}, "timeout": "1h"}}')
