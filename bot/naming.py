"""Ids that nobody can guess."""

from __future__ import annotations

import uuid


def new_id(kind: str) -> str:
    """A fresh id with 122 random bits, such as ``req_1c9f…``; nobody can guess another's.

    Its digits are those of a UUID (version 4), for whoever can only take such ids.
    """
    return f"{kind}_{uuid.uuid4().hex}"
