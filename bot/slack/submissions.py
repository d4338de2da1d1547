"""What sending each form does. The decision is committed before the answer; a refusal keeps what was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot.logs import get_logger
from bot.slack import answers, ids, payloads
from bot.slack.desk import Desk
from bot.slack.payloads import Entered, Submitted
from bot.slack.terms import terms_of
from bot.slack.views.grant_form import grant_form, written
from bot.slack.views.modals import is_last_page, notice
from bot.slack.views.modify import block_of, modify_form
from policies.changes import changes
from policies.edits import Submitted as Typed
from policies.edits import apply_edits
from policies.errors import Fault, Faulty, Invalid, NotAllowed, PhraseWrong, Refused, Stale
from policies.fields import CHOOSING, Field, field_at, form_fields
from policies.request import Request
from policies.review import Verdict
from policies.tool_schema import validate

log = get_logger("signoff.slack")

Answer = dict[str, Any]
CHANGED = "You changed something while this was shown. Read what you allow now, then send it again."
DONE: Answer = {"response_action": "clear"}


class Submissions:
    """Answers every form of Signoff's: Bolt calls ``submit``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._acts: Mapping[str, Callable[[Submitted], Awaitable[Answer]]] = {
            ids.VIEW_FORM: self._approve,
            ids.REJECT_FORM: self._reject,
            ids.MODIFY_FORM: self._modify,
            ids.GRANT_FORM: self._grant,
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
        try:
            await self._desk.gateway.review(
                request.id, person, Verdict.APPROVE, sent.memo.revision, phrase=sent.text(ids.PHRASE)
            )
        except PhraseWrong as error:
            if sent.memo.asks_phrase:
                return _errors({ids.PHRASE: answers.at_field(Fault(where="", words=error.words))})
            raise
        return DONE

    async def _reject(self, sent: Submitted) -> Answer:
        person = await self._desk.directory.person(sent.user_id)
        await self._desk.gateway.review(
            sent.memo.request_id, person, Verdict.REJECT, sent.memo.revision, note=sent.text(ids.REASON)
        )
        return DONE

    async def _modify(self, sent: Submitted) -> Answer:
        request = await self._desk.gateway.request(sent.memo.request_id)
        if request.revision != sent.memo.revision and not request.settled:
            raise Stale(f"This is revision {request.revision} by now; look at it again before you change it.")
        schema = dict(request.call.schema) if request.call.schema is not None else None
        fields = form_fields(schema, dict(request.call.arguments), key=self._desk.looks.key)
        try:
            edited = edited_arguments(request, fields, sent)
            await self._commit(request, sent, edited)
        except Faulty as error:
            return _at_fields(fields, error) or await self._refusal(error, request.id)
        except PhraseWrong as error:
            return self._phrase_needed(request, fields, sent, error)
        except NotAllowed as error:
            fault = Faulty((Fault(where="", words=error.words),))
            return _at_fields(fields, fault) or await self._refusal(error, request.id)
        return DONE

    async def _commit(self, request: Request, sent: Submitted, edited: Mapping[str, Any]) -> None:
        person = await self._desk.directory.person(sent.user_id)
        await self._desk.gateway.review(
            request.id,
            person,
            Verdict.MODIFY,
            sent.memo.revision,
            arguments=edited,
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
            return {"response_action": "update", "view": grant_form(request, terms, look, sent.memo, CHANGED)}
        person = await self._desk.directory.person(sent.user_id)
        await self._desk.gateway.grants.make(request.id, person, sent.memo.revision, terms)
        return DONE

    def _phrase_needed(
        self, request: Request, fields: tuple[Field, ...], sent: Submitted, error: PhraseWrong
    ) -> Answer:
        """The typed confirmation is wrong, or the edit is what made one necessary: then the form asks for it."""
        words = answers.at_field(Fault(where="", words=error.words))
        if sent.memo.asks_phrase:
            return _errors({ids.PHRASE: words})
        look = self._desk.looks.at_once((request,))
        remark = f"With these changes the policy wants a typed confirmation. {answers.sentence(error, look)}"
        typed = tuple(_as_typed(field, sent.values.get(block_of(place))) for place, field in enumerate(fields))
        view = modify_form(request, typed, look, sent.memo, asks_phrase=True, remark=remark)
        return {"response_action": "update", "view": view}


def edited_arguments(request: Request, fields: tuple[Field, ...], sent: Submitted) -> dict[str, Any]:
    """The arguments as the form says. Raises ``Faulty`` (``where`` names fields) for wrong entries or none changed."""
    original = dict(request.call.arguments)
    typed = {
        field.name: _typed(field, sent.values[block_of(place)])
        for place, field in enumerate(fields)
        if block_of(place) in sent.values
    }
    edited = apply_edits(fields, original, typed)
    if not changes(original, edited):
        raise Faulty((Fault(where="", words=answers.UNTOUCHED),))
    faults = validate(dict(request.call.schema), edited) if request.call.schema is not None else ()
    if faults:
        raise Faulty(tuple(Fault(where=field_at(fields, fault.where), words=fault.words) for fault in faults))
    return dict(edited)


def _typed(field: Field, entered: Entered) -> Typed:
    if field.kind not in CHOOSING:
        return entered if isinstance(entered, str) else None
    chosen = (entered,) if isinstance(entered, str) else entered or ()
    if not all(place.isascii() and place.isdigit() and len(place) < 6 for place in chosen):
        raise Invalid("Choose from the list; nothing was changed.")
    return tuple(int(place) for place in chosen)


def _as_typed(field: Field, entered: Entered) -> Field:
    if field.locked:
        return field
    if field.kind not in CHOOSING:
        return replace(field, shown=entered if isinstance(entered, str) else "")
    return replace(field, selected=tuple(place for place in _typed(field, entered) or () if isinstance(place, int)))


def _at_fields(fields: tuple[Field, ...], error: Faulty) -> Answer | None:
    """Each fault under its field; those of no field, or a locked one, under the first. None where there is no field."""
    blocks = {field.name: block_of(place) for place, field in enumerate(fields) if not field.locked}
    if not blocks:
        return None
    first = next(iter(blocks.values()))
    found: dict[str, list[str]] = {}
    for fault in error.faults:
        found.setdefault(blocks.get(fault.where, first), []).append(answers.at_field(fault))
    return _errors({block: "; ".join(words[:3]) for block, words in found.items()})


def _errors(errors: Mapping[str, str]) -> Answer:
    return {"response_action": "errors", "errors": dict(errors)}
