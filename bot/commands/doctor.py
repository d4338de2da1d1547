"""``signoff doctor``: is everything in place? One line a finding; exit 1 where something would stop a decision."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import typer
from ruamel.yaml import YAML
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.bootstrap import load_tools
from bot.commands.findings import Finding, Mark, bad, care, good
from bot.commands.hooks import troubles
from bot.commands.keys import ending
from bot.commands.manifest import manifest_text
from bot.commands.opening import open_store
from bot.commands.reaching import mcp_servers
from bot.logs import set_up_logs
from bot.reloading import read_policy
from bot.settings import Settings, load_settings, require_slack
from bot.slack.directory import Directory
from bot.slack.listeners import web_client
from policies.cautions import nowhere
from policies.errors import Faulty, Invalid, Refused, SignoffError
from policies.people import Person, Reviewers
from policies.policy import Policy

SAFE_SQLITE = (3, 51, 3)
"""From here on SQLite is free of the WAL-reset bug, which needs several processes that checkpoint; ours has one."""

CLOCK = 60.0
"""Seconds by which this machine's clock may differ from Slack's; signatures are refused from 300 on."""


FOR_FILES = "files:write"
"""The one scope without which everything still works: View all shows what the file would."""
MOST_LOOKED_UP = 50
"""How many people of a group are looked up one by one."""


async def examine() -> None:
    """Look at everything and say what was found. Raises ``Invalid`` at the end where something is wrong."""
    settings = load_settings()
    set_up_logs(settings.signoff_log)
    wrong = 0
    async for finding in _findings(settings):
        typer.echo(f"{finding.mark.value:<5}{finding.words}")
        wrong += finding.mark is Mark.BAD
    if wrong:
        raise Invalid(f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong; see the lines marked FAIL.")


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    policy = None
    try:
        policy = read_policy(settings.signoff_policy)
        yield good(f"policy {policy.source}: {len(policy.rules)} rules, {len(policy.reviewers)} groups")
        for warning in policy.warnings:
            yield care(f"policy {warning}")
        if unsaid := nowhere(policy, settings.signoff_environment):
            yield care(unsaid)
    except Faulty as faulty:
        for fault in faulty.faults:
            yield bad(f"policy {fault}")
    except SignoffError as error:
        yield bad(error.words)
    yield await _database()
    for told in await _keys():
        yield told
    yield _sqlite()
    yield _tools(settings)
    async for finding in mcp_servers(settings):
        yield finding
    async for finding in _slack(settings, policy):
        yield finding


async def _database() -> Finding:
    try:
        async with open_store() as (store, _):
            report = await store.verify_journal()
    except SignoffError as error:
        return bad(f"database: {error.words}")
    return good(f"database: {report.words}") if report.ok else bad(f"database: {report.words}")


async def _keys() -> tuple[Finding, ...]:
    """What is to be done about keys and webhooks; a database that can't be read was told of already."""
    now = datetime.now(UTC)
    try:
        async with open_store() as (store, _):
            keys, endpoints = await store.keys(), await store.endpoints()
    except SignoffError:
        return ()
    return tuple(care(words) for words in (*(f"key {words}" for words in ending(keys, now)), *troubles(endpoints, now)))


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= SAFE_SQLITE:
        return good(f"SQLite {version}")
    return care(
        f"SQLite {version} has the WAL-reset bug (mended in 3.51.3). Signoff checkpoints from one process only, which "
        "avoids it; don't open the database with other programs that write."
    )


def _tools(settings: Settings) -> Finding:
    try:
        tools = load_tools(settings)
    except Invalid as error:
        return bad(error.words)
    if tools is None and settings.signoff_mcp is None:
        return good("no tools for the runner (SIGNOFF_TOOLS is not set): only the HTTP API asks for approvals")
    if tools is None:
        return good("tools from MCP servers alone (SIGNOFF_TOOLS is not set)")
    if settings.anthropic_api_key is None:
        return bad("SIGNOFF_TOOLS is set, so the runner needs ANTHROPIC_API_KEY for its model")
    return good(f"tools from {settings.signoff_tools}: {', '.join(tool.name for tool in tools)}")


async def _slack(settings: Settings, policy: Policy | None) -> AsyncIterator[Finding]:
    try:
        require_slack(settings)
    except Invalid as error:
        yield bad(error.words)
        return
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = web_client(settings.bot_token, settings.slack_api, session)
        try:
            who = await client.auth_test()
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            yield bad(f"SLACK_BOT_TOKEN: {_why(error)}. Copy it again from your app's page, OAuth & Permissions")
            return
        yield good(f"Slack: {who['user']} in {who['team']} ({who['team_id']})")
        yield _clock(who)
        yield _scopes(who)
        yield await _way_in(settings, session)
        if policy is not None:
            async for finding in _people(policy, client, who):
                yield finding


def _why(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return f"Slack says {error.response.get('error')}"
    return f"Slack can't be reached ({type(error).__name__})"


def _clock(answer: AsyncSlackResponse) -> Finding:
    date = {name.lower(): value for name, value in answer.headers.items()}.get("date")
    if date is None:
        return care("clock: Slack's answer carries no date, so it could not be compared")
    apart = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if apart > CLOCK:
        return bad(f"clock: {apart:.0f} s apart from Slack's; set this machine's clock (NTP), or clicks are refused")
    return good("clock: agrees with Slack's")


def _scopes(answer: AsyncSlackResponse) -> Finding:
    granted = {name.lower(): value for name, value in answer.headers.items()}.get("x-oauth-scopes")
    if granted is None:
        return care("scopes: Slack did not say which were granted")
    manifest = YAML(typ="safe").load(manifest_text(None))
    missing = sorted(set(manifest["oauth_config"]["scopes"]["bot"]) - set(granted.replace(" ", "").split(",")))
    if missing == [FOR_FILES]:
        return care(f"scopes: {FOR_FILES} is missing, so no file stands beside cards that can't show everything")
    if missing:
        return bad(f"scopes: {', '.join(missing)} are missing; update the app from manifest.yml and reinstall it")
    return good("scopes: all that manifest.yml asks for")


async def _way_in(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    if settings.slack_app_token is None:
        return good("clicks come by HTTP at /slack/events (SLACK_SIGNING_SECRET is set)")
    app = AsyncWebClient(base_url=settings.slack_api, session=session, retry_handlers=[])
    try:
        await app.apps_connections_open(app_token=settings.slack_app_token.get_secret_value())
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
        return bad(f"SLACK_APP_TOKEN: {_why(error)}. It must be an app-level token with connections:write")
    return good("clicks come by Socket Mode")


async def _people(policy: Policy, client: AsyncWebClient, who: AsyncSlackResponse) -> AsyncIterator[Finding]:
    directory = Directory(
        client,
        lambda: datetime.now(UTC),
        team_id=str(who["team_id"]),
        usergroups=lambda: policy.usergroups,
        channels=lambda: policy.channels,
        bot=str(who["user_id"]),
    )
    if all(group.empty for group in policy.reviewers.values()):
        yield bad("reviewers: the policy names nobody, so nobody may decide; name them under `reviewers:`")
    for group in policy.reviewers.values():
        for channel in group.members:
            yield await _members(directory, group, channel)
        yield await _group(directory, group)
        if group.delegates is not None:
            yield await _group(directory, group.delegates)
        if group.channel is not None:
            yield await _channel(client, group.channel)


async def _members(directory: Directory, group: Reviewers, channel: str) -> Finding:
    try:
        why_not = await directory.why_not(channel)
    except SignoffError as error:
        return bad(f"members of {channel}: could not be looked up ({error.words})")
    if why_not:
        return bad(f"members of {channel} can't decide for {group.name}: {why_not}")
    return good(f"members of {channel} are reviewers of {group.name} for as long as it stays private")


async def _group(directory: Directory, group: Reviewers) -> Finding:
    if group.empty:
        return care(f"reviewers {group.name}: nobody is named")
    try:
        named = await _known(directory, replace(group, members=()))
        inside = await _known(directory, Reviewers(name=group.name, members=group.members))
    except Refused as error:
        return bad(f"reviewers {group.name}: {error.words}")
    except SignoffError as error:
        return bad(f"reviewers {group.name}: could not be looked up ({error.words})")
    wrong = [f"{each.name}'s account is {each.standing.words}" for each in named if not group.include(each)]
    able = list(dict.fromkeys(_called(each) for each in (*named, *inside) if group.include(each)))
    if wrong or not able:
        return bad(f"reviewers {group.name}: {'; '.join(wrong) or 'nobody was found'}; they can't decide")
    return good(f"reviewers {group.name}: {', '.join(able)}")


async def _known(directory: Directory, group: Reviewers) -> list[Person]:
    return [await directory.person(user) for user in (await directory.ids_of(group))[:MOST_LOOKED_UP]]


def _called(person: Person) -> str:
    return f"{person.name} ({person.standing.label})" if person.standing.label else person.name


async def _channel(client: AsyncWebClient, channel: str) -> Finding:
    if channel.startswith("#"):
        return care(f"channel {channel}: named, not looked up (that needs another scope); /invite @Signoff there")
    try:
        found = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        if error.response.get("error") == "missing_scope":
            return care(f"channel {channel}: not looked up (that needs another scope); /invite @Signoff there")
        return bad(f"channel {channel}: {_why(error)}")
    inside = bool(found["channel"].get("is_member"))
    return good(f"channel {channel}: Signoff is in it") if inside else bad(f"channel {channel}: /invite @Signoff there")
