"""How far a request's approvals go: which places they fill, and who is still waited for.

A person fills one place only, of a group to which they belonged when they approved; whoever joined by the ladder fills
any open one, a deputy those of the group that it stands in for. Among several ways to seat people the one that fills
most places counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from policies.checkpoint import Checkpoint
from policies.request import Request

Voice = Collection[str]
"""One person who approves: the names of the request's groups to which they belong."""


def is_met(request: Request) -> bool:
    """Have enough people approved the revision that stands, and every named group as often as it must?"""
    return reached(request) >= request.checkpoint.quorum


def reached(request: Request) -> int:
    """How many of the ``quorum`` approvals there are; those for which there is no place don't count."""
    return count(request.checkpoint, _joined(request), _voices(request))


def waiting_for(request: Request) -> tuple[str, ...]:
    """The named groups with a place that a further approval of theirs would fill."""
    joined, voices = _joined(request), _voices(request)
    slots = _slots(request.checkpoint)
    filled = _filled(slots, joined, voices)
    names = dict.fromkeys(slots)
    return tuple(name for name in names if _filled(slots, joined, [*voices, (name,)]) > filled)


def count(checkpoint: Checkpoint, joined: Voice, voices: Sequence[Voice]) -> int:
    """How many of the ``quorum`` approvals these ``voices`` are, once the groups called ``joined`` have joined."""
    slots = _slots(checkpoint)
    filled = _filled(slots, frozenset(joined) - frozenset(slots), voices)
    anybody = checkpoint.quorum - len(slots)
    return filled + min(len(voices) - filled, anybody)


def _slots(checkpoint: Checkpoint) -> list[str]:
    return [place.group.name for place in checkpoint.places for _ in range(place.count)]


def _joined(request: Request) -> Voice:
    """The groups that may fill any place; one that has places of its own keeps to them."""
    return {group.name for group in request.joined} - set(_slots(request.checkpoint))


def _voices(request: Request) -> list[Voice]:
    return [request.voice(review.groups) for review in request.approvals]


def _filled(slots: Sequence[str], joined: Voice, voices: Sequence[Voice]) -> int:
    """The most places that can be filled at once: a matching, grown by one augmenting path for each voice."""
    taken: dict[int, int] = {}

    def seat(voice: int, tried: set[int]) -> bool:
        for place, group in enumerate(slots):
            fits = group in voices[voice] or not frozenset(joined).isdisjoint(voices[voice])
            if not fits or place in tried:
                continue
            tried.add(place)
            if place not in taken or seat(taken[place], tried):
                taken[place] = voice
                return True
        return False

    return sum(seat(voice, set()) for voice in range(len(voices)))
