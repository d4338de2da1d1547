"""The gallery takes every state, and a workspace takes everything that stands in it."""

from __future__ import annotations

from tests.slack.gallery import KINDS, REST, VIEWER, channel_id, gallery, messages, views


async def test_every_card_and_note_hangs_there_and_every_form_opens() -> None:
    async with gallery() as sandbox:
        hung = [await sandbox.people.history(VIEWER, channel_id(kind)) for kind in (*KINDS, REST)]
        assert sum(map(len, hung)) == 2 * len(messages())
        rows = await sandbox.people.history(VIEWER, channel_id("forms"))
        for row in rows:
            for element in row["blocks"][0]["elements"]:
                await sandbox.people.press(VIEWER, channel_id("forms"), row["ts"], element["action_id"])
        calls = await sandbox.control.record()
        shown = [call for call in calls if call.get("method") in ("views.open", "views.publish")]
        assert len(shown) == len(views())
        assert all(call["answer"]["ok"] for call in shown), shown
