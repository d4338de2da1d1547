"""Examples of what is sent and answered; the answers are made by the policies' own steps, so they can't be wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.api.aap.asks import SubmissionBody
from bot.api.aap.shows import shown as aap_shown
from bot.api.codes import CODES
from bot.api.hooks import HookEvent, allowed
from bot.api.models import GroupOut, RequestOut, RequestsOut
from bot.api.problems import NO_SUCH_REQUEST, problem_of
from policies.checkpoint import Checkpoint, Kind
from policies.errors import Fault
from policies.events import Claimed, Edit, Event, Reported, Reviewed, Withdrawn
from policies.group import Group
from policies.lifecycle import apply, open_request
from policies.people import Person, Reviewers, Standing
from policies.request import ExecutionState, Request, Requester, Submission, ToolCall
from policies.review import Verdict
from policies.webhook import News
from storage.store import GroupStanding

REFUND: Mapping[str, Any] = {
    "tool": "issue_refund",
    "arguments": {"order_id": "HG-1042", "amount": 140},
    "reason": "The lamp came broken.",
}
AAP_CALL: Mapping[str, Any] = {
    "tool": "issue_refund",
    "arguments": {"order_id": "HG-1042", "amount": 140},
    "timeout": "10m",
    "agent_reasoning": "The lamp came broken.",
}
QUESTION: Mapping[str, Any] = {
    "question": {
        "text": "Which order arrived broken?",
        "choices": [{"id": "lamp", "label": "HG-1042, the lamp"}, {"id": "kettle", "label": "HG-1077, the kettle"}],
        "best_guess": "lamp",
    }
}
HOOK: Mapping[str, Any] = {
    "session_id": "6eabbdfc-0f0c-4b5e-9d5a-1f7a4f0c2f11",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": {"command": "git push", "description": "Publish the branch"},
    "tool_use_id": "toolu_01",
    "cwd": "/srv/shop",
}
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GATE = Checkpoint(
    kind=Kind.HARD,
    rule="refunds",
    reason="a refund of more than 100 EUR",
    reviewers=Reviewers(name="support", users=("U0ANA",)),
)


def bodies() -> dict[str, dict[str, Any]]:
    """Examples of bodies: by the operation's id, then by the example's name."""
    claim = {"digest": _shown(_approved())["digest"]}
    return {
        "claude_code_hook": {"before_a_call": dict(HOOK)},
        "submit_request": {
            "call": dict(REFUND),
            "call_after_a_question": {**REFUND, **QUESTION},
            "question_alone": dict(QUESTION),
        },
        "claim_request": {"claim": claim},
        "report_request": {
            "succeeded": {"status": "succeeded", "result": {"refund": "re_7731"}},
            "failed": {"status": "failed", "note": "The payment provider refused."},
        },
        "aap_submit": {"call": dict(AAP_CALL)},
        "aap_consume": {"nothing": {}},
        "aap_provision": {"named": {"instance_name": "codex-laptop"}, "with a receiver": {"delivery": dict(RECEIVER)}},
        "aap_outcome": {"succeeded": {"status": "succeeded"}},
        "answer_inquiry": {"answer": {"inquiry": f"inq_{'0' * 32}", "text": "The customer sent a photo of it."}},
    }


RECEIVER: Mapping[str, str] = {
    "type": "webhook",
    "url": "https://harness.example.com/aap/events",
    "registration_id": "8246931c-4ce0-4c15-a94a-e9c078ad06e2",
    "signing_secret": f"whsec_{'A' * 43}=",
}
"""Where an instance's notifications go."""


def aap() -> dict[str, Any]:
    """An example of each success of AAP's, by the operation's id."""
    submission = SubmissionBody(**AAP_CALL).submission()
    pending = _opened(submission)
    ana = Reviewed(person=_ana(), verdict=Verdict.APPROVE, revision=1)
    approved = _later(pending, 1, ana)
    consumed = _later(approved, 2, Claimed(digest=approved.digest, key="order-1042"))
    done = _later(consumed, 3, Reported(state=ExecutionState.SUCCEEDED))
    stages = {
        "aap_submit": pending,
        "aap_read": approved,
        "aap_cancel": _later(pending, 2, Withdrawn()),
        "aap_consume": consumed,
        "aap_outcome": done,
    }
    instance = {"id": "8246931c-4ce0-4c15-a94a-e9c078ad06e2", "name": "fleet.codex-laptop"}
    return {
        **{name: aap_shown(request) for name, request in stages.items()},
        "aap_provision": {"instance": instance, "credential": {"token": f"so_agent_{'0' * 43}"}},
        "aap_instance": instance,
    }


def answers() -> dict[str, Any]:
    """An example of each success in JSON, by the operation's id."""
    claimed = _later(_approved(), 2, Claimed(digest=_approved().digest))
    in_group = replace(_approved(), group=Group(id="order-1042", size=1))
    page = RequestsOut.of([_approved()], None)
    return {
        "submit_request": _shown(_pending()),
        "read_request": _shown(_approved()),
        "list_requests": json.loads(page.body()),
        "claim_request": _shown(claimed),
        "report_request": _shown(_later(claimed, 3, Reported(state=ExecutionState.SUCCEEDED))),
        "answer_inquiry": _shown(_pending()),
        "withdraw_request": _shown(_later(_pending(), 2, Withdrawn())),
        "read_group": json.loads(GroupOut.of(GroupStanding(id="order-1042", size=1, requests=(in_group,))).body()),
        **aap(),
        "claude_code_hook": json.loads(allowed(HookEvent(**HOOK), _approved()).body()),
        "health": {"status": "ok"},
        "readiness": {"status": "ready"},
    }


def refusals() -> dict[str, Any]:
    """An example of each problem document, by its code."""
    missing = (Fault(where="/tool", words="is missing; send it"),)
    return {
        name: problem_of(
            code.status,
            name,
            NO_SUCH_REQUEST if name == "not_found" else code.words,
            missing if name == "invalid" else (),
        ).model_dump(mode="json")
        for name, code in CODES.items()
    }


def news() -> News:
    """Something that a webhook is told."""
    return News(type="request.settled", request=_approved(), at=NINE)


def _pending() -> Request:
    call = ToolCall(tool=REFUND["tool"], arguments=REFUND["arguments"])
    return _opened(Submission(call=call, reason=REFUND["reason"]))


def _opened(submission: Submission) -> Request:
    return open_request(
        submission,
        GATE,
        request_id=f"req_{'0' * 32}",
        workspace_id="T0",
        requester=Requester(id="key:billing-bot", name="billing-bot"),
        policy_digest="sha256:0",
        now=NINE,
    ).request


def _approved() -> Request:
    """A person pays back less than was asked for."""
    edit = Edit(arguments={**REFUND["arguments"], "amount": 120}, checkpoint=GATE)
    reviewed = Reviewed(person=_ana(), verdict=Verdict.MODIFY, revision=1, note="Shipping isn't paid back.", edit=edit)
    return _later(_pending(), 1, reviewed)


def _ana() -> Person:
    return Person(id="U0ANA", name="Ana", standing=Standing.MEMBER, looked_up_at=NINE + timedelta(minutes=1))


def _later(request: Request, minutes: int, event: Event) -> Request:
    return apply(request, event, NINE + timedelta(minutes=minutes)).request


def _shown(request: Request) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(RequestOut.of(request).body())
    return shown
