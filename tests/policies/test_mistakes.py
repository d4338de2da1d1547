"""The mistakes that people make in their first policy: what they are told, to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.errors import Faulty
from policies.loader import load
from policies.picture import WIDEST, point_at

GOOD = """\
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA, ben@example.com]}
  finance: {users: [U0FAY, U0FRED]}
ladders:
  standard: [{after: 10m, remind: true}, {after: 2h, then: expire}]
  pause: [{after: 5m, then: proceed}]
tools:
  wipe: {reversible: false, impact: high}
rules:
  - {name: reads, match: "read_*", checkpoint: allow}
  - name: payments
    match: pay
    when: args.amount > 100
    checkpoint: hard
    reviewers: finance
    quorum: 2
    ladder: standard
budgets:
  - {agents: mail, waiting: 5}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""

MAIL = "{agents: mail, waiting: 5}"
MISTAKES = {
    "a tab": ("    match: pay\n", "\tmatch: pay\n"),
    "a handle": ("U0ANA,", '"@ana",'),
    "an unknown key": ("    reviewers: finance", "    reviewer: finance"),
    "a misspelt group": ("    reviewers: finance", "    reviewers: finanse"),
    "an undeclared name": ("args.amount > 100", "amount > 100"),
    "a wrong type": ("args.amount > 100", "tool > 100"),
    "a number in quotes": ("    quorum: 2", '    quorum: "2"'),
    "no yes or no": ("args.amount > 100", "size(args.to)"),
    "a single equals sign": ("args.amount > 100", "tool = 'pay'"),
    "the word and": ("args.amount > 100", "args.amount > 100 and args.amount < 200"),
    "a ladder without an end": ("{after: 10m, remind: true}, {after: 2h, then: expire}", "{after: 10m, remind: true}"),
    "silence before the irreversible": (
        GOOD[GOOD.index("    match: pay") : GOOD.index("default:")],
        "    match: wipe\n    checkpoint: soft\n    ladder: pause\n",
    ),
    "silence at a hard gate": ("    quorum: 2\n    ladder: standard", "    quorum: 2\n    ladder: pause"),
    "a quorum too large": ("    quorum: 2", "    quorum: 5"),
    "a name twice": ("name: reads", "name: payments"),
    "a channel without quotes": ('"#approvals"', "#approvals"),
    "a channel without quotes on its own line": (
        '  support: {channel: "#approvals", users: [U0ANA, ben@example.com]}',
        "  support:\n    channel: #approvals\n    users: [U0ANA]",
    ),
    "a star without quotes": ('match: "read_*"', "match: *"),
    "a percentage": ("args.amount > 100", "confidence < 70%"),
    "a percentage without its sign": ("args.amount > 100", "confidence < 70"),
    "a percentage in quotes": ("args.amount > 100", 'confidence < "70%"'),
    "a number without its unit": ("10m, remind", "10, remind"),
    "a colon in a text": ("args.amount > 100", "args.note == 'a: b'"),
    "an exclamation mark in front": ("args.amount > 100", "!has(args.amount)"),
    "quotes around a part": ("args.amount > 100", '"invoice" in args.note'),
    "a missing bracket": ("users: [U0FAY, U0FRED]}", "users: [U0FAY, U0FRED}"),
    "a budget of nothing": (MAIL, "{agents: mail}"),
    "a budget of none": (MAIL, "{agents: mail, waiting: 0}"),
    "a budget for everything": (MAIL, "{agents: mail, waiting: 1000}"),
    "a budget for a person": (MAIL, "{agents: '@ana', waiting: 5}"),
    "a budget for nobody": (MAIL, "{waiting: 5}"),
    "a cooling-off without its length": (MAIL, "{agents: mail, cool_off: {rejections: 3, within: 10m}}"),
    "a cooling-off for ever": (MAIL, "{agents: mail, cool_off: {rejections: 3, within: 10m, for: 60d}}"),
    "a misspelt part of a budget": (MAIL, "{agents: mail, asks: {most: 3, par: 1h}}"),
    "an indentation that is off": ("    match: pay\n", "   match: pay\n"),
}


def told(text: str) -> str:
    """What ``policy check`` says on a terminal."""
    with pytest.raises(Faulty) as caught:
        load(text, source="p.yml")
    return "\n".join(f"{fault}\n{point_at(text, fault.where)}" for fault in caught.value.faults)


def golden() -> dict[str, str]:
    """What stands in ``mistakes.golden.txt``, by the mistake."""
    parts = (Path(__file__).parent / "mistakes.golden.txt").read_text(encoding="utf-8").split("=== ")[1:]
    return {name: words.rstrip("\n") for name, _, words in (part.partition("\n") for part in parts)}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_typical_mistake_is_told_with_its_place_and_what_to_write_instead(name: str) -> None:
    text = GOOD.replace(*MISTAKES[name], 1)
    assert text != GOOD
    assert told(text) == golden()[name]


def test_no_line_of_what_is_told_but_the_words_themselves_needs_more_than_a_terminal_has() -> None:
    assert golden().keys() == MISTAKES.keys()
    for words in golden().values():
        assert all(len(line) <= WIDEST for line in words.split("\n") if not line.startswith("p.yml:"))


def test_the_policy_around_the_mistakes_is_good() -> None:
    assert load(GOOD, source="p.yml").warnings == ()


@pytest.mark.parametrize("column", [1, 20, 40, 60, 90, 119, 120])
def test_a_long_line_is_cut_around_its_place_to_fit_a_terminal(column: int) -> None:
    line = "".join(chr(ord("a") + number % 26) for number in range(120))
    shown, caret = point_at(f"first\n{line}\nlast", f"p.yml:2:{column}").split("\n")
    assert len(shown) <= WIDEST
    assert shown[caret.index("^")] == line[column - 1]


def test_the_caret_counts_the_cells_of_wide_letters_and_shows_no_command_to_the_terminal() -> None:
    shown, caret = point_at("名前: \x1b[31mx\u202e", "p.yml:1:5").split("\n")
    assert shown == "名前: ?[31mx?"
    assert caret == " " * 6 + "^"
    assert point_at("cafe\u0301: x", "p.yml:1:8").split("\n")[1].index("^") == 6
