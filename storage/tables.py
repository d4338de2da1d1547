"""The tables. Rows only, never domain values: ``rows.py`` turns one into the other.

A request or run is stored whole in ``document``; the columns beside it are those that are searched by. SQLModel
declares, Alembic migrates, the statements in the other files run on the ``Table`` objects; no ORM session exists.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, MetaData, Table, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.columns import Json, UtcDateTime

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

NOT_BY_POLICY = text('"by" <> \'["policy"]\'')
"""Was it decided by people, silence or a grant? In a statement, word for word as here, it lets an index answer."""

REJECTED = text("rejected_at IS NOT NULL")


class Row(SQLModel):
    """What all tables share: their metadata, with names for every index and constraint."""

    metadata = MetaData(naming_convention=NAMES)


class RequestRow(Row, table=True):
    """One request. ``version`` is the compare-and-set counter, ``next_action_at`` the nearest deadline of any kind."""

    __tablename__ = "requests"
    __table_args__ = (
        Index(None, "workspace_id", "next_action_at"),
        Index(None, "workspace_id", "created_at"),
        Index(None, "workspace_id", "requester", "created_at"),
        Index(None, "workspace_id", "requester", "tool", "created_at"),
        Index(None, "workspace_id", "requester", "state"),
        Index(None, "workspace_id", "state", "created_at"),
    )
    id: str = Field(primary_key=True)
    workspace_id: str
    requester: str
    tool: str
    state: str
    execution_state: str | None = None
    revision: int
    version: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    next_action_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    document: str = Field(sa_type=Text)


class DecisionRow(Row, table=True):
    """The decision of a request: written once. The primary key stands behind the compare-and-set."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "at", sqlite_where=NOT_BY_POLICY),)
    request_id: str = Field(primary_key=True, foreign_key="requests.id")
    verdict: str
    by: list[str] = Field(sa_type=Json)
    at: datetime = Field(sa_type=UtcDateTime)
    revision: int
    digest: str


class JournalLineRow(Row, table=True):
    """One line of the append-only journal; ``hash`` covers the line and the hash before it."""

    __tablename__ = "journal"
    __table_args__ = (Index(None, "workspace_id", "subject", "seq"),)
    workspace_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    what: str
    actor: str
    subject: str
    detail: dict[str, Any] = Field(sa_type=Json)
    hash: str


class JournalHeadRow(Row, table=True):
    """The last line of a workspace's journal, kept apart so that a cut tail shows."""

    __tablename__ = "journal_heads"
    workspace_id: str = Field(primary_key=True)
    seq: int
    hash: str


class OutboxRow(Row, table=True):
    """One effect that is owed to the world. Finished ones are deleted, given-up ones stay with their error."""

    __tablename__ = "outbox"
    # AUTOINCREMENT: an id is never used again, so that a late "done" can't finish another effect.
    __table_args__ = (Index(None, "workspace_id", "given_up", "due_at"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str
    kind: str
    payload: str = Field(sa_type=Text)
    due_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    given_up: bool = False
    error: str | None = Field(default=None, sa_type=Text)


class CopyRow(Row, table=True):
    """One posted copy of a request's card; a message that shows several requests is a copy of each."""

    __tablename__ = "copies"
    channel: str = Field(primary_key=True)
    ts: str = Field(primary_key=True)
    request_id: str = Field(primary_key=True, foreign_key="requests.id", index=True)
    to: str
    shown_version: int
    private: bool


class AskedRow(Row, table=True):
    """One request that was put before people, on its agent's account. ``call`` is the digest that it was opened with.

    ``rejected_at`` is when people rejected it.
    """

    __tablename__ = "asked"
    __table_args__ = (
        Index(None, "workspace_id", "account", "at"),
        Index(None, "workspace_id", "account", "rejected_at", sqlite_where=REJECTED),
    )
    request_id: str = Field(primary_key=True, foreign_key="requests.id")
    workspace_id: str
    account: str
    call: str
    at: datetime = Field(sa_type=UtcDateTime)
    rejected_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ResumedRow(Row, table=True):
    """When somebody last ended an agent's cooling-off, and who."""

    __tablename__ = "resumed"
    workspace_id: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str


class DigestRow(Row, table=True):
    """One reader of digests: when the next is due, and where the last one stands that is kept true ``until`` then.

    ``day`` is the date (ISO) of the last one that was dealt with. Without ``zone`` nobody has looked yet where they
    live.
    """

    __tablename__ = "digests"
    __table_args__ = (Index(None, "workspace_id", "next_at"),)
    workspace_id: str = Field(primary_key=True)
    reader: str = Field(primary_key=True)
    zone: str | None = None
    day: str | None = None
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    muted: bool
    channel: str | None = None
    ts: str | None = None
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DigestLineRow(Row, table=True):
    """One request that a reader's digest lists, in which ``part`` of it, and which version of it is shown.

    ``more`` is how many more that part counted without listing them.
    """

    __tablename__ = "digest_lines"
    workspace_id: str = Field(primary_key=True)
    reader: str = Field(primary_key=True)
    request_id: str = Field(primary_key=True, foreign_key="requests.id")
    place: int
    part: str
    more: int
    shown_version: int


class HomeRow(Row, table=True):
    """Who used their Home lately, and what the Home remembers of it (``memo``)."""

    __tablename__ = "homes"
    workspace_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    used_at: datetime = Field(sa_type=UtcDateTime)
    memo: str = Field(sa_type=Text)


class GrantRow(Row, table=True):
    """What a person approved in advance. ``used`` and ``revoked_at`` change, by conditional updates only."""

    __tablename__ = "grants"
    __table_args__ = (
        Index(None, "workspace_id", "requester", "tool", "expires_at"),
        Index(None, "workspace_id", "created_at"),
    )
    id: str = Field(primary_key=True)
    workspace_id: str
    request_id: str = Field(foreign_key="requests.id")
    requester: str
    tool: str
    policy_digest: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    most: int
    used: int
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_by: str | None = None
    document: str = Field(sa_type=Text)


class AttentionRow(Row, table=True):
    """What one person did with one revision of a request; the last three are set once they have decided.

    ``since`` is when the row was made. Times and ids only: nothing of the call.
    """

    __tablename__ = "attention"
    __table_args__ = (Index(None, "workspace_id", "user_id", "decided_at"), Index(None, "workspace_id", "since"))
    request_id: str = Field(primary_key=True, foreign_key="requests.id")
    revision: int = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    workspace_id: str
    since: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    shown_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    verdict: str | None = None


class RunRow(Row, table=True):
    """One run of the agent runner."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "workspace_id", "state", "created_at"),)
    id: str = Field(primary_key=True)
    workspace_id: str
    owner: str
    state: str
    version: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    document: str = Field(sa_type=Text)


class RunMessageRow(Row, table=True):
    """Where the message that a run calls ``key`` was posted."""

    __tablename__ = "run_messages"
    run_id: str = Field(primary_key=True, foreign_key="runs.id")
    key: str = Field(primary_key=True)
    channel: str
    ts: str


class KeyRow(Row, table=True):
    """An API key; of the secret only its hash. Without ``may`` it may do everything, without ``tools`` with any tool.

    ``agent`` is the name of the agent that it belongs to.
    """

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "workspace_id", "name"), Index(None, "workspace_id", "agent"))
    id: str = Field(primary_key=True)
    workspace_id: str
    name: str
    owner: str | None = None
    kind: str
    secret_hash: str = Field(unique=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    agent: str | None = None
    may: list[str] | None = Field(default=None, sa_type=Json)
    tools: list[str] | None = Field(default=None, sa_type=Json)
    rotated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class FormerSecretRow(Row, table=True):
    """A secret that a key had before it was given a new one: its hash, and until when it opens the door as well."""

    __tablename__ = "former_secrets"
    secret_hash: str = Field(primary_key=True)
    key_id: str = Field(foreign_key="api_keys.id", index=True)
    until: datetime = Field(sa_type=UtcDateTime)


class GroupMemberRow(Row, table=True):
    """One request of a group: calls that a requester asks about together. ``place`` counts from 1 in the order asked.

    ``size`` is the same in each of a group's rows.
    """

    __tablename__ = "group_members"
    workspace_id: str = Field(primary_key=True)
    requester: str = Field(primary_key=True)
    group_id: str = Field(primary_key=True)
    place: int = Field(primary_key=True)
    request_id: str = Field(foreign_key="requests.id")
    size: int


class WebhookRow(Row, table=True):
    """Where the news of a key's agent go. The secrets stand as they are: whoever signs needs them."""

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "workspace_id"),)
    id: str = Field(primary_key=True)
    workspace_id: str
    key_id: str = Field(foreign_key="api_keys.id", unique=True)
    url: str
    dialect: str
    secret: str
    former_secret: str | None = None
    former_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled: str | None = None
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str | None = None


class DeliveryRow(Row, table=True):
    """One message that is owed to a webhook. Delivered ones are deleted, those given up stay with their error."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(None, "webhook_id", "failed", "due_at"),
        Index(None, "created_at"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True)
    webhook_id: str = Field(foreign_key="webhooks.id")
    message_id: str
    type: str
    request_id: str
    body: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    failed: bool = False
    error: str | None = None


class InstanceRow(Row, table=True):
    """An agent's key that a provisioner made, and what it was asked for by. Kept when the key ends."""

    __tablename__ = "instances"
    __table_args__ = (UniqueConstraint("workspace_id", "provisioner", "idempotency"),)
    key_id: str = Field(primary_key=True, foreign_key="api_keys.id")
    workspace_id: str
    provisioner: str = Field(foreign_key="api_keys.id")
    idempotency: str
    body: str
    registration_id: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    salt: str = Field(sa_column_kwargs={"server_default": ""})


class IdempotencyRow(Row, table=True):
    """Which request an idempotency key of a requester made, and the hash of the body that came with it."""

    __tablename__ = "idempotency"
    workspace_id: str = Field(primary_key=True)
    requester: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body: str
    request_id: str = Field(foreign_key="requests.id")


class PolicyRow(Row, table=True):
    """The text of a policy that requests were judged by, under its digest."""

    __tablename__ = "policies"
    digest: str = Field(primary_key=True)
    text: str = Field(sa_type=Text)


class SeenEventRow(Row, table=True):
    """A Slack event that was taken already; kept for an hour."""

    __tablename__ = "seen_events"
    __table_args__ = (Index(None, "workspace_id", "seen_at"),)
    workspace_id: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    seen_at: datetime = Field(sa_type=UtcDateTime)


METADATA = Row.metadata


def table(row: type[Row]) -> Table:
    """The SQLAlchemy table that ``row`` declares."""
    return METADATA.tables[str(row.__tablename__)]
