"""What people and the agent do in the rows of the decision table, each over the real wires."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.slack import ids
from tests.gateway.theatre import Json, Theatre

Done = Callable[[Theatre, Json], Awaitable[None]]


async def _nothing(stage: Theatre, asked: Json) -> None:
    """Nobody does anything."""


async def _approve(stage: Theatre, asked: Json, *people: str) -> None:
    """Each of them approves: by the button, or by the form where a phrase is typed or no card stands."""
    for person in people:
        if asked["checkpoint"]["kind"] == "inbox":
            await stage.open(person, asked["id"])
        else:
            await stage.press(person, asked["id"], ids.APPROVE)
        typed = {"phrase": "CONFIRM"} if asked["checkpoint"]["kind"] == "manual" else {}
        if typed or asked["checkpoint"]["kind"] == "inbox":
            assert (await stage.submit(person, ids.VIEW_FORM, **typed))["ok"]


def _people(asked: Json) -> tuple[str, ...]:
    return ("U0ANA", "U0BEN") if asked["tool"] in ("pair", "manual") else ("U0ANA",)


async def _first(stage: Theatre, asked: Json) -> None:
    """One of the two who are needed approves."""
    await _approve(stage, asked, "U0ANA")


async def _unclaimed(stage: Theatre, asked: Json) -> None:
    """All who are needed approve, and the agent doesn't come."""
    await _approve(stage, asked, *_people(asked))


async def _claim(stage: Theatre, asked: Json) -> None:
    """The agent claims; where it may, it runs the call and reports, and can't claim again."""
    path = f"/v1/requests/{asked['id']}"
    status, claimed = await stage.call("POST", f"{path}/claim", {"digest": asked["digest"]})
    if asked["tool"] == "deny":
        assert (status, claimed["code"]) == (409, "not_approved")
        return
    assert (status, claimed["arguments"]) == (200, {"amount": 100})
    assert (await stage.call("POST", f"{path}/report", {"status": "succeeded"}))[0] == 200
    assert (await stage.call("POST", f"{path}/claim", {"digest": asked["digest"]}))[0] == 409


async def _approve_and_run(stage: Theatre, asked: Json) -> None:
    """All who are needed approve, and the agent runs it."""
    await _unclaimed(stage, asked)
    await _claim(stage, asked)


async def _unreported(stage: Theatre, asked: Json) -> None:
    """The agent claims what was approved and is never heard of again."""
    await _unclaimed(stage, asked)
    assert (await stage.call("POST", f"/v1/requests/{asked['id']}/claim", {"digest": asked["digest"]}))[0] == 200


async def _reject(stage: Theatre, asked: Json) -> None:
    await stage.press("U0ANA", asked["id"], ids.REJECT)
    assert (await stage.submit("U0ANA", ids.REJECT_FORM))["ok"]


async def _modify(stage: Theatre, asked: Json) -> None:
    """Ana changes the amount; the gate stays. What was proposed can't be claimed any more."""
    await stage.press("U0ANA", asked["id"], ids.MODIFY)
    typed = {"phrase": "CONFIRM"} if asked["checkpoint"]["kind"] == "manual" else {}
    assert (await stage.submit("U0ANA", ids.MODIFY_FORM, field_0="50", **typed))["ok"]
    await _revised(stage, asked, 50)


async def _raise(stage: Theatre, asked: Json) -> None:
    """Ana changes the amount to one that meets a stricter gate: a typed confirmation where that is `manual`."""
    await stage.press("U0ANA", asked["id"], ids.MODIFY)
    answer = await stage.submit("U0ANA", ids.MODIFY_FORM, field_0="350")
    stricter = "manual" if asked["tool"] == "hard" else "hard"
    if stricter == "manual":
        assert (await stage.request(asked["id"]))["revision"] == 1
        answer = await stage.submit("U0ANA", ids.MODIFY_FORM, field_0="350", phrase="CONFIRM")
    assert answer["ok"], answer
    assert (await _revised(stage, asked, 350))["checkpoint"]["kind"] == stricter


async def _revised(stage: Theatre, asked: Json, amount: int) -> Json:
    now = await stage.request(asked["id"])
    assert (now["revision"], now["arguments"], now["digest"] == asked["digest"]) == (2, {"amount": amount}, False)
    status, _ = await stage.call("POST", f"/v1/requests/{asked['id']}/claim", {"digest": asked["digest"]})
    assert status == 409
    return now


async def _exceed(stage: Theatre, asked: Json) -> None:
    """Ana changes the amount to one that the policy refuses: the form says so, and nothing is changed."""
    await stage.press("U0ANA", asked["id"], ids.MODIFY)
    typed = {"phrase": "CONFIRM"} if asked["checkpoint"]["kind"] == "manual" else {}
    answer = await stage.submit("U0ANA", ids.MODIFY_FORM, field_0="500", **typed)
    assert (answer["ok"], "refuses" in str(answer["errors"])) == (False, True), answer
    await stage.close_forms("U0ANA")
    assert (await stage.request(asked["id"]))["revision"] == 1


async def _stop(stage: Theatre, asked: Json) -> None:
    """Ana stops what would go ahead, or what was approved and is not claimed yet."""
    if asked["checkpoint"]["kind"] != "soft":
        await _unclaimed(stage, asked)
        await stage.drained()
    await stage.press("U0ANA", asked["id"], ids.STOP)


async def _withdraw(stage: Theatre, asked: Json) -> None:
    """The agent takes it back; the same again is the same, what the policy refused is over already."""
    path = f"/v1/requests/{asked['id']}"
    expected = [409, 409] if asked["tool"] == "deny" else [200, 200]
    assert [(await stage.call("DELETE", path))[0] for _ in range(2)] == expected


async def _answer(stage: Theatre, asked: Json) -> None:
    """Ana answers what was asked first; the answer lets nothing go by itself."""
    await stage.press("U0ANA", asked["id"], f"{ids.ANSWER}.0")


async def _snooze(stage: Theatre, asked: Json) -> None:
    """Ana puts reminders off for an hour; where silence would let the call go ahead she can't."""
    command = f"/approvals snooze {asked['id']} 1h"
    assert (await stage.sandbox.people.command("U0ANA", "C0APPROVALS", command))["ok"]
    told = [
        each["text"] for each in await stage.sandbox.people.history("U0ANA", "C0APPROVALS") if each.get("ephemeral")
    ]
    assert ("put off until" in told[-1]) == (asked["checkpoint"]["kind"] != "soft"), told


ACTS: dict[str, Done] = {
    "silence": _nothing,
    "limit": _nothing,
    "first": _first,
    "approve": _approve_and_run,
    "unclaimed": _unclaimed,
    "unreported": _unreported,
    "claim": _claim,
    "reject": _reject,
    "modify": _modify,
    "raise": _raise,
    "exceed": _exceed,
    "answer": _answer,
    "snooze": _snooze,
    "stop": _stop,
    "withdraw": _withdraw,
}
"""What is done, by the word in the table."""

LIMIT = {"limit": {"expires_in": "5m"}}
"""What the agent asks for besides the call, by the act."""
