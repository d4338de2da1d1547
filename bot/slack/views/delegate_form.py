"""The form in which a reviewer asks somebody else to decide."""

from __future__ import annotations

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.views import words
from bot.slack.views.blocks import Block, entry, named, plain, section
from bot.slack.views.look import Look
from bot.slack.views.modals import modal
from bot.slack.views.text import clip, one_line
from policies.delegating import LONGEST_NOTE, whom_to_ask
from policies.people import Person
from policies.request import Request


def delegate_form(request: Request, person: Person, look: Look, memo: Memo, note: str = "") -> Block:
    """Ask whom ``person`` wants to ask, with a ``note`` to begin with."""
    did = "answered" if request.asking else "decided"
    about = f"{words.subject(request, look)} waits to be {did}. Whom you ask gets its card as a direct message."
    note_field: Block = {
        "type": "plain_text_input",
        "action_id": ids.ENTRY,
        "max_length": LONGEST_NOTE,
        **({"initial_value": note[:LONGEST_NOTE]} if note else {}),
    }
    over: Block = {"type": "checkboxes", "action_id": ids.ENTRY, "options": [_HAND_OVER]}
    blocks = [
        section(plain(clip(about, 1_000))),
        entry(
            "Who should decide?",
            ids.PERSON,
            {"type": "users_select", "action_id": ids.ENTRY, "placeholder": plain("Choose a person")},
            hint=clip(f"{one_line(whom_to_ask(request, person), look.key, 500)} The policy names them.", 600),
        ),
        entry(
            "A word to them", ids.REASON, note_field, hint="Everybody who sees the card sees this too.", optional=True
        ),
        entry("Your own say", ids.HAND_OVER, over, optional=True),
    ]
    return modal(ids.DELEGATE_FORM, "Ask someone else", memo, named(blocks, f"d{request.revision}"), "Ask")


_HAND_OVER: Block = {
    "text": plain("I step back from this one and won't approve it"),
    "description": plain("You may still reject it."),
    "value": "yes",
}
