"""What every errand works with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.agent.mcp_servers import McpServers
from bot.agent.model import Model
from bot.agent.tools import ToolBox
from bot.gateway import Gateway
from bot.waiting import Waiting
from policies.request import Request
from storage.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Kit:
    """What every errand works with. ``asks`` says whether calls of a tool may ever need people."""

    gateway: Gateway
    store: Store
    waiting: Waiting
    tools: ToolBox
    model: Model
    asks: Callable[[str], bool]
    servers: McpServers = field(default_factory=McpServers)
    running: dict[str, asyncio.Task[Request]] = field(default_factory=dict)
    """Calls that this process is claiming or running, by request id: only these are not in doubt."""
