"""Column types that read back exactly what was stored, the same on every database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC; exact. Raises ValueError for a datetime without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("A datetime without a time zone can't be stored; pass an aware one.")
    return (moment - EPOCH) // MICROSECOND


def moment(micros_since_epoch: int) -> datetime:
    """The aware UTC datetime of a number of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros_since_epoch)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime as integer microseconds: it sorts, compares and comes back aware (SQLite's own doesn't)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


class Json(TypeDecorator[Any]):
    """A JSON value as canonical text: keys sorted, no spaces, UTF-8. What is hashed is what is stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def canonical(value: Any) -> str:
    """``value`` as JSON with sorted keys and no spaces. Raises ValueError for NaN, TypeError for what JSON hasn't."""
    return CANONICAL.encode(value)
