"""Laws of questions, drafts and grants on screens: whatever an agent sends, limits hold and nothing is live."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.memo import Memo
from bot.slack.views.card import card
from bot.slack.views.grant_form import grant_form, usual_terms
from bot.slack.views.modals import answer_form, view_form
from bot.slack.views.modify import modify_form
from policies.checkpoint import GrantBound
from policies.draft_fields import draft_fields
from policies.form_building import build_form
from policies.grant import leaves
from policies.preview import Preview
from policies.question import Choice, Question
from policies.request import Request
from tests.slack.judging import check_form, check_message
from tests.slack.samples import KEY, LOOK, after, answered, ask, checkpoint
from tests.slack.test_display_laws import ARGUMENTS, TEXT

SECRET = "xoxb-" + "123456789012-" * 2 + "AbCdEfGhIjKlMnOpQrStUvWx"
WORDS = st.one_of(TEXT, st.just(f"the token is {SECRET}"), st.just("w" * 3_000)).map(lambda text: text.strip() or "x")
DRAFT = st.builds(
    Preview,
    title=WORDS.map(lambda text: text[:100]),
    media_type=st.sampled_from(["text/plain", "text/html"]),
    text=st.one_of(WORDS, st.just("Dear all,\n" * 3_000)),
)


@st.composite
def asking(draw: st.DrawFn) -> Request:
    choices = tuple(
        Choice(
            id=str(number),
            label=draw(WORDS)[:300],
            arguments=draw(st.none() | st.builds(lambda text: {"to": text, "password": text}, WORDS)),
            gate=draw(st.none() | st.just(checkpoint())),
        )
        for number in range(draw(st.integers(1, 10)))
    )
    question = Question(
        text=draw(WORDS)[:3_000], choices=choices, best_guess=draw(st.none() | st.just("0") | WORDS), rule=draw(WORDS)
    )
    return ask({"to": draw(WORDS), "password": "p"}, tool=draw(WORDS), question=question)


def _safe(said: object) -> None:
    assert SECRET not in str(said)


@settings(max_examples=12, deadline=None)
@given(asking(), WORDS)
def test_no_question_breaks_a_screen_before_or_after_its_answer(request: Request, said: str) -> None:
    memo = Memo(r=request.id, v=1)
    by_choice, in_words = after(request, answered(choice="0")), after(request, answered(text=said[:2_000]))
    for standing in (request, by_choice, in_words):
        message = card(standing, LOOK)
        check_message(message)
        _safe((message.text, message.blocks))
        for page in (0, 100):  # the first one and the last
            view = view_form(standing, LOOK, memo.model_copy(update={"page": page}))
            check_form(view)
            _safe(view)
    form = answer_form(request, LOOK, memo)
    check_form(form)
    _safe(form)


@settings(max_examples=25, deadline=None)
@given(ARGUMENTS, st.lists(DRAFT, max_size=5))
def test_drafts_fit_into_the_form_and_show_no_secret(arguments: dict[str, object], drafts: list[Preview]) -> None:
    request = ask(arguments, preview=tuple(drafts))
    form = replace(
        build_form(None, dict(request.call.arguments), key=KEY), drafts=draft_fields(request.drafts_at(1), KEY)
    )
    view = modify_form(request, form, LOOK, Memo(r=request.id, v=1), asks_phrase=True, remark="Look again.")
    check_form(view)
    _safe(view)


@settings(max_examples=25, deadline=None)
@given(ARGUMENTS, WORDS)
def test_a_grants_form_fits_and_shows_no_secret(arguments: dict[str, object], secret: str) -> None:
    request = ask({**arguments, "note": secret}, checkpoint(grants=GrantBound()))
    free = tuple(leaf.pointer for leaf in leaves(request.call.arguments) if leaf.may_differ)
    for terms in (usual_terms(request), replace(usual_terms(request), loose=free)):
        view = grant_form(request, terms, LOOK, Memo(r=request.id, v=1))
        check_form(view)
        _safe(view)
