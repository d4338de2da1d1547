"""Ids that nobody can guess."""

from __future__ import annotations

import secrets


def new_id(kind: str) -> str:
    """A fresh id with 128 random bits, such as ``req_1c9f…``; nobody can guess another's."""
    return f"{kind}_{secrets.token_hex(16)}"
