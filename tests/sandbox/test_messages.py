"""Messages behave as Slack's: who may post where, what an update removes, how threads and metadata are kept."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox.stock_app import actions, button, plain
from tests.sandbox_process import SandboxProcess

Json = dict[str, Any]
ROOM = "C0GENERAL"
BLOCKS = [actions(button("a"))]


def client(sandbox: SandboxProcess) -> AsyncWebClient:
    return AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)


async def post(sandbox: SandboxProcess, **rest: Any) -> Json:
    answer = await sandbox.api("chat.postMessage", {"channel": ROOM, "text": "hello", **rest})
    assert answer["ok"], answer
    return answer


async def error(sandbox: SandboxProcess, method: str, **arguments: Any) -> str:
    return str((await sandbox.api(method, arguments)).get("error", "none"))


async def shown(sandbox: SandboxProcess, ts: str, person: str = "U0ANA", channel: str = ROOM) -> Json:
    return next(message for message in await sandbox.people.history(person, channel) if message["ts"] == ts)


FORMS = ["json", "form", "get", "query"]


@pytest.mark.parametrize("form", FORMS)
async def test_arguments_may_come_in_every_form(sandbox: SandboxProcess, form: str) -> None:
    url, arguments = f"{sandbox.api_url}chat.postMessage", {"channel": ROOM, "text": form}
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    sent: dict[str, Json] = {
        "json": {"json": arguments},
        "form": {"data": arguments},
        "get": {"params": arguments},
        "query": {"params": arguments},
    }
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request("GET" if form == "get" else "POST", url, **sent[form]) as response,
    ):
        assert (await response.json())["message"]["text"] == form


async def test_a_form_may_carry_the_token_and_blocks_as_text(sandbox: SandboxProcess) -> None:
    form = {"token": sandbox.bot_token, "channel": ROOM, "blocks": '[{"type": "divider", "block_id": "d"}]'}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.api_url}chat.postMessage", data=form) as response,
    ):
        answer = await response.json()
    assert answer["message"]["blocks"] == [{"type": "divider", "block_id": "d"}]


@pytest.mark.parametrize(
    ("token", "expected"), [("xoxb-wrong", "invalid_auth"), ("xapp-sandbox", "not_allowed_token_type")]
)
async def test_a_wrong_token_is_refused(sandbox: SandboxProcess, token: str, expected: str) -> None:
    assert (await sandbox.api("auth.test", token=token))["error"] == expected


async def test_no_token_is_not_authed(sandbox: SandboxProcess) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{sandbox.api_url}auth.test") as response:
        assert await response.json() == {"ok": False, "error": "not_authed"}


async def test_a_missing_scope_is_named_with_what_is_there(fresh: SandboxProcess) -> None:
    await fresh.control.app(scopes=["chat:write"])
    with pytest.raises(SlackApiError) as refused:
        await client(fresh).users_info(user="U0ANA")
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "users:read"
    assert refused.value.response["provided"] == "chat:write"


async def test_history_needs_its_scope_and_then_returns_metadata_only_when_asked(fresh: SandboxProcess) -> None:
    metadata = {"event_type": "signoff", "event_payload": {"id": "r1"}}
    ts = (await post(fresh, metadata=metadata))["ts"]
    assert await error(fresh, "conversations.history", channel=ROOM) == "missing_scope"
    await fresh.control.app(scopes=["chat:write", "channels:history"])
    plain_history = await fresh.api("conversations.history", {"channel": ROOM})
    assert [("metadata" in message) for message in plain_history["messages"]] == [False]
    full = await fresh.api("conversations.history", {"channel": ROOM, "include_all_metadata": True})
    assert full["messages"][0]["metadata"] == metadata
    await fresh.api("chat.update", {"channel": ROOM, "ts": ts, "text": "new"})
    kept = await fresh.api("conversations.history", {"channel": ROOM, "include_all_metadata": True})
    assert kept["messages"][0]["metadata"] == metadata, "metadata that an update does not mention stays"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "U0NOBODY", "text": "x"}, "channel_not_found"),
        ({"channel": "U0DEL", "text": "x"}, "user_disabled"),
        ({"channel": "U0EXT", "text": "x"}, "user_not_visible"),
        ({"channel": ROOM}, "no_text"),
        ({"channel": ROOM, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": ROOM, "text": "x", "username": "Ana"}, "missing_scope"),
        ({"channel": ROOM, "text": "x", "metadata": {"event_type": "t"}}, "invalid_metadata_format"),
        ({"channel": ROOM, "text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
        (
            {"channel": ROOM, "text": "x", "metadata": {"event_type": "t", "event_payload": {"a": "b" * 20_000}}},
            "metadata_too_large",
        ),
        ({"channel": ROOM, "blocks": "no"}, "invalid_blocks_format"),
        ({"channel": ROOM, "blocks": [{"type": "markdown", "text": "m" * 7000}] * 2}, "invalid_blocks"),
        (
            {"channel": ROOM, "blocks": [{"type": "section", "text": plain("s" * 3000)}] * 5},
            "msg_blocks_too_long",
        ),
    ],
    ids=range(13),
)
async def test_a_message_that_slack_would_refuse_is_refused(
    sandbox: SandboxProcess, arguments: Json, expected: str
) -> None:
    assert await error(sandbox, "chat.postMessage", **arguments) == expected


async def test_invalid_blocks_say_where(sandbox: SandboxProcess) -> None:
    answer = await sandbox.api("chat.postMessage", {"channel": ROOM, "blocks": [{"type": "header"}]})
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: text [json-pointer:/blocks/0]"]


async def test_the_app_must_be_in_a_channel_unless_it_may_post_in_public(fresh: SandboxProcess) -> None:
    await fresh.control.channel("C0AWAY", name="away", members=["U0ANA"])
    await fresh.control.channel("C0HID", name="hidden", kind="private", members=["U0ANA"])
    assert await error(fresh, "chat.postMessage", channel="C0AWAY", text="x") == "not_in_channel"
    assert await error(fresh, "chat.postMessage", channel="C0HID", text="x") == "channel_not_found"
    await fresh.control.app(scopes=["chat:write", "chat:write.public"])
    assert await error(fresh, "chat.postMessage", channel="#away", text="x") == "none"
    assert await error(fresh, "chat.postMessage", channel="C0HID", text="x") == "channel_not_found"
    await fresh.control.channel(ROOM, is_archived=True)
    assert await error(fresh, "chat.postMessage", channel=ROOM, text="x") == "is_archived"


async def test_posting_to_a_person_opens_the_direct_message(sandbox: SandboxProcess) -> None:
    answer = await post(sandbox, channel="U0SAM")
    assert answer["channel"] == "D0SAM"
    opened = await client(sandbox).conversations_open(users="U0SAM")
    assert opened["channel"]["id"] == "D0SAM"
    assert (await shown(sandbox, answer["ts"], "U0SAM", "D0SAM"))["text"] == "hello"
    assert await error(sandbox, "chat.update", channel="U0SAM", ts=answer["ts"], text="x") == "channel_not_found"
    assert await error(sandbox, "conversations.open", users="U0DEL") == "user_disabled"


async def test_long_text_is_cut_when_posted_and_refused_when_updated(sandbox: SandboxProcess) -> None:
    answer = await post(sandbox, text="x" * 40_001)
    assert len(answer["message"]["text"]) == 40_000
    assert answer["response_metadata"]["warnings"] == ["message_truncated"]
    place = {"channel": ROOM, "ts": answer["ts"]}
    assert await error(sandbox, "chat.update", **place, text="x" * 4001) == "msg_too_long"
    assert await error(sandbox, "chat.update", **place, text="x" * 4000) == "none"


async def test_an_update_with_text_alone_removes_blocks_and_says_edited(sandbox: SandboxProcess) -> None:
    ts = (await post(sandbox, blocks=BLOCKS))["ts"]
    await sandbox.api("chat.update", {"channel": ROOM, "ts": ts, "text": "done", "blocks": BLOCKS})
    assert "edited" not in await shown(sandbox, ts), "no edited mark where blocks are used"
    await sandbox.api("chat.update", {"channel": ROOM, "ts": ts, "text": "plain"})
    message = await shown(sandbox, ts)
    assert message["text"] == "plain"
    assert "blocks" not in message
    assert message["edited"]["user"] == "U0SIGNOFF"


async def test_an_update_without_text_and_blocks_keeps_them(sandbox: SandboxProcess) -> None:
    ts = (await post(sandbox, blocks=BLOCKS))["ts"]
    metadata = {"event_type": "t", "event_payload": {}}
    assert await error(sandbox, "chat.update", channel=ROOM, ts=ts, metadata=metadata) == "none"
    message = await shown(sandbox, ts)
    assert message["text"] == "hello"
    assert message["blocks"][0]["type"] == "actions"
    assert await error(sandbox, "chat.update", channel=ROOM, ts=ts) == "no_text"


async def test_only_the_apps_own_messages_can_be_changed(sandbox: SandboxProcess) -> None:
    theirs = (await sandbox.people.say("U0ANA", ROOM, "mine"))["ts"]
    assert await error(sandbox, "chat.update", channel=ROOM, ts=theirs, text="x") == "cant_update_message"
    assert await error(sandbox, "chat.delete", channel=ROOM, ts=theirs) == "cant_delete_message"
    assert await error(sandbox, "chat.update", channel=ROOM, ts="1.000001", text="x") == "message_not_found"


async def test_an_ephemeral_message_is_seen_by_one_and_cannot_be_updated(sandbox: SandboxProcess) -> None:
    answer = await sandbox.api("chat.postEphemeral", {"channel": ROOM, "user": "U0BEN", "text": "psst"})
    ts = answer["message_ts"]
    assert (await shown(sandbox, ts, "U0BEN"))["ephemeral"] is True
    assert ts not in [message["ts"] for message in await sandbox.people.history("U0ANA", ROOM)]
    assert await error(sandbox, "chat.update", channel=ROOM, ts=ts, text="x") == "message_not_found"
    refused = await error(sandbox, "chat.postEphemeral", channel="C0FINANCE", user="U0GUS", text="x")
    assert refused == "user_not_in_channel"


async def test_threads_count_their_replies_and_a_deleted_parent_leaves_a_tombstone(sandbox: SandboxProcess) -> None:
    parent = (await post(sandbox))["ts"]
    reply = (await post(sandbox, thread_ts=parent))["ts"]
    await post(sandbox, thread_ts=parent, reply_broadcast=True)
    await sandbox.people.say("U0BEN", ROOM, "me too", parent)
    message = await shown(sandbox, parent)
    assert message["reply_count"] == 3
    assert message["reply_users"] == ["U0SIGNOFF", "U0BEN"]
    top = [entry.get("subtype") for entry in await sandbox.people.history("U0ANA", ROOM)]
    assert top.count("thread_broadcast") == 1
    assert len(await sandbox.people.history("U0ANA", ROOM, parent)) == 4
    assert (
        await error(sandbox, "chat.postMessage", channel=ROOM, text="x", thread_ts=reply) == "cannot_reply_to_message"
    )
    await sandbox.api("chat.delete", {"channel": ROOM, "ts": reply})
    assert (await shown(sandbox, parent))["reply_count"] == 2
    await sandbox.api("chat.delete", {"channel": ROOM, "ts": parent})
    assert (await shown(sandbox, parent))["subtype"] == "tombstone"


async def test_blocks_come_back_with_ids_and_defaults_filled_in(sandbox: SandboxProcess) -> None:
    sent = {"type": "actions", "elements": [{"type": "button", "text": plain("Go")}]}
    (block,) = (await post(sandbox, blocks=[sent]))["message"]["blocks"]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]
    assert block["elements"][0]["text"] == {"type": "plain_text", "text": "Go", "emoji": True}


async def test_a_permalink_leads_to_the_page(sandbox: SandboxProcess) -> None:
    ts = (await post(sandbox))["ts"]
    link = (await client(sandbox).chat_getPermalink(channel=ROOM, message_ts=ts))["permalink"]
    async with aiohttp.ClientSession() as session, session.get(link, allow_redirects=False) as response:
        assert response.headers["Location"] == f"/#channel={ROOM}&ts={ts}"


async def test_a_reaction_is_added_once_and_removed(fresh: SandboxProcess) -> None:
    sandbox = fresh
    await sandbox.control.app(scopes=["chat:write", "reactions:write"])
    place = {"channel": ROOM, "timestamp": (await post(sandbox))["ts"], "name": "eyes"}
    await client(sandbox).reactions_add(**place)
    assert (await shown(sandbox, place["timestamp"]))["reactions"][0]["count"] == 1
    assert await error(sandbox, "reactions.add", **place) == "already_reacted"
    await client(sandbox).reactions_remove(**place)
    assert "reactions" not in await shown(sandbox, place["timestamp"])
    assert await error(sandbox, "reactions.remove", **place) == "no_reaction"


async def test_an_unknown_method_is_named(sandbox: SandboxProcess) -> None:
    assert await error(sandbox, "chat.shout") == "unknown_method"
