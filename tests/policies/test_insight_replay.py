"""The past under another policy: the same one changes nothing, and every kind of change is told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.judgement import counts
from policies.loader import load
from policies.replay import Change, replay
from policies.request import Execution, ExecutionState, Request, Requester
from tests.policies.past_samples import BOT, START, modified, opened

TEXT = """
version: 1
reviewers: {support: {users: [U0ANA, U0BEN, U0CAT]}, finance: {users: [U0FAY, U0FRED]}}
ladders:
  standard: [{after: 2h, then: expire}]
  pause: [{after: 5m, then: proceed}]
rules:
  - {name: reads, match: "read_*", checkpoint: allow}
  - {name: large, match: pay, when: args.amount > 10, checkpoint: manual, confirm: args.payee}
  - {name: hourly, when: recent.hour >= 3, checkpoint: hard, quorum: 2}
  - {name: first, match: new, when: recent.first_use && confidence < 0.8, checkpoint: manual}
  - {name: busy, match: post, when: recent.count("90m") >= 2, checkpoint: hard}
  - {name: daily, when: recent.tool_day >= 4, checkpoint: manual}
  - {name: posts, match: post, checkpoint: soft, ladder: pause}
  - {name: unsure, when: confidence < 0.5, checkpoint: hard}
  - {name: never, match: drop, checkpoint: deny}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""
POLICY = load(TEXT, source="p.yml")
BEFORE = START - timedelta(days=2)
OTHER = Requester(id="key:other", name="other")
CALL = st.tuples(
    st.sampled_from(["read_x", "pay", "post", "drop", "new"]),
    st.integers(0, 20),
    st.sampled_from([BOT, OTHER]),
    st.none() | st.sampled_from([0.3, 0.9]),
    st.integers(0, 9 * 60),
)


def history(calls: list[tuple[str, int, Requester, float | None, int]]) -> list[Request]:
    """The calls one after another, each counted as the gateway counts: by looking at all that came before."""
    past: list[Request] = []
    now = START
    for number, (tool, amount, requester, confidence, minutes) in enumerate(calls):
        now += timedelta(minutes=minutes, microseconds=1)
        recent = {
            name: sum(
                each.requester == requester
                and each.created_at >= now - span
                and (not of_this_tool or each.call.tool == tool)
                and (name != "tool_before" or each.execution is not None)
                for each in past
            )
            for name, (span, of_this_tool) in counts(POLICY).items()
        }
        arguments = {"amount": amount, "payee": "Nord"}
        request = opened(
            POLICY,
            tool,
            arguments,
            number=number,
            at=now,
            recent=recent,
            requester=requester,
            confidence=confidence,
        )
        ran = Execution(state=ExecutionState.SUCCEEDED, at=now) if number % 3 == 0 else None
        past.append(replace(request, execution=ran))
    return past


@settings(max_examples=80, deadline=None)
@given(st.lists(CALL, max_size=25), st.randoms(use_true_random=False))
def test_the_same_policy_changes_nothing(
    calls: list[tuple[str, int, Requester, float | None, int]], random: object
) -> None:
    past = history(calls)
    random.shuffle(past)  # type: ignore[attr-defined]
    found = replay(past, POLICY, since=BEFORE)
    assert len(found.judged) == len(past)
    assert [each for each in found.judged if each.change is not Change.SAME] == []
    assert all(each.before == each.after for each in found.judged)


def test_a_modified_request_is_judged_as_it_was_proposed() -> None:
    proposed = opened(POLICY, "pay", {"amount": 5, "payee": "Nord"})
    raised = modified(proposed, POLICY, {"amount": 50, "payee": "Nord"})
    assert raised.checkpoint.kind.value == "manual"
    (told,) = replay([raised], POLICY, since=BEFORE, earlier={POLICY.digest: POLICY}).judged
    assert (told.before.kind.value, told.change) == ("hard", Change.SAME)


def test_only_what_came_since_is_replayed_but_all_of_it_counts() -> None:
    past = history([("new", 1, BOT, None, 10)] * 5)
    (told,) = replay(past, POLICY, since=past[4].created_at).judged
    assert (told.request.id, told.after.rule) == (past[4].id, "daily")


def test_what_was_blanked_is_left_out() -> None:
    request = opened(POLICY, "pay", {"amount": 50, "payee": "Nord"})
    blanked = replace(request, call=replace(request.call, arguments={}), proposed={})
    found = replay([blanked], POLICY, since=BEFORE)
    assert (found.judged, found.unreadable) == ((), (request.id,))


@pytest.mark.parametrize(
    ("tool", "old", "new", "change"),
    [
        ("new", "reviewers: support, ladder", "reviewers: finance, ladder", Change.SENT_ELSEWHERE),
        ("new", "checkpoint: hard, reviewers", "checkpoint: manual, reviewers", Change.TIGHTENED),
        ("new", "checkpoint: hard, reviewers", "checkpoint: deny, reviewers", Change.REFUSED),
        ("new", "hard, reviewers: support", "hard, quorum: 2, reviewers: support", Change.TIGHTENED),
        ("new", "after: 2h", "after: 3h", Change.REARRANGED),
        ("new", 'match: "read_*"', 'match: "new"', Change.WAVED_THROUGH),
        ("new", "posts, match: post", "posts, match: new", Change.RELAXED),
        ("read_x", 'match: "read_*"', 'match: "look_*"', Change.STOPPED),
        ("read_x", "name: reads", "name: looks", Change.SAME),
        ("drop", "match: drop, checkpoint: deny", "match: drop, checkpoint: hard", Change.RELAXED),
        ("post", "after: 5m", "after: 6m", Change.REARRANGED),
    ],
)
def test_every_kind_of_change_is_told_apart(tool: str, old: str, new: str, change: Change) -> None:
    assert TEXT.count(old) == 1
    other = load(TEXT.replace(old, new), source="p.yml")
    (told,) = replay([opened(POLICY, tool)], other, since=BEFORE).judged
    assert told.change is change


def test_the_past_is_judged_where_the_gateway_stands() -> None:
    rule = 'rules:\n  - {name: real, match: new, when: environment == "production", checkpoint: deny}'
    there = load(TEXT.replace("rules:", rule), source="p.yml")
    past = [opened(POLICY, "new")]
    for where, change in (("", Change.SAME), ("production", Change.REFUSED)):
        (told,) = replay(past, there, since=BEFORE, environment=where).judged
        assert told.change is change


def test_fewer_approvals_are_a_relaxation_even_by_other_people() -> None:
    two = load(TEXT.replace("hard, reviewers: support", "hard, quorum: 2, reviewers: support"), source="p.yml")
    one = load(TEXT.replace("reviewers: support, ladder", "reviewers: finance, ladder"), source="p.yml")
    (told,) = replay([opened(two, "new")], one, since=BEFORE).judged
    assert told.change is Change.RELAXED
