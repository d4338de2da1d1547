"""The decision table on the real gateway: every row, and with each of them the gateway's own stops."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot.slack import ids
from tests.gateway.decision_acts import ACTS, LIMIT
from tests.gateway.decision_table import AWAY, POLICY, Row, late, rows
from tests.gateway.theatre import Json, Theatre, theatre
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

ROWS = rows()
SAID = {"remind": "still waits", "add": "may decide too"}
"""What is said in a card's thread, once, for each step of the ladder."""

Asked = list[tuple[Row, Json]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workspace() -> AsyncIterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox
        await sandbox.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def stage(workspace: SandboxProcess, tmp_path: Path) -> AsyncIterator[Theatre]:
    async with theatre(workspace, tmp_path, POLICY) as found:
        await found.start()
        yield found


async def _ask(stage: Theatre, wanted: Iterable[Row]) -> Asked:
    asked = [(row, await stage.ask(row.kind, **LIMIT.get(row.act, {}))) for row in wanted]
    await stage.drained()
    return asked


async def _climb(stage: Theatre, wanted: Iterable[Row]) -> None:
    """From each moment at which anything should happen to the next; a second before it, nothing may."""
    for minute in sorted({minute for row in wanted for minute in row.minutes if minute > 1}):
        before = stage.raw("SELECT max(seq) FROM journal")
        await stage.at(minute, -1)
        assert stage.raw("SELECT max(seq) FROM journal") == before, f"something happened before minute {minute}"
        await stage.at(minute)


async def _judge(stage: Theatre, asked: Asked) -> None:
    found = [(row, await _came_to(stage, row, one)) for row, one in asked]
    assert [came for _, came in found] == [row for row, _ in found]
    for row, one in asked:
        await _judge_slack(stage, row, one["id"])


async def _came_to(stage: Theatre, row: Row, one: Json) -> Row:
    """The row that the request itself would make."""
    now = await stage.request(one["id"])
    return Row(
        kind=row.kind,
        act=row.act,
        state=now["state"],
        by=tuple(sorted(now["decision"]["by"])),
        execution=now["execution"] and now["execution"]["state"],
        audit=now["audit"],
        when=tuple(_lines(stage, one["id"])),
    )


def _lines(stage: Theatre, request_id: str) -> Iterable[str]:
    found = stage.raw("SELECT at, what, detail FROM journal WHERE subject = ? ORDER BY seq", request_id)
    for at, what, detail in found:
        minutes = (datetime.fromtimestamp(at / 1e6, UTC) - stage.hand.began).total_seconds() / 60
        yield f"{minutes:g} {json.loads(detail)['act'] if what == 'step' else what}"


async def _judge_slack(stage: Theatre, row: Row, request_id: str) -> None:
    """Each step was said once, as long as there was somebody to say it to; the cards show the end and ask nothing."""
    thread = await stage.thread(request_id)
    assert bool(thread) == any(" delivered" in line for line in row.when), row
    noted = [message["text"] for message in thread[1:]]
    climbed = {act: [line for line in row.when if line.endswith(act) and line != f"{AWAY} {act}"] for act in SAID}
    for act, words in SAID.items():
        in_channel = row.kind != "inbox"
        assert sum(words in text for text in noted) == len(climbed[act]) * in_channel, (row, noted)
    assert [channel for channel, _ in stage.places(request_id)].count("D0FRED") == len(climbed["add"]), row
    for message in thread[:1]:
        buttons = [part.get("action_id") for block in message["blocks"] for part in block.get("elements", ())]
        assert not {ids.APPROVE, ids.MODIFY, ids.REJECT, ids.MORE} & set(buttons), row
        assert (ids.STOP in buttons, ids.SEEN in buttons) == (False, row.audit == "open"), row


@pytest.mark.parametrize("restarted", [False, True], ids=["undisturbed", "restarted before the act"])
async def test_each_row_comes_to_what_the_table_says(stage: Theatre, restarted: bool) -> None:
    asked = await _ask(stage, ROWS)
    if restarted:
        await stage.stop()
        await stage.start()
    await stage.at(1)
    for row, one in asked:
        await ACTS[row.act](stage, one)
    await stage.drained()
    await _climb(stage, ROWS)
    await _judge(stage, asked)


async def test_where_the_gateway_was_away_across_the_deadline_silence_has_decided(stage: Theatre) -> None:
    asked = [(late(row), one) for row, one in await _ask(stage, ROWS)]
    await stage.at(1)
    for row, one in asked:
        if row.act == "first":
            await ACTS[row.act](stage, one)
    await stage.drained()
    await stage.stop()
    await stage.at(AWAY)
    await stage.start()
    for row, one in asked:
        await _too_late(stage, row, one)
    await _climb(stage, [row for row, _ in asked])
    await _judge(stage, asked)


async def _too_late(stage: Theatre, row: Row, one: Json) -> None:
    """The first thing that a client or a person meets is the end."""
    now = await stage.request(one["id"])
    goes_on = any(line.endswith("settled") and _minute(line) > AWAY for line in row.when)
    assert now["state"] == ("pending" if goes_on else row.state), row
    status, refused = await stage.call("POST", f"/v1/requests/{one['id']}/claim", {"digest": "sha256:" + "0" * 64})
    assert status == 409, refused
    if now["state"] == "expired":
        assert (await stage.call("DELETE", f"/v1/requests/{one['id']}"))[0] == 409


def _minute(line: str) -> int:
    return int(line.split()[0])


async def test_several_steps_that_fell_due_while_it_was_away_happen_once_each_and_the_ladder_goes_on(
    stage: Theatre,
) -> None:
    waiting = [row for row in ROWS if row.act == "silence" and "10 remind" in row.when]
    asked = await _ask(stage, waiting)
    await stage.stop()
    await stage.at(45)
    await stage.start()
    for row, one in asked:
        lines = [line if line.startswith("0 ") else f"45 {line.split()[1]}" for line in row.when if _minute(line) < 60]
        assert list(_lines(stage, one["id"])) == lines
        noted = [message["text"] for message in (await stage.thread(one["id"]))[1:]]
        said = [words for text in noted for words in SAID.values() if words in text]
        assert sorted(said) == (sorted(SAID.values()) if row.kind != "inbox" else []), noted
    await stage.at(120, -1)
    assert {(await stage.request(one["id"]))["state"] for _, one in asked} == {"pending"}
    await stage.at(120)
    assert [(await stage.request(one["id"]))["state"] for _, one in asked] == [row.state for row, _ in asked]
