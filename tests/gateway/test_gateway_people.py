"""Who may decide: every kind of person by every way of deciding, over real wires; and what nobody could approve.

The clicks are delivered as Slack would deliver them, whatever a person's own Slack would show them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.agent.outcomes import told
from bot.slack import ids
from policies.request import Request, Requester, State, Submission, ToolCall
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import House, house, said

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

POLICY = """
version: 1
digest: off
reviewers:
  team:
    channel: "#approvals"
    users: [U0ANA, ben@example.com, U0GUS, U0ULT, U0DEL, U0EXT, U0BOT, U0OWN, U0FOR, U0TWIN]
    usergroups: [S0SUPPORT]
    members: [C0BACK, C0OPEN, C0SHARED, C0HIDDEN]
    outsiders: [U0INV, U0PAR, U0BOT, U0DEL]
  backroom: {members: [C0BACK]}
  consenting: {channel: "#agents", users: [U0OWN, U0FOR, U0TWIN], outsiders: [U0INV]}
  finance: {channel: "#finance-approvals", users: [U0FAY, U0FRED]}
  security: {users: [U0SEC]}
  seniors: {users: [U0SAM]}
  lone: {users: [U0OWN]}
  gone: {users: [U0DEL, U0GUS]}
ladders:
  standard: [{after: 2h, then: expire}]
  grows: [{after: 10m, remind: true}, {after: 1h, add: seniors}, {after: 2h, then: expire}]
  pause: [{after: 1h, then: proceed}]
rules:
  - {name: posts, match: post, checkpoint: soft, reviewers: team, ladder: pause}
  - {name: payments, match: pay, checkpoint: manual, confirm: args.payee, reviewers: team, quorum: 1}
  - {name: each, match: each, checkpoint: hard, quorum: {finance: 1, security: 1}}
  - {name: own, match: own, checkpoint: hard, reviewers: lone}
  - {name: left, match: left, checkpoint: hard, reviewers: gone, ladder: grows}
  - {name: short, match: short, checkpoint: hard, quorum: {gone: 1, finance: 1}}
  - {name: notes, match: note, checkpoint: soft, reviewers: lone, ladder: pause}
  - {name: back, match: back, checkpoint: hard, reviewers: backroom}
  - {name: consent, match: agree, checkpoint: hard, reviewers: consenting, self_approval: true}
  - {name: free, match: free, checkpoint: allow}
  - {name: trials, match: try, when: environment == 'harbour', checkpoint: allow}
default: {checkpoint: hard, reviewers: team, ladder: standard}
"""
SCHEMA = {"type": "object", "properties": {"payee": {"type": "string"}}, "required": ["payee"]}
OWNER = Requester(id="key:shop", name="Shop agent", owner="U0OWN")
EXTRA: dict[str, dict[str, Any]] = {
    "U0ULT": {"is_restricted": True, "is_ultra_restricted": True},
    "U0BOT": {"is_bot": True},
    "U0OWN": {"email": "own@example.com"},
    "U0FOR": {"email": "for@example.com"},
    "U0TWIN": {"email": "Own@Example.com"},
    "U0SEC": {},
    "U0INV": {"is_restricted": True},
    "U0PAR": {"is_stranger": True, "team_id": "T0OTHER"},
    "U0PRIV": {},
    "U0PGUS": {"is_restricted": True},
    "U0PUB": {},
    "U0SHA": {},
    "U0HID": {},
}
CHANNELS: dict[str, dict[str, Any]] = {
    "C0BACK": {"kind": "private", "members": ["U0SIGNOFF", "U0PRIV", "U0PGUS"]},
    "C0OPEN": {"kind": "channel", "members": ["U0SIGNOFF", "U0PUB"]},
    "C0SHARED": {"kind": "private", "members": ["U0SIGNOFF", "U0SHA"], "is_ext_shared": True},
    "C0HIDDEN": {"kind": "private", "members": ["U0HID"]},
}

DECIDES = frozenset({"approve", "view", "manual", "modify", "reject", "stop", "home", "open"})
SERVED = frozenset({"reject", "stop", "home", "open"})
NOTHING = frozenset[str]()
KINDS: dict[str, tuple[str, frozenset[str]]] = {
    "member named by id": ("U0ANA", DECIDES),
    "member named by address": ("U0BEN", DECIDES),
    "member named by user group": ("U0SUP", DECIDES),
    "member not named": ("U0NEWT", NOTHING),
    "guest of many channels": ("U0GUS", NOTHING),
    "guest of one channel": ("U0ULT", NOTHING),
    "deactivated": ("U0DEL", NOTHING),
    "bot": ("U0BOT", NOTHING),
    "stranger": ("U0EXT", NOTHING),
    "unknown": ("U0NOBODY", NOTHING),
    "owner of the key": ("U0OWN", SERVED),
    "whom the agent says it acts for": ("U0FOR", SERVED),
    "owner's second account": ("U0TWIN", SERVED),
    "guest whom the policy admits": ("U0INV", DECIDES),
    "stranger whom the policy admits": ("U0PAR", DECIDES),
    "member of the private channel": ("U0PRIV", DECIDES),
    "guest in the private channel": ("U0PGUS", NOTHING),
    "member of a public channel": ("U0PUB", NOTHING),
    "member of a shared channel": ("U0SHA", NOTHING),
    "member of a channel that the app can't see": ("U0HID", NOTHING),
    "removed from the user group meanwhile": ("U0LEFT", NOTHING),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    with SandboxProcess() as sandbox:
        async with house(
            sandbox, Path(tmp_path_factory.mktemp("people")), policy=POLICY, environment="harbour"
        ) as running:
            for who, changes in EXTRA.items():
                await sandbox.control.person(who, real_name=f"Person {who}", **changes)
            for channel, told in CHANNELS.items():
                await sandbox.control.channel(channel, **told)
            for who in ("U0SUP", "U0LEFT"):
                await sandbox.control.person(who, real_name=f"Person {who}")
            await sandbox.control.usergroup("S0SUPPORT", users=["U0SUP", "U0LEFT"])
            yield running
        await sandbox.aclose()


async def _ask(
    home: House, tool: str, *, owner: Requester = OWNER, on_behalf_of: str | None = "for@example.com"
) -> Any:
    call = ToolCall(tool=tool, arguments={"payee": "Nordkai"}, schema=SCHEMA)
    added = await home.serving.gateway.submit(Submission(call=call, on_behalf_of=on_behalf_of), owner)
    return added.request


async def _press(home: House, who: str, request: Request, action_id: str) -> None:
    payload = {
        "type": "block_actions",
        "team": {"id": "T0SANDBOX", "domain": "harbour"},
        "user": {"id": who, "team_id": "T0SANDBOX"},
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0APPROVALS", "is_ephemeral": True},
        "channel": {"id": "C0APPROVALS", "name": "approvals"},
        "actions": [{"type": "button", "block_id": "b", "action_id": action_id, "value": f"{request.id}:1"}],
    }
    assert (await home.sandbox.control.deliver("block_actions", payload))["outcome"] == "acked"


async def _send(home: House, who: str, request: Request, form: str, **entered: str) -> None:
    values = {
        name.replace("_", ":"): {ids.ENTRY: {"type": "plain_text_input", "value": entered[name]}} for name in entered
    }
    view = {
        "id": "V1",
        "type": "modal",
        "hash": "1",
        "callback_id": form,
        "private_metadata": json.dumps({"r": request.id, "v": 1, "c": "C0APPROVALS", "q": "phrase" in entered}),
        "state": {"values": values},
    }
    payload = {
        "type": "view_submission",
        "team": {"id": "T0SANDBOX", "domain": "harbour"},
        "user": {"id": who, "team_id": "T0SANDBOX"},
        "view": view,
    }
    assert (await home.sandbox.control.deliver("view_submission", payload))["outcome"] == "acked"


async def _decide(home: House, who: str, way: str, request: Request) -> None:
    """Do what this way of deciding takes, as ``who``."""
    match way:
        case "approve":
            await _press(home, who, request, ids.APPROVE)
        case "stop":
            await _press(home, who, request, ids.STOP)
        case "view":
            await _send(home, who, request, ids.VIEW_FORM)
        case "manual":
            await _send(home, who, request, ids.VIEW_FORM, phrase="Nordkai")
        case "modify":
            await _send(home, who, request, ids.MODIFY_FORM, field_0="Sudkai")
        case _:
            await _send(home, who, request, ids.REJECT_FORM, reason="no")


TOOLS = {"manual": "pay", "stop": "post"}
ENDS = {"reject": State.REJECTED, "stop": State.REJECTED}
ACTS = ("approve", "view", "manual", "modify", "reject", "stop")


@pytest.fixture(scope="module")
def unharmed() -> dict[str, Request]:
    """One request for each way, on which everybody tries who may not."""
    return {}


async def _away(home: House) -> None:
    """`U0LEFT` leaves the user group; so long later that no look-up from before serves any more."""
    await home.sandbox.control.usergroup("S0SUPPORT", users=["U0SUP"])
    home.clock.ahead += timedelta(seconds=61)


@pytest.mark.parametrize("way", ACTS)
@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_decides_by_any_way_who_may_not(
    home: House, unharmed: dict[str, Request], kind: str, way: str
) -> None:
    who, may = KINDS[kind]
    if way not in unharmed or way in may or who == "U0LEFT":
        unharmed[way] = await _ask(home, TOOLS.get(way, "refund"))
    request = unharmed.pop(way) if way in may else unharmed[way]
    if who == "U0LEFT":
        await home.sandbox.control.usergroup("S0SUPPORT", users=["U0SUP", "U0LEFT"])
        home.clock.ahead += timedelta(seconds=61)
        assert await _lists(home, who, request), "this was a reviewer before"
        await _away(home)
    await _decide(home, who, way, request)
    standing = await home.now(request)
    if way in may:
        assert standing.state is ENDS.get(way, State.APPROVED)
        assert standing.decision is not None
        assert standing.decision.by == (who,)
    else:
        assert (standing.state, standing.reviews, standing.revision) == (State.PENDING, (), 1)


async def _lists(home: House, who: str, request: Request) -> bool:
    """Does the person's Home, opened now and searched for the request, list it?"""
    since = (await home.sandbox.control.record())[-1]["n"]
    await home.sandbox.people.open_home(who)
    await _published(home, who, since)
    search = {
        "type": "block_actions",
        "user": {"id": who, "team_id": "T0SANDBOX"},
        "actions": [{"action_id": ids.HOME_SEARCH, "block_id": "search.0", "value": request.id}],
        "container": {"type": "view"},
        "trigger_id": "1.1.1",
        "view": {"id": "V0HOME", "type": "home", "private_metadata": "{}", "state": {"values": {}}},
    }
    await home.sandbox.control.deliver("block_actions", search)
    view = await _published(home, who, since, request.id)
    return f"{request.id}:{request.revision}" in json.dumps(view["blocks"])


async def _published(home: House, who: str, since: int, sought: str = "") -> dict[str, Any]:
    async def published() -> list[Any]:
        calls = await home.sandbox.control.calls("views.publish", since)
        views = [call["body"]["view"] for call in calls if call["body"]["user_id"] == who]
        return [view for view in views if sought in view["private_metadata"]]

    view: dict[str, Any] = (await until(published))[-1]
    return view


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("unknown", "bot", "deactivated")])
async def test_a_home_lists_only_what_its_person_may_decide_or_is_served_by(home: House, kind: str) -> None:
    who, may = KINDS[kind]
    if who == "U0LEFT":
        await _away(home)
    request = await _ask(home, "refund")
    assert await _lists(home, who, request) == ("home" in may)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_is_opened_by_its_id_only_for_whom_it_concerns(home: House, kind: str) -> None:
    who, may = KINDS[kind]
    if who == "U0LEFT":
        await _away(home)
    request = await _ask(home, "refund")
    payload = {
        "command": "/approvals",
        "text": request.id,
        "user_id": who,
        "team_id": "T0SANDBOX",
        "channel_id": "C0APPROVALS",
        "trigger_id": "1.1.1",
    }
    answer = await home.sandbox.control.deliver("slash_commands", payload)
    words = json.dumps(answer["body"])
    refused = "no request with this id" in words or "Slack doesn't know you" in words
    assert refused == ("open" not in may), words


@pytest.fixture(scope="module")
def looked_at() -> list[int]:
    """How far the record of the workspace was read: all of it is long by now."""
    return [0]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_buttons_of_a_card_open_the_whole_call_only_for_whom_it_concerns(
    home: House, looked_at: list[int], kind: str
) -> None:
    who, may = KINDS[kind]
    if who == "U0LEFT":
        await _away(home)
    request = await _ask(home, "refund")
    for button in (ids.VIEW, ids.MODIFY):
        await _press(home, who, request, button)
    record = await home.sandbox.control.record(looked_at[-1])
    looked_at.append(record[-1]["n"])
    views = [str(call["body"]["view"]) for call in record if call.get("method") == "views.open"]
    opened = [view for view in views if request.id in view]
    expected = [(ids.VIEW_FORM, "open"), (ids.MODIFY_FORM, "modify")]
    assert [form for form, way in expected if way in may] == [
        form for form, _ in expected if any(form in view for view in opened)
    ]


async def test_while_slack_can_not_be_asked_no_button_opens_the_whole_call(home: House) -> None:
    request = await _ask(home, "refund")
    home.clock.ahead += timedelta(seconds=61)
    await home.sandbox.control.faults({"method": "users.info", "times": 30, "status": 500, "effect": "before"})
    since = (await home.sandbox.control.record())[-1]["n"]
    for button in (ids.VIEW, ids.MODIFY):
        await _press(home, "U0ANA", request, button)

    async def told() -> list[Any]:
        return list(await home.sandbox.control.calls("chat.postEphemeral", since))

    answer = (await until(told))[-1]["body"]
    await home.sandbox.control.faults()
    assert "Slack could not be asked who you are" in answer["text"]
    assert await home.sandbox.control.calls("views.open", since) == []


@pytest.mark.parametrize(
    "meanwhile",
    [{"members": ["U0SIGNOFF"]}, {"kind": "channel"}, {"is_ext_shared": True}, {"is_archived": True}],
)
async def test_a_private_channel_counts_for_as_long_as_it_is_one_and_the_person_is_in_it(
    home: House, meanwhile: dict[str, Any]
) -> None:
    request = await _ask(home, "back")
    assert await _lists(home, "U0PRIV", request), "this was a reviewer before"
    await home.sandbox.control.channel("C0BACK", **meanwhile)
    home.clock.ahead += timedelta(seconds=61)
    for way in ("approve", "reject"):
        await _decide(home, "U0PRIV", way, request)
    refused = await _ask(home, "back")
    await home.sandbox.control.channel("C0BACK", is_ext_shared=False, is_archived=False, **CHANNELS["C0BACK"])
    home.clock.ahead += timedelta(seconds=61)
    standing = await home.now(request)
    assert (standing.state, standing.reviews) == (State.PENDING, ())
    assert refused.state is State.REJECTED, "nobody was left who could decide it"
    await _decide(home, "U0PRIV", "approve", request)
    assert (await home.now(request)).state is State.APPROVED


@pytest.mark.parametrize("method", ["conversations.info", "conversations.members"])
@pytest.mark.parametrize("fault", [{"status": 500}, {"error": "missing_scope"}])
async def test_while_a_channel_can_not_be_asked_about_its_members_decide_nothing(
    home: House, method: str, fault: dict[str, Any]
) -> None:
    request = await _ask(home, "back")
    home.clock.ahead += timedelta(seconds=61)
    await home.sandbox.control.faults({"method": method, "times": 30, "effect": "before", **fault})
    await _decide(home, "U0PRIV", "approve", request)
    await home.sandbox.control.faults()
    home.clock.ahead += timedelta(seconds=61)
    assert (await home.now(request)).state is State.PENDING


async def test_the_card_says_who_is_from_outside_and_that_the_rule_consents(home: House) -> None:
    request = await _ask(home, "agree")
    await until(lambda: home.serving.store.copies(request.id))
    await home.card_says(request, "The policy lets the person it is for approve it too")
    await home.card_says(request, "<@U0INV> (a guest)")
    await _press(home, "U0INV", request, ids.APPROVE)
    await home.card_says(request, "Approved by Person U0INV (a guest)")


@pytest.mark.parametrize("who", ["U0OWN", "U0FOR", "U0TWIN"])
async def test_where_the_rule_consents_the_person_it_is_for_may_approve(home: House, who: str) -> None:
    request = await _ask(home, "agree")
    await _press(home, who, request, ids.APPROVE)
    assert (await home.now(request)).state is State.APPROVED


async def _finance_reads(home: House, request: Request, words: str) -> None:
    """Wait until the request's card in finance's channel says ``words``. Raises TimeoutError."""

    async def says() -> bool:
        seen = await home.sandbox.people.history("U0FAY", "C0FINANCE")
        return any(words in said(one) and request.id in said(one) for one in seen)

    await until(says)


async def test_one_of_each_group_approves_and_the_card_says_who_is_waited_for(home: House) -> None:
    request = await _ask(home, "each", on_behalf_of=None)

    async def copies() -> list[str]:
        return sorted(copy.to for copy in await home.serving.store.copies(request.id))

    async def all_posted() -> bool:
        return await copies() == ["#finance-approvals", "U0SEC"]

    await until(all_posted)
    await _finance_reads(home, request, "Needs 2 approvals: 1 of finance, 1 of security")
    await _press(home, "U0FAY", request, ids.APPROVE)
    await _press(home, "U0FRED", request, ids.APPROVE)
    assert (await home.now(request)).state is State.PENDING
    await _finance_reads(home, request, "1 of 2 approvals, waiting for security: Fay Lindqvist and Fred Marsh")
    await _press(home, "U0SEC", request, ids.APPROVE)
    decision = (await home.now(request)).decision
    assert decision is not None
    assert decision.by == ("U0FAY", "U0FRED", "U0SEC")


@pytest.mark.parametrize(
    ("tool", "words"),
    [("own", "takes approvals by 1 of lone"), ("short", "takes approvals by 1 of gone, 1 of finance")],
)
async def test_what_nobody_can_approve_is_refused_when_it_is_asked(home: House, tool: str, words: str) -> None:
    request = await _ask(home, tool)
    assert request.decision is not None
    assert (request.state, request.decision.by) == (State.REJECTED, ("policy",))
    assert words in str(request.decision.note)
    assert await home.serving.store.copies(request.id) == ()


async def test_where_only_seniors_can_approve_they_are_called_at_once(home: House) -> None:
    request = await _ask(home, "left")
    assert (request.state, [group.name for group in request.joined]) == (State.PENDING, ["seniors"])

    async def called() -> bool:
        return any(copy.to == "U0SAM" for copy in await home.serving.store.copies(request.id))

    await until(called)
    await _press(home, "U0SAM", request, ids.APPROVE)
    assert (await home.now(request)).state is State.APPROVED


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_while_slack_can_not_be_asked_a_request_is_opened_as_usual(home: House, method: str) -> None:
    home.clock.ahead += timedelta(seconds=61)
    await home.sandbox.control.faults({"method": method, "times": 30, "status": 500, "effect": "before"})
    request = await _ask(home, "own", on_behalf_of=None)
    await home.sandbox.control.faults()
    assert (request.state, request.joined) == (State.PENDING, ())
    await _press(home, "U0OWN", request, ids.APPROVE)
    assert (await home.now(request)).state is State.PENDING


async def test_what_the_policy_allows_or_lets_pass_on_silence_is_not_refused_for_want_of_people(home: House) -> None:
    assert min([await _looked_up(home, "free") for _ in range(3)]) == 0
    assert (await _ask(home, "free")).state is State.APPROVED
    assert (await _ask(home, "note")).state is State.PENDING


async def _looked_up(home: House, tool: str) -> int:
    """How many people were looked up meanwhile. Cards of earlier requests are drawn too, which may look up some."""
    home.clock.ahead += timedelta(seconds=61)
    before = (await home.sandbox.control.record())[-1]["n"]
    nobodys = Requester(id="key:nobodys", name="Nobody's agent")
    await _ask(home, tool, owner=nobodys, on_behalf_of=None)
    return len(await home.sandbox.control.calls("users.info", before))


async def test_the_gateway_knows_where_it_stands(home: House) -> None:
    assert (await _ask(home, "try")).checkpoint.rule == "trials"


@pytest.mark.parametrize("said_by_agent", ["for@example.com", "@@", "#general", "nobody"])
async def test_whom_an_agent_says_it_acts_for_never_hides_who_its_owner_is(home: House, said_by_agent: str) -> None:
    home.clock.ahead += timedelta(minutes=11)
    await home.sandbox.control.faults(
        {"method": "users.lookupByEmail", "times": 9, "error": "invalid_arguments", "effect": "before"}
    )
    request = await _ask(home, "refund", on_behalf_of=said_by_agent)
    await home.sandbox.control.faults()
    assert request.known_as == ("own@example.com",)
    await _press(home, "U0TWIN", request, ids.APPROVE)
    assert (await home.now(request)).state is State.PENDING


async def test_the_agents_model_is_told_that_it_was_the_policy_that_refused(home: House) -> None:
    answer = told(await _ask(home, "own"))
    assert answer.failed
    assert answer.text.startswith("Rejected by the policy: There is nobody who may decide this")


async def test_only_as_many_people_are_looked_up_as_it_takes(home: House) -> None:
    assert min([await _looked_up(home, "refund") for _ in range(3)]) <= 4
