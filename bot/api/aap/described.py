"""What AAP's addresses say of themselves in the OpenAPI document: shapes and codes by the protocol's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from pydantic import Field

from bot.api.aap.asks import UUID
from bot.api.codes import CODES, Code
from bot.api.operations import JSON, Operation
from bot.api.parts import Out

AAP_CODES: Mapping[str, Code] = {
    **{name: replace(code, status=400) if code.status == 422 else code for name, code in CODES.items()},
    "missing_idempotency_key": Code(status=400, words="An `Idempotency-Key` is needed here."),
    "already_consumed": Code(status=409, words="Consumed before, by another key: it runs once only."),
    "approval_expired": Code(status=409, words="The approval ran out before it was consumed."),
    "not_consumed": Code(status=409, words="Nothing was consumed, so there is no outcome."),
    "outcome_conflict": Code(status=409, words="Another outcome was reported before; the first one stands."),
    "invalid_webhook_url": Code(status=400, words="Nothing can be sent to this URL, or it may not be."),
    "unsupported_delivery_type": Code(status=400, words="Notifications go by `webhook` alone."),
    "webhook_verification_failed": Code(status=422, words="The receiver didn't give the signed challenge back."),
    "instance_deleted": Code(status=409, words="What was made by this key is deleted; use another key."),
    "credential_gone": Code(status=409, words="The provisioner has another secret by now: nobody can show it again."),
    "already_terminal": Code(status=409, words="The request is decided; nothing was changed."),
}


class AapErrorBody(Out):
    """What is wrong."""

    type: str = Field(description="The kind of error, such as `invalid_request` or `conflict`.")
    code: str
    message: str
    param: str | None = Field(default=None, description="Which field, where it is one.")
    request_id: str = Field(description="The same as the header `X-Request-ID`.")


class AapError(Out):
    """The body of every answer of AAP's that isn't a success."""

    error: AapErrorBody


class AapDecision(Out):
    """How it ended."""

    status: Literal["approved", "denied", "expired", "cancelled"]
    decided_at: datetime
    expires_at: datetime | None = Field(default=None, description="Until when an approval can be consumed.")
    note: str | None = None


class AapOutcome(Out):
    """How the consumed call went."""

    status: Literal["succeeded", "failed"]
    reported_at: datetime
    note: str | None = None


class AapConsumption(Out):
    """That the approval was consumed."""

    consumed_at: datetime
    outcome: AapOutcome | None = None


class AapRequest(Out):
    """A request by AAP's names: what was sent, given back as it came, and how it stands. No member is ever null."""

    id: str = Field(description="A UUID.")
    tool: str
    server: str | None = None
    arguments: dict[str, Any]
    timeout: str
    agent_reasoning: str | None = None
    context: dict[str, Any] | None = None
    status: Literal["pending", "approved", "denied", "expired", "cancelled"]
    created_at: datetime
    deadline_at: datetime
    decision: AapDecision | None = None
    consumption: AapConsumption | None = None


class AapDelivery(Out):
    """Where its notifications go."""

    type: Literal["webhook"]
    url: str
    registration_id: str


class AapInstance(Out):
    """An agent that a provisioner made."""

    id: str = Field(description="A UUID.")
    name: str = Field(description="What the policy and people know it by.")
    delivery: AapDelivery | None = None


class AapCredential(Out):
    """An agent's key."""

    token: str


class AapProvisioned(Out):
    """An agent and its key, the same again each time that the same is sent."""

    instance: AapInstance
    credential: AapCredential


operation = partial(
    Operation, tag="aap", key="agent", id_pattern=UUID, problem=AapError, problem_type=JSON, table=AAP_CODES,
    code_at=("error", "code"),
)  # fmt: skip
"""An operation of AAP's: its errors have its own shape, and its requests UUIDs."""
of_provisioner = partial(operation, key="provisioner", id_words="The instance's id.")
"""One of those that make and end instances."""
