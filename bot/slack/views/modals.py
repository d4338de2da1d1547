"""The forms: see everything and decide, reject with a reason, and the notice that says why nothing was changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.views import question, words
from bot.slack.views.blocks import (
    Block,
    actions,
    button,
    context,
    entry,
    header,
    mrkdwn,
    named,
    plain,
    quoted,
    section,
)
from bot.slack.views.card import alarms, facts, told
from bot.slack.views.haste import asked_back, everything
from bot.slack.views.layout import pages, warnings_of
from bot.slack.views.look import Look
from bot.slack.views.text import clip, one_line, shown
from policies.checkpoint import Kind
from policies.delegating import MOST as MOST_ASKED
from policies.inquiry import LONGEST_TEXT, MOST
from policies.question import LONGEST_ANSWER
from policies.request import Request

PHRASE_SHOWN = 1_500
QUESTION_SHOWN = 2_500
REASON_LENGTH = 2_000


def modal(callback_id: str, title: str, memo: Memo, blocks: list[Block], submit: str | None = None) -> Block:
    """A modal; ``title`` and ``submit`` have at most 24 characters."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title),
        "close": plain("Cancel" if submit else "Close"),
        "private_metadata": memo.text(),
        "blocks": blocks,
    }
    return {**view, "submit": plain(submit)} if submit else view


def view_form(request: Request, look: Look, memo: Memo) -> Block:
    """Everything, page by page. While the request is pending the last page approves (``manual``: with the phrase).

    While a question is open the last page answers it instead. With ``memo.had`` it asks back whoever approved too fast.
    """
    items = everything(request, look)
    found = pages(items)
    page = min(memo.page, len(found) - 1)
    last = page == len(found) - 1
    deciding = last and not request.settled and not request.asking and request.checkpoint.kind is not Kind.SOFT
    asks = deciding and request.checkpoint.kind is Kind.MANUAL
    blocks = [header(words.title(request, look)), *facts(request, look), *found[page], *alarms(warnings_of(items))]
    asks_back = memo.had is not None and not request.settled and memo.revision == request.revision
    asked = [asked_back(request, look, timedelta(milliseconds=memo.had or 0))] if asks_back else []
    blocks[:0] = asked
    if len(found) > 1:
        blocks.append(context(plain(f"Page {page + 1} of {len(found)}. {_where_next(request, last)}")))
    blocks.extend(told(request, look))
    if request.question is not None and request.asking and last:
        blocks.extend(question.answers(request, request.question, look))
    blocks.extend(_buttons(request, page, len(found)))
    if asks:  # the cursor is in this field, perhaps far from the top
        blocks += [*asked, phrase_field(request, look)]
    had = memo.had if asks_back else None
    kept = memo.model_copy(update={"page": page, "revision": request.revision, "asks_phrase": asks, "had": had})
    return modal(
        ids.VIEW_FORM,
        "Review the request",
        kept,
        named(blocks, f"p{page}r{request.revision}v{request.version}"),
        ("Approve anyway" if asks_back else "Approve") if deciding else None,
    )


def is_last_page(request: Request, look: Look, page: int) -> bool:
    """Is this the page from which one may approve?"""
    return page == len(pages(everything(request, look))) - 1


def _where_next(request: Request, last: bool) -> str:
    if request.asking:
        return "You can answer here." if last else "You can answer on the last page."
    if request.settled or request.checkpoint.kind is Kind.SOFT:
        return ""
    return "You can approve here." if last else "You can approve on the last page."


def _buttons(request: Request, page: int, number: int) -> Iterator[Block]:
    found = []
    if page > 0:
        found.append(button("◀ Previous page", ids.PREVIOUS, _turn(request, page - 1)))
    if page < number - 1:
        found.append(button("Next page ▶", ids.NEXT, _turn(request, page + 1)))
    value = str(ids.Target(request_id=request.id, revision=request.revision))
    if request.asking:
        words_ = "Decline to answer" if request.bare else "Reject the call"
        found.append(button(words_, ids.REJECT, value, "danger"))
    elif not request.settled:
        found.append(button("Modify", ids.MODIFY, value))
        soft = request.checkpoint.kind is Kind.SOFT
        found.append(button("Stop" if soft else "Reject", ids.STOP if soft else ids.REJECT, value, "danger"))
    if not request.settled and len(request.inquiries) < MOST:
        found.append(button(words.ASK, ids.INQUIRE, value))
    if not request.settled and len(request.delegations) < MOST_ASKED:
        found.append(button(words.ELSE, ids.DELEGATE, value))
    if request.audit == "open":  # whoever comes from Home has no card before them
        found.append(button("Seen, it's fine", ids.SEEN, value))
        found.append(button("I object", ids.OBJECT, value, "danger"))
    if found:
        yield actions(found)


def _turn(request: Request, page: int) -> str:
    return str(ids.Target(request_id=request.id, revision=request.revision, page=page))


def phrase_field(request: Request, look: Look) -> Block:
    """Where the confirmation is typed; the hint shows what to type."""
    phrase = clip(shown(request.checkpoint.phrase or "CONFIRM", look.key).text, PHRASE_SHOWN)
    return entry(
        "Type the confirmation to approve",
        ids.PHRASE,
        {"type": "plain_text_input", "action_id": ids.ENTRY, "max_length": 3_000},
        hint=f"Type exactly: {phrase}",
    )


def words_input(longest: int) -> Block:
    """Where a person writes in their own words, with the cursor in it; at most ``longest`` characters."""
    return {
        "type": "plain_text_input",
        "action_id": ids.ENTRY,
        "multiline": True,
        "max_length": longest,
        "focus_on_load": True,
    }


def reject_form(request: Request, look: Look, memo: Memo) -> Block:
    """Ask why; the reason is optional. Where ``memo`` names several identical calls, it is about all of them."""
    reason = words_input(REASON_LENGTH)
    times = f" ×{len(memo.together)}" if len(memo.together) > 1 else ""
    ends = "The question stays unanswered." if request.bare else f"{words.subject(request, look)}{times} won't run."
    blocks = [
        section(plain(f"{ends} The agent is told the reason and can do better.")),
        entry("Why?", ids.REASON, reason, optional=True),
    ]
    title, submit = ("Decline to answer", "Decline") if request.bare else ("Reject the request", "Reject")
    return modal(ids.REJECT_FORM, title, memo, named(blocks, f"r{request.revision}"), submit)


def answer_form(request: Request, look: Look, memo: Memo) -> Block:
    """The open question, and a field for an answer in the person's own words."""
    asked = shown(request.question.text if request.question else "", look.key, QUESTION_SHOWN).text
    field = words_input(LONGEST_ANSWER)
    then = "" if request.bare else " It approves nothing: the call meets its checkpoint afterwards."
    hint = f"The agent reads it word for word.{then}"
    blocks = [
        quoted(question.asks(request, look), asked),
        entry("Your answer", ids.ANSWER_TEXT, field, hint=hint),
    ]
    return modal(ids.ANSWER_FORM, "Answer the question", memo, named(blocks, f"a{request.revision}"), "Answer")


def object_form(request: Request, look: Look, memo: Memo) -> Block:
    """Ask what is wrong with what went ahead on silence."""
    why = words_input(REASON_LENGTH)
    tool = one_line(request.call.tool, look.key, 60)
    told = "The agent and whoever it works for are told. What ran stays as it is: objecting undoes nothing."
    blocks = [
        section(plain(f"{tool} went ahead since nobody stopped it. {told}")),
        entry("What is wrong with it?", ids.REASON, why, optional=True),
    ]
    return modal(ids.OBJECT_FORM, "Object afterwards", memo, named(blocks, f"o{request.revision}"), "I object")


def inquiry_form(request: Request, look: Look, memo: Memo) -> Block:
    """Ask the agent something about its call."""
    text = words_input(LONGEST_TEXT)
    agent = one_line(request.requester.name, look.key, 60)
    after = "It waits at most half an hour in all, and what it answers decides nothing."
    blocks = [
        section(plain(f"{agent} reads your question, and its answer comes to the card. {after}")),
        entry("What do you want to know?", ids.INQUIRY, text, hint="Everybody who sees the card sees this too."),
    ]
    return modal(ids.INQUIRY_FORM, "Ask the agent", memo, named(blocks, f"r{request.revision}"), "Ask")


def notice(title: str, sentence: str) -> Block:
    """A form that only says something: ``sentence`` in mrkdwn, made inert by whoever wrote it."""
    return modal(ids.NOTICE_FORM, title, Memo(), named([section(mrkdwn(sentence))], "notice"))
