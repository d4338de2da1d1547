"""The tools for a policy's author, as people call them: check, explain, test, replay, tune."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pty
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.commands.explaining import explain_call
from policies.effects import Entry
from policies.events import Outcome
from policies.loader import load
from policies.request import Request
from storage.store import Store
from tests import warm
from tests.cli.test_commands import FAULTY, signoff
from tests.policies.past_samples import approved, many, modified, opened, rejected

POLICY = """\
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA, U0BEN]}
  finance: {users: [U0FAY, U0FRED]}
  seniors: {users: [U0SAM]}
ladders:
  standard: [{after: 10m, remind: true}, {after: 30m, add: seniors}, {after: 2h, then: expire}]
  pause: [{after: 5m, then: proceed}]
rules:
  - {name: reads, match: "read_*", checkpoint: allow}
  - {name: payments, match: pay, when: args.amount > 100, checkpoint: manual, confirm: args.payee, reviewers: finance}
  - {name: mails, match: mail, checkpoint: hard}
  - {name: posts, match: post, checkpoint: soft, ladder: pause}
  - {name: never, match: drop, checkpoint: deny}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""
CASES = """\
- {name: small, tool: pay, arguments: {amount: 5, payee: Nord}, expect: {checkpoint: hard}}
- {name: large, tool: pay, arguments: {amount: 500, payee: Nord}, expect: {checkpoint: manual, phrase: Nord}}
"""
PAYMENT = {
    "tool": "pay",
    "arguments": {"amount": 500, "payee": "Nord"},
    "agent": "billing",
    "at": "2026-11-23T10:00:00+01:00",
}


def laid_out(folder: Path, **files: str) -> None:
    for name, text in {"policy": POLICY, "cases": CASES, **files}.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def explained(folder: Path, call: object, *more: str, policy: str = POLICY) -> str:
    laid_out(folder, policy=policy)
    (folder / "call.json").write_text(json.dumps(call), encoding="utf-8")
    said = signoff("policy", "explain", "policy.yml", "call.json", *more, cwd=folder)
    assert (said.returncode, said.stderr) == (0, "")
    return said.stdout


def stored(folder: Path, requests: Sequence[Request], *texts: str) -> None:
    """A database of a gateway that has served these requests."""

    async def fill() -> None:
        store = await Store.open(f"sqlite:///{folder / 'signoff.db'}", workspace_id="T1", exclusive=True)
        await store.note(Entry(what="policy", actor="serve", at=datetime.now(UTC), subject="digest"))
        for text in texts:
            await store.keep_policy(load(text, source="p.yml").digest, text)
        await asyncio.gather(*(store.add(Outcome(request=request)) for request in requests))
        await store.close()

    asyncio.run(fill())


def on_a_terminal(*words: str, cwd: Path) -> str:
    """What a command writes to stderr where that is a terminal."""
    ours, theirs = pty.openpty()
    process = warm.start("bot", *words, cwd=cwd, env={**os.environ, "TERM": "dumb"}, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:  # the terminal's other side is closed: the command has ended
        pass
    assert process.wait(30) == 1
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


def test_a_terminal_shows_each_faulty_line_with_a_caret(tmp_path: Path) -> None:
    laid_out(tmp_path, policy=FAULTY)
    said = on_a_terminal("policy", "check", "policy.yml", cwd=tmp_path)
    told = said.rstrip().split("\n\n")
    assert [words.split(": ")[0] for words in told[::2]] == ["policy.yml:2:28", "policy.yml:3:22", "policy.yml:4:40"]
    assert told[0].endswith("name people by id (U…) or e-mail address.")
    assert told[1].splitlines() == ["  " + FAULTY.splitlines()[1], "  " + " " * 27 + "^"]


def test_a_pipe_gets_places_and_words_only(tmp_path: Path) -> None:
    laid_out(tmp_path, policy=FAULTY)
    said = signoff("policy", "check", "policy.yml", cwd=tmp_path)
    assert len(said.stderr.splitlines()) == 3
    assert "^" not in said.stderr


def test_a_policy_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_bytes(b"version: 1 # \xff\n")
    said = signoff("policy", "check", "policy.yml", cwd=tmp_path)
    assert (said.returncode, said.stderr.count("\n")) == (1, 1)
    assert "isn't UTF-8" in said.stderr


def test_explain_tells_every_rule_the_people_the_phrase_and_the_clock(tmp_path: Path) -> None:
    budgets = 'budgets: [{agents: "*", waiting: 20}, {agents: mail, waiting: 1}, {agents: bill*, same_again: 1h}]\n'
    assert explained(tmp_path, PAYMENT, policy=POLICY + budgets) == (
        "pay, asked for by billing, says nothing of its confidence, at Mon 23 Nov 2026 09:00 UTC\n"
        "rules\n"
        "  not      reads             it is about read_*\n"
        "  matched  payments  manual  args.amount > 100 is true\n"
        "  not      mails             it is about mail\n"
        "  not      posts             it is about post\n"
        "  not      never             it is about drop\n"
        "=> manual by payments (payments: args.amount > 100): the only rule that asks for something\n"
        "  who decides  2 approvals of finance: U0FAY, U0FRED\n"
        "               never the person served (the key's owner, or whom the agent acts for)\n"
        "  phrase       each types: Nord\n"
        "  on silence, ladder standard, counted from Mon 23 Nov 2026 09:00 UTC\n"
        "    Mon 23 Nov 2026 09:10 UTC  after 10 minutes  a reminder\n"
        "    Mon 23 Nov 2026 09:30 UTC  after 30 minutes  seniors may decide too: U0SAM\n"
        "    Mon 23 Nov 2026 11:00 UTC  after 2 hours     it expires: not approved\n"
        "  an approval may be claimed for 15 minutes, a claimed call reported for 1 hour\n"
        "  budget  at most 20 waiting\n"
        "          what was rejected not again for 1 hour\n"
    )


def test_explain_tells_clock_times_in_the_zone_of_the_ladders_hours(tmp_path: Path) -> None:
    office = 'calendars: {office: {zone: Europe/Berlin, hours: "09:00-17:00", holidays: [2026-11-24]}}'
    steps = "{after: 30m, remind: true, every: 1h}, {after: 5h, add: seniors}, {after: 8h, then: expire}"
    policy = re.sub(r"  standard:.*?(?=\n  \w)", f"  standard: {{hours: office, steps: [{steps}]}}", POLICY, flags=re.S)
    said = explained(tmp_path, PAYMENT, policy=policy.replace("ladders:", f"{office}\nladders:"))
    assert said.split("  on silence, ")[1].splitlines()[:-1] == [
        "ladder standard, counted from Mon 23 Nov 2026 10:00 CET; only the hours of office count:"
        " mon tue wed thu fri 09:00-17:00 Europe/Berlin, 1 holiday",
        "    Mon 23 Nov 2026 10:30 CET  after 30 minutes  a reminder, then every hour until the next step (4 more)",
        "    Mon 23 Nov 2026 15:00 CET  after 5 hours     seniors may decide too: U0SAM",
        "    Wed 25 Nov 2026 10:00 CET  after 8 hours     it expires: not approved",
    ]


def test_explain_tells_of_a_condition_that_failed(tmp_path: Path) -> None:
    said = explained(tmp_path, {"tool": "pay"})
    assert "  error  payments  manual  args.amount > 100 failed:" in said
    assert "could not be evaluated" in said


def test_explain_says_where_nobody_is_named_and_who_may_approve_their_own(tmp_path: Path) -> None:
    assert "1 approval of nobody: nobody is named" in explained(tmp_path, {"tool": "x"}, policy="version: 1\n")
    more = "match: mail, checkpoint: hard, self_approval: true, batch: true"
    own = explained(tmp_path, {"tool": "mail"}, policy=POLICY.replace("match: mail, checkpoint: hard", more))
    assert "even the person served, by self_approval" in own
    assert "with other calls of this rule, in one go, where each was seen whole" in own


def test_explain_asks_as_if_the_gateway_stood_in_an_environment(tmp_path: Path) -> None:
    here = POLICY.replace("match: mail,", "match: mail, when: environment == 'production',")
    said = explained(tmp_path, {"tool": "mail"}, "--environment", "production", policy=here)
    assert "in the environment production\n" in said
    assert "=> hard by mails" in said


def test_explain_names_the_deputies_and_those_from_outside(tmp_path: Path) -> None:
    more = POLICY.replace("users: [U0FAY, U0FRED]", "members: [C0BACK], outsiders: [U0GUS], deputy: seniors")
    laid_out(tmp_path, policy=more)
    (tmp_path / "call.json").write_text(json.dumps(PAYMENT), encoding="utf-8")
    said = explain_call(tmp_path / "policy.yml", tmp_path / "call.json")
    assert "2 approvals of finance: members of the private channel C0BACK, U0GUS from outside" in said
    assert "while finance are out of office, seniors: U0SAM" in said


def test_explain_of_what_waits_for_nobody(tmp_path: Path) -> None:
    assert "nobody is asked: the call goes on at once" in explained(tmp_path, {"tool": "read_x"})
    assert "nobody is asked: the call is refused at once" in explained(tmp_path, {"tool": "drop"})


def test_explain_lets_nothing_invisible_through(tmp_path: Path) -> None:
    said = explained(tmp_path, {"tool": "x\x1b[2Jy", "arguments": {}, "agent": "a\u202eb"})
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "⟨U+202E⟩" in said


def test_a_call_that_does_not_fit_is_one_line(tmp_path: Path) -> None:
    laid_out(tmp_path)
    for call, told in [("{", "not JSON"), ('{"tool": "a", "agnt": 1}', "did you mean agent?"), ("[]", "Write tool")]:
        (tmp_path / "call.json").write_text(call)
        said = signoff("policy", "explain", "policy.yml", "call.json", cwd=tmp_path)
        assert (said.returncode, said.stderr.count("\n")) == (1, 1)
        assert said.stderr.startswith("call.json: ")
        assert told in said.stderr


def test_each_command_has_help_with_an_example(tmp_path: Path) -> None:
    for command in ("test", "replay", "tune"):
        said = signoff("policy", command, "--help", cwd=tmp_path).stdout
        assert f"Example: signoff policy {command}" in " ".join(said.split())


def test_cases_that_hold_exit_0(tmp_path: Path) -> None:
    laid_out(tmp_path)
    said = signoff("policy", "test", "policy.yml", "cases.yml", cwd=tmp_path)
    assert (said.returncode, said.stdout) == (0, "cases.yml: all 2 cases came out as expected.\n")


def test_every_failing_case_says_what_was_expected_and_why_it_is_not_so(tmp_path: Path) -> None:
    laid_out(tmp_path, cases=CASES.replace("amount: 500", "amount: 100"))
    said = signoff("policy", "test", "policy.yml", "cases.yml", cwd=tmp_path)
    assert said.returncode == 1
    lines = said.stderr.splitlines()
    assert lines[0] == "cases.yml:2:3: large"
    assert lines[1].split() == ["checkpoint", "expected", "manual", "but", "it", "is", "hard"]
    assert "args.amount > 100 is false" in said.stderr
    assert lines[-1] == "cases.yml: 1 of 2 cases failed."


def test_a_fault_in_the_cases_has_its_place_in_that_file(tmp_path: Path) -> None:
    laid_out(tmp_path, cases=CASES.replace("phrase: Nord", "phrse: Nord"))
    said = signoff("policy", "test", "policy.yml", "cases.yml", cwd=tmp_path)
    assert said.returncode == 1
    assert said.stderr == "cases.yml:2:96: There is no key 'phrse' here; did you mean phrase?\n"


def test_replay_tells_what_the_past_would_have_met_and_changes_nothing(tmp_path: Path) -> None:
    policy, now = load(POLICY, source="p.yml"), datetime.now(UTC) - timedelta(hours=2)
    at = [now + timedelta(minutes=number) for number in range(7)]
    raised = modified(opened(policy, "post", number=5, at=at[5]), policy, {"text": "b"})
    past = [
        opened(policy, "read_x", number=0, at=at[0]),
        opened(policy, "drop", number=1, at=at[1]),
        approved(opened(policy, "mail", number=2, at=at[2])),
        rejected(opened(policy, "mail", number=3, at=at[3])),
        approved(opened(policy, "new", number=4, at=at[4])),
        raised,
        opened(policy, "mail", number=6, at=now - timedelta(days=40)),
    ]
    stored(tmp_path, past, POLICY)
    other = POLICY.replace("match: mail, checkpoint: hard", "match: mail, checkpoint: allow").replace(
        'match: "read_*", checkpoint: allow', 'match: "read_*", checkpoint: hard, reviewers: finance'
    )
    laid_out(tmp_path, other=other)
    digest = fingerprint(tmp_path)
    same = signoff("policy", "replay", "policy.yml", "--since", "1d", cwd=tmp_path)
    assert same.returncode == 0, same.stderr
    assert same.stdout == ("6 requests of the last 1d under policy.yml; nothing was changed.\n  6  the same\n")
    said = signoff("policy", "replay", "other.yml", "--since", "1d", cwd=tmp_path).stdout
    assert [" ".join(line.split()) for line in said.splitlines()] == [
        "6 requests of the last 1d under other.yml; nothing was changed.",
        "2 waved through",
        "1 stopped",
        "3 the same",
        "change requests tool then now people had such as",
        "waved through 2 mail hard by mails, 1 of support allow by mails rejected 1 req_00003",
        "stopped 1 read_x allow by reads hard by reads, 1 of finance - req_00000",
    ]
    assert "7 requests" in signoff("policy", "replay", "other.yml", "--since", "60d", cwd=tmp_path).stdout
    assert fingerprint(tmp_path) == digest


def test_replay_counts_what_came_before_and_judges_what_was_proposed(tmp_path: Path) -> None:
    text = POLICY.replace(
        "rules:\n", "rules:\n  - {name: again, match: new, when: recent.tool_day > 0, checkpoint: manual}\n"
    )
    text = text.replace("[U0FAY, U0FRED]", "[U0FAY, U0FRED, U0ANA]")
    policy, now = load(text, source="p.yml"), datetime.now(UTC)
    small = opened(policy, "pay", {"amount": 5, "payee": "Nord"}, number=2, at=now - timedelta(hours=3))
    raised = modified(small, policy, {"amount": 500, "payee": "Nord"}, by="U0ANA")
    assert raised.checkpoint.kind.value == "manual"
    past = [
        opened(policy, "new", number=0, at=now - timedelta(hours=30)),
        opened(policy, "new", number=1, at=now - timedelta(hours=20), recent={"tool_day": 1}),
        raised,
    ]
    stored(tmp_path, past, text)
    laid_out(tmp_path, policy=text)
    said = signoff("policy", "replay", "policy.yml", "--since", "1d", cwd=tmp_path)
    assert said.stdout.endswith("  2  the same\n"), said.stdout


def fingerprint(folder: Path) -> str:
    """A hash of everything that the database holds."""

    async def read() -> str:
        store = await Store.open(f"sqlite:///{folder / 'signoff.db'}", workspace_id="T1")
        requests = await store.requests(limit=500)
        journal = await store.journal()
        await store.close()
        return hashlib.sha256(repr((requests, journal)).encode()).hexdigest()

    return asyncio.run(read())


def test_tune_proposes_the_diff_and_applies_nothing(tmp_path: Path) -> None:
    policy, now = load(POLICY, source="policy.yml"), datetime.now(UTC) - timedelta(hours=5)
    stored(tmp_path, [*many(policy, "mail", 580, at=now), *many(policy, "new", 12, 600, at=now, confidence=0.95)])
    laid_out(tmp_path)
    said = signoff("policy", "tune", "--since", "7d", cwd=tmp_path, SIGNOFF_POLICY="policy.yml")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("592 requests of the last 7d under policy.yml.\n")
    assert "100% (99%-100%)" in said.stdout
    assert "0.9 to 1  12 of 12" in said.stdout
    assert "* relax: mails: approved as proposed 580 of 580" in said.stdout
    assert "loosened 580 of the 592 requests" in said.stdout
    assert "* always the same person: mails: all 580 decisions are Ana (U0ANA)'s" in said.stdout
    assert (tmp_path / "policy.yml").read_text() == POLICY
    applied = subprocess.run(
        ["git", "apply", "-p0", "-"], cwd=tmp_path, input=said.stdout, text=True, capture_output=True, check=False
    )
    assert applied.returncode == 0, applied.stderr
    gates = {rule.name: rule.gate.kind.value for rule in load((tmp_path / "policy.yml").read_text(), source="p").rules}
    assert gates["mails"] == "soft"


def test_without_a_past_there_is_nothing_to_propose(tmp_path: Path) -> None:
    laid_out(tmp_path)
    said = signoff("policy", "tune", cwd=tmp_path, SIGNOFF_POLICY="policy.yml")
    assert (said.returncode, said.stdout.splitlines()[-1]) == (0, "Nothing to propose.")


def test_a_span_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    laid_out(tmp_path)
    for words in (("replay", "policy.yml"), ("tune",)):
        said = signoff("policy", *words, "--since", "always", cwd=tmp_path)
        assert (said.returncode, said.stderr.count("\n")) == (1, 1)
        assert "'always' is no duration" in said.stderr
