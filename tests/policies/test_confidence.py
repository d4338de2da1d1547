"""The stated confidence in a condition: compared with numbers, and with nothing else done to it."""

from __future__ import annotations

import pytest

from policies.condition import compile_condition
from policies.confidence import PLAIN, higher
from policies.errors import Faulty


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("confidence < 0.7", (0.7,)),
        ("0.25 >= confidence || confidence == 1", (0.25, 1.0)),
        ("!(confidence >= .5) && args.confidence > 7", (0.5,)),
        ("args.x ? confidence < 5e-1 : confidence != 0", (0.0, 0.5)),
        ("args.l.exists(one, one.confidence < 3 && confidence<=0.5)", (0.5,)),
        ("[confidence < 0.5, confidence > 0.6].exists(one, one)", (0.5, 0.6)),
        ("args.confidence > 7 && args.x == 'confidence * 2'", ()),
    ],
)
def test_a_plain_comparison_tells_its_number(text: str, numbers: tuple[float, ...]) -> None:
    assert compile_condition(text).thresholds == numbers


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("confidence * 2.0 < 1.2", 1),
        ("confidence < args.limit", 1),
        ("confidence < 0.7 == args.x", 1),
        ("confidence < 0.5 + 0.1", 1),
        ("-confidence < 0.5", 2),
        ("confidence in [0.5]", 1),
        ("(confidence) < 0.5", 2),
        ("dyn(confidence) < 0.5", 5),
        (".confidence * 2.0 > 1.0", 2),
        ("args.x < 1 && .confidence < 0.5", 16),
        ("string(confidence) == '0.5'", 8),
        ("{'a': confidence}['a'] < 0.5", 7),
        ("[0.5].exists(limit, confidence < limit)", 21),
        ("confidence < 0.5 && confidence == confidence", 21),
    ],
)
def test_anything_else_is_refused_where_it_stands(text: str, column: int) -> None:
    with pytest.raises(Faulty) as caught:
        compile_condition(text)
    assert caught.value.faults[0].where == f"1:{column}"
    assert caught.value.faults[0].words == PLAIN


def test_a_percentage_is_told_how_to_be_written() -> None:
    with pytest.raises(Faulty) as caught:
        compile_condition("confidence < 70")
    assert "from 0 to 1" in str(caught.value)
    assert "confidence < 0.7" in str(caught.value)


@pytest.mark.parametrize(
    ("numbers", "stated", "looks"),
    [
        ((0.7,), 0.9, ()),
        ((0.7,), 0.7, (1.0,)),
        ((0.5,), 0.3, (0.4, 0.5, 1.0)),
        ((0.2, 0.4), 0.1, (0.15000000000000002, 0.2, 0.30000000000000004, 0.4, 1.0)),
        ((1.0,), 0.5, (0.75, 1.0)),
        ((0.5,), 1.0, ()),
        ((), 0.5, ()),
    ],
)
def test_every_answer_above_the_stated_confidence_is_looked_at(
    numbers: tuple[float, ...], stated: float, looks: tuple[float, ...]
) -> None:
    assert higher(numbers, stated) == looks
