"""What somebody probably meant who misspelt a name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` where a known name is close, else nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` where a known name is close, else the names there are, else nothing."""
    names = sorted(known)
    if close := nearest(word, names):
        return close
    return f"; there is {', '.join(names[:12])}" + (" and more" if len(names) > 12 else "") if names else ""
