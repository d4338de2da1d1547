"""Who is who: users, guests, strangers, user groups, channels; lists page with cursors."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox_process import SandboxProcess


@pytest.fixture
def client(sandbox: SandboxProcess) -> AsyncWebClient:
    return AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)


async def user(client: AsyncWebClient, name: str) -> dict[str, Any]:
    return dict((await client.users_info(user=name))["user"])


async def test_guests_strangers_and_deactivated_people_say_what_they_are(client: AsyncWebClient) -> None:
    assert (await user(client, "U0GUS"))["is_restricted"] is True
    assert (await user(client, "U0DEL"))["deleted"] is True
    stranger = await user(client, "U0EXT")
    assert (stranger["is_stranger"], stranger["team_id"]) == (True, "T0OTHER")
    assert "email" not in stranger["profile"]
    ana = await user(client, "U0ANA")
    assert (ana["deleted"], ana["is_restricted"], ana["is_bot"], "is_stranger" in ana) == (False, False, False, False)


async def test_an_email_finds_active_members_only(sandbox: SandboxProcess, client: AsyncWebClient) -> None:
    assert (await client.users_lookupByEmail(email="Ana@example.com"))["user"]["id"] == "U0ANA"
    for email in ("del@example.com", "ext@example.com", "nobody@example.com"):
        assert (await sandbox.api("users.lookupByEmail", {"email": email}))["error"] == "users_not_found"


async def test_emails_are_hidden_without_their_scope(fresh: SandboxProcess) -> None:
    await fresh.control.app(scopes=["users:read"])
    found = await fresh.api("users.info", {"user": "U0ANA"})
    assert "email" not in found["user"]["profile"]
    assert (await fresh.api("users.lookupByEmail", {"email": "ana@example.com"}))["needed"] == "users:read.email"


async def test_lists_page_with_cursors(client: AsyncWebClient) -> None:
    found: list[str] = []
    async for page in await client.users_list(limit=3):
        assert len(page["members"]) <= 3
        found += [member["id"] for member in page["members"]]
    assert len(found) == len(set(found)) == 9
    assert "U0EXT" not in found, "people from elsewhere are not members"
    channels = await client.conversations_list(limit=2, types="public_channel")
    assert channels["response_metadata"]["next_cursor"]
    members = await client.conversations_members(channel="C0APPROVALS", limit=100)
    assert "U0GUS" in members["members"]


async def test_a_bad_cursor_is_refused(sandbox: SandboxProcess) -> None:
    assert (await sandbox.api("users.list", {"cursor": "made-up"}))["error"] == "invalid_cursor"


async def test_user_groups_name_their_members(sandbox: SandboxProcess, client: AsyncWebClient) -> None:
    assert (await client.usergroups_users_list(usergroup="S0SUPPORT"))["users"] == ["U0ANA", "U0BEN"]
    listed = await client.usergroups_list(include_users=True)
    assert {group["id"]: group["users"] for group in listed["usergroups"]}["S0FINANCE"] == ["U0FAY", "U0FRED"]
    assert (await sandbox.api("usergroups.users.list", {"usergroup": "S0NONE"}))["error"] == "no_such_subteam"


async def test_a_change_of_a_person_or_group_is_seen_at_once(fresh: SandboxProcess) -> None:
    await fresh.control.person("U0ANA", deleted=True)
    assert (await fresh.api("users.info", {"user": "U0ANA"}))["user"]["deleted"] is True
    assert (await fresh.people.say("U0ANA", "C0GENERAL", "x"))["error"] == "account_inactive"
    await fresh.control.usergroup("S0SUPPORT", users=["U0BEN"])
    assert (await fresh.api("usergroups.users.list", {"usergroup": "S0SUPPORT"}))["users"] == ["U0BEN"]
    await fresh.control.person("W0GRID", name="grid", enterprise_id="E0ORG")
    assert (await fresh.api("users.info", {"user": "W0GRID"}))["user"]["enterprise_user"]["enterprise_id"] == "E0ORG"


async def test_a_private_channel_needs_its_own_scope(fresh: SandboxProcess) -> None:
    await fresh.control.channel("C0SECRET", name="secret", kind="private", members=["U0SIGNOFF", "U0ANA"])
    await fresh.control.app(scopes=["channels:read"])
    assert (await fresh.api("conversations.info", {"channel": "C0SECRET"}))["needed"] == "groups:read"
    await fresh.control.app(scopes=["channels:read", "groups:read"])
    info = await fresh.api("conversations.info", {"channel": "C0SECRET", "include_num_members": True})
    assert (info["channel"]["is_private"], info["channel"]["num_members"]) == (True, 2)
