"""The journal's hash chain, one for each workspace, written in the transaction of the change itself.

``hash`` of a line is the sha256 (hex) of the line before's hash, a newline, and the line as canonical JSON: an object
of ``seq, at, what, actor, subject, detail`` with sorted keys, no spaces, UTF-8; ``at`` in microseconds since 1970 UTC.
The first line follows the sha256 of ``signoff journal of WORKSPACE``. So anyone can verify an export without Signoff.

A chain alone can't show that its tail was cut or that all of it was written anew. The head kept apart shows a cut;
a head kept outside the database (an ``anchor``) shows both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, select, type_coerce

from policies.effects import Entry
from storage.columns import canonical, micros, moment
from storage.engine import Connection
from storage.statement import Statement, inserting, setting
from storage.tables import JournalHeadRow, JournalLineRow, table
from storage.transaction import Transaction
from storage.values import Head, JournalRow, VerifyReport

JOURNAL, HEADS = table(JournalLineRow), table(JournalHeadRow)
CHUNK = 1000

APPEND = inserting(JOURNAL)
# As stored, not decoded: somebody may have written there what can't be decoded.
LINES = (
    select(
        JOURNAL.c.seq,
        type_coerce(JOURNAL.c.at, BigInteger),
        JOURNAL.c.what,
        JOURNAL.c.actor,
        JOURNAL.c.subject,
        type_coerce(JOURNAL.c.detail, Text),
        JOURNAL.c.hash,
    )
    .where(JOURNAL.c.workspace_id == bindparam("workspace"), JOURNAL.c.seq > bindparam("after"))
    .order_by(JOURNAL.c.seq)
)
READ = Statement(LINES.limit(bindparam("most")))
READ_OF = Statement(LINES.where(JOURNAL.c.subject == bindparam("of_subject")))
READ_HEAD = Statement(select(HEADS.c.seq, HEADS.c.hash).where(HEADS.c.workspace_id == bindparam("workspace")))
MOVE_HEAD = Statement(setting(HEADS, "seq", "hash").where(HEADS.c.workspace_id == bindparam("workspace")))
PLACE_HEAD = inserting(HEADS)


def append(transaction: Transaction, entries: Sequence[Entry]) -> None:
    """Write ``entries`` as the next lines of the workspace's chain."""
    for entry in entries:
        head = transaction.head or read_head(transaction.connection, transaction.workspace_id)
        transaction.head = chained(
            head, micros(entry.at), entry.what, entry.actor, entry.subject, detail := dict(entry.detail)
        )
        transaction.connection.write(
            APPEND,
            workspace_id=transaction.workspace_id,
            seq=transaction.head.seq,
            at=entry.at,
            what=entry.what,
            actor=entry.actor,
            subject=entry.subject,
            detail=detail,
            hash=transaction.head.hash,
        )


def keep_head(transaction: Transaction) -> None:
    """Keep the last line's place and hash apart, once a transaction."""
    head, workspace = transaction.head, transaction.workspace_id
    if head is None:
        return
    if not transaction.connection.write(MOVE_HEAD, workspace=workspace, seq=head.seq, hash=head.hash):
        transaction.connection.write(PLACE_HEAD, workspace_id=workspace, seq=head.seq, hash=head.hash)


def read_head(connection: Connection, workspace_id: str) -> Head:
    """The last line of a workspace's journal; before its first line, the chain's beginning (seq 0)."""
    found = connection.row(READ_HEAD, workspace=workspace_id)
    return Head(seq=found[0], hash=found[1]) if found else beginning(workspace_id)


def beginning(workspace_id: str) -> Head:
    """What the first line of a workspace's chain follows."""
    return Head(seq=0, hash=hashlib.sha256(f"signoff journal of {workspace_id}".encode()).hexdigest())


def chained(head: Head, at: int, what: str, actor: str, subject: str, detail: Mapping[str, Any]) -> Head:
    """The place and hash of a line that follows ``head``; ``at`` in microseconds since 1970."""
    line = {"seq": head.seq + 1, "at": at, "what": what, "actor": actor, "subject": subject, "detail": detail}
    return Head(seq=head.seq + 1, hash=hashlib.sha256(f"{head.hash}\n{canonical(line)}".encode()).hexdigest())


def read(workspace_id: str, after: int, limit: int, connection: Connection) -> tuple[JournalRow, ...]:
    """The lines after ``after``, at most ``limit``."""
    return tuple(_row(line) for line in connection.rows(READ, workspace=workspace_id, after=after, most=limit))


def read_of(workspace_id: str, subject: str, after: int, connection: Connection) -> tuple[JournalRow, ...]:
    """The lines about ``subject`` after ``after``."""
    found = connection.rows(READ_OF, workspace=workspace_id, of_subject=subject, after=after)
    return tuple(_row(line) for line in found)


def _row(line: tuple[Any, ...]) -> JournalRow:
    seq, at, what, actor, subject, detail, hashed = line
    return JournalRow(
        seq=seq, at=moment(at), what=what, actor=actor, subject=subject, detail=json.loads(detail), hash=hashed
    )


def verify(workspace_id: str, anchor: Head | None, connection: Connection) -> VerifyReport:
    """Walk the whole chain; stop at the first line that isn't as it was written."""
    head = beginning(workspace_id)
    if anchor is not None and anchor.seq == head.seq and anchor != head:
        return VerifyReport(ok=False, rows=0, first_bad=None, words="The anchor is of another workspace's journal.")
    while lines := connection.rows(READ, workspace=workspace_id, after=head.seq, most=CHUNK):
        for line in lines:
            expected = _follows(head, line)
            if expected is None or (anchor is not None and anchor.seq == expected.seq and anchor != expected):
                return _broken(head.seq, "was changed, removed, inserted or moved")
            head = expected
    if read_head(connection, workspace_id) != head or (anchor is not None and anchor.seq > head.seq):
        return _broken(head.seq, "or some after it are missing")
    return VerifyReport(ok=True, rows=head.seq, first_bad=None, words=f"All {head.seq} lines are whole.", head=head)


def _follows(head: Head, line: tuple[Any, ...]) -> Head | None:
    """The line's place and hash, or None where it isn't what was written after ``head``."""
    seq, at, what, actor, subject, text, hashed = line
    try:
        detail = json.loads(text)
        expected = chained(head, at, what, actor, subject, detail)
        genuine = canonical(detail) == text and expected == Head(seq=seq, hash=hashed)
    except (ValueError, TypeError, RecursionError):
        return None
    return expected if genuine else None


def _broken(rows: int, what: str) -> VerifyReport:
    words = f"Line {rows + 1} {what}; the {rows} before it are whole. Compare with your last export."
    return VerifyReport(ok=False, rows=rows, first_bad=rows + 1, words=words)
