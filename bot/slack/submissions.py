"""What sending each form does. The decision is committed before the answer; a refusal keeps what was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot.logs import get_logger
from bot.slack import answers, ids, payloads
from bot.slack.attention import READ_FIRST, Attention
from bot.slack.desk import Desk
from bot.slack.editing import NO_DRAFTS, carried, check_edit, chosen_since, edit_of, form_of, typed_into
from bot.slack.payloads import Submitted
from bot.slack.terms import terms_of
from bot.slack.together import Together
from bot.slack.views.grant_form import grant_form, written
from bot.slack.views.inputs import block_of
from bot.slack.views.look import Look
from bot.slack.views.modals import is_last_page, notice
from bot.slack.views.modify import json_form, modify_form
from policies.edits import Edited
from policies.errors import (
    AlreadySettled,
    Fault,
    Faulty,
    Invalid,
    NotAllowed,
    PhraseWrong,
    Refused,
    SignoffError,
    Stale,
)
from policies.fields import holds_secret
from policies.form import Form
from policies.request import Request
from policies.review import Verdict
from policies.typed import Submitted as Typed
from policies.whole_call import read_arguments

log = get_logger("signoff.slack")

Answer = dict[str, Any]
CHANGED = "You changed something while this was shown. Read what you allow now, then send it again."
DONE: Answer = {"response_action": "clear"}
CHOSEN = "These are the fields of what you chose. Look at them, then save."


class Submissions:
    """Answers every form of Signoff's: Bolt calls ``submit``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._attention = Attention(desk)
        self._together = Together(desk)
        self._acts: Mapping[str, Callable[[Submitted], Awaitable[Answer]]] = {
            ids.VIEW_FORM: self._approve,
            ids.REJECT_FORM: self._reject,
            ids.ANSWER_FORM: self._answer,
            ids.INQUIRY_FORM: self._inquire,
            ids.DELEGATE_FORM: self._delegate,
            ids.OBJECT_FORM: self._object,
            ids.MODIFY_FORM: self._modify,
            ids.GRANT_FORM: self._grant,
            ids.JSON_FORM: self._modify_json,
            ids.TOGETHER_FORM: self._together.submit,
        }

    async def submit(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Do what the form says, then close it, or say in it why nothing was changed."""
        request_id = ""
        try:
            sent = payloads.submitted(body)
            request_id = sent.memo.request_id
            act = self._acts.get(sent.callback_id)
            if act is None:
                raise Invalid(
                    "This form belongs to another version of Signoff. Open the request again from /approvals."
                )
            answer = await act(sent)
            self._desk.forms.closed(sent.view_id)
            self._desk.settled_somewhere(sent.user_id, sent.memo.channel)
        except Exception as error:
            answer = await self._refusal(error, request_id)
        await ack(**answer)

    async def _refusal(self, error: Exception, request_id: str) -> Answer:
        known = isinstance(error, (Refused, Invalid)) or hasattr(error, "words")
        if not known:
            log.error("a form failed", exc_info=error)
        request = await self._desk.gateway.store.request(request_id) if known and request_id else None
        look = self._desk.looks.at_once((request,) if request else ())
        view = notice(
            "Nothing was changed" if known else "Something went wrong", answers.sentence(error, look, request)
        )
        return {"response_action": "update", "view": view}

    async def _approve(self, sent: Submitted) -> Answer:
        request = await self._desk.gateway.request(sent.memo.request_id)
        last = is_last_page(request, self._desk.looks.at_once(), sent.memo.page)
        if request.revision == sent.memo.revision and not last:
            raise Refused("There is more to see. Turn to the last page before you approve; nothing was changed.")
        person = await self._desk.directory.person(sent.user_id)
        asking = await self._attention.haste(request, person, sent.memo)
        if asking is not None:
            return _update(await self._attention.form(request, asking))
        try:
            await self._desk.gateway.review(
                request.id, person, Verdict.APPROVE, sent.memo.revision, phrase=sent.text(ids.PHRASE)
            )
        except PhraseWrong as error:
            if sent.memo.asks_phrase:
                return _errors({ids.PHRASE: answers.at_field(Fault(where="", words=error.words), self._desk.looks.key)})
            raise
        return DONE

    async def _reject(self, sent: Submitted) -> Answer:
        if sent.memo.together:
            return await self._together.refuse(sent)
        person = await self._desk.directory.person(sent.user_id)
        await self._desk.gateway.review(
            sent.memo.request_id, person, Verdict.REJECT, sent.memo.revision, note=sent.text(ids.REASON)
        )
        return DONE

    async def _answer(self, sent: Submitted) -> Answer:
        person = await self._desk.directory.person(sent.user_id)
        text = sent.text(ids.ANSWER_TEXT)
        await self._desk.gateway.answer(sent.memo.request_id, person, sent.memo.revision, text=text)
        return DONE

    async def _object(self, sent: Submitted) -> Answer:
        person = await self._desk.directory.person(sent.user_id)
        note = sent.text(ids.REASON)
        await self._desk.gateway.mark_audit(sent.memo.request_id, person, "objected", note)
        return DONE

    async def _inquire(self, sent: Submitted) -> Answer:
        person = await self._desk.directory.person(sent.user_id)
        await self._desk.gateway.inquire(sent.memo.request_id, person, sent.text(ids.INQUIRY) or "")
        return DONE

    async def _delegate(self, sent: Submitted) -> Answer:
        chosen = sent.text(ids.PERSON)
        if chosen is None:
            return _errors({ids.PERSON: "Choose a person."})
        person = await self._desk.directory.person(sent.user_id)
        note, over = sent.text(ids.REASON), bool(sent.values.get(ids.HAND_OVER))
        try:
            to = await self._desk.directory.other(chosen)
            await self._desk.gateway.delegate(sent.memo.request_id, person, to, note=note, hands_over=over)
        except AlreadySettled:
            raise
        except SignoffError as error:
            return _errors({ids.PERSON: answers.at_field(Fault(where="", words=error.words), self._desk.looks.key)})
        return DONE

    async def _modify(self, sent: Submitted) -> Answer:
        request = await self._pending(sent)
        look = self._desk.looks.at_once((request,))
        form = form_of(request, sent.memo, look.key)
        typed = typed_into(form, sent.values, sent.memo.turn)
        wanted = chosen_since(form, typed)
        if wanted != form.shape:
            return _redrawn(request, form_of(request, sent.memo.shaped(wanted), look.key), typed, sent, look, CHOSEN)
        if request.revision != sent.memo.revision:
            return _update(carried(request, form, typed, sent.memo, look))
        try:
            await self._commit(request, sent, *edit_of(request, form, typed))
        except Faulty as error:
            return _at_fields(form, sent.memo.turn, error, look.key) or await self._refusal(error, request.id)
        except PhraseWrong as error:
            if sent.memo.asks_phrase:
                return _errors({ids.PHRASE: answers.at_field(Fault(where="", words=error.words), self._desk.looks.key)})
            return _redrawn(request, form, typed, sent, look, _phrase_needed(error, look), asks_phrase=True)
        except NotAllowed as error:
            fault = Faulty((Fault(where="", words=error.words),))
            return _at_fields(form, sent.memo.turn, fault, look.key) or await self._refusal(error, request.id)
        except Stale:
            request = await self._desk.gateway.request(request.id)
            return _update(carried(request, form, typed, sent.memo, look))
        return DONE

    async def _modify_json(self, sent: Submitted) -> Answer:
        request = await self._pending(sent)
        look = self._desk.looks.at_once((request,))
        text = sent.text(ids.JSON) or ""
        if request.revision != sent.memo.revision:
            return _json_meanwhile(request, text, sent, look)
        try:
            edited = Edited(arguments=read_arguments(text), places={})
            check_edit(request, dict(request.call.arguments), edited)
            await self._commit(request, sent, edited.arguments)
        except Faulty as error:
            return _errors({ids.JSON: answers.at_text(error, look.key)})
        except PhraseWrong as error:
            if sent.memo.asks_phrase:
                return _errors({ids.PHRASE: answers.at_field(Fault(where="", words=error.words), self._desk.looks.key)})
            return _update(
                json_form(request, text, look, sent.memo, asks_phrase=True, remark=_phrase_needed(error, look))
            )
        except NotAllowed as error:
            return _errors({ids.JSON: answers.at_field(Fault(where="", words=error.words), self._desk.looks.key)})
        except Stale:
            return _json_meanwhile(await self._desk.gateway.request(request.id), text, sent, look)
        return DONE

    async def _pending(self, sent: Submitted) -> Request:
        """The request, for those who may change it while it is pending; if it is over, the gateway says so."""
        request = await self._desk.gateway.request(sent.memo.request_id)
        person = await self._desk.directory.person(sent.user_id)
        if request.settled:
            await self._desk.gateway.review(request.id, person, Verdict.REJECT, request.revision)
        return await self._desk.gateway.editable(request.id, person)

    async def _commit(
        self, request: Request, sent: Submitted, edited: Mapping[str, Any], drafts: Mapping[int, str] = NO_DRAFTS
    ) -> None:
        person = await self._desk.directory.person(sent.user_id)
        await self._desk.gateway.review(
            request.id,
            person,
            Verdict.MODIFY,
            sent.memo.revision,
            arguments=edited,
            drafts=drafts,
            phrase=sent.text(ids.PHRASE),
        )

    async def _grant(self, sent: Submitted) -> Answer:
        """Approve and grant; what is granted is what the form said in words when it was sent, or nothing is."""
        request = await self._desk.gateway.request(sent.memo.request_id)
        if request.revision != sent.memo.revision and not request.settled:
            raise Stale(f"This is revision {request.revision} by now; look at it again before you approve it.")
        terms = terms_of(request, sent.values)
        if written(request, terms) != sent.memo.terms:
            look = self._desk.looks.at_once((request,))
            return _update(grant_form(request, terms, look, sent.memo, CHANGED))
        person = await self._desk.directory.person(sent.user_id)
        asking = await self._attention.haste(request, person, sent.memo)
        if asking is not None:
            look = self._desk.looks.at_once((request,))
            remark = f"{self._attention.told(request, asking)} {READ_FIRST}"
            return _update(grant_form(request, terms, look, asking, remark))
        await self._desk.gateway.grants.make(request.id, person, sent.memo.revision, terms)
        return DONE


def _phrase_needed(error: PhraseWrong, look: Look) -> str:
    return f"With these changes the policy wants a typed confirmation. {answers.sentence(error, look)}"


def _redrawn(
    request: Request,
    form: Form,
    typed: Mapping[str, Typed],
    sent: Submitted,
    look: Look,
    remark: str,
    *,
    asks_phrase: bool = False,
) -> Answer:
    """The form once more, with what was typed and the reason."""
    asks = asks_phrase or sent.memo.asks_phrase
    return _update(modify_form(request, form, look, sent.memo, asks_phrase=asks, remark=remark, typed=typed))


def _json_meanwhile(request: Request, text: str, sent: Submitted, look: Look) -> Answer:
    """Somebody else saved a change meanwhile: the text stays as it was typed, and would undo theirs as it stands."""
    remark = answers.meanwhile(request, sent.memo.revision, (), look)
    memo = sent.memo.model_copy(update={"revision": request.revision})
    seen = "" if holds_secret(text, look.key) else text
    return _update(json_form(request, seen, look, memo, asks_phrase=memo.asks_phrase, remark=remark))


def _update(view: Answer) -> Answer:
    return {"response_action": "update", "view": view}


def _at_fields(form: Form, turn: int, error: Faulty, key: bytes) -> Answer | None:
    """Each fault under its field; those of no field, or a locked one, under the first. None where there is no field."""
    blocks = {field.id: block_of(field.id, turn) for field in form.fields if not field.locked}
    if not blocks:
        return None
    first = next(iter(blocks.values()))
    found: dict[str, list[str]] = {}
    for fault in error.faults:
        found.setdefault(blocks.get(fault.where, first), []).append(answers.at_field(fault, key))
    return _errors({block: "; ".join(words[:3]) for block, words in found.items()})


def _errors(errors: Mapping[str, str]) -> Answer:
    return {"response_action": "errors", "errors": dict(errors)}
