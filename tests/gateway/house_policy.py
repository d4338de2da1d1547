"""The policy of these tests: many lanes, so that no test waits for Slack's pace of one message a second a channel.

Lane N has the channel #lane-N and the tools `hard_N`, `pair_N` (a quorum of two), `manual_N`, `soft_N`, `short_N` (its
ladder runs out within seconds) and `quick_N` (it expires after one).
"""

from collections.abc import Collection, Sequence

NAMED = "U0ANA, U0BEN, U0SAM, U0GUS, U0EXT, U0DEL"
"""Who stands in the groups: also a guest, a stranger and somebody deactivated, who must be refused all the same."""

LADDERS = """\
ladders:
  standard: [{after: 2h, then: expire}]
  pause: [{after: 2s, then: proceed}]
  short: [{after: 1s, remind: true}, {after: 2s, add: seniors}, {after: 6s, then: expire}]
  quick: [{after: 1s, then: expire}]
"""


KINDS = ("hard", "pair", "manual", "soft", "short", "quick")


def policy_of(lanes: int, *, named: str = NAMED, own: Sequence[str] = (), kinds: Collection[str] = KINDS) -> str:
    """The text of the policy with so many lanes, whose reviewers are `named`; `own` names one more for each lane.

    A start reads all of it: a stage that is started many times, or has many lanes, names only the `kinds` it asks for.
    """
    owns = [*own, *[""] * lanes]
    groups = [
        f'  g{lane}: {{channel: "#lane-{lane}", users: [{", ".join(filter(None, (named, owns[lane])))}]}}'
        for lane in range(lanes)
    ]
    rules = [rule for lane in range(lanes) for kind, rule in _rules(lane).items() if kind in kinds]
    return "\n".join(
        [
            "version: 1",
            "digest: off",
            "reviewers:",
            "  seniors: {users: [U0FRED]}",
            *groups,
            LADDERS,
            "agents: {start: [g0]}",
            "rules:",
            "  - {name: free, match: free, checkpoint: allow}",
            *rules,
            "default: {checkpoint: hard, reviewers: g0, ladder: standard}",
            "",
        ]
    )


def _rules(lane: int) -> dict[str, str]:
    where = f"reviewers: g{lane}"
    return {
        "hard": f"  - {{name: hard {lane}, match: hard_{lane}, checkpoint: hard, {where}, ladder: standard}}",
        "pair": f"  - {{name: pair {lane}, match: pair_{lane}, checkpoint: hard, {where}, ladder: standard,"
        " quorum: 2}",
        "manual": f"  - {{name: manual {lane}, match: manual_{lane}, checkpoint: manual, confirm: args.payee, {where},"
        " ladder: standard, quorum: 2}",
        "soft": f"  - {{name: soft {lane}, match: soft_{lane}, checkpoint: soft, {where}, ladder: pause}}",
        "short": f"  - {{name: short {lane}, match: short_{lane}, checkpoint: hard, {where}, ladder: short}}",
        "quick": f"  - {{name: quick {lane}, match: quick_{lane}, checkpoint: hard, {where}, ladder: quick}}",
    }


def channel_of(lane: int) -> str:
    """The id of a lane's channel."""
    return f"C0LANE{lane}"
