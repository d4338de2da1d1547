"""What the client's README shows is run, against a real gateway."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from policies.review import Verdict
from tests.api.house import House, open_house

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "client" / "README.md").read_text(encoding="utf-8")
CODE = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "client" / "signoff").glob("*.py")}
DECORATED, PLAIN = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


async def decided(house: House, verdict: Verdict, note: str | None = None) -> None:
    """Whatever is asked first, Ana says this to it."""
    while True:
        page = await house.store.requests(states=(), limit=1)
        for request in page.requests:
            await house.gateway.review(request.id, house.person("U0ANA"), verdict, 1, note=note)
            return
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        (DECORATED, Verdict.APPROVE, "refunded 140.00 EUR for HG-1042\n"),
        (PLAIN, Verdict.APPROVE, "refund 140\n"),
        (PLAIN, Verdict.REJECT, "Not this one.\n"),
    ],
)
async def test_its_examples_do_what_they_say(
    text: str,
    verdict: Verdict,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with open_house(tmp_path) as house:
        monkeypatch.setenv("SIGNOFF_URL", house.address(""))
        monkeypatch.setenv("SIGNOFF_KEY", house.agent)
        program = asyncio.create_task(asyncio.to_thread(exec, compile(text, "README.md", "exec"), {}))
        await decided(house, verdict, "Not this one." if verdict is Verdict.REJECT else None)
        await program
    assert capsys.readouterr().out == said


def test_every_framework_s_adapter_is_told_with_its_line() -> None:
    told = set(re.findall(r"^from signoff\.(\w+) import (Gate|Reviewed)$", README, re.MULTILINE))
    there = {
        (name, kind) for name, text in CODE.items() for kind in re.findall(r"^class (Gate|Reviewed)\b", text, re.M)
    }
    assert told == there - {("decorator", "Gate")}
