"""Block Kit is accepted and refused with Slack's limits, and the refusal points at what is wrong."""

import copy
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.blocks import ALLOWED, BLOCKS, Surface, check_blocks, text_length
from sandbox.schema import Fault, escaped_length
from sandbox.views import check_view, is_too_large
from tests.sandbox.kit_judges import Verdict, slack_sdk_says, slackblocks_says
from tests.sandbox.kit_table import ROWS, TEXT, Row, line, rich, section
from tests.sandbox.stock_app import actions, button, modal
from tests.sandbox_process import SandboxProcess

Json = dict[str, Any]
NAMES = [f"{number}-{row.surface}-{row.sent.get('type')}" for number, row in enumerate(ROWS)]
EACH = pytest.mark.parametrize("row", ROWS, ids=NAMES)


def faults_of(surface: str, sent: Any) -> list[Fault]:
    if surface == "view":
        return check_view(sent, "home" if isinstance(sent, dict) and sent.get("type") == "home" else "modal")
    found: Any = surface
    return check_blocks([sent], found)


@EACH
def test_each_row_gets_exactly_its_answer(row: Row) -> None:
    assert tuple(fault.as_slack() for fault in faults_of(row.surface, row.sent)) == row.answer


def test_the_table_is_large_and_shows_every_block_both_ways() -> None:
    assert len(ROWS) >= 120
    good = {row.sent.get("type") for row in ROWS if not row.answer}
    assert set(BLOCKS) - {"file", "input"} <= good | {"input"}
    assert set(get_args(Surface)) <= {row.surface for row in ROWS}


@EACH
def test_two_public_libraries_agree_or_the_row_says_why_not(row: Row) -> None:
    mine: Verdict = "refuses" if row.answer else "accepts"
    for verdict, reason in (
        (slack_sdk_says(row.surface, row.sent), row.sdk),
        ("unknown" if row.surface == "view" else slackblocks_says(row.surface, row.sent), row.slackblocks),
    ):
        assert (verdict not in (mine, "unknown")) == bool(reason), (verdict, reason)


def test_both_libraries_know_most_of_the_table() -> None:
    blocks = [row for row in ROWS if row.surface != "view"]
    for judge in (slack_sdk_says, slackblocks_says):
        known = [row for row in blocks if judge(row.surface, row.sent) != "unknown"]
        assert len(known) > len(blocks) * 3 / 4


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    return [*([path] if path else []), *(place for key, entry in inner for place in _places(entry, (*path, key)))]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_malformed_block_ever_breaks_the_check(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from([row for row in ROWS if row.surface != "view"]))
    sent = copy.deepcopy(row.sent)
    *path, last = data.draw(st.sampled_from(_places(sent)))
    place: Any = sent
    for key in path:
        place = place[key]
    place[last] = data.draw(ANYTHING)
    assert all(isinstance(fault, Fault) for fault in faults_of(row.surface, sent))


@given(st.text(alphabet="ab<>&;@| lgtmp", max_size=40))
def test_the_counted_length_is_never_less_than_what_was_sent_nor_more_than_all_entities(text: str) -> None:
    everything = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for marks in (True, False):
        assert len(text) <= escaped_length(text, marks=marks) <= len(everything)


@pytest.mark.parametrize(
    ("text", "marks", "length"),
    [
        *[("a & b", True, 9), ("a &amp; b", True, 9), ("&nbsp;", True, 10), ("1 < 2", True, 8), ("<@U1>", True, 5)],
        *[("<@U1>", False, 11), ("<https://e.com|x & y>", True, 25), ("a > b", True, 8), ("&lt;", False, 4)],
    ],
)
def test_the_escaped_length_counts(text: str, marks: bool, length: int) -> None:
    assert escaped_length(text, marks=marks) == length


async def test_the_answer_over_the_wire_is_the_tables(sandbox: SandboxProcess) -> None:
    for row in [row for row in ROWS if row.surface == "message" and row.answer][:5]:
        answer = await sandbox.api("chat.postMessage", {"channel": "C0GENERAL", "text": "x", "blocks": [row.sent]})
        assert (answer["error"], tuple(answer["response_metadata"]["messages"])) == ("invalid_blocks", row.answer)


def test_a_message_holds_fifty_blocks_and_a_view_a_hundred() -> None:
    assert check_blocks([section()] * 50, "message") == []
    assert [fault.words for fault in check_blocks([section()] * 51, "message")] == ["no more than 50 items allowed"]
    assert check_blocks([section()] * 100, "modal") == []
    assert check_blocks([section()] * 101, "modal")


def test_a_block_id_may_stand_once_also_inside_other_blocks() -> None:
    twice = [section(block_id="b"), section(block_id="b")]
    assert [fault.pointer for fault in check_blocks(twice, "message")] == ["/blocks/1/block_id"]
    inside = {
        "type": "container",
        "title": {"type": "plain_text", "text": "t"},
        "child_blocks": [section(block_id="b")],
    }
    assert check_blocks([section(block_id="b"), inside], "message")


def test_the_same_action_id_may_stand_in_two_blocks() -> None:
    assert check_blocks([actions(button("a"), block_id="1"), actions(button("a"), block_id="2")], "message") == []


def test_text_is_counted_over_all_blocks() -> None:
    assert text_length([section("12345"), rich(line(TEXT, TEXT)), actions(button("ab"))]) == 5 + 2 + 2


def test_every_surface_names_only_blocks_that_exist() -> None:
    assert all(set(names) <= set(BLOCKS) for names in ALLOWED.values())


def test_a_view_above_a_quarter_megabyte_is_too_large() -> None:
    assert is_too_large(modal(*[section("x" * 3000)] * 90))
    assert not is_too_large(modal(*[section("x" * 3000)] * 80))
