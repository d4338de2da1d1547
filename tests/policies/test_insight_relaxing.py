"""The diff that relaxes a rule: exact, in the file's own style, and nothing else changes."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from policies.checkpoint import Kind
from policies.errors import Invalid
from policies.insight import Tally, insight
from policies.loader import load
from policies.policy import Policy
from policies.relaxing import check_others, relax
from policies.replay import replay
from tests.policies.past_samples import START, many

PEOPLE = "version: 1\nreviewers: {support: {users: [U0ANA, U0BEN]}}\n"
END = "default: {checkpoint: hard, reviewers: support, ladder: standard}\n"
LADDERS = "ladders: {standard: [{after: 2h, then: expire}], pause: [{after: 5m, then: proceed}]}\n"
BLOCKS = """\
ladders:
  standard:
    - {after: 2h, then: expire}   # silence is no consent

# What may be done.
rules:
  # Mails go out.
  - name: mails
    match: mail
    checkpoint: hard      # a person looks
    permit: 10m

  - name: posts
    match:
      - post
    checkpoint: hard
    ladder: standard      # see above
  # The end.

"""


def tally(policy: Policy, tool: str) -> Tally:
    return insight(replay(many(policy, tool, 3), policy, since=START), policy).tallies[0]


def relaxed(text: str, tool: str, folder: Path) -> str:
    """The text after ``patch`` has applied the proposed diff to the file."""
    policy = load(text, source="p.yml")
    relaxation = relax(policy, tally(policy, tool))
    (folder / "p.yml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["git", "apply", "-p0", "-"], cwd=folder, input=relaxation.diff, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr + relaxation.diff
    after = (folder / "p.yml").read_text(encoding="utf-8")
    assert relaxation.policy.text == after
    return after


def new_lines(before: str, after: str) -> list[str]:
    return [line for line in after.splitlines() if line not in before.splitlines()]


@pytest.mark.parametrize(
    ("text", "tool", "lines"),
    [
        (
            PEOPLE + LADDERS + "rules: [{name: m, match: mail, checkpoint: hard}]\n" + END,
            "mail",
            ["rules: [{name: m, match: mail, checkpoint: soft, ladder: pause}]"],
        ),
        (
            PEOPLE + BLOCKS + END,
            "mail",
            [
                "  unless stopped: [{after: 1h, then: proceed}]",
                "    checkpoint: soft      # a person looks",
                "    ladder: unless stopped",
            ],
        ),
        (
            PEOPLE + BLOCKS + END,
            "post",
            [
                "  unless stopped: [{after: 1h, then: proceed}]",
                "    checkpoint: soft",
                "    ladder: unless stopped      # see above",
            ],
        ),
        (
            PEOPLE + BLOCKS + END,
            "new",
            [
                "  unless stopped: [{after: 1h, then: proceed}]",
                '  - {name: "routine new", match: "new", checkpoint: soft, ladder: unless stopped}',
            ],
        ),
        (
            PEOPLE + LADDERS + END,
            "new",
            ["rules:", '  - {name: "routine new", match: "new", checkpoint: soft, ladder: pause}'],
        ),
        (
            PEOPLE + "default: {reviewers: support}",
            "new",
            [
                "ladders:",
                "  unless stopped: [{after: 1h, then: proceed}]",
                "rules:",
                '  - {name: "routine new", match: "new", checkpoint: soft, ladder: unless stopped}',
            ],
        ),
        (
            PEOPLE + LADDERS + "rules: [{name: m, match: mail, checkpoint: hard, batch: true, grants: false}]\n" + END,
            "mail",
            ["rules: [{name: m, match: mail, checkpoint: soft, ladder: pause}]"],
        ),
        (
            PEOPLE + LADDERS + "rules: [{name: m, match: mail, quorum: 2, checkpoint: hard}]\n" + END,
            "mail",
            ["rules: [{name: m, match: mail, quorum: 1, checkpoint: hard}]"],
        ),
        (
            PEOPLE + LADDERS + "rules: [{name: m, match: mail, checkpoint: soft, ladder: pause, permit: 1h}]\n" + END,
            "mail",
            ["rules: [{name: m, match: mail, checkpoint: allow, permit: 1h}]"],
        ),
        (
            PEOPLE + LADDERS + "rules: [{name: m, reviewers: support, match: mail, checkpoint: inbox}]\n" + END,
            "mail",
            ["rules: [{name: m, reviewers: support, match: mail, checkpoint: soft, ladder: pause}]"],
        ),
    ],
)
def test_only_what_is_relaxed_is_written_anew(text: str, tool: str, lines: list[str], tmp_path: Path) -> None:
    assert new_lines(text, relaxed(text, tool, tmp_path)) == lines


def test_what_means_nothing_behind_allow_goes_with_its_lines(tmp_path: Path) -> None:
    text = (
        PEOPLE
        + LADDERS
        + (
            "rules:\n  - name: m\n    match: mail\n    reviewers: support   # they look\n"
            "    checkpoint: soft\n    quorum: 1\n    ladder: pause\n    permit: 5m\n  # the end\n"
        )
    )
    after = relaxed(text + END, "mail", tmp_path)
    assert (
        after
        == PEOPLE
        + LADDERS
        + ("rules:\n  - name: m\n    match: mail\n    checkpoint: allow\n    permit: 5m\n  # the end\n")
        + END
    )


def test_a_new_rule_stands_behind_the_last_one(tmp_path: Path) -> None:
    after = relaxed(PEOPLE + BLOCKS + END, "new", tmp_path)
    rule = '  - {name: "routine new", match: "new", checkpoint: soft, ladder: unless stopped}\n'
    assert f"    ladder: standard      # see above\n{rule}  # The end.\n" in after
    assert "# silence is no consent\n  unless stopped: [{after: 1h, then: proceed}]\n\n# What" in after


def test_texts_over_several_lines_stay_whole(tmp_path: Path) -> None:
    when = "    when: |-\n      true\n"
    rule = f"rules:\n  - name: m\n    match: mail\n    checkpoint: soft\n    ladder: |-\n      pause\n{when}"
    after = relaxed(PEOPLE + LADDERS + rule + END, "mail", tmp_path)
    kept = f"rules:\n  - name: m\n    match: mail\n    checkpoint: allow\n{when}"
    assert after == PEOPLE + LADDERS + kept + END
    assert kept + '  - {name: "routine new", match: "new", checkpoint: soft, ladder: pause}\n' in relaxed(
        PEOPLE + LADDERS + kept + END, "new", tmp_path
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("U0BEN", "U0CAT"),
        ("after: 2h", "after: 1h"),
        ("checkpoint: hard, reviewers", "checkpoint: manual, reviewers"),
        ("match: post", "match: boast"),
        ("match: post", "match: post, when: 'true'"),
        ("impact: low", "impact: high"),
        ("agents: {start: [support]}\n", ""),
        ("waiting: 5", "waiting: 6"),
    ],
)
def test_whatever_else_would_change_is_noticed(before: str, after: str) -> None:
    text = (
        f"{PEOPLE}{LADDERS}tools: {{x: {{reversible: true, impact: low}}}}\nagents: {{start: [support]}}\n"
        f"budgets: [{{agents: till, waiting: 5}}]\n"
        f"rules: [{{name: m, match: mail, checkpoint: hard}}, {{name: p, match: post, checkpoint: hard}}]\n{END}"
    )
    policy = load(text, source="p.yml")
    check_others(policy, load(text.replace("match: mail", "match: letter"), source="p.yml"), "m")
    assert text.count(before) == 1
    with pytest.raises(Invalid, match="by hand"):
        check_others(policy, load(text.replace(before, after), source="p.yml"), "m")


def test_a_catalogued_tool_gets_a_rule_one_notch_below_the_catalogue(tmp_path: Path) -> None:
    text = PEOPLE + LADDERS + "tools: {badge: {reversible: true, impact: high}}\n" + END
    after = load(relaxed(text, "badge", tmp_path), source="p.yml")
    assert [(rule.patterns, rule.gate.kind) for rule in after.rules] == [(("badge",), Kind.SOFT)]


def held(tool: str, *, rule: str = "m", kind: Kind = Kind.HARD) -> Tally:
    """A tally without its evidence: the reason to refuse doesn't lie there."""
    return Tally(
        rule=rule,
        kind=kind,
        tool=None if rule == "m" else tool,
        endings={},
        people={},
        tools={tool: 1},
        undelivered=0,
        required=False,
        evidence=(),
    )


@pytest.mark.parametrize(
    ("text", "asked", "why"),
    [
        (
            "tools: {mail: {reversible: false, impact: low}}\nrules: [{name: m, match: mail, checkpoint: hard}]\n",
            held("mail"),
            "^mail is irreversible by the catalogue$",
        ),
        (
            "tools: {mail: {reversible: false, impact: low}}\n"
            "rules: [{name: m, match: mail, checkpoint: hard}, {name: o, match: 'm*', checkpoint: hard}]\n",
            held("mail"),
            "^mail is irreversible by the catalogue$",
        ),
        (
            "tools: {badge: {reversible: false, impact: medium}}\n",
            held("badge", rule="catalogue"),
            "badge is irreversible",
        ),
        ("rules: [{name: m, match: mail, checkpoint: hard, required_by: law}]\n", held("mail"), "a regulation demands"),
        ("rules: [{name: m, match: mail, checkpoint: hard}]\n", replace(held("mail"), required=True), "a regulation"),
        ("rules: [{name: m, match: mail, checkpoint: manual}]\n", held("mail", kind=Kind.MANUAL), "manual is never"),
        (
            "rules: [{name: m, match: mail, checkpoint: soft, ladder: pause}]\n",
            held("mail"),
            "held all the same",
        ),
        (
            "tools: {post_x: {reversible: false, impact: low}}\n"
            "rules: [{name: m, match: 'post_*', checkpoint: hard}]\n",
            held("post_y"),
            "post_x is irreversible by the catalogue, so silence may not",
        ),
        (
            "rules: [{name: m, match: mail, checkpoint: hard, quorum: {support: 2}}]\n",
            held("mail"),
            "names the groups that must approve",
        ),
        ("", held("a b", rule="default"), "by hand"),
        ("", held("post_*", rule="default"), "by hand"),
    ],
)
def test_what_must_stay_is_refused_with_the_reason(text: str, asked: Tally, why: str) -> None:
    policy = load(PEOPLE + LADDERS + text + END, source="p.yml")
    with pytest.raises(Invalid, match=why):
        relax(policy, asked)
