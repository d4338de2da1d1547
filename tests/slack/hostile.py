"""``python -m tests.slack.hostile --calls 100000``: calls made to deceive, each looked at as intake, card and row.

What is proven of each: intake takes or refuses it; the workspace takes its card; nothing in the card is live or
invisible; no secret stands in it; what has no place takes Approve away, and what has one stands there whole, every
hidden character marked and told of; and the stored row gives back a call of the same digest. Of every second one the
same is proven of another place where words go (see ``hostile_places``, ``hostile_gatherings``).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator

from bot.slack import ids
from bot.slack.views.card import card
from bot.slack.views.look import Message
from bot.slack.views.text import WHOLE
from policies.arguments import MAX_BYTES, canonical, digest, intake
from policies.checkpoint import Kind
from policies.display import display
from policies.errors import Invalid
from policies.redaction import redact
from policies.request import Request
from storage.rows import REQUEST
from tests.slack.hostile_gatherings import ABOUT_MANY
from tests.slack.hostile_laws import check
from tests.slack.hostile_places import ABOUT_ONE
from tests.slack.hostile_words import a_call, said
from tests.slack.judging import texts
from tests.slack.samples import KEY, LOOK, ask, checkpoint

MARK = re.compile(r"⟨(?:U\+[0-9A-F]{4,6}|([0-9]+) (?:spaces|blank lines|combining marks)[^⟩]*)⟩")
PLACES = (*ABOUT_ONE, *ABOUT_MANY)
KINDS = (Kind.HARD, Kind.MANUAL, Kind.SOFT, Kind.INBOX)


def outcome(dice: random.Random, elsewhere: float) -> Iterator[str]:
    """Make a call and look at it: ``refused``, ``shown``, or ``cut``; then the other place, if one was looked at.

    Raises ``AssertionError`` at a broken promise.
    """
    raw = a_call(dice)
    try:
        arguments = dict(intake(raw))
    except Invalid:
        yield "refused"
        return
    assert len(canonical(arguments)) <= MAX_BYTES
    gate = checkpoint(dice.choice(KINDS))
    request = ask(arguments, gate, reason=said(dice, 8_000) if dice.random() < 0.3 else None)
    message = card(request, LOOK)
    check(message)
    _honest(request, message)
    _exact(request)
    yield "cut" if message.cut else "shown"
    if dice.random() < elsewhere:
        place = dice.choice(PLACES)
        for shown in place(dice, arguments):
            check(shown)
        yield place.__name__


def _honest(request: Request, message: Message) -> None:
    buttons = {
        element["action_id"] for block in message.blocks for element in block.get("elements", ()) if "value" in element
    }
    assert (ids.VIEW in buttons) == message.cut
    assert not (message.cut and ids.APPROVE in buttons)
    if not message.cut:
        _whole(request, "\n".join(text for _, text in texts(list(message.blocks))))


def _whole(request: Request, seen: str) -> None:
    """All texts stand there, each hidden character as its mark, and the card says how many there are."""
    found = redact(dict(request.call.arguments), key=KEY).value
    assert isinstance(found, dict)
    flat = _flat(seen)
    for name, value in found.items():
        if isinstance(value, str) and value:
            forms = (
                value,
                json.dumps(value, ensure_ascii=False),
                json.dumps({name: value}, ensure_ascii=False, indent=2),
            )
            shown = next(
                (one for form in forms if _flat((one := display(form, key=KEY, limit=WHOLE)).text) in flat), None
            )
            assert shown is not None, value
            assert sum(int(many or 1) for many in MARK.findall(shown.text)) >= shown.invisible, value
            assert not shown.warnings or "⚠️" in seen, shown.warnings


def _flat(text: str) -> str:
    """Without line ends, and without the labels between the blocks that a long text takes."""
    return re.sub(r"[^\n]*\(part [0-9]+ of [0-9]+\)\n", "", text).replace("\n", "")


def _exact(request: Request) -> None:
    kept = REQUEST.load(REQUEST.dump(request))
    again = digest(
        tool=kept.call.tool, arguments=dict(kept.call.arguments), revision=kept.revision, requester=kept.requester.id
    )
    assert again == kept.digest == request.digest


def look_at(calls: int, seed: int = 0, elsewhere: float = 0.5) -> Counter[str]:
    """How so many calls came out, and how often each other place was looked at, with the chance ``elsewhere`` each.

    The same ``seed`` makes the same calls.
    """
    found: Counter[str] = Counter()
    for number in range(calls):
        try:
            found.update(outcome(random.Random(f"{seed}-{number}"), elsewhere))
        except Exception as error:
            error.add_note(f"the call of seed {seed}-{number}")
            raise
    return found


def main() -> None:
    """Look at many, and say how they came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.slack.hostile", description="Calls made to deceive.")
    parser.add_argument("--calls", type=int, default=100_000, help="how many (default 100000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other calls")
    parser.add_argument(
        "--elsewhere", type=float, default=0.5, help="how many of them in other places too (default 0.5)"
    )
    options = parser.parse_args()
    started = time.monotonic()
    found = look_at(options.calls, options.seed, options.elsewhere)
    print(f"{options.calls} calls in {time.monotonic() - started:.0f} s: {dict(found)}; every promise kept")


if __name__ == "__main__":
    main()
