"""Days that pass as a test says, for a gateway over its real wires that starts on a Monday morning in London."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.slack import ids
from policies.people import Person, Standing
from tests.gateway.theatre import Theatre, theatre
from tests.sandbox_process import SandboxProcess

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
Json = dict[str, Any]


@asynccontextmanager
async def monday_at_six(process: SandboxProcess, folder: Path, policy: str) -> AsyncIterator[Theatre]:
    """A gateway that has looked who the reviewers are, at six on a Monday morning in London."""
    async with theatre(process, folder, policy) as found:
        await next_monday(found)
        await found.start()
        assert found.serving is not None
        await found.serving.digests.send()
        yield found
    await process.aclose()


async def next_monday(stage: Theatre) -> None:
    """Let it be six on the next Monday morning in London. What happened before doesn't count from now on."""
    monday = stage.hand.time + timedelta(days=7 - stage.hand.time.weekday())
    await later(stage, datetime.combine(monday.date(), time(6), LONDON))
    stage.hand.began = stage.hand.time


async def cleared(stage: Theatre) -> None:
    """Take back what waits, look at what went ahead, close what is open: the next test finds nothing to do."""
    assert stage.serving is not None
    await stage.sandbox.control.faults()
    await retried(stage)
    for (request_id,) in stage.raw("SELECT id FROM requests WHERE state = 'pending'"):
        await stage.call("DELETE", f"/v1/requests/{request_id}")
    unseen = "SELECT id FROM requests WHERE json_extract(document, '$.audit') = 'open'"
    ana = Person(id="U0ANA", name="Ana", standing=Standing.MEMBER, looked_up_at=stage.hand())
    for (request_id,) in stage.raw(unseen):
        await stage.serving.gateway.mark_audit(request_id, ana, "seen")
    for person in ("U0ANA", "U0BEN"):
        await stage.close_forms(person)
    await retried(stage)


async def retried(stage: Theatre) -> None:
    """Let time pass until nothing is owed to Slack any more, however often it is tried."""
    assert stage.serving is not None
    async with asyncio.timeout(20):
        while stage.raw("SELECT count(*) FROM outbox") != [(0,)]:
            await stage.sandbox.control.advance(5)
            stage.hand.time += timedelta(seconds=5)
            stage.serving.gateway.waiting.wake(("outbox",))
            await asyncio.sleep(0.05)


async def later(stage: Theatre, moment: datetime, *, settle: bool = True) -> None:
    """Let it be ``moment``, and let everything happen that is due by then."""
    ahead = moment.astimezone(UTC) - stage.hand.time
    await stage.sandbox.control.advance(ahead.total_seconds())
    stage.hand.time += ahead
    if stage.serving is not None:
        await stage.serving.ticker.tick()
        await stage.drained()
        await stage.serving.digests.send()
        if settle:
            await stage.drained()


async def clock(
    stage: Theatre, hours: int, minutes: int = 0, *, days: int = 0, zone: ZoneInfo = LONDON, settle: bool = True
) -> None:
    """Let it be so late by the clocks of ``zone``, so many days on."""
    day = stage.hand.time.astimezone(zone).date() + timedelta(days=days)
    await later(stage, datetime.combine(day, time(hours, minutes), zone), settle=settle)


async def digests(stage: Theatre, person: str) -> list[Json]:
    """The digests that a person got in this test, the oldest first."""
    began = stage.hand.began.timestamp()
    channels = (await stage.sandbox.people.workspace(person))["channels"]
    ours = [one["id"] for one in channels if one["kind"] == "im" and one.get("with") == "U0SIGNOFF"]
    said = [message for one in ours for message in await stage.sandbox.people.history(person, one)]
    found = [one for one in said if (one.get("metadata") or {}).get("event_type") == ids.DIGEST_TYPE]
    return [{**one, "channel": ours[0]} for one in found if float(one["ts"]) >= began]


async def counts(stage: Theatre, *people: str) -> list[int]:
    return [len(await digests(stage, person)) for person in people]


async def digest(stage: Theatre, person: str, *words: str) -> Json:
    """The person's newest digest, which says all of ``words``."""
    newest = (await digests(stage, person))[-1]
    said = json.dumps(newest, ensure_ascii=False)
    assert all(word in said for word in words), said
    return newest


async def press(stage: Theatre, person: str, message: Json, action_id: str, request_id: str = "") -> None:
    """Press a button of a digest, the one in the row of ``request_id``."""
    for block in message["blocks"]:
        for element in (*block.get("elements", ()), block.get("accessory") or {}):
            if element.get("action_id") == action_id and request_id in element["value"]:
                place = {"channel": message["channel"], "ts": message["ts"], "block_id": block["block_id"]}
                answer = await stage.sandbox.people.click(person, **place, action_id=action_id, value=element["value"])
                assert answer["ok"], answer
                return
    raise LookupError(action_id)
