"""The names that Signoff's buttons, forms and messages carry, and what a button's value says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from policies.errors import Invalid

APPROVE = "signoff.approve"
MODIFY = "signoff.modify"
REJECT = "signoff.reject"
STOP = "signoff.stop"
VIEW = "signoff.view"
PREVIOUS = "signoff.page.previous"
NEXT = "signoff.page.next"
RAN = "signoff.ran"
DIDNT_RUN = "signoff.didnt_run"
SEEN = "signoff.seen"
OBJECT = "signoff.object"
ANSWER = "signoff.answer"
"""Beginning of the ``action_id`` of a choice's button; its place follows, since ids in one row must differ."""
ANSWER_WORDS = "signoff.answer_words"
STOP_RUN = "signoff.stop_run"
SNOOZE_HOUR = "signoff.snooze.hour"
SNOOZE_MORNING = "signoff.snooze.morning"
WAKE = "signoff.wake"
INQUIRE = "signoff.inquire"
DELEGATE = "signoff.delegate"
GRANT = "signoff.grant"
TERMS = "signoff.terms"
"""``action_id`` of the fields that say how far a grant reaches: each change of one draws the form anew."""
REVOKE = "signoff.revoke"
ADD = "signoff.edit.add"
REMOVE = "signoff.edit.remove"
CHOOSE = "signoff.edit.choose"
AS_JSON = "signoff.edit.as_json"
HOME_SHOW = "signoff.home.show"
HOME_SEARCH = "signoff.home.search"
HOME_PREVIOUS = "signoff.home.previous"
HOME_NEXT = "signoff.home.next"
HOME_RESET = "signoff.home.reset"
ROW = "signoff.row."
"""Prefix of the buttons of a pending row in a message that shows several requests."""
ROW_APPROVE = f"{ROW}approve"
ROW_STOP = f"{ROW}stop"
ROW_VIEW = f"{ROW}view"
IDENTICAL = f"{ROW}identical"
REJECT_IDENTICAL = f"{ROW}reject"
TOGETHER = f"{ROW}together"
"""Beginning of the ``action_id`` of the button for all calls of a rule; its place among several follows."""
LISTED = "signoff.listed"
"""Opens a request of a digest: the message in which it is pressed is no card of that request."""
INBOX = "signoff.inbox"
MORE = "signoff.more"
"""The menu of a pending card. Its options name, by the verbs of ``VERBS``, the actions that have no button there."""
VERBS = {"view": VIEW, "grant": GRANT, "hour": SNOOZE_HOUR, "morning": SNOOZE_MORNING, "wake": WAKE, "ask": INQUIRE}

OPEN = "signoff.open"
"""``callback_id`` of the shortcut in a message's menu; ``manifest.yml`` names it too."""

VIEW_FORM = "signoff.form.view"
REJECT_FORM = "signoff.form.reject"
ANSWER_FORM = "signoff.form.answer"
OBJECT_FORM = "signoff.form.object"
INQUIRY_FORM = "signoff.form.inquiry"
DELEGATE_FORM = "signoff.form.delegate"
MODIFY_FORM = "signoff.form.modify"
GRANT_FORM = "signoff.form.grant"
TOGETHER_FORM = "signoff.form.together"
JSON_FORM = "signoff.form.json"
NOTICE_FORM = "signoff.form.notice"

PHRASE = "phrase"
REASON = "reason"
ANSWER_TEXT = "answer"
INQUIRY = "inquiry"
PERSON = "person"
HAND_OVER = "hand_over"
ENTRY = "value"
"""``action_id`` of every input; the ``block_id`` names the field."""
FIELD = "field:"
"""Prefix of the ``block_id`` of a Modify field; its id in the form follows."""
JSON = "json"
"""``block_id`` of the field that holds a whole call as JSON."""

LASTS = "lasts"
MOST = "most"
SAME = "same:"
"""Prefix of the ``block_id`` of the boxes that say what must stay as it is; the number of the group follows."""

EVENT_TYPE = "signoff_request"
"""``event_type`` of the metadata that marks a card."""
RUN_TYPE = "signoff_run"
"""``event_type`` of the metadata that marks a message of a run."""
DIGEST_TYPE = "signoff_digest"
"""``event_type`` of the metadata that marks a digest."""

_PLACE = re.compile(r"[0-9npv/]{1,80}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a button is about: one revision of a request, and the page to turn to or the choice's place (from 0)."""

    request_id: str
    revision: int
    page: int = 0

    def __str__(self) -> str:
        return f"{self.request_id}:{self.revision}:{self.page}" if self.page else f"{self.request_id}:{self.revision}"


def target(value: str) -> Target:
    """The target that a button's value names. Raises ``Invalid`` for anything that Signoff didn't write."""
    request_id, *numbers = value.split(":")
    if not request_id or not 1 <= len(numbers) <= 2 or not all(_is_number(number) for number in numbers):
        raise Invalid("This button isn't one of Signoff's. Open the request again from /approvals.")
    return Target(request_id=request_id, revision=int(numbers[0]), page=int(numbers[1]) if len(numbers) == 2 else 0)


def option(verb: str, about: Target) -> str:
    """The value of a menu's option: ``verb:request_id:revision``, the verb being one of ``VERBS``."""
    return f"{verb}:{about}"


def chosen(value: str) -> tuple[str, str]:
    """The action that a menu's option stands for and the value of its button.

    Raises ``Invalid`` for anything that Signoff didn't write.
    """
    verb, _, about = value.partition(":")
    if verb not in VERBS:
        raise Invalid("This menu belongs to another version of Signoff. Open the request again from /approvals.")
    return VERBS[verb], str(target(about))


def place(value: str) -> str:
    """The place in a form that the value of one of its buttons names, after the target. Raises ``Invalid``."""
    found = value.rpartition(":")[2]
    if not _PLACE.fullmatch(found):
        raise Invalid("This button isn't one of Signoff's. Open the request again from /approvals.")
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
