"""A law that can't go red proves nothing: each is played once as it is, and once with its bug planted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

Machine = TypeVar("Machine", bound=Any)
Plant = Callable[[pytest.MonkeyPatch], None]


@contextmanager
def opened(kind: type[Machine]) -> Iterator[Machine]:
    """A state machine with its store, outside of Hypothesis."""
    machine = kind()
    machine.open_store()
    yield machine
    machine.teardown()


def goes_red(
    machine: Machine, plant: Plant, play: Callable[[Machine], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``play`` keeps all laws; with the bug planted, the law that speaks in ``words`` is broken."""
    play(machine)
    machine.laws_hold()
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=words):  # noqa: PT012 - the play or the check after it
        play(machine)
        machine.laws_hold()
