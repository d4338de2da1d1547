"""Reading a policy file: every fault at once, each with its place in the file and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.document import LARGEST
from policies.errors import Faulty
from policies.loader import load
from policies.picture import point_at

EXAMPLE = (Path(__file__).parents[2] / "policies/examples/everything.yml").read_text(encoding="utf-8")

GOOD = """
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA, ben@example.com]}
  seniors: {users: [U0SAM]}
  staff: {usergroups: [S0STAFF]}
ladders:
  standard: [{after: 10m, remind: true}, {after: 2h, then: expire}]
  pause: [{after: 5m, then: proceed}]
tools:
  wipe: {reversible: false, impact: high}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        load(text, source="p.yml")
    return [str(fault) for fault in caught.value.faults]


def ruled(*rules: str) -> str:
    return GOOD + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules)


@pytest.mark.parametrize(
    ("rule", "column", "words"),
    [
        ("{name: r, match: x}", 5, "checkpoint is missing"),
        ("{match: x, checkpoint: hard}", 5, "name is missing"),
        ("{name: r, checkpoint: hard}", 5, "neither match nor when"),
        ("{name: r, match: x, checkpoint: hrd}", 37, "did you mean hard?"),
        ("{name: r, match: x, checkpoint: hard, lader: standard}", 43, "did you mean ladder?"),
        ("{name: r, match: x, checkpoint: [hard]}", 37, "write 'allow', 'soft'"),
        ("{name: r, match: [x, 3], checkpoint: hard}", 26, "put it in quotes"),
        ("{name: r, match: [], checkpoint: hard}", 22, "at least 1 item"),
        ("{name: r, match: 'a b', checkpoint: hard}", 22, "one word"),
        ("{name: r, match: x, checkpoint: hard, reviewers: suport}", 54, "did you mean support?"),
        ("{name: r, match: x, checkpoint: hard, ladder: standart}", 51, "did you mean standard?"),
        ("{name: r, match: x, checkpoint: hard, ladder: pause}", 51, "must end with then: expire"),
        ("{name: r, match: x, checkpoint: manual, ladder: pause}", 53, "must end with then: expire"),
        ("{name: r, match: x, checkpoint: soft}", 5, "then: proceed"),
        ("{name: r, match: x, checkpoint: hard, confirm: args.a}", 43, "Only a manual checkpoint"),
        ("{name: r, match: x, checkpoint: manual, confirm: context}", 54, "must not read context"),
        ("{name: r, match: x, checkpoint: hard, quorum: 3}", 51, "3 approvals are needed, but only 2 people are named"),
        ("{name: r, match: x, checkpoint: manual, reviewers: seniors}", 5, "2 approvals are needed"),
        ("{name: r, match: x, checkpoint: hard, quorum: 0}", 51, "Write at least 1 here"),
        ("{name: r, match: x, checkpoint: hard, quorum: '2'}", 51, "whole number"),
        ("{name: r, match: x, checkpoint: manual, self_approval: true}", 45, "remove self_approval"),
        ("{name: r, match: x, checkpoint: soft, ladder: pause, batch: true}", 58, "go ahead by itself; remove batch"),
        ("{name: r, match: x, checkpoint: inbox, batch: true}", 44, "never approved together behind an inbox"),
        ("{name: r, match: x, checkpoint: manual, batch: true}", 45, "never approved together behind a manual"),
        ("{name: r, match: x, checkpoint: hard, quorum: 2, batch: true}", 54, "where more than one person"),
        ("{name: r, match: x, checkpoint: hard, required_by: SOX, batch: true}", 61, "where a regulation"),
        ("{name: r, match: wipe, checkpoint: hard, batch: true}", 46, "that are irreversible or have a high impact"),
        ("{name: r, match: x, checkpoint: deny, batch: true}", 43, "waits for nobody"),
        ("{name: r, match: x, clarify: true, batch: true}", 40, "batch means nothing here"),
        ("{name: r, match: x, checkpoint: hard, batch: all}", 50, "true or false"),
        ("{name: r, match: x, checkpoint: hard, permit: 10 minutes}", 51, "1h30m"),
        ("{name: r, match: x, checkpoint: hard, permit: 600}", 51, "1h30m"),
        ("{name: r, match: x, checkpoint: allow, reviewers: support}", 44, "waits for nobody"),
        ("{name: r, match: x, checkpoint: deny, permit: 5m}", 43, "waits for nobody"),
        ("{name: r, match: x, checkpoint: clarify}", 37, "write clarify: true"),
        ("{name: r, match: x, clarify: false}", 34, "Write clarify: true, the question itself"),
        ("{name: r, match: x, clarify: ''}", 34, "at least 1 character"),
        ("{name: r, match: x, clarify: {question: Who?, choises: [a]}}", 51, "did you mean choices?"),
        ("{name: r, match: x, clarify: {choices: []}}", 44, "at least 1 item"),
        ("{name: r, match: x, clarify: {choices: [a, a]}}", 44, "read the same"),
        ("{name: r, match: x, clarify: {ladder: standart}}", 43, "did you mean standard?"),
        ("{name: r, match: x, clarify: true, quorum: 2}", 40, "This rule only asks"),
        ("{name: r, match: x, checkpoint: hard, grants: {most_: 1}}", 52, "no key 'most_' here; did you mean most?"),
        ("{name: r, match: x, checkpoint: hard, grants: true}", 51, "Write grants: false, or bounds such as"),
        ("{name: r, match: x, checkpoint: hard, grants: {}}", 51, "Say how far: longest, most or both"),
        ("{name: r, match: x, checkpoint: hard, grants: {longest: 9h}}", 61, "A grant lasts at most 8 hours"),
        ("{name: r, match: x, checkpoint: hard, grants: {most: 51}}", 58, "Write at most 50 here"),
        ("{name: r, match: x, checkpoint: allow, grants: false}", 44, "waits for nobody"),
        ("{name: r, match: x, checkpoint: manual, grants: false}", 45, "behind a manual checkpoint, so grants means"),
        ("{name: r, match: x, checkpoint: hard, quorum: 2, grants: false}", 54, "more than one person must approve"),
        ("{name: r, match: x, checkpoint: hard, required_by: A, grants: {most: 5}}", 59, "a regulation asks for"),
        ("{name: r, match: wipe, checkpoint: hard, grants: {most: 5}}", 46, "are irreversible with a high impact"),
        ("{name: r, match: wipe, checkpoint: soft, ladder: pause}", 40, "wipe is irreversible"),
        ("{name: r, match: 'w*', checkpoint: inbox, ladder: pause}", 40, "wipe is irreversible"),
        ("{name: default, match: x, checkpoint: hard}", 12, "is taken"),
        ("{name: r, match: x, checkpoint: hard, when: tol == 'x'}", 49, "did you mean tool?"),
        ("{name: r, match: x, checkpoint: hard, when: \"tool == 'x' && tol\"}", 65, "did you mean tool?"),
        ("{name: r, match: x, checkpoint: hard, when: args.a + 'x'}", 49, "must be true or false"),
        ("{name: r, match: x, checkpoint: hard, when: true}", 49, "Write a text here"),
        ("{name: r, match: *, checkpoint: hard}", 22, "needs quotes"),
        ("{name: r, match: x, checkpoint: hard, required_by:}", 55, "Nothing stands here"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_a_fault_at_its_place(rule: str, column: int, words: str) -> None:
    line = GOOD.count("\n") + 2
    found = faults(ruled(rule))
    assert len(found) == 1, found
    assert found[0].startswith(f"p.yml:{line}:{column}: ")
    assert words in found[0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 1", "version: 2", "p.yml:2:10: This Signoff reads policies of version 1"),
        ("version: 1\n", "", "p.yml:2:1: version is missing"),
        ("reviewers:\n", "reviewer:\n", "p.yml:3:1: There is no key 'reviewer' here; did you mean reviewers?"),
        ("U0ANA,", '"@ana",', "p.yml:4:44: '@ana' is a handle, which its owner can change"),
        ("U0ANA,", "@ana,", "p.yml:4:44: People can't be named by a handle"),
        ("U0ANA,", "ana,", "p.yml:4:44: 'ana' is a handle"),
        (
            "{channel",
            '{members: ["#back"], channel',
            """p.yml:4:23: '#back' is no channel's id; members are those of a""",
        ),
        ("{channel", "{outsiders: [max@example.com], channel", "p.yml:4:25: 'max@example.com' is no user id; guests"),
        ("S0STAFF", "U0STAFF", "p.yml:6:24: 'U0STAFF' is no user group's id"),
        ('"#approvals"', "#approvals", "p.yml:4:22: From # on this is a comment"),
        ('"#approvals"', "approvals", "p.yml:4:22: 'approvals' is no channel"),
        ('"#approvals"', "D0ANA", "p.yml:4:22: 'D0ANA' is no channel"),
        ("  seniors:", "  support:", "p.yml:5:3: support stands here twice, first in line 4"),
        ("{after: 2h, then: expire}", "{after: 2h, remind: true}", "p.yml:8:42: Every ladder ends"),
        (
            "{after: 2h, then: expire}",
            "{after: 5m, then: expire}",
            "p.yml:8:50: A step must come later than the one before",
        ),
        ("{after: 10m, remind: true}", "{after: 10m, then: expire}", "p.yml:8:14: The ladder ends here"),
        ("remind: true", "remind: true, add: seniors", "p.yml:8:14: A step does exactly one thing"),
        ("remind: true", "add: senior", "p.yml:8:32: There is no group of reviewers called 'senior'"),
        ("remind: true", "remind: no", "p.yml:8:35: 'no' is not possible here; write true"),
        ("[{after: 5m, then: proceed}]", "[]", "p.yml:9:10: "),
        ("reversible: false", "reversible: 0", "p.yml:11:22: Write true or false here, without quotes."),
        ("impact: high", "impact: huge", "p.yml:11:37: 'huge' is not possible here; write 'low', 'medium' or 'high'"),
        (
            "impact: high",
            'impact: high, title: "Wipe {what"',
            "p.yml:11:50: A title is one line with arguments",
        ),
        (
            "impact: high",
            "impact: high, show: {x: euro}",
            "p.yml:11:53: 'euro' is no way to show an argument",
        ),
        (
            "impact: high",
            "impact: high, show: {x: money}",
            "p.yml:11:53: Money is shown in a currency",
        ),
        ("wipe:", '"wipe*":', "p.yml:11:3: The catalogue names single tools"),
        ("checkpoint: hard", "checkpoint: allow", "p.yml:12:23: What no rule knows is held or refused"),
        ("ladder: standard}", "ladder: pause}", "p.yml:12:57: Silence never lets a hard call go ahead"),
        (
            "tools:",
            "agents: {start: [everyone]}\ntools:",
            "p.yml:10:18: There is no group of reviewers called 'everyone'",
        ),
        ("[U0ANA, ben@example.com]", "&people [U0ANA]", "p.yml:4:43: Anchors and aliases are not accepted"),
        ("{users: [U0SAM]}", "{<<: {users: [U0SAM]}}", "p.yml:5:13: A key must be a plain text"),
        ("U0SAM", "!!str U0SAM", None),
        ("U0SAM", "!secret U0SAM", "p.yml:5:21: A text that begins with ! needs quotes"),
    ],
)
def test_what_is_wrong_elsewhere_is_a_fault_at_its_place(old: str, new: str, words: str | None) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    if words is None:
        load(text, source="p.yml")
    else:
        assert faults(text)[0].startswith(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The policy is empty"),
        ("# nothing\n", "The policy is empty"),
        ("[1]", "Write keys and values here"),
        ("a: [1", "This is no YAML"),
        ("a: 1\n b: 2", "the indentation of this line is off"),
        ("a: 'x", "This is no YAML"),
        ("a: \x00", "This is no YAML text"),
        ("--- 1\n--- 2", "This is no YAML"),
        ("a: {" * 3000, "nested too deeply"),
        ("a: " + "x" * LARGEST, "larger than 256 kB"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]", "version is missing"),
    ],
)
def test_what_is_no_policy_at_all_is_one_clear_fault(text: str, words: str) -> None:
    found = faults(text)
    assert words in found[0]
    assert found[0].startswith("p.yml:1:") or "\n" in text


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    text = dedent(
        """
        version: 3
        reviewers: {support: {users: [ana]}}
        ladders: {a: [{after: 5m, remind: true}]}
        rules:
          - {name: one, match: x, checkpoint: maybe, when: tol == 1}
          - {name: two, match: x, checkpoint: hard, reviewers: nobody, ladder: b, confirm: args.x}
        default: {checkpoint: allow}
        """
    )
    lines = [int(fault.split(":")[1]) for fault in faults(text)]
    assert lines == [2, 3, 4, 6, 6, 7, 7, 7, 8]


def test_a_strict_rule_before_an_irreversible_tool_frees_the_wide_soft_one() -> None:
    soft = "{name: wide, match: '*', checkpoint: soft, ladder: pause}"
    assert "wipe is irreversible" in faults(ruled(soft))[0]
    load(ruled(soft, "{name: wipes, match: wipe, checkpoint: manual}"), source="p.yml")
    conditional = "{name: wipes, match: wipe, checkpoint: manual, when: args.all}"
    assert "wipe is irreversible" in faults(ruled(soft, conditional))[0]


def test_what_a_rule_leaves_out_comes_from_the_default() -> None:
    gate = load(ruled("{name: r, match: x, checkpoint: manual}"), source="p.yml").rules[0].gate
    assert (gate.reviewers.name, gate.ladder.name, gate.quorum) == ("support", "standard", 2)
    assert gate.permit.total_seconds() == 900


def test_people_who_join_later_count_for_the_quorum() -> None:
    text = GOOD.replace("remind: true", "add: seniors")
    load(text + "rules: [{name: r, match: x, checkpoint: hard, quorum: 3}]\n", source="p.yml")
    load(ruled("{name: r, match: x, checkpoint: hard, quorum: 9, reviewers: staff}"), source="p.yml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("users: [U0SAM]", "users: []"), "p.yml:5:12: The group seniors names nobody"),
        (GOOD.replace("reviewers: support, ", ""), "p.yml:12:10: The default has no reviewers: nobody may decide"),
        (
            ruled(
                "{name: a, match: 'x*', checkpoint: hard}",
                "{name: b, match: xy, checkpoint: hard, reviewers: seniors}",
            ),
            "p.yml:15:5: Where this rule and 'a' both match, 'a' wins",
        ),
        (
            ruled(
                "{name: a, match: xy, checkpoint: hard, quorum: 2}",
                "{name: b, match: xy, checkpoint: manual, quorum: 1, reviewers: seniors}",
            ),
            "p.yml:15:5: Where 'a' matches too, it asks for 2 approvals",
        ),
        (
            ruled("{name: a, match: wiped, checkpoint: hard}"),
            "p.yml:14:22: wiped is not in the catalogue; did you mean wipe?",
        ),
        (
            ruled("{name: a, when: confidence > 0.9, checkpoint: allow}"),
            "p.yml:14:5: This rule reads the agent's own words",
        ),
        (GOOD.replace("support, ladder", "seniors, ladder"), "p.yml:11:9: wipe needs 2 approvals by the catalogue"),
    ],
)
def test_what_surprises_is_a_warning_and_still_loads(text: str, words: str) -> None:
    assert any(str(warning).startswith(words) for warning in load(text, source="p.yml").warnings)


def test_a_policy_without_surprises_has_no_warnings() -> None:
    assert load(GOOD, source="p.yml").warnings == ()
    assert load(EXAMPLE, source="p.yml").warnings == ()


def test_the_caret_stands_under_the_place_of_the_fault() -> None:
    text = ruled("{name: r, match: x, checkpoint: hard, when: tol == 'x'}")
    where = faults(text)[0].partition(": ")[0]
    line, caret = point_at(text, where).split("\n")
    assert line[caret.index("^") :].startswith("tol == 'x'")


PIECES = [
    "\n",
    " ",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "*",
    "&a ",
    "'",
    '"',
    "#",
    "x",
    "1",
    "null",
    "true",
    "\t",
    "|\n",
    "é",
]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_fault_of_any_text_stands_inside_the_file(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([GOOD, EXAMPLE, ruled("{name: r, match: x, checkpoint: hard, when: args.x > 1}")]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(st.sampled_from([*PIECES, ""])) + text[start + length :]
    try:
        policy = load(text, source="p.yml")
    except Faulty as error:
        found = error.faults
        assert found
    else:
        found = policy.warnings
    lines = text.split("\n")
    for fault in found:
        place = re.fullmatch(r"p\.yml:([0-9]+):([0-9]+)", fault.where)
        assert place is not None
        assert 1 <= int(place[1]) <= len(lines)
        assert 1 <= int(place[2]) <= len(lines[int(place[1]) - 1]) + 1
