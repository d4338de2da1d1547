"""Who is who: looked up from Slack when it matters, and nobody is taken for a reviewer on a guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.slack.directory import Directory
from bot.slack.listeners import identify, web_client
from policies.errors import NotAllowed, Unavailable
from policies.people import FRESHNESS, Reviewers, Standing
from tests.sandbox_process import SandboxProcess
from tests.slack.house import MovableClock


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def directory(sandbox: SandboxProcess, clock: MovableClock) -> AsyncIterator[Directory]:
    async with aiohttp.ClientSession() as session:
        client = web_client(sandbox.bot_token, sandbox.api_url, session)
        yield Directory(
            client,
            clock,
            team_id="T0SANDBOX",
            usergroups=lambda: frozenset({"S0SUPPORT", "S0FINANCE"}),
            channels=lambda: frozenset({"C0BACK"}),
            bot="U0SIGNOFF",
        )


async def test_a_member_is_known_by_name_address_and_user_groups(directory: Directory, clock: MovableClock) -> None:
    person = await directory.person("U0ANA")
    assert (person.name, person.email, person.standing) == ("Ana Reyes", "ana@example.com", Standing.MEMBER)
    assert person.usergroups == {"S0SUPPORT"}
    assert abs(person.looked_up_at - clock()) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("user_id", "changes", "standing"),
    [
        ("U0ANA", {}, Standing.MEMBER),
        ("U0GUS", {}, Standing.GUEST),
        ("U0ANA", {"is_ultra_restricted": True}, Standing.GUEST),
        ("U0DEL", {}, Standing.DEACTIVATED),
        ("U0EXT", {}, Standing.STRANGER),
        ("U0ANA", {"team_id": "T0OTHER"}, Standing.STRANGER),
        ("U0ANA", {"is_stranger": True}, Standing.STRANGER),
        ("U0ANA", {"is_bot": True}, Standing.BOT),
        ("U0ANA", {"deleted": True, "is_restricted": True}, Standing.DEACTIVATED),
        ("U0SIGNOFF", {}, Standing.BOT),
    ],
)
async def test_only_active_members_of_this_workspace_are_members(
    sandbox: SandboxProcess, directory: Directory, user_id: str, changes: dict[str, Any], standing: Standing
) -> None:
    if changes:
        await sandbox.control.person(user_id, **changes)
    assert (await directory.person(user_id)).standing is standing


async def test_somebody_unknown_may_not_decide(directory: Directory) -> None:
    with pytest.raises(NotAllowed):
        await directory.person("U0NOBODY")


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 429, "retry_after": 1}, {"reset": True}, {"error": "missing_scope"}, {"delay": 4}],
)
async def test_when_slack_does_not_answer_nobody_is_taken_for_anybody(
    sandbox: SandboxProcess, directory: Directory, method: str, fault: dict[str, Any]
) -> None:
    await sandbox.control.faults({"method": method, "times": 3, "effect": "before", **fault})
    with pytest.raises(Unavailable):
        async with asyncio.timeout(2.8):
            await directory.person("U0ANA")


async def test_a_hundred_clicks_at_once_ask_slack_once(sandbox: SandboxProcess, directory: Directory) -> None:
    await asyncio.gather(*(directory.person("U0ANA") for _ in range(100)))
    assert len(await sandbox.control.calls("users.info")) == 1
    assert len(await sandbox.control.calls("usergroups.users.list")) == 2


async def test_a_look_up_is_never_served_older_than_a_decision_admits(
    sandbox: SandboxProcess, directory: Directory, clock: MovableClock
) -> None:
    await directory.person("U0ANA")
    await sandbox.control.person("U0ANA", deleted=True)
    for seconds in range(0, 130, 10):
        clock.ahead = timedelta(seconds=seconds)
        person = await directory.person("U0ANA")
        assert clock() - person.looked_up_at < FRESHNESS
        assert person.standing is (Standing.MEMBER if seconds < 45 else Standing.DEACTIVATED)


async def test_leaving_a_user_group_counts_within_the_same_time(
    sandbox: SandboxProcess, directory: Directory, clock: MovableClock
) -> None:
    assert (await directory.person("U0ANA")).usergroups == {"S0SUPPORT"}
    await sandbox.control.usergroup("S0SUPPORT", users=["U0BEN"])
    clock.ahead = timedelta(seconds=46)
    assert (await directory.person("U0ANA")).usergroups == frozenset()


async def test_a_failed_look_up_is_not_remembered(sandbox: SandboxProcess, directory: Directory) -> None:
    await sandbox.control.faults({"method": "users.info", "times": 1, "effect": "before", "status": 500})
    with pytest.raises(Unavailable):
        await directory.person("U0ANA")
    assert (await directory.person("U0ANA")).name == "Ana Reyes"


async def test_a_groups_people_are_found_by_id_address_and_user_group_each_once(directory: Directory) -> None:
    group = Reviewers(
        name="all", users=("U0ANA", "ben@example.com", "nobody@example.com"), usergroups=("S0SUPPORT", "S0FINANCE")
    )
    assert await directory.ids_of(group) == ("U0ANA", "U0BEN", "U0FAY", "U0FRED")


async def test_everybody_in_a_private_channel_is_found_however_many_pages_it_takes(
    sandbox: SandboxProcess, directory: Directory
) -> None:
    crowd = [f"U0C{number:04}" for number in range(2_050)]
    await sandbox.control.channel("C0BACK", kind="private", members=["U0SIGNOFF", *crowd, "U0ANA"])
    assert (await directory.person("U0ANA")).channels == {"C0BACK"}
    group = Reviewers(name="back", members=("C0BACK",), outsiders=("U0GUS",))
    assert set(await directory.ids_of(group)) == {*crowd, "U0ANA", "U0GUS"}
    assert len(await sandbox.control.calls("conversations.members")) == 3


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ({"kind": "channel"}, "it is public, so anybody could join it"),
        ({"kind": "private", "is_ext_shared": True}, "it is shared with another organisation"),
        ({"kind": "private", "is_archived": True}, "it is archived"),
        ({"kind": "private", "members": ["U0ANA"]}, "Signoff isn't in it; /invite @Signoff there"),
    ],
)
async def test_why_a_channels_members_do_not_count_is_said(
    sandbox: SandboxProcess, directory: Directory, channel: dict[str, Any], words: str
) -> None:
    await sandbox.control.channel("C0BACK", **{"members": ["U0SIGNOFF", "U0ANA"], **channel})
    assert await directory.why_not("C0BACK") == words
    assert (await directory.person("U0ANA")).channels == frozenset()
    assert await directory.ids_of(Reviewers(name="back", members=("C0BACK",))) == ()


async def test_a_public_channel_that_the_app_may_look_at_counts_no_more_than_one_that_it_may_not(
    sandbox: SandboxProcess, directory: Directory
) -> None:
    await sandbox.control.app(scopes=["users:read", "usergroups:read", "groups:read", "channels:read"])
    await sandbox.control.channel("C0BACK", kind="channel", members=["U0SIGNOFF", "U0ANA"])
    assert await directory.why_not("C0BACK") == "it is public, so anybody could join it"
    assert (await directory.person("U0ANA")).channels == frozenset()


async def test_whom_an_agent_says_it_acts_for_never_names_a_channel_to_post_to(directory: Directory) -> None:
    group = Reviewers(name="served", users=("#general", "general", "C0APPROVALS", "U0ANA"))
    assert await directory.ids_of(group) == ("U0ANA",)


async def test_names_are_left_out_where_they_cannot_be_had(sandbox: SandboxProcess, directory: Directory) -> None:
    seen = await directory.glances(("U0ANA", "U0NOBODY", "max@example.com"))
    assert {who: glance.name for who, glance in seen.items()} == {"U0ANA": "Ana Reyes"}


async def test_the_app_knows_itself(sandbox: SandboxProcess) -> None:
    async with aiohttp.ClientSession() as session:
        identity = await identify(web_client(sandbox.bot_token, sandbox.api_url, session))
    assert (identity.team_id, identity.bot_user_id) == ("T0SANDBOX", "U0SIGNOFF")
