"""The form in which a reviewer changes the arguments: inputs drawn from the tool's schema, or the call as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.views.blocks import Block, button, divider, entry, mrkdwn, named, plain, section
from bot.slack.views.inputs import as_typed, cuts, drawn
from bot.slack.views.look import Look
from bot.slack.views.modals import modal, phrase_field
from bot.slack.views.text import clip, inert, one_line
from policies.checkpoint import Kind as Checkpoint
from policies.fields import MAX_TEXT, Field
from policies.form import Entry, Form, Rows, flow
from policies.redaction import has_mask
from policies.request import Request
from policies.typed import Submitted
from policies.whole_call import json_text

HEADING = 300
MOST_BYTES = 220_000
"""Of a form as it goes over the wire: Slack takes 250 kB. What only helps to type gives way."""
MOST_TYPED = 100_000
"""Likewise of what was typed; more is no call any more, and Slack itself keeps it under the same ids."""
SENDS_BACK = "Its agent can't take changes: it is told them, nothing runs, and it has to ask again."
_NOTHING: Mapping[str, Submitted] = {}


def modify_form(
    request: Request,
    form: Form,
    look: Look,
    memo: Memo,
    *,
    asks_phrase: bool = False,
    remark: str = "",
    typed: Mapping[str, Submitted] = _NOTHING,
) -> Block:
    """The form for a call, with what was ``typed`` into it so far by the fields' ids.

    ``asks_phrase`` adds the typed confirmation that the edit turned out to need; so does a ``manual`` checkpoint.
    ``remark`` is a sentence (mrkdwn) above the fields: why the form is shown again.
    """
    asks = asks_phrase or request.checkpoint.kind is Checkpoint.MANUAL
    typed = typed if len(json.dumps(list(typed.values()))) <= MOST_TYPED else {}
    blocks = [*_head(request, look, remark, as_json=json_text(form.root.value, look.key) is not None)]
    for part in flow(form.root):
        blocks.extend(_drawn(part, request, look, memo, typed))
    if form.drafts:
        blocks.append(divider())
    for draft in form.drafts:
        blocks.extend(_drawn(draft, request, look, memo, typed))
    blocks = _without_hints(blocks) if len(json.dumps(blocks)) > MOST_BYTES else blocks
    if asks:
        blocks.append(phrase_field(request, look))
    kept = memo.shaped(form.shape).model_copy(update={"asks_phrase": asks})
    return modal(ids.MODIFY_FORM, "Modify the call", kept, named(blocks, f"r{request.revision}"), _save(request))


def json_form(
    request: Request, text: str, look: Look, memo: Memo, *, asks_phrase: bool = False, remark: str = ""
) -> Block:
    """The call's arguments as one JSON text; the rest as for ``modify_form``."""
    asks = asks_phrase or request.checkpoint.kind is Checkpoint.MANUAL
    box: dict[str, Any] = {"type": "plain_text_input", "action_id": ids.ENTRY, "multiline": True}
    box |= {"max_length": MAX_TEXT, "focus_on_load": True, **({"initial_value": text} if text else {})}
    blocks = [*_head(request, look, remark, as_json=False), entry("Arguments as JSON", ids.JSON, box)]
    if asks:
        blocks.append(phrase_field(request, look))
    kept = memo.model_copy(update={"asks_phrase": asks})
    return modal(ids.JSON_FORM, "Modify as JSON", kept, named(blocks, f"r{request.revision}"), _save(request))


def _save(request: Request) -> str:
    return "Save and approve" if request.dialect is None else "Save and send back"


def hides(form: Form) -> bool:
    """Does the form cut a value that it only shows? Then what would be approved isn't all before the reviewer."""
    return any(map(cuts, form.fields))


def _head(request: Request, look: Look, remark: str, *, as_json: bool) -> Iterator[Block]:
    tool = one_line(request.call.tool, look.key, 60)
    target = ids.Target(request_id=request.id, revision=request.revision)
    accessory = button("Edit as JSON", ids.AS_JSON, str(target)) if as_json else None
    saving = "Saving approves the call as changed." if request.dialect is None else SENDS_BACK
    yield section(plain(f"Change what {tool} will do. {saving}"), accessory)
    if remark:
        yield section(mrkdwn(remark))


def _drawn(
    part: Field | Entry | Rows, request: Request, look: Look, memo: Memo, typed: Mapping[str, Submitted]
) -> Iterator[Block]:
    if isinstance(part, Field):
        seen = as_typed(part, typed[part.id], look.key) if part.id in typed else part
        yield from drawn(seen, memo.turn)
    elif isinstance(part, Entry):
        yield divider()
        yield _heading(part, request)
    else:
        yield _end(part, request)


def _without_hints(blocks: list[Block]) -> list[Block]:
    """The blocks without what only helps to type; the mask of a secret is part of what is approved and stays."""
    helps = ("hint" in block and not has_mask(block["hint"]["text"]) for block in blocks)
    pairs = zip(blocks, helps, strict=True)
    return [{name: block[name] for name in block if name != "hint"} if only else block for block, only in pairs]


def _heading(part: Entry, request: Request) -> Block:
    title = clip(" ".join(part.title.split()), HEADING)
    remove = button("Remove", ids.REMOVE, f"{request.id}:{request.revision}:{part.id}")
    remove["accessibility_label"] = clip(f"Remove {title}", 75)
    return {**section(mrkdwn(f"*{inert(title)}*"), remove), "block_id": f"entry:{part.id}"}


def _end(part: Rows, request: Request) -> Block:
    """Below a list: how many entries it has, what the schema says of it, and the button for one more."""
    label = clip(" ".join(part.label.split()), HEADING)
    count = len(part.entries)
    said = f"{label}: {count} {'entry' if count == 1 else 'entries'}" if count else f"{label}: none"
    more = f"{said}\n{part.hint}" if part.hint else said
    add = button("Add another" if count else "Add one", ids.ADD, f"{request.id}:{request.revision}:{part.id}")
    add["accessibility_label"] = clip(f"{'Add another' if count else 'Add one'}: {label}", 75)
    full = "" if part.open else "\nThere is no room for more in this form; save first."
    return {**section(plain(more + full), add if part.open else None), "block_id": f"list:{part.id}"}
