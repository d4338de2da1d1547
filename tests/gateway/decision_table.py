"""What must come of a request: of every kind, whatever people or the agent do, and however the gateway stops between.

A row is a kind (the tool's name, see `POLICY`), what is done one minute after opening (an act of `decision_acts.py`),
and what it must come to. `when` lists the journal's lines about the request behind their minute after opening; what
stands behind a later minute than the first happens by itself. To add a row, write one; a new kind needs its rule, a new
act its function.
"""

# ruff: noqa: E501 - a table is read by its columns

from dataclasses import dataclass, replace

POLICY = """
version: 1
reviewers:
  team: {channel: "#approvals", users: [U0ANA, U0BEN]}
  seniors: {users: [U0FRED]}
ladders:
  climbs: [{after: 10m, remind: true}, {after: 30m, add: seniors}, {after: 2h, then: expire}]
  goes: [{after: 10m, remind: true}, {after: 30m, add: seniors}, {after: 2h, then: proceed}]
  nags: [{after: 10m, remind: true, every: 10m}, {after: 30m, add: seniors}, {after: 2h, then: expire}]
  answers: [{after: 20m, then: proceed}]
rules:
  - {name: ask, match: ask-*, clarify: {question: Which?, choices: [this, that], ladder: answers}}
  - {name: ask allow, match: ask-allow, checkpoint: allow}
  - {name: ask soft, match: ask-soft, checkpoint: soft, reviewers: team, ladder: goes}
  - {name: ask hard, match: ask-hard, checkpoint: hard, reviewers: team, ladder: climbs}
  - {name: allow, match: allow, checkpoint: allow}
  - {name: soft, match: soft, checkpoint: soft, reviewers: team, ladder: goes}
  - {name: soft large, match: soft, when: args.amount > 300, checkpoint: hard, reviewers: team, ladder: climbs}
  - {name: inbox, match: inbox, checkpoint: inbox, reviewers: team, ladder: climbs}
  - {name: inbox large, match: inbox, when: args.amount > 300, checkpoint: hard, reviewers: team, ladder: climbs}
  - {name: hard, match: hard, checkpoint: hard, reviewers: team, ladder: climbs}
  - {name: hard large, match: hard, when: args.amount > 300, checkpoint: manual, reviewers: team, ladder: climbs}
  - {name: nags, match: nags, checkpoint: hard, reviewers: team, ladder: nags}
  - {name: pair, match: pair, checkpoint: hard, reviewers: team, quorum: 2, ladder: climbs}
  - {name: manual, match: manual, checkpoint: manual, reviewers: team, ladder: climbs}
  - {name: too much, match: [soft, inbox, hard, pair, manual], when: args.amount > 400, checkpoint: deny}
  - {name: deny, match: deny, checkpoint: deny}
default: {checkpoint: hard, reviewers: team, ladder: climbs}
"""

TABLE = """
kind      | act        | state     | by        | execution | audit | when
----------+------------+-----------+-----------+-----------+-------+-------------------------------------------------------------
allow     | silence    | approved  | policy    | lapsed    | -     | 0 opened settled, 15 lapsed
allow     | claim      | approved  | policy    | succeeded | -     | 0 opened settled, 1 claimed succeeded
allow     | withdraw   | approved  | policy    | revoked   | -     | 0 opened settled, 1 revoked
deny      | silence    | rejected  | policy    | -         | -     | 0 opened settled
deny      | claim      | rejected  | policy    | -         | -     | 0 opened settled
deny      | withdraw   | rejected  | policy    | -         | -     | 0 opened settled
ask-allow | silence    | approved  | policy    | lapsed    | -     | 0 opened delivered, 20 answered revised settled, 35 lapsed
ask-allow | answer     | approved  | policy    | lapsed    | -     | 0 opened delivered, 1 answered revised settled, 16 lapsed
ask-soft  | silence    | approved  | silence   | lapsed    | open  | 0 opened delivered, 20 answered revised delivered, 30 remind, 50 add, 140 settled, 155 lapsed
ask-soft  | answer     | approved  | silence   | lapsed    | open  | 0 opened delivered, 1 answered revised delivered, 11 remind, 31 add, 121 settled, 136 lapsed
ask-hard  | silence    | expired   | silence   | -         | -     | 0 opened delivered, 20 answered revised, 30 remind, 50 add, 140 settled
ask-hard  | answer     | expired   | silence   | -         | -     | 0 opened delivered, 1 answered revised, 11 remind, 31 add, 121 settled
ask-hard  | reject     | rejected  | ana       | -         | -     | 0 opened delivered, 1 reviewed settled
ask-hard  | withdraw   | withdrawn | requester | -         | -     | 0 opened delivered, 1 settled
ask-hard  | limit      | expired   | silence   | -         | -     | 0 opened delivered, 5 settled
soft      | silence    | approved  | silence   | lapsed    | open  | 0 opened delivered, 10 remind, 30 add, 120 settled, 135 lapsed
soft      | modify     | approved  | ana       | lapsed    | -     | 0 opened delivered, 1 revised reviewed settled, 16 lapsed
soft      | raise      | approved  | ana       | lapsed    | -     | 0 opened delivered, 1 revised reviewed settled, 16 lapsed
soft      | exceed     | approved  | silence   | lapsed    | open  | 0 opened delivered, 10 remind, 30 add, 120 settled, 135 lapsed
soft      | snooze     | approved  | silence   | lapsed    | open  | 0 opened delivered, 10 remind, 30 add, 120 settled, 135 lapsed
soft      | stop       | rejected  | ana       | -         | -     | 0 opened delivered, 1 reviewed settled
soft      | withdraw   | withdrawn | requester | -         | -     | 0 opened delivered, 1 settled
soft      | limit      | expired   | silence   | -         | -     | 0 opened delivered, 5 settled
inbox     | silence    | expired   | silence   | -         | -     | 0 opened, 10 remind, 30 add delivered, 120 settled
inbox     | approve    | approved  | ana       | succeeded | -     | 0 opened, 1 reviewed settled claimed succeeded
inbox     | reject     | rejected  | ana       | -         | -     | 0 opened, 1 reviewed settled
inbox     | modify     | approved  | ana       | lapsed    | -     | 0 opened, 1 revised reviewed settled, 16 lapsed
inbox     | raise      | approved  | ana       | lapsed    | -     | 0 opened, 1 revised reviewed settled, 16 lapsed
inbox     | exceed     | expired   | silence   | -         | -     | 0 opened, 10 remind, 30 add delivered, 120 settled
inbox     | withdraw   | withdrawn | requester | -         | -     | 0 opened, 1 settled
inbox     | limit      | expired   | silence   | -         | -     | 0 opened, 5 settled
hard      | silence    | expired   | silence   | -         | -     | 0 opened delivered, 10 remind, 30 add, 120 settled
hard      | approve    | approved  | ana       | succeeded | -     | 0 opened delivered, 1 reviewed settled claimed succeeded
hard      | unclaimed  | approved  | ana       | lapsed    | -     | 0 opened delivered, 1 reviewed settled, 16 lapsed
hard      | unreported | approved  | ana       | unknown   | -     | 0 opened delivered, 1 reviewed settled claimed, 61 unknown
hard      | reject     | rejected  | ana       | -         | -     | 0 opened delivered, 1 reviewed settled
hard      | modify     | approved  | ana       | lapsed    | -     | 0 opened delivered, 1 revised reviewed settled, 16 lapsed
hard      | raise      | expired   | silence   | -         | -     | 0 opened delivered, 1 revised reviewed, 10 remind, 30 add, 120 settled
hard      | exceed     | expired   | silence   | -         | -     | 0 opened delivered, 10 remind, 30 add, 120 settled
hard      | stop       | approved  | ana       | revoked   | -     | 0 opened delivered, 1 reviewed settled revoked
hard      | snooze     | expired   | silence   | -         | -     | 0 opened delivered, 1 snoozed, 61 remind add, 120 settled
hard      | withdraw   | withdrawn | requester | -         | -     | 0 opened delivered, 1 settled
hard      | limit      | expired   | silence   | -         | -     | 0 opened delivered, 5 settled
nags      | silence    | expired   | silence   | -         | -     | 0 opened delivered, 10 remind, 20 remind, 30 add, 120 settled
pair      | silence    | expired   | silence   | -         | -     | 0 opened delivered, 10 remind, 30 add, 120 settled
pair      | first      | expired   | silence   | -         | -     | 0 opened delivered, 1 reviewed, 10 remind, 30 add, 120 settled
pair      | approve    | approved  | ana ben   | succeeded | -     | 0 opened delivered, 1 reviewed reviewed settled claimed succeeded
pair      | reject     | rejected  | ana       | -         | -     | 0 opened delivered, 1 reviewed settled
pair      | modify     | expired   | silence   | -         | -     | 0 opened delivered, 1 revised reviewed, 10 remind, 30 add, 120 settled
manual    | silence    | expired   | silence   | -         | -     | 0 opened delivered, 10 remind, 30 add, 120 settled
manual    | first      | expired   | silence   | -         | -     | 0 opened delivered, 1 reviewed, 10 remind, 30 add, 120 settled
manual    | approve    | approved  | ana ben   | succeeded | -     | 0 opened delivered, 1 reviewed reviewed settled claimed succeeded
manual    | reject     | rejected  | ana       | -         | -     | 0 opened delivered, 1 reviewed settled
manual    | modify     | expired   | silence   | -         | -     | 0 opened delivered, 1 revised reviewed, 10 remind, 30 add, 120 settled
manual    | exceed     | expired   | silence   | -         | -     | 0 opened delivered, 10 remind, 30 add, 120 settled
manual    | stop       | approved  | ana ben   | revoked   | -     | 0 opened delivered, 1 reviewed reviewed settled revoked
manual    | withdraw   | withdrawn | requester | -         | -     | 0 opened delivered, 1 settled
manual    | limit      | expired   | silence   | -         | -     | 0 opened delivered, 5 settled
"""

AWAY = 180
"""The minute at which a gateway is back that was stopped across every deadline. All that fell due happens then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row. `by` are ids of people, or `policy`, `silence`, `requester`; `when` are "MINUTES WHAT"."""

    kind: str
    act: str
    state: str
    by: tuple[str, ...]
    execution: str | None
    audit: str | None
    when: tuple[str, ...]

    @property
    def end(self) -> int:
        """The minute at which silence ends what waits first: the question, or else the request."""
        return next((int(line.split()[0]) for line in self.when if line.endswith(" answered")), 120)

    @property
    def minutes(self) -> set[int]:
        """At which minutes something happens."""
        return {int(line.split()[0]) for line in self.when}


def rows() -> list[Row]:
    """The table's rows."""
    lines = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()[2:]]
    return [_row(*cells) for cells in lines]


def late(row: Row) -> Row:
    """What it comes to where the gateway stops before the act (after it, for `first`) and is back at minute `AWAY`.

    Silence has decided by then, whatever is tried afterwards; nobody is reminded of what is over.
    """
    ends = row if row.act in ("first", "limit") else next(each for each in rows() if each.kind == row.kind)
    lines = tuple(_later(line, ends.end) for line in ends.when if line != "30 delivered")
    return replace(ends, act=row.act, when=lines)


def _later(line: str, end: int) -> str:
    minute, what = line.split()
    return line if int(minute) <= 1 else f"{AWAY + max(0, int(minute) - end)} {what}"


def _row(kind: str, act: str, state: str, by: str, execution: str, audit: str, when: str) -> Row:
    return Row(
        kind=kind,
        act=act,
        state=state,
        by=tuple({"ana": "U0ANA", "ben": "U0BEN"}.get(each, each) for each in by.split()),
        execution=None if execution == "-" else execution,
        audit=None if audit == "-" else audit,
        when=tuple(f"{minute} {what}" for minute, *whats in map(str.split, when.split(",")) for what in whats),
    )
