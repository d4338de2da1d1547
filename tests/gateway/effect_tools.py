"""Tools for the runner whose effects can be counted: a line in effects.jsonl is written as the very first thing.

`SIGNOFF_COMPANY` is the folder. While the file `hold` stands in it, a call goes on forever after its effect, so that a
kill finds it between its effect and its report.
"""

import asyncio
import json
import os
from pathlib import Path

from bot.agent.tools import tool


@tool
async def note_effect(mark: str) -> str:
    """Write a line that says that this ran.

    Args:
        mark: What to write.
    """
    folder = Path(os.environ["SIGNOFF_COMPANY"])
    with (folder / "effects.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps({"mark": mark}) + "\n")
    await asyncio.sleep(0.03)
    while (folder / "hold").exists():
        await asyncio.sleep(0.01)
    return f"noted {mark}"
