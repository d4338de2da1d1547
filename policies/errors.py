"""The one tree of errors. Each boundary (Slack, HTTP, command line) turns these into its own words by one table.

Every error carries ``code`` (stable, snake_case, documented) and ``words`` (one sentence a person can act on).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class SignoffError(Exception):
    """Root of everything that Signoff refuses or can't do."""

    code = "error"

    def __init__(self, words: str, *, code: str | None = None) -> None:
        super().__init__(words)
        self.words = words
        if code is not None:
            self.code = code


class Invalid(SignoffError):
    """What was sent is wrong. ``where`` points into it (a JSON pointer, or ``file:line:col``), empty for the whole."""

    code = "invalid"

    def __init__(self, words: str, *, where: str = "", code: str | None = None) -> None:
        super().__init__(words, code=code)
        self.where = where


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing wrong with arguments, a form or a policy: where it stands and what to do about it."""

    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.where}: {self.words}" if self.where else self.words


class Faulty(Invalid):
    """Several faults, all of them at once: a policy that doesn't load, arguments that don't fit their schema."""

    code = "faulty"

    def __init__(self, faults: tuple[Fault, ...], *, code: str | None = None) -> None:
        super().__init__("; ".join(str(fault) for fault in faults), code=code)
        self.faults = faults


class ConditionError(SignoffError):
    """A CEL condition that could not be evaluated to true or false."""

    code = "condition_error"


class NotFound(SignoffError):
    """No such thing, or not one that the asker may know of: both read the same."""

    code = "not_found"


class Unavailable(SignoffError):
    """Signoff can't answer safely now (Slack, disk or database). Nothing was approved."""

    code = "unavailable"

    def __init__(self, words: str, *, code: str | None = None, retry_after: int = 5) -> None:
        super().__init__(words, code=code)
        self.retry_after = retry_after


class OverBudget(Unavailable):
    """One more call of this agent isn't put before people now; ``budget`` names what is used up. Nothing was stored."""

    code = "rate_limited"

    def __init__(self, words: str, *, budget: str, code: str, retry_after: int) -> None:
        super().__init__(words, code=code, retry_after=retry_after)
        self.budget = budget


class Refused(SignoffError):
    """Well-formed, but it may not be done."""

    code = "refused"


class NotAllowed(Refused):
    """This person may not do this here; ``words`` say why."""

    code = "not_allowed"


class PhraseWrong(Refused):
    """The typed phrase isn't the one that the checkpoint demands."""

    code = "phrase_wrong"


class Stale(Refused):
    """The button or form belongs to an older revision than the one that stands now."""

    code = "stale_revision"


class Conflict(Refused):
    """The state doesn't admit this any more, or the same key came with another body."""

    code = "conflict"


class AlreadySettled(Conflict):
    """The request is over. Says who settled it, how and when; the late act changed nothing."""

    code = "already_settled"

    def __init__(self, words: str, *, verdict: str, by: tuple[str, ...], at: datetime) -> None:
        super().__init__(words)
        self.verdict = verdict
        self.by = by
        self.at = at
