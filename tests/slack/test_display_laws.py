"""Laws of what people see: whatever an agent sends, limits hold, nothing is live, nothing is hidden in silence."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack import ids
from bot.slack.home_memo import HomeMemo
from bot.slack.memo import Memo
from bot.slack.views.card import card
from bot.slack.views.home import history, listing
from bot.slack.views.inbox import home
from bot.slack.views.modals import is_last_page, reject_form, view_form
from bot.slack.views.modify import modify_form
from bot.slack.views.thread import reminder, run_message, served, summons
from policies.arguments import MAX_BYTES, canonical
from policies.checkpoint import Kind
from policies.display import display
from policies.effects import Post
from policies.form_building import build_form
from policies.inbox import Inbox
from policies.preview import Preview
from policies.redaction import redact
from policies.request import Request
from tests.slack.judging import check_form, check_message, texts
from tests.slack.samples import KEY, LOOK, ask, checkpoint

HOSTILE = st.sampled_from(
    [
        "<!channel>",
        "<https://evil.example|Approve here>",
        "```",
        "`x`",
        "*bold* _it_ ~no~",
        "&amp;",
        "<@U0ANA>",
        ":white_check_mark:",
        "> quoted",
        "\u202eevil",
        "\u200b\u2060\ufeff",
        "\U000e0041\U000e0042",
        "п\u0430ypal",
        "\r\n\r\n\n\n\n\n",
        " " * 40,
        "\x00\x07\x1b[31m",
        "👩‍👩‍👧‍👦" * 5,
        "<" * 700,
        "a" * 3_100,
    ]
)
TEXT = st.lists(st.one_of(HOSTILE, st.text(max_size=80)), max_size=8).map("".join)
NAME = st.one_of(st.text(min_size=0, max_size=30), HOSTILE, st.sampled_from(["to", "password", "amount", "body"]))
LEAF = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.floats(-1e9, 1e9), TEXT)
VALUE = st.recursive(
    LEAF, lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(NAME, inner, max_size=4)), max_leaves=12
)


def _surrogates(value: Any) -> bool:
    try:
        return len(canonical(value)) > MAX_BYTES
    except Exception:
        return True


ARGUMENTS = st.dictionaries(NAME, VALUE, max_size=14).filter(lambda value: not _surrogates(value))
GATES = st.sampled_from([Kind.HARD, Kind.MANUAL, Kind.SOFT, Kind.INBOX])


@st.composite
def requests(draw: st.DrawFn) -> Request:
    gate = checkpoint(draw(GATES), reason=draw(TEXT), phrase=draw(TEXT), required_by=draw(TEXT) or None)
    words = {"reason": draw(TEXT) or None, "context": draw(TEXT) or None, "on_behalf_of": draw(TEXT) or None}
    arguments = draw(ARGUMENTS)
    texts = [value for value in arguments.values() if isinstance(value, str) and value]
    shown = st.builds(
        Preview,
        title=TEXT.map(lambda text: text[:100] or "x"),
        media_type=st.sampled_from(["text/plain", "text/html"]),
        text=st.one_of(TEXT.map(lambda text: text or "x"), *([st.sampled_from(texts)] if texts else [])),
    )
    preview = tuple(draw(st.lists(shown, max_size=5)))
    return ask(arguments, gate, tool=draw(TEXT) or "x", preview=preview, **words)


@settings(max_examples=120, deadline=None)
@given(requests())
def test_no_argument_breaks_a_card_and_every_cut_takes_approve_away(request: Request) -> None:
    message = card(request, LOOK)
    check_message(message)
    found = {
        element["action_id"] for block in message.blocks for element in block.get("elements", ()) if "value" in element
    }
    assert (ids.VIEW in found) == message.cut
    assert not (message.cut and ids.APPROVE in found)
    if not message.cut:
        _nothing_missing(request, "\n".join(text for _, text in texts(list(message.blocks))))


@settings(max_examples=60, deadline=None)
@given(requests())
def test_the_pages_of_view_all_show_every_argument_in_full(request: Request) -> None:
    seen, page = "", 0
    while True:
        view = view_form(request, LOOK, Memo(r=request.id, v=1, p=page))
        check_form(view)
        seen += "\n".join(text for _, text in texts(view["blocks"]))
        last = is_last_page(request, LOOK, page)
        assert ("submit" in view) == (last and request.checkpoint.kind is not Kind.SOFT)
        if last:
            break
        page += 1
    _nothing_missing(request, seen)


def _nothing_missing(request: Request, seen: str) -> None:
    """Every text among the arguments stands there whole, once it was made fit to be shown."""
    shown = redact(dict(request.call.arguments), key=KEY).value
    assert isinstance(shown, dict)
    drafts = (draft.text for draft in request.preview if draft.argument is None)
    for value in (*shown.values(), *drafts):
        if isinstance(value, str) and 0 < len(value) < 500 and value == value.strip() and value[:1] not in '"[{•':
            whole = display(value, key=KEY, limit=100_000).text
            as_json = display(json.dumps(value, ensure_ascii=False), key=KEY, limit=100_000).text
            assert whole in seen or as_json in seen  # the value of an argument with an unusual name is shown as JSON


@settings(max_examples=30, deadline=None)
@given(requests())
def test_no_argument_breaks_a_form_a_list_or_a_note(request: Request) -> None:
    memo = Memo(r=request.id, v=1)
    form = build_form(None, dict(request.call.arguments), key=KEY)
    check_form(modify_form(request, form, LOOK, memo, asks_phrase=True))
    check_form(reject_form(request, LOOK, memo))
    inbox = Inbox(waiting=(request,) * 20, mine=(request,), recent=(request,))
    check_form(home(inbox, LOOK))
    sought = HomeMemo(q=request.call.tool[:100], s=f"rule:{request.checkpoint.rule}"[:140])
    check_form(home(Inbox(waiting=(request,), mine=(request,), recent=(request,)), LOOK, sought))
    check_form({"type": "home", "blocks": history(request, LOOK)})
    blocks = listing("Waiting for you", (request,) * 20, LOOK, "Nothing.")
    check_form({"type": "home", "blocks": blocks})
    for note in (reminder(request, LOOK), summons(request, "support", LOOK), served((request,), LOOK)):
        check_message(note)


@settings(max_examples=60, deadline=None)
@given(TEXT, st.sampled_from(["opening", "progress", "say", "ended"]))
def test_nothing_that_a_model_says_is_live(text: str, kind: str) -> None:
    post = Post(run_id="run_1", key="say-1", channel="C0AGENTS", thread_ts=None, text=text, kind=kind)
    message = run_message(post, LOOK)
    check_message(message)
    assert all(kind in ("plain_text", "button") for kind, _ in texts(list(message.blocks)))


def test_arguments_of_sixty_four_kilobytes_are_reachable_page_by_page() -> None:
    request = ask({"body": "\u00ad" * 20_000, "note": "x" * 20_000}, reason="y" * 9_000)
    seen = ""
    for page in range(40):
        view = view_form(request, LOOK, Memo(r=request.id, v=1, p=page))
        check_form(view)
        seen += "".join(text for kind, text in texts(view["blocks"]) if kind == "text")
        if is_last_page(request, LOOK, page):
            break
    assert seen.count("⟨U+00AD⟩") == 20_000 or "20000" in seen or "20,000" in seen
    assert "x" * 3_000 in seen
    assert seen.count("x") >= 20_000
