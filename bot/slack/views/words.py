"""What stands on cards and in lists about a request's place in its life, in plain English."""

from __future__ import annotations

from datetime import timedelta

from bot.slack.views.headline import headline
from bot.slack.views.look import Look, moment
from bot.slack.views.text import duration, inert, inline, one_line
from policies import quorum
from policies.checkpoint import Kind, Ladder
from policies.delegation import Delegation
from policies.people import StandIn
from policies.request import ExecutionState, Request, State
from policies.visible import in_quotes

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UNITS = ((3 * HOUR, MINUTE), (3 * DAY, HOUR), (timedelta.max, DAY))
"""Up to which span time left is told in which unit."""
ASK, ELSE = "Ask the agent…", "Ask someone else…"
EMOJI = {
    State.PENDING: ":hourglass_flowing_sand:",
    State.ANSWERED: ":speech_balloon:",
    State.APPROVED: ":white_check_mark:",
    State.REJECTED: ":no_entry:",
    State.EXPIRED: ":clock1:",
    State.WITHDRAWN: ":leftwards_arrow_with_hook:",
}
RISK = {
    Kind.ALLOW: "*Allowed* by the policy",
    Kind.SOFT: "*Goes ahead* unless someone stops it",
    Kind.INBOX: "*Can wait*: the agent goes on with other work",
    Kind.HARD: "*The agent waits*",
    Kind.MANUAL: "*High stakes*: approving takes a typed confirmation",
    Kind.DENY: "*Refused* by the policy",
}
CAME_TO = {
    ExecutionState.FAILED: ":warning: *Failed*",
    ExecutionState.UNKNOWN: ":warning: *Unknown*",
    ExecutionState.LAPSED: ":clock1: *Lapsed*",
    ExecutionState.REVOKED: ":octagonal_sign: *Stopped*",
}
"""What became of an approved call, where a green tick would say too much."""
FORMER = {
    ExecutionState.CLAIMED: "The agent is running it.",
    ExecutionState.SUCCEEDED: "It ran.",
    ExecutionState.FAILED: "It failed.",
    ExecutionState.UNKNOWN: "Nobody knows whether it ran: the agent never reported.",
    ExecutionState.LAPSED: "It never ran: the agent didn't start it while the approval was valid.",
}


SENT_BACK = "It did not run: its agent can't take changes, so it is told them and has to ask again."


def subject(request: Request, look: Look) -> str:
    """What the request is about, on one line of plain text: its call, or a question where there is none."""
    return headline(request, look) or "A question"


def stand(request: Request) -> str:
    """The first words on a card, in mrkdwn: what the agent does meanwhile, or what became of the request."""
    if request.asking:
        waits = "*The agent waits* for an answer" if request.bare else "*A question first*: an answer approves nothing"
        return f"{EMOJI[State.ANSWERED]} {waits}"
    if request.sent_back:
        return f"{EMOJI[State.WITHDRAWN]} *Sent back with changes*"
    if request.settled:
        came_to = CAME_TO.get(request.execution.state) if request.execution else None
        return came_to or f"{EMOJI[request.state]} *{request.state.value.capitalize()}*"
    return f"{EMOJI[request.state]} {RISK[request.checkpoint.kind]}{stakes(request)}"


def stakes(request: Request) -> str:
    """What the catalogue says is at stake, where it is more than little; mrkdwn, to be set after other words."""
    gate = request.checkpoint
    said = ["can't be undone"] if gate.reversible is False else []
    said += ["high impact"] if gate.impact == "high" else []
    return f" · :warning: {', '.join(said)}" if said else ""


def people(who: tuple[str, ...], look: Look, request: Request | None = None) -> str:
    """Names in a row: "Ana Reyes, Gus Ibarra (a guest) and 3 more"."""
    outside = {review.by: review.standing.label for review in request.reviews} if request else {}
    names = [named(one, look, request, outside.get(one, "")) for one in who[:4]]
    if len(who) > 4:
        names.append(f"{len(who) - 4} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def named(who: str, look: Look, request: Request | None = None, remark: str = "") -> str:
    """What a person is called, with ``remark`` in brackets after it; plain text."""
    name = one_line(look.name(who, request), look.key, 60)
    return f"{name} ({remark})" if remark else name


def title(request: Request, look: Look) -> str:
    """The card's headline, plain text, at most 150 characters."""
    if request.asking:
        return _question(request, look)
    words = f"{subject(request, look)} {fate(request, look)}"
    return words if len(words) <= 150 else f"{words[:149]}…"


def _question(request: Request, look: Look) -> str:
    if request.bare:
        return f"A question from {one_line(request.requester.name, look.key, 60)}"
    return f"A question before {in_quotes(subject(request, look))}"


def fate(request: Request, look: Look) -> str:
    """What became of the request, as the end of a sentence that starts with the tool's name; plain text."""
    if not request.settled:
        return "goes ahead unless stopped" if request.checkpoint.kind is Kind.SOFT else "needs your approval"
    execution = request.execution
    if execution is not None and execution.state in _RAN:
        return _RAN[execution.state]
    if execution is not None and execution.state is ExecutionState.REVOKED and not request.sent_back:
        return f"was stopped before it ran by {_who(execution.by or 'requester', look, request)}"
    return _settled(request, look)


def _settled(request: Request, look: Look) -> str:
    by = request.decision.by if request.decision else ()
    if request.sent_back:
        return f"was sent back with changes by {_deciders(by, look, request)}"
    if request.state is State.EXPIRED and request.question is not None and request.answer is None:
        return "expired: nobody answered in time"
    if request.state is State.ANSWERED and by == ("silence",):
        return "went unanswered; the agent's best guess stands"
    return _SETTLED[request.state].format(people=_deciders(by, look, request))


_RAN = {
    ExecutionState.CLAIMED: "is approved and running",
    ExecutionState.SUCCEEDED: "is done",
    ExecutionState.FAILED: "was approved, but failed",
    ExecutionState.UNKNOWN: "may or may not have run",
    ExecutionState.LAPSED: "was approved, but never ran",
}
_SETTLED = {
    State.ANSWERED: "was answered by {people}",
    State.APPROVED: "was approved by {people}",
    State.REJECTED: "was rejected by {people}",
    State.EXPIRED: "expired: nobody decided in time",
    State.WITHDRAWN: "was withdrawn by the agent",
}


def _deciders(by: tuple[str, ...], look: Look, request: Request) -> str:
    if by == ("silence",):
        return "silence: nobody stopped it"
    if by == ("policy",) and request.answer is not None:
        return "the policy"
    if is_grant(by):
        return "a grant, without asking"
    return people(by, look, request) if by else "nobody"


def is_grant(by: tuple[str, ...]) -> bool:
    """Was it a grant that let the call go ahead?"""
    return bool(by) and by[0].startswith("grant:")


def _who(actor: str, look: Look, request: Request) -> str:
    return "the agent" if actor == "requester" else people((actor,), look, request)


def decided(request: Request, look: Look) -> str | None:
    """Who decided, and the reason given, for plain text; None while pending."""
    decision = request.decision
    if decision is None:
        return None
    words = _settled(request, look).removeprefix("was ")
    note = decision.note if decision.by != ("silence",) else None
    said = f" {in_quotes(one_line(note, look.key, 300))}" if note else ""
    return f"{words[0].upper()}{words[1:]}.{said}"


def ran(request: Request, look: Look) -> str | None:
    """How the execution stands, for plain text; None before there is one to speak of."""
    execution = request.execution
    if execution is None or execution.state is ExecutionState.UNCLAIMED:
        return None
    if request.sent_back:
        sentence = SENT_BACK
    elif execution.state is ExecutionState.REVOKED:
        sentence = f"Stopped before it ran by {_who(execution.by or 'requester', look, request)}."
    else:
        sentence = FORMER[execution.state]
    return f"{sentence} {one_line(execution.note, look.key, 300)}" if execution.note else sentence


def progress(request: Request, look: Look) -> str:
    """How far the quorum is: "1 of 2 approvals, waiting for security: Ana Reyes"."""
    if request.asking:
        return "Needs an answer"
    approvals = request.approvals
    needed = request.checkpoint.quorum
    if not approvals:
        return f"Needs {needed} approvals{_shares(request, look)}" if needed > 1 else "Needs one approval"
    names = people(tuple(review.by for review in approvals), look, request)
    return f"{quorum.reached(request)} of {needed} approvals{_waiting(request, look)}: {names}"


def _shares(request: Request, look: Look) -> str:
    """Which groups must approve, and how often: ": 1 of finance, 1 of security"; nothing where any group may."""
    places = [f"{place.count} of {one_line(place.group.name, look.key, 40)}" for place in request.checkpoint.shares]
    return f": {', '.join(places)}" if places else ""


def _waiting(request: Request, look: Look) -> str:
    groups = [one_line(name, look.key, 40) for name in quorum.waiting_for(request)]
    return f", waiting for {' and '.join(groups)}" if groups else ""


def _pause(ladder: Ladder) -> str:
    """How long silence takes: "5 minutes", or "5 minutes of working time" where a calendar counts it."""
    return duration(ladder.length) + (" of working time" if ladder.calendar else "")


def stood_in(one: StandIn, look: Look) -> str:
    """Who was asked in the place of whom, and why, in mrkdwn: "finance is out of office, so seniors were asked"."""
    of, group = inline(one.of, look.key, 40), inline(one.group.name, look.key, 40)
    if not one.away:
        return f"Too few of {of} can decide, so {group} were asked"
    until = f" until {moment(one.until)}" if one.until else ""
    return f"{of} is out of office{until}, so {group} were asked"


def asked(one: Delegation, request: Request, look: Look) -> str:
    """Who asked whom to decide, with the note; plain text."""
    by, to = one_line(one.by_name, look.key, 60), one_line(one.to_name, look.key, 60)
    did = "answer" if request.asking else "decide"
    said = f"{by} handed this over to {to}" if one.hands_over else f"{by} asked {to} to {did} this"
    return f"{said}: {in_quotes(one_line(one.note, look.key, 300))}" if one.note else said


def passed_on(request: Request) -> set[str]:
    """The ids of those who asked somebody else, and whom nobody asked since: they aren't reminded."""
    last = {who: one for one in request.delegated for who in (one.by, one.to)}
    return {who for who, one in last.items() if one.by == who}


def silence(request: Request) -> str:
    """What happens when nobody decides, as the start of a sentence that ends in a moment; mrkdwn-safe."""
    if request.asking and request.waits_for_delivery:
        return _unanswered(request)
    if request.proceeds:
        return "Goes ahead" if request.delivered_at else f"Goes ahead {_pause(request.checkpoint.ladder)} after posting"
    return "Expires"


def _unanswered(request: Request) -> str:
    guess = request.question.guess if request.question else None
    if request.bare and guess is None:
        return "Without an answer it expires"
    stands = "the agent's best guess stands" if guess else "the call stands as proposed"
    within = "" if request.delivered_at else f" within {duration(request.ladder.length)} of posting"
    return f"Without an answer{within} {stands}"


def looked_at(request: Request, look: Look) -> str:
    """Who looked at what had gone ahead, and what they said; plain text."""
    who = one_line(request.audit_by, look.key, 60) if request.audit_by else "Somebody"
    if request.audit != "objected":
        return f"{who} looked at it afterwards: it's fine."
    said = f" {in_quotes(one_line(request.audit_note, look.key, 300))}" if request.audit_note else ""
    return f"{who} objected after it had gone ahead.{said}"


def left(span: timedelta) -> str:
    """How long something can last from now on: "at most 3 minutes left"."""
    if span <= MINUTE:
        return "less than a minute left"
    unit = (
        MINUTE if span <= timedelta(hours=3) else timedelta(hours=1) if span <= timedelta(days=3) else timedelta(days=1)
    )
    return f"at most {duration(-(-span // unit) * unit)} left"


def paused(request: Request) -> str | None:
    """That the clock stands still for the agent's answer, or by how much that moved the end; mrkdwn."""
    if request.pause.ends_at is not None:
        return f"⏸ The clock stands still until the agent answers, at most until {moment(request.pause.ends_at)}"
    moved = -(-request.pause.moves // MINUTE) * MINUTE
    return f"⏸ The end moved by {duration(moved)}, while the agent was asked" if moved else None


def sentence(request: Request, look: Look) -> str:
    """One sentence for notifications: escaped, no arguments."""
    if request.asking and request.bare:
        return inert(title(request, look))
    agent = inline(request.requester.name, look.key, 60)
    called = inert(f"{asked(request.delegated[-1], request, look)}. ") if _is_delegated(request) else ""
    return f"{called}{inert(title(request, look))} (asked by {agent})"


def _is_delegated(request: Request) -> bool:
    return not request.settled and bool(request.delegated)
