"""What the past says: endings, tallies that add up, advice with its thresholds, calibration, what came too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.advice import Advice, Topic, advise
from policies.events import AuditMarked, Elapsed, Stopped, Withdrawn
from policies.insight import ENDED, Ending, Insight, ending, insight
from policies.lifecycle import apply
from policies.loader import load
from policies.people import Person, Standing
from policies.replay import replay
from policies.request import Request
from tests.policies.past_samples import START, approved, done, expired, many, modified, opened, rejected

TEXT = """
version: 1
reviewers:
  support: {users: [U0ANA, U0BEN, U0CAT]}
ladders:
  standard: [{after: 2h, then: expire}]
  pause: [{after: 5m, then: proceed}]
tools:
  wire: {reversible: false, impact: medium}
  badge: {reversible: true, impact: high}
rules:
  - {name: reads, match: "read_*", checkpoint: allow}
  - {name: mails, match: mail, checkpoint: hard}
  - {name: posts, match: post, checkpoint: soft, ladder: pause}
  - {name: pairs, match: pair, checkpoint: hard, quorum: 2}
  - {name: wires, match: wire, checkpoint: hard}
  - {name: audited, match: audit, checkpoint: hard, required_by: "SOX 404"}
  - {name: wipes, match: wipe, checkpoint: manual, quorum: 1}
  - {name: never, match: drop, checkpoint: deny}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""
POLICY = load(TEXT, source="p.yml")
ANA = Person(id="U0ANA", name="Ana", standing=Standing.MEMBER, looked_up_at=START)


def look(*requests: Request) -> Insight:
    return insight(replay(requests, POLICY, since=START - timedelta(days=1)), POLICY)


def advice(*requests: Request) -> dict[Topic, Advice]:
    return {each.topic: each for each in advise(look(*requests), POLICY)}


def silent_post() -> Request:
    return apply(opened(POLICY, "post"), Elapsed(), START + timedelta(hours=1)).request


def test_every_ending_is_told_apart() -> None:
    mail, pair = opened(POLICY, "mail"), opened(POLICY, "pair")
    stopped = apply(approved(mail), Stopped(person=ANA), START + timedelta(seconds=20)).request
    cut_off = opened(POLICY, "mail", expires_in=timedelta(minutes=1))
    objected = apply(silent_post(), AuditMarked(person=ANA, mark="objected"), START + timedelta(seconds=30))
    found = {
        Ending.AS_PROPOSED: [approved(mail), approved(pair, "U0ANA", "U0BEN")],
        Ending.MODIFIED: [modified(mail, POLICY, {"to": "b"})],
        Ending.REJECTED: [rejected(mail), stopped, objected.request],
        Ending.UNANSWERED: [expired(mail)],
        Ending.SHORT: [expired(approved(pair))],
        Ending.PROCEEDED: [silent_post()],
        Ending.TAKEN_BACK: [apply(mail, Withdrawn(), START).request, expired(cut_off)],
        Ending.OPEN: [mail],
        Ending.WITHOUT_PEOPLE: [opened(POLICY, "read_x"), opened(POLICY, "drop")],
    }
    assert set(found) == set(Ending)
    for wanted, requests in found.items():
        assert [ending(request) for request in requests] == [wanted] * len(requests)


ENDINGS = ("approve", "reject", "modify", "expire", "leave")


def ended(tool: str, how: str, number: int) -> Request:
    request = opened(POLICY, tool, number=number, confidence=number % 11 / 10)
    if request.settled or how == "leave":
        return request
    if how == "approve":
        return approved(request)
    if how == "reject":
        return rejected(request)
    if how == "modify":
        return modified(request, POLICY, {"changed": 1})
    return expired(request)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["read_x", "mail", "post", "pair", "wire", "wipe", "drop", "new", "badge"]),
            st.sampled_from(ENDINGS),
        ),
        max_size=25,
    )
)
def test_the_totals_add_up(past: list[tuple[str, str]]) -> None:
    requests = [ended(tool, how, number) for number, (tool, how) in enumerate(past)]
    found = look(*requests)
    assert found.total == len(requests)
    assert sum(tally.total for tally in found.tallies) + found.asked_nobody + found.outdated == found.total
    assert found.outdated == 0
    for tally in found.tallies:
        assert sum(tally.of_ended(end).count for end in ENDED) == tally.ended <= tally.total
        assert sum(tally.tools.values()) == tally.total == len(tally.evidence)
    decided = [
        request for request in requests if ending(request) in (Ending.AS_PROPOSED, Ending.MODIFIED, Ending.REJECTED)
    ]
    assert (
        sum(tally.decided for tally in found.tallies) == len(decided) == sum(band.approved.of for band in found.bands)
    )


def test_what_met_another_checkpoint_than_today_says_nothing_of_it() -> None:
    before = load(TEXT.replace("match: mail, checkpoint: hard", "match: mail, checkpoint: manual"), source="old.yml")
    old = many(before, "mail", 0)
    found = look(*old, opened(before, "mail"), opened(POLICY, "mail", number=1))
    assert (found.outdated, [tally.total for tally in found.tallies]) == (1, [1])


def test_a_rule_that_is_nearly_always_approved_is_proposed_to_relax() -> None:
    told = advice(*many(POLICY, "mail", 73))[Topic.RELAX]
    assert told.about == "mails"
    assert "73 of 73 (100%; 95 % interval 95% to 100%)" in told.words
    assert "hard becomes soft" in told.words
    assert told.words.endswith("Only if a call of mail can be undone: the catalogue doesn't say.")
    assert told.diff == (
        "--- p.yml\n+++ p.yml\n@@ -10,7 +10,7 @@\n"
        "   badge: {reversible: true, impact: high}\n rules:\n"
        '   - {name: reads, match: "read_*", checkpoint: allow}\n'
        "-  - {name: mails, match: mail, checkpoint: hard}\n"
        "+  - {name: mails, match: mail, checkpoint: soft, ladder: pause}\n"
        "   - {name: posts, match: post, checkpoint: soft, ladder: pause}\n"
        "   - {name: pairs, match: pair, checkpoint: hard, quorum: 2}\n"
        "   - {name: wires, match: wire, checkpoint: hard}\n"
    )


def test_the_effect_of_a_proposal_is_counted_over_the_whole_past() -> None:
    past = [*many(POLICY, "mail", 80), *many(POLICY, "wire", 5, first=100)]
    since = START - timedelta(days=1)
    told = {each.topic: each for each in advise(look(*past), POLICY, past=past, since=since)}
    assert "would have loosened 80 of the 85 requests" in told[Topic.RELAX].words


@pytest.mark.parametrize(
    "past",
    [
        many(POLICY, "mail", 72),
        [
            *many(POLICY, "mail", 97),
            rejected(opened(POLICY, "mail", number=98)),
            expired(opened(POLICY, "mail", number=99)),
        ],
        [*many(POLICY, "mail", 80), *(expired(opened(POLICY, "mail", number=100 + each)) for each in range(5))],
    ],
    ids=["too few", "the interval reaches below 95 %", "silence is no consent"],
)
def test_without_enough_evidence_nothing_is_proposed(past: list[Request]) -> None:
    assert Topic.RELAX not in advice(*past)


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        ("wire", "wire is irreversible by the catalogue"),
        ("audit", "a regulation demands it"),
        ("wipe", "what is manual is never relaxed"),
    ],
)
def test_what_must_stay_is_never_proposed_to_relax(tool: str, why: str) -> None:
    told = advice(*many(POLICY, tool, 100))
    assert Topic.RELAX not in told
    assert why in told[Topic.KEEP].words
    assert told[Topic.KEEP].diff == ""


def test_two_approvals_become_one_before_anything_else() -> None:
    past = [approved(opened(POLICY, "pair", number=each), "U0ANA", "U0BEN") for each in range(80)]
    told = advice(*past)[Topic.RELAX]
    assert "+  - {name: pairs, match: pair, checkpoint: hard, quorum: 1}\n" in told.diff


def test_a_tool_that_only_the_default_holds_gets_a_rule_of_its_own() -> None:
    told = advice(*many(POLICY, "new", 80))[Topic.RELAX]
    assert told.about == "default, new"
    assert '+  - {name: "routine new", match: "new", checkpoint: soft, ladder: pause}\n' in told.diff


def test_a_tool_named_like_a_pattern_never_gets_into_a_proposal() -> None:
    told = advice(*many(POLICY, "*", 80))
    assert Topic.RELAX not in told
    assert "by hand" in told[Topic.KEEP].words


def test_an_agent_whose_calls_are_often_modified_needs_work() -> None:
    changed = [modified(opened(POLICY, "mail", number=each), POLICY, {"to": "b"}) for each in range(4)]
    assert "4 of 13 (31%" in advice(*changed, *many(POLICY, "mail", 9, first=10))[Topic.AGENT].words
    assert Topic.AGENT not in advice(*changed[:3], *many(POLICY, "mail", 7, first=10))


def test_what_is_approved_unread_asks_too_much_and_is_no_reason_to_relax() -> None:
    calm = many(POLICY, "mail", 80)
    assert Topic.RELAX in advice(*calm)
    unread = [replace(one, reviews=(replace(one.reviews[0], asked_at=START),)) for one in calm[:17]]
    told = advice(*unread, *calm[17:])
    assert "faster than one can read 17 of 80 (21%" in told[Topic.HASTY].words
    assert "nobody read prove nothing" in told[Topic.KEEP].words
    assert Topic.RELAX not in told
    assert Topic.HASTY not in advice(*unread[:16], *calm[16:])


def test_a_rule_that_nobody_answers_has_the_wrong_reviewers() -> None:
    silent = [expired(opened(POLICY, "mail", number=each)) for each in range(6)]
    assert "6 of 10" in advice(*silent, *many(POLICY, "mail", 4, first=10))[Topic.REVIEWERS].words
    assert Topic.REVIEWERS not in advice(*silent, *many(POLICY, "mail", 6, first=10))


def test_one_person_who_always_decides_is_named() -> None:
    assert "Ana (U0ANA)" in advice(*many(POLICY, "mail", 10))[Topic.ONE_PERSON].words
    others = approved(opened(POLICY, "mail", number=50), "U0BEN")
    assert Topic.ONE_PERSON not in advice(*many(POLICY, "mail", 10), others)


def test_stated_confidence_is_set_beside_what_people_said() -> None:
    sure = [rejected(opened(POLICY, "mail", number=each, confidence=1.0)) for each in range(6)]
    told = [
        *sure,
        *many(POLICY, "mail", 6, first=10, confidence=0.95),
        *many(POLICY, "mail", 3, first=20, confidence=0.5),
    ]
    found = look(*told)
    assert [(band.low, band.high, band.approved.count, band.approved.of) for band in found.bands] == [
        (0.5, 0.7, 3, 3),
        (0.9, 1.0, 6, 12),
    ]
    assert "says 90% to 100% sure" in advice(*told)[Topic.OVERCONFIDENT].words


def test_a_rejection_after_an_irreversible_call_of_the_same_run_came_too_late() -> None:
    paid = done(approved(opened(POLICY, "wire", run="r1")))
    late = rejected(opened(POLICY, "mail", number=1, run="r1"))
    assert [(each.rule, each.tool, each.runs) for each in look(late, paid).late] == [("mails", "wire", ("r1",))]
    assert (
        "wire, which can't be undone, had already run in 1 run (such as r1)" in advice(paid, late)[Topic.TOO_LATE].words
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (done(approved(opened(POLICY, "wire", run="r1"))), rejected(opened(POLICY, "mail", number=1, run="r2"))),
        (done(approved(opened(POLICY, "badge", run="r1"))), rejected(opened(POLICY, "mail", number=1, run="r1"))),
        (approved(opened(POLICY, "wire", run="r1")), rejected(opened(POLICY, "mail", number=1, run="r1"))),
        (done(approved(opened(POLICY, "wire", number=1, run="r1"))), rejected(opened(POLICY, "mail", run="r1"))),
        (done(approved(opened(POLICY, "wire", run="r1"))), approved(opened(POLICY, "mail", number=1, run="r1"))),
    ],
    ids=["another run", "reversible", "never ran", "ran afterwards", "approved"],
)
def test_nothing_else_came_too_late(first: Request, second: Request) -> None:
    assert look(first, second).late == ()
