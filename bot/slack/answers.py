"""One table from what went wrong to what the person is told, always in private."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.views import action, words
from bot.slack.views.look import Look, moment
from bot.slack.views.text import clip, inert, one_line, shown
from policies.errors import AlreadySettled, Fault, Faulty, SignoffError, Stale
from policies.request import Request
from policies.review import Verdict

LONGEST = 2_500
"""Escaped characters of what is told; a section takes 3,000."""
MOST_FAULTS = 10
MEANWHILE = 6
"""Changes that a form names which somebody else has made in the meantime."""
UNEXPECTED = (
    "Signoff could not do this just now. Look at the card to see where the request stands, then try again; "
    "if it keeps happening, tell whoever runs Signoff."
)
CUT = "The card doesn't show the whole call, so it can't be approved from here. Open “View all” first."
ROW_CUT = "This row doesn't show the whole call, so it can't be approved from here. Press “Open” first."
MODIFY_CUT = (
    "Saving a change approves the whole call, and its form can't show all of it. "
    "Open “View all”, turn to the last page, and press Modify there."
)
READ_IT = "Nobody reads that fast, so nothing was approved. If you have read it all, press Approve again."
NOT_YOURS = "Only its reviewers, and the person whom it serves, can see all of this request; nothing was changed."
QUESTION_CUT = "The card doesn't show the whole question. Open “View all” to read it and answer there."
MORE_THAN_ONCE = "it was changed more than once, look at the card"
UNTOUCHED = "Nothing was changed here; use Approve to approve the call as it is"


def sentence(error: Exception, look: Look, request: Request | None = None) -> str:
    """What the person is told about ``error``, in mrkdwn with everything foreign made inert."""
    if isinstance(error, AlreadySettled):
        return _late(error, look, request)
    if isinstance(error, Stale):
        return f"{_inert(error.words, look.key)} Nothing was changed."
    if isinstance(error, Faulty):
        found = error.faults[:MOST_FAULTS]
        return "\n".join(f"• {_inert(str(fault), look.key, LONGEST // len(found) - 3)}" for fault in found)
    return _inert(error.words, look.key) if isinstance(error, SignoffError) else UNEXPECTED


def _late(error: AlreadySettled, look: Look, request: Request | None) -> str:
    if error.by == ("silence",):
        became = {"approved": "went ahead, since nobody stopped it,", "answered": "went unanswered"}.get(
            error.verdict, "expired"
        )
        return f"This {became} {moment(error.at)}; nothing was changed."
    if error.by == ("requester",):
        return f"The agent took this back {moment(error.at)}; nothing was changed."
    if words.is_grant(error.by):
        return f"This went ahead under a grant {moment(error.at)}; nothing was changed."
    if error.by == ("policy",):
        return f"The policy settled this {moment(error.at)}; nothing was changed."
    who = inert(words.people(error.by, look, request))
    return f"{who} {error.verdict} this {moment(error.at)}; nothing was changed."


def _inert(text: str, key: bytes, limit: int = LONGEST) -> str:
    return inert(clip(shown(text, key).text, limit))


def at_field(fault: Fault, key: bytes) -> str:
    """A fault as it stands under its field in a form; plain text. ``key`` is that of the redaction's hashes."""
    return clip(shown(fault.words, key).text, 250) or "This doesn't fit."


def at_text(error: Faulty, key: bytes) -> str:
    """Faults as they stand under the field that holds the whole call; each says where in the call it is."""
    return clip(shown("; ".join(map(str, error.faults[:5])), key).text, 500)


def meanwhile(request: Request, revision: int, lost: Sequence[str], look: Look) -> str:
    """Why the form of an older ``revision`` comes back, in mrkdwn: who saved what, and what must be entered again."""
    before = request.arguments_at(revision)
    made_by = [review for review in request.reviews if review.verdict in (Verdict.MODIFY, Verdict.ANSWER)]
    who = one_line(made_by[-1].name, look.key, 60) if made_by else "Somebody"
    did = "answered the question" if made_by and made_by[-1].verdict is Verdict.ANSWER else "saved a change"
    lines = action.compared(before, request.call.arguments, look) if before is not None else [MORE_THAN_ONCE]
    lines += action.redrawn(request, look)
    made = [one_line(line, look.key, 200) for line in lines]
    more = f", and {len(made) - MEANWHILE} more" if len(made) > MEANWHILE else ""
    said = f"{who} {did} meanwhile, so this is revision {request.revision} by now: "
    said += f"{'; '.join(made[:MEANWHILE]) or 'the same arguments'}{more}. "
    said += "What you entered stands below, over theirs; nothing of it is saved yet. Look again, then save."
    again = "; ".join(one_line(label, look.key, 80) for label in lost[:MEANWHILE])
    return inert(f"{said} Enter again what could not be carried over: {again}." if again else said)
