"""What agents and people write can't go on in Signoff's own voice: no picture, no link, no line, no closing mark."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack import answers
from bot.slack.views import action, question
from bot.slack.views.card import card
from bot.slack.views.grants import clauses
from bot.slack.views.haste import asked_back
from bot.slack.views.headline import headline
from bot.slack.views.home import gist
from bot.slack.views.modals import notice
from bot.slack.views.text import inert, items_of, name_of, readable
from policies.errors import Fault, Faulty, Invalid
from policies.events import Edit
from policies.field_words import label_of
from policies.form_schema import Described
from policies.preview import Preview
from policies.question import Choice, Question
from policies.review import Verdict
from tests.slack.judging import EMOJI, check_form
from tests.slack.samples import KEY, LOOK, after, answered, ask, checkpoint, verdict

SECRET = "ghp" + "_aB3dE5fG7hJ9kL1mN0pQ2rS4tU6vW8xY"


@pytest.mark.parametrize(
    "text", [":white_check_mark: Approved", "a:100:b", "::+1::", "https://evil.example", "mailto:a@b.c"]
)
def test_a_colon_makes_neither_a_picture_nor_a_link(text: str) -> None:
    assert not EMOJI.search(inert(text))
    assert "://" not in inert(text)
    assert inert(text).replace("∶", ":") == text


def test_a_colon_at_the_end_or_before_a_space_stays() -> None:
    assert inert("to: ana, or:") == "to: ana, or:"


def titled(note: str) -> str:
    return headline(ask({"note": note}, checkpoint(title="Publish {note} at once")), LOOK)


def test_a_value_cant_close_the_quotation_marks_in_which_a_title_quotes_it() -> None:
    assert titled("x” was approved by “Ana") == 'Publish “x" was approved by "Ana” at once'


def test_a_title_shows_that_a_value_has_more_lines() -> None:
    assert titled("harmless words\nrm -rf /") == "Publish “harmless words⏎rm -rf /” at once"


def test_an_arguments_name_cant_go_on_in_what_asks_back() -> None:
    asked = asked_back(ask({"x” is fine. “y": "word " * 300}), LOOK, timedelta(seconds=1))
    assert asked["text"]["text"].endswith('above all at “"x" is fine. "y"” (1,518).')


def edited(
    before: dict[str, Any], changed: dict[str, Any], drafts: tuple[Preview, ...] = (), **texts: str
) -> list[str]:
    request = ask(before, checkpoint(quorum=2), preview=drafts)
    edit = Edit(arguments=changed, checkpoint=checkpoint(quorum=2), drafts=dict(enumerate(texts.values())))
    (found,) = action.edits(after(request, verdict("U0ANA", Verdict.MODIFY, edit=edit)), LOOK)
    return found.whole.text.splitlines()


def test_a_text_cant_add_a_line_to_the_list_of_changes() -> None:
    for forged in ("amount: 900 → 180", "amount: 900"):
        lines = edited({"note": f"x\n{forged}"}, {"note": f"y\n{forged}"})
        assert not any(line.startswith("amount") for line in lines)


def test_a_name_cant_add_a_change_either() -> None:
    (line,) = edited({"a\namount: 900 → 180, to": 1}, {"a\namount: 900 → 180, to": 2})
    assert line == "“a⏎amount: 900 → 180, to”: 1 → 2"


def test_a_value_with_an_arrow_stands_in_quotation_marks() -> None:
    assert edited({"note": "900 → 180"}, {"note": "b"}) == ['note: "900 → 180" → b']


def test_an_edited_draft_adds_no_line_of_its_own_and_shows_no_secret() -> None:
    draft = Preview(title="Mail", media_type="text/plain", text=f"Hello\namount: 900 → 180\n{SECRET}")
    lines = edited({"a": 1}, {"a": 1}, (draft,), text=f"Hi\namount: 1 → 2\n{SECRET}")
    assert not any(line.startswith("amount") for line in lines)
    assert "aB3dE5" not in str(lines)


def test_an_answer_is_never_part_of_the_question() -> None:
    asking = ask(question=Question(text="Which?\n→ Yes, pay all of it", choices=(Choice(id="1", label="None"),)))
    asked, answer = question.answered(after(asking, answered(choice="1")), LOOK)
    assert (asked.label, answer.label) == ("Shop agent asks, in its own words", "Answered by Ana Reyes")
    assert answer.whole.text == "None"


@pytest.mark.parametrize("name", ["Changed by Ana Reyes", "amount: 5", "to (part 1 of 2)", "x” y", "a\u202eb", "a\nb"])
def test_a_name_that_is_more_than_a_word_stands_in_quotation_marks(name: str) -> None:
    said = name_of(name, KEY)
    assert said[0] + said[-1] == "“”"
    assert not set("“”\n\u202e") & set(said[1:-1])
    assert items_of({name: 1}, KEY)[0].label == said


@pytest.mark.parametrize("name", [SECRET, f"the_{SECRET}", "password=hunter2"])
def test_a_fields_label_is_made_of_what_may_be_shown(name: str) -> None:
    label = label_of(name, Described(), KEY)
    assert "[redacted" in label
    assert not {"d e5", "d E5", "dE5", "hunter2"} & {
        label[at : at + size] for at in range(len(label)) for size in (3, 4, 7)
    }


@pytest.mark.parametrize("name", ["order_id", "x-api", "a.b/c~d[0]", "größe", "名前", "$ref", "@type"])
def test_a_plain_name_stays_plain(name: str) -> None:
    assert name_of(name, KEY) == name


@pytest.mark.parametrize("text", ["https://evil.example\n→ leads to bank.example", "2026-11-30 (Tuesday)"])
def test_what_signoff_adds_to_a_link_or_a_date_cant_be_written_by_the_agent(text: str) -> None:
    assert readable(text).startswith('"')


def test_a_value_cant_pass_for_several_in_a_row_or_in_a_grant() -> None:
    request = ask({"to": "5 · amount: 1"})
    assert gist(request, LOOK) == "to: “5 · amount: 1”"
    assert clauses({"to": "x”, amount is “5"}, (), LOOK)[0] == 'to is “x", amount is "5”'


def test_a_refusal_shows_no_secret_and_fits_into_its_form_however_many_faults_there_are() -> None:
    faults = Faulty(tuple(Fault(where=f"/{SECRET}", words=f"{'& ' * 2_000} {SECRET}") for _ in range(12)))
    told = answers.sentence(faults, LOOK)
    check_form(notice("Nothing was changed", told))
    assert told.count("\n") == 9
    beside = answers.at_field(faults.faults[0], KEY), answers.at_text(faults, KEY)
    assert "aB3dE5" not in str((told, answers.sentence(Invalid(SECRET), LOOK), *beside))


def test_a_person_cant_end_the_quotation_of_what_they_said() -> None:
    rejected = after(ask(), verdict("U0ANA", Verdict.REJECT, note="no” “approved by Ben"))
    assert '“no" "approved by Ben”' in str(card(replace(rejected), LOOK).blocks)
