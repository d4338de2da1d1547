"""The order in which cards leave for a channel: nobody's waits behind all of another agent's."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.lanes import in_turn
from policies.effects import Effect, PostCard, Refresh
from storage.columns import EPOCH
from storage.store import Owed

AGENTS = st.lists(st.sampled_from("abc"), max_size=20)


def owed(number: int, effect: Effect) -> Owed:
    return Owed(id=number, effect=effect, attempts=0, due_at=EPOCH, started_at=None)


def cards(accounts: str | list[str]) -> list[Owed]:
    """A card for each letter, on the account that it names."""
    made = (PostCard(request_id=f"r{number}", to="#a", account=account) for number, account in enumerate(accounts))
    return [owed(number, card) for number, card in enumerate(made)]


def letters(waiting: list[Owed]) -> str:
    return "".join(each.effect.account for each in waiting if isinstance(each.effect, PostCard))


def test_a_calm_agent_comes_after_one_card_of_a_flood_and_not_after_all() -> None:
    assert letters(in_turn(cards("aaaaaab"))) == "abaaaaa"
    assert letters(in_turn(cards("aaaaaab"), after=cards("a")[0])) == "baaaaaa"
    assert letters(in_turn(cards("aaabbc"))) == "abcaba"


@given(AGENTS)
def test_nothing_is_lost_and_each_agents_cards_keep_their_order(accounts: list[str]) -> None:
    waiting = cards(accounts)
    ordered = in_turn(waiting)
    assert sorted(each.id for each in ordered) == [each.id for each in waiting]
    for account in "abc":
        ids = [each.id for each in ordered if letters([each]) == account]
        assert ids == sorted(ids)


@given(AGENTS)
def test_before_an_agents_next_card_every_other_that_waits_has_had_one(accounts: list[str]) -> None:
    had: Counter[str] = Counter()
    left = Counter(accounts)
    for account in letters(in_turn(cards(accounts))):
        assert all(had[account] <= had[other] for other in left if left[other])
        had[account] += 1
        left[account] -= 1


def test_what_is_no_card_stays_in_its_order() -> None:
    waiting = [owed(number, Refresh(request_id=f"r{number}")) for number in range(5)]
    assert in_turn(waiting) == waiting
    assert in_turn(waiting, after=waiting[0]) == waiting
