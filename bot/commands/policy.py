"""Checking a policy file: what a good one holds, and every fault of a bad one."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent

from policies.errors import Fault, Invalid
from policies.loader import load
from policies.picture import point_at
from policies.policy import Policy
from policies.shapes import json_schema


def read_policy(path: Path) -> Policy:
    """Load a policy file. Raises ``Faulty`` with every fault, ``OSError`` where it can't be read."""
    return load(read_text(path), source=str(path))


def read_text(path: Path) -> str:
    """The text of a file. Raises ``OSError`` where it can't be read, ``Invalid`` where it isn't UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: This isn't UTF-8 (byte {error.start}); save the file as UTF-8 text.") from None


def check(path: Path) -> str:
    """What a good policy holds, with its warnings; a bad one raises."""
    policy = read_policy(path)
    lines = [f"{path}: good: {len(policy.rules)} rules, {len(policy.reviewers)} groups of reviewers."]
    return "\n".join([*lines, *(f"warning: {warning}" for warning in policy.warnings)])


def pictured(path: Path, faults: tuple[Fault, ...]) -> str:
    """Each fault, and below it the line of the file with a caret under the place."""
    text = read_text(path)
    return "\n".join(f"{fault}\n\n{indent(point_at(text, fault.where), '  ')}\n" for fault in faults)


def schema_text() -> str:
    """The JSON Schema of a policy file: an editor that knows it completes keys and marks faults as they are typed."""
    return json.dumps(json_schema(), indent=2)
