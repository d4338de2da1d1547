"""What is stored comes back exactly: the digest of a request is computed from what the store gives back."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.calendar import Calendar, Hours
from policies.checkpoint import Act, Ladder, Step
from policies.errors import Unavailable
from policies.request import Execution, ExecutionState
from policies.review import Decision, Review, Verdict
from storage.columns import Json, UtcDateTime, canonical, micros, moment
from storage.rows import EFFECTS, REQUEST, RUN, effect_columns, effect_from
from storage.statement import DIALECT
from tests.storage.samples import LADDER, NOW, request, run

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.integers() | FINITE | st.sampled_from([1, 1.0, 0, -0.0, 1e22, 2**63, True, False])
JSON = st.recursive(
    st.none() | NUMBERS | TEXT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
)
ARGUMENTS = st.dictionaries(TEXT, JSON, max_size=5)


def exact(value: Any) -> Any:
    """``value`` with every number's type, every sign of zero and the order of keys spelled out."""
    if isinstance(value, dict):
        return [(key, exact(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return ["list", *map(exact, value)]
    return (type(value).__name__, repr(value))


@given(arguments=ARGUMENTS, proposed=ARGUMENTS, result=JSON)
def test_json_comes_back_with_its_types_and_its_order(arguments: Any, proposed: Any, result: Any) -> None:
    execution = Execution(state=ExecutionState.SUCCEEDED, at=NOW, result=result)
    stored = replace(
        request(), call=replace(request().call, arguments=arguments), proposed=proposed, execution=execution
    )
    back = REQUEST.load(REQUEST.dump(stored))
    assert back == stored
    assert back.execution is not None
    assert exact(back.call.arguments) == exact(arguments)
    assert exact(back.proposed) == exact(proposed)
    assert exact(back.execution.result) == exact(result)


@given(
    moments=st.lists(st.datetimes(timezones=st.just(UTC)), min_size=3, max_size=3),
    delay=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)),
    note=TEXT,
)
def test_times_delays_and_words_come_back_to_the_microsecond(
    moments: list[datetime], delay: timedelta, note: str
) -> None:
    hours, holiday = Hours(opens=540, closes=1440), moments[0].date()
    calendar = Calendar(name=note, zone="Europe/Berlin", days=(0, 6), hours=(hours,), holidays=(holiday,))
    ladder = Ladder(name=note, steps=(*LADDER.steps, Step(after=delay, act=Act.EXPIRE)), calendar=calendar)
    stored = replace(
        request(created_at=moments[0]),
        checkpoint=replace(request().checkpoint, ladder=ladder, permit=delay),
        reviews=(Review(by="U0ANA", name=note, verdict=Verdict.MODIFY, at=moments[1], revision=2, note=note),),
        decision=Decision(verdict="approved", by=("U0ANA", note), at=moments[2], note=note),
        joined=(request().checkpoint.reviewers,),
    )
    assert REQUEST.load(REQUEST.dump(stored)) == stored


@given(transcript=st.lists(ARGUMENTS, max_size=3))
def test_a_transcript_comes_back_exactly(transcript: list[Any]) -> None:
    stored = run(transcript=tuple(transcript))
    assert exact(list(RUN.load(RUN.dump(stored)).transcript)) == exact(transcript)


@pytest.mark.parametrize("kind", EFFECTS)
def test_every_kind_of_effect_comes_back(kind: str) -> None:
    of = EFFECTS[kind].kind
    # Those of their fields that don't hold just any text.
    bounded = {
        "number": 7,
        "what": "ended",
        "answered": True,
        "rejections": 3,
        "seconds": 600,
        "revision": 2,
        "day": NOW.date(),
        **dict.fromkeys(("since", "until", "midnight"), NOW),
    }
    effect = of(**{field.name: bounded.get(field.name, f"{field.name} ünï") for field in fields(of)})
    assert effect_from(**effect_columns(effect)) == effect


def test_numbers_that_json_lacks_are_not_silently_turned_into_null() -> None:
    stored = replace(request(), proposed={"a": float("inf"), "b": float("nan")})
    back = REQUEST.load(REQUEST.dump(stored))
    assert repr(back.proposed) == "{'a': inf, 'b': nan}"
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"a": float("nan")})


def test_what_text_cannot_hold_is_refused_and_what_is_no_request_is_not_read() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        REQUEST.dump(replace(request(), proposed={"a": "\ud800"}))
    with pytest.raises(Unavailable) as refused:
        REQUEST.load('{"id": 1}')
    assert refused.value.code == "storage_corrupt"


@given(at=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
def test_a_column_keeps_a_moment_exactly_and_in_order(at: datetime) -> None:
    back = moment(micros(at))
    assert back == at
    assert back.tzinfo is UTC
    assert micros(at) < micros(at + timedelta(microseconds=1)) if at.year < 9999 else True


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), DIALECT)


@given(value=JSON)
def test_canonical_text_is_the_same_for_the_same_value(value: Any) -> None:
    text = Json().process_bind_param({"v": value}, DIALECT)
    assert text is not None
    assert canonical(json.loads(text)) == text
    assert Json().process_result_value(text, DIALECT) == {"v": value}
