"""What AAP's clients send. A name that isn't the protocol's is refused, and so is null: both are its own rules."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from bot.api.asks import Query, ToolName
from bot.api.questions import Body, at_place
from policies.arguments import canonical, intake
from policies.dialect import AAP, Dialect
from policies.duration import LONGEST
from policies.errors import Invalid
from policies.request import Submission, ToolCall

UUID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
MAX_WAIT = 30
"""Seconds of one long poll, as the protocol says; who asks for more gets this."""
MAX_CONTEXT_BYTES = 64 * 1024
LONGEST_REASON = 8_000
"""How much of the agent's reasoning people are shown; all of it is given back to the client."""
LONGEST_NAME = 200

_SPAN = re.compile(r"([1-9][0-9]{0,11})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600}


def span(text: str) -> timedelta:
    """The duration in AAP's form (``30s``, ``10m``, ``24h``), at most 366 days. Raises ``ValueError``."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError("must be a whole number with a unit, such as 30s, 10m or 24h")
    return timedelta(seconds=min(int(found[1]) * _SECONDS[found[2]], int(LONGEST.total_seconds())))


def _spanning(text: str) -> str:
    span(text)
    return text


Span = Annotated[str, AfterValidator(_spanning), WithJsonSchema({"type": "string", "pattern": f"^{_SPAN.pattern}$"})]


def _without_null(schema: dict[str, Any]) -> None:
    """Take null out of what the schema of a body says its members can be."""
    for name, member in schema["properties"].items():
        kinds = [kind for kind in member.get("anyOf", ()) if kind != {"type": "null"}]
        if len(kinds) == 1:
            schema["properties"][name] = {key: value for key, value in member.items() if key != "anyOf"} | kinds[0]


class NullFree(Body):
    """A body whose members are left out rather than null (``bodies.fields`` sees to it)."""

    model_config = ConfigDict(json_schema_extra=_without_null)


class SubmissionBody(NullFree):
    """``POST /aap/v1/requests``: one call as the adapter met it, and for how long it may wait (``timeout``)."""

    tool: ToolName
    arguments: dict[str, Any]
    timeout: Span
    server: ToolName | None = None
    agent_reasoning: Annotated[str, Field(max_length=64 * 1024)] | None = None
    context: dict[str, Any] | None = None

    def submission(self) -> Submission:
        """The call under the name that the policy knows it by: ``server.tool``, as behind the MCP proxy.

        Raises ``Invalid`` with the place in the body.
        """
        return Submission(
            call=ToolCall(tool=self._name(), arguments=at_place("/arguments", intake, self.arguments)),
            reason=_shortened(self.agent_reasoning),
            expires_in=span(self.timeout),
            dialect=Dialect(name=AAP, sent=self._beside()),
        )

    def _name(self) -> str:
        name = f"{self.server}.{self.tool}" if self.server else self.tool
        if len(name) > LONGEST_NAME:
            raise Invalid(f"must have at most {LONGEST_NAME} characters together with its server", where="/tool")
        return name

    def _beside(self) -> dict[str, Any]:
        if self.context is not None and len(canonical(self.context)) > MAX_CONTEXT_BYTES:
            raise Invalid("larger than 64 kB; send ids instead of contents", where="/context", code="too_large")
        return self.model_dump(exclude={"arguments"}, exclude_unset=True)


def _shortened(words: str | None) -> str | None:
    """What people are shown of the agent's reasoning."""
    if words is None or len(words) <= LONGEST_REASON:
        return words or None
    return f"{words[: LONGEST_REASON - 1]}…"


class ConsumeBody(Body):
    """``POST /aap/v1/requests/{id}/consume`` says nothing beside its address and its key."""


class OutcomeBody(NullFree):
    """``POST /aap/v1/requests/{id}/outcome``: how the consumed call went."""

    status: Literal["succeeded", "failed"]
    note: Annotated[str, Field(min_length=1, max_length=3_000)] | None = None


class ReadQuery(Query):
    """``GET /aap/v1/requests/{id}``: ``wait``, a duration (``25s``), until it is decided."""

    wait: Span | None = None

    @property
    def seconds(self) -> float:
        """For how long to wait."""
        return 0.0 if self.wait is None else min(span(self.wait).total_seconds(), MAX_WAIT)


class DeliveryBody(Body):
    """Where an instance's notifications go: ``type`` is ``webhook``. The secret is never shown again."""

    type: Annotated[str, Field(max_length=40)]
    url: Annotated[str, Field(max_length=2_000)]
    registration_id: Annotated[str, Field(pattern=rf"^{UUID}$")]
    signing_secret: Annotated[str, Field(pattern=r"^whsec_[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$")]


class InstanceBody(NullFree):
    """``POST /aap/v1/instances``: an agent's key by a recognisable name, with a receiver for its notifications."""

    instance_name: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="What people and the policy are to know it by, behind the provisioner's name."
    )
    delivery: DeliveryBody | None = Field(default=None, description="Where it is told that a request is decided.")
