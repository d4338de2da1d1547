"""A quorum that names groups: what is said of it where it can't be meant."""

from __future__ import annotations

import pytest

from policies.errors import Faulty
from policies.loader import load
from policies.policy import Policy
from policies.shapes import json_schema

GOOD = """
version: 1
reviewers:
  finance: {channel: "#finance", users: [U0FAY, U0FRED]}
  security: {channel: "#security", users: [U0SEC]}
  same: {users: [U0SEC]}
  staff: {usergroups: [S0STAFF]}
  seniors: {users: [U0SAM]}
  empty: {}
  back: {members: [C0BACK, G0OLD], outsiders: [U0GUS]}
ladders:
  plain: [{after: 2h, then: expire}]
  grows: [{after: 10m, add: seniors}, {after: 2h, then: expire}]
  adds: [{after: 10m, add: finance}, {after: 2h, then: expire}]
default: {checkpoint: hard, reviewers: finance, ladder: plain}
rules:
"""


def ruled(rule: str) -> Policy:
    return load(f"{GOOD}  - {rule}\n", source="p.yml")


def test_named_groups_are_places_and_the_quorum_their_total() -> None:
    gate = ruled("{name: r, match: x, checkpoint: hard, quorum: {finance: 2, security: 1}}").rules[0].gate
    assert gate.quorum == 3
    assert [(place.group.name, place.count) for place in gate.places] == [("finance", 2), ("security", 1)]
    assert [group.channel for group in gate.groups] == ["#finance", "#security"]
    assert gate.reviewers.users == ("U0FAY", "U0FRED", "U0SEC")


def test_several_groups_of_reviewers_give_the_quorum_together_and_each_has_its_channel() -> None:
    gate = (
        ruled("{name: r, match: x, checkpoint: hard, reviewers: [finance, security, finance], quorum: 3}").rules[0].gate
    )
    assert (gate.quorum, gate.shares) == (3, ())
    assert [group.channel for group in gate.groups] == ["#finance", "#security"]
    assert gate.reviewers.users == ("U0FAY", "U0FRED", "U0SEC")
    assert ruled("{name: r, match: x, checkpoint: hard, reviewers: [finance]}").rules[0].gate.places == ()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("reviewers: [finance, secruity]", "There is no group of reviewers called 'secruity'; did you mean security?"),
        ("reviewers: [finance, security], quorum: 4", "4 approvals are needed, but only 3 people are named"),
        ("reviewers: [finance, security], quorum: {finance: 1}", "so reviewers means nothing beside it"),
    ],
)
def test_several_groups_that_can_not_be_meant_are_a_fault(rule: str, words: str) -> None:
    with pytest.raises(Faulty) as refused:
        ruled(f"{{name: r, match: x, checkpoint: hard, {rule}}}")
    assert words in str(refused.value)


def test_a_manual_checkpoint_takes_as_many_people_as_its_places() -> None:
    assert ruled("{name: r, match: x, checkpoint: manual, quorum: {finance: 1}}").rules[0].gate.quorum == 1


def test_a_user_group_may_be_large_enough() -> None:
    assert ruled("{name: r, match: x, checkpoint: hard, quorum: {staff: 5, finance: 1}}").rules[0].gate.quorum == 6
    assert ruled("{name: r, match: x, checkpoint: hard, quorum: {back: 5, finance: 1}}").rules[0].gate.quorum == 6


def test_cards_of_a_private_channels_members_go_to_that_channel_unless_another_is_named() -> None:
    gate = ruled("{name: r, match: x, checkpoint: hard, reviewers: back}").rules[0].gate
    assert (gate.reviewers.channel, gate.reviewers.members) == ("C0BACK", ("C0BACK", "G0OLD"))
    elsewhere = load(GOOD.removesuffix("rules:\n").replace("{members", '{channel: "#x", members'), source="p.yml")
    assert elsewhere.group("back").channel == "#x"
    assert elsewhere.channels == {"C0BACK", "G0OLD"}


def test_seniors_of_the_ladder_may_fill_what_is_short() -> None:
    rule = "{name: r, match: x, checkpoint: hard, ladder: grows, quorum: {finance: 2, security: 2}}"
    assert ruled(rule).rules[0].gate.quorum == 4


@pytest.mark.parametrize(
    ("rule", "column", "words"),
    [
        ("quorum: {finance: 1, securty: 1}", 64, "did you mean security?"),
        ("quorum: {finance: 1, security: 0}", 74, "Write at least 1 here"),
        ("quorum: {finance: 1, security: '1'}", 74, "whole number"),
        ("quorum: {finance: 1, security: 21}", 74, "Write at most 20 here"),
        ("quorum: {}", 51, "at least 1"),
        ("quorum: [finance]", 51, "whole number"),
        ("quorum: {finance: 3}", 51, "can't give all these approvals, each person one: 3 of finance"),
        ("quorum: {security: 1, same: 1}", 51, "1 of security and 1 of same"),
        ("quorum: {empty: 1, finance: 1}", 51, "1 of empty and 1 of finance"),
        ("quorum: {finance: 1, security: 2}, ladder: adds", 51, "2 of security"),
        ("quorum: {security: 3}, ladder: grows", 51, "3 of security"),
        ("reviewers: finance, quorum: {finance: 1}", 43, "reviewers means nothing beside it; remove it"),
    ],
)
def test_what_can_not_be_meant_is_said_at_its_place(rule: str, column: int, words: str) -> None:
    with pytest.raises(Faulty) as caught:
        ruled(f"{{name: r, match: x, checkpoint: hard, {rule}}}")
    found = [str(fault) for fault in caught.value.faults]
    assert len(found) == 1, found
    assert found[0].startswith(f"p.yml:{GOOD.count(chr(10)) + 1}:{column}: "), found
    assert words in found[0]


@pytest.mark.parametrize("kind", ["allow", "deny"])
def test_where_nobody_is_asked_no_group_can_be(kind: str) -> None:
    with pytest.raises(Faulty, match="waits for nobody, so quorum means nothing"):
        ruled(f"{{name: r, match: x, checkpoint: {kind}, quorum: {{finance: 1}}}}")


def test_editors_are_told_both_ways_to_write_it() -> None:
    quorum = json_schema()["$defs"]["RuleShape"]["properties"]["quorum"]
    assert {"integer", "object", "null"} <= set(str(quorum).replace("'", " ").split())


NAMED = GOOD.replace("reviewers: finance,", "quorum: {finance: 1, security: 1},").replace(
    "rules:", "tools: {wipe: {reversible: false, impact: high}, post: {reversible: true, impact: medium}}\nrules:"
)


def named(rule: str) -> Policy:
    return load(f"{NAMED}  - {rule}\n", source="p.yml")


def test_the_default_may_name_groups_for_what_no_rule_knows_and_the_catalogue_asks_of_them() -> None:
    policy = named("{name: r, match: x, checkpoint: allow}")
    gate = policy.fallback("unknown")
    assert (gate.quorum, [place.group.name for place in gate.places]) == (2, ["finance", "security"])
    assert gate.reviewers.users == ("U0FAY", "U0FRED", "U0SEC")
    assert (policy.fallback("wipe").quorum, len(policy.fallback("wipe").places)) == (2, 2)
    assert (policy.fallback("post").quorum, policy.fallback("post").places) == (1, ())


@pytest.mark.parametrize("kind", ["hard", "manual"])
def test_a_rule_that_does_not_say_who_decides_takes_the_groups_of_the_default(kind: str) -> None:
    gate = named(f"{{name: r, match: x, checkpoint: {kind}}}").rules[0].gate
    assert (gate.quorum, [place.group.name for place in gate.places]) == (2, ["finance", "security"])


def test_a_rule_with_reviewers_or_groups_of_its_own_has_nothing_of_the_default() -> None:
    gate = named("{name: r, match: x, checkpoint: hard, reviewers: finance, quorum: 2}").rules[0].gate
    assert (gate.quorum, gate.places, gate.reviewers.name) == (2, (), "finance")
    own = named("{name: r, match: x, checkpoint: hard, quorum: {security: 1}}").rules[0].gate
    assert (own.quorum, [place.group.name for place in own.places]) == (1, ["security"])


def test_a_number_alone_is_unclear_beside_a_default_that_names_groups() -> None:
    with pytest.raises(Faulty) as caught:
        named("{name: r, match: x, checkpoint: hard, quorum: 2}")
    assert str(caught.value.faults[0]).endswith("name reviewers beside it.")
    assert len(caught.value.faults) == 1


def test_a_default_that_nobody_could_fill_or_that_says_both_is_a_fault() -> None:
    for written in ("quorum: {security: 2},", "quorum: {nobody: 1},", "reviewers: finance, quorum: {security: 1},"):
        with pytest.raises(Faulty):
            load(GOOD.removesuffix("rules:\n").replace("reviewers: finance,", written), source="p.yml")
