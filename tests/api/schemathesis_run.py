"""``python -m tests.api.schemathesis_run [--examples 150] [--seed 1] [--minutes 5]``: Schemathesis on a whole gateway.

It reads ``/openapi.json`` and calls everything that stands there, with what fits and what doesn't, one call after the
other and led on by what was answered. Nothing may answer 5xx, or otherwise than described; and when it is over nothing
may have been decided but by the policy, by silence and by the agent itself. The tests play a short part of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path

from tests.gateway.stage import Stage, staged

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
POLICY = """\
version: 1
reviewers: {g0: {channel: "#lane-0", users: [U0ANA, U0BEN]}}
ladders:
  quick: [{after: 1s, then: expire}]
rules:
  - {name: free, match: "*", when: size(tool) % 3 == 1, checkpoint: allow}
  - {name: never, match: "*", when: size(tool) % 3 == 2, checkpoint: deny}
default: {checkpoint: hard, reviewers: g0, ladder: quick}
"""
PROGRAM = ("-c", "from schemathesis.cli import schemathesis; schemathesis()")


def words(url: str, key: str, *, seed: int, examples: int, phases: str) -> list[str]:
    """The command that runs Schemathesis against a gateway at ``url``."""
    return [
        *(sys.executable, *PROGRAM, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{url}/openapi.json"),
        *("-H", f"Authorization: Bearer {key}", "--checks", "all", "--phases", phases, "--max-examples", str(examples)),
        *("--seed", str(seed), "--generation-database", "none", "--continue-on-failure", "--no-color"),
        *("--warnings", "off", "--request-timeout", "20"),
    ]


async def called(
    url: str, key: str, *more: str, seed: int, examples: int, phases: str, seconds: float = 1800
) -> tuple[int, str]:
    """Run it, with ``more`` of its own options: its exit code and all that it said."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}
    running = await asyncio.create_subprocess_exec(
        *words(url, key, seed=seed, examples=examples, phases=phases),
        *more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=env,
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await running.communicate()
    except TimeoutError:
        running.kill()
        return 1, f"not done after {seconds} s"
    return running.returncode or 0, said.decode(errors="replace")


def decided(stage: Stage) -> Counter[str]:
    """By whom what was decided meanwhile."""
    rows = stage.serve.rows('SELECT "by" FROM decisions')
    return Counter(who for (by,) in rows for who in json.loads(by))


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="go on for so long, instead of until nothing new is found")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    told = parser.parse_args()
    async with staged(lanes=1, policy=POLICY) as stage:
        url, key = stage.serve.url, stage.agent.key
        length = ("--max-time", str(round(60 * told.minutes))) if told.minutes else ()
        code, said = await called(url, key, *length, seed=told.seed, examples=told.examples, phases=told.phases)
        by, log = decided(stage), stage.serve.log()
        stored = stage.serve.rows("SELECT count(*) FROM requests")[0][0]
    print(said)
    print(f"requests stored: {stored}; decided by: {dict(by)}; defects in the log: {log.count('request failed')}")
    return code or int("request failed" in log or not set(by) <= {"policy", "silence", "requester"})


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
