"""Drafts over the API: sent, read again as they stand, bounded."""

from __future__ import annotations

from typing import Any

import pytest

from policies.review import Verdict
from tests.api.house import House

POST: dict[str, Any] = {"tool": "publish_post", "arguments": {"body": "Open on Sunday"}}
DRAFTS = [
    {"title": "Post", "media_type": "text/markdown", "text": "Open on Sunday"},
    {"title": "Mail", "media_type": "text/html", "text": "<b>Dear all</b>"},
]


async def test_drafts_come_back_and_an_edited_one_is_told_among_the_changes(house: House) -> None:
    asked = await house.ask(POST, preview=DRAFTS)
    assert asked["preview"] == DRAFTS
    changed = await house.gateway.review(
        asked["id"], house.person("U0ANA"), Verdict.MODIFY, 1, arguments=POST["arguments"], drafts={1: "Dear all"}
    )
    read = (await house.call("GET", f"/v1/requests/{asked['id']}")).body
    assert [draft["text"] for draft in read["preview"]] == ["Open on Sunday", "Dear all"]
    assert read["changes"] == [{"path": "/preview/1/text", "before": "<b>Dear all</b>", "after": "Dear all"}]
    assert (read["revision"], read["digest"], read["arguments"]) == (2, changed.digest, POST["arguments"])
    claimed = await house.call("POST", f"/v1/requests/{asked['id']}/claim", json={"digest": read["digest"]})
    assert [draft["text"] for draft in claimed.body["preview"]] == ["Open on Sunday", "Dear all"]


async def test_an_edit_of_the_argument_changes_its_draft_and_is_told_once(house: House) -> None:
    asked = await house.ask(POST, preview=DRAFTS[:1])
    edited = {"body": "Closed on Sunday"}
    await house.gateway.review(asked["id"], house.person("U0ANA"), Verdict.MODIFY, 1, arguments=edited)
    read = (await house.call("GET", f"/v1/requests/{asked['id']}")).body
    assert [draft["text"] for draft in read["preview"]] == ["Closed on Sunday"]
    assert [change["path"] for change in read["changes"]] == ["/body"]


@pytest.mark.parametrize(
    ("drafts", "where", "part"),
    [
        ([], "/preview", "at least 1 entry"),
        (DRAFTS * 3, "/preview", "at most 5 entries"),
        ([{**DRAFTS[0], "text": "x" * 30_721}], "/preview/0/text", "30 kB"),
        ([{**DRAFTS[0], "text": "ß" * 15_361}], "/preview/0/text", "30 kB"),
        ([{**DRAFTS[0], "text": ""}], "/preview/0/text", "at least 1"),
        ([{**DRAFTS[0], "title": ""}], "/preview/0/title", "at least 1"),
        ([{**DRAFTS[0], "media_type": "image/png"}], "/preview/0/media_type", "text/plain"),
        ([{**DRAFTS[0], "argument": "body"}], "/preview/0/argument", "isn't known here"),
        (DRAFTS[0], "/preview", "must be a list"),
    ],
)
async def test_what_is_no_draft_is_refused_at_its_place(house: House, drafts: Any, where: str, part: str) -> None:
    answer = await house.call("POST", "/v1/requests", json={**POST, "preview": drafts})
    assert answer.status == 422
    (error,) = answer.body["errors"]
    assert (error["where"], part in error["words"]) == (where, True), error


async def test_five_drafts_of_thirty_kilobytes_are_taken(house: House) -> None:
    drafts = [{**DRAFTS[0], "text": "x" * 30_720}] * 5
    assert len((await house.ask(POST, preview=drafts))["preview"]) == 5
