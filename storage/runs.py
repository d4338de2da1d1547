"""Runs of the agent runner: stored whole after each step, with the messages they posted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import bindparam, select

from policies.agent_run import AgentRun, RunState
from policies.effects import Effect
from policies.errors import Conflict, NotFound, Unavailable
from storage import outbox
from storage.access import Access
from storage.engine import Connection, Duplicate
from storage.rows import RUN, run_columns
from storage.statement import Statement, inserting, setting
from storage.tables import RunMessageRow, RunRow, table
from storage.transaction import Transaction

RunChange = Callable[[AgentRun], tuple[AgentRun, tuple[Effect, ...]]]

RUNS, MESSAGES = table(RunRow), table(RunMessageRow)
TRIES = 5
OURS = RUNS.c.workspace_id == bindparam("workspace")
THIS_MESSAGE = (MESSAGES.c.run_id == bindparam("of_run"), MESSAGES.c.key == bindparam("of_key"))

INSERT = inserting(RUNS)
LOAD = Statement(select(RUNS.c.document).where(RUNS.c.id == bindparam("of_id"), OURS))
UPDATE = Statement(
    setting(RUNS, "state", "version", "document").where(
        RUNS.c.id == bindparam("of_id"), RUNS.c.version == bindparam("of_version")
    )
)
EVERY = select(RUNS.c.document).where(OURS).order_by(RUNS.c.created_at, RUNS.c.id)
ALL = Statement(EVERY)
IN_STATE = Statement(EVERY.where(RUNS.c.state == bindparam("in_state")))
MESSAGE = Statement(select(MESSAGES.c.channel, MESSAGES.c.ts).where(*THIS_MESSAGE))
KEEP_MESSAGE = inserting(MESSAGES)
MOVE_MESSAGE = Statement(setting(MESSAGES, "channel", "ts").where(*THIS_MESSAGE))


def load(connection: Connection, workspace_id: str, run_id: str) -> AgentRun | None:
    """The run as it stands, or None."""
    found = connection.row(LOAD, of_id=run_id, workspace=workspace_id)
    return RUN.load(found[0]) if found else None


def _add(run: AgentRun, effects: Sequence[Effect], transaction: Transaction) -> AgentRun:
    try:
        transaction.connection.write(INSERT, **run_columns(run, transaction.workspace_id))
    except Duplicate:
        raise Conflict(f"A run {run.id} exists already; give the new one an id of its own.") from None
    _told(transaction, run, effects)
    return run


def change(run_id: str, fn: RunChange, transaction: Transaction) -> AgentRun:
    """Load, ``fn``, compare-and-set. A lost comparison is tried again with what stands by then."""
    for _ in range(TRIES):
        before = load(transaction.connection, transaction.workspace_id, run_id)
        if before is None:
            raise NotFound(f"There is no run {run_id}; check its id.")
        changed, effects = fn(before)
        after = replace(changed, version=before.version + 1)
        columns = run_columns(after, transaction.workspace_id)
        if transaction.connection.write(UPDATE, of_id=run_id, of_version=before.version, **columns):
            _told(transaction, after, effects)
            return after
    raise Unavailable("The run is being changed too often at once; try again.", code="storage_busy")


def _told(transaction: Transaction, run: AgentRun, effects: Sequence[Effect]) -> None:
    outbox.owe(transaction, effects)
    transaction.topics.append(f"run:{run.id}")


def _posted(
    owed_id: int, run_id: str, key: str, channel: str, ts: str, opens_thread: bool, transaction: Transaction
) -> None:
    message = {"channel": channel, "ts": ts}
    if not transaction.connection.write(MOVE_MESSAGE, of_run=run_id, of_key=key, **message):
        transaction.connection.write(KEEP_MESSAGE, run_id=run_id, key=key, **message)
    if opens_thread:
        change(run_id, lambda run: (replace(run, thread_ts=run.thread_ts or ts), ()), transaction)
    outbox.finish(transaction, owed_id)


class Runs(Access):
    """The store's runs."""

    async def add_run(self, run: AgentRun, effects: Sequence[Effect] = ()) -> AgentRun:
        """Store a new run and what it owes."""
        return await self._write(partial(_add, run, effects))

    async def change_run(self, run_id: str, fn: RunChange) -> AgentRun:
        """Let ``fn`` change a run and say what is owed. Like ``change``: pure, and raising changes nothing."""
        return await self._write(partial(change, run_id, fn))

    async def run(self, run_id: str) -> AgentRun | None:
        """The run as it stands."""
        return await self._read(lambda connection: load(connection, self._workspace_id, run_id))

    async def runs(self, state: RunState | None = RunState.ACTIVE) -> tuple[AgentRun, ...]:
        """The runs in one state, or (None) all, oldest first."""
        statement, values = (ALL, {}) if state is None else (IN_STATE, {"in_state": state.value})
        found = await self._read(lambda connection: connection.rows(statement, workspace=self._workspace_id, **values))
        return tuple(RUN.load(document) for (document,) in found)

    async def run_message(self, run_id: str, key: str) -> tuple[str, str] | None:
        """Where (channel, ts) the message that the run calls ``key`` stands."""
        found = await self._read(lambda connection: connection.row(MESSAGE, of_run=run_id, of_key=key))
        return (found[0], found[1]) if found else None

    async def run_posted(
        self, owed_id: int, run_id: str, key: str, channel: str, ts: str, *, opens_thread: bool
    ) -> None:
        """A run's message was posted: remember it, open the run's thread with it, strike the effect off; at once."""
        await self._write(partial(_posted, owed_id, run_id, key, channel, ts, opens_thread))
