"""An agent of the Claude Agent SDK behind the gate: ``python claude_sdk_agent.py hooks|prompts PROMPT [--mad|--slow]``.

Run by ``tests.client.claude_sdk``, in an environment that has the SDK. It allows every shell command, but where
people are to answer the prompts. ``--mad`` breaks the gate's hook, ``--slow`` lets it take too long.
"""

import asyncio
import json
import os
import sys

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, query

from signoff import AsyncSignoff
from signoff.claude_agent_sdk import Gate


class Mad(Gate):
    async def before(self, event, tool_use_id, context):
        raise LookupError("a gate that is broken")


class Slow(Gate):
    async def before(self, event, tool_use_id, context):
        await asyncio.sleep(60)
        return {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "allow"}}


async def main(mode: str, prompt: str, how: str = "") -> None:
    patience = float(os.environ.get("PATIENCE", "300"))
    async with AsyncSignoff(run=os.environ.get("RUN") or None, patience=patience) as client:
        gate = {"--mad": Mad, "--slow": Slow}.get(how, Gate)(client)
        allowed = ["Bash"] if mode == "hooks" else []
        options = ClaudeAgentOptions(allowed_tools=allowed, cwd=os.environ["HOME"], setting_sources=[])
        options = gate.options(options, prompts=mode == "prompts")
        if how == "--slow":
            assert options.hooks
            options.hooks["PreToolUse"][-1].timeout = 2
        said = ""
        async for message in query(prompt=prompt, options=options):
            if isinstance(message, ResultMessage):
                said = message.result or ""
        print(json.dumps({"result": said}), flush=True)


asyncio.run(main(*sys.argv[1:]))
