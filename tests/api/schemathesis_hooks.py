"""What Schemathesis has to be told of the API beside its OpenAPI document: what no JSON Schema can say."""

from __future__ import annotations

import re
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import (
    EnsureResourceAvailability,
    IgnoredAuth,
    MissingHeaderNotRejected,
    RejectedPositiveData,
    UseAfterFree,
)

NAMES = st.from_regex(re.compile(r"[a-z_.]{1,12}", re.ASCII), fullmatch=True)
schemathesis.openapi.format("tool-name", NAMES)

UNSAYABLE = re.compile(
    r"/tool|/server|/expires_in|/schema.*|/arguments.*|/question.*|/preview/\d/text|/context|/result"
)
"""Places where a body that fits its schema may be refused: invisible characters, sums, equal ids, what fits what."""
UNREADABLE = re.compile("2\\^53|too large for JSON readers|more digits than JSON readers keep|surrogate")
"""Numbers and characters that fit any JSON Schema, and that not every reader of JSON reads alike."""


SAYS_NO = (AcceptedNegativeData, IgnoredAuth, MissingHeaderNotRejected)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Names that may be names of tools: of any characters at all most were refused as invisible."""
    for schema in raw_schema["components"]["schemas"].values():
        for member in schema.get("properties", {}).values():
            if member.get("pattern") == r"^\S+$":
                del member["pattern"]
                member["format"] = "tool-name"


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Is it one? Not where what fits the schema is refused for what no schema can say, nor what nobody asked."""
    if case.operation.path == "/v1/hooks/claude-code" and isinstance(failure, SAYS_NO):
        # It says no with 200, as Claude Code needs it; what it says without a key stands in test_api_hooks.py.
        return isinstance(failure, AcceptedNegativeData) and '"permissionDecision":"deny"' not in response.text
    if isinstance(failure, UseAfterFree):
        return False  # DELETE withdraws: what was asked stays to be read
    if isinstance(failure, EnsureResourceAvailability):
        return case.operation.path != "/v1/requests/{id}/answers"  # nobody has asked the agent anything
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    problem = problem.get("error", problem)
    if response.status_code == 400 and UNREADABLE.search(problem.get("detail", problem.get("message", ""))):
        return False
    places = [fault["where"] for fault in problem.get("errors", ())] or [f"/{problem.get('param', '')}"]
    return not all(UNSAYABLE.fullmatch(place) for place in places)
