"""A person's own numbers, in words, for nobody but them."""

from __future__ import annotations

from collections.abc import Iterator

from bot.slack.views.text import roughly
from policies.inbox import Numbers

PRIVATE = "Signoff shows these numbers to nobody but you."


def figures(found: Numbers) -> Iterator[str]:
    """The numbers as sentences; mrkdwn."""
    if not found.decided:
        yield "You decided nothing in the last 30 days."
        return
    typically = f", typically within *{roughly(found.typical)}*" if found.typical is not None else ""
    shares = [f"approved *{_share(found.unchanged, found)}* of them as proposed"]
    shares += [f"changed *{_share(found.edited, found)}*"] if found.edited else []
    shares += [f"rejected *{_share(found.rejected, found)}*"] if found.rejected else []
    yield f"In the last 30 days you decided *{_requests(found.decided)}*{typically}; you {_listed(shares)}."
    if found.to_open is not None and found.to_decide is not None:
        after = f"typically *{roughly(found.to_open)}* after they came, and decided *{roughly(found.to_decide)}* later"
        yield f"You opened *{found.opened}* of them whole, {after}."
    if found.asked_back:
        times = "Once" if found.asked_back == 1 else f"*{found.asked_back}* times"
        yield f"{times} you were asked back, since you approved faster than one can read."
    if found.after_hours:
        yield f"You decided *{found.after_hours}* of them before 7:00, after 19:00 or at a weekend, by your clock."


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"


def _share(count: int, found: Numbers) -> str:
    return f"{round(100 * count / found.decided)} %"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
