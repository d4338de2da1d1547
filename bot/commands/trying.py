"""``signoff policy test``: every failing case with what was expected, what came, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bot.commands.explaining import findings_in_words, winner_in_words
from bot.commands.policy import read_policy, read_text
from bot.commands.tables import columns, counted, one_line
from policies.cases import Trial, load_cases, try_case
from policies.errors import SignoffError
from policies.policy import Policy


def try_cases(path: Path, cases: Path, environment: str = "") -> str:
    """How many cases hold, in ``environment`` where a case doesn't say its own.

    Raises ``SignoffError`` with every failing one; ``Faulty`` where either file is wrong.
    """
    policy = read_policy(path)
    now = datetime.now(UTC)
    known = load_cases(read_text(cases), source=str(cases), policy=policy, now=now, environment=environment)
    trials = [try_case(policy, case) for case in known]
    failed = [trial for trial in trials if trial.misses]
    if failed:
        lines = [line for trial in failed for line in _in_words(policy, trial)]
        lines.append(f"{cases}: {len(failed)} of {counted(len(trials), 'case')} failed.")
        raise SignoffError("\n".join(lines))
    return f"{cases}: all {counted(len(trials), 'case')} came out as expected."


def _in_words(policy: Policy, trial: Trial) -> list[str]:
    case = trial.case
    rows = [(miss.what, f"expected {miss.expected}", f"but it is {miss.actual}") for miss in trial.misses]
    return [
        f"{case.where}: {one_line(case.name)}",
        *columns(rows),
        f"  {winner_in_words(policy, trial.explanation)}",
        *(f"  {line}" for line in findings_in_words(trial.explanation)),
    ]
