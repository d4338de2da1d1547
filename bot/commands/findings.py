"""What ``signoff doctor`` finds: one line each, and whether it is right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a finding reads at the start of its line."""

    GOOD = "ok"
    CARE = "warn"
    BAD = "FAIL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do where it isn't right."""

    mark: Mark
    words: str


def good(words: str) -> Finding:
    """In order."""
    return Finding(mark=Mark.GOOD, words=words)


def care(words: str) -> Finding:
    """Works, and wants a look."""
    return Finding(mark=Mark.CARE, words=words)


def bad(words: str) -> Finding:
    """Would stop a decision, or a run."""
    return Finding(mark=Mark.BAD, words=words)
