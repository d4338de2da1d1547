"""Harbour Goods' books: one SQLite file with customers, orders, refunds, payments, posts, and a list of effects.

It stands in for a real company's systems. It is not Signoff's own storage and knows nothing of approvals, which is the
point: whatever shows up here really ran.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.demo.sample import CUSTOMERS, ORDERS

_TABLES = """
CREATE TABLE customers (id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, city TEXT NOT NULL,
    since TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE orders (id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, item TEXT NOT NULL, total_cents INTEGER NOT NULL,
    ordered_on TEXT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE refunds (id INTEGER PRIMARY KEY, order_id TEXT NOT NULL, cents INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE payments (id INTEGER PRIMARY KEY, payee TEXT NOT NULL, cents INTEGER NOT NULL, currency TEXT NOT NULL,
    due TEXT NOT NULL, memo TEXT NOT NULL);
CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE effects (sequence INTEGER PRIMARY KEY, tool TEXT NOT NULL);
"""
_SCHEMA = 1


def folder() -> Path:
    """The company's directory: SIGNOFF_COMPANY, by default `company` in the working directory."""
    return Path(os.environ.get("SIGNOFF_COMPANY") or "company")


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """One open transaction on the books; `root` is the company's directory."""

    root: Path
    connection: sqlite3.Connection
    effects: list[str] = field(default_factory=list)

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """The rows of a query, each as column name to value."""
        return [dict(row) for row in self.connection.execute(statement, values)]

    def write(self, statement: str, *values: object) -> int:
        """Run one change; the new row's number."""
        return self.connection.execute(statement, values).lastrowid or 0

    def effect(self, tool: str, arguments: Mapping[str, Any]) -> int:
        """Note that `tool` runs with these arguments; the effect's sequence number, from 1, without gaps."""
        sequence = self.write("INSERT INTO effects (tool) VALUES (?)", tool)
        line = {"sequence": sequence, "at": datetime.now(UTC).isoformat(), "tool": tool, "arguments": dict(arguments)}
        self.effects.append(json.dumps(line, ensure_ascii=False) + "\n")
        return sequence


@contextmanager
def open_books() -> Iterator[Books]:
    """One write transaction, committed at the end of the block; the company is founded on first use.

    `effects.jsonl` is written last, under the transaction's lock: a tool that fails half-way leaves no line, and lines
    stand in the order of their numbers whichever process wrote them.
    """
    root = folder()
    root.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(root / "company.db", isolation_level=None, timeout=30)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] < _SCHEMA:
            _found(connection)
        books = Books(root=root, connection=connection)
        yield books
        with (root / "effects.jsonl").open("a", encoding="utf-8") as out:
            out.writelines(books.effects)
        connection.commit()
    finally:
        connection.close()  # rolls back what was not committed


def _found(connection: sqlite3.Connection) -> None:
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)
    connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)", CUSTOMERS)
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", ORDERS)
    connection.execute(f"PRAGMA user_version = {_SCHEMA}")
