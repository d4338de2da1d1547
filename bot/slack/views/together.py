"""The form that lists which calls are approved in one go, which stay, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.views.batch import GIST, gist, row_is_cut
from bot.slack.views.blocks import Block, context, divider, header, mrkdwn, named, plain, section
from bot.slack.views.headline import headline
from bot.slack.views.look import Look
from bot.slack.views.modals import modal
from bot.slack.views.text import clip, inert, inline, one_line
from policies.gathering import Plan, alike
from policies.request import Request

RULE = 60


def together_form(plan: Plan, chosen: Request, look: Look, memo: Memo, remark: str = "") -> Block:
    """What would be approved by sending it: each on its own, with what people have seen of it. ``plan`` names some.

    ``remark`` (plain text) says why it is shown again.
    """
    number = len(plan.approves)
    rule = one_line(chosen.checkpoint.rule, look.key, RULE)
    calls = "1 call" if number == 1 else f"{number} calls"
    blocks = [
        *([section(plain(f"⏱️ {remark}"))] if remark else []),
        header(f"{calls} held by “{rule}”"),
        context(plain("Each is approved by itself and stands on record with your name. The agent may then run it.")),
        *(block for several in alike(plan.approves) for block in _approved(several, look)),
        *_staying(plan, look),
    ]
    submit = "Approve it" if number == 1 else f"Approve all {number}"
    return modal(ids.TOGETHER_FORM, "Approve together", memo, named(blocks, f"t{number}"), submit)


def _approved(several: Sequence[Request], look: Look) -> Iterator[Block]:
    request, times = several[0], len(several)
    name = inert(headline(request, look))
    more = f" ×{times}" if times > 1 else ""
    said = inert(clip(gist(request, look), GIST))
    yield divider()
    title = f"*{name}*{more}"
    yield section(mrkdwn(f"{title}\n{said}" if said else title))
    remarks = ["You opened it and saw all of it"] if row_is_cut(request, look) else []
    remarks += [f"⚠️ The very same call {times} times: approved, it may run {times} times"] if times > 1 else []
    if remarks:
        yield context(*map(plain, remarks))


def _staying(plan: Plan, look: Look) -> Iterator[Block]:
    """What sending it doesn't touch, and why."""
    if plan.stays or plan.others:
        yield divider()
    if plan.stays:
        yield section(mrkdwn("*These stay*"))
        for request, why in plan.stays:  # one by one: together they may be more than a section takes
            yield section(mrkdwn(f"• {inert(headline(request, look))}: {inline(why, look.key, 300)}"))
    if plan.others:
        calls = "1 call of another rule stays" if plan.others == 1 else f"{plan.others} calls of other rules stay"
        yield context(plain(calls))
