"""Budgets: what they refuse and until when, and that adding one only tightens. See tests/storage for the counting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.budget import (
    HOUSE,
    LATER,
    Asks,
    Budget,
    CoolOff,
    Over,
    Spent,
    Wanted,
    account_of,
    agent_of,
    budget_in_words,
    holding,
    over,
    wanted,
)
from policies.request import RUNNER, Requester

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
MINUTES = [timedelta(minutes=minutes) for minutes in range(61)]
THREE = CoolOff(rejections=3, within=timedelta(minutes=10), length=timedelta(minutes=15))
SPANS = st.sampled_from(MINUTES[1:])
BUDGETS = st.builds(
    Budget,
    agents=st.just(("*",)),
    waiting=st.none() | st.integers(1, 5),
    asks=st.none() | st.builds(Asks, most=st.integers(1, 4), per=SPANS),
    cool_off=st.none() | st.builds(CoolOff, rejections=st.integers(1, 4), within=SPANS, length=SPANS),
    same_again=st.none() | SPANS,
)
AGO = st.sampled_from(MINUTES).map(lambda ago: NOW - ago)
ACCOUNTS = st.builds(
    Spent,
    waiting=st.integers(0, 6),
    asked=st.dictionaries(st.integers(1, 4), AGO),
    rejected=st.lists(AGO, max_size=6).map(lambda times: tuple(sorted(times, reverse=True))),
    same=st.none() | AGO,
    resumed=st.none() | AGO,
)


def ago(*minutes: float) -> tuple[datetime, ...]:
    """So many minutes ago."""
    return tuple(NOW - timedelta(minutes=each) for each in minutes)


def no_looser(look: Callable[..., Over | None], some: list[Budget], one: Budget, spent: Spent) -> bool:
    """What ``some`` refuse, ``some`` and ``one`` refuse for at least as long."""
    before, after = look(some, spent, NOW), look([*some, one], spent, NOW)
    if before is None:
        return True
    return after is not None and (after.until or NOW + LATER) >= (before.until or NOW + LATER)


@given(st.lists(BUDGETS, max_size=3), BUDGETS, ACCOUNTS)
def test_adding_a_budget_only_tightens(some: list[Budget], one: Budget, spent: Spent) -> None:
    assert no_looser(over, some, one, spent)


def test_that_law_goes_red_where_the_last_budget_alone_decides() -> None:
    strict, wide, full = Budget(agents=("*",), waiting=1), Budget(agents=("*",), waiting=9), Spent(waiting=1)
    assert no_looser(over, [strict], wide, full)
    assert not no_looser(lambda some, spent, now: over(some[-1:], spent, now), [strict], wide, full)


@given(st.lists(BUDGETS, min_size=1, max_size=3), ACCOUNTS)
def test_at_the_time_that_was_named_the_agent_may_ask_again(some: list[Budget], spent: Spent) -> None:
    found = over([each for each in some if each.waiting is None], spent, NOW)
    if found is not None and found.until is not None:
        assert found.until > NOW
        assert over([each for each in some if each.waiting is None], spent, found.until) is None


@pytest.mark.parametrize(
    ("budget", "spent", "until", "words"),
    [
        (Budget(agents=("*",), waiting=3), Spent(waiting=2), None, None),
        (Budget(agents=("*",), waiting=3), Spent(waiting=3), None, "3 of your calls wait for people already"),
        (Budget(agents=("*",), waiting=1), Spent(waiting=1), None, "1 of your calls waits for people already"),
        (
            Budget(agents=("*",), asks=Asks(most=30, per=timedelta(hours=1))),
            Spent(asked={30: ago(50)[0]}),
            timedelta(minutes=10),
            "30 of your calls were put before people within 1 hour; the next one may be at 10:40 UTC.",
        ),
        (Budget(agents=("*",), asks=Asks(most=30, per=timedelta(hours=1))), Spent(asked={30: ago(60)[0]}), None, None),
        (
            Budget(agents=("*",), cool_off=THREE),
            Spent(rejected=ago(1, 5, 11)),
            timedelta(minutes=14),
            "3 of your calls were rejected within 10 minutes; nothing new goes to people before 10:44 UTC."
            " Calls that need nobody still run.",
        ),
        (Budget(agents=("*",), cool_off=THREE), Spent(rejected=ago(1, 5, 12)), None, None),
        (Budget(agents=("*",), cool_off=THREE), Spent(rejected=ago(15, 16, 17)), None, None),
        (Budget(agents=("*",), cool_off=THREE), Spent(rejected=ago(1, 5, 9), resumed=ago(4)[0]), None, None),
        (
            Budget(agents=("*",), same_again=timedelta(minutes=30)),
            Spent(same=ago(18)[0]),
            timedelta(minutes=12),
            "People rejected this very call at 10:12 UTC; it isn't put before them again before 10:42 UTC.",
        ),
        (Budget(agents=("*",), same_again=timedelta(minutes=30)), Spent(same=ago(30)[0]), None, None),
    ],
)
def test_what_is_used_up_and_until_when(
    budget: Budget, spent: Spent, until: timedelta | None, words: str | None
) -> None:
    found = over([budget], spent, NOW)
    assert (found.words.startswith(words) if found and words else found) is (True if words else None)
    assert (found.until if found else None) == (NOW + until if until else None)


def test_rejections_while_it_cools_off_make_it_longer() -> None:
    found = over([Budget(agents=("*",), cool_off=THREE)], Spent(rejected=ago(1, 2, 3, 14)), NOW)
    assert found is not None
    assert found.until == NOW + timedelta(minutes=14)


def test_a_time_of_another_day_is_told_with_its_day() -> None:
    late = Budget(agents=("*",), asks=Asks(most=1, per=timedelta(days=1)))
    found = over([late], Spent(asked={1: NOW - timedelta(hours=1)}), NOW)
    assert found is not None
    assert "at 24 Nov 09:30 UTC" in found.words


def test_each_key_is_an_agent_and_so_are_the_runs_of_each_person() -> None:
    till = Requester(id="key:till", name="till", owner="U1")
    ana = Requester(id=RUNNER, name="Signoff agent", owner="U1")
    assert (account_of(till), account_of(ana)) == ("key:till", "runner:U1")
    assert (agent_of("key:till"), agent_of("runner:U1"), agent_of(RUNNER)) == ("till", "runner", "runner")


def test_the_budgets_that_hold_are_those_that_name_the_agent_and_the_house_s_own() -> None:
    tills, mail = Budget(agents=("till-*",), waiting=5), Budget(agents=("mail", "till-2"), waiting=2)
    assert holding([tills, mail], "till-2") == (tills, mail, HOUSE)
    assert holding([tills, mail], "mail") == (mail, HOUSE)
    assert holding([], "anything") == (HOUSE,)


def test_only_what_a_budget_speaks_of_is_looked_up() -> None:
    asks = Asks(most=30, per=timedelta(hours=1))
    found = wanted([HOUSE, Budget(agents=("*",), asks=asks, cool_off=THREE)])
    assert (found.most, found.rejected, found.same) == ((30,), timedelta(minutes=25), None)
    assert wanted([HOUSE]) == Wanted()


def test_a_budget_reads_as_a_sentence() -> None:
    asks = Asks(most=30, per=timedelta(hours=1))
    whole = Budget(agents=("*",), waiting=20, asks=asks, cool_off=THREE, same_again=timedelta(minutes=30))
    assert budget_in_words(whole) == (
        "at most 20 waiting; at most 30 asked within 1 hour; nothing new for 15 minutes after 3 rejections within"
        " 10 minutes; what was rejected not again for 30 minutes"
    )
