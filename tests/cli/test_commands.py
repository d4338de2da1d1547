"""The program as people call it: a process, its exit code, its words."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.slack import ids
from policies.checkpoint import Checkpoint, Kind
from policies.effects import Entry
from policies.lifecycle import open_request
from policies.request import Requester, Submission, ToolCall
from storage.store import Store
from tests import warm

ROOT = Path(__file__).resolve().parents[2]
GOOD = """\
version: 1
reviewers: {team: {channel: "#approvals", users: [ana@example.com]}}
ladders: {standard: [{after: 2h, then: expire}]}
rules: [{name: reads, match: "read_*", checkpoint: allow}]
default: {checkpoint: hard, reviewers: team, ladder: standard}
"""
FAULTY = """\
version: 1
reviewers: {team: {users: ["@ana"]}}
ladders: {standard: [{after: 10m, remind: true}]}
default: {checkpoint: hard, reviewers: teem, ladder: standard}
"""


def signoff(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, in a folder, with no settings but `environ`."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SIGNOFF_", "DATABASE"))
    }
    return warm.run("bot", *words, cwd=cwd, env={**clean, **environ})


def test_help_imports_none_of_the_stack() -> None:
    heavy = "{'anthropic', 'aiohttp', 'slack_bolt', 'sqlmodel', 'pydantic'}"
    code = f"import sys, bot.cli; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_every_command_has_help_with_an_example(tmp_path: Path) -> None:
    commands = [
        "demo",
        "serve",
        "sandbox",
        "migrate",
        "manifest",
        "doctor",
        "policy check",
        "policy explain",
        "policy schema",
    ]
    commands += ["requests list", "requests show", "audit verify", "audit export", "purge"]
    commands += ["keys create", "keys list", "keys rotate", "keys revoke", "grants list", "grants revoke"]
    commands += [f"webhooks {command}" for command in ("list", "set", "remove", "rotate", "test", "redrive")]
    for command in commands:
        said = signoff(*command.split(), "--help", cwd=tmp_path)
        assert said.returncode == 0, said.stderr
        assert "Example:" in said.stdout, command


def bare(*words: str) -> subprocess.CompletedProcess[str]:
    """The program on an interpreter that has imported nothing yet."""
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_bad_usage_exits_2_on_a_bare_interpreter_as_on_a_warm_one(tmp_path: Path) -> None:
    words = ("serve", "--prot", "1")
    ended, same = bare(*words), signoff(*words, cwd=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", same.stderr)
    assert (same.returncode, same.stdout) == (2, "")


def test_a_good_policy_is_called_good(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(GOOD)
    said = signoff("policy", "check", "policy.yml", cwd=tmp_path)
    assert (said.returncode, said.stderr) == (0, "")
    assert "policy.yml: good: 1 rules" in said.stdout


def test_every_fault_of_a_policy_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(FAULTY)
    said = signoff("policy", "check", "policy.yml", cwd=tmp_path)
    assert said.returncode == 1
    lines = said.stderr.splitlines()
    assert [line.split(": ")[0].rsplit(":", 1)[0] for line in lines] == ["policy.yml:2", "policy.yml:3", "policy.yml:4"]
    assert "did you mean" in lines[2].lower()


def test_a_policy_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    said = signoff("policy", "check", "none.yml", cwd=tmp_path)
    assert (said.returncode, said.stderr) == (1, "none.yml: No such file or directory\n")


def test_explain_says_which_rule_won_and_why(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(GOOD)
    (tmp_path / "call.json").write_text(json.dumps({"tool": "send_email", "arguments": {}}))
    said = signoff("policy", "explain", "policy.yml", "call.json", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert "=> hard by default" in said.stdout


def test_the_schema_for_editors_knows_the_keys_of_a_policy(tmp_path: Path) -> None:
    schema = json.loads(signoff("policy", "schema", cwd=tmp_path).stdout)
    assert {"version", "reviewers", "ladders", "tools", "agents", "rules", "default"} <= set(schema["properties"])


def test_the_http_manifest_carries_the_address_everywhere(tmp_path: Path) -> None:
    said = signoff("manifest", "--url", "https://signoff.example.com/", cwd=tmp_path)
    manifest = YAML(typ="safe").load(said.stdout)
    url = "https://signoff.example.com/slack/events"
    assert manifest["settings"]["socket_mode_enabled"] is False
    assert manifest["settings"]["interactivity"]["request_url"] == url
    assert manifest["settings"]["event_subscriptions"]["request_url"] == url
    assert {command["url"] for command in manifest["features"]["slash_commands"]} == {url}


def test_the_manifest_offers_the_shortcut_to_which_signoff_answers() -> None:
    manifest = YAML(typ="safe").load((ROOT / "manifest.yml").read_text())
    offered = [(one["type"], one["callback_id"]) for one in manifest["features"]["shortcuts"]]
    assert offered == [("message", ids.OPEN)]
    assert all(len(one["name"]) <= 24 and one["description"] for one in manifest["features"]["shortcuts"])
    assert "commands" in manifest["oauth_config"]["scopes"]["bot"], "shortcuts need it"


def test_the_manifest_in_the_root_is_the_one_that_is_printed(tmp_path: Path) -> None:
    assert signoff("manifest", cwd=tmp_path).stdout.strip() == (ROOT / "manifest.yml").read_text().strip()


@pytest.mark.parametrize("url", ["http://signoff.example.com", "signoff.example.com", "https://"])
def test_an_address_that_slack_cannot_reach_is_refused(url: str, tmp_path: Path) -> None:
    said = signoff("manifest", "--url", url, cwd=tmp_path)
    assert said.returncode == 1
    assert "public https address" in said.stderr


def test_an_unknown_setting_is_refused_with_advice(tmp_path: Path) -> None:
    said = signoff("requests", "list", cwd=tmp_path, SIGNOFF_POLCY="x")
    assert said.returncode == 1
    assert said.stderr == "SIGNOFF_POLCY: there is no such setting; did you mean SIGNOFF_POLICY?\n"


def test_serve_without_tokens_says_which_and_where_to_find_them(tmp_path: Path) -> None:
    said = signoff("serve", cwd=tmp_path)
    assert said.returncode == 1
    assert said.stderr == (
        "SLACK_BOT_TOKEN is not set. Copy it from your Slack app's page, OAuth & Permissions (xoxb-…).\n"
    )


def has_served(folder: Path) -> None:
    """Make the database of a gateway that has served a workspace once."""

    async def serve() -> None:
        store = await Store.open(f"sqlite:///{folder / 'signoff.db'}", workspace_id="T1", exclusive=True)
        await store.note(Entry(what="policy", actor="serve", at=datetime.now(UTC), subject="digest"))
        await store.close()

    asyncio.run(serve())


def test_a_key_for_nobody_is_not_made(tmp_path: Path) -> None:
    said = signoff("keys", "create", "bot", cwd=tmp_path)
    assert said.returncode == 1
    assert "start `signoff serve` once" in said.stderr


def test_an_operators_key_belongs_to_nobody(tmp_path: Path) -> None:
    has_served(tmp_path)
    refused = signoff("keys", "create", "prometheus", "--operator", "--owner", "U0ALICE", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "leave --owner out" in refused.stderr
    both = signoff("keys", "create", "fleet", "--operator", "--provisioner", cwd=tmp_path)
    assert both.stderr.startswith("A key is an operator's or a provisioner's")
    fleet = signoff("keys", "create", "fleet", "--provisioner", "--owner", "U0ALICE", cwd=tmp_path)
    assert re.fullmatch(r"so_provisioner_[0-9A-Za-z]{43}\n", fleet.stdout)
    made = signoff("keys", "create", "prometheus", "--operator", cwd=tmp_path)
    assert made.stdout.startswith("so_operator_"), made.stderr


def test_a_key_is_printed_alone_and_can_be_listed_and_revoked(tmp_path: Path) -> None:
    has_served(tmp_path)
    made = signoff("keys", "create", "billing-bot", "--owner", "U0ALICE", "--expires", "90d", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    assert secret.startswith("so_agent_")
    assert made.stdout.count("\n") == 1
    assert secret not in made.stderr
    listed = signoff("keys", "list", cwd=tmp_path).stdout
    assert "billing-bot\tagent\tU0ALICE" in listed
    assert secret not in listed
    assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("signoff.db*"))
    assert signoff("keys", "create", "billing-bot", cwd=tmp_path).returncode == 1
    assert signoff("keys", "revoke", "billing-bot", cwd=tmp_path).returncode == 0
    assert "revoked" in signoff("keys", "list", cwd=tmp_path).stdout
    taken = signoff("keys", "create", "billing-bot", cwd=tmp_path)
    assert (taken.returncode, "another owner" in taken.stderr) == (1, True)
    assert signoff("keys", "create", "billing-bot", "--owner", "U0ALICE", cwd=tmp_path).returncode == 0


def test_a_key_with_limits_is_listed_with_them_and_given_a_new_secret(tmp_path: Path) -> None:
    has_served(tmp_path)
    signoff("keys", "create", "bot", "--owner", "U0ALICE", cwd=tmp_path)
    more = ("--agent", "bot", "--may", "act", "--tools", "git.*", "--tools", "pay", "--expires", "3d")
    first = signoff("keys", "create", "bot-runner", *more, cwd=tmp_path).stdout
    listed = signoff("keys", "list", cwd=tmp_path)
    assert "bot-runner\tagent\tU0ALICE" in listed.stdout
    assert "active\tagent bot\tmay act,read\ttools git.*,pay\trotated never" in listed.stdout
    assert "active\tagent bot\tmay ask,act,read\ttools any\trotated never" in listed.stdout
    assert listed.stderr == (
        "bot-runner expires in 2 days: `signoff keys rotate bot-runner --expires 90d` gives it a new secret and more "
        "time.\n"
    )
    rotated = signoff("keys", "rotate", "bot-runner", "--overlap", "1h", "--expires", "90d", cwd=tmp_path)
    assert rotated.stdout.startswith("so_agent_")
    assert rotated.stdout != first
    assert rotated.stdout.count("\n") == 1
    listed = signoff("keys", "list", cwd=tmp_path)
    assert ", old secret valid until" in listed.stdout
    assert listed.stderr == ""
    assert signoff("keys", "rotate", "bot-runner", "--overlap", "0", cwd=tmp_path).stderr.count("valid no more") == 1
    said = signoff("keys", "revoke", "bot-runner", cwd=tmp_path).stdout
    assert said == "bot-runner is revoked; what bot had asked for stands, with its other keys.\n"


def test_a_revoked_key_takes_back_what_it_had_asked_for(tmp_path: Path) -> None:
    has_served(tmp_path)
    signoff("keys", "create", "bot", cwd=tmp_path)
    url = f"sqlite:///{tmp_path / 'signoff.db'}"

    async def ask() -> None:
        store = await Store.open(url, workspace_id="T1")
        for name, gate in (("pending", Kind.HARD), ("permit", Kind.ALLOW)):
            outcome = open_request(
                Submission(call=ToolCall(tool="pay", arguments={})),
                Checkpoint(kind=gate, rule="r", reason="because"),
                request_id=f"req_{name}",
                workspace_id="T1",
                requester=Requester(id="key:bot", name="bot"),
                policy_digest="p",
                now=datetime.now(UTC),
            )
            await store.add(outcome)
        await store.close()

    asyncio.run(ask())
    assert "2 of its requests were taken back" in signoff("keys", "revoke", "bot", cwd=tmp_path).stdout
    listed = signoff("requests", "list", "--state", "all", cwd=tmp_path).stdout
    assert "req_pending\twithdrawn" in listed
    assert "req_permit\tapproved/revoked" in listed


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("keys", "create", "Billing Bot"), "no name for a key"),
        (("keys", "create", "bot", "--owner", "@alice"), "no Slack user id"),
        (("keys", "create", "bot", "--expires", "soon"), "soon"),
        (("keys", "create", "bot", "--may", "approve"), "'approve' is none of them"),
        (("keys", "create", "bot", "--tools", "two words"), "no tool's name or pattern"),
        (("keys", "create", "bot", "--operator", "--may", "ask"), "leave --agent, --may, --tools and --webhook out"),
        (("keys", "rotate", "nobody"), "no active key"),
        (("keys", "rotate", "nobody", "--overlap", "a while"), "no duration"),
        (("keys", "revoke", "nobody"), "no active key"),
        (("grants", "revoke", "grant_1"), "no grant grant_1"),
        (("requests", "show", "req_1"), "no request req_1"),
        (("requests", "list", "--state", "waiting"), "no state 'waiting'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words: tuple[str, ...], part: str, tmp_path: Path) -> None:
    said = signoff(*words, cwd=tmp_path)
    assert said.returncode == 1
    assert part in said.stderr
    assert said.stderr.count("\n") == 1
    assert "Traceback" not in said.stderr


def test_migrate_and_verify_work_on_a_fresh_database(tmp_path: Path) -> None:
    assert "up to date" in signoff("migrate", cwd=tmp_path).stdout
    verified = signoff("audit", "verify", cwd=tmp_path)
    assert verified.returncode == 0, verified.stderr


def test_the_journal_is_exported_proven_against_an_anchor_and_contents_are_purged(tmp_path: Path) -> None:
    asyncio.run(_write_a_line(f"sqlite:///{tmp_path}/signoff.db"))
    anchor = signoff("audit", "verify", cwd=tmp_path).stdout.splitlines()[1].rsplit(" ", 1)[1]
    asyncio.run(_write_a_line(f"sqlite:///{tmp_path}/signoff.db"))
    assert signoff("audit", "verify", "--anchor", anchor, cwd=tmp_path).returncode == 0
    forged = anchor.split(":")[0] + ":" + "0" * 64
    assert signoff("audit", "verify", "--anchor", forged, cwd=tmp_path).returncode == 1
    exported = signoff("audit", "export", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    assert [json.loads(line)["seq"] for line in exported.stdout.splitlines()] == [1, 2]
    rest = signoff("audit", "export", "--after", "1", cwd=tmp_path).stdout
    assert [json.loads(line)["detail"] for line in rest.splitlines()] == [{"rules": 3}]
    purged = signoff("purge", "--older", "90d", cwd=tmp_path)
    assert "Blanked 0 requests and 0 runs" in purged.stdout, purged.stderr


async def _write_a_line(url: str) -> None:
    store = await Store.open(url, workspace_id="T0SANDBOX")
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    await store.note(Entry(what="policy", actor="serve", at=at, subject="sha256:1", detail={"rules": 3}))
    await store.close()


def test_help_answers_quickly() -> None:
    """A bound of four times the promised 0.4 s, and the best of three, so that only a heavy import can break it."""
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        bare("--help")
        seconds.append(time.perf_counter() - begun)
    assert min(seconds) < 1.6, seconds
