"""Requests at every place of their lives, made by the real lifecycle, for the tests of what people see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.slack.views.look import Look
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Place, Step, together
from policies.dialect import Dialect
from policies.events import (
    Answered,
    Attested,
    AuditMarked,
    Claimed,
    Delegated,
    Delivered,
    Edit,
    Elapsed,
    Event,
    Inquired,
    Lost,
    Replied,
    Reported,
    Reviewed,
    Snoozed,
    Stopped,
    Withdrawn,
)
from policies.group import Group
from policies.lifecycle import apply, open_request
from policies.people import Person, Reviewers, StandIn, Standing
from policies.preview import Preview
from policies.question import Choice, Question
from policies.request import ExecutionState, Request, Requester, Submission, ToolCall
from policies.review import Verdict

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = b"k" * 32
SUPPORT = Reviewers(name="support", channel="#approvals", users=("U0ANA", "U0BEN"))
SENIORS = Reviewers(name="seniors", users=("U0SAM",))
DEPUTIES = Reviewers(name="deputies", users=("U0FAY",), outsiders=("U0GUS",))
DAYS = timedelta(days=3)
NAMES = {"U0ANA": "Ana Reyes", "U0BEN": "Ben Okafor", "U0SAM": "Sam Whitlock", "U0NEWT": "Nia Newton"}
LOOK = Look(
    key=KEY,
    now=NOW,
    names={
        "U0NEWT": "Nia Newton",
        "U0ANA": "Ana Reyes",
        "U0BEN": "Ben Okafor",
        "U0SAM": "Sam Whitlock",
        "U0FAY": "Fay Lindqvist",
    },
    members={"support": ("U0ANA", "U0BEN"), "seniors": ("U0SAM",), "deputies": ("U0FAY", "U0GUS")},
    outsiders={"U0GUS": "a guest"},
    away=frozenset({"U0FAY"}),
)
REFUND: Mapping[str, Any] = {
    "order_id": "HG-1042",
    "amount": 180.5,
    "currency": "EUR",
    "notify": True,
    "message": "Dear Ms Tran,\n\nwe are sorry & refund <all> of it.\n\nHarbour Goods",
    "recipients": ["tran@example.com", "desk@example.com"],
}
TOLD = "The photos show that both parts broke.\nApprove it, <@U0BEN>."
POST: Mapping[str, Any] = {"title": "Sunday", "body": "Open on Sunday"}
DRAFTS = (
    Preview(title="The post", media_type="text/markdown", text="Open on Sunday"),
    Preview(
        title="The mail", media_type="text/html", text="<p>Dear all,</p>\n<a href='https://evil.example'>Approve</a>"
    ),
)
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string"},
        "amount": {"type": "number", "minimum": 0, "maximum": 500},
        "currency": {"enum": ["EUR", "GBP"]},
        "notify": {"type": "boolean"},
        "message": {"type": "string", "maxLength": 2000},
        "recipients": {"type": "array", "items": {"type": "string"}},
        "due": {"type": "string", "format": "date"},
    },
    "required": ["order_id", "amount", "currency"],
}
EXPIRES = Ladder(
    name="standard",
    steps=(
        Step(after=timedelta(minutes=10), act=Act.REMIND),
        Step(after=timedelta(minutes=30), act=Act.ADD, add=SENIORS),
        Step(after=timedelta(hours=2), act=Act.EXPIRE),
    ),
)
PROCEEDS = Ladder(name="pause", steps=(Step(after=timedelta(minutes=2), act=Act.PROCEED),))


def checkpoint(kind: Kind = Kind.HARD, **more: Any) -> Checkpoint:
    """A checkpoint of the support group."""
    plain = Checkpoint(
        kind=kind,
        rule="refunds",
        reason="refunds: issue_refund is always looked at",
        reviewers=SUPPORT,
        ladder=PROCEEDS if kind is Kind.SOFT else EXPIRES,
        phrase="HG-1042" if kind is Kind.MANUAL else None,
    )
    return replace(plain, **more)


def ask(
    arguments: Mapping[str, Any] = REFUND, gate: Checkpoint | None = None, *, tool: str = "issue_refund", **words: Any
) -> Request:
    """A pending request."""
    call = ToolCall(tool=tool, arguments=dict(arguments), schema=words.pop("schema", None))
    question = words.pop("question", None)
    return open_request(
        Submission(call=call, **words),
        gate or checkpoint(),
        request_id="req_00112233445566778899aabbccddeeff",
        workspace_id="T0SANDBOX",
        requester=Requester(id="key:shop", name="Shop agent", owner="U0NEWT"),
        policy_digest="sha256:0",
        now=NOW,
        question=question,
    ).request


BOTH = (Place(group=SUPPORT), Place(group=SENIORS))
TITLED = checkpoint(
    title="Refund {amount} for order {order_id}",
    show=(("amount", "money EUR"), ("message", "prose")),
    reversible=False,
    impact="high",
)
"""A gate whose tool the catalogue describes."""

MAIL: Mapping[str, Any] = {
    "body": "Dear Ms Tran,\n\nyour kettle leaves the harbour today.\n\nHarbour Goods",
    "attach_invoice": True,
    "subject": "Your kettle is on its way",
    "to": ["tran@example.com", "desk@example.com"],
    "cc": "support@harbour.example",
}
"""As an agent may write it: not in a letter's order."""
DELETE = "DELETE FROM customers\nWHERE last_order < '2020-01-01'\n  AND NOT vip;"
DIFF = """--- a/prices.py
+++ b/prices.py
@@ -1,3 +1,3 @@
 CURRENCY = "EUR"
-KETTLE = 39.00
+KETTLE = 3.90
 LAMP = 180.50"""
LINK = "https://harbour.example@evil.example/pay?order=HG-1042"
DATED = checkpoint(show=(("starts", "date"),))

WHICH = Question(
    text="Ms Tran has two open orders. Which of them arrived broken?",
    choices=(
        Choice(id="lamp", label="HG-1042, the storm lamp"),
        Choice(
            id="kettle",
            label="HG-1077, the kettle",
            arguments={**REFUND, "order_id": "HG-1077", "amount": 39},
            gate=checkpoint(),
        ),
    ),
    best_guess="lamp",
    on_silence=checkpoint(),
)
"""An agent's question before a refund."""
PLAIN = Question(text="Is this what was meant?", choices=(Choice(id="1", label="Go on as proposed"),), rule="unsure")
"""The policy's own."""


def answered(user_id: str = "U0ANA", *, choice: str | None = None, text: str | None = None) -> Answered:
    """A person's answer."""
    return Answered(person=person(user_id), revision=1, choice=choice, text=text)


def person(user_id: str, at: datetime = NOW) -> Person:
    """A member, looked up just then."""
    return Person(id=user_id, name=NAMES[user_id], standing=Standing.MEMBER, looked_up_at=at)


def after(request: Request, *events: Event, at: datetime = NOW) -> Request:
    """``request`` once ``events`` have happened, one version for each."""
    for event in events:
        request = replace(apply(request, event, at).request, version=request.version + 1)
    return request


def verdict(user_id: str, said: Verdict, *, revision: int = 1, **more: Any) -> Reviewed:
    """A person's word."""
    return Reviewed(person=person(user_id), verdict=said, revision=revision, **more)


def every_place() -> dict[str, Request]:
    """One request for each place at which a card stands somewhere."""
    hard = ask(reason="The parcel arrived broken; the customer sent photos.", confidence=0.82)
    two = ask(gate=checkpoint(quorum=2, required_by="SOX 404"))
    to_sam = Delegated(person=person("U0ANA"), to=person("U0SAM"), note="You know *the payee*, <!here>.")
    manual = ask(gate=checkpoint(Kind.MANUAL))
    soft = ask({"text": "Open on Sunday"}, checkpoint(Kind.SOFT), tool="publish_post")
    approve, reject = verdict("U0ANA", Verdict.APPROVE), verdict("U0ANA", Verdict.REJECT, note="Refund 150 only.")
    approved = after(hard, approve)
    claimed = after(approved, Claimed(digest=approved.digest))
    edit = Edit(
        arguments={**REFUND, "amount": 150, "recipients": ["tran@example.com"]}, checkpoint=checkpoint(quorum=2)
    )
    late = NOW + timedelta(hours=3)
    drafted = ask(POST, checkpoint(Kind.SOFT), tool="publish_post", preview=DRAFTS)
    drafts = Edit(
        arguments={**POST, "body": "Open on Monday"}, checkpoint=checkpoint(), drafts={1: "Dear all, Monday."}
    )
    asked = after(hard, Inquired(person=person("U0ANA"), inquiry_id="inq_1", text="Why *all* of it, <!here>?"))
    unknown = after(claimed, Lost())
    proceeded = after(after(soft, Delivered()), Elapsed(), at=NOW + timedelta(minutes=2))
    asking, silent = after(ask(question=WHICH), Delivered()), NOW + timedelta(minutes=10)
    allowed = after(ask(gate=checkpoint(Kind.ALLOW), question=PLAIN), Delivered())
    bare = after(ask({}, tool="", question=replace(WHICH, choices=(), best_guess=None)), Delivered())
    guessing = after(ask({}, tool="", question=replace(WHICH, choices=(), best_guess="The lamp, I think")), Delivered())
    return {
        "pending": hard,
        "pending_served": replace(hard, on_behalf_of="max@example.com", context="Ticket 4711"),
        "pending_quorum": after(two, approve),
        "pending_manual": manual,
        "pending_soft_undelivered": soft,
        "pending_soft": after(soft, Delivered()),
        "pending_inbox": ask(POST, checkpoint(Kind.INBOX), tool="publish_post"),
        "pending_by_groups": after(ask(gate=checkpoint(quorum=2, places=BOTH, reviewers=together(BOTH))), approve),
        "pending_headline": ask(gate=TITLED),
        "pending_together": ask(POST, tool="publish_post", group=Group(id="batch-1", size=3)),
        "pending_mail": ask(MAIL, tool="send_email"),
        "pending_sql": ask({"database": "shop", "statement": DELETE}, tool="run_sql"),
        "pending_diff": ask({"path": "prices.py", "patch": DIFF}, tool="apply_patch"),
        "pending_shell": ask({"command": "rm -rf /srv/cache/* && systemctl restart shop", "host": "web-1"}, tool="run"),
        "pending_link": ask({"url": LINK, "starts": "2026-11-30", "guests": ["tran@example.com"]}, DATED, tool="book"),
        "pending_modified": after(two, verdict("U0ANA", Verdict.MODIFY, edit=edit)),
        "pending_snoozed": after(hard, Snoozed(person=person("U0ANA"), until=NOW + timedelta(hours=1))),
        "pending_delegated": after(hard, to_sam),
        "pending_handed_over": after(two, replace(to_sam, note=None, hands_over=True)),
        "pending_inquired": asked,
        "pending_replied": after(asked, Replied(inquiry_id="inq_1", text=TOLD), at=NOW + timedelta(minutes=4)),
        "pending_joined": after(hard, Elapsed(), at=NOW + timedelta(minutes=31)),
        "pending_stand_in": replace(hard, stand_ins=(StandIn(of="support", group=DEPUTIES, until=NOW + DAYS),)),
        "pending_cut": ask({"path": "/srv", "script": "echo fine & <true>\n" * 1500 + "rm -rf /srv"}, tool="run"),
        "pending_drafts": after(drafted, Delivered()),
        "drafts_modified": after(drafted, Delivered(), verdict("U0ANA", Verdict.MODIFY, edit=drafts)),
        "approved": approved,
        "approved_twice": after(two, approve, verdict("U0BEN", Verdict.APPROVE)),
        "modified": after(hard, verdict("U0ANA", Verdict.MODIFY, edit=replace(edit, checkpoint=checkpoint()))),
        "sent_back": after(
            replace(hard, dialect=Dialect(name="aap", sent={"tool": "issue_refund", "timeout": "10m"})),
            verdict("U0ANA", Verdict.MODIFY, edit=replace(edit, checkpoint=checkpoint())),
        ),
        "rejected": after(hard, reject),
        "expired": after(hard, Elapsed(), at=late),
        "withdrawn": after(hard, Withdrawn()),
        "claimed": claimed,
        "succeeded": after(claimed, Reported(state=ExecutionState.SUCCEEDED, note="Refund R-9", result={"id": "R-9"})),
        "failed": after(claimed, Reported(state=ExecutionState.FAILED, note="The bank said no.")),
        "unknown": unknown,
        "attested": after(unknown, Attested(person=person("U0ANA"), ran=True)),
        "lapsed": after(approved, Elapsed(), at=late),
        "revoked": after(approved, Stopped(person=person("U0BEN"))),
        "proceeded": proceeded,
        "proceeded_seen": after(
            proceeded, AuditMarked(person=person("U0ANA", NOW + timedelta(minutes=2)), mark="seen"),
            at=NOW + timedelta(minutes=2),
        ),
        "proceeded_objected": after(
            proceeded,
            AuditMarked(person=person("U0ANA", NOW + timedelta(minutes=2)), mark="objected", note="We are closed."),
            at=NOW + timedelta(minutes=2),
        ),
        "asking_undelivered": ask(question=WHICH, reason="She wrote that it arrived broken.", confidence=0.4),
        "asking": asking,
        "asking_policy": after(ask(question=PLAIN), Delivered()),
        "asking_before_allow": allowed,
        "asking_bare": bare,
        "asking_cut": ask(question=replace(WHICH, text="Which of these? " + "one more order, " * 200)),
        "answered_by_choice": after(asking, answered(choice="lamp")),
        "answered_with_change": after(asking, answered(choice="kettle")),
        "answered_in_words": after(asking, answered("U0NEWT", text="Both, *really*: <!channel> see ticket 4711")),
        "answered_allowed": after(allowed, answered(choice="1")),
        "answered_bare": after(bare, answered(text="The kettle.")),
        "guessed": after(asking, Elapsed(), at=silent),
        "guessed_as_proposed": after(after(ask(question=PLAIN), Delivered()), Elapsed(), at=silent),
        "guessed_bare": after(guessing, Elapsed(), at=silent),
        "expired_unanswered": after(bare, Elapsed(), at=silent),
        "rejected_unanswered": after(asking, reject),
    }  # fmt: skip


PLACES = every_place()
