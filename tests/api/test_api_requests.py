"""An agent asks, reads, claims, reports and withdraws over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from policies.review import Verdict
from tests.api.house import MAIL, PAYMENT, POLICY, House, open_house

NAMES = """
id state checkpoint tool arguments proposed_arguments modified changes preview revision digest requester
on_behalf_of run group created_at deadline_at snoozed_until snoozed_by permit_expires_at reviews
decision execution audit question answer inquiries paused_until audit_by audit_note purged_at
"""


async def approve(house: House, request_id: str, by: str = "U0ANA", revision: int = 1) -> None:
    await house.gateway.review(request_id, house.person(by), Verdict.APPROVE, revision)


async def test_an_agent_reads_who_snoozed_its_request_until_when_and_that_its_end_stays(house: House) -> None:
    asked = await house.ask(MAIL)
    until = house.clock() + timedelta(minutes=10)
    await house.gateway.snooze(asked["id"], house.person("U0ANA"), until)
    shown = (await house.call("GET", f"/v1/requests/{asked['id']}")).body
    assert (shown["snoozed_by"], datetime.fromisoformat(shown["snoozed_until"])) == ("U0ANA", until)
    assert shown["deadline_at"] == asked["deadline_at"]
    await approve(house, asked["id"])
    assert (await house.call("GET", f"/v1/requests/{asked['id']}")).body["snoozed_until"] is None


async def test_a_pending_request_reads_as_documented(house: House) -> None:
    shown = await house.ask(PAYMENT, reason="Invoice 17", confidence=0.9, on_behalf_of="U0ELLA", run="run-7")
    assert list(shown) == NAMES.split()
    assert shown["state"] == "pending"
    assert set(shown["checkpoint"]) == {"kind", "rule", "reason", "required_by"}
    assert (shown["checkpoint"]["kind"], shown["checkpoint"]["required_by"]) == ("hard", "SOX 404")
    assert shown["arguments"] == shown["proposed_arguments"] == PAYMENT["arguments"]
    assert (shown["modified"], shown["changes"], shown["revision"]) == (False, [], 1)
    assert shown["digest"].startswith("sha256:")
    assert (shown["requester"], shown["on_behalf_of"], shown["run"]) == ("mailer", "U0ELLA", "run-7")
    assert shown["created_at"] == "2026-11-23T09:00:00Z"
    assert (shown["decision"], shown["execution"], shown["audit"], shown["permit_expires_at"]) == (None,) * 4


async def test_a_new_request_is_answered_201_with_its_address(house: House) -> None:
    answer = await house.call("POST", "/v1/requests", json=MAIL)
    assert (answer.status, answer.headers["Location"]) == (201, f"/v1/requests/{answer.body['id']}")
    assert answer.headers["Cache-Control"] == "no-store"
    again = await house.call("GET", answer.headers["Location"])
    assert (again.status, again.body) == (200, answer.body)


async def test_numbers_come_back_as_they_were_sent(house: House) -> None:
    sent = '{"tool":"send_email","arguments":{"b":1.0,"a":1,"c":1e22,"d":0.1,"e":9007199254740991,"ü":"🦊"}}'
    async with house.session.post(
        house.address("/v1/requests"), data=sent.encode(), headers={"Authorization": f"Bearer {house.agent}"}
    ) as answer:
        text = await answer.text()
    assert '"arguments":{"b":1.0,"a":1,"c":1e22,"d":0.1,"e":9007199254740991,"ü":"🦊"}' in text.replace("1e+22", "1e22")


async def test_an_allowed_call_is_approved_at_once_and_claimed_like_any_other(house: House) -> None:
    shown = await house.ask({"tool": "read_order", "arguments": {"id": 7}})
    assert (shown["state"], shown["decision"]["by"], shown["execution"]["state"]) == (
        "approved",
        ["policy"],
        "unclaimed",
    )
    claimed = await house.call("POST", f"/v1/requests/{shown['id']}/claim", json={"digest": shown["digest"]})
    assert (claimed.status, claimed.body["execution"]["state"]) == (200, "claimed")


async def test_a_denied_call_is_rejected_at_once_with_the_reason(house: House) -> None:
    shown = await house.ask({"tool": "drop_database", "arguments": {}})
    assert (shown["state"], shown["decision"]["by"], shown["execution"]) == ("rejected", ["policy"], None)
    claimed = await house.call("POST", f"/v1/requests/{shown['id']}/claim", json={"digest": shown["digest"]})
    assert (claimed.status, claimed.body["code"]) == (409, "not_approved")


async def test_a_modified_call_shows_what_changed_and_is_claimed_with_the_new_digest(house: House) -> None:
    asked = await house.ask()
    arguments = {"to": ["max@example.com", "eva@example.com"], "body": "Hi"}
    await house.gateway.review(
        asked["id"], house.person("U0ANA"), Verdict.MODIFY, 1, note="cc Eva", arguments=arguments
    )
    shown = (await house.call("GET", f"/v1/requests/{asked['id']}")).body
    assert (shown["state"], shown["modified"], shown["revision"]) == ("approved", True, 2)
    assert (shown["arguments"], shown["proposed_arguments"]) == (arguments, MAIL["arguments"])
    changes = {change.pop("path"): change for change in shown["changes"]}
    assert changes == {
        "/to/1": {"after": "eva@example.com"},
        "/subject": {"before": "Hello"},
        "/body": {"after": "Hi"},
    }
    assert [(review["by"], review["verdict"], review["note"]) for review in shown["reviews"]] == [
        ("U0ANA", "modify", "cc Eva")
    ]
    old = await house.call("POST", f"/v1/requests/{asked['id']}/claim", json={"digest": asked["digest"]})
    assert (old.status, old.body["code"]) == (409, "digest_mismatch")
    new = await house.call("POST", f"/v1/requests/{asked['id']}/claim", json={"digest": shown["digest"]})
    assert (new.status, new.body["arguments"]) == (200, arguments)


async def test_a_claim_runs_once_and_the_same_key_gets_the_same_answer(house: House) -> None:
    asked = await house.ask()
    address, body = f"/v1/requests/{asked['id']}/claim", {"digest": asked["digest"]}
    early = await house.call("POST", address, json=body)
    assert (early.status, early.body["code"]) == (409, "not_approved")
    await approve(house, asked["id"])
    first = await house.call("POST", address, json=body, headers={"Idempotency-Key": "k1"})
    again = await house.call("POST", address, json=body, headers={"Idempotency-Key": "k1"})
    assert first.status == again.status == 200
    assert first.body == again.body
    for headers in ({}, {"Idempotency-Key": "k2"}):
        other = await house.call("POST", address, json=body, headers=headers)
        assert (other.status, other.body["code"]) == (409, "already_claimed")


async def test_a_permit_that_nobody_claimed_in_time_lapses(house: House) -> None:
    asked = await house.ask()
    await approve(house, asked["id"])
    house.clock.move(timedelta(hours=1))
    late = await house.call("POST", f"/v1/requests/{asked['id']}/claim", json={"digest": asked["digest"]})
    assert (late.status, late.body["code"]) == (409, "call_lapsed")


async def test_a_report_may_be_repeated_but_not_changed(house: House) -> None:
    asked = await house.ask()
    address = f"/v1/requests/{asked['id']}/report"
    early = await house.call("POST", address, json={"status": "succeeded"})
    assert (early.status, early.body["code"]) == (409, "not_approved")
    await approve(house, asked["id"])
    await house.call("POST", f"/v1/requests/{asked['id']}/claim", json={"digest": asked["digest"]})
    first = await house.call("POST", address, json={"status": "failed", "note": "SMTP 550", "result": {"code": 550}})
    assert (first.status, first.body["execution"]["state"], first.body["execution"]["note"]) == (
        200,
        "failed",
        "SMTP 550",
    )
    again = await house.call("POST", address, json={"status": "failed"})
    assert (again.status, again.body) == (200, first.body)
    other = await house.call("POST", address, json={"status": "succeeded"})
    assert (other.status, other.body["code"]) == (409, "already_reported")


async def test_a_result_beyond_64_kb_is_refused_and_the_report_can_be_sent_again(house: House) -> None:
    asked = await house.ask({"tool": "read_order", "arguments": {}})
    await house.call("POST", f"/v1/requests/{asked['id']}/claim", json={"digest": asked["digest"]})
    address = f"/v1/requests/{asked['id']}/report"
    large = await house.call("POST", address, json={"status": "succeeded", "result": "x" * 65_536})
    assert (large.status, large.body["errors"][0]["where"]) == (422, "/result")
    fits = await house.call("POST", address, json={"status": "succeeded", "result": "x" * 65_000})
    assert (fits.status, fits.body["execution"]["state"]) == (200, "succeeded")


async def test_a_pending_request_can_be_withdrawn_twice(house: House) -> None:
    asked = await house.ask()
    first = await house.call("DELETE", f"/v1/requests/{asked['id']}")
    again = await house.call("DELETE", f"/v1/requests/{asked['id']}")
    assert (first.status, again.status, first.body["state"]) == (200, 200, "withdrawn")
    assert first.body == again.body


async def test_withdrawing_an_approved_call_revokes_its_permit(house: House) -> None:
    asked = await house.ask()
    await approve(house, asked["id"])
    for _ in range(2):
        withdrawn = await house.call("DELETE", f"/v1/requests/{asked['id']}")
        assert (withdrawn.status, withdrawn.body["execution"]["state"]) == (200, "revoked")
    claimed = await house.call("POST", f"/v1/requests/{asked['id']}/claim", json={"digest": asked["digest"]})
    assert (claimed.status, claimed.body["code"]) == (409, "call_revoked")


async def test_a_rejected_request_cannot_be_withdrawn(house: House) -> None:
    asked = await house.ask()
    await house.gateway.review(asked["id"], house.person("U0BEN"), Verdict.REJECT, 1, note="wrong tone")
    late = await house.call("DELETE", f"/v1/requests/{asked['id']}")
    assert (late.status, late.body["code"]) == (409, "already_settled")
    shown = (await house.call("GET", f"/v1/requests/{asked['id']}")).body
    assert (shown["decision"]["verdict"], shown["decision"]["note"]) == ("rejected", "wrong tone")


@pytest.mark.parametrize("expires_in", [60, "1m"])
async def test_silence_reads_expired_and_the_agent_may_only_shorten_it(house: House, expires_in: int | str) -> None:
    asked = await house.ask(expires_in=expires_in)
    longer = await house.ask(expires_in=86_400)
    assert (asked["deadline_at"], longer["deadline_at"]) == ("2026-11-23T09:01:00Z", "2026-11-23T11:00:00Z")
    house.clock.move(timedelta(minutes=1))
    assert await house.gateway.advance(house.clock()) == 1
    shown = (await house.call("GET", f"/v1/requests/{asked['id']}")).body
    assert (shown["state"], shown["decision"]["by"]) == ("expired", ["silence"])


async def test_the_list_is_paged_newest_first_and_filtered(house: House) -> None:
    asked = []
    for number in range(5):
        house.clock.move(timedelta(seconds=1))
        asked.append((await house.ask(MAIL, run=f"run-{number}"))["id"])
    await approve(house, asked[1])
    first = (await house.call("GET", "/v1/requests?limit=3")).body
    rest = (await house.call("GET", "/v1/requests", params={"limit": "3", "cursor": first["cursor"]})).body
    assert [shown["id"] for shown in first["requests"] + rest["requests"]] == asked[::-1]
    assert rest["cursor"] is None
    runnable = (await house.call("GET", "/v1/requests?execution=unclaimed")).body["requests"]
    assert [shown["id"] for shown in runnable] == [asked[1]]
    for query in ("state=pending,approved", "state=pending&state=approved"):
        assert len((await house.call("GET", f"/v1/requests?{query}")).body["requests"]) == 5
    assert len((await house.call("GET", "/v1/requests?state=pending")).body["requests"]) == 4


async def test_the_owner_of_the_key_counts_as_the_person_served(house: House) -> None:
    asked = await house.ask()
    stored = await house.gateway.request(asked["id"])
    assert (stored.requester.id, stored.requester.owner) == ("key:mailer", "U0OWNER")


async def test_what_was_asked_and_taken_back_is_no_first_use_of_a_tool(tmp_path: Path) -> None:
    known = "  - {name: known, match: send_email, checkpoint: allow}\n"
    first = "  - {name: first, match: send_email, when: recent.first_use, checkpoint: hard}\n"
    async with open_house(tmp_path, POLICY.replace("rules:\n", f"rules:\n{known}{first}")) as house:
        for decide in ("withdraw", "reject"):
            asked = await house.ask()
            assert (asked["checkpoint"]["rule"], asked["state"]) == ("first", "pending")
            if decide == "withdraw":
                await house.call("DELETE", f"/v1/requests/{asked['id']}")
            else:
                await house.gateway.review(asked["id"], house.person("U0ANA"), Verdict.REJECT, 1)
        approved = await house.ask()
        assert approved["checkpoint"]["rule"] == "first"
        await house.gateway.review(approved["id"], house.person("U0ANA"), Verdict.APPROVE, 1)
        assert (await house.ask())["checkpoint"]["rule"] == "first"
        await house.call("POST", f"/v1/requests/{approved['id']}/claim", json={"digest": approved["digest"]})
        assert (await house.ask())["checkpoint"]["rule"] == "known"
