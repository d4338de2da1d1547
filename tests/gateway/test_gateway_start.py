"""Starting: a wrong policy, a second server, and the commands that work beside the running one."""

import re

import pytest

from tests.gateway.stage import Stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

THREE_FAULTS = """\
version: 1
reviewers:
  support: {channel: "#approvals", users: [ana]}
ladders:
  standard: [{after: 10m, remind: true}]
rules:
  - {name: large, match: refund, when: args.amount > , checkpoint: hard, reviewers: support, ladder: standard}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""


async def test_a_wrong_policy_ends_serve_with_one_line_for_each_fault_and_its_place(stage: Stage) -> None:
    path = stage.serve.folder / "wrong.yml"
    path.write_text(THREE_FAULTS, encoding="utf-8")
    ended = await stage.serve.signoff("serve", env={"SIGNOFF_POLICY": str(path), "PORT": "0"})
    lines = ended.err.splitlines()
    assert (ended.code, ended.out, len(lines)) == (1, "", 3), ended
    assert [int(match[1]) for line in lines if (match := re.match(rf"{re.escape(str(path))}:(\d+):\d+: \S", line))] == [
        3,
        5,
        7,
    ]


async def test_a_second_serve_on_the_same_database_ends_with_one_sentence(stage: Stage) -> None:
    ended = await stage.serve.signoff("serve", env={"PORT": "0"})
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines() == [
        f"Another signoff (process {stage.serve.pid}) serves {stage.serve.database}; "
        "stop it, or set DATABASE_URL to another file."
    ]
    assert (await stage.agent.submit("hard_0", {"n": 1})).status == 201  # the first one goes on


async def test_the_commands_work_beside_the_running_one(stage: Stage) -> None:
    asked = await stage.ask("hard")
    listed = await stage.serve.signoff("requests", "list")
    assert (listed.code, asked["id"] in listed.out) == (0, True), listed
    shown = await stage.serve.signoff("requests", "show", asked["id"])
    assert (shown.code, asked["digest"] in shown.out) == (0, True), shown
    made = await stage.serve.signoff("keys", "create", "beside", "--owner", "U0ANA")
    beside = stage.serve.agent_with(made.out.strip())
    answer = await beside.submit("free", {"n": 1})
    assert (answer.status, answer.body["state"]) == (201, "approved")
    keys = await stage.serve.signoff("keys", "list")
    assert (keys.code, "beside" in keys.out, "so_agent_" in keys.out) == (0, True, False), keys
    verified = await stage.serve.signoff("audit", "verify")
    assert (verified.code, verified.err) == (0, ""), verified
    assert str(stage.journal()) in verified.out
    assert (await stage.serve.signoff("keys", "revoke", "beside")).code == 0
    refused = await beside.submit("free", {"n": 2})
    assert (refused.status, refused.body["code"]) == (401, "key_revoked")
    card = await stage.card(asked["id"])
    assert (await stage.press("U0ANA", card, "signoff.approve"))["ok"]
    assert stage.decisions(asked["id"]) == [("approved", ["U0ANA"])]


async def test_an_edited_journal_is_found_out(stage: Stage) -> None:
    """Run last: it breaks the journal."""
    await stage.serve.stop()
    copied = stage.serve.folder / "copied.db"
    copied.write_bytes(stage.serve.database.read_bytes())
    good = await stage.serve.signoff("audit", "verify", env={"DATABASE_URL": f"sqlite:///{copied}"})
    assert good.code == 0, good
    raw = copied.read_bytes()
    assert b"tester" in raw
    copied.write_bytes(raw.replace(b"key:tester", b"key:pester"))
    bad = await stage.serve.signoff("audit", "verify", env={"DATABASE_URL": f"sqlite:///{copied}"})
    assert (bad.code, len(bad.err.splitlines())) == (1, 1), bad
    await stage.serve.start()


async def test_a_start_without_trouble_says_nothing_but_where_it_serves(stage: Stage) -> None:
    assert "slack_bolt" not in stage.serve.log()
