"""Each route of the API and each kind of key: what the one answers to the other.

A route that isn't here fails ``test_api_matrix.py``. Add a row: what is sent, and what its own agent, another agent and
an operator get. All that is refused before anybody looks at the request is the same for every route of a kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.api.house import MAIL

Answered = tuple[int, str]
"""A status, and the code of a problem document (empty for a success)."""

OK: Answered = (200, "")
MISSING: Answered = (404, "not_found")
WRONG_KIND: Answered = (403, "wrong_kind_of_key")

REFUSED: Mapping[str, Answered] = {
    "none": (401, "no_key"),
    "two headers": (401, "no_key"),
    "the same twice": (401, "no_key"),
    "another scheme": (401, "key_unknown"),
    "no secret": (401, "key_unknown"),
    "not ASCII": (401, "key_unknown"),
    "one character short": (401, "key_unknown"),
    "one character more": (401, "key_unknown"),
    "unknown": (401, "key_unknown"),
    "revoked": (401, "key_revoked"),
    "expired": (401, "key_expired"),
    "replaced": (401, "key_rotated"),
}
"""Keys that open nothing, and what every route that needs a key says to them."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One route. ``needs`` is the kind of key that opens it; ``own``, ``other``, … what they get.

    ``{id}`` in ``path`` is a pending request of the agent's own, ``{aap}`` one that came through AAP, ``g`` a group.
    """

    method: str
    path: str
    needs: Literal["agent", "operator", "provisioner", "none"]
    own: Answered
    other: Answered
    operator: Answered
    provisioner: Answered = WRONG_KIND
    body: Any = None
    denies: bool = False

    @property
    def route(self) -> tuple[str, str]:
        """As the application knows it."""
        path = self.path.partition("?")[0]
        return self.method, path.replace("{aap}", "{id}").replace("/groups/g", "/groups/{id}")


def _agents(method: str, path: str, own: Answered, other: Answered = MISSING, body: Any = None) -> Row:
    return Row(method=method, path=path, needs="agent", own=own, other=other, operator=WRONG_KIND, body=body)


def _open(method: str, path: str) -> Row:
    return Row(method=method, path=path, needs="none", own=OK, other=OK, operator=OK, provisioner=OK)


def _denying(method: str, path: str, body: Any) -> Row:
    """One that answers whatever goes wrong with 200 and a denied call: ``test_api_hooks.py`` reads what it says."""
    alike = {"own": OK, "other": OK, "operator": OK, "provisioner": OK}
    return Row(method=method, path=path, needs="agent", body=body, denies=True, **alike)


def _operators(method: str, path: str) -> Row:
    return Row(method=method, path=path, needs="operator", own=WRONG_KIND, other=WRONG_KIND, operator=OK)


def _provisioners(method: str, path: str, provisioner: Answered, body: Any = None) -> Row:
    refused = {"own": WRONG_KIND, "other": WRONG_KIND, "operator": WRONG_KIND}
    return Row(method=method, path=path, needs="provisioner", provisioner=provisioner, body=body, **refused)


ROWS = (
    _agents("POST", "/v1/requests", (201, ""), (201, ""), dict(MAIL)),
    _agents("GET", "/v1/requests", OK, OK),
    _agents("GET", "/v1/requests/{id}", OK),
    _agents("GET", "/v1/requests/{id}?wait=1&revision=0", (422, "invalid"), (422, "invalid")),
    _agents("GET", "/v1/requests/{id}/events", OK),
    _agents("GET", "/v1/groups/g", OK),
    _agents("POST", "/v1/requests/{id}/claim", (409, "not_approved"), body={"digest": "sha256:0"}),
    _agents("POST", "/v1/requests/{id}/report", (409, "not_approved"), body={"status": "succeeded"}),
    _agents("POST", "/v1/requests/{id}/answers", MISSING, body={"inquiry": "inq_0", "text": "Yes."}),
    _agents("DELETE", "/v1/requests/{id}", OK),
    _agents("POST", "/aap/v1/requests", (201, ""), (201, ""), {**MAIL, "timeout": "10m"}),
    *(
        _agents(method, f"/aap/v1/requests/{{aap}}{act}", own, body=body)
        for method, act, own, body in (
            ("GET", "", OK, None),
            ("POST", "/consume", (409, "not_approved"), {}),
            ("POST", "/outcome", (409, "not_consumed"), {"status": "succeeded"}),
            ("DELETE", "", OK, None),
        )
    ),
    _denying("POST", "/v1/hooks/claude-code", {"hook_event_name": "Stop", "session_id": "s", "cwd": "/"}),
    _provisioners("POST", "/aap/v1/instances", (201, ""), {}),
    _provisioners("GET", "/aap/v1/instances/{aap}", MISSING),
    _provisioners("DELETE", "/aap/v1/instances/{aap}", MISSING),
    _open("GET", "/healthz"),
    _open("HEAD", "/healthz"),
    _open("GET", "/readyz"),
    _open("HEAD", "/readyz"),
    _operators("GET", "/metrics"),
    _operators("HEAD", "/metrics"),
    _open("GET", "/openapi.json"),
    _open("HEAD", "/openapi.json"),
    _open("GET", "/docs"),
    _open("HEAD", "/docs"),
)
ON_ONE = tuple(row for row in ROWS if re.search(r"\{id\}|\{aap\}|/groups/", row.path))
"""The routes that name something of an agent's."""

DECIDING = (
    *("approve", "approvals", "review", "reviews", "reject", "modify", "decide", "decision", "decisions", "answer"),
    *("stop", "attest", "grant", "grants", "delegate", "snooze", "audit", "verdict", "confirm", "resume", "state"),
)
"""Addresses under which a decision would be looked for."""
