"""CrewAI: ``Gate(Signoff()).crew(crew)`` asks the gateway before each call of the crew's tools.

The gate is a tool around the tool. CrewAI's own ``before_tool_call`` hooks would not do: one that raises counts as no
opinion, and a tool that fails is run again, up to three times, without asking them anew. Needs ``crewai`` 1.15.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterable
from typing import Any

from crewai import Crew
from crewai.tools import BaseTool
from crewai.tools.tool_failure import ToolFailure
from crewai.utilities.string_utils import sanitize_tool_name
from pydantic import PrivateAttr

from signoff.client import Signoff
from signoff.errors import SignoffError

UNSEEN = ("mcps", "apps", "allow_code_execution")
"""What gives an agent tools that only come into being while it runs, out of this gate's reach."""


class Gate:
    """Gates tools, all of them or those named. One gate may serve many crews and threads at once.

    With ``Signoff(run="…")`` a crew that was started again finds its requests.
    """

    def __init__(self, client: Signoff, tools: Collection[str] | None = None) -> None:
        self._client = client
        self._tools = frozenset(map(sanitize_tool_name, tools)) if tools is not None else None

    def crew(self, crew: Crew) -> Crew:
        """The crew, with the tools of its agents and tasks gated in place.

        Raises ``TypeError`` for an agent that gets tools while it runs, unless the tools to be gated are named.
        """
        agents = [*crew.agents, *([crew.manager_agent] if crew.manager_agent is not None else [])]
        for agent in agents:
            given = [name for name in UNSEEN if getattr(agent, name, None)]
            if given and self._tools is None:
                raise TypeError(
                    f"The agent {agent.role} has {given[0]}, whose tools this gate can't see: put MCP servers behind "
                    "signoff-agent proxy, and name the tools that are to be gated: Gate(client, tools=[…])."
                )
        for owner in [*agents, *crew.tasks]:
            owner.tools = self.tools(owner.tools or [])
        return crew

    def tools(self, tools: Iterable[BaseTool]) -> list[BaseTool]:
        """The tools, with those gated that this gate is for: ``Agent(tools=gate.tools([…]))``."""
        return [self.tool(tool) if self._gates(tool) else tool for tool in tools]

    def tool(self, tool: BaseTool) -> BaseTool:
        """One tool, gated. Its results are not kept for later calls, each of which is asked for."""
        if isinstance(tool, _Gated):
            return tool
        gated = _Gated(
            name=tool.name,
            description=tool.description,
            args_schema=tool.args_schema,
            result_as_answer=tool.result_as_answer,
            max_usage_count=tool.max_usage_count,
            tool_failure_policy=tool.tool_failure_policy,
            cache_function=_never,
        )
        gated._client, gated._inner = self._client, tool
        return gated

    def _gates(self, tool: BaseTool) -> bool:
        return self._tools is None or sanitize_tool_name(tool.name) in self._tools


class _Gated(BaseTool):
    """A tool that asks before it calls the one inside, once for each permit."""

    _client: Signoff = PrivateAttr()
    _inner: BaseTool = PrivateAttr()

    def _run(self, **kwargs: Any) -> Any:
        told = {"schema": self.args_schema.model_json_schema(), "description": self.description or None}
        arguments = json.loads(json.dumps(self._read(kwargs, mode="json")))
        try:
            permit = self._client.approve_or_raise(sanitize_tool_name(self.name), arguments, **told)
        except SignoffError as refused:
            return str(refused)
        with permit:
            result = self._inner._run(**self._read(permit.arguments, mode="python"))
            result = asyncio.run(result) if asyncio.iscoroutine(result) else result
            if isinstance(result, ToolFailure):
                permit.ended(str(result.message)[:1_000])
        return result

    def _read(self, arguments: dict[str, Any], *, mode: str) -> dict[str, Any]:
        """Arguments as the tool's schema has them: as JSON for people, in their own types for the tool."""
        schema = self.args_schema
        read = schema.model_validate(arguments).model_dump(mode=mode) if schema.model_fields else arguments
        return dict(read)


def _never(arguments: Any = None, result: Any = None) -> bool:
    """Keep no result: a call with the same arguments is another call."""
    return False
