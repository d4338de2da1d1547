"""Table tests of a policy: what is read, what is refused with its place, and what a failing case says."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from policies.cases import Trial, load_cases, try_case
from policies.errors import Faulty, Invalid
from policies.loader import load
from policies.proportion import Proportion
from policies.written_call import read_call

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
POLICY = load(
    """
version: 1
reviewers:
  support: {users: [U0ANA, U0BEN]}
  finance: {users: [U0FAY, U0FRED]}
ladders: {standard: [{after: 2h, then: expire}]}
rules:
  - {name: reads, match: "read_*", checkpoint: allow}
  - {name: large, match: pay, when: args.amount > 10.5, checkpoint: manual, confirm: args.payee, reviewers: finance}
  - {name: late, match: ring, when: "now.getHours('UTC') >= 20", checkpoint: deny}
  - {name: both, match: wire, checkpoint: hard, quorum: {support: 1, finance: 1}}
  - {name: rush, match: send, when: recent.tool_count("60m") > 5 || recent.count("10m") > 1, checkpoint: deny}
  - {name: first, match: send, when: recent.first_use, checkpoint: hard, quorum: 2}
  - {name: often, match: mail, when: recent.tool_hour > 2 || agent == 'newcomer', checkpoint: hard, quorum: 2}
  - {name: real, match: move, when: environment == 'production', checkpoint: deny}
  - {name: unsure, when: confidence < 0.7, checkpoint: hard}
default: {checkpoint: hard, reviewers: support, ladder: standard}
""",
    source="p.yml",
)


def trials(text: str) -> list[Trial]:
    cases = load_cases(text, source="c.yml", policy=POLICY, now=NOW)
    return [try_case(POLICY, case) for case in cases]


def faults(text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        load_cases(text, source="c.yml", policy=POLICY, now=NOW)
    return [str(fault) for fault in caught.value.faults]


def test_everything_that_a_case_may_say_counts() -> None:
    found = trials(
        """
- name: a
  tool: pay
  arguments: {amount: 10.51, payee: Nord}
  expect: {checkpoint: manual, rule: large, quorum: 2, reviewers: finance, phrase: Nord}
- {name: b, tool: pay, arguments: {amount: 10.5, payee: null}, expect: {checkpoint: hard, rule: default}}
- {name: c, tool: read_x, confidence: 0.5, expect: {checkpoint: hard, rule: unsure}}
- {name: d, tool: ring, at: "2026-11-23T21:30+02:00", expect: {checkpoint: hard}}
- {name: e, tool: ring, at: "2026-11-23T20:00:00Z", expect: {checkpoint: deny, rule: late}}
- {name: f, tool: mail, recent: {tool_hour: 3}, expect: {checkpoint: hard, rule: often, quorum: 2}}
- {name: g, tool: mail, agent: newcomer, expect: {checkpoint: hard, rule: often}}
- {name: h, tool: mail, expect: {checkpoint: hard, rule: default, quorum: 1, reviewers: support}}
"""
    )
    assert [(trial.case.name, trial.misses) for trial in found if trial.misses] == []
    assert len(found) == 8


def test_a_count_may_be_said_in_the_words_of_the_policy_or_its_own() -> None:
    found = trials(
        """
- {name: a, tool: send, expect: {checkpoint: hard, rule: first, quorum: 2}}
- {name: b, tool: send, recent: {first_use: false}, expect: {checkpoint: hard, rule: default, quorum: 1}}
- {name: c, tool: send, recent: {tool_hour: 6}, expect: {checkpoint: deny, rule: rush}}
- {name: d, tool: send, recent: {"tool_count(60m)": 6}, expect: {checkpoint: deny, rule: rush}}
- {name: e, tool: send, recent: {count(600s): 2}, expect: {checkpoint: deny, rule: rush}}
- {name: f, tool: send, recent: {hour: 9}, expect: {checkpoint: hard, rule: first}}
"""
    )
    assert [(trial.case.name, trial.misses) for trial in found if trial.misses] == []


def test_a_case_says_its_own_environment_and_else_stands_where_the_author_does() -> None:
    text = """
- {name: a, tool: move, expect: {checkpoint: hard}}
- {name: b, tool: move, environment: production, expect: {checkpoint: deny}}
- {name: c, tool: move, environment: "", expect: {checkpoint: hard}}
"""
    assert [trial.case.name for trial in trials(text) if trial.misses] == []
    there = load_cases(text, source="c.yml", policy=POLICY, now=NOW, environment="production")
    assert [case.name for case in there if try_case(POLICY, case).misses] == ["a"]


def test_a_quorum_of_groups_may_be_expected_as_such() -> None:
    found = trials(
        """
- {name: a, tool: wire, expect: {checkpoint: hard, quorum: {support: 1, finance: 1}, reviewers: support and finance}}
- {name: b, tool: wire, expect: {checkpoint: hard, quorum: 2}}
- {name: c, tool: wire, expect: {checkpoint: hard, quorum: {support: 2}}}
- {name: d, tool: new, expect: {checkpoint: hard, quorum: {support: 1}}}
"""
    )
    assert [(trial.case.name, miss.actual) for trial in found for miss in trial.misses] == [
        ("c", "{'support': 1, 'finance': 1}")
    ]


def test_a_failing_case_says_every_difference() -> None:
    text = "- {name: a, tool: pay, arguments: {amount: 9, payee: Nord}, expect: {checkpoint: manual, rule: large, "
    text += "quorum: 2, reviewers: finance, phrase: Nord}}"
    (found,) = trials(text)
    assert [(miss.what, miss.expected, miss.actual) for miss in found.misses] == [
        ("checkpoint", "manual", "hard"),
        ("rule", "large", "default"),
        ("quorum", "2", "1"),
        ("reviewers", "finance", "support"),
        ("phrase", "Nord", "none"),
    ]
    assert found.case.where == "c.yml:1:3"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "c.yml:1:1: No case stands here"),
        ("# nothing\n", "c.yml:1:1: No case stands here"),
        ("tool: pay\n", "c.yml:1:1: No case stands here"),
        ("- a\n", "c.yml:1:3: Write tool: NAME"),
        ("- {name: a, tool: pay, expect: {checkpoint: hard\n", "c.yml:2:1: This is no YAML"),
        ("- {tool: pay, expect: {checkpoint: hard}}\n", "c.yml:1:3: name is missing"),
        ("- {name: a, tool: pay, expct: {}, expect: {checkpoint: hard}}\n", "c.yml:1:24: There is no key 'expct' here"),
        ("- {name: a, tool: pay, expect: {checkpoint: hard, quorm: 1}}\n", "did you mean quorum?"),
        ("- {name: a, tool: pay, expect: {checkpoint: strict}}\n", "c.yml:1:45: This must be 'allow'"),
        (
            "- {name: a, tool: pay, expect: {checkpoint: hard, rule: lage}}\n",
            "c.yml:1:57: The policy has no rule called",
        ),
        ("- {name: a, tool: pay, expect: {checkpoint: hard, reviewers: finanse}}\n", "did you mean finance?"),
        ("- {name: a, tool: pay, expect: {checkpoint: allow, quorum: 1}}\n", "waits for nobody"),
        ("- {name: a, tool: pay, expect: {checkpoint: hard, phrase: x}}\n", "Only a manual"),
        ("- {name: a, tool: ring, expect: {checkpoint: hard}}\n", "looks at the time, so say it"),
        ("- {name: a, tool: pay, at: noon, expect: {checkpoint: hard}}\n", "with its zone"),
        ('- {name: a, tool: pay, at: "2026-11-23T09:30:00", expect: {checkpoint: hard}}\n', "with its zone"),
        ("- {name: a, tool: pay, confidence: 2, expect: {checkpoint: hard}}\n", "less than or equal to 1"),
        ("- {name: a, tool: pay, recent: {minute: 2}, expect: {checkpoint: hard}}\n", "There is no count 'minute'"),
        ("- {name: a, tool: pay, arguments: {amount: .nan}, expect: {checkpoint: hard}}\n", "JSON has no such value"),
        ("- {name: a, tool: pay, arguments: {amount: 9007199254740993}, expect: {checkpoint: hard}}\n", "/amount"),
        ("- {name: a, tool: pay, arguments: {a: 1, a: 2}, expect: {checkpoint: hard}}\n", "a stands here twice"),
        ("- {name: a, tool: pay, arguments: &x {a: 1}, expect: {checkpoint: hard}}\n", "Anchors"),
        ("- {name: a, tool: pay, arguments: {1: 1}, expect: {checkpoint: hard}}\n", "c.yml:1:36: A key must be"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    said = faults(text)
    assert len(said) == 1
    assert told in said[0]


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    said = faults("- {name: a, tool: pay, expect: {}}\n- {name: b, expect: {checkpoint: hard}}\n- {name: c, tool: 1}\n")
    assert [one.split(" ")[0] for one in said] == ["c.yml:1:32:", "c.yml:2:3:", "c.yml:3:3:", "c.yml:3:19:"]


def test_two_cases_of_one_name_are_refused() -> None:
    one = "- {name: a, tool: pay, expect: {checkpoint: hard}}\n"
    assert "c.yml:2:10: The name 'a' is taken" in faults(one + one)[0]


def test_a_folded_text_is_one_line() -> None:
    (found,) = trials(
        "- name: a\n  tool: pay\n  arguments: {amount: 11}\n  context: >-\n    b\n    c\n"
        "  expect: {checkpoint: manual}\n"
    )
    assert found.case.call.submission.context == "b c"


def test_a_written_call_keeps_what_it_says() -> None:
    call = read_call({"tool": "pay", "arguments": {"a": [1, None]}, "at": "2026-11-23T10:30:00+01:00"}, POLICY, now=NOW)
    assert call.submission.call.arguments == {"a": [1, None]}
    assert (call.facts.now, call.facts.agent) == (NOW, "an agent")
    with pytest.raises(Invalid, match="did you mean agent"):
        read_call({"tool": "pay", "agnt": "x"}, POLICY, now=NOW)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(codec="ascii", categories=("L", "N", "Zs"))),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(arguments=st.dictionaries(st.text("abc", min_size=1, max_size=3), JSON, max_size=3))
def test_arguments_written_as_yaml_are_the_json_they_mean(arguments: dict[str, object]) -> None:
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(
        [{"name": "x", "tool": "read_x", "arguments": arguments, "expect": {"checkpoint": "allow"}}], text
    )
    if "&id" not in text.getvalue():
        (found,) = trials(text.getvalue())
        assert found.case.call.submission.call.arguments == arguments


@given(of=st.integers(0, 5_000), data=st.data())
def test_an_interval_holds_its_share_and_narrows_with_the_number(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    low, high = Proportion(count=count, of=of).interval
    assert 0 <= low <= Proportion(count=count, of=of).share <= high <= 1
    wider = Proportion(count=count * 10, of=of * 10).interval
    assert wider[1] - wider[0] <= high - low + 1e-12


def test_the_interval_is_wilsons() -> None:
    """Reference values: Wilson's score interval for 10 of 10 and 81 of 263 (Newcombe 1998, method 3)."""
    assert Proportion(count=10, of=10).interval[0] == pytest.approx(0.7225, abs=5e-5)
    assert Proportion(count=81, of=263).interval == pytest.approx((0.2553, 0.3662), abs=5e-5)
